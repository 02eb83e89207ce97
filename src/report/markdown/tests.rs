use super::super::fixtures;
use super::*;

#[test]
fn the_main_example() {
    insta::assert_snapshot!(render(&fixtures::bronx()));
}

#[test]
fn a_failed_run() {
    insta::assert_snapshot!(render(&fixtures::failed()));
}

#[test]
fn a_run_in_which_nothing_happened() {
    insta::assert_snapshot!(render(&fixtures::empty()));
}

#[test]
fn hostile_names() {
    insta::assert_snapshot!(render(&fixtures::hostile()));
}

#[test]
fn nothing_of_a_name_is_markup() {
    assert_eq!(escaped("<b>|`x`*y*_z_[a](b)"), r"&lt;b&gt;\|\`x\`\*y\*\_z\_\[a\](b)");
    assert_eq!(escaped("@octocat #1"), "@\u{200b}octocat #\u{200b}1");
    assert_eq!(escaped("https://e.invalid"), "https:\u{200b}//e.invalid");
    assert_eq!(escaped("a\nb"), "a␊b");
}

#[test]
fn the_fence_of_the_file_is_longer_than_any_in_it() {
    let mut report = fixtures::bronx();
    report.spec = "a\n````\nb".to_owned();
    assert!(spec(&report).contains("\n`````yaml\na\n````\nb\n`````\n"));
}

#[test]
fn what_is_too_long_for_a_comment_is_left_out_and_named() {
    let mut report = fixtures::bronx();
    report.spec = "x".repeat(LONGEST);
    let text = render(&report);
    assert!(text.len() <= LONGEST + 100);
    assert!(text.ends_with("in full in `report.json`: the pipeline file.\n"));
}

#[test]
fn every_row_of_a_table_has_as_many_cells() {
    let text = render(&fixtures::hostile());
    let mut cells = None;
    for line in text.lines().take_while(|line| !line.starts_with("<details>")) {
        if !line.starts_with('|') {
            cells = None;
            continue;
        }
        let bars = line.replace(r"\|", "").matches('|').count();
        assert_eq!(bars, *cells.get_or_insert(bars), "{line}");
    }
}
