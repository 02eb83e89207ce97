#![expect(clippy::unwrap_used, reason = "a test may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::{Report, fixtures};
use super::*;

fn all() -> [Report; 5] {
    [fixtures::bronx(), fixtures::failed(), fixtures::hostile(), fixtures::large(), fixtures::empty()]
}

/// The browser's check looks at every fixture, not only at what the examples make.
#[test]
#[ignore = "writes pages into the folder REPORT_PAGES, for tests/browser/check.sh"]
fn pages_for_the_browser() {
    let folder = std::path::PathBuf::from(std::env::var_os("REPORT_PAGES").unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    for (name, report) in ["bronx", "failed", "hostile", "large", "empty"].iter().zip(all()) {
        std::fs::write(folder.join(name).with_extension("html"), render(&report)).unwrap();
    }
}

#[test]
fn the_policy_names_the_style_sheet_by_its_hash_and_forbids_all_else() {
    let page = render(&fixtures::bronx());
    let (_, rest) = page.split_once("<style>").unwrap_or_default();
    let (style, after) = rest.split_once("</style>").unwrap_or_default();
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
         img-src data:; base-uri 'none'; form-action 'none'\">"
    );
    assert!(page.contains(&policy));
    assert!(!after.contains("<style"), "there is one style sheet");
}

#[test]
fn no_page_has_a_script_a_style_of_an_element_or_an_address_to_fetch() {
    for report in all() {
        let page = render(&report);
        for forbidden in [
            "<script",
            " style=\"",
            " onerror=\"",
            "<img",
            "<iframe",
            "<object",
            "src=\"",
            "@import",
            "url(h",
        ] {
            assert!(!page.contains(forbidden), "{forbidden} in {}", report.pipeline);
        }
    }
}

#[test]
fn no_page_has_a_number_that_is_none() {
    for report in all() {
        let page = render(&report);
        assert!(!page.contains("NaN") && !page.contains("inf%"), "{}", report.pipeline);
    }
}

#[test]
fn the_main_example_is_under_150_kilobytes() {
    let size = render(&fixtures::bronx()).len();
    assert!(size < 150_000, "{size}");
}

#[test]
fn the_same_report_gives_the_same_page() {
    for report in all() {
        assert_eq!(render(&report), render(&report));
    }
}

#[test]
fn every_node_and_every_pair_is_drawn_with_its_name() {
    let page = render(&fixtures::bronx());
    assert_eq!(page.matches("<circle class=\"c0\" cx").count(), 42 + 1, "and one in the legend");
    assert!(page.contains("<title>159 · Melrose South, Location, pagerank score 3.228249</title>"));
    assert!(page.contains("<title>119 → 254: 24</title>"));
    assert!(page.contains("<title>168 → 168: 19</title>"), "a ring");
}

#[test]
fn a_cut_picture_says_so() {
    let page = render(&fixtures::large());
    assert!(page.contains("Shown are the strongest 300 of 12,000 nodes."));
    assert!(!render(&fixtures::bronx()).contains("Shown are the strongest"));
}

#[test]
fn what_went_wrong_is_said_in_words() {
    let page = render(&fixtures::failed());
    assert!(page.contains("✗ differ<"));
    assert!(page.contains("✗ does not hold<"));
    assert!(page.contains("does not hold</span>: <bdi>the top node is 159</bdi>; found <bdi>168</bdi>"));
}
