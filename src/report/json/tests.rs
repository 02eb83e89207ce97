#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;

use serde_json::json;

use super::super::fixtures;
use super::*;

#[test]
fn the_report_is_read_back_as_it_was() {
    for report in
        [fixtures::bronx(), fixtures::failed(), fixtures::hostile(), fixtures::large(), fixtures::empty()]
    {
        let read: Report = serde_json::from_str(&render(&report).unwrap()).unwrap();
        assert_eq!(read, report);
    }
}

#[test]
fn what_other_programs_rely_on_is_there() {
    let value: Value = serde_json::from_str(&render(&fixtures::bronx()).unwrap()).unwrap();
    assert_eq!(value["pipeline"], "bronx-taxi");
    assert_eq!(value["target"], "embedded");
    assert_eq!(value["status"], "done");
    assert_eq!(value["digest"].as_str().unwrap().len(), 64);
    assert_eq!(value["stages"][0]["name"], "validate");
    assert_eq!(value["stages"][0]["status"], "done");
    assert_eq!(value["stages"][0]["seconds"], 0.021);
    let rows = json!({
        "read": 16036, "filteredOut": 14506, "alreadyLoaded": 0,
        "produced": 1530, "consumed": 1530, "written": 1530, "deadLetters": 0,
        "duplicates": 0, "retries": 0, "otherProducers": 0, "otherLoaders": 0
    });
    assert_eq!(value["rows"], rows);
    assert_eq!(value["graph"], json!({"nodes": {"Location": 42}, "relationships": {"TRIP": 1530}}));
    assert_eq!(value["analyses"][0]["engine"], "builtin");
    assert_eq!(value["analyses"][0]["columns"], json!(["name", "score"]));
    assert_eq!(value["analyses"][0]["rows"][0], json!([159, 3.228_248_647_841_575_7]));
    assert_eq!(value["analyses"][0]["rows"].as_array().unwrap().len(), 42, "rows are not cut to `top`");
}

#[test]
fn a_row_of_a_result_stands_on_one_line() {
    let text = render(&fixtures::bronx()).unwrap();
    assert!(text.contains("\n        [159, 3.2282486478415757],\n"), "{text}");
}

#[test]
fn every_fixture_is_valid_by_the_schema() {
    let validator = jsonschema::validator_for(schema().as_value()).unwrap();
    for report in
        [fixtures::bronx(), fixtures::failed(), fixtures::hostile(), fixtures::large(), fixtures::empty()]
    {
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(validator.iter_errors(&value).map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn the_committed_schema_has_not_drifted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/report.schema.json");
    let made = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "{} has drifted: `make docs` writes it", path.display());
}
