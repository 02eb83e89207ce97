#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::render::{Colour, FileFindings, github, json, sarif, text};
use crate::spec::load::parse;

const MAIN_EXAMPLE: &str = include_str!("../../pipelines/bronx-taxi.yaml");

const EXAMPLES: [&str; 3] = [
    MAIN_EXAMPLE,
    include_str!("../../pipelines/bronx-green.yaml"),
    include_str!("../../pipelines/bronx-zones.yaml"),
];

const SMALL: &str = "apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata: { name: small }
spec:
  source: { parquet: a.parquet, tables: { zones: zones.csv } }
  topic: { name: trips }
  mapping: { cypher: 'MERGE (:Zone {id: event.id})' }
";

fn load(text: &str) -> Document {
    parse("test.yaml", text.as_bytes(), &|_| None)
}

fn codes(findings: &[Diagnostic]) -> Vec<Code> {
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn the_main_example_has_no_findings() {
    let checkup = check(&load(MAIN_EXAMPLE));
    assert_eq!(checkup.findings, []);
    assert!(checkup.verdict(true).is_ok());
}

#[test]
fn a_warning_passes_unless_warnings_are_denied() {
    let (_, warnings) = check(&load(SMALL)).verdict(false).unwrap();
    assert_eq!(codes(&warnings), [Code::UnusedTable]);
    let errors = check(&load(SMALL)).verdict(true).unwrap_err();
    assert_eq!(errors.first().unwrap().severity, Severity::Error);
}

#[test]
fn a_warning_that_the_file_allows_is_dropped_even_where_warnings_are_denied() {
    let (_, warnings) = check(&load(&format!("{SMALL}  allow: [unused-table]\n"))).verdict(true).unwrap();
    assert_eq!(warnings, []);
}

#[test]
fn numbers_and_truth_values_may_come_from_variables() {
    let text = SMALL.replace("name: trips", "name: trips, partitions: \"${N}\"");
    let load_with = |value: &'static str| parse("test.yaml", text.as_bytes(), &|_| Some(value.to_owned()));
    assert_eq!(check(&load_with("6")).pipeline.unwrap().spec.topic.partitions, 6);
    let document = load_with("s3cret");
    let checkup = check(&document);
    assert!(codes(&checkup.findings).contains(&Code::WrongType));
    let shown = text_of(&document, &checkup.findings);
    assert!(!shown.contains("s3cret") && shown.contains("found a text from `${N}`"), "{shown}");
}

#[test]
fn faults_of_all_tiers_are_told_at_once_and_none_follows_from_another() {
    let text = SMALL
        .replace("name: trips", "name: .., partitions: x")
        .replace("cypher: 'MERGE (:Zone {id: event.id})'", "cyper: ''");
    let checkup = check(&load(&text));
    assert_eq!(
        codes(&checkup.findings),
        [Code::UnusedTable, Code::TopicName, Code::WrongType, Code::UnknownKey]
    );
}

#[test]
fn defaults_are_shown_and_secrets_are_not() {
    let text = SMALL.replace(
        "spec:\n",
        "spec:\n  infrastructure: { external: { kafka: { bootstrap: 'k:1' }, neo4j: { uri: 'bolt://me:hunter2@db' } } }\n",
    );
    let shown = show(&check(&load(&text)).pipeline.unwrap()).unwrap();
    assert!(shown.contains("batchRows: 5000") && shown.contains("bolt://me:***@db"), "{shown}");
    assert!(check(&load(&shown)).pipeline.is_some());
}

#[test]
fn the_schema_compiles_and_every_default_of_it_is_valid() {
    let checkup = check(&load(&show(&check(&load(MAIN_EXAMPLE)).pipeline.unwrap()).unwrap()));
    assert_eq!(checkup.findings, []);
}

#[test]
fn a_missing_certificate_is_told_where_it_is_named() {
    let text = SMALL.replace(
        "spec:\n",
        "spec:\n  infrastructure:\n    external:\n      kafka: { bootstrap: 'k:1', security: { protocol: SSL, tls: { caFile: Cargo.toml, certFile: a.crt, keyFile: a.key } } }\n      neo4j: { uri: 'bolt+s://db', tls: { caFile: no/ca.crt } }\n",
    );
    let pipeline = check(&load(&text)).pipeline.unwrap();
    let found = missing_certificates(&pipeline, std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
    let places: Vec<String> = found.iter().map(|finding| finding.path().to_string()).collect();
    let external = "spec.infrastructure.external";
    let expected = ["kafka.security.tls.certFile", "kafka.security.tls.keyFile", "neo4j.tls.caFile"];
    assert_eq!(places, expected.map(|key| format!("{external}.{key}")));
    assert!(codes(&found).iter().all(|code| *code == Code::NoSuchFile));
}

#[test]
fn a_missing_secret_tells_what_was_tried() {
    let text = SMALL.replace(
        "spec:\n",
        "spec:\n  infrastructure:\n    external:\n      kafka: { bootstrap: 'k:1' }\n      neo4j: { uri: 'bolt://db', passwordFrom: { env: NEO4J_PASSWORD } }\n",
    );
    let pipeline = check(&load(&text)).pipeline.unwrap();
    let found = missing_secrets(&pipeline, &|_| Err("no `NEO4J_PASSWORD`".to_owned()));
    assert_eq!(codes(&found), [Code::MissingSecret]);
    assert_eq!(found.first().unwrap().message, "no `NEO4J_PASSWORD`");
    assert_eq!(missing_secrets(&pipeline, &|_| Ok("x".to_owned())), []);
}

fn text_of(document: &Document, findings: &[Diagnostic]) -> String {
    text(&[FileFindings { source: document, findings }], Colour::No)
}

/// Everything that a user may ask of a file; none of it may panic.
fn ask_everything(bytes: &[u8]) {
    let document = parse("test.yaml", bytes, &|name| (name.len() % 2 == 0).then(|| name.to_owned()));
    let checkup = check(&document);
    let files = [FileFindings { source: &document, findings: &checkup.findings }];
    for render in [json, github, sarif] {
        let _ = render(&files);
    }
    let _ = text(&files, Colour::Yes);
    if let Some(pipeline) = &checkup.pipeline {
        let _ = show(pipeline);
    }
}

/// Pieces that are likely to hurt where they come to stand.
const HOSTILE: [&str; 24] = [
    "", " ", "\n", "\t", ":", ": ", "- ", "{", "}", "[", "]", "&a ", "*a", "<<: *a", "!!str ", "|", ">", "'",
    "\"", "${", "${A}", "\u{e9}", "null", "-1e999",
];

proptest! {
    #[test]
    fn no_mutation_of_the_main_example_makes_it_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, 0..HOSTILE.len()), 1..6),
    ) {
        let mut text = MAIN_EXAMPLE.to_owned();
        for (at, length, piece) in changes {
            let start = text.floor_char_boundary(at.index(text.len()));
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, HOSTILE.get(piece).unwrap());
        }
        ask_everything(text.as_bytes());
    }

    #[test]
    fn no_value_at_any_place_of_the_main_example_makes_it_panic(
        line in any::<prop::sample::Index>(),
        value in prop::sample::select(vec!["null", "[]", "{}", "''", "-1", "1.5", "true", "[[]]", "{a: {}}", "${B}", "*x"]),
    ) {
        let lines: Vec<&str> = MAIN_EXAMPLE.lines().collect();
        let changed = line.index(lines.len());
        let text: Vec<String> = lines.iter().enumerate().map(|(number, line)| match line.split_once(": ") {
            Some((key, _)) if number == changed => format!("{key}: {value}"),
            _ => (*line).to_owned(),
        }).collect();
        ask_everything(text.join("\n").as_bytes());
    }

    #[test]
    fn no_mutated_bytes_of_an_example_make_it_panic(
        example in prop::sample::select(EXAMPLES.to_vec()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_usize, any::<u8>()), 1..8),
    ) {
        let mut bytes = example.as_bytes().to_vec();
        for (at, removed, byte) in changes {
            let start = at.index(bytes.len());
            let end = (start + removed).min(bytes.len());
            bytes.splice(start..end, [byte]);
        }
        ask_everything(&bytes);
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        ask_everything(&bytes);
    }
}

#[test]
fn a_large_file_full_of_faults_is_told_in_reasonable_time() {
    let mut text = SMALL.to_owned();
    for number in 0..50_000 {
        writeln!(text, "unknown{number}: {{ password: hunter2 }}").unwrap();
    }
    let begun = std::time::Instant::now();
    ask_everything(text.as_bytes());
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
