//! What the servers say about a pipeline, before anything is made: `validate --live`.

use super::deploy::Servers;
use super::run::Options;
use super::validate::Plan;
use super::{Fault, deploy, fault};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::neo4j::{Explained, Notice};
use crate::graph::{GraphError, GraphStore as _, Neo4j};
use crate::spec::{Analysis, Engine};
use crate::topic::kafka::Kafka;

/// What the servers say.
#[derive(Debug, Default)]
pub struct Asked {
    /// The servers with their versions, for people; empty where one does not answer.
    pub servers: Vec<String>,
    /// What is wrong or doubtful.
    pub findings: Vec<Diagnostic>,
}

/// Asks the servers that the file names: whether they answer, whether the topic is there and fits, whether the statements can
/// be run, and whether they have the procedures. Nothing is made or written.
pub async fn ask(plan: &Plan, options: &Options) -> Asked {
    let Asked { servers, findings } = ask_all(plan, options).await;
    let Fault(findings) = Fault(findings).in_cluster(&plan.pipeline.spec.infrastructure, &[]);
    Asked { servers, findings }
}

async fn ask_all(plan: &Plan, options: &Options) -> Asked {
    let mut asked = Asked::default();
    let Servers { kafka, neo4j, worker, forwards: _open } = match deploy::servers(plan, options).await {
        Ok(servers) => servers,
        Err(Fault(findings)) => return Asked { findings, ..asked },
    };
    asked.servers.push(format!("Kafka cluster {}", kafka.id().unwrap_or("without an id")));
    asked.servers.push(neo4j.engine());
    asked.findings.extend(topic(plan, &kafka).await);
    asked.findings.extend(statements(plan, &neo4j).await);
    match neo4j.gds_version().await {
        Ok(version) => {
            let named = version.as_deref().map_or("no Graph Data Science".to_owned(), |v| format!("GDS {v}"));
            asked.servers.push(named);
            asked.findings.extend(procedures(plan, &neo4j, version.is_some()).await);
        }
        Err(error) => asked.findings.extend(Fault::from(error).0),
    }
    if let Some(worker) = worker
        && let Err(Fault(findings)) = worker.open().await
    {
        asked.findings.extend(findings);
    }
    asked
}

/// Whether the topic is there and fits; one that is not there will be made.
async fn topic(plan: &Plan, kafka: &Kafka) -> Vec<Diagnostic> {
    match kafka.inspect_topic(&plan.pipeline.spec.topic).await {
        Ok(state) => state.as_ref().map(fault::topic).unwrap_or_default(),
        Err(error) => Fault::from(error).0,
    }
}

/// What the server says about the mapping and the queries.
async fn statements(plan: &Plan, neo4j: &Neo4j) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mapping = &plan.pipeline.spec.mapping;
    let at = Path::of("spec.mapping");
    let written = mapping.cypher.as_deref().map(|text| (at.key("cypher"), text));
    let explained = neo4j.explain_mapping(&plan.mapping.schema.statement).await;
    findings.extend(said(&at, written.as_ref(), explained));
    for (index, analysis) in plan.pipeline.spec.analyses.iter().enumerate() {
        if let Some(cypher) = &analysis.cypher {
            let at = Path::of("spec.analyses").index(index);
            let written = (at.key("cypher"), cypher.as_str());
            findings.extend(said(&at, Some(&written), neo4j.explain(cypher).await));
        }
    }
    findings
}

/// What the server says about one statement; `written` is its text in the file, where it stands there as it is.
fn said(
    at: &Path,
    written: Option<&(Path, &str)>,
    explained: Result<Explained, GraphError>,
) -> Vec<Diagnostic> {
    let place = |finding: Diagnostic, position: Option<(usize, usize)>| match (written, position) {
        (Some((path, text)), Some(position)) => {
            let start = offset(text, position);
            finding.within(path.clone(), start..start + word(text, start))
        }
        (Some((path, _)), None) => finding.at(path.clone()),
        (None, _) => finding.at_key(at.clone()),
    };
    match explained {
        Ok(Explained { notices, .. }) => notices
            .into_iter()
            .filter(|notice| notice.is_warning && !is_about_a_run(notice))
            .map(|notice| place(Diagnostic::new(Code::ServerNotice, notice.message), notice.position))
            .collect(),
        Err(GraphError::Statement { message, position }) => {
            vec![place(Diagnostic::new(Code::StatementFailed, message), position)]
        }
        Err(error) => Fault::from(error).0,
    }
}

/// Labels, types and properties that the server does not know yet, which before the first row are all of them; and parameters,
/// which only a run has.
fn is_about_a_run(notice: &Notice) -> bool {
    const ENDINGS: [&str; 4] = [
        "UnknownLabelWarning",
        "UnknownRelationshipTypeWarning",
        "UnknownPropertyKeyWarning",
        "ParameterNotProvided",
    ];
    ENDINGS.iter().any(|ending| notice.code.ends_with(ending))
}

/// Line and column, from 1 and in characters, as an offset in bytes.
fn offset(text: &str, (line, column): (usize, usize)) -> usize {
    let lines = text.split_inclusive('\n');
    let before: usize = lines.clone().take(line.saturating_sub(1)).map(str::len).sum();
    let within = lines.skip(line.saturating_sub(1)).take(1).flat_map(str::chars);
    before + within.take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

/// How long the word is that begins at an offset, at least one byte where there is one.
fn word(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    length.max(rest.chars().next().map_or(0, char::len_utf8))
}

/// Whether the server has the procedures that only a server can run.
async fn procedures(plan: &Plan, neo4j: &Neo4j, has_gds: bool) -> Vec<Diagnostic> {
    let analyses = &plan.pipeline.spec.analyses;
    let on_server = |analysis: &Analysis| match analysis.engine {
        Engine::Server => true,
        Engine::Auto => has_gds,
        Engine::Builtin => false,
    };
    let known = if has_gds { neo4j.procedures("gds.").await.unwrap_or_default() } else { Vec::new() };
    let mut findings = Vec::new();
    for (index, analysis) in analyses.iter().enumerate().filter(|(_, analysis)| on_server(analysis)) {
        let Some(name) = &analysis.gds else { continue };
        let procedure = format!("gds.{name}.{}", analysis.mode);
        if !known.contains(&procedure) {
            let finding = Diagnostic::new(Code::UnknownProcedure, format!("the server has no `{procedure}`"));
            let at = Path::of("spec.analyses").index(index).key("gds");
            findings.push(finding.at(at).help(if has_gds {
                "look for its name in the server's version of Graph Data Science"
            } else {
                "install the plugin graph-data-science, or leave `engine` out"
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_the_server_is_found_in_the_text() {
        let text = "MATCH (ä)\nCREATE (:Ö {a: tolower(ä.x)})";
        let start = offset(text, (2, 16));
        assert_eq!(text.get(start..start + word(text, start)), Some("tolower"));
        assert_eq!(offset(text, (9, 9)), text.len());
        assert_eq!(word(text, text.len()), 0);
    }
}
