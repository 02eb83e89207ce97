use unicode_width::UnicodeWidthStr;

use super::super::fixtures;
use super::*;

fn at(columns: usize) -> Terminal {
    Terminal { columns, colour: false }
}

#[test]
fn the_main_example_on_80_columns() {
    insta::assert_snapshot!(render(&fixtures::bronx(), at(80)));
}

#[test]
fn a_failed_run_on_120_columns() {
    insta::assert_snapshot!(render(&fixtures::failed(), at(120)));
}

#[test]
fn a_run_in_which_nothing_happened() {
    insta::assert_snapshot!(render(&fixtures::empty(), at(80)));
}

#[test]
fn a_graph_that_could_not_be_asked_is_not_called_empty() {
    let report = Report { graph: None, ..fixtures::empty() };
    assert!(render(&report, at(80)).contains("\ngraph  not known\n"));
    for text in [super::super::markdown::render(&report), super::super::html::render(&report)] {
        assert!(text.contains("could not be asked what it holds"), "{text}");
        assert!(!text.contains("graph is empty"), "{text}");
    }
}

#[test]
fn hostile_names_on_80_columns() {
    insta::assert_snapshot!(render(&fixtures::hostile(), at(80)));
}

#[test]
fn tables_are_no_wider_than_the_terminal() {
    for report in [fixtures::bronx(), fixtures::failed(), fixtures::large(), fixtures::empty()] {
        for columns in [40, 60, 80, 200] {
            for line in render(&report, at(columns)).lines() {
                assert!(line.width() <= columns, "{columns} columns: {line}");
            }
        }
    }
}

#[test]
fn no_name_reaches_the_terminal_as_a_control_character() {
    let text = render(&fixtures::hostile(), at(80));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let report = fixtures::failed();
    let coloured = render(&report, Terminal { columns: 80, colour: true });
    assert!(coloured.contains("\u{1b}[31m"));
    let mut plain = String::new();
    let mut inside = false;
    for c in coloured.chars() {
        match c {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    assert_eq!(plain, render(&report, at(80)));
}
