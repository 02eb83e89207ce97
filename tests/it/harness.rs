//! The program as a user starts it, in a folder of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{Float64Array, Int64Array};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use serde_json::Value;
use tempfile::TempDir;

/// A run that says nothing for so long hangs: it waits for a server that is away as long as `stream.patienceSeconds` says.
const HANGS_AFTER: Duration = Duration::from_mins(8);

/// The folder of the examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines")
}

/// The path of an example, as an argument.
pub fn example(name: &str) -> String {
    examples().join(name).display().to_string()
}

/// What the program left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The same, where the exit code is as expected; a panic with all that was said, where it is not.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text) || self.stdout.contains(text),
            "no `{text}` in\n{}{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A folder with pipeline files and their state, and the program in it.
pub struct Desk {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub fn with_variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a parquet file of `rows` trips; every `unkeyed`th has no start.
    pub fn trips(&self, name: &str, first: i64, rows: i64, unkeyed: i64) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let numbers = first..first + rows;
        let from = numbers.clone().map(|n| (n % unkeyed != unkeyed - 1).then_some(n * 7 % 53));
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from_iter_values(numbers.clone())) as _),
            ("from_zone", Arc::new(from.collect::<Int64Array>()) as _),
            ("to_zone", Arc::new(Int64Array::from_iter_values(numbers.clone().map(|n| n * 11 % 59))) as _),
            ("distance", Arc::new(distances(numbers)) as _),
        ])
        .unwrap();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    /// The program with arguments, not yet started; of this process's variables it sees none but the path.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("RUNNER_STATE_DIR", self.path("state"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub fn runner(&self, arguments: &[&str]) -> Outcome {
        outcome(self.start(arguments))
    }

    /// Starts the program, and hears what it says on the way.
    pub fn follow(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).stdout(Stdio::null()).spawn().unwrap();
        let words = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in words.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Running { child, lines, said: Vec::new() }
    }

    /// The program with something on its standard input.
    pub fn runner_reads(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        outcome(child)
    }

    /// The last report of a pipeline's state.
    pub fn report(&self, pipeline: &str) -> Value {
        let text = fs::read(self.path("state").join(pipeline).join("report/report.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// A run that goes on, and what it says.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
    pub said: Vec<String>,
}

impl Running {
    /// Waits until a stage is over; says whether it came to that.
    pub fn until(&mut self, stage: &str) -> bool {
        let (done, unchanged) = (format!("{stage}: done"), format!("{stage}: unchanged"));
        self.hears(|line| line.starts_with(&done) || line.starts_with(&unchanged))
    }

    /// Waits for a line; says whether it came.
    pub fn hears(&mut self, is_it: impl Fn(&str) -> bool) -> bool {
        while let Ok(line) = self.lines.recv_timeout(HANGS_AFTER) {
            let is_it = is_it(&line);
            self.said.push(line);
            if is_it {
                return true;
            }
        }
        false
    }

    pub fn signal(&self, signal: &str) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
    }

    /// Waits for its end: the exit code, where it came to have one.
    pub fn end(&mut self) -> Option<i32> {
        let until = Instant::now() + HANGS_AFTER;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it hangs: {:#?}", self.said),
            }
        }
        let code = self.child.wait().unwrap().code();
        assert_ne!(code, Some(101), "it panicked: {:#?}", self.said);
        code
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    /// A test that failed leaves no run behind.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for the program's end.
pub fn outcome(child: Child) -> Outcome {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A seventh of each number.
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn distances(numbers: std::ops::Range<i64>) -> Float64Array {
    numbers.map(|number| Some(number as f64 / 7.0)).collect()
}
