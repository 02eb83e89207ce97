//! Rules for Cypher: the mapping's statement, and the queries of analyses and tests.

mod words;

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Path, Severity, did_you_mean};
use crate::graph::cypher::{self, ClauseKind, Made, SyntaxError};
use crate::graph::mapping::{self, Column};
use crate::spec::{Indexes, Spec};

use super::words::all;

/// The mapping's own statement.
pub(super) fn mapping(spec: &Spec, text: &str, columns: Option<&[Column]>, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.mapping.cypher");
    let constrained = spec.mapping.indexes == Indexes::Auto;
    let findings = mapping::findings(text, columns, constrained);
    let is_readable = !findings.iter().any(|finding| words::is_error(&finding.kind));
    found.extend(findings.iter().map(|finding| words::finding(spec, finding, columns, &at)));
    if !is_readable {
        return;
    }
    let statement = cypher::read(text);
    match cypher::engine_syntax(text, true) {
        Some(error) => found.push(engine(spec, error, &at)),
        None => found.extend(functions(spec, &statement, &at)),
    }
    for (label, range) in mapping::sets_id(&statement) {
        found.push(id(spec, label.as_deref()).within(at.clone(), range));
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
    // What the engine cannot read may be a form in which names are bound in ways that are not known here.
    if let Some(error) = cypher::engine_syntax(text, false) {
        found.push(engine(spec, error, at));
        return;
    }
    found.extend(functions(spec, &statement, at));
    found.extend(statement.unbound.iter().map(|unbound| {
        let bound = statement.bound.iter().map(String::as_str);
        words::unbound_in_query(&unbound.name, bound).within(at.clone(), unbound.range.clone())
    }));
}

/// Functions that neither Neo4j nor the embedded engine has.
fn functions(spec: &Spec, statement: &cypher::Statement, at: &Path) -> Vec<Diagnostic> {
    let unknown = statement.calls.iter().filter(|call| !cypher::is_function(&call.name));
    let finding = |call: &cypher::FunctionCall| {
        let message = format!("neither Neo4j 5 nor the embedded engine has a function `{}`", call.name);
        // A later Neo4j may have it: on a server it is only doubtful.
        let code = if is_embedded(spec) { Code::UnknownFunction } else { Code::EmbeddedCypher };
        let finding = Diagnostic::new(code, message).within(at.clone(), call.range.clone());
        match did_you_mean(&call.name, cypher::FUNCTIONS) {
            Some(meant) => finding.help(meant),
            None => finding.help("functions of others have a namespace, such as `apoc.text.join`"),
        }
    };
    unknown.map(finding).collect()
}

/// The embedded engine keeps `id` for itself: it can be given to a new node, and never changed.
pub(super) fn id(spec: &Spec, label: Option<&str>) -> Diagnostic {
    let node = label.map_or_else(|| "a node".to_owned(), |label| format!("a `{label}`"));
    let message = format!(
        "the embedded engine refuses to set `id` of {node} that may be there: no row could be written"
    );
    let mut finding = Diagnostic::new(Code::EmbeddedCypher, message)
        .help("merge the node by `id`, or give the property another name");
    if is_embedded(spec) {
        finding.severity = Severity::Error;
        return finding;
    }
    finding.help("where only a server needs to: `allow: [embedded-cypher]`")
}

const fn is_embedded(spec: &Spec) -> bool {
    spec.infrastructure.external.is_none() && spec.infrastructure.kubernetes.is_none()
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
            .help(help.unwrap_or_else(|| all(&format!("{noun}s"), names()))),
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
            .help(help.unwrap_or_else(|| all("properties", known.iter().copied()))),
        );
    }
}

/// What the embedded engine cannot read. It is a fault where the file asks for that engine; a server may read more, but the
/// same file should run with `--target embedded`, and mostly it is a slip of the pen.
fn engine(spec: &Spec, error: SyntaxError, at: &Path) -> Diagnostic {
    let is_embedded = is_embedded(spec);
    let code = if is_embedded { Code::CypherSyntax } else { Code::EmbeddedCypher };
    let finding = Diagnostic::new(code, format!("the embedded engine cannot read this: {}", error.message))
        .within(at.clone(), error.range);
    if is_embedded {
        finding
    } else {
        finding.help("where only a server needs to: `allow: [embedded-cypher]`")
    }
}
