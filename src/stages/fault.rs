//! The one place where errors of the layers below become words for people: code, message, advice.

use crate::analysis::AnalysisError;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::{GraphError, WriteError};
use crate::source::SourceError;

use super::state::StateError;
use super::stream::{LoadError, ResumeError};

/// Why a run ended before its end: one finding or more.
#[derive(Debug, Clone)]
pub struct Fault(pub Vec<Diagnostic>);

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}
