//! What may befall a run, chosen by a seed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bed::{Bed, Case};
use crate::harness::Running;
use crate::proxy::{Proxy, Way};

/// How many kinds there are: as many seeds in a row have each of them.
const KINDS: u64 = 12;
/// How long a run takes at least for its rows, and for each of them; the moment of a disturbance is chosen below this.
const LONGEST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_micros(100));

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

/// What happens, and when: so long after the stage before has ended.
#[derive(Debug)]
pub struct Disturbance {
    what: What,
    behind: Option<&'static str>,
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
    pub fn of(seed: u64, rows: u32) -> Self {
        use What::{Broker, Freeze, Graph, Kill, Network, Twice};
        let mut random = fastrand::Rng::with_seed(seed);
        let trouble = match seed / KINDS % 3 {
            0 => Trouble::Cut,
            1 => Trouble::Delay,
            _ => Trouble::Truncate,
        };
        let (what, behind) = match seed % KINDS {
            0 => (Kill, None),
            1 => (Kill, Some("validate")),
            2 | 9 => (Kill, Some("deploy")),
            3 | 10 => (Freeze, Some("deploy")),
            4 => (Broker, Some("deploy")),
            5 => (Graph, Some("deploy")),
            6 => (Network(Server::Kafka, trouble), Some("deploy")),
            7 => (Network(Server::Neo4j, trouble), Some("deploy")),
            8 => (Twice, None),
            // The last kind has four faces: the ends of a run, and a bad network from its start.
            _ => match seed / KINDS % 4 {
                0 => (Network(Server::Kafka, trouble), Some("validate")),
                1 => (Kill, Some("stream")),
                2 => (Network(Server::Neo4j, trouble), Some("validate")),
                _ => (Kill, Some("analyse")),
            },
        };
        let longest = LONGEST.0 + LONGEST.1 * rows;
        // The first stage and the last ones are short.
        let longest = match (what, behind) {
            (Kill, None | Some("stream")) => LONGEST.0 / 5,
            (Kill, Some("analyse")) => LONGEST.0 / 100,
            _ => longest,
        };
        Self { what, behind, after: longest.mul_f64(random.f64()), extent: random.u64(0..200_000) }
    }

    /// The kind, for the tally.
    pub fn kind(&self, disturbed: &Disturbed) -> String {
        let stage = self.behind.map_or("from the start".to_owned(), |stage| format!("behind {stage}"));
        let late = if disturbed.too_late { ", too late" } else { "" };
        format!("{:?} {stage}{late}", self.what)
    }

    /// Starts a run and disturbs it; returns when it has ended, and all is well again.
    pub fn befall(&self, bed: &mut Bed, case: &Case) -> Disturbed {
        let mut run = bed.start(case, "first");
        let mut disturbed = Disturbed::default();
        if self.behind.is_none_or(|stage| run.until(stage)) {
            sleep(self.after);
        }
        disturbed.too_late = !run.is_alive();
        match self.what {
            What::Kill | What::Freeze if disturbed.too_late => {}
            What::Kill => run.child.kill().unwrap(),
            What::Freeze => Self::freeze(bed, case, &run, &mut disturbed),
            What::Broker => {
                bed.kafka.kill();
                bed.kafka.restart();
            }
            What::Graph => {
                bed.neo4j.kill();
                bed.neo4j.restart();
            }
            What::Network(server, trouble) => self.trouble(server.proxy(bed), trouble),
            What::Twice => disturbed.note(&mut bed.start(case, "second"), case, "second"),
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
            sleep(Duration::from_millis(50));
            disturbed.waited_for = begun.elapsed() > Duration::from_mins(1);
        }
        run.signal("-CONT");
        disturbed.note(&mut second, case, "second");
    }

    fn trouble(&self, proxy: &Proxy, trouble: Trouble) {
        match trouble {
            Trouble::Cut => {
                for _ in 0..3 {
                    proxy.cut();
                    sleep(Duration::from_millis(100 + self.extent / 1_000));
                }
            }
            Trouble::Delay => {
                proxy.set(Way::Delay(Duration::from_millis(20 + self.extent / 2_000)));
                sleep(Duration::from_secs(2));
                proxy.cut();
                proxy.set(Way::Pass);
            }
            Trouble::Truncate => proxy.set(Way::Truncate(usize::try_from(self.extent / 10).unwrap())),
        }
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
