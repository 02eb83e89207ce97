//! What is wrong or doubtful about a mapping's Cypher, as data.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Column, ColumnKind, column, fits};
use crate::graph::cypher::{
    self, Clause, ClauseKind, Conversion, EVENT, Expression, FaultKind, NodePattern, PathPattern, SetItem,
    Shape, Statement,
};
use crate::spec::PropertyType;

/// A finding, and where it is in bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// Where.
    pub range: Range<usize>,
}

/// What is wrong or doubtful about a mapping's Cypher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// It is broken in any dialect.
    Malformed(FaultKind),
    /// It has a clause that a mapping cannot have; the keyword.
    Clause(&'static str),
    /// It uses a column that the rows do not have.
    UnknownColumn(String),
    /// It uses `event` behind a `WITH` that does not carry it on; where that is.
    EventLost {
        /// The `WITH`.
        with: Range<usize>,
    },
    /// It takes `event` for a node or a relationship.
    EventAsPattern,
    /// It uses a variable that nothing binds.
    Unbound {
        /// The variable.
        name: String,
        /// What is bound.
        bound: BTreeSet<String>,
    },
    /// It uses a parameter, and there are none.
    Parameter(String),
    /// It changes nothing in the graph.
    WritesNothing,
    /// It merges nodes of a label by no property, so that each row meets all of them.
    MergeWithoutKey {
        /// The label, where there is one.
        label: Option<String>,
    },
    /// It merges nodes by properties that no constraint keeps unique, since `indexes: none`.
    MergeWithoutConstraint {
        /// The label.
        label: String,
        /// The properties.
        keys: Vec<String>,
    },
    /// It merges a relationship by no property, so that rows which repeat a pair share one.
    CollapsingRelationship {
        /// The type.
        kind: String,
    },
    /// It merges a path whose ends are not bound, so that it is made anew where any part of it is missing.
    MergedPath {
        /// The nodes that should be merged by themselves.
        nodes: Vec<Range<usize>>,
    },
    /// It makes a relationship to a node that nothing binds and nothing is said of.
    EmptyNode {
        /// The variable.
        name: String,
        /// What is bound beside it.
        bound: BTreeSet<String>,
    },
    /// A `MATCH` has parts that nothing connects, without a property to find each by.
    CartesianProduct,
    /// A function cannot read what the column holds.
    WrongColumnType {
        /// The column.
        column: String,
        /// The function.
        function: &'static str,
        /// What the column holds.
        kind: ColumnKind,
    },
}

/// Everything that can be found in a mapping's Cypher. `columns` are those of an `event`, where they are known;
/// `constrained` says that runner makes the constraints.
#[must_use]
pub fn findings(text: &str, columns: Option<&[Column]>, constrained: bool) -> Vec<Finding> {
    let statement = cypher::read(text);
    let mut found: Vec<Finding> = statement
        .faults
        .iter()
        .map(|fault| finding(FindingKind::Malformed(fault.kind.clone()), fault.range.clone()))
        .collect();
    found.extend(
        refused(&statement).into_iter().map(|(clause, range)| finding(FindingKind::Clause(clause), range)),
    );
    names(&statement, columns, &mut found);
    // What was misread would be judged wrongly.
    if statement.faults.is_empty() {
        writes(&statement, text, &mut found);
        merges(&statement, constrained, &mut found);
        empty_nodes(&statement, &mut found);
        products(&statement, &mut found);
        conversions(&statement, text, columns, &mut found);
    }
    found.sort_by_key(|finding| finding.range.start);
    found
}

fn finding(kind: FindingKind, range: Range<usize>) -> Finding {
    Finding { kind, range }
}

/// Clauses that a mapping cannot have, with their places: runner puts the statement between a head and a tail of its own,
/// and runs it in a transaction of its own.
pub fn refused(statement: &Statement) -> Vec<(&'static str, Range<usize>)> {
    let outermost = statement.clauses.iter().filter_map(|clause| {
        let keyword = match clause.kind {
            ClauseKind::Return => "RETURN",
            ClauseKind::Union => "UNION",
            ClauseKind::Use => "USE",
            ClauseKind::Explain => "EXPLAIN or PROFILE",
            ClauseKind::Version => "CYPHER",
            _ => return None,
        };
        Some((keyword, clause.keyword.clone()))
    });
    let anywhere = statement.all_clauses().filter_map(|clause| {
        let keyword = match clause.kind {
            ClauseKind::InTransactions => "IN TRANSACTIONS",
            ClauseKind::LoadCsv => "LOAD CSV",
            ClauseKind::Schema => "CREATE CONSTRAINT, INDEX or the like",
            _ => return None,
        };
        Some((keyword, clause.keyword.clone()))
    });
    outermost.chain(anywhere).collect()
}

/// Names that mean nothing: columns, variables, parameters.
fn names(statement: &Statement, columns: Option<&[Column]>, found: &mut Vec<Finding>) {
    let event = &statement.event;
    for used in &event.columns {
        if columns.is_some() && column(columns, &used.column).is_none() {
            found.push(finding(FindingKind::UnknownColumn(used.column.clone()), used.name_range.clone()));
        }
    }
    for (range, with) in &event.lost {
        found.push(finding(FindingKind::EventLost { with: with.clone() }, range.clone()));
    }
    for range in &event.as_pattern {
        found.push(finding(FindingKind::EventAsPattern, range.clone()));
    }
    for unbound in statement.unbound.iter().filter(|unbound| unbound.name != EVENT) {
        let kind = FindingKind::Unbound { name: unbound.name.clone(), bound: statement.bound.clone() };
        found.push(finding(kind, unbound.range.clone()));
    }
    for (name, range) in &statement.parameters {
        found.push(finding(FindingKind::Parameter(name.clone()), range.clone()));
    }
}

fn writes(statement: &Statement, text: &str, found: &mut Vec<Finding>) {
    let may_write = |clause: &Clause| clause.kind.writes() || clause.kind == ClauseKind::Procedure;
    if !statement.all_clauses().any(may_write) {
        let plain = statement.plain_text(text);
        let start = plain.len() - plain.trim_start().len();
        found.push(finding(FindingKind::WritesNothing, start..plain.len()));
    }
}

fn merges(statement: &Statement, constrained: bool, found: &mut Vec<Finding>) {
    let mut met =
        Met { names: BTreeSet::new(), others: projects(statement), counted: accumulators(statement) };
    for clause in statement.all_clauses() {
        if clause.kind == ClauseKind::Merge {
            for path in &clause.patterns {
                merged(path, &met, constrained, found);
            }
        }
        let nodes = clause.patterns.iter().flat_map(|path| &path.nodes);
        met.names.extend(nodes.filter_map(|node| node.variable.as_deref()));
    }
}

/// What a clause has before it.
struct Met<'a> {
    /// The variables of patterns.
    names: BTreeSet<&'a str>,
    /// Whether variables may come from elsewhere.
    others: bool,
    /// Relationships with a property that is computed as they are met again.
    counted: BTreeSet<&'a str>,
}

impl Met<'_> {
    /// Whether a node pattern names a node that is there already.
    fn knows(&self, node: &NodePattern) -> bool {
        let named = |name: &str| self.names.contains(name) || (self.others && node.is_reference());
        node.variable.as_deref().is_some_and(named)
    }
}

fn merged(path: &PathPattern, met: &Met<'_>, constrained: bool, found: &mut Vec<Finding>) {
    let loose: Vec<&NodePattern> = path.nodes.iter().filter(|node| !met.knows(node)).collect();
    if !path.relationships.is_empty() && !loose.is_empty() && !path.partial {
        let nodes = loose.iter().map(|node| node.range.clone()).collect();
        found.push(finding(FindingKind::MergedPath { nodes }, path.range.clone()));
    } else {
        for node in loose {
            alone(node, constrained, found);
        }
    }
    for relationship in &path.relationships {
        let counted = relationship.variable.as_deref().is_some_and(|name| met.counted.contains(name));
        if let ([kind], true, false) =
            (relationship.types.as_slice(), relationship.properties.is_empty(), counted)
        {
            let kind = FindingKind::CollapsingRelationship { kind: kind.name.clone() };
            found.push(finding(kind, relationship.range.clone()));
        }
    }
}

/// Whether variables come from a `WITH … AS x`, a `YIELD` or the like: a bare `(x)` is then no pattern of its own.
fn projects(statement: &Statement) -> bool {
    statement.all_clauses().any(|clause| {
        matches!(
            clause.kind,
            ClauseKind::With | ClauseKind::Unwind | ClauseKind::Yield | ClauseKind::Subquery
        )
    })
}

/// The variables with a property that is computed, as in `SET r.trips = coalesce(r.trips, 0) + 1`: then one relationship for many rows
/// is what is meant.
fn accumulators(statement: &Statement) -> BTreeSet<&str> {
    let sets = statement.all_clauses().flat_map(|clause| &clause.sets);
    sets.filter_map(|item| match item {
        SetItem::Property { variable, value, .. } if value.shape == Shape::Other => Some(variable.as_str()),
        _ => None,
    })
    .collect()
}

/// A node that is merged by itself.
fn alone(node: &NodePattern, constrained: bool, found: &mut Vec<Finding>) {
    let label = node.labels.first().map(|label| label.name.clone());
    if node.dynamic {
        return;
    }
    if node.properties.is_empty() {
        found.push(finding(FindingKind::MergeWithoutKey { label }, node.range.clone()));
    } else if let (Some(label), false) = (label, constrained) {
        let keys = node.properties.entries().iter().map(|entry| entry.name.clone()).collect();
        found.push(finding(FindingKind::MergeWithoutConstraint { label, keys }, node.range.clone()));
    }
}

/// `CREATE (a)-[:R]->(x)` where `x` is met nowhere else.
fn empty_nodes(statement: &Statement, found: &mut Vec<Finding>) {
    let brings = |clause: &Clause| {
        matches!(clause.kind, ClauseKind::Foreach | ClauseKind::LoadCsv | ClauseKind::Other)
    };
    if projects(statement) || statement.all_clauses().any(brings) {
        return;
    }
    let sets = statement.all_clauses().flat_map(|clause| &clause.sets);
    let set: BTreeSet<&str> = sets.filter_map(set_variable).collect();
    let created = |clause: &Clause| clause.kind == ClauseKind::Create;
    let paths =
        || statement.all_clauses().flat_map(|clause| clause.patterns.iter().map(move |path| (clause, path)));
    let met: BTreeSet<&str> = paths()
        .flat_map(|(clause, path)| path.nodes.iter().map(move |node| (created(clause), node)))
        .filter(|(is_created, node)| !(*is_created && node.is_reference()))
        .filter_map(|(_, node)| node.variable.as_deref())
        .collect();
    for (_, path) in paths().filter(|(clause, path)| created(clause) && !path.relationships.is_empty()) {
        for node in path.nodes.iter().filter(|node| node.is_reference()) {
            let Some(name) =
                node.variable.as_deref().filter(|name| !met.contains(name) && !set.contains(name))
            else {
                continue;
            };
            let bound = met.iter().map(|name| (*name).to_owned()).collect();
            found.push(finding(FindingKind::EmptyNode { name: name.to_owned(), bound }, node.range.clone()));
        }
    }
}

/// The variable that an item of a `SET` says something of.
fn set_variable(item: &SetItem) -> Option<&str> {
    match item {
        SetItem::Property { variable, .. }
        | SetItem::Labels { variable, .. }
        | SetItem::Map { variable, .. } => Some(variable),
        SetItem::Unknown => None,
    }
}

/// `MATCH (a), (b)` without a property or condition anywhere.
fn products(statement: &Statement, found: &mut Vec<Finding>) {
    for (position, clause) in statement.clauses.iter().enumerate() {
        let conditioned =
            statement.clauses.get(position + 1).is_some_and(|next| next.kind == ClauseKind::Where);
        let paths = &clause.patterns;
        let matches = clause.kind == ClauseKind::Match && !conditioned && paths.len() > 1;
        if matches && paths.iter().all(is_free) && are_apart(paths) {
            found.push(finding(FindingKind::CartesianProduct, clause.range.clone()));
        }
    }
}

/// Whether nothing narrows a path down.
fn is_free(path: &PathPattern) -> bool {
    path.nodes.iter().all(|node| node.properties.is_empty() && !node.is_reference())
        && path.relationships.iter().all(|relationship| relationship.properties.is_empty())
}

/// Whether no two paths share a variable.
fn are_apart(paths: &[PathPattern]) -> bool {
    let mut seen = BTreeSet::new();
    paths.iter().all(|path| {
        let own: BTreeSet<&str> = path.nodes.iter().filter_map(|node| node.variable.as_deref()).collect();
        own.into_iter().all(|name| seen.insert(name))
    })
}

/// Functions on columns that hold something else than they read.
fn conversions(statement: &Statement, text: &str, columns: Option<&[Column]>, found: &mut Vec<Finding>) {
    for value in values(statement) {
        let Shape::Column { column: name, conversion: Some(conversion), nested: false } = &value.shape else {
            continue;
        };
        let Some(kind) = column(columns, name).map(|column| column.kind) else { continue };
        let (function, becomes) = match conversion {
            Conversion::Datetime => ("datetime", PropertyType::Datetime),
            Conversion::LocalDatetime => ("localdatetime", PropertyType::LocalDatetime),
            Conversion::Date => ("date", PropertyType::Date),
            Conversion::Integer => ("toInteger", PropertyType::Integer),
            Conversion::Float => ("toFloat", PropertyType::Float),
            Conversion::Boolean => ("toBoolean", PropertyType::Boolean),
            Conversion::Text => continue,
        };
        // Whoever writes `toIntegerOrNull` expects a null.
        let call = text.get(value.range.clone()).unwrap_or_default();
        let is_plain = call.get(..function.len()).is_some_and(|name| name.eq_ignore_ascii_case(function))
            && call.get(function.len()..).is_some_and(|rest| rest.trim_start().starts_with('('));
        if is_plain && !fits(kind, becomes) {
            let kind = FindingKind::WrongColumnType { column: name.clone(), function, kind };
            found.push(finding(kind, value.range.clone()));
        }
    }
}

fn values(statement: &Statement) -> impl Iterator<Item = &Expression> {
    statement.all_clauses().flat_map(|clause| {
        let nodes = clause.patterns.iter().flat_map(|path| &path.nodes).map(|node| &node.properties);
        let relationships =
            clause.patterns.iter().flat_map(|path| &path.relationships).map(|of| &of.properties);
        let given =
            nodes.chain(relationships).flat_map(cypher::Properties::entries).map(|entry| &entry.value);
        let set = clause.sets.iter().filter_map(|item| match item {
            SetItem::Property { value, .. } => Some(value),
            _ => None,
        });
        given.chain(set)
    })
}
