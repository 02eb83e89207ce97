//! Rules for Cypher: the mapping's statement, and the queries of analyses and tests.

mod words;

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::graph::cypher::{self, ClauseKind, Made, SyntaxError};
use crate::graph::mapping::{self, Column};
use crate::spec::{Indexes, Spec};

use super::words::list;

/// The mapping's own statement.
pub(super) fn mapping(spec: &Spec, text: &str, columns: Option<&[Column]>, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.mapping.cypher");
    let constrained = spec.mapping.indexes == Indexes::Auto;
    let findings = mapping::findings(text, columns, constrained);
    let is_readable = !findings.iter().any(|finding| words::is_error(&finding.kind));
    found.extend(findings.iter().map(|finding| words::finding(spec, finding, columns, &at)));
    if is_readable {
        found.extend(cypher::engine_syntax(text, true).map(|error| engine(spec, error, &at)));
    }
}

/// A query: it reads, and should find something.
pub(super) fn query(spec: &Spec, text: &str, made: Option<&Made>, at: &Path, found: &mut Vec<Diagnostic>) {
    let statement = cypher::read(text);
    if text.trim().is_empty() {
        found.push(Diagnostic::new(Code::InvalidValue, "the query is empty").at(at.clone()));
        return;
    }
    for fault in &statement.faults {
        found.push(words::fault(&fault.kind, Code::CypherSyntax, at).within(at.clone(), fault.range.clone()));
    }
    if let Some(clause) = statement.first_write() {
        found.push(
            Diagnostic::new(Code::CypherNotAllowed, "a query may not change the graph")
                .within(at.clone(), clause.keyword.clone())
                .help("`mapping` writes; `gds` with `mode: write` keeps a result on the nodes"),
        );
    }
    for (name, range) in &statement.parameters {
        found.push(words::parameter(name).within(at.clone(), range.clone()));
    }
    if !statement.faults.is_empty() {
        return;
    }
    if let Some(made) = made {
        unmatched(&statement, made, at, found);
        never_set(&statement, made, at, found);
    }
    found.extend(cypher::engine_syntax(text, false).map(|error| engine(spec, error, at)));
}

/// Labels and types of patterns that the mapping makes nothing with.
fn unmatched(statement: &cypher::Statement, made: &Made, at: &Path, found: &mut Vec<Diagnostic>) {
    let paths = || {
        statement.all_clauses().filter(|clause| clause.kind == ClauseKind::Match).flat_map(|c| &c.patterns)
    };
    let labels = paths().flat_map(|path| &path.nodes).flat_map(|node| &node.labels);
    let types = paths().flat_map(|path| &path.relationships).flat_map(|relationship| &relationship.types);
    let labels =
        labels.filter(|label| made.lacks_label(&label.name)).map(|label| (label, "label", &made.nodes));
    let types =
        types.filter(|kind| made.lacks_type(&kind.name)).map(|kind| (kind, "type", &made.relationships));
    for (label, noun, known) in labels.chain(types) {
        let names = || known.keys().map(String::as_str);
        let help = did_you_mean(&label.name, names());
        found.push(
            Diagnostic::new(
                Code::UnmatchedPattern,
                format!("the mapping makes nothing with the {noun} `{}`, so this finds nothing", label.name),
            )
            .within(at.clone(), label.range.clone())
            .help(help.unwrap_or_else(|| format!("{noun}s: {}", list(names())))),
        );
    }
}

/// Properties that the mapping never sets on what the query reads them of.
fn never_set(statement: &cypher::Statement, made: &Made, at: &Path, found: &mut Vec<Diagnostic>) {
    for used in statement.properties.iter().filter(|used| made.lacks_property(used)) {
        let elements = if used.of_node { &made.nodes } else { &made.relationships };
        let known: BTreeSet<&str> = used
            .labels
            .iter()
            .filter_map(|label| elements.get(label))
            .flat_map(|element| element.known.keys().map(String::as_str))
            .collect();
        let labels = super::words::either(used.labels.iter().map(String::as_str));
        let help = did_you_mean(&used.name, known.iter().copied());
        found.push(
            Diagnostic::new(
                Code::UnmatchedPattern,
                format!("the mapping never sets `{}` on {labels}, so it is null here", used.name),
            )
            .within(at.clone(), used.range.clone())
            .help(help.unwrap_or_else(|| format!("properties: {}", list(known.iter().copied())))),
        );
    }
}

/// What the embedded engine cannot read. It is a fault where the file asks for that engine; a server may read more, but the
/// same file should run with `--target embedded`, and mostly it is a slip of the pen.
fn engine(spec: &Spec, error: SyntaxError, at: &Path) -> Diagnostic {
    let infrastructure = &spec.infrastructure;
    let is_embedded = infrastructure.external.is_none() && infrastructure.kubernetes.is_none();
    let code = if is_embedded { Code::CypherSyntax } else { Code::EmbeddedCypher };
    let finding = Diagnostic::new(code, format!("the embedded engine cannot read this: {}", error.message))
        .within(at.clone(), error.range);
    if is_embedded {
        finding
    } else {
        finding.help("where only a server needs to: `allow: [embedded-cypher]`")
    }
}
