//! What can go wrong with a graph store.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A graph store could not do what it was asked for.
#[derive(Debug, Error)]
pub enum GraphError {
    /// A statement is not Cypher, or not Cypher that this engine runs.
    #[error("{message}")]
    Statement {
        /// What the engine says.
        message: String,
        /// Line and column in the statement, from 1, where the engine tells.
        position: Option<(usize, usize)>,
    },
    /// A query would have changed the graph.
    #[error("the statement would change the graph, and only reading is allowed here")]
    NotReadOnly,
    /// A statement was understood and failed on the data.
    #[error("{message}")]
    Execution {
        /// What the engine says.
        message: String,
    },
    /// A relationship property that an analysis needs as a number is none.
    #[error("property `{property}` of relationship type `{kind}` holds {found}, not a number")]
    NotANumber {
        /// The relationship type.
        kind: String,
        /// The property.
        property: String,
        /// What it holds.
        found: String,
    },
    /// A parameter cannot be given to the engine as it is.
    #[error("`{place}` is {value}, beyond the range of a 64-bit integer")]
    IntegerTooLarge {
        /// Where it stands.
        place: String,
        /// What it is.
        value: String,
    },
    /// Data that stands in the graph breaks a constraint that the mapping needs.
    #[error("cannot make `{constraint}`: {message}")]
    Constraint {
        /// The statement that failed.
        constraint: String,
        /// What the engine says.
        message: String,
    },
    /// The server cannot be used at all.
    #[error("Neo4j at `{address}`: {fault}")]
    Connect {
        /// Where it was looked for: `host:port`.
        address: String,
        /// What is in the way.
        #[source]
        fault: ConnectFault,
    },
    /// The server cannot do it now: it may succeed when tried again.
    #[error("{message}")]
    Unavailable {
        /// What the server, or the connection to it, says.
        message: String,
    },
    /// Another process is writing to the folder.
    #[error("`{}` is in use by {holder}", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, such as `process 4711 (since 2026-11-24T10:28:00Z)`.
        holder: String,
    },
    /// The folder holds the state of another pipeline.
    #[error("`{}` holds the state of pipeline `{found}`, not of `{wanted}`", folder.display())]
    OtherPipeline {
        /// The folder.
        folder: PathBuf,
        /// Whose state it holds.
        found: String,
        /// Whose was wanted.
        wanted: String,
    },
    /// The folder's state was written by another version of runner, in a form that this one does not read.
    #[error("`{}` is of format {found}; this version of runner reads format {known}", folder.display())]
    OtherFormat {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u64,
        /// The format that is known.
        known: u64,
    },
    /// The folder is not empty, and runner did not make it.
    #[error("`{}` is not a folder that runner made: it has no readable `state.json`, but other files", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// The stored graph cannot be read.
    #[error("cannot open the graph in `{}`: {message}", folder.display())]
    Open {
        /// The folder.
        folder: PathBuf,
        /// What the engine says.
        message: String,
    },
    /// The graph could not be stored; what was stored before is untouched.
    #[error("cannot save the graph in `{}`: {message}", folder.display())]
    Save {
        /// The folder.
        folder: PathBuf,
        /// What the engine says.
        message: String,
    },
    /// A file or folder of the state could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A checkpoint node does not hold what a checkpoint holds.
    #[error("the checkpoint of partition {partition} of topic `{topic}` cannot be read: {message}")]
    Checkpoint {
        /// The topic.
        topic: String,
        /// The partition.
        partition: String,
        /// What is wrong with it.
        message: String,
    },
    /// The engine has stopped after a fault of its own.
    #[error("the graph engine has stopped: {message}")]
    Stopped {
        /// What it said last.
        message: String,
    },
    /// Something in the engine that should never happen.
    #[error("{message}")]
    Engine {
        /// What the engine says.
        message: String,
    },
}

/// What is in the way of using a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectFault {
    /// The address is none.
    #[error("this is no Bolt address: {0}")]
    Address(String),
    /// The host's name leads nowhere.
    #[error("there is no host `{host}`")]
    UnknownHost {
        /// The name.
        host: String,
    },
    /// The host refuses the connection.
    #[error("nothing listens there: the connection was refused")]
    Refused,
    /// There is no way to the host.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It does not answer.
    #[error("no answer within {} s", after.as_secs())]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// Something else listens there.
    #[error("what answers there does not speak Bolt")]
    NotBolt,
    /// The server speaks other versions of the protocol only.
    #[error("the server speaks Bolt {major}.{minor} only, and runner speaks 4.1 to 4.4")]
    BoltVersion {
        /// The version's first number.
        major: u8,
        /// And its second.
        minor: u8,
    },
    /// The server ends connections that are not encrypted, or is no Bolt server.
    #[error("the server ended the connection before it was greeted: it wants TLS, or does not speak Bolt")]
    TlsWanted,
    /// The server does not offer encryption, or is no Bolt server.
    #[error("the server does not offer TLS there")]
    TlsNotOffered,
    /// Certificates are given for a connection that is not encrypted.
    #[error("`tls` is given, but this scheme does not encrypt")]
    NotEncrypted,
    /// The server's certificate is of the past.
    #[error("the server's certificate has expired")]
    CertificateExpired,
    /// The server's certificate is of the future.
    #[error("the server's certificate is not valid yet")]
    CertificateNotYetValid,
    /// Nobody who is trusted has signed the server's certificate.
    #[error("the server's certificate is signed by an authority that is not known here")]
    UnknownAuthority,
    /// The server's certificate is another server's.
    #[error("the server's certificate is for another name: {0}")]
    CertificateName(String),
    /// The server's certificate is not taken for another reason.
    #[error("the server's certificate is not accepted: {0}")]
    Certificate(String),
    /// The server does not take the client's certificate, or wants one.
    #[error("the server refuses the client's certificate, or the lack of one: {0}")]
    ClientCertificate(String),
    /// A file with a certificate or a key cannot be used.
    #[error("`{}` cannot be used: {reason}", path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The user or the password is wrong.
    #[error("the server does not accept the password of user `{user}`")]
    Credentials {
        /// The user.
        user: String,
    },
    /// The wrong password was given too often.
    #[error("the server refuses user `{user}` for some seconds, after too many wrong passwords")]
    RateLimit {
        /// The user.
        user: String,
    },
    /// The password was right and must be changed.
    #[error("the password of user `{user}` has expired and must be changed first")]
    PasswordExpired {
        /// The user.
        user: String,
    },
    /// The user may not do that.
    #[error("user `{user}` is not allowed to: {message}")]
    Forbidden {
        /// The user.
        user: String,
        /// What the server says.
        message: String,
    },
    /// The server has no such database.
    #[error("the server has no database `{database}`")]
    NoSuchDatabase {
        /// Its name.
        database: String,
    },
    /// The database is there and is not served now.
    #[error("database `{database}` is not available now: {message}")]
    DatabaseUnavailable {
        /// Its name.
        database: String,
        /// What the server says.
        message: String,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// A batch was not written. Nothing of it is in the graph.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A record is at fault: without it the batch can be written.
    #[error("{message}")]
    Record {
        /// Which record of the batch, where that is known; else halving the batch finds it.
        position: Option<usize>,
        /// What the engine says.
        message: String,
    },
    /// Rows for which the statement ended with nothing bound, in a batch in which each row must write something.
    #[error("{} rows of the batch wrote nothing", positions.len())]
    WroteNothing {
        /// Which records of the batch.
        positions: Vec<usize>,
    },
    /// This batch and another one waited for each other. It may succeed when tried again.
    #[error("{message}")]
    Deadlock {
        /// What the engine says.
        message: String,
    },
    /// The checkpoint does not stand where the batch begins: another loader was here.
    #[error(
        "partition {partition} of topic `{topic}` stands at offset {found}, not at {expected}: another loader writes to it"
    )]
    Fenced {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// Where the batch begins.
        expected: u64,
        /// Where the checkpoint stands.
        found: u64,
    },
    /// It is too much for one transaction: a smaller batch may be taken.
    #[error("{message}")]
    TooLarge {
        /// What the server says.
        message: String,
    },
    /// It may succeed when tried again as it is.
    #[error("{message}")]
    Transient {
        /// What the engine says.
        message: String,
    },
    /// No record is at fault, and trying again will not help.
    #[error(transparent)]
    Fatal(#[from] GraphError),
}
