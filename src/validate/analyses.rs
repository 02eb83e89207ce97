//! Rules for `analyses:`.

mod config;
mod projection;
mod written;

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, did_you_mean};
use crate::spec::gds::{self, Algorithm, Procedure};
use crate::spec::{Analysis, Assertion, Engine, Mode, Orientation, Plugin, Spec};

use super::{cypher, graph, words};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.analyses");
    super::unique(spec.analyses.iter().map(|analysis| analysis.name.as_str()), "analyses", &at, found);
    let made = graph::made(spec);
    for (index, analysis) in spec.analyses.iter().enumerate() {
        let at = at.index(index);
        match (&analysis.gds, &analysis.cypher) {
            (Some(_), Some(_)) => found.push(super::exclude(&at, "gds", "cypher")),
            (None, None) => found.push(
                Diagnostic::new(
                    Code::OneOf,
                    format!("the analysis `{}` needs `gds` or `cypher`", analysis.name),
                )
                .at(at.key("name"))
                .help("`gds: pageRank` names a procedure, `cypher: MATCH … RETURN …` asks a question"),
            ),
            (Some(name), None) => procedure(spec, analysis, name, &at, found),
            (None, Some(text)) => {
                query(analysis, &at, found);
                cypher::query(spec, text, made.as_ref(), &at.key("cypher"), found);
            }
        }
        if let Some(made) = &made {
            projection::check(analysis, made, &at, found);
        }
        written::check(&spec.mapping, analysis, &at, found);
        assertions(analysis, &analysis.assert, &at.key("assert"), found);
    }
}

/// What belongs to a procedure has no effect on a query.
fn query(analysis: &Analysis, at: &Path, found: &mut Vec<Diagnostic>) {
    let given = [
        ("project", analysis.project.is_some()),
        ("config", !analysis.config.is_empty()),
        ("mode", analysis.mode != Mode::Stream),
        ("identify", analysis.identify.is_some()),
        ("engine", analysis.engine != Engine::Auto),
    ];
    for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        found.push(
            Diagnostic::new(Code::UnusedKey, format!("`{key}` has no effect on a query"))
                .at_key(at.key(key))
                .related(Location::At(at.key("cypher"), Part::Key), "a query")
                .help("it belongs to `gds`"),
        );
    }
}

fn procedure(spec: &Spec, analysis: &Analysis, name: &str, at: &Path, found: &mut Vec<Diagnostic>) {
    if analysis.project.is_none() {
        found.push(
            Diagnostic::new(
                Code::MissingProjection,
                format!("`{name}` has no projection of the graph to work on"),
            )
            .at(at.key("gds"))
            .help("add `project: { nodes: [Label], relationships: { TYPE: {} } }`"),
        );
    }
    if analysis.engine == Engine::Server {
        server(spec, at, found);
    }
    match gds::find(name) {
        Some(procedure) => {
            mode(procedure, analysis, at, found);
            undirected(procedure, analysis, at, found);
            config::check(spec, procedure, analysis, at, found);
        }
        None if analysis.engine == Engine::Server => {}
        None => found.push(unknown(name, at)),
    }
}

fn server(spec: &Spec, at: &Path, found: &mut Vec<Diagnostic>) {
    let infrastructure = &spec.infrastructure;
    let Some(kubernetes) = &infrastructure.kubernetes else {
        if infrastructure.external.is_none() {
            found.push(
                Diagnostic::new(
                    Code::InvalidValue,
                    "`engine: server` needs a server, and the infrastructure is embedded",
                )
                .at(at.key("engine"))
                .help("use `engine: auto` or `engine: builtin`"),
            );
        }
        return;
    };
    let neo4j = &kubernetes.neo4j;
    if neo4j.existing.is_none() && neo4j.helm.is_none() && !neo4j.plugins.contains(&Plugin::GraphDataScience)
    {
        found.push(
            Diagnostic::new(
                Code::MissingPlugin,
                "`engine: server` needs Graph Data Science, which `neo4j.plugins` does not list",
            )
            .at(at.key("engine"))
            .related(
                Location::At(Path::of("spec.infrastructure.kubernetes.neo4j.plugins"), Part::Value),
                "the plugins",
            )
            .help("add `plugins: [graph-data-science]`, or use `engine: builtin`"),
        );
    }
}

/// Some algorithms are defined on undirected graphs only, and refuse others.
fn undirected(procedure: &Procedure, analysis: &Analysis, at: &Path, found: &mut Vec<Diagnostic>) {
    let is_undirected = matches!(
        procedure.algorithm,
        Algorithm::TriangleCount | Algorithm::LocalClusteringCoefficient | Algorithm::KCore
    );
    let relationships = analysis.project.iter().flat_map(|project| &project.relationships);
    for (kind, _) in
        relationships.filter(|(_, of)| is_undirected && of.orientation != Orientation::Undirected)
    {
        let at = at.key("project").key("relationships").key(kind);
        found.push(
            Diagnostic::new(
                Code::InvalidValue,
                format!("`{}` works on undirected relationships only", procedure.name),
            )
            .at_key(at)
            .help(format!("write `{kind}: {{ orientation: UNDIRECTED }}`")),
        );
    }
}

fn unknown(name: &str, at: &Path) -> Diagnostic {
    let finding =
        Diagnostic::new(Code::UnknownProcedure, format!("unknown procedure `{name}`")).at(at.key("gds"));
    let known = || gds::all().iter().map(|procedure| procedure.name);
    if let Some((bare, mode)) = name.rsplit_once('.')
        && let Some(procedure) = gds::find(bare)
        && matches!(mode, "stream" | "stats" | "write" | "mutate")
    {
        return finding
            .help(format!("the mode is a key of its own: `gds: {}` and `mode: {mode}`", procedure.name));
    }
    let help = did_you_mean(name, known()).unwrap_or_else(|| format!("known: {}", words::list(known())));
    finding.help(help).help("a procedure that only the server has needs `engine: server`")
}

fn mode(procedure: &Procedure, analysis: &Analysis, at: &Path, found: &mut Vec<Diagnostic>) {
    let mode = analysis.mode;
    if analysis.engine == Engine::Server || procedure.modes.contains(&mode) {
        return;
    }
    let modes: Vec<String> = procedure.modes.iter().map(ToString::to_string).collect();
    found.push(
        Diagnostic::new(Code::UnsupportedMode, format!("`{}` has no mode `{mode}`", procedure.name))
            .at(at.key("mode"))
            .help(format!("modes: {}", words::list(modes.iter().map(String::as_str)))),
    );
}

/// Rules for `assert`, of an analysis or of a test of it.
pub(super) fn assertions(
    analysis: &Analysis,
    assertions: &[Assertion],
    at: &Path,
    found: &mut Vec<Diagnostic>,
) {
    for (index, assertion) in assertions.iter().enumerate() {
        let at = at.index(index);
        let given = [
            ("rows", assertion.rows.is_some()),
            ("top", assertion.top.is_some()),
            ("value", assertion.value.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name);
        match (given.next(), given.next()) {
            (Some(first), Some(second)) => found.push(
                super::exclude(&at, first, second)
                    .help("write each as an entry of its own: `- rows: …` and `- top: …`"),
            ),
            (None, _) => found.push(
                Diagnostic::new(Code::OneOf, "an assertion needs one of `rows`, `top` and `value`")
                    .at(at.clone()),
            ),
            _ => {}
        }
        column(analysis, assertion, &at, found);
    }
}

fn column(analysis: &Analysis, assertion: &Assertion, at: &Path, found: &mut Vec<Diagnostic>) {
    let (Some(value), Some(procedure)) = (&assertion.value, analysis.gds.as_deref().and_then(gds::find))
    else {
        return;
    };
    // A server's own version of GDS may have columns that the catalogue does not, and so have the summaries of writes.
    let columns = match analysis.mode {
        _ if analysis.engine == Engine::Server => return,
        Mode::Write => return,
        Mode::Stream => procedure.stream_columns,
        Mode::Stats => procedure.stats_columns,
    };
    if columns.contains(&value.column.as_str()) {
        return;
    }
    let help = did_you_mean(&value.column, columns.iter().copied());
    found.push(
        Diagnostic::new(
            Code::UnknownColumn,
            format!("`{}` gives no column `{}`", procedure.name, value.column),
        )
        .at(at.key("value").key("column"))
        .help(help.unwrap_or_else(|| words::all("columns", columns.iter().copied()))),
    );
}
