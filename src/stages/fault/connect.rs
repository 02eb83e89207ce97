//! What went wrong with Kafka Connect, in words, and what to do.

use super::Fault;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::topic::connect::{ConnectError, Problem};

impl From<ConnectError> for Fault {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Kafka(error) => error.into(),
            ConnectError::Invalid { problems } => Self(problems.iter().map(refused).collect()),
            error => finding(&error).into(),
        }
    }
}

/// The finding of an error.
fn finding(error: &ConnectError) -> Diagnostic {
    use ConnectError as E;
    let say = |code: Code| Diagnostic::new(code, error.to_string());
    let url = Path::of("spec.infrastructure.external.connect.url");
    let loader = Path::of("spec.mapping.loader");
    match error {
        E::Address { .. } | E::NoWorker { .. } => say(Code::ServerUnreachable)
            .at(url)
            .help("name the worker's REST interface: `http://host:8083`"),
        E::Unreachable { .. } => say(Code::ServerUnreachable)
            .at(url)
            .help("start the worker, or correct the address; or write `loader: runner`, which needs none"),
        E::NoPlugin { .. } => say(Code::ConnectPlugin)
            .at(loader)
            .help("unpack the Neo4j Connector for Kafka (5.1 or later) into the worker's `plugin.path`, and restart the worker")
            .help("or write `loader: runner`, which needs no worker"),
        E::Failed { trace, .. } => {
            let failed = say(Code::ConnectorFailed).at(Path::of("spec.mapping"));
            if trace.is_empty() { failed } else { failed.help(trace.trim_end()) }
        }
        E::Idle { name, .. } => say(Code::ConnectorFailed)
            .at(loader)
            .help(format!("look into the worker's log for `{name}`")),
        E::StandsStill { name, .. } => say(Code::ConnectorFailed)
            .at(loader)
            .help(format!("look into the worker's log for `{name}`: the sink may wait for Neo4j, or its commits may fail"))
            .help("run again once it is mended: what the connector has read is known to Kafka; raise `stream.patienceSeconds` where it only takes long"),
        E::Rests { .. } | E::Gone { .. } => {
            say(Code::ConnectorFailed).at(loader).help("run again: it is made, or told to go on")
        }
        E::Refused { .. } | E::Invalid { .. } | E::Kafka(_) => say(Code::ConnectorRefused).at(loader),
    }
}

/// The finding of one key.
fn refused(problem: &Problem) -> Diagnostic {
    let Problem { key, message } = problem;
    let place = match key.as_str() {
        "neo4j.uri" | "neo4j.database" => Path::of("spec.infrastructure.external.neo4j.uri"),
        key if key.starts_with("neo4j.authentication") => {
            Path::of("spec.infrastructure.external.neo4j.passwordFrom")
        }
        key if key.starts_with("neo4j.security") => Path::of("spec.infrastructure.external.neo4j.tls"),
        key if key.starts_with("neo4j.cypher") => Path::of("spec.mapping"),
        _ => Path::of("spec.mapping.loader"),
    };
    Diagnostic::new(Code::ConnectorRefused, format!("the connector refuses `{key}`: {message}")).at(place)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_task_that_failed_shows_its_cause_and_in_the_help_its_trace() {
        let fault = Fault::from(ConnectError::Failed {
            name: "bronx-taxi".to_owned(),
            task: Some(1),
            worker: "w:8083".to_owned(),
            cause: "Invalid input 'MERG'".to_owned(),
            trace: "a.B: Invalid input 'MERG'\n\tat c.D\n".to_owned(),
        });
        let Fault(findings) = &fault;
        assert_eq!(
            fault.summary(),
            "task 1 of connector `bronx-taxi` failed on worker `w:8083`: Invalid input 'MERG'"
        );
        assert_eq!(findings[0].help, ["a.B: Invalid input 'MERG'\n\tat c.D"]);
    }

    #[test]
    fn a_connector_that_stands_still_says_how_much_it_has_left_and_where_to_look() {
        let fault = Fault::from(ConnectError::StandsStill {
            name: "bronx-taxi".to_owned(),
            left: 12,
            waited: Duration::from_mins(3),
        });
        assert_eq!(
            fault.summary(),
            "connector `bronx-taxi` has not failed, and has got no further for 180 s: 12 records are left to read"
        );
        assert!(fault.0[0].help[0].starts_with("look into the worker's log for `bronx-taxi`"));
    }

    #[test]
    fn each_refused_key_is_a_finding_of_its_own() {
        let problem = |key: &str| Problem { key: key.to_owned(), message: "is wrong".to_owned() };
        let problems = vec![problem("neo4j.uri"), problem("neo4j.cypher.topic.trips")];
        let Fault(findings) = ConnectError::Invalid { problems }.into();
        let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the connector refuses `neo4j.uri`: is wrong",
                "the connector refuses `neo4j.cypher.topic.trips`: is wrong"
            ]
        );
    }
}
