//! A finding: what is wrong or doubtful, where, why, and what to do.
//!
//! A finding names its place by the path of a key in the file (`spec.source.filter`), so that the rules need to know
//! nothing of lines and columns; [`crate::spec::load`] keeps a table from path to place, and printing looks it up.

mod code;

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use code::Code;

/// How much a finding weighs.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// It will hurt; `--deny warnings` makes it an error.
    Warning,
    /// The file is not valid, or the run failed.
    Error,
}

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// An entry of a list, from 0.
    Index(usize),
}

/// The path of a value in the file, such as `spec.analyses[0].gds`. The empty path is the whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The path of the whole file.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A path of keys joined by dots; for keys that hold no dot themselves.
    #[must_use]
    pub fn of(dotted: &str) -> Self {
        Self(dotted.split('.').map(|key| Step::Key(key.to_owned())).collect())
    }

    /// This path and a key below it.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// This path and an entry below it.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// This path and a step below it.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The path above, if there is one.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The steps from the file's top.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which part of an entry is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// The key's name.
    Key,
    /// The value.
    Value,
    /// A range of bytes of the value's text: a place inside SQL or Cypher.
    Within(Range<usize>),
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// At a key of the file.
    At(Path, Part),
    /// At a range of bytes of the file's own text: for what has no path, such as broken YAML or a key's second appearance.
    Span(Path, Range<usize>),
    /// Nowhere in the file: a fault of the run or of the world.
    Outside,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, explained by `runner explain`.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it is.
    pub location: Location,
    /// What is wrong: one sentence, lower case, no full stop.
    pub message: String,
    /// Why, in a few words beside the marked place.
    pub label: Option<String>,
    /// Further places that belong to it, each with a few words.
    pub related: Vec<(Location, String)>,
    /// What to do.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A finding with the usual severity of its code, so far without a place.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            location: Location::Outside,
            message: message.into(),
            label: None,
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// At the value of a key.
    #[must_use]
    pub fn at(self, path: Path) -> Self {
        self.located(Location::At(path, Part::Value))
    }

    /// At the name of a key.
    #[must_use]
    pub fn at_key(self, path: Path) -> Self {
        self.located(Location::At(path, Part::Key))
    }

    /// Inside the text of a value, by bytes of that text.
    #[must_use]
    pub fn within(self, path: Path, range: Range<usize>) -> Self {
        self.located(Location::At(path, Part::Within(range)))
    }

    /// At any place.
    #[must_use]
    pub fn located(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// With a few words beside the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With a further place.
    #[must_use]
    pub fn related(mut self, location: Location, label: impl Into<String>) -> Self {
        self.related.push((location, label.into()));
        self
    }

    /// With advice; call it again for more.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The path of the key that it is about; the empty path where there is none.
    #[must_use]
    pub fn path(&self) -> Path {
        match &self.location {
            Location::At(path, _) | Location::Span(path, _) => path.clone(),
            Location::Outside => Path::root(),
        }
    }
}

/// The candidates nearest to a word that is not known, the nearest first; none where nothing is near.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const NEAR: f64 = 0.75;
    const MOST: usize = 3;
    let folded = word.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(MOST).map(|(_, candidate)| candidate).collect()
}

/// The advice `did you mean …` for a word that is not known, where a candidate is near.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let quoted: Vec<String> = nearest(word, candidates).iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => None,
        [only] => Some(format!("did you mean {only}?")),
        [others @ .., last] => Some(format!("did you mean {} or {last}?", others.join(", "))),
    }
}
