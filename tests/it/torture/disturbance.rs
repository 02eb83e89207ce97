//! What may befall a run, chosen by a seed.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bed::{Bed, Case, Lengths, before};
use crate::harness::Running;
use crate::proxy::{Proxy, Way};

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// SIGKILL of the program.
    Kill,
    /// SIGSTOP of the program, another run to its end, SIGCONT.
    Freeze,
    /// SIGKILL of a server, and a new start.
    Broker,
    Graph,
    /// The network of a server is cut, is slow, or ends in the middle of a message.
    Network(Server, Trouble),
    /// Two runs at the same time.
    Twice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Kafka,
    Neo4j,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Cut,
    Delay,
    Truncate,
}

use Server::{Kafka, Neo4j};
use Trouble::{Cut, Delay, Truncate};
use What::{Broker, Freeze, Graph, Kill, Network, Twice};

/// The kinds: what happens, and in which stage. They take turns, so that as many seeds in a row have each of them once.
const KINDS: [(What, &str); 20] = [
    (Kill, "validate"),
    (Kill, "deploy"),
    (Kill, "stream"),
    (Kill, "analyse"),
    (Kill, "report"),
    (Freeze, "stream"),
    (Twice, "validate"),
    (Network(Neo4j, Cut), "stream"),
    (Network(Kafka, Cut), "stream"),
    (Network(Neo4j, Truncate), "stream"),
    (Network(Kafka, Truncate), "stream"),
    (Broker, "stream"),
    (Graph, "stream"),
    // From here on in the long version alone.
    (Network(Neo4j, Delay), "stream"),
    (Network(Kafka, Delay), "stream"),
    (Graph, "deploy"),
    (Graph, "analyse"),
    (Network(Neo4j, Cut), "deploy"),
    (Network(Kafka, Cut), "deploy"),
    (Network(Neo4j, Cut), "analyse"),
];

/// The seeds of the short version.
pub const SHORT: u64 = 13;

/// What happens, and when.
#[derive(Debug)]
pub struct Disturbance {
    what: What,
    stage: &'static str,
    /// So long after the stage before has ended.
    after: Duration,
    extent: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Disturbed {
    /// Whether the run was over before.
    too_late: bool,
    /// Whether the run ended well all the same.
    pub ended_well: bool,
    /// Why it did not.
    fault: Option<String>,
    /// Whether a frozen run kept its successor waiting by an open transaction, until it was thawed.
    waited_for: bool,
    pub retries: u64,
    pub duplicates: u64,
}

impl Disturbance {
    /// The moment is chosen within the stage, as long as that takes where nothing disturbs it.
    pub fn of(seed: u64, lengths: &Lengths) -> Self {
        let kinds = u64::try_from(KINDS.len()).unwrap();
        let (what, stage) = KINDS[usize::try_from(seed % kinds).unwrap()];
        let mut random = fastrand::Rng::with_seed(seed);
        Self { what, stage, after: lengths.of(stage).mul_f64(random.f64()), extent: random.u64(0..200_000) }
    }

    /// The kind, for the tally.
    pub fn kind(&self, disturbed: &Disturbed) -> String {
        let late = if disturbed.too_late { ", too late" } else { "" };
        format!("{:?} in {}{late}", self.what, self.stage)
    }

    /// Starts a run and disturbs it; returns when it has ended, and all is well again.
    pub fn befall(&self, bed: &mut Bed, case: &Case) -> Disturbed {
        let mut run = bed.start(case, "first");
        let mut disturbed = Disturbed::default();
        if before(self.stage).is_none_or(|before| run.until(before)) {
            sleep(self.after);
        }
        disturbed.too_late = !run.is_alive();
        match self.what {
            Kill | Freeze if disturbed.too_late => {}
            Kill => run.child.kill().unwrap(),
            Freeze => Self::freeze(bed, case, &run, &mut disturbed),
            Broker => {
                bed.kafka.kill();
                bed.kafka.restart();
            }
            Graph => {
                bed.neo4j.kill();
                bed.neo4j.restart();
            }
            Network(server, trouble) => self.trouble(server.proxy(bed), trouble),
            Twice => disturbed.note(&mut bed.start(case, "second"), case, "second"),
        }
        disturbed.note(&mut run, case, "first");
        bed.mend();
        disturbed
    }

    /// Stops a run, lets another one run, and wakes the first one.
    fn freeze(bed: &Bed, case: &Case, run: &Running, disturbed: &mut Disturbed) {
        run.signal("-STOP");
        let mut second = bed.start(case, "second");
        let begun = Instant::now();
        while second.is_alive() && !disturbed.waited_for {
            sleep(Duration::from_millis(20));
            disturbed.waited_for = begun.elapsed() > Duration::from_mins(1);
        }
        run.signal("-CONT");
        disturbed.note(&mut second, case, "second");
    }

    fn trouble(&self, proxy: &Proxy, trouble: Trouble) {
        match trouble {
            Cut => {
                for _ in 0..3 {
                    proxy.cut();
                    sleep(Duration::from_millis(100 + self.extent / 1_000));
                }
            }
            Delay => {
                proxy.set(Way::Delay(Duration::from_millis(20 + self.extent / 2_000)));
                sleep(Duration::from_secs(2));
                proxy.cut();
                proxy.set(Way::Pass);
            }
            Truncate => proxy.set(Way::Truncate(usize::try_from(self.extent / 10).unwrap())),
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {} after {:.3} s", self.what, self.stage, self.after.as_secs_f64())
    }
}

impl Disturbed {
    /// Waits for a run's end and notes how it came.
    fn note(&mut self, run: &mut Running, case: &Case, name: &str) {
        let code = run.end();
        self.ended_well |= code == Some(0);
        if code.is_some_and(|code| code != 0) {
            self.fault = run.said.iter().find(|line| line.starts_with("error")).cloned();
        }
        if let Some(report) = case.report_of(name) {
            self.retries += report["rows"]["retries"].as_u64().unwrap_or_default();
            self.duplicates += report["rows"]["duplicates"].as_u64().unwrap_or_default();
        }
    }
}

impl Server {
    fn proxy(self, bed: &Bed) -> &Proxy {
        match self {
            Self::Kafka => &bed.to_kafka,
            Self::Neo4j => &bed.to_neo4j,
        }
    }
}
