//! The words for what is wrong with a source.

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::source::{Key, SourceError, SourceWarning, SqlFault};

/// How many names are listed where none is near.
const MOST_NAMES: usize = 12;

/// The finding of a source's error, at its place in the file.
#[must_use]
pub fn finding(error: &SourceError) -> Diagnostic {
    let finding = Diagnostic::new(code(error), error.to_string());
    let finding = match (error.key(), error.range()) {
        (Some(key), Some(range)) => finding.within(path(key), range),
        (Some(key), None) => finding.at(path(key)),
        (None, _) => finding.at_key(place_without_key(error)),
    };
    advice(error, finding)
}

/// The findings of warnings. A filter that is constant because a subquery is empty is told by the subquery.
pub(super) fn warnings(warnings: &[SourceWarning]) -> Vec<Diagnostic> {
    let is_empty = |warning: &SourceWarning| matches!(warning, SourceWarning::EmptyLookup { .. });
    let has_empty = warnings.iter().any(is_empty);
    let follows =
        |warning: &&SourceWarning| has_empty && matches!(warning, SourceWarning::ConstantFilter { .. });
    warnings.iter().filter(|warning| !follows(warning)).map(self::warning).collect()
}

/// The finding of a warning.
fn warning(warning: &SourceWarning) -> Diagnostic {
    match warning {
        SourceWarning::ConstantFilter { .. } => Diagnostic::new(Code::ConstantFilter, warning.to_string())
            .at(path(&Key::Filter))
            .help("compare a column with something"),
        SourceWarning::EmptyLookup { key, range } => Diagnostic::new(Code::EmptyLookup, warning.to_string())
            .within(path(key), range.clone())
            .help("texts are compared letter by letter, capitals and blanks included"),
        SourceWarning::ImplicitCast { key, range, .. } => {
            Diagnostic::new(Code::ImplicitCast, warning.to_string())
                .within(path(key), range.clone())
                .help("write the literal in the column's own type, or say `CAST(… AS …)`")
        }
    }
}

fn code(error: &SourceError) -> Code {
    match error {
        SourceError::NoFile { .. } => Code::NoSuchFile,
        SourceError::Address { .. } => Code::InvalidValue,
        SourceError::Unreadable { .. } | SourceError::Malformed { .. } => Code::UnreadableData,
        SourceError::TableTooLarge { .. } => Code::TableTooLarge,
        SourceError::Secret { .. } => Code::MissingSecret,
        SourceError::ColumnConflict { .. } => Code::ColumnConflict,
        SourceError::Sql { fault, .. } => match fault {
            SqlFault::Syntax(_) => Code::SqlSyntax,
            SqlFault::UnknownColumn { .. } => Code::UnknownColumn,
            SqlFault::UnknownFunction { .. } => Code::UnknownFunction,
            SqlFault::UnknownTable { .. } => Code::UnknownTable,
            SqlFault::Type(_) => Code::SqlType,
            SqlFault::Correlated { .. }
            | SqlFault::TooManyValues { .. }
            | SqlFault::NotAllowed { .. }
            | SqlFault::Unnamed => Code::SqlNotAllowed,
        },
        SourceError::Planner { .. } => Code::SqlNotAllowed,
        SourceError::DuplicateOutput { .. } => Code::DuplicateName,
        SourceError::Unencodable { .. } => Code::UnencodableColumn,
        SourceError::NoKeyColumn { .. } => Code::UnknownColumn,
        SourceError::Changed { .. } | SourceError::NoSuchRow { .. } => Code::SourceChanged,
        SourceError::Row { .. } => Code::RowFailed,
        SourceError::TestRow { .. } => Code::TestFailed,
    }
}

/// The path of a key of `source:`.
fn path(key: &Key) -> Path {
    let source = Path::of("spec.source");
    match key {
        Key::Parquet(index) => source.key("parquet").index(*index),
        Key::Table(name) => source.key("tables").key(name),
        Key::Filter => source.key("filter"),
        Key::Select(index) => source.key("select").index(*index),
        Key::ObjectStore => source.key("objectStore"),
    }
}

/// The nearest key of an error that names none.
fn place_without_key(error: &SourceError) -> Path {
    match error {
        SourceError::NoKeyColumn { .. } => Path::of("spec.topic.key"),
        SourceError::Unencodable { .. } => Path::of("spec.source.select"),
        _ => Path::of("spec.source"),
    }
}

/// What to do.
fn advice(error: &SourceError, finding: Diagnostic) -> Diagnostic {
    let finding = match error {
        SourceError::NoFile { near, .. } if !near.is_empty() => {
            return finding.help(format!("there are: {}", listed(near)));
        }
        SourceError::Sql { fault: SqlFault::UnknownColumn { name, quoted: true, .. }, .. } => {
            finding.help(format!("double quotes are for names; a text is written '{name}'"))
        }
        SourceError::Sql { fault: SqlFault::TooManyValues { .. }, .. } => {
            finding.help("narrow the subquery, or keep the wanted values in the data itself")
        }
        SourceError::Unencodable { column, .. } => {
            finding.help(format!("leave `{column}` out of `select`, or cast it"))
        }
        SourceError::Changed { .. } => finding.help("let the file be written to its end, then run again"),
        SourceError::Row { .. } => finding.help("`TRY_CAST` gives null where a cast fails"),
        _ => finding,
    };
    match (error, error.known()) {
        (SourceError::Sql { fault, .. }, known) if !known.is_empty() => named(fault, known, finding),
        _ => finding,
    }
}

/// The names that could have been meant: the near ones, else all where they are few.
fn named(fault: &SqlFault, known: &[String], finding: Diagnostic) -> Diagnostic {
    let (SqlFault::UnknownColumn { name, .. }
    | SqlFault::UnknownFunction { name, .. }
    | SqlFault::UnknownTable { name, .. }) = fault
    else {
        return finding;
    };
    match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(suggestion) => finding.help(suggestion),
        None if matches!(fault, SqlFault::UnknownFunction { .. }) => finding,
        None => finding.help(format!("there are: {}", listed(known))),
    }
}

/// Names in a line, at most a dozen.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(MOST_NAMES) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}
