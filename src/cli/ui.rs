//! What a person or a program sees: data on stdout, everything else on stderr.

use std::io::{self, BufRead as _, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use super::exit::{CommandError, Exit};
use crate::report::text::Terminal;

/// How wide lines are where there is no terminal to ask.
const PLAIN_WIDTH: usize = 100;

/// How results are written.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct OutputArgs {
    /// How results are written: for people, or for programs.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The forms of results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Text for people.
    #[default]
    Text,
    /// JSON for programs.
    Json,
}

impl OutputArgs {
    /// Whether programs read the output.
    pub fn json(self) -> bool {
        self.output == Output::Json
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams, with or without colour.
#[derive(Debug)]
pub struct Ui {
    color: ColorChoice,
}

impl Ui {
    /// The streams as the command line wants them.
    pub fn new(color: Color) -> Self {
        let color = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { color }
    }

    /// Whether a live display makes sense.
    #[expect(clippy::unused_self, reason = "the streams are the process's own")]
    pub fn is_live(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether data is read by a person as it comes.
    #[expect(clippy::unused_self, reason = "the streams are the process's own")]
    pub fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether what goes to stderr may have colours.
    pub fn colours(&self) -> bool {
        match self.color {
            ColorChoice::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        }
    }

    /// Whether a question can be asked.
    fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question, and says whether the answer was yes; where nobody can answer, `unasked` is the usage error: what, and what to do.
    pub fn confirm(&self, question: &str, (what, hint): (&str, &str)) -> Result<bool, CommandError> {
        if !Self::can_ask() {
            return Err(CommandError::usage(what, hint));
        }
        self.words(&format!("{question} [y/N] "));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// The terminal that stdout is.
    #[expect(clippy::unused_self, reason = "the streams are the process's own")]
    pub fn terminal(&self) -> Terminal {
        let columns = terminal_size::terminal_size().map_or(PLAIN_WIDTH, |(width, _)| usize::from(width.0));
        // Styles are dropped on the way out where they are not wanted.
        Terminal { columns, colour: true }
    }

    /// Where data goes; styles in it are kept or dropped as the command line wants.
    pub fn stdout(&self) -> impl Write {
        AutoStream::new(io::stdout().lock(), self.color)
    }

    /// Where words go.
    pub fn stderr(&self) -> impl Write {
        AutoStream::new(io::stderr().lock(), self.color)
    }

    /// Writes data.
    pub fn data(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = self.stdout();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Writes words.
    pub fn words(&self, text: &str) {
        // Where stderr is closed there is nobody to tell.
        let _ = self.stderr().write_all(text.as_bytes());
    }

    /// Tells why a command could not do its work.
    pub fn failed(&self, error: &CommandError) -> Exit {
        match error {
            // As `yes | head` does: no word, no success.
            CommandError::BrokenPipe => Exit::Failed,
            CommandError::Io { .. } => {
                self.words(&format!("error: {error}\n"));
                Exit::Failed
            }
            CommandError::Usage { hint, .. } => {
                self.words(&format!("error: {error}\nhint: {hint}\n"));
                Exit::Usage
            }
        }
    }
}
