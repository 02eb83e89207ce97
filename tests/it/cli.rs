//! The command line: exit codes, forms of output, and what each command promises.

use std::fs::{self, File};
use std::path::Path;

use serde_json::Value;

use crate::harness::{Desk, example, examples, outcome};

#[test]
fn exit_codes_tell_a_wrong_command_from_a_wrong_file() {
    let desk = Desk::new();
    desk.write("wrong.yaml", "kind: Pipeline\n");
    let taxi = example("bronx-taxi.yaml");
    let cases: [(&[&str], i32); 8] = [
        (&["--version"], 0),
        (&["--help"], 0),
        (&["run", "--no-such-flag"], 64),
        (&["no-such-command"], 64),
        (&["explain", "no-such-code"], 64),
        (&["validate", "wrong.yaml"], 78),
        (&["run", "wrong.yaml"], 78),
        (&["validate", &taxi, "wrong.yaml"], 78),
    ];
    for (arguments, code) in cases {
        let found = desk.runner(arguments);
        assert_eq!(found.code, Some(code), "{arguments:?}: {}", found.stderr);
    }
}

#[test]
fn findings_have_a_form_for_each_kind_of_reader() {
    let desk = Desk::new();
    desk.write(
        "wrong.yaml",
        &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/ten-faults.yaml"))
            .unwrap(),
    );
    let parsed = |form| -> Value {
        serde_json::from_str(&desk.runner(&["validate", "wrong.yaml", "--output", form]).exits(78).stdout)
            .unwrap()
    };
    let json = parsed("json");
    assert_eq!(json["valid"], false);
    let diagnostics = json["diagnostics"].as_array().unwrap();
    assert!(diagnostics.len() >= 10);
    for key in ["code", "severity", "path", "file", "line", "column", "message", "help"] {
        assert!(diagnostics.iter().all(|one| one.get(key).is_some()), "{key}");
    }
    assert_eq!(parsed("sarif")["version"], "2.1.0");
    desk.runner(&["validate", "wrong.yaml", "--output", "github"])
        .exits(78)
        .says("::error file=wrong.yaml,line=");
}

#[test]
fn a_file_is_read_from_standard_input() {
    let desk = Desk::new();
    desk.runner_reads(&["validate", "-"], "kind: Pipeline\n").exits(78).says("missing-key");
}

#[test]
fn every_code_is_explained() {
    let desk = Desk::new();
    let list = desk.runner(&["explain"]).exits(0).stdout;
    for code in runner::diagnostic::Code::all() {
        assert!(list.contains(&code.to_string()), "{code}");
    }
    desk.runner(&["explain", "no-rows"]).exits(0).says("no-rows (error)");
}

#[test]
fn a_starter_file_is_valid_and_runs_and_never_overwrites() {
    for parquet in ["yellow_tripdata_2022-03_subset.parquet", "green_tripdata_2022-03.parquet"] {
        let desk = Desk::new();
        fs::copy(examples().join("data").join(parquet), desk.path("trips.parquet")).unwrap();
        desk.runner(&["init", "trips.parquet", "--file", "trips.yaml"]).exits(0);
        let made = fs::read_to_string(desk.path("trips.yaml")).unwrap();
        desk.runner(&["validate", "trips.yaml", "--deny", "warnings"]).exits(0);
        desk.runner(&["run", "trips.yaml", "--limit", "500"]).exits(0);
        desk.runner(&["init", "trips.parquet", "--file", "trips.yaml"]).exits(64).says("is there already");
        assert_eq!(fs::read_to_string(desk.path("trips.yaml")).unwrap(), made);
    }
}

/// The events that `docs/events.md` describes.
const KNOWN: [&str; 7] =
    ["runStarted", "stageStarted", "stageProgress", "stageNote", "stageFinished", "finding", "runFinished"];

#[test]
fn the_events_of_a_run_are_one_json_object_a_line() {
    let desk = Desk::new();
    let found = desk
        .runner(&["run", &example("bronx-taxi.yaml"), "--target", "embedded", "--output", "json"])
        .exits(0);
    let events: Vec<Value> = found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| KNOWN.contains(&event["event"].as_str().unwrap())), "{}", found.stdout);
    assert_eq!(events.first().unwrap()["event"], "runStarted");
    assert_eq!(events.last().unwrap()["event"], "runFinished");
}

#[test]
fn a_run_that_cannot_tell_what_it_did_says_so_and_one_without_a_reader_goes_on() {
    let file = example("bronx-taxi.yaml");
    for form in ["json", "text"] {
        let desk = Desk::new();
        let arguments = ["run", &file, "--target", "embedded", "--output", form];
        let full = File::options().write(true).open("/dev/full").unwrap();
        let found = outcome(desk.command(&arguments).stdout(full).spawn().unwrap()).exits(1);
        found.says("the output cannot be written: No space left on device");
        assert_eq!(desk.report("bronx-taxi")["status"], "done", "{form}");

        let mut unheard = desk.start(&arguments);
        drop(unheard.stdout.take());
        let found = outcome(unheard).exits(0);
        assert!(!found.stderr.contains("error"), "{}", found.stderr);
    }
}

#[test]
fn colour_is_for_terminals_and_for_who_asks() {
    let desk = Desk::new();
    let file = example("bronx-taxi.yaml");
    let plain = desk.runner(&["run", &file, "--target", "embedded"]).exits(0);
    assert!(!plain.stdout.contains('\u{1b}') && !plain.stderr.contains('\u{1b}'));
    assert!(plain.stderr.lines().count() <= 8, "{}", plain.stderr);
    desk.runner(&["run", &file, "--target", "embedded", "--color", "always"]).exits(0).says("\u{1b}[");
}

#[test]
fn scripts_and_the_manual_are_printed() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        desk.runner(&["completions", shell]).exits(0).says("runner");
    }
    desk.runner(&["man"]).exits(0).says(".TH runner");
}

#[test]
fn the_schema_has_not_drifted_and_every_example_keeps_to_it() {
    let schema = Desk::new().runner(&["schema"]).exits(0).stdout;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/pipeline.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "{} has drifted: `make docs` writes it", path.display());
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for entry in fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let value: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{}: {faults:?}", path.display());
        }
    }
}

#[test]
fn the_help_of_each_command_is_as_it_was_reviewed() {
    let desk = Desk::new();
    let commands = [
        "",
        "validate",
        "run",
        "logs",
        "plan",
        "render",
        "status",
        "destroy",
        "preview",
        "test",
        "init",
        "schema",
        "explain",
        "completions",
    ];
    let help = |command: &str| {
        let words: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        format!("$ runner {}\n{}", words.join(" "), desk.runner(&words).exits(0).stdout)
    };
    insta::assert_snapshot!("help", commands.map(help).join("\n"));
}

#[test]
fn the_preview_of_the_first_row_is_as_it_was_reviewed() {
    let desk = Desk::new();
    let found = desk.runner(&["preview", &example("bronx-taxi.yaml"), "-n", "1"]).exits(0);
    insta::assert_snapshot!("preview", found.stdout);
    let found =
        desk.runner(&["preview", &example("bronx-taxi.yaml"), "-n", "1", "--output", "json"]).exits(0);
    let rows: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(
        rows[0]["nodes"],
        serde_json::json!([{ "labels": ["Location"], "properties": { "name": 159 } }])
    );
}

#[test]
fn cases_beside_the_file_are_run_and_their_failures_are_placed() {
    let desk = Desk::new();
    let case = |expected: u64| {
        format!(
            "spec:\n  tests:\n    - name: one trip\n      rows: [{{ PULocationID: 3, DOLocationID: 18, \
             trip_distance: 1.5, fare_amount: 8, tpep_pickup_datetime: 2022-03-01T00:13:08, \
             tpep_dropoff_datetime: 2022-03-01T00:20:00 }}]\n      nodes: {{ Location: {expected} }}\n"
        )
    };
    desk.write("good.tests.yaml", &case(2));
    let file = example("bronx-taxi.yaml");
    desk.runner(&["test", &file, "--tests", "good.tests.yaml"]).exits(0);
    desk.write("bad.tests.yaml", &case(3));
    let failed = desk.runner(&["test", &file, "--tests", "bad.tests.yaml"]).exits(1);
    assert!(failed.stdout.contains("0 passed, 1 failed"), "{}", failed.stdout);
    failed.says("bad.tests.yaml:5:26");
    desk.write("cut.tests.yaml", &case(2).replace("PULocationID: 3", "PULocationID: 3.5"));
    desk.runner(&["test", &file, "--tests", "cut.tests.yaml"])
        .exits(1)
        .says("row 0: `PULocationID` is BIGINT, and cannot be `3.5`")
        .says("cut.tests.yaml:4:30");
}
