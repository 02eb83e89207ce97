//! `runner dlq`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Value, json};

use super::cluster::ClusterArgs;
use super::document;
use super::exit::{CommandError, Exit};
use super::look::LookArgs;
use super::ui::{OutputArgs, Ui};
use crate::stages::Fault;
use crate::stages::dead_letters::{self, DeadLetter, Place};
use crate::stages::run::Options;
use crate::stages::validate::Plan;

/// Look at the records that could not be written, and produce them again.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    look: LookArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the dead letters, oldest first: place, row, reason.
    List {
        /// The pipeline file.
        file: PathBuf,

        /// How many at most.
        #[arg(short = 'n', long, default_value_t = 50)]
        letters: usize,

        #[command(flatten)]
        output: OutputArgs,
    },
    /// Print the value of one record as it stands, or all of it with `--output json`.
    Show {
        /// The pipeline file.
        file: PathBuf,

        /// The record's place in the topic: `PARTITION/OFFSET`.
        place: Named,

        #[command(flatten)]
        output: OutputArgs,
    },
    /// Produce records again, each once; the next run loads them.
    Replay {
        /// The pipeline file.
        file: PathBuf,

        /// The place of one record, `PARTITION/OFFSET`; without it, all.
        place: Option<Named>,

        /// A file with a JSON object that the record shall carry instead.
        #[arg(long, value_name = "FILE", requires = "place")]
        value: Option<PathBuf>,
    },
}

/// A record's place, as it is written on the command line.
#[derive(Debug, Clone, Copy)]
struct Named(Place);

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = || {
            let (partition, offset) = text.split_once('/')?;
            Some(Place { partition: partition.parse().ok()?, offset: offset.parse().ok()? })
        };
        place().map(Self).ok_or_else(|| "write `PARTITION/OFFSET`, such as `2/1048`".to_owned())
    }
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let (Command::List { file, .. } | Command::Show { file, .. } | Command::Replay { file, .. }) =
        &args.command;
    let (document, plan) = match document::plan(ui, &runtime, file) {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    let options = args.look.options(&args.cluster);
    match runtime.block_on(answer(&plan, &options, &args.command)) {
        Ok(text) => {
            ui.data(&text)?;
            Ok(Exit::Done)
        }
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            Ok(Exit::Failed)
        }
    }
}

/// Does what the command asks, and says what came of it.
async fn answer(plan: &Plan, options: &Options, command: &Command) -> Result<String, Fault> {
    match command {
        Command::List { letters, output, .. } => {
            let letters = dead_letters::list(plan, options, Some(*letters)).await?;
            Ok(if output.json() { json_lines(&letters) } else { table(&letters) })
        }
        Command::Show { place, output, .. } => {
            let letter = dead_letters::one(plan, options, place.0).await?;
            Ok(if output.json() {
                format!("{:#}\n", letter_json(&letter))
            } else {
                format!("{}\n", String::from_utf8_lossy(&letter.value))
            })
        }
        Command::Replay { place, value, .. } => {
            let place = place.map(|named| named.0);
            let done = dead_letters::replay(plan, options, place, value.as_deref()).await?;
            let mut text = format!("{} produced again", done.replayed);
            if done.already > 0 {
                let _ = write!(text, ", {} were produced again before", done.already);
            }
            Ok(text + "\n")
        }
    }
}

/// A letter for programs.
fn letter_json(letter: &DeadLetter) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = serde_json::from_slice(&letter.value).unwrap_or_else(|_| json!(text(&letter.value)));
    json!({
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "row": letter.origin.as_ref().map(|origin| origin.row.to_string()),
        "code": letter.code,
        "message": letter.message,
        "replayed": letter.replayed,
        "key": letter.key.as_deref().map(text),
        "value": value,
    })
}

/// One letter a line.
fn json_lines(letters: &[DeadLetter]) -> String {
    letters.iter().fold(String::new(), |mut lines, letter| {
        let _ = writeln!(lines, "{}", letter_json(letter));
        lines
    })
}

/// Letters for people.
fn table(letters: &[DeadLetter]) -> String {
    if letters.is_empty() {
        return "no dead letters\n".to_owned();
    }
    let line = |letter: &DeadLetter| {
        let Place { partition, offset } = letter.place;
        let row = letter.origin.as_ref().map_or_else(|| "-".to_owned(), |origin| origin.row.to_string());
        let replayed = if letter.replayed { "  replayed" } else { "" };
        format!("{partition}/{offset}  {row}  {} ({}){replayed}\n", letter.message, letter.code)
    };
    letters.iter().map(line).collect()
}
