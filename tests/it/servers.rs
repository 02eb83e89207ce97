//! Real servers of the test bed (`tests/testbed/`). A server that is started is stopped: by `Drop`, and where this process
//! ends in any other way, by its supervisor, whose standard input ends then.

mod connect;
mod kafka;
mod neo4j;
mod tests;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

pub use connect::Connect;
pub use kafka::{Kafka, KafkaOptions, KafkaVersion, Received, Transaction};
pub use neo4j::{Certificate, EmptyNeo4j, Neo4j, Neo4jOptions, Neo4jVersion};

/// The password of Neo4j's `neo4j`, and of Kafka's `runner`.
pub const PASSWORD: &str = "runner-dev-password";

/// A server under its supervisor, `tests/testbed/server run`.
pub struct Server {
    kind: &'static str,
    options: Vec<String>,
    facts: HashMap<String, String>,
    supervisor: Option<(Child, ChildStdin)>,
}

impl Server {
    /// Starts a server with the script's `NAME=VALUE` options and waits until it answers.
    pub fn start(kind: &'static str, mut options: Vec<String>) -> Self {
        options.push("quick=yes".to_owned());
        let mut server = Self { kind, options, facts: HashMap::new(), supervisor: None };
        server.launch("new");
        server
    }

    fn launch(&mut self, folder: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/server");
        let mut command = Command::new(script);
        command.args(["run", self.kind, folder]).args(&self.options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let words = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<String> =
            words.lines().map_while(Result::ok).take_while(|line| line != "ready").collect();
        assert!(!lines.is_empty(), "{} did not start: {:?}", self.kind, child.wait());
        self.facts = lines.iter().filter_map(|line| line.split_once('=')).map(owned).collect();
        self.supervisor = Some((child, stdin));
    }

    /// What the script says of the server: its ports as `127.0.0.1:PORT`, `pid`, `folder`, `certificates`.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).unwrap_or_else(|| panic!("{} says nothing of {name}", self.kind))
    }

    /// The folder of its settings, its log and its data.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(self.fact("folder"))
    }

    /// The folder of the certificates: `ca.crt`, and key, certificate and both as `client.key`, `client.crt`, `client.pem`.
    pub fn certificates(&self) -> PathBuf {
        PathBuf::from(self.fact("certificates"))
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, self.fact("pid")]).status().unwrap();
        assert!(sent.success(), "{} is not there", self.kind);
    }

    fn until_it_ends(&mut self) {
        if let Some((mut supervisor, _stdin)) = self.supervisor.take() {
            supervisor.wait().unwrap();
        }
    }

    /// Ends it by SIGKILL; what it has written stays.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        self.until_it_ends();
    }

    /// Ends it by SIGTERM, in its own time.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        self.until_it_ends();
    }

    /// Stops its clock by SIGSTOP: it takes connections, and does not answer.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Goes on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Starts it again where it has ended: the same ports, the same state.
    pub fn restart(&mut self) {
        assert!(self.supervisor.is_none(), "{} still runs", self.kind);
        let folder = self.fact("folder").to_owned();
        self.launch(&folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut supervisor, stdin)) = self.supervisor.take() {
            drop(stdin);
            drop(supervisor.wait());
        }
        // Its supervisor has removed it, unless one of the two was killed.
        if let Some(folder) = self.facts.get("folder") {
            drop(fs::remove_dir_all(folder));
        }
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A name that no other test of this run has: `trips` becomes `trips-7`.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until something holds, at most so long.
#[track_caller]
pub fn until(most: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let step = Duration::from_millis(20);
    for _ in 0..most.as_millis() / step.as_millis() {
        if holds() {
            return;
        }
        sleep(step);
    }
    panic!("not within {most:?}: {what}");
}

/// Runs a future to its end, also where this thread runs another.
pub fn wait_for<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(future)
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
