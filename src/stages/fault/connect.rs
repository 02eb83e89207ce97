//! What is wrong with a Kafka Connect worker or its connector, in words.

use super::Fault;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::topic::connect::ConnectError;

/// How many lines of a stack trace are told.
const TRACE_LINES: usize = 12;

impl From<ConnectError> for Fault {
    fn from(error: ConnectError) -> Self {
        let url = Path::of("spec.infrastructure.external.connect.url");
        let loader = Path::of("spec.mapping.loader");
        let words = error.to_string();
        match error {
            ConnectError::Kafka(error) => error.into(),
            ConnectError::Address { .. }
            | ConnectError::Unreachable { .. }
            | ConnectError::NoWorker { .. } => Diagnostic::new(Code::ConnectUnreachable, words)
                .at(url)
                .help(
                    "the address is the one of the worker's REST interface, such as `http://localhost:8083`",
                )
                .into(),
            ConnectError::NoPlugin { installed, .. } => {
                let finding = Diagnostic::new(Code::ConnectorMissing, words).at(loader).help(
                    "install the Neo4j Connector for Kafka on the worker's `plugin.path`, or leave `loader: connect` out",
                );
                match installed.as_slice() {
                    [] => finding.into(),
                    some => finding.help(format!("it has {}", some.join(", "))).into(),
                }
            }
            ConnectError::Failed { trace, .. } => {
                let finding = Diagnostic::new(Code::ConnectorFailed, words).at(loader);
                trace
                    .lines()
                    .take(TRACE_LINES)
                    .fold(finding, |finding, line| finding.help(line.trim_end()))
                    .into()
            }
            ConnectError::Invalid { .. }
            | ConnectError::Refused { .. }
            | ConnectError::Idle { .. }
            | ConnectError::Rests { .. }
            | ConnectError::Gone { .. } => Diagnostic::new(Code::ConnectorFailed, words)
                .at(loader)
                .help("run again to submit it anew; the worker's log has more")
                .into(),
        }
    }
}
