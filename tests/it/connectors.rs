//! Kafka Connect on a real worker, with the sink that Kafka ships: Neo4j's is in no package registry.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use runner::topic::connect::{
    Connect, ConnectError, ConnectorConfig, Look, NEO4J_SINK, Patience, Secret, State, Submitted, left,
};
use runner::topic::kafka::{Connection, Kafka as Cluster, PATIENCE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::servers::{Connect as Worker, Kafka, unique};

const FILE_SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
/// The worker of the tests tells Kafka twice a second how far it is.
const PATIENT: Patience = Patience { away: Duration::from_mins(2), still: Duration::from_mins(2) };

fn worker() -> &'static Worker {
    static WORKER: LazyLock<Worker> = LazyLock::new(|| Worker::start(Kafka::shared()));
    &WORKER
}

/// A topic, and a sink that writes it to a file.
struct Case {
    connect: Connect,
    cluster: Cluster,
    name: String,
    folder: tempfile::TempDir,
}

impl Case {
    async fn new() -> Self {
        let (connect, _) = Connect::open(worker().url()).await.unwrap();
        let connection =
            Connection { bootstrap: Kafka::shared().address().to_owned(), ..Connection::default() };
        let cluster = Cluster::connect(&connection, PATIENCE).await.unwrap();
        let name = unique("connector");
        Kafka::shared().create(&name, 3);
        Self { connect, cluster, name, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("sunk")
    }

    fn config(&self, file: &Path) -> ConnectorConfig {
        let mut config = ConnectorConfig::new(&self.name, FILE_SINK);
        config.set("topics", &self.name);
        config.set("file", file.to_str().unwrap());
        config.set("tasks.max", "2");
        config.set("value.converter", "org.apache.kafka.connect.storage.StringConverter");
        config
    }

    /// Puts lines of those numbers into each partition.
    fn produce(&self, numbers: Range<u32>) {
        for partition in 0..3 {
            let lines: Vec<String> = numbers.clone().map(|number| format!("{partition}:{number}")).collect();
            Kafka::shared().produce(&self.name, partition, lines.iter().map(String::as_bytes));
        }
    }

    /// Follows to the topic's end.
    async fn follow(&self) -> Result<(), ConnectError> {
        self.follow_with(&self.connect, PATIENT, |_| {}).await
    }

    /// Follows on a worker, and hears of each look.
    async fn follow_with(
        &self,
        connect: &Connect,
        patience: Patience,
        tell: impl FnMut(Look<'_>),
    ) -> Result<(), ConnectError> {
        let marks = self.cluster.watermarks(&self.name).await.unwrap();
        let ends: BTreeMap<u32, u64> =
            marks.iter().map(|(partition, marks)| (*partition, marks.high)).collect();
        let left = async || left(&self.cluster, &self.name, &self.name, &ends).await;
        connect.follow(&self.name, patience, left, tell).await
    }

    /// How many lines are in the file. Kafka Connect delivers at least once: a line may be there again.
    fn sunk(&self) -> usize {
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        text.lines().collect::<HashSet<_>>().len()
    }
}

#[tokio::test]
async fn a_connector_is_made_followed_to_the_end_changed_and_deleted() {
    let case = Case::new().await;
    let connect = &case.connect;
    case.produce(0..100);
    let mut config = case.config(&case.file());
    connect.require(config.class()).await.unwrap();
    connect.validate(&config).await.unwrap();

    assert_eq!(connect.submit(&config).await.unwrap(), Submitted::Created);
    let status = connect.begin(&case.name, Submitted::Created).await.unwrap();
    assert_eq!((status.connector.state, status.tasks.len()), (State::Running, 2));
    case.follow().await.unwrap();
    assert_eq!(case.sunk(), 300);

    assert_eq!(connect.submit(&config).await.unwrap(), Submitted::Unchanged);
    config.set("tasks.max", "1");
    case.produce(100..110);
    assert_eq!(connect.submit(&config).await.unwrap(), Submitted::Updated);
    connect.begin(&case.name, Submitted::Updated).await.unwrap();
    case.follow().await.unwrap();
    assert_eq!(case.sunk(), 330);

    assert!(connect.delete(&case.name).await.unwrap());
    assert!(!connect.delete(&case.name).await.unwrap());
    assert!(matches!(connect.pause(&case.name).await, Err(ConnectError::Gone { .. })));
}

#[tokio::test]
async fn a_task_that_fails_is_a_fault_with_its_trace_and_works_once_its_configuration_is_mended() {
    let case = Case::new().await;
    let connect = &case.connect;
    case.produce(0..10);
    let config = case.config(&case.folder.path().join("no/such/folder"));
    connect.submit(&config).await.unwrap();
    let Err(error) = connect.begin(&case.name, Submitted::Created).await else { panic!("it runs") };
    let words = error.to_string();
    assert!(words.contains(&format!("of connector `{}` failed on worker `127.0.0.1:", case.name)), "{words}");
    assert!(words.contains("Couldn't find or create file"), "{words}");
    assert!(words.contains("NoSuchFileException: "), "{words}");
    assert_eq!(words.lines().count(), 1);
    let ConnectError::Failed { trace, task: Some(_), .. } = error else { panic!("{error:?}") };
    assert!(trace.contains("\tat org.apache.kafka.connect.file.FileStreamSinkTask.start"), "{trace}");
    assert!(matches!(case.follow().await, Err(ConnectError::Failed { .. })));

    // Unchanged, it is started again, and fails again for the same reason.
    assert_eq!(connect.submit(&config).await.unwrap(), Submitted::Unchanged);
    let again = connect.begin(&case.name, Submitted::Unchanged).await;
    assert!(matches!(again, Err(ConnectError::Failed { .. })), "{again:?}");

    let submitted = connect.submit(&case.config(&case.file())).await.unwrap();
    assert_eq!(submitted, Submitted::Updated);
    connect.begin(&case.name, submitted).await.unwrap();
    case.follow().await.unwrap();
    assert_eq!(case.sunk(), 30);
    connect.delete(&case.name).await.unwrap();
}

#[tokio::test]
async fn a_connector_that_rests_reads_nothing_and_goes_on_when_it_is_told_to() {
    let case = Case::new().await;
    let connect = &case.connect;
    let config = case.config(&case.file());
    connect.submit(&config).await.unwrap();
    connect.begin(&case.name, Submitted::Created).await.unwrap();
    // A task that is paused while it is given its partitions never commits what it reads of them: Kafka Connect's own fault.
    case.produce(0..5);
    case.follow().await.unwrap();
    connect.pause(&case.name).await.unwrap();
    let began = Instant::now();
    while connect
        .status(&case.name)
        .await
        .unwrap()
        .unwrap()
        .tasks
        .iter()
        .any(|task| task.state == State::Running)
    {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not pause");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    case.produce(5..10);
    let error = case.follow().await.unwrap_err();
    assert_eq!(error.to_string(), format!("connector `{}` was paused by somebody else", case.name));
    assert_eq!(case.sunk(), 15);

    assert_eq!(connect.submit(&config).await.unwrap(), Submitted::Unchanged);
    connect.begin(&case.name, Submitted::Unchanged).await.unwrap();
    case.follow().await.unwrap();
    assert_eq!(case.sunk(), 30);
    connect.delete(&case.name).await.unwrap();
    // The worker shows it a moment longer.
    let gone = connect.follow(&case.name, PATIENT, async || Ok(7), |_| {}).await;
    assert!(matches!(gone, Err(ConnectError::Gone { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_connector_that_gets_no_further_is_told_of() {
    let case = Case::new().await;
    let connect = &case.connect;
    // The sink writes into a pipe, of which nobody reads.
    let pipe = case.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    case.produce(0..20_000);
    connect.submit(&case.config(&pipe)).await.unwrap();
    connect.begin(&case.name, Submitted::Created).await.unwrap();
    let patience = Patience { still: Duration::from_secs(5), ..PATIENT };
    let mut looks = 0;
    let followed = case.follow_with(connect, patience, |_| looks += 1).await;
    let Err(error @ ConnectError::StandsStill { left, .. }) = &followed else { panic!("{followed:?}") };
    assert!((1..=60_000).contains(left), "{left}");
    let begins = format!("connector `{}` has not failed, and has got no further for", case.name);
    assert!(error.to_string().starts_with(&begins), "{error}");
    assert!(looks > 5, "{looks}");
    drop(reader);
    connect.delete(&case.name).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_is_away_for_a_while_is_waited_for() {
    let mut own = Worker::start(Kafka::shared());
    let (connect, _) = Connect::open(own.url()).await.unwrap();
    let case = Case::new().await;
    connect.submit(&case.config(&case.file())).await.unwrap();
    connect.begin(&case.name, Submitted::Created).await.unwrap();
    case.produce(0..100);
    own.server.kill();
    let mut away = 0;
    let followed = case.follow_with(&connect, PATIENT, |look| {
        if matches!(look, Look::Away(_)) {
            away += 1;
            if away == 3 {
                own.server.restart();
            }
        }
    });
    followed.await.unwrap();
    assert_eq!(case.sunk(), 300);
    connect.delete(&case.name).await.unwrap();
}

#[tokio::test]
async fn a_class_that_the_worker_has_not_and_a_configuration_that_the_connector_refuses_are_named() {
    let (connect, about) = Connect::open(worker().url()).await.unwrap();
    assert!(about.version.starts_with("3.9"));
    let error = connect.require(NEO4J_SINK).await.unwrap_err();
    let ConnectError::NoPlugin { installed, .. } = &error else { panic!("{error}") };
    assert!(installed.contains(&FILE_SINK.to_owned()));

    let mut config = ConnectorConfig::new("wrong", FILE_SINK);
    config.set("topics", "t");
    config.set_secret("tasks.max", Secret::Inline("hunter2".to_owned()));
    let error = connect.validate(&config).await.unwrap_err();
    let ConnectError::Invalid { problems } = &error else { panic!("{error}") };
    assert_eq!(problems[0].key, "tasks.max");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let error = connect.submit(&config).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { status: 400, .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_worker_that_does_not_answer_is_a_fault_within_seconds() {
    let own = Worker::start(Kafka::shared());
    own.server.freeze();
    let began = Instant::now();
    let error = Connect::open(own.url()).await.unwrap_err();
    own.server.thaw();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_answers_and_is_no_worker_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers = tokio::spawn(async move {
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Closed before the request was read, the connection would be reset.
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    for _ in 0..2 {
        let error = Connect::open(&address).await.unwrap_err();
        assert!(matches!(error, ConnectError::NoWorker { .. }), "{error}");
    }
    answers.await.unwrap();
}
