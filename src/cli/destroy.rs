//! `runner destroy`

use std::fmt::Write as _;
use std::path::PathBuf;

use super::cluster::ClusterArgs;
use super::document;
use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::infrastructure::destroy::{Data, Destruction, Kept};
use crate::infrastructure::{Id, ObjectEvent, ObjectState};
use crate::stages::destroy::Doomed;
use crate::stages::run::Options;
use crate::stages::{Fault, Origin, validate};

/// How many objects of others are named.
const SHOWN: usize = 5;

/// What is said where nobody can be asked.
const UNASKED: (&str, &str) =
    ("nobody can be asked whether these objects shall go", "`--yes` answers with yes");

/// Take away what runner has deployed to a cluster for a pipeline, after a question.
///
/// Volumes stay, and the password that opens them, unless `--delete-data` is given. What runner did not make is never touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Answer questions with yes.
    #[arg(long, short)]
    yes: bool,

    /// Delete the volumes, too, with all that Kafka and Neo4j hold.
    #[arg(long)]
    delete_data: bool,

    #[command(flatten)]
    cluster: ClusterArgs,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let origin = Origin::new(args.file.clone());
    let document = document::read(&origin);
    let failed = |Fault(findings): Fault| {
        document::show(ui, &document, &findings);
        Ok(Exit::Failed)
    };
    // The world that the file names is not looked at: its source may be gone.
    let (checkup, _) = runtime.block_on(validate::check(&document, &origin, true));
    let pipeline = match checkup.verdict(false) {
        Ok((pipeline, _)) => pipeline,
        Err(findings) => {
            document::show(ui, &document, &findings);
            return Ok(Exit::InvalidFile);
        }
    };
    let options = Options { access: args.cluster.access(), ..Options::default() };
    let data = if args.delete_data { Data::Delete } else { Data::Keep };
    let doomed = match runtime.block_on(Doomed::survey(&pipeline, &origin.base, &options, data)) {
        Ok(doomed) => doomed,
        Err(fault) => return failed(fault),
    };
    ui.words(&text(&doomed.destruction));
    if doomed.destruction.is_empty() {
        return Ok(Exit::Done);
    }
    let question = format!("take them away from {}?", doomed.address());
    if !args.yes && !ui.confirm(&question, UNASKED)? {
        ui.words("nothing was changed\n");
        return Ok(Exit::Failed);
    }
    let mut tell = |ObjectEvent { id, state }: ObjectEvent| {
        if state == ObjectState::Gone {
            ui.words(&format!("gone     {id}\n"));
        }
    };
    match runtime.block_on(doomed.destroy(&mut tell)) {
        Ok(()) => Ok(Exit::Done),
        Err(fault) => failed(fault),
    }
}

/// What goes and what stays.
fn text(destruction: &Destruction) -> String {
    let mut text = String::new();
    for id in destruction.goes() {
        let _ = writeln!(text, "  - {id}");
    }
    for (id, kept) in &destruction.stays {
        let _ = writeln!(text, "    {id} stays: {}", why(kept));
    }
    if destruction.is_empty() {
        let _ = writeln!(text, "there is nothing to take away");
    }
    text
}

fn why(kept: &Kept) -> String {
    match kept {
        Kept::Volume => "it holds data, which `--delete-data` deletes".to_owned(),
        Kept::Password => "it opens what the volumes hold".to_owned(),
        Kept::Common => "others may have put something in it: take it away by hand".to_owned(),
        Kept::NotOurs => "runner did not make it".to_owned(),
        Kept::HoldsKept => "what stays is in it".to_owned(),
        Kept::Unknown { message } => format!("it is not known what else is in it: {message}"),
        Kept::Inhabited { by } => {
            let names: Vec<String> = by.iter().take(SHOWN).map(Id::to_string).collect();
            let more = by.len().saturating_sub(SHOWN);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("others' objects are in it: {}{more}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_with_others_objects_names_some_of_them() {
        let id = |name: usize| Id::secret("trips", &format!("s{name}"));
        let kept = Kept::Inhabited { by: (0..7).map(id).collect() };
        assert_eq!(
            why(&kept),
            "others' objects are in it: Secret s0, Secret s1, Secret s2, Secret s3, Secret s4 and 2 more"
        );
    }
}
