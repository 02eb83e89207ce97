//! From nodes to values: aliases and merge keys unfolded, variables put in, places noted.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::ScalarStyle;
use serde_json::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, Location, Path};
use crate::spec::secret;

use super::places::{Children, Place, Places};
use super::tree::{Entry, Kind, Node, first_line};
use super::{MAX_VALUES, Variables, pieces, scalar, variables};

pub(super) struct Resolved {
    /// `None` where the file is too large to unfold.
    pub value: Option<Value>,
    pub places: Places,
    pub findings: Vec<Diagnostic>,
}

pub(super) fn resolve(root: &Node, text: &str, variables: Variables<'_>) -> Resolved {
    let mut resolver = Resolver {
        text,
        variables,
        values: 0,
        section: Location::Span(Path::root(), 0..0),
        findings: Vec::new(),
        told: HashSet::new(),
        hidden: Vec::new(),
    };
    let (value, root) = if let Ok((value, root)) = resolver.node(root, &Path::root(), None) {
        (Some(value), root)
    } else {
        let finding = resolver.too_large();
        resolver.findings.push(finding);
        (None, Place::default())
    };
    let mut hidden = resolver.hidden;
    hidden.sort_by_key(|range| range.start);
    hidden.dedup();
    Resolved { value, places: Places { root, hidden }, findings: resolver.findings }
}

/// The value of an entry `{ name: APP_PASSWORD, value: … }`.
fn secret_value(entries: &[Entry]) -> Option<Range<usize>> {
    let text = |key: &str| {
        let node = &entries.iter().find(|entry| entry.key == key)?.value;
        let Kind::Scalar { text, .. } = &node.kind else { return None };
        Some((text.as_str(), node.range.clone()))
    };
    let (name, (value, range)) = (text("name")?.0, text("value")?);
    secret::secret_entry(Some(name), Some(value)).map(|_| range)
}

/// The file unfolds to more than is reasonable.
struct TooLarge;

/// How deep a path is that still tells a reader which part of the file is meant.
const SECTION: usize = 2;

struct Resolver<'a> {
    text: &'a str,
    variables: Variables<'a>,
    values: usize,
    /// The section that is being unfolded.
    section: Location,
    findings: Vec<Diagnostic>,
    /// Places that a fault was already told of: a value that several aliases use is still one fault.
    told: HashSet<(usize, usize)>,
    hidden: Vec<Range<usize>>,
}

type Resolution = Result<(Value, Place), TooLarge>;

impl Resolver<'_> {
    fn node(&mut self, node: &Node, path: &Path, key: Option<&Entry>) -> Resolution {
        if let Some(entry) = key.filter(|_| path.steps().len() <= SECTION) {
            self.section = Location::Span(path.clone(), entry.key_range.clone());
        }
        self.count()?;
        let (value, mut place) = match &node.kind {
            Kind::Scalar { text, style, is_text } => self.scalar(node, (text, *style, *is_text), path, key),
            Kind::List(items) => self.list(items, path)?,
            Kind::Mapping(entries) => self.mapping(entries, path)?,
        };
        place.key = key.map(|entry| entry.key_range.clone());
        place.value = first_line(self.text, node.range.clone());
        place.is_block = !matches!(node.kind, Kind::Scalar { .. }) && place.value != node.range;
        Ok((value, place))
    }

    fn count(&mut self) -> Result<(), TooLarge> {
        self.values += 1;
        if self.values > MAX_VALUES { Err(TooLarge) } else { Ok(()) }
    }

    fn too_large(&self) -> Diagnostic {
        Diagnostic::new(Code::YamlTooLarge, format!("the file unfolds to more than {MAX_VALUES} values"))
            .located(self.section.clone())
            .label("unfolding this")
            .help("aliases that name values with aliases in them multiply; write out what is meant")
    }

    fn list(&mut self, items: &[Rc<Node>], path: &Path) -> Resolution {
        let mut values = Vec::with_capacity(items.len());
        let mut places = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let (value, place) = self.node(item, &path.index(index), None)?;
            values.push(value);
            places.push(place);
        }
        Ok((Value::Array(values), Place { children: Children::Items(places), ..Place::default() }))
    }

    fn mapping(&mut self, entries: &[Entry], path: &Path) -> Resolution {
        let mut values = Map::new();
        let mut places = HashMap::new();
        let (merges, own): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.is_merge);
        self.hidden.extend(secret_value(entries).filter(|_| secret::may_hold_secrets(path)));
        for entry in own {
            let (value, place) = self.node(&entry.value, &path.key(&entry.key), Some(entry))?;
            values.insert(entry.key.clone(), value);
            places.insert(entry.key.clone(), place);
        }
        // A mapping's own keys go before merged ones, and of several merged mappings the earlier goes before the later.
        for entry in merges {
            for merged in self.merged(entry, path)? {
                if !values.contains_key(&merged.key) {
                    let (value, place) = self.node(&merged.value, &path.key(&merged.key), Some(merged))?;
                    values.insert(merged.key.clone(), value);
                    places.insert(merged.key.clone(), place);
                }
            }
        }
        Ok((Value::Object(values), Place { children: Children::Keys(places), ..Place::default() }))
    }

    /// The entries that a merge key adds.
    fn merged<'n>(&mut self, merge: &'n Entry, path: &Path) -> Result<Vec<&'n Entry>, TooLarge> {
        let sources: Vec<&Node> = match &merge.value.kind {
            Kind::List(items) => items.iter().map(AsRef::as_ref).collect(),
            _ => vec![&merge.value],
        };
        let mut found = Vec::new();
        for source in sources {
            self.count()?;
            if let Kind::Mapping(entries) = &source.kind {
                found.extend(entries.iter().filter(|entry| !entry.is_merge));
                for nested in entries.iter().filter(|entry| entry.is_merge) {
                    found.extend(self.merged(nested, path)?);
                }
            } else {
                self.tell(
                    Diagnostic::new(Code::UnsupportedYaml, "`<<` merges mappings, and this is none")
                        .located(Location::Span(path.clone(), merge.key_range.clone()))
                        .help("write `<<: *name`, where `&name` stands before a mapping"),
                );
            }
        }
        Ok(found)
    }

    fn scalar(
        &mut self,
        node: &Node,
        (text, style, is_text): (&str, ScalarStyle, bool),
        path: &Path,
        key: Option<&Entry>,
    ) -> (Value, Place) {
        let value = if is_text { Some(Value::String(text.to_owned())) } else { scalar::plain(text) };
        let Some(value) = value else {
            self.tell(
                Diagnostic::new(
                    Code::UnsupportedYaml,
                    format!("`{text}` is not a number that can be used here"),
                )
                .located(Location::Span(path.clone(), node.range.clone()))
                .help("infinity and not-a-number have no place in a pipeline file"),
            );
            return (Value::Null, Place::default());
        };
        let names_secret = key.is_some_and(|entry| secret::is_secret_key(&entry.key));
        let is_secret = (names_secret || secret::is_misplaced(path))
            && secret::may_hold_secrets(path)
            && !value.is_null();
        if is_secret {
            self.hidden.push(node.range.clone());
        }
        let Value::String(text) = value else { return (value, Place::default()) };
        let mut pieces = pieces::align(self.text, &node.range, style, &text);
        if !is_secret {
            let secrets = secret::within_at(path, &text);
            self.hidden.extend(secrets.iter().filter_map(|(_, within)| pieces::locate(&pieces, within)));
        }
        let put_in = variables::put_in(&text, &pieces, self.variables);
        for (range, fault) in put_in.faults {
            let place = pieces::locate(&pieces, &range).unwrap_or_else(|| node.range.clone());
            self.tell(fault.into_finding(Location::Span(path.clone(), place)));
        }
        pieces = put_in.pieces;
        let place = Place { pieces, variables: put_in.names, ..Place::default() };
        (Value::String(put_in.text), place)
    }

    fn tell(&mut self, finding: Diagnostic) {
        let place = match &finding.location {
            Location::Span(_, range) => (range.start, range.end),
            _ => (0, 0),
        };
        if self.told.insert(place) {
            self.findings.push(finding);
        }
    }
}
