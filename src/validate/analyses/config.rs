//! Rules for the `config` of a procedure, from the catalogue.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, did_you_mean};
use crate::spec::gds::{ConfigKey, ConfigKind, Procedure, Support};
use crate::spec::{Analysis, Engine, Projection, Spec};

use super::super::words;

pub(super) fn check(
    spec: &Spec,
    procedure: &Procedure,
    analysis: &Analysis,
    at: &Path,
    found: &mut Vec<Diagnostic>,
) {
    let is_server = analysis.engine == Engine::Server;
    let config = at.key("config");
    for (name, value) in &analysis.config {
        let at = config.key(name);
        match procedure.config_key(name) {
            None if is_server => {}
            None => found.push(unknown(procedure, name, &at)),
            Some(key) => {
                let mode = analysis.mode;
                if !key.modes.contains(&mode) {
                    found.push(other_mode(key, analysis, &at));
                } else if !key.kind.accepts(value) {
                    found.push(invalid(key, value, &at));
                } else {
                    supported(spec, analysis, key, value, &at, found);
                    if let Some(project) = &analysis.project {
                        projected(key, value, project, &at, found);
                    }
                }
            }
        }
    }
    missing(procedure, analysis, &config, found);
}

fn unknown(procedure: &Procedure, name: &str, at: &Path) -> Diagnostic {
    let known = || procedure.config_keys().map(|key| key.name);
    let finding = Diagnostic::new(
        Code::UnknownConfig,
        format!("`{}` has no configuration key `{name}`", procedure.name),
    )
    .at_key(at.clone());
    finding.help(did_you_mean(name, known()).unwrap_or_else(|| words::all("known", known())))
}

fn other_mode(key: &ConfigKey, analysis: &Analysis, at: &Path) -> Diagnostic {
    let mode = analysis.mode;
    let modes: Vec<String> = key.modes.iter().map(|mode| format!("`mode: {mode}`")).collect();
    Diagnostic::new(Code::UnknownConfig, format!("`{}` has no place in `mode: {mode}`", key.name))
        .at_key(at.clone())
        .help(format!("it belongs to {}", modes.join(" and ")))
}

fn invalid(key: &ConfigKey, value: &Value, at: &Path) -> Diagnostic {
    let finding =
        Diagnostic::new(Code::InvalidConfig, format!("`{}` must be {}", key.name, key.kind)).at(at.clone());
    let finding = match key.kind {
        ConfigKind::Node | ConfigKind::Nodes => {
            finding.help("a node is written by its label and a property: `{ label: Location, name: 159 }`")
        }
        ConfigKind::OneOf(names) => {
            match value.as_str().and_then(|text| did_you_mean(text, names.iter().copied())) {
                Some(meant) => finding.help(meant),
                None => finding,
            }
        }
        _ => finding,
    };
    finding.help(format!("`{}`: {}", key.name, words::clause(key.meaning)))
}

/// Keys of which the built-in engine has only the default.
fn supported(
    spec: &Spec,
    analysis: &Analysis,
    key: &ConfigKey,
    value: &Value,
    at: &Path,
    found: &mut Vec<Diagnostic>,
) {
    let is_default = key.default.is_some_and(|default| default.to_json() == *value);
    let has_server = spec.infrastructure.external.is_some() || spec.infrastructure.kubernetes.is_some();
    let is_builtin = analysis.engine == Engine::Builtin || !has_server;
    if key.support == Support::OnlyDefault && is_builtin && !is_default {
        let only =
            key.default.map_or_else(|| "not at all".to_owned(), |default| format!("only as {default}"));
        found.push(
            Diagnostic::new(Code::InvalidConfig, format!("the built-in engine takes `{}` {only}", key.name))
                .at(at.clone())
                .help(format!("`{}`: {}", key.name, words::clause(key.meaning))),
        );
    }
}

/// Whether the projection holds what a key refers to.
fn projected(key: &ConfigKey, value: &Value, project: &Projection, at: &Path, found: &mut Vec<Diagnostic>) {
    match (key.kind, value) {
        (ConfigKind::RelationshipProperty, Value::String(property)) => weight(property, project, at, found),
        (ConfigKind::Nodes, Value::Array(nodes)) => {
            for (index, node) in nodes.iter().enumerate() {
                reference(node, project, &at.index(index), found);
            }
        }
        (ConfigKind::Node | ConfigKind::Nodes, node) => reference(node, project, at, found),
        _ => {}
    }
}

fn weight(property: &str, project: &Projection, at: &Path, found: &mut Vec<Diagnostic>) {
    let projection = above(at).key("project").key("relationships");
    if project.relationships.is_empty() {
        found.push(
            Diagnostic::new(
                Code::NotProjected,
                format!("no relationships are projected, so none has `{property}`"),
            )
            .at(at.clone())
            .related(Location::At(projection.clone(), Part::Key), "nothing is projected here")
            .help(format!("write `relationships: {{ TYPE: {{ properties: [{property}] }} }}`")),
        );
    }
    for (kind, relationship) in &project.relationships {
        if relationship.properties.iter().any(|known| known == property) {
            continue;
        }
        let finding = Diagnostic::new(
            Code::NotProjected,
            format!("the projection of `{kind}` holds no property `{property}`"),
        )
        .at(at.clone())
        .related(Location::At(projection.key(kind), Part::Key), "projected here");
        let known = relationship.properties.iter().map(String::as_str);
        let help = did_you_mean(property, known);
        found.push(
            finding.help(help.unwrap_or_else(|| format!("write `{kind}: {{ properties: [{property}] }}`"))),
        );
    }
}

/// A node that is named by its label and a property.
fn reference(node: &Value, project: &Projection, at: &Path, found: &mut Vec<Diagnostic>) {
    let Value::Object(keys) = node else {
        found.push(
            Diagnostic::new(
                Code::InvalidConfig,
                "a number is a database's own id of a node, and another in each database",
            )
            .at(at.clone())
            .help("name the node by its label and a property: `{ label: Location, name: 159 }`"),
        );
        return;
    };
    let Some(Value::String(label)) = keys.get("label") else {
        found.push(
            Diagnostic::new(
                Code::InvalidConfig,
                "a node is named by its label and a property, and the label is missing",
            )
            .at(at.clone())
            .help("`{ label: Location, name: 159 }`"),
        );
        return;
    };
    if keys.len() < 2 {
        found.push(
            Diagnostic::new(
                Code::InvalidConfig,
                format!("which `{label}` is meant? a property that tells is missing"),
            )
            .at(at.clone())
            .help(format!("`{{ label: {label}, name: 159 }}`")),
        );
    }
    let known = || project.nodes.iter().map(String::as_str);
    if !known().any(|projected| projected == label || projected == "*") {
        let help = did_you_mean(label, known()).unwrap_or_else(|| words::all("projected", known()));
        found.push(
            Diagnostic::new(
                Code::NotProjected,
                format!("the projection holds no nodes with the label `{label}`"),
            )
            .at(at.key("label"))
            .related(Location::At(above(at).key("project").key("nodes"), Part::Value), "projected here")
            .help(help),
        );
    }
}

/// The path of the analysis that a path below it belongs to: `spec.analyses[n]`.
fn above(at: &Path) -> Path {
    const DEPTH: usize = 3;
    at.steps().iter().take(DEPTH).fold(Path::root(), |path, step| path.then(step.clone()))
}

fn missing(procedure: &Procedure, analysis: &Analysis, at: &Path, found: &mut Vec<Diagnostic>) {
    let mode = analysis.mode;
    let required = procedure.config_keys().filter(|key| key.required && key.modes.contains(&mode));
    for key in required.filter(|key| !analysis.config.contains_key(key.name)) {
        found.push(
            Diagnostic::new(
                Code::MissingConfig,
                format!("`{}` needs the configuration key `{}`", procedure.name, key.name),
            )
            .at_key(at.clone())
            .help(format!("`{}`: {}", key.name, words::clause(key.meaning))),
        );
    }
}
