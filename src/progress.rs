//! Progress events: what the stages tell, and the terminal, the JSON log and the report hear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stages of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Stage {
    /// The file is checked.
    Validate,
    /// The servers, or the embedded engines, are made ready.
    Deploy,
    /// Rows go from the source through the topic into the graph.
    Stream,
    /// Questions are asked of the graph.
    Analyse,
    /// The report is written.
    Report,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// All of it was done.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It failed; the run's fault says why.
    Failed,
    /// It was stopped by Ctrl-C; what stands is kept.
    Interrupted,
    /// It was not begun.
    Skipped,
}

/// One thing that happened in a run. Serialised, it is one line of `--output json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The pipeline's name.
        pipeline: String,
        /// Where it runs: `embedded`, `external` or `kubernetes`.
        target: String,
    },
    /// A stage began.
    StageStarted {
        /// Which.
        stage: Stage,
    },
    /// A stage goes on.
    StageProgress {
        /// Which.
        stage: Stage,
        /// What is counted: `rows`, `analyses`, `objects`.
        unit: &'static str,
        /// How many are done.
        done: u64,
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// A stage has something to say that is not a fault.
    StageNote {
        /// Which.
        stage: Stage,
        /// The words.
        note: String,
    },
    /// A stage ended.
    StageFinished {
        /// Which.
        stage: Stage,
        /// How.
        outcome: Outcome,
        /// After how many seconds.
        seconds: f64,
        /// What came of it, in a few words.
        summary: String,
    },
    /// A run ended.
    RunFinished {
        /// How.
        outcome: Outcome,
        /// After how many seconds.
        seconds: f64,
    },
}

/// Where events go: one channel, read by whoever shows or keeps them.
#[derive(Debug, Clone)]
pub struct Progress(tokio::sync::mpsc::UnboundedSender<Event>);

impl Progress {
    /// A sender of events, and the end where they arrive.
    #[must_use]
    pub fn channel() -> (Self, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Tells an event; without a reader it is dropped.
    pub fn tell(&self, event: Event) {
        // A reader that has gone away must not stop the run.
        let _ = self.0.send(event);
    }
}
