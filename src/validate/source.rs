//! Rules for `source:` that need no file.

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::spec::Spec;

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.source");
    let Some(source) = &spec.source else {
        missing(spec, found);
        return;
    };
    if source.parquet.as_slice().is_empty() {
        found.push(
            Diagnostic::new(Code::InvalidValue, "the list of parquet files is empty").at(at.key("parquet")),
        );
    }
    if source.filter.as_deref().is_some_and(|filter| filter.trim().is_empty()) {
        found.push(
            Diagnostic::new(Code::InvalidValue, "the filter is empty")
                .at(at.key("filter"))
                .help("remove the key to keep every row"),
        );
    }
    repeated_columns(&source.select, &at.key("select"), found);
    unused_tables(spec, &at.key("tables"), found);
}

/// Only a Kafka topic that is filled already can do without a source.
fn missing(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let infrastructure = &spec.infrastructure;
    if infrastructure.external.is_none() && infrastructure.kubernetes.is_none() {
        found.push(
            Diagnostic::new(
                Code::MissingKey,
                "`spec` lacks the key `source`: without a server there is no topic to read from",
            )
            .at(Path::of("spec.source"))
            .help("`source: { parquet: data/rows.parquet }`"),
        );
    }
}

fn repeated_columns(select: &[String], at: &Path, found: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    for (index, column) in select.iter().enumerate() {
        if let Some(name) = column_name(column)
            && !seen.insert(name.clone())
        {
            found.push(
                Diagnostic::new(Code::DuplicateName, format!("the column `{name}` is selected twice"))
                    .at(at.index(index))
                    .help(format!("remove it, or name it otherwise: `{name} AS other`")),
            );
        }
    }
}

fn unused_tables(spec: &Spec, at: &Path, found: &mut Vec<Diagnostic>) {
    let Some(source) = &spec.source else { return };
    let texts = || source.filter.iter().chain(&source.select);
    for table in source.tables.keys() {
        let in_map = spec.report.map.as_ref().is_some_and(|map| map.table.as_ref() == Some(table));
        if !in_map && !texts().any(|text| mentions(text, table)) {
            found.push(
                Diagnostic::new(Code::UnusedTable, format!("nothing uses the table `{table}`"))
                    .at_key(at.key(table))
                    .help("name it in `filter` or `report.map`, or remove it"),
            );
        }
    }
}

/// Whether a text has a word, whatever the case of its letters.
fn mentions(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    text.match_indices(&word).any(|(start, _)| {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(start + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The name that a selected column has: its alias, or itself where it is a plain name.
pub(super) fn column_name(column: &str) -> Option<String> {
    let words: Vec<&str> = column.split_whitespace().collect();
    let name = match words.as_slice() {
        [.., keyword, alias] if keyword.eq_ignore_ascii_case("as") => alias,
        [name] => name,
        _ => return None,
    };
    let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let is_name = bare.chars().all(|character| character.is_alphanumeric() || character == '_');
    (is_name && !bare.starts_with(|first: char| first.is_ascii_digit())).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_selected_column_is_its_alias_or_itself() {
        let names = ["a", "a * 1.609 AS km", "\"A\"", "a as b", "a + b", "count(*)", "1"].map(column_name);
        let expected = [Some("a"), Some("km"), Some("A"), Some("b"), None, None, None];
        assert_eq!(names, expected.map(|name| name.map(str::to_owned)));
    }

    #[test]
    fn a_table_is_mentioned_as_a_whole_word() {
        assert!(mentions("x IN (SELECT id FROM Zones)", "zones"));
        assert!(!mentions("x IN (SELECT id FROM zones2)", "zones"));
    }
}
