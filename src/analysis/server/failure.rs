//! What GDS says of an error, without what Java puts around it.

use super::super::AnalysisError;
use crate::graph::GraphError;

/// What Neo4j puts before a procedure's own words.
const WRAPPED: &str = "Failed to invoke procedure";
/// What it puts between, once or more often.
const CAUSE: &str = "Caused by: ";

/// The error of an analysis, from one of the store: GDS's own words where a procedure has failed.
pub(super) fn of(procedure: &str, error: GraphError) -> AnalysisError {
    let (GraphError::Statement { message, .. }
    | GraphError::Execution { message }
    | GraphError::Engine { message }) = &error
    else {
        return error.into();
    };
    if message.contains(WRAPPED) {
        return AnalysisError::Server { procedure: procedure.to_owned(), message: plain(message).to_owned() };
    }
    error.into()
}

/// The innermost cause, without the name of its class.
pub(super) fn plain(message: &str) -> &str {
    let cause = message.rsplit_once(CAUSE).map_or(message, |(_, cause)| cause);
    match cause.split_once(": ") {
        Some((class, words)) if is_class(class) => words.trim(),
        _ => cause.trim(),
    }
}

/// Whether a text is the full name of a Java class: `java.lang.IllegalArgumentException`.
fn is_class(text: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
    };
    let last = text.rsplit_once('.').map(|(_, last)| last);
    text.split('.').all(is_name)
        && last.is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_gds_is_told_without_its_wrapping() {
        for (message, words) in [
            (
                "Failed to invoke procedure `gds.pageRank.stream`: Caused by: java.lang.IllegalArgumentException: \
                 Unexpected configuration key: dampingfactor (Did you mean [dampingFactor]?)",
                "Unexpected configuration key: dampingfactor (Did you mean [dampingFactor]?)",
            ),
            (
                "Failed to invoke procedure `gds.graph.project`: Caused by: java.lang.IllegalArgumentException: A graph \
                 with name 'trips' already exists.",
                "A graph with name 'trips' already exists.",
            ),
            (
                "Failed to invoke procedure `gds.x.stream`: Caused by: java.util.concurrent.ExecutionException: Caused \
                 by: java.lang.OutOfMemoryError: Java heap space",
                "Java heap space",
            ),
            (
                "Failed to invoke procedure `gds.louvain.stream`: Caused by: org.neo4j.gds.Some$Inner_1: a: b",
                "a: b",
            ),
            (
                "Failed to invoke procedure `gds.x.stream`: Caused by: java.lang.NullPointerException",
                "java.lang.NullPointerException",
            ),
            ("Value for 'x': is wrong", "Value for 'x': is wrong"),
        ] {
            assert_eq!(plain(message), words);
        }
    }

    #[test]
    fn an_error_of_the_database_itself_is_not_one_of_the_procedure() {
        let error =
            of("gds.pageRank.stream", GraphError::Execution { message: "the connection is lost".to_owned() });
        assert!(matches!(error, AnalysisError::Graph(_)));
        let message = "Failed to invoke procedure `gds.x`: Caused by: java.lang.IllegalStateException: no";
        let error = of("gds.x.stream", GraphError::Execution { message: message.to_owned() });
        assert_eq!(error.to_string(), "`gds.x.stream` failed: no");
    }
}
