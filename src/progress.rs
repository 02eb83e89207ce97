//! Progress events: what the stages tell, and the terminal, the JSON log and the report hear.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Severity;

/// The stages of a run, in their order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumIter,
)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        /// What is counted: `rows`, `records`, `analyses`.
        unit: Cow<'static, str>,
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
    /// An object of a cluster came into another state.
    ObjectState {
        /// Kind and name, such as `StatefulSet bronx-taxi-kafka`.
        object: String,
        /// Its state, in a few words.
        state: String,
        /// Whether nothing more is awaited of it.
        settled: bool,
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
    /// A warning of the file, or a fault of the run.
    Finding {
        /// The stable code.
        code: String,
        /// How much it weighs.
        severity: Severity,
        /// What it says.
        message: String,
        /// `file:line:column`, where it has a place.
        place: Option<String>,
        /// What to do.
        help: Vec<String>,
    },
    /// A run ended.
    RunFinished {
        /// How.
        outcome: Outcome,
        /// After how many seconds.
        seconds: f64,
        /// The folder with the report, if one was written.
        report: Option<String>,
    },
}

/// A request to stop, made by Ctrl-C: what is under way is finished, nothing new is begun.
#[derive(Debug, Clone)]
pub struct Interrupt(tokio::sync::watch::Receiver<bool>);

/// Makes the request of an [`Interrupt`].
#[derive(Debug)]
pub struct Interrupter(tokio::sync::watch::Sender<bool>);

impl Interrupt {
    /// A request that was not made yet, and the one who may make it.
    #[must_use]
    pub fn channel() -> (Interrupter, Self) {
        let (sender, receiver) = tokio::sync::watch::channel(false);
        (Interrupter(sender), Self(receiver))
    }

    /// Whether the request was made.
    #[must_use]
    pub fn requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the request is made; for ever, where nobody can make it any more.
    pub async fn made(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|requested| *requested).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Does what may be given up at any moment, until the request is made; none where it was, and the work was not at its end.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.made() => None,
            done = work => Some(done),
        }
    }
}

impl Interrupter {
    /// Makes the request.
    pub fn request(&self) {
        // Where nobody listens any more, there is nothing to stop.
        let _ = self.0.send(true);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_without_an_end_is_given_up_when_that_is_asked_for() {
        let (interrupter, interrupt) = Interrupt::channel();
        assert_eq!(interrupt.or(async { 1 }).await, Some(1));
        let waiting = interrupt.or(std::future::pending::<()>());
        let (given_up, ()) = tokio::join!(waiting, async { interrupter.request() });
        assert_eq!(given_up, None);
        assert_eq!(interrupt.or(async { 1 }).await, None, "nothing new is begun");
    }

    #[tokio::test]
    async fn where_nobody_can_ask_for_a_stop_work_goes_to_its_end() {
        let (interrupter, interrupt) = Interrupt::channel();
        drop(interrupter);
        assert_eq!(interrupt.or(tokio::task::yield_now()).await, Some(()));
    }
}
