//! From the parser's events to a tree of nodes with their places; what pipeline files do not use of YAML is found here.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::diagnostic::{Code, Diagnostic, Location, Path, Step};

use super::offsets::Offsets;
use super::{MAX_DEPTH, syntax, tabs};

/// A value of the file. Uses of an alias share the node of its anchor.
#[derive(Debug)]
pub(super) struct Node {
    pub range: Range<usize>,
    pub kind: Kind,
    /// How many levels of lists and mappings it has, those of aliases included. It is bounded, so that walking and dropping
    /// a tree cannot exhaust the stack.
    pub depth: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, style: ScalarStyle, is_text: bool },
    List(Vec<Rc<Node>>),
    Mapping(Vec<Entry>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_range: Range<usize>,
    /// Whether it is the merge key, whose value's entries belong to this mapping.
    pub is_merge: bool,
    pub value: Rc<Node>,
}

/// What became of the text.
pub(super) enum Outcome {
    /// It could not be read to its end.
    Broken,
    /// It holds no value.
    Empty,
    /// Its value.
    Root(Rc<Node>),
}

/// Reads the text; faults are added to `findings`.
pub(super) fn build(text: &str, findings: &mut Vec<Diagnostic>) -> Outcome {
    let text = &*tabs::spaced(text);
    let mut builder = Builder {
        text,
        offsets: Offsets::new(text),
        findings,
        frames: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if !builder.event(event, span) {
                    return Outcome::Broken;
                }
            }
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index()).min(text.len());
                let finding = syntax::explain(text, at, error.info());
                builder.findings.push(finding);
                return Outcome::Broken;
            }
        }
        if builder.documents > 1 {
            break;
        }
    }
    builder.root.map_or(Outcome::Empty, Outcome::Root)
}

enum Frame {
    List {
        items: Vec<Rc<Node>>,
        start: usize,
        anchor: usize,
    },
    Mapping {
        entries: Vec<Entry>,
        seen: HashMap<String, Range<usize>>,
        pending: Option<Key>,
        start: usize,
        anchor: usize,
    },
}

/// A key that waits for its value.
enum Key {
    Text {
        name: String,
        range: Range<usize>,
        is_merge: bool,
    },
    /// No text, or there already: its value is read and dropped.
    Dropped,
}

struct Builder<'a> {
    text: &'a str,
    offsets: Offsets<'a>,
    findings: &'a mut Vec<Diagnostic>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    documents: usize,
}

impl Builder<'_> {
    /// Takes an event; `false` ends the reading.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        let mut range = self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index());
        if let Some(tag) = tag_of(&event) {
            self.refuse_tag(tag, &range);
        }
        if has_properties(&event) {
            range.start = behind_properties(self.text, &range);
        }
        match event {
            Event::DocumentStart(_) => self.document(range),
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || is_text_tag(tag.as_deref());
                let kind = Kind::Scalar { text: text.into_owned(), style, is_text };
                self.finish(Node { range, kind, depth: 0 }, anchor);
            }
            Event::Alias(id) => self.alias(id, range),
            Event::SequenceStart(anchor, _) => {
                return self.open(Frame::List { items: Vec::new(), start: range.start, anchor }, &range);
            }
            Event::MappingStart(anchor, _) => {
                let frame = Frame::Mapping {
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    pending: None,
                    start: range.start,
                    anchor,
                };
                return self.open(frame, &range);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(range.end),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        true
    }

    fn document(&mut self, range: Range<usize>) {
        self.documents += 1;
        if self.documents > 1 {
            self.findings.push(
                Diagnostic::new(Code::UnsupportedYaml, "a second document begins here")
                    .located(Location::Span(Path::root(), range))
                    .help("a pipeline file holds one pipeline: put the others into files of their own"),
            );
        }
    }

    fn refuse_tag(&mut self, tag: &Tag, range: &Range<usize>) {
        let path = self.path();
        self.findings.push(
            Diagnostic::new(
                Code::UnsupportedYaml,
                format!("the tag `{}` is not used in pipeline files", shown_tag(tag)),
            )
            .located(Location::Span(path, range.clone()))
            .help("remove the tag; to make a text of a number or of `true`, put it in quotes"),
        );
    }

    fn alias(&mut self, id: usize, range: Range<usize>) {
        if let Some(node) = self.anchors.get(&id) {
            let node = Rc::clone(node);
            self.attach(node, range);
            return;
        }
        let path = self.path();
        self.findings.push(
            Diagnostic::new(Code::UnsupportedYaml, "the alias stands inside the value that it names")
                .located(Location::Span(path, range.clone()))
                .help("an alias can only name a value that ended before it"),
        );
        let kind = Kind::Scalar { text: String::new(), style: ScalarStyle::Plain, is_text: false };
        self.attach(Rc::new(Node { range: range.clone(), kind, depth: 0 }), range);
    }

    fn open(&mut self, frame: Frame, range: &Range<usize>) -> bool {
        if self.frames.len() >= MAX_DEPTH {
            self.too_deep(range.start);
            return false;
        }
        self.frames.push(frame);
        true
    }

    fn too_deep(&mut self, start: usize) {
        let path = self.path();
        self.findings.push(
            Diagnostic::new(Code::YamlTooLarge, format!("values nest deeper than {MAX_DEPTH} levels"))
                .located(Location::Span(path, start..start + 1)),
        );
    }

    /// Ends a list or a mapping; `false` where it nests too deep.
    fn close(&mut self, end: usize) -> bool {
        let (kind, start, anchor, last, below) = match self.frames.pop() {
            Some(Frame::List { items, start, anchor }) => {
                let last = items.last().map(|item| item.range.end);
                let below = items.iter().map(|item| item.depth).max();
                (Kind::List(items), start, anchor, last, below)
            }
            Some(Frame::Mapping { entries, start, anchor, .. }) => {
                let last = entries.last().map(|entry| entry.value.range.end.max(entry.key_range.end));
                let below = entries.iter().map(|entry| entry.value.depth).max();
                (Kind::Mapping(entries), start, anchor, last, below)
            }
            None => return true,
        };
        let depth = below.unwrap_or_default() + 1;
        if depth > MAX_DEPTH {
            self.too_deep(start);
            return false;
        }
        // The end of a block is told only when the next thing begins; its own end is that of its last value.
        let is_flow = self.text.get(start..).is_some_and(|text| text.starts_with(['[', '{']));
        // The end of a flow is told behind the blanks that follow it.
        let flow_end = start + self.text.get(start..end).map_or(0, |flow| flow.trim_end().len());
        let end = if is_flow { flow_end } else { last.unwrap_or(start) };
        self.finish(Node { range: start..end.max(start), kind, depth }, anchor);
        true
    }

    fn finish(&mut self, node: Node, anchor: usize) {
        let range = node.range.clone();
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.attach(node, range);
    }

    /// Puts a node where it belongs; `range` is where it is used, which for an alias is not where it stands.
    fn attach(&mut self, node: Rc<Node>, range: Range<usize>) {
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Mapping { entries, pending, .. }) => match pending.take() {
                Some(Key::Text { name, range, is_merge }) => {
                    entries.push(Entry { key: name, key_range: range, is_merge, value: node });
                }
                Some(Key::Dropped) => {}
                None => self.key(&node, range),
            },
        }
    }

    fn key(&mut self, node: &Node, range: Range<usize>) {
        let path = self.path();
        let Kind::Scalar { text, style, is_text } = &node.kind else {
            self.findings.push(
                Diagnostic::new(Code::UnsupportedYaml, "a mapping or a list cannot be a key")
                    .located(Location::Span(path.key("?"), first_line(self.text, range)))
                    .help("a `{` or `[` where a text is meant needs quotes: \"{…}\""),
            );
            self.set_pending(Key::Dropped);
            return;
        };
        let is_merge = *style == ScalarStyle::Plain && text == "<<";
        if !is_text && !matches!(super::scalar::plain(text), Some(serde_json::Value::String(_))) {
            let shown = if text.is_empty() { "an empty key".to_owned() } else { format!("the key `{text}`") };
            let mut finding = Diagnostic::new(Code::UnsupportedYaml, format!("{shown} is not a text"))
                .located(Location::Span(path.key(text), range.clone()));
            if !text.is_empty() {
                finding = finding.help(format!("put it in quotes: \"{text}\""));
            }
            self.findings.push(finding);
        }
        let Some(Frame::Mapping { seen, .. }) = self.frames.last_mut() else { return };
        if let Some(first) = seen.get(text) {
            let finding =
                Diagnostic::new(Code::DuplicateKey, format!("the key `{text}` stands twice in this mapping"))
                    .located(Location::Span(path.key(text), range))
                    .label("again here")
                    .related(Location::Span(path.key(text), first.clone()), "first here")
                    .help("keep one of the two");
            self.findings.push(finding);
            self.set_pending(Key::Dropped);
            return;
        }
        seen.insert(text.clone(), range.clone());
        self.set_pending(Key::Text { name: text.clone(), range, is_merge });
    }

    fn set_pending(&mut self, key: Key) {
        if let Some(Frame::Mapping { pending, .. }) = self.frames.last_mut() {
            *pending = Some(key);
        }
    }

    /// The path of the value that is being read.
    fn path(&self) -> Path {
        self.frames.iter().fold(Path::root(), |path, frame| match frame {
            Frame::List { items, .. } => path.then(Step::Index(items.len())),
            Frame::Mapping { pending: Some(Key::Text { name, .. }), .. } => path.key(name),
            Frame::Mapping { .. } => path,
        })
    }
}

fn tag_of<'e>(event: &'e Event<'_>) -> Option<&'e Tag> {
    match event {
        Event::Scalar(.., tag) | Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) => tag.as_deref(),
        _ => None,
    }
}

fn has_properties(event: &Event<'_>) -> bool {
    let (Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)) =
        event
    else {
        return false;
    };
    *anchor > 0 || tag_of(event).is_some()
}

/// Where a value itself begins that has an anchor or a tag before it.
fn behind_properties(text: &str, range: &Range<usize>) -> usize {
    let mut at = range.start;
    while let Some(rest) = text.get(at..) {
        let length = match rest.bytes().next() {
            Some(b' ' | b'\t' | b'\n' | b'\r') => 1,
            Some(b'#') => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            Some(b'&' | b'!') => {
                rest.find([' ', '\t', '\n', '\r', ',', '[', ']', '{', '}']).unwrap_or(rest.len())
            }
            _ => break,
        };
        at += length;
    }
    at.min(range.end.max(range.start))
}

fn is_text_tag(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str")
}

fn shown_tag(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { format!("!{}", tag.suffix) }
}

/// The part of a range that is on its first line.
pub(super) fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(marked) = text.get(range.clone()) else { return range };
    let line = marked.split(['\n', '\r']).next().unwrap_or_default();
    range.start..range.start + line.trim_end().len()
}
