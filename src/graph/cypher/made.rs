//! The labels, types and properties that a statement makes.

use std::collections::{BTreeMap, BTreeSet};

use super::clause::{Clause, ClauseKind};
use super::expression::{Conversion, Expression, Shape};
use super::pattern::{NodePattern, Properties};
use super::property::PropertyUse;
use super::set::SetItem;
use crate::spec::PropertyType;

/// What a statement makes, as far as its text tells. A name that is not here is certainly not made only where the
/// matching `open` is false.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Labels with their nodes' properties.
    pub nodes: BTreeMap<String, MadeProperties>,
    /// Types with their relationships' properties.
    pub relationships: BTreeMap<String, MadeProperties>,
    /// Whether there may be other labels.
    pub open_labels: bool,
    /// Whether there may be other types.
    pub open_types: bool,
}

/// The properties of a label or a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MadeProperties {
    /// The names, with their types where the text tells.
    pub known: BTreeMap<String, Option<PropertyType>>,
    /// Whether there may be others.
    pub open: bool,
}

impl MadeProperties {
    /// Whether a property is certainly not made.
    #[must_use]
    pub fn lacks(&self, property: &str) -> bool {
        !self.open && !self.known.contains_key(property)
    }

    fn add(&mut self, name: &str, kind: Option<PropertyType>) {
        self.known
            .entry(name.to_owned())
            .and_modify(|known| {
                if *known != kind {
                    *known = None;
                }
            })
            .or_insert(kind);
    }
}

impl Made {
    /// Whether no element that a property is read of has it, for certain. What the statement does not make at all is
    /// another matter, and no lack of a property.
    #[must_use]
    pub fn lacks_property(&self, used: &PropertyUse) -> bool {
        let elements = if used.of_node { &self.nodes } else { &self.relationships };
        let lacks = |label: &String| elements.get(label).is_some_and(|element| element.lacks(&used.name));
        !used.labels.is_empty() && used.labels.iter().all(lacks)
    }

    /// Whether no node with the label is made, for certain.
    #[must_use]
    pub fn lacks_label(&self, label: &str) -> bool {
        !self.open_labels && !self.nodes.contains_key(label)
    }

    /// Whether no relationship of the type is made, for certain.
    #[must_use]
    pub fn lacks_type(&self, kind: &str) -> bool {
        !self.open_types && !self.relationships.contains_key(kind)
    }
}

/// What the clauses make. `column_type` gives the type of a column's values, where it is known.
pub(super) fn made(clauses: &[Clause], column_type: &dyn Fn(&str) -> Option<PropertyType>) -> Made {
    let mut gathering =
        Gathering { variables: BTreeMap::new(), made: Made::default(), loose: false, column_type };
    gathering.clauses(clauses);
    gathering.finish()
}

/// What is known of a variable: a node or a relationship.
#[derive(Default)]
struct Variable {
    labels: BTreeSet<String>,
    types: BTreeSet<String>,
    properties: MadeProperties,
    /// Whether it was found rather than made, so that it may have properties from elsewhere.
    found: bool,
}

struct Gathering<'a> {
    variables: BTreeMap<String, Variable>,
    made: Made,
    /// Whether a property was set on something whose label is not known.
    loose: bool,
    column_type: &'a dyn Fn(&str) -> Option<PropertyType>,
}

impl Gathering<'_> {
    fn clauses(&mut self, clauses: &[Clause]) {
        for clause in clauses {
            match clause.kind {
                ClauseKind::Match => self.patterns(clause, true),
                ClauseKind::Merge | ClauseKind::Create => self.patterns(clause, false),
                ClauseKind::Set => clause.sets.iter().for_each(|item| self.set(item)),
                ClauseKind::Procedure => self.procedure(clause.procedure.as_deref().unwrap_or_default()),
                _ => {}
            }
            self.clauses(&clause.body);
        }
    }

    fn patterns(&mut self, clause: &Clause, found: bool) {
        let mut anonymous = Vec::new();
        for path in &clause.patterns {
            for node in &path.nodes {
                self.made.open_labels |= node.dynamic && !found;
                let mut variable = self.taken(node.variable.as_deref());
                variable.found |= found && !node.labels.is_empty();
                variable.labels.extend(node.labels.iter().map(|label| label.name.clone()));
                self.properties(&mut variable.properties, &node.properties);
                self.put(node.variable.as_deref(), variable, &mut anonymous);
            }
            for relationship in &path.relationships {
                self.made.open_types |= relationship.dynamic && !found;
                let mut variable = self.taken(relationship.variable.as_deref());
                variable.found |= found;
                variable.types.extend(relationship.types.iter().map(|kind| kind.name.clone()));
                self.properties(&mut variable.properties, &relationship.properties);
                self.put(relationship.variable.as_deref(), variable, &mut anonymous);
            }
        }
        for variable in &anonymous {
            settle(&mut self.made, variable);
        }
    }

    fn taken(&mut self, name: Option<&str>) -> Variable {
        name.and_then(|name| self.variables.remove(name)).unwrap_or_default()
    }

    fn put(&mut self, name: Option<&str>, variable: Variable, anonymous: &mut Vec<Variable>) {
        match name {
            Some(name) => {
                self.variables.insert(name.to_owned(), variable);
            }
            None => anonymous.push(variable),
        }
    }

    fn properties(&self, made: &mut MadeProperties, properties: &Properties) {
        made.open |= *properties == Properties::Unknown;
        for entry in properties.entries() {
            made.add(&entry.name, self.kind(&entry.value));
        }
    }

    fn set(&mut self, item: &SetItem) {
        match item {
            SetItem::Property { variable, name, value, .. } => {
                let kind = self.kind(value);
                match self.variables.get_mut(variable) {
                    Some(variable) => variable.properties.add(name, kind),
                    None => self.loose = true,
                }
            }
            SetItem::Labels { variable, labels, dynamic } => {
                self.made.open_labels |= *dynamic;
                let names: Vec<String> = labels.iter().map(|label| label.name.clone()).collect();
                match self.variables.get_mut(variable) {
                    Some(variable) => variable.labels.extend(names),
                    None => names
                        .into_iter()
                        .for_each(|name| self.made.nodes.entry(name).or_default().open = true),
                }
            }
            SetItem::Map { variable, entries } => {
                let mut added = MadeProperties { open: entries.is_none(), ..MadeProperties::default() };
                for entry in entries.iter().flatten() {
                    added.add(&entry.name, self.kind(&entry.value));
                }
                match self.variables.get_mut(variable) {
                    Some(variable) => merge(&mut variable.properties, &added),
                    None => self.loose = true,
                }
            }
            SetItem::Unknown => {
                self.loose = true;
                self.made.open_labels = true;
            }
        }
    }

    /// A procedure may make anything, but for those that are known to read.
    fn procedure(&mut self, name: &str) {
        let reads = ["db.", "dbms.", "gds."].iter().any(|prefix| name.starts_with(prefix))
            && !name.contains("create");
        if !reads {
            self.made.open_labels = true;
            self.made.open_types = true;
            self.loose = true;
        }
    }

    fn kind(&self, value: &Expression) -> Option<PropertyType> {
        match &value.shape {
            Shape::Column { conversion: Some(conversion), .. } | Shape::Converted(conversion) => {
                Some(type_of(*conversion))
            }
            Shape::Column { column, nested: false, .. } => (self.column_type)(column),
            Shape::Number { whole: true } => Some(PropertyType::Integer),
            Shape::Number { whole: false } => Some(PropertyType::Float),
            Shape::Text => Some(PropertyType::String),
            Shape::Boolean => Some(PropertyType::Boolean),
            _ => None,
        }
    }

    fn finish(mut self) -> Made {
        for variable in self.variables.values() {
            settle(&mut self.made, variable);
        }
        if self.loose {
            let all = self.made.nodes.values_mut().chain(self.made.relationships.values_mut());
            all.for_each(|properties| properties.open = true);
        }
        self.made
    }
}

/// Puts what is known of a node or relationship under its labels or types.
fn settle(made: &mut Made, variable: &Variable) {
    for label in &variable.labels {
        let properties = made.nodes.entry(label.clone()).or_default();
        merge(properties, &variable.properties);
        properties.open |= variable.found;
    }
    for kind in &variable.types {
        let properties = made.relationships.entry(kind.clone()).or_default();
        merge(properties, &variable.properties);
        properties.open |= variable.found;
    }
}

fn merge(into: &mut MadeProperties, from: &MadeProperties) {
    into.open |= from.open;
    for (name, kind) in &from.known {
        into.add(name, *kind);
    }
}

const fn type_of(conversion: Conversion) -> PropertyType {
    match conversion {
        Conversion::Integer => PropertyType::Integer,
        Conversion::Float => PropertyType::Float,
        Conversion::Text => PropertyType::String,
        Conversion::Boolean => PropertyType::Boolean,
        Conversion::Datetime => PropertyType::Datetime,
        Conversion::LocalDatetime => PropertyType::LocalDatetime,
        Conversion::Date => PropertyType::Date,
    }
}

/// Whether a node pattern names an element that the statement has met before, rather than looking for one.
pub(super) fn is_reference(node: &NodePattern) -> bool {
    node.variable.is_some() && node.labels.is_empty() && node.properties.is_empty() && !node.dynamic
}
