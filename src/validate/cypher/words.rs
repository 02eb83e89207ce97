//! Words for what is wrong or doubtful about Cypher.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, Severity, did_you_mean};
use crate::graph::cypher::FaultKind;
use crate::graph::mapping::{Column, Finding, FindingKind};
use crate::spec::Spec;

use super::super::columns::{advice, chosen};
use super::super::words::{column_kind, column_type};

/// Whether a finding stands in the way of a run.
pub(super) fn is_error(kind: &FindingKind) -> bool {
    code(kind).severity() == Severity::Error
}

const fn code(kind: &FindingKind) -> Code {
    match kind {
        FindingKind::Malformed(_) => Code::CypherSyntax,
        FindingKind::Clause(_) => Code::CypherNotAllowed,
        FindingKind::UnknownColumn(_) => Code::UnknownColumn,
        FindingKind::EventLost { .. }
        | FindingKind::EventAsPattern
        | FindingKind::Unbound { .. }
        | FindingKind::Parameter(_) => Code::UnknownVariable,
        FindingKind::WritesNothing => Code::WritesNothing,
        FindingKind::MergeWithoutKey { .. } => Code::MergeWithoutKey,
        FindingKind::MergeWithoutConstraint { .. } => Code::MergeWithoutConstraint,
        FindingKind::CollapsingRelationship { .. } => Code::CollapsingRelationship,
        FindingKind::MergedPath { .. } => Code::MergedPath,
        FindingKind::CartesianProduct => Code::CartesianProduct,
        FindingKind::EmptyNode { .. } => Code::EmptyNode,
        FindingKind::WrongColumnType { .. } => Code::ColumnType,
    }
}

/// The finding at its place in the mapping's text.
pub(super) fn finding(spec: &Spec, finding: &Finding, columns: Option<&[Column]>, at: &Path) -> Diagnostic {
    let diagnostic = match &finding.kind {
        FindingKind::Malformed(kind) => fault(kind, Code::CypherSyntax, at),
        FindingKind::Parameter(name) => parameter(name),
        FindingKind::UnknownColumn(name) => unknown_column(spec, name, columns),
        FindingKind::EventLost { with } => new(&finding.kind, "`event` is out of sight here")
            .related(within(at, with), "this `WITH` does not carry it on")
            .help("write `WITH event, …`"),
        FindingKind::EmptyNode { name, bound } => {
            let message = format!(
                "nothing binds `{name}` before: each row makes a new node without label and properties"
            );
            let meant = did_you_mean(name, bound.iter().map(String::as_str));
            let help = meant.unwrap_or_else(|| {
                format!("merge the node first: `MERGE ({name}:Label {{key: event.column}})`")
            });
            new(&finding.kind, message).help(help)
        }
        FindingKind::Unbound { name, bound } => {
            unbound(&finding.kind, name, bound.iter().map(String::as_str))
        }
        other => new(other, message(other)).help(help(other)),
    };
    let diagnostic = match &finding.kind {
        FindingKind::MergedPath { nodes } => nodes.iter().fold(diagnostic, |diagnostic, node| {
            diagnostic.related(within(at, node), "merge this by itself first")
        }),
        _ => diagnostic,
    };
    diagnostic.within(at.clone(), finding.range.clone())
}

fn new(kind: &FindingKind, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code(kind), message)
}

fn within(at: &Path, range: &Range<usize>) -> Location {
    Location::At(at.clone(), Part::Within(range.clone()))
}

fn unknown_column(spec: &Spec, name: &str, columns: Option<&[Column]>) -> Diagnostic {
    let names: Vec<&str> = columns.into_iter().flatten().map(|column| column.name.as_str()).collect();
    let message = format!("an `event` has no column `{name}`: it would be null in every row");
    chosen(spec, Diagnostic::new(Code::UnknownColumn, message)).help(advice(name, &names))
}

fn unbound<'b>(kind: &FindingKind, name: &str, bound: impl Iterator<Item = &'b str>) -> Diagnostic {
    let finding = new(kind, format!("nothing binds the variable `{name}`"));
    match did_you_mean(name, bound.chain(["event"])) {
        Some(meant) => finding.help(meant),
        None => finding.help("the row is `event`, and its columns are `event.column`"),
    }
}

/// A variable of a query that nothing binds.
pub(super) fn unbound_in_query<'b>(name: &str, bound: impl Iterator<Item = &'b str>) -> Diagnostic {
    let finding = Diagnostic::new(Code::UnknownVariable, format!("nothing binds the variable `{name}`"));
    match did_you_mean(name, bound) {
        Some(meant) => finding.help(meant),
        None => finding.help(format!("a pattern does, such as `MATCH ({name}:Label)`")),
    }
}

/// A parameter where there are none.
pub(super) fn parameter(name: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownVariable, format!("there is no parameter `${name}`"))
        .help(format!("a column of the row is `event.{name}`; an environment variable is `${{NAME}}`"))
}

fn message(kind: &FindingKind) -> String {
    match kind {
        FindingKind::Clause(clause) => format!("a mapping cannot have {clause}"),
        FindingKind::EventAsPattern => "`event` is the row, and no node or relationship".to_owned(),
        FindingKind::WritesNothing => "the statement changes nothing in the graph".to_owned(),
        FindingKind::MergeWithoutKey { label: Some(label) } => {
            format!("`{label}` is merged without a key: each row meets every `{label}` that is there")
        }
        FindingKind::MergeWithoutKey { label: None } => {
            "a node is merged without label and key: each row meets every node that is there".to_owned()
        }
        FindingKind::MergeWithoutConstraint { label, keys } => format!(
            "`{label}` is merged by `{}`, and with `indexes: none` no constraint is made for it",
            keys.join("`, `")
        ),
        FindingKind::CollapsingRelationship { kind } => {
            format!(
                "`{kind}` is merged without properties: rows with the same two nodes would share one relationship"
            )
        }
        FindingKind::MergedPath { .. } => {
            "a path is merged whose ends may be new: where any part is missing, all of it is made again"
                .to_owned()
        }
        FindingKind::CartesianProduct => {
            "nothing connects these patterns: every pair of nodes is tried".to_owned()
        }
        FindingKind::WrongColumnType { column, function, kind } => {
            format!("`{function}` cannot read `{column}`, which is {}", column_kind(*kind))
        }
        _ => String::new(),
    }
}

fn help(kind: &FindingKind) -> &'static str {
    match kind {
        FindingKind::Clause(_) => {
            "runner puts the statement between a head and a tail of its own, in a transaction of its own"
        }
        FindingKind::EventAsPattern => "give the node another name: `MERGE (n:Label {key: event.column})`",
        FindingKind::WritesNothing => "use `MERGE`, `CREATE` or `SET`",
        FindingKind::MergeWithoutKey { .. } => {
            "write `MERGE (n:Label {key: event.column})`, or `CREATE` for a node a row"
        }
        FindingKind::MergeWithoutConstraint { .. } => {
            "use `indexes: auto`, or make the constraint yourself: without one each MERGE looks through all nodes"
        }
        FindingKind::CollapsingRelationship { .. } => {
            "use `CREATE`, or put into its properties what tells the rows apart; where one a pair is meant: `allow: [collapsing-relationship]`"
        }
        FindingKind::MergedPath { .. } => {
            "merge each node by itself, then the relationship between their variables"
        }
        FindingKind::CartesianProduct => "give each node a property to find it by, or connect the patterns",
        FindingKind::WrongColumnType { function, .. } => column_type(function.starts_with("to")),
        _ => "",
    }
}

/// What is wrong with a text in any dialect.
pub(super) fn fault(kind: &FaultKind, code: Code, at: &Path) -> Diagnostic {
    let new = |message: String| Diagnostic::new(code, message);
    match kind {
        FaultKind::Unclosed(mark) => new(format!("this {mark} is never closed")),
        FaultKind::UnclosedBracket(bracket) => new(format!("`{bracket}` is never closed")),
        FaultKind::StrayBracket(bracket) => new(format!("`{bracket}` closes nothing")),
        FaultKind::CrossedBracket { wanted, opened } => {
            new(format!("expected `{wanted}` here")).related(within(at, opened), "opened here")
        }
        FaultKind::UnknownClause(word) => {
            let finding = new(format!("no clause begins with `{word}`"));
            match did_you_mean(word, CLAUSES) {
                Some(meant) => finding.help(meant),
                None => finding,
            }
        }
        FaultKind::SecondStatement => new("a second statement begins here".to_owned())
            .help("one statement is run for each row: join them by `WITH`"),
        FaultKind::MissingValue => new("a value is missing".to_owned()),
    }
}

const CLAUSES: [&str; 12] = [
    "MERGE",
    "MATCH",
    "CREATE",
    "SET",
    "WITH",
    "UNWIND",
    "OPTIONAL MATCH",
    "FOREACH",
    "DELETE",
    "REMOVE",
    "CALL",
    "RETURN",
];
