//! `runner plan`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use super::cluster::ClusterArgs;
use super::document;
use super::exit::{CommandError, Exit};
use super::look::LookArgs;
use super::ui::Ui;
use crate::infrastructure::diff::FieldChange;
use crate::infrastructure::{Action, Conflict, Wave};
use crate::stages::Fault;
use crate::stages::plan::{self, Planned, Rows, Step, StepAction};

/// How long a value of a field may be shown.
const WIDEST: usize = 72;

/// Show what a run would do, and do nothing: objects in the cluster, field by field; the topic; constraints; rows.
///
/// The cluster is asked by a server-side dry run, so that what it fills in or refuses is in the answer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    #[command(flatten)]
    look: LookArgs,

    /// End with exit code 2 where a run would make, change or prune something; rows do not count.
    #[arg(long)]
    exit_code: bool,

    /// How the plan is written.
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Text for people.
    #[default]
    Text,
    /// JSON for programs.
    Json,
    /// Markdown for a pull request.
    Markdown,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let (document, checked) = match document::plan(ui, &runtime, &args.file) {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    let options = args.look.options(&args.cluster);
    let planned = match runtime.block_on(plan::plan(&checked, &options)) {
        Ok(planned) => planned,
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            return Ok(Exit::Failed);
        }
    };
    ui.data(&match args.output {
        Output::Text => text(&planned),
        Output::Markdown => markdown(&planned),
        Output::Json => format!("{}\n", serde_json::to_string_pretty(&planned).unwrap_or_default()),
    })?;
    Ok(if args.exit_code && planned.has_changes() { Exit::Changes } else { Exit::Done })
}

/// A line of a plan: its sign, and what it says.
type Line = (char, String);

fn lines(planned: &Planned) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in &planned.objects.0 {
        let id = &change.id;
        match &change.action {
            Action::Create => lines.push(('+', id.to_string())),
            Action::Change { fields, conflicts } => {
                lines.push(('~', id.to_string()));
                lines.extend(fields.iter().map(|field| (' ', format!("  {}", shown(field)))));
                lines.extend(conflicts.iter().map(|conflict| (' ', format!("  {}", whose(conflict)))));
            }
            Action::Prune => lines.push(('-', id.to_string())),
            Action::Leave | Action::Keep => {}
        }
    }
    for Step { kind, name, action, notes } in &planned.servers {
        match action {
            StepAction::Create => lines.push(('+', format!("{kind} {name}"))),
            StepAction::Ensure => lines.push(('?', format!("{kind} {name}"))),
            StepAction::Leave => {}
        }
        lines.extend(notes.iter().map(|note| ('!', format!("{kind} {name}: {note}"))));
    }
    lines
}

/// Who has taken a field over, and what changes it back.
fn whose(Conflict { field, manager }: &Conflict) -> String {
    let field = field.trim_start_matches('.');
    format!("{field} is looked after by {manager}: `run --force-conflicts` takes it back")
}

fn shown(FieldChange { path, before, after }: &FieldChange) -> String {
    let value = |value: &Option<Value>| {
        let text = value.as_ref().map_or_else(|| "(none)".to_owned(), Value::to_string);
        match text.char_indices().nth(WIDEST) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    };
    format!("{path}: {} -> {}", value(before), value(after))
}

/// How many of each there are.
fn summary(planned: &Planned) -> String {
    let objects = &planned.objects;
    let steps = |wanted: StepAction| planned.servers.iter().filter(|step| step.action == wanted).count();
    let counts = [
        (objects.count(|action| *action == Action::Create) + steps(StepAction::Create), "to make"),
        (steps(StepAction::Ensure), "to make where they are not there"),
        (objects.count(|action| matches!(action, Action::Change { .. })), "to change"),
        (objects.count(|action| *action == Action::Prune), "to prune"),
        (objects.count(|action| *action == Action::Leave) + steps(StepAction::Leave), "as they are to be"),
        (objects.count(|action| *action == Action::Keep), "kept"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, words)| format!("{count} {words}")).collect();
    if planned.has_changes() { counts.join(", ") } else { format!("no changes; {}", counts.join(", ")) }
}

fn rows(Rows { files, at_most, loaded }: &Rows) -> String {
    let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    let loaded = loaded.map_or_else(|| "not known how many are".to_owned(), |loaded| format!("{loaded}"));
    format!("at most {at_most} in {files}; loaded: {loaded}")
}

/// Where the plan is for.
fn heading(planned: &Planned) -> String {
    let namespace = planned.objects.0.iter().find(|change| change.wave == Wave::Namespace);
    let place = namespace.map(|change| format!(", namespace {}", change.id.name)).unwrap_or_default();
    format!("{} on {}{place}", planned.pipeline, planned.target)
}

/// The plan for people.
fn text(planned: &Planned) -> String {
    let mut text = format!("{}\n\n", heading(planned));
    let lines = lines(planned);
    for (sign, words) in &lines {
        let _ = writeln!(text, "  {sign} {words}");
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    if let Some(found) = &planned.rows {
        let _ = writeln!(text, "rows     {}", rows(found));
    }
    if let Some(unknown) = &planned.unknown {
        let _ = writeln!(text, "unknown  what the servers hold: {unknown}");
    }
    let _ = writeln!(text, "plan     {}", summary(planned));
    text
}

/// The plan for a pull request: what forges colour as a difference.
fn markdown(planned: &Planned) -> String {
    let mut text = format!("### Plan: {}\n\n{}\n", heading(planned), summary(planned));
    let lines = lines(planned);
    if !lines.is_empty() {
        text.push_str("\n```diff\n");
        for (sign, words) in &lines {
            let sign = if *sign == '~' { '!' } else { *sign };
            let _ = writeln!(text, "{sign} {words}");
        }
        text.push_str("```\n");
    }
    if let Some(found) = &planned.rows {
        let _ = writeln!(text, "\nRows: {}", rows(found));
    }
    if let Some(unknown) = &planned.unknown {
        let _ = writeln!(text, "\nWhat the servers hold is not known: {unknown}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::infrastructure::{Change, Changes, Id};

    fn planned() -> Planned {
        let change = |wave: Wave, kind: &str, name: &str, action: Action| {
            let namespace = (wave != Wave::Namespace).then(|| "trips".to_owned());
            let id = Id { api_version: "v1".into(), kind: kind.into(), namespace, name: name.into() };
            Change { id, wave, action }
        };
        let field = |path: &str, before: Value, after: Value| FieldChange {
            path: path.into(),
            before: Some(before).filter(|value| !value.is_null()),
            after: Some(after).filter(|value| !value.is_null()),
        };
        let fields = vec![
            field("spec.replicas", json!(1), json!(3)),
            field(
                "spec.template.spec.containers[kafka].env[A]",
                json!({ "name": "A", "value": "x".repeat(90) }),
                json!(null),
            ),
        ];
        let conflicts = vec![Conflict { field: ".spec.replicas".into(), manager: "kubectl-edit".into() }];
        let step = |kind, name: &str, action| Step { kind, name: name.into(), action, notes: Vec::new() };
        Planned {
            pipeline: "trips".into(),
            target: "kubernetes".into(),
            objects: Changes(vec![
                change(Wave::Namespace, "Namespace", "trips", Action::Leave),
                change(Wave::Settings, "Secret", "trips-neo4j-auth", Action::Create),
                change(Wave::Servers, "StatefulSet", "trips-kafka", Action::Change { fields, conflicts }),
                change(Wave::Network, "Service", "trips-connect", Action::Prune),
                change(Wave::Settings, "PersistentVolumeClaim", "data-trips-connect-0", Action::Keep),
            ]),
            servers: vec![
                step("topic", "trips, 3 partitions", StepAction::Leave),
                step("constraint", "CREATE CONSTRAINT a", StepAction::Create),
            ],
            unknown: None,
            rows: Some(Rows { files: 2, at_most: 3_627_882, loaded: Some(1_530) }),
        }
    }

    #[test]
    fn a_plan_shows_what_changes_and_counts_the_rest() {
        insta::assert_snapshot!(text(&planned()));
    }

    #[test]
    fn a_plan_for_a_pull_request_is_a_difference() {
        insta::assert_snapshot!(markdown(&planned()));
    }

    #[test]
    fn a_plan_for_programs_names_each_object_with_its_action() {
        insta::assert_json_snapshot!(planned());
    }

    #[test]
    fn a_plan_without_changes_says_so() {
        let mut planned = planned();
        planned.objects.0.retain(|change| matches!(change.action, Action::Leave | Action::Keep));
        planned.servers.truncate(1);
        assert!(!planned.has_changes());
        assert!(text(&planned).ends_with("plan     no changes; 2 as they are to be, 1 kept\n"));
    }
}
