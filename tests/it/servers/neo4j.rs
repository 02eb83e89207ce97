//! Neo4j servers, and a client to look at them with.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use neo4rs::{ConfigBuilder, Graph};
use serde_json::Value;

use super::{PASSWORD, Server, wait_for};

/// Which Neo4j.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Neo4jVersion {
    /// The long-term version.
    #[default]
    V5_26,
    /// The newest that the registries serve. It wants Java 21 or later.
    V2026,
}

/// The certificate that Neo4j shows to those who want TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Certificate {
    /// For `localhost` and 127.0.0.1, signed by `ca.crt`.
    #[default]
    Good,
    /// Of yesterday.
    Expired,
    /// Signed by an authority that nobody knows.
    Foreign,
    /// For another host.
    Elsewhere,
}

/// How a server is started.
#[derive(Debug, Default)]
pub struct Neo4jOptions {
    pub version: Neo4jVersion,
    pub certificate: Certificate,
    /// With APOC core, on 5.26.
    pub apoc: bool,
    /// Whether it wants a certificate of its clients, too, of the same authority.
    pub client_certificates: bool,
    /// The server's own settings.
    pub settings: Vec<(&'static str, String)>,
}

/// One server of Neo4j Community. It has one database, `neo4j`, and one user, `neo4j`, whose password is [`PASSWORD`].
pub struct Neo4j {
    pub server: Server,
}

/// The shared Neo4j, empty, for one test at a time: the others wait until this is dropped.
pub struct EmptyNeo4j(MutexGuard<'static, Neo4j>);

impl Deref for EmptyNeo4j {
    type Target = Neo4j;

    fn deref(&self) -> &Neo4j {
        &self.0
    }
}

impl DerefMut for EmptyNeo4j {
    fn deref_mut(&mut self) -> &mut Neo4j {
        &mut self.0
    }
}

impl Neo4j {
    /// The Neo4j 5.26 with APOC of all tests that do not set it up, emptied.
    pub fn shared() -> EmptyNeo4j {
        static SHARED: LazyLock<Mutex<Neo4j>> = LazyLock::new(|| {
            Mutex::new(Neo4j::start(&Neo4jOptions { apoc: true, ..Neo4jOptions::default() }))
        });
        let neo4j = EmptyNeo4j(SHARED.lock().unwrap_or_else(PoisonError::into_inner));
        neo4j.clear();
        neo4j
    }

    pub fn start(options: &Neo4jOptions) -> Self {
        let mut words: Vec<String> =
            options.settings.iter().map(|(key, value)| format!("set.{key}={value}")).collect();
        words.extend(options.apoc.then(|| "plugins=apoc".to_owned()));
        words.extend(options.client_certificates.then(|| "client-certificates=REQUIRE".to_owned()));
        words.push(format!("certificate={:?}", options.certificate).to_lowercase());
        let kind = match options.version {
            Neo4jVersion::V5_26 => "neo4j-5.26",
            Neo4jVersion::V2026 => "neo4j-2026",
        };
        Self { server: Server::start(kind, words) }
    }

    /// `127.0.0.1:PORT`, for Bolt in clear and with TLS.
    pub fn address(&self) -> &str {
        self.server.fact("bolt")
    }

    /// `bolt://127.0.0.1:PORT`.
    pub fn uri(&self) -> String {
        format!("bolt://{}", self.address())
    }

    /// The authority of its certificate.
    pub fn authority(&self) -> PathBuf {
        self.server.certificates().join("ca.crt")
    }

    /// A client that logs in.
    pub fn graph(&self) -> Graph {
        let config =
            ConfigBuilder::default().uri(self.uri()).user("neo4j").password(PASSWORD).build().unwrap();
        Graph::connect(config).unwrap()
    }

    /// The rows of a statement, each an object by column.
    #[track_caller]
    pub fn rows(&self, cypher: &str) -> Vec<Value> {
        wait_for(async {
            let graph = self.graph();
            let mut stream = graph.execute(cypher).await.unwrap();
            let mut rows = Vec::new();
            while let Some(row) = stream.next().await.unwrap() {
                rows.push(row.to().unwrap());
            }
            rows
        })
    }

    /// The only value of a statement's only row.
    #[track_caller]
    pub fn value(&self, cypher: &str) -> Value {
        let mut rows = self.rows(cypher);
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = rows.remove(0);
        row.as_object().and_then(|row| row.values().next()).cloned().unwrap_or(row)
    }

    /// Leaves neither node nor constraint nor index, but the two that each database is born with.
    pub fn clear(&self) {
        self.rows("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS");
        for (show, drop) in [
            ("SHOW CONSTRAINTS YIELD name", "CONSTRAINT"),
            ("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'", "INDEX"),
        ] {
            for row in self.rows(show) {
                self.rows(&format!("DROP {drop} `{}`", row["name"].as_str().unwrap()));
            }
        }
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again: the same port, the same graph.
    pub fn restart(&mut self) {
        self.server.restart();
    }
}
