//! The table of where each value stands.

use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{Location, Part, Path, Step};

use super::pieces::{self, Piece};

/// Where the values of a file stand in its text, as a tree in the shape of the values.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub(super) root: Place,
    pub(super) hidden: Vec<Range<usize>>,
}

/// Where one value stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The key's name, for values of a mapping.
    pub key: Option<Range<usize>>,
    /// The part of the value to mark: all of a scalar or of what is on one line, otherwise the first line.
    pub value: Range<usize>,
    /// Whether the value spreads over lines of its own, so that its key tells better which is meant.
    pub is_block: bool,
    /// For texts: the bytes of the file behind each byte.
    pub pieces: Vec<Piece>,
    /// The variables that were put into the text.
    pub variables: Vec<String>,
    pub children: Children,
}

#[derive(Debug, Clone, Default)]
pub(super) enum Children {
    #[default]
    None,
    Keys(HashMap<String, Place>),
    Items(Vec<Place>),
}

impl Place {
    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.children, step) {
            (Children::Keys(keys), Step::Key(key)) => keys.get(key),
            (Children::Items(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    /// The key where it tells better which value is meant, otherwise the value.
    fn mark(&self) -> Range<usize> {
        match &self.key {
            Some(key) if self.is_block || self.value.is_empty() => key.clone(),
            _ => self.value.clone(),
        }
    }
}

impl Places {
    /// The bytes of the file's text that a location marks; the nearest path above where the location itself is not in the
    /// file (a missing key, say); `None` for [`Location::Outside`].
    #[must_use]
    pub fn locate(&self, location: &Location) -> Option<Range<usize>> {
        let (path, part) = match location {
            Location::At(path, part) => (path, part),
            Location::Span(_, range) => return Some(range.clone()),
            Location::Outside => return None,
        };
        let (place, is_exact) = self.nearest(path);
        let range = match part {
            // An entry of what may be a list and is a single text is that text.
            _ if !is_exact && matches!(place.children, Children::None) => place.mark(),
            // A value that is not there is missing from the one above, which its key names.
            _ if !is_exact => place.key.clone().unwrap_or_else(|| place.mark()),
            Part::Key => place.key.clone().unwrap_or_else(|| place.mark()),
            Part::Value => place.mark(),
            Part::Within(within) => pieces::locate(&place.pieces, within).unwrap_or_else(|| place.mark()),
        };
        Some(range)
    }

    /// The names of the environment variables that were put into a value.
    #[must_use]
    pub fn variables(&self, path: &Path) -> &[String] {
        let (place, is_exact) = self.nearest(path);
        if is_exact { &place.variables } else { &[] }
    }

    /// Whether the file has a value at a path.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        self.nearest(path).1
    }

    /// The parts of the text that look like secrets and are never shown, in their order.
    #[must_use]
    pub fn hidden(&self) -> &[Range<usize>] {
        &self.hidden
    }

    fn nearest(&self, path: &Path) -> (&Place, bool) {
        let mut place = &self.root;
        for step in path.steps() {
            match place.child(step) {
                Some(child) => place = child,
                None => return (place, false),
            }
        }
        (place, true)
    }
}
