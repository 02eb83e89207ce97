//! Who asks for an analysis, and who hears how far it is.

use std::fmt;

/// Who asks for an analysis, hears how far it is, and may want it to stop.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// The pipeline's name: what is made on a server bears it.
    pub pipeline: &'a str,
    /// Hears how many percent are done, where that is known.
    pub percent: &'a (dyn Fn(u64) + Send + Sync),
    /// Whether the analysis shall stop; asked now and then.
    pub stopped: &'a (dyn Fn() -> bool + Send + Sync),
}

impl<'a> Watch<'a> {
    /// Nobody listens, and nobody stops it.
    #[must_use]
    pub fn nobody(pipeline: &'a str) -> Self {
        Self { pipeline, percent: &|_| {}, stopped: &|| false }
    }
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}
