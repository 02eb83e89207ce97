//! The validate stage: from the text of a file to a plan that can be run.

use std::path::Path;

use super::{Fault, Origin, stream};
use crate::diagnostic::Diagnostic;
use crate::graph::mapping::CompiledMapping;
use crate::source::Dataset;
use crate::spec::load::{self, Document, SourceFile};
use crate::spec::{Checked, Pipeline};

/// A pipeline that was checked, with what checking it has opened: the source's files and the compiled mapping.
#[derive(Debug)]
pub struct Plan {
    /// The pipeline.
    pub pipeline: Checked<Pipeline>,
    /// The source, listed and planned.
    pub dataset: Dataset,
    /// The statement that writes a row.
    pub mapping: CompiledMapping,
    /// The digest of what the graph is loaded by.
    pub stream_digest: stream::Digest,
    /// Findings that do not stand in the way.
    pub warnings: Vec<Diagnostic>,
}
