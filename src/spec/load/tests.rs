#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::{Part, Severity};

fn load(text: &str) -> Document {
    parse("test.yaml", text.as_bytes(), &|_| None)
}

fn load_with(text: &str, variables: &[(&str, &str)]) -> Document {
    parse("test.yaml", text.as_bytes(), &|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn path(text: &str) -> Path {
    text.split('.').fold(Path::root(), |path, step| match step.parse() {
        Ok(index) => path.index(index),
        Err(_) => path.key(step),
    })
}

/// What a location marks.
fn marked<'a>(document: &'a Document, at: &str, part: Part) -> &'a str {
    let range = document.locate(&Location::At(path(at), part)).unwrap();
    document.file.text.get(range).unwrap()
}

/// The findings as `code line:column message`.
fn told(document: &Document) -> Vec<String> {
    let findings = document.findings.iter().map(|finding| {
        let place = document.locate(&finding.location).map_or_else(
            || "-".to_owned(),
            |range| {
                let position =
                    crate::diagnostic::render::Lines::of(&document.file.text).position(range.start);
                format!("{}:{}", position.line, position.column)
            },
        );
        format!("{} {place} {}", finding.code, finding.message)
    });
    findings.collect()
}

#[test]
fn every_value_has_the_place_of_its_key_and_its_text() {
    let document = load("a: 1\nb:\n  - x\n  - {c: 'it''s', d: [true, ~]}\n");
    assert_eq!(document.value, Some(json!({"a": 1, "b": ["x", {"c": "it's", "d": [true, null]}]})));
    assert_eq!(marked(&document, "a", Part::Key), "a");
    assert_eq!(marked(&document, "a", Part::Value), "1");
    assert_eq!(marked(&document, "b", Part::Value), "b");
    assert_eq!(marked(&document, "b.0", Part::Value), "x");
    assert_eq!(marked(&document, "b.1", Part::Value), "{c: 'it''s', d: [true, ~]}");
    assert_eq!(marked(&document, "b.1.c", Part::Value), "'it''s'");
    assert_eq!(marked(&document, "b.1.d.0", Part::Value), "true");
}

#[test]
fn what_is_missing_is_placed_on_the_mapping_that_lacks_it() {
    let document = load("spec:\n  topic:\n    partitions: 3\n");
    assert_eq!(marked(&document, "spec.topic.name", Part::Value), "topic");
    assert_eq!(marked(&document, "spec.source.filter", Part::Value), "spec");
}

#[test]
fn places_inside_of_texts_land_on_their_characters_in_every_style() {
    let texts = [
        "k: one two MARK",
        "k: one\n  two\n\n  three MARK",
        "k: 'it''s a\n   MARK'",
        "k: \"\\u00e9\\t\\\n   one MARK\"",
        "k: |\n  one\n\n    two\n  MARK",
        "k: |2-\n    one\n  MARK",
        "k: |\n\n\n  one\n  MARK",
        "k: >\n  one\n  two\n\n\n  three\n    more\n  MARK\n",
        "é: |\n  ünë\n  MARK",
        "k: |\r\n  one\r\n  MARK\r\n",
        "k: [a, 'b', {c: \"d\\\n     MARK\"}]",
        "k: &x one MARK",
        "k: &x |\n  one\n  MARK\n",
        "k: &x 'one MARK'",
        "k:\n  &x\n  one MARK",
    ];
    for text in texts {
        let document = load(text);
        assert_eq!(document.findings, [], "{text}");
        let mut found = false;
        visit(document.value.as_ref().unwrap(), &Path::root(), &mut |at, value| {
            if let Some(start) = value.find("MARK") {
                let location = Location::At(at.clone(), Part::Within(start..start + 4));
                let range = document.locate(&location).unwrap();
                assert_eq!(document.file.text.get(range), Some("MARK"), "{text}");
                found = true;
            }
        });
        assert!(found, "{text}");
    }
}

fn visit(value: &Value, path: &Path, text: &mut dyn FnMut(&Path, &str)) {
    match value {
        Value::String(value) => text(path, value),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| visit(item, &path.index(index), text));
        }
        Value::Object(keys) => keys.iter().for_each(|(key, item)| visit(item, &path.key(key), text)),
        _ => {}
    }
}

#[test]
fn aliases_and_merge_keys_unfold_and_keep_their_places() {
    let document = load(
        "base: &base {a: 1, b: 2}\nuse: *base\nmerged: {<<: *base, b: 3}\nmany: {<<: [{b: 4}, *base]}\n",
    );
    let value = document.value.clone().unwrap();
    assert_eq!(value["use"], json!({"a": 1, "b": 2}));
    assert_eq!(value["merged"], json!({"b": 3, "a": 1}));
    assert_eq!(value["many"], json!({"b": 4, "a": 1}));
    let place = document.locate(&Location::At(path("merged.a"), Part::Value)).unwrap();
    assert_eq!(place, document.locate(&Location::At(path("base.a"), Part::Value)).unwrap());
    assert_eq!(told(&load("a: {<<: 3}")), ["unsupported-yaml 1:5 `<<` merges mappings, and this is none"]);
}

#[test]
fn a_key_that_stands_twice_names_both_places() {
    let document = load("a: 1\nb: 2\na: 3\n");
    assert_eq!(told(&document), ["duplicate-key 3:1 the key `a` stands twice in this mapping"]);
    let finding = document.findings.first().unwrap();
    assert_eq!(finding.related, [(Location::Span(path("a"), 0..1), "first here".to_owned())]);
    assert_eq!(document.value, Some(json!({"a": 1, "b": 2})));
}

#[test]
fn forms_that_pipeline_files_do_not_use_are_refused() {
    let cases = [
        ("a: 1\n---\nb: 2\n", "unsupported-yaml 2:1 a second document begins here"),
        ("1: a\n", "unsupported-yaml 1:1 the key `1` is not a text"),
        ("? [a]\n: b\n", "unsupported-yaml 1:3 a mapping or a list cannot be a key"),
        ("a: !!int 3\n", "unsupported-yaml 1:4 the tag `!!int` is not used in pipeline files"),
        ("a: &a [*a]\n", "unsupported-yaml 1:8 the alias stands inside the value that it names"),
        ("a: .inf\n", "unsupported-yaml 1:4 `.inf` is not a number that can be used here"),
        ("", "not-a-pipeline 1:1 the file is empty"),
        ("# only a comment\n", "not-a-pipeline 1:1 the file is empty"),
        ("a: b: c\n", "invalid-yaml 1:5 a `: ` stands where no new key can begin"),
        ("a:\n\tb: 1\n", "invalid-yaml 2:2 a tab stands where YAML wants spaces"),
        ("spec:\n  a: 1\n\tb: 2\n", "invalid-yaml 3:1 a tab stands where YAML wants spaces"),
        ("a: 'b\n", "invalid-yaml 1:4 the quote is never closed"),
        ("a: *b\n", "invalid-yaml 1:4 the alias names an anchor that is not there"),
        ("a: b\0c\n", "invalid-yaml 1:5 the control character U+0000 is not allowed in YAML"),
        ("a: [1, 2\nb: 3\n", "invalid-yaml 2:2 a `: ` stands where no new key can begin"),
    ];
    let found: Vec<_> = cases.iter().map(|(text, _)| told(&load(text)).join("; ")).collect();
    let expected: Vec<_> = cases.iter().map(|(_, finding)| (*finding).to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let document = parse("x", b"a: b\nc: \xE9\n", &|_| None);
    assert_eq!(
        told(&document),
        ["unreadable-file 2:4 the file is not UTF-8: the byte 0xE9 stands where no character can begin"]
    );
    let document = parse("x", b"\xFF\xFEa\0", &|_| None);
    assert_eq!(told(&document), ["unreadable-file - the file is UTF-16, not UTF-8"]);
    let document = parse("x", &vec![b' '; MAX_BYTES + 1], &|_| None);
    assert_eq!(told(&document), ["unreadable-file - the file is larger than 4 MiB"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let document = load("\u{FEFF}a: 1\r\nb: |\r\n  x\r\n  y\r\n");
    assert_eq!(document.findings, []);
    assert_eq!(document.value, Some(json!({"a": 1, "b": "x\ny\n"})));
    assert_eq!(marked(&document, "a", Part::Key), "a");
}

#[test]
fn tabs_may_stand_behind_a_colon() {
    let document = load("a:\tx\nb:\t\t- 1\nc: \"d:\te\"\nf:\t[1,\t2]\n");
    assert_eq!(told(&document), ["invalid-yaml 2:5 a list entry stands where none can begin"]);
    let document = load("a:\tx\nc: \"d:\te\"\nf:\t[1,\t2]\n");
    assert_eq!(document.findings, []);
    assert_eq!(document.value, Some(json!({"a": "x", "c": "d:\te", "f": [1, 2]})));
    assert_eq!(marked(&document, "a", Part::Value), "x");
}

#[test]
fn deep_nesting_and_alias_bombs_end_early() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(told(&load(&deep)), ["yaml-too-large 1:65 values nest deeper than 64 levels"]);
    assert_eq!(told(&load(&"[".repeat(5000))), ["yaml-too-large 1:256 values nest deeper than 64 levels"]);
    let just = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(load(&just).findings, []);

    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{uses}]").unwrap();
    }
    let told_of_bomb = told(&load(&bomb));
    assert!(told_of_bomb.join(";").contains("unfolds to more than 100000 values"), "{told_of_bomb:?}");

    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..20_000 {
        writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert_eq!(told(&load(&chain)).len(), 1);

    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..25 {
        writeln!(merges, "a{level}: &a{level} {{<<: [*a{0}, *a{0}]}}", level - 1).unwrap();
    }
    assert!(told(&load(&merges)).join(";").contains("100000 values"));
}

#[test]
fn variables_are_put_into_texts_and_nothing_else() {
    let document = load_with(
        "a: ${A}\nb: x${A:-d}y${B:-d}z$${A}\n# ${NOT_SET}\n${A}: 1\nc: \"${EMPTY:-full}\"\nd: ${B:-${A}}\n",
        &[("A", "one"), ("EMPTY", "")],
    );
    assert_eq!(document.findings, []);
    let expected = json!({"a": "one", "b": "xoneydz${A}", "${A}": 1, "c": "full", "d": "one"});
    assert_eq!(document.value, Some(expected));
    assert_eq!(document.places.variables(&path("a")), ["A"]);
    assert_eq!(document.places.variables(&path("b")), ["A"]);
}

#[test]
fn places_around_a_variable_stay_right() {
    let document = load_with("a: |\n  one ${A} MARK\n", &[("A", "much longer than its name")]);
    let text = document.value.as_ref().unwrap()["a"].as_str().unwrap().to_owned();
    let start = text.find("MARK").unwrap();
    assert_eq!(marked(&document, "a", Part::Within(start..start + 4)), "MARK");
    let inside = text.find("longer").unwrap();
    assert_eq!(marked(&document, "a", Part::Within(inside..inside + 6)), "${A}");
}

#[test]
fn all_missing_variables_are_told_with_every_name_that_was_tried() {
    let document = load("a: ${ONE}\nb: [\"x ${TWO:-${THREE}} y\"]\nc: ${\nd: ${1x}\n");
    assert_eq!(
        told(&document),
        [
            "missing-variable 1:4 the environment variable `ONE` is not set",
            "missing-variable 2:8 none of the environment variables `TWO`, `THREE` is set",
            "invalid-variable 3:4 `${` is never closed by a `}`",
            "invalid-variable 4:4 what stands in `${…}` is no name of an environment variable",
        ]
    );
}

#[test]
fn secrets_in_the_text_are_hidden() {
    let document =
        load("password: hunter2\nuri: bolt://me:hunter3@db\nport: 7687\npasswordFrom: {env: NAME}\n");
    let hidden: Vec<_> =
        document.hidden().iter().map(|range| document.file.text.get(range.clone()).unwrap()).collect();
    assert_eq!(hidden, ["hunter2", "hunter3"]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-c:{}\\[\\]&*!|>'\"%@#?,~<$\\\\ \t\n\r\u{e9}0-2]{0,80}") {
        let document = load(&text);
        for finding in &document.findings {
            prop_assert_eq!(finding.severity, Severity::Error);
            let range = document.locate(&finding.location).unwrap_or_default();
            prop_assert!(document.file.text.get(range).is_some());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse("x", &bytes, &|_| None);
    }

    #[test]
    fn each_character_of_a_text_has_its_own_place(value in "[a-cé'\"\\\\ \n]{0,30}", style in 0..3_usize) {
        let text = match style {
            0 => format!("k: {}\n", serde_json::to_string(&value).unwrap()),
            1 => format!("k: '{}'\n", value.replace('\'', "''").replace('\n', " ")),
            _ => format!("k: |2+\n  {}\n", value.replace('\n', "\n  ")),
        };
        let document = load(&text);
        prop_assert_eq!(&document.findings, &[]);
        let read = document.value.as_ref().unwrap()["k"].as_str().unwrap().to_owned();
        for (offset, character) in read.char_indices() {
            let location = Location::At(path("k"), Part::Within(offset..offset + character.len_utf8()));
            let range = document.locate(&location).unwrap();
            let source = document.file.text.get(range).unwrap();
            let stands_for_itself = source.starts_with(character) || source.starts_with('\\') || character == '\n';
            prop_assert!(stands_for_itself || source.starts_with("''"), "{:?} {:?} in {:?}", character, source, text);
        }
    }
}
