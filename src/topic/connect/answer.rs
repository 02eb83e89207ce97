//! What a worker answers, read from JSON.

use serde::Deserialize;

use super::trace;

/// How a connector or a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::Display)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// It works.
    Running,
    /// It was told to pause.
    Paused,
    /// It was told to stop, and has no tasks.
    Stopped,
    /// It has given up; its trace says why.
    Failed,
    /// No worker has it yet.
    Unassigned,
    /// It is about to begin again.
    Restarting,
    /// It is being deleted.
    Destroyed,
    /// A state of a later version of Kafka.
    #[serde(other)]
    Other,
}

/// A connector or a task.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Part {
    /// How it is.
    pub state: State,
    /// The worker that has it: `host:port`.
    #[serde(default)]
    pub worker_id: String,
    /// The number of a task.
    #[serde(default)]
    pub id: u32,
    /// The stack trace of one that failed.
    #[serde(default)]
    pub trace: Option<String>,
}

/// How a connector and its tasks are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// The connector itself.
    pub connector: Part,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<Part>,
}

impl Status {
    /// Whether the connector and a task or more work, and none has failed.
    #[must_use]
    pub fn works(&self) -> bool {
        let runs = |part: &Part| part.state == State::Running;
        runs(&self.connector) && !self.tasks.is_empty() && self.tasks.iter().all(runs)
    }

    /// The first part that has failed: of a task its number, and the part.
    pub(super) fn failed(&self) -> Option<(Option<u32>, &Part)> {
        let tasks = self.tasks.iter().map(|task| (Some(task.id), task));
        std::iter::once((None, &self.connector)).chain(tasks).find(|(_, part)| part.state == State::Failed)
    }

    /// Whether it was told to pause or to stop.
    pub(super) fn rests(&self) -> bool {
        matches!(self.connector.state, State::Paused | State::Stopped)
    }
}

impl Part {
    /// Why it failed, in a line.
    pub(super) fn cause(&self) -> String {
        self.trace.as_deref().map(trace::cause).unwrap_or_default()
    }
}

/// What is wrong with a key of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

/// The answer to `PUT /connector-plugins/{class}/config/validate`.
#[derive(Debug, Deserialize)]
pub(super) struct Validation {
    #[serde(default)]
    configs: Vec<Validated>,
}

#[derive(Debug, Deserialize)]
struct Validated {
    value: ValidatedValue,
}

#[derive(Debug, Deserialize)]
struct ValidatedValue {
    name: String,
    #[serde(default)]
    errors: Vec<String>,
}

impl Validation {
    /// What is wrong, key by key.
    pub(super) fn problems(self) -> Vec<Problem> {
        let values = self.configs.into_iter().map(|one| one.value);
        let problems = |value: ValidatedValue| {
            let key = value.name;
            value.errors.into_iter().map(move |message| Problem { key: key.clone(), message })
        };
        values.flat_map(problems).collect()
    }
}

/// An entry of `GET /connector-plugins`.
#[derive(Debug, Deserialize)]
pub(super) struct Plugin {
    /// Its class.
    pub class: String,
}

/// The body of an answer that refuses.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    /// Why.
    pub message: String,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(connector: &str, tasks: &[&str]) -> Status {
        let task = |(id, state): (usize, &&str)| json!({ "id": id, "state": state, "worker_id": "w:8083" });
        let tasks: Vec<_> = tasks.iter().enumerate().map(task).collect();
        let connector = json!({ "state": connector, "worker_id": "w:8083" });
        serde_json::from_value(json!({ "name": "x", "connector": connector, "tasks": tasks, "type": "sink" }))
            .unwrap()
    }

    #[test]
    fn a_connector_works_with_all_its_tasks() {
        assert!(status("RUNNING", &["RUNNING", "RUNNING"]).works());
        assert!(!status("RUNNING", &[]).works());
        assert!(!status("RUNNING", &["RUNNING", "RESTARTING"]).works());
        assert!(!status("PAUSED", &["PAUSED"]).works());
        assert_eq!(status("SOMETHING_NEW", &[]).connector.state, State::Other);
    }

    #[test]
    fn the_part_that_failed_is_found() {
        let failed = |status: &Status| status.failed().map(|(task, _)| task);
        assert_eq!(failed(&status("RUNNING", &["RUNNING", "FAILED"])), Some(Some(1)));
        assert_eq!(failed(&status("FAILED", &["RUNNING"])), Some(None));
        assert_eq!(failed(&status("RUNNING", &["RUNNING"])), None);
    }

    #[test]
    fn a_configuration_is_wrong_key_by_key() {
        let answer = json!({
            "name": "org.neo4j.connectors.kafka.sink.Neo4jConnector",
            "error_count": 1,
            "configs": [
                { "definition": { "name": "topics" }, "value": { "name": "topics", "value": "x", "errors": [] } },
                { "definition": {}, "value": { "name": "neo4j.uri", "value": null, "errors": ["Missing required configuration"] } },
            ],
        });
        let validation: Validation = serde_json::from_value(answer).unwrap();
        let problem =
            Problem { key: "neo4j.uri".to_owned(), message: "Missing required configuration".to_owned() };
        assert_eq!(validation.problems(), [problem]);
    }
}
