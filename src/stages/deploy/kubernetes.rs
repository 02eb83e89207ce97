//! Servers in a Kubernetes cluster: deployed by a run, and reached from here by forwards, or from a pod by their names.

mod objects;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use etcetera::BaseStrategy as _;

use super::reach::{Reach, Secrets, Servers, WorkerReach, connect_kafka};
use crate::diagnostic::{Code, Path};
use crate::infrastructure::endpoints::{BOLT_PORT, CONNECT_PORT, FORWARD_PORT};
use crate::infrastructure::{Cluster, Destination, Forwards, Id, Names, Owner, Route, manifests, readiness};
use crate::spec::{ExternalKafka, ExternalNeo4j, KafkaSecurity, Kubernetes, Loader, SecretSource};
use crate::stages::run::Options;
use crate::stages::validate::Plan;
use crate::stages::{Fault, fault};
use crate::topic::connect::Secret;
use crate::topic::kafka::{self, Kafka};

/// Between two tries to connect to a server that has just started.
const BETWEEN: Duration = Duration::from_millis(500);

pub use objects::Deployed;
pub(super) use objects::deploy;

/// The cluster of a pipeline, with what the file says of it.
pub(in crate::stages) struct Site<'a> {
    plan: &'a Plan,
    spec: &'a Kubernetes,
    pub names: Names,
    owner: Owner,
    pub cluster: Cluster,
}

/// A client for the cluster of a pipeline; nothing is sent yet.
pub(in crate::stages) async fn cluster(options: &Options, spec: &Kubernetes) -> Result<Cluster, Fault> {
    Ok(Cluster::open(&options.access, spec.context.as_deref(), &spec.namespace).await?)
}

/// Reaches the servers that a run has deployed.
pub(super) async fn reach(plan: &Plan, options: &Options, spec: &Kubernetes) -> Result<Reach, Fault> {
    let site = Site::open(plan, options, spec).await?;
    site.look(&site.servers()).await?;
    let forwards = site.forwards(&site.servers()).await?;
    site.reach(forwards).await
}

/// Connects to the servers; what is in the way is told with what is in the way of the forwards to them.
///
/// Servers that have just started may leave the first questions unanswered: with `patience` they are asked again.
pub(super) async fn connect(plan: &Plan, reach: Reach, patience: Option<Duration>) -> Result<Servers, Fault> {
    let begun = Instant::now();
    loop {
        let fault = match reach.connect().await {
            Ok(connected) => return Ok(reach.with(connected)),
            Err(fault) => fault,
        };
        let may_pass = fault.0.iter().all(|finding| finding.code == Code::ServerUnreachable);
        if !may_pass || patience.is_none_or(|patience| begun.elapsed() >= patience) {
            let troubles = reach.forwards.as_ref().map(Forwards::troubles).unwrap_or_default();
            return Err(fault.in_cluster(&plan.pipeline.spec.infrastructure, &troubles));
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// Reaches the Kafka that a run has deployed.
pub(super) async fn kafka(
    plan: &Plan,
    options: &Options,
    spec: &Kubernetes,
) -> Result<(Kafka, Option<Forwards>), Fault> {
    let site = Site::open(plan, options, spec).await?;
    site.look(&[Server::Kafka]).await?;
    let forwards = site.forwards(&[Server::Kafka]).await?;
    let kafka = connect_kafka(&site.kafka(&site.secrets()).await?).await;
    let troubles = forwards.as_ref().map(Forwards::troubles).unwrap_or_default();
    let kafka = kafka.map_err(|fault| fault.in_cluster(&plan.pipeline.spec.infrastructure, &troubles))?;
    Ok((kafka, forwards))
}

/// A server that a pipeline on Kubernetes may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Kafka,
    Neo4j,
    Connect,
}

impl Server {
    /// Its key in the file.
    const fn key(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Neo4j => "neo4j",
            Self::Connect => "connect",
        }
    }

    /// What it is called among people.
    const fn title(self) -> &'static str {
        match self {
            Self::Kafka => "Kafka",
            Self::Neo4j => "Neo4j",
            Self::Connect => "Kafka Connect",
        }
    }
}

impl<'a> Site<'a> {
    /// A client for the cluster; nothing is sent yet.
    pub async fn open(plan: &'a Plan, options: &Options, spec: &'a Kubernetes) -> Result<Self, Fault> {
        let cluster = cluster(options, spec).await?;
        let names = Names::of(&plan.pipeline, spec);
        let owner = names.owner();
        Ok(Self { plan, spec, names, owner, cluster })
    }

    /// The servers that runner deploys, rather than uses.
    fn servers(&self) -> Vec<Server> {
        let Kubernetes { kafka, neo4j, connect, .. } = self.spec;
        let deployed = [
            (Server::Kafka, kafka.existing.is_none()),
            (Server::Neo4j, neo4j.existing.is_none()),
            (
                Server::Connect,
                self.loads_by_connect() && connect.as_ref().is_some_and(|connect| connect.existing.is_none()),
            ),
        ];
        deployed.into_iter().filter(|(_, deployed)| *deployed).map(|(server, _)| server).collect()
    }

    fn loads_by_connect(&self) -> bool {
        self.plan.pipeline.spec.mapping.loader == Loader::Connect
    }

    fn secrets(&self) -> Secrets<'_> {
        Secrets { base: &self.plan.base, cluster: Some(&self.cluster) }
    }

    /// Looks whether servers are there and ready.
    async fn look(&self, servers: &[Server]) -> Result<(), Fault> {
        for server in servers.iter().filter(|server| self.servers().contains(server)) {
            let title = server.title();
            let (ready, wanted) = readiness::pods_ready(&self.cluster, &self.workload(*server))
                .await?
                .ok_or_else(|| fault::not_deployed(server.key(), title, &self.spec.namespace))?;
            if ready == 0 {
                return Err(fault::not_ready(server.key(), title, (ready, wanted)));
            }
        }
        Ok(())
    }

    /// The workload of a server.
    fn workload(&self, server: Server) -> Id {
        let (kind, name) = match server {
            Server::Kafka => ("StatefulSet", self.names.kafka()),
            Server::Neo4j => ("StatefulSet", self.names.neo4j()),
            Server::Connect => ("Deployment", self.names.connect()),
        };
        Id::new("apps/v1", kind, Some(&self.names.namespace), &name)
    }

    /// How the servers are reached over forwards that are open, with their passwords.
    async fn reach(&self, forwards: Option<Forwards>) -> Result<Reach, Fault> {
        let secrets = self.secrets();
        let kafka = self.kafka(&secrets).await?;
        let (neo4j_spec, password) = self.neo4j(&secrets).await?;
        let local = |server| self.local(forwards.as_ref(), server);
        let mut neo4j = secrets.neo4j(&neo4j_spec, password.clone());
        if let Some(address) = local(Server::Neo4j) {
            neo4j.uri = format!("bolt://{address}");
        }
        let connect = self.spec.connect.as_ref().filter(|_| self.loads_by_connect());
        // The worker that runner deploys mounts the Secret; another is told the password itself.
        let reference = manifests::password_reference(&self.names, &self.spec.neo4j);
        let reference = reference.filter(|_| connect.is_some_and(|connect| connect.existing.is_none()));
        let worker = connect.map(|connect| WorkerReach {
            url: match (&connect.existing, local(Server::Connect)) {
                (Some(existing), _) => existing.url.clone(),
                (None, Some(address)) => format!("http://{address}"),
                (None, None) => self.names.connect_url(),
            },
            neo4j: neo4j_spec,
            password: reference.map(Secret::Reference).or(password.map(Secret::Inline)),
        });
        Ok(Reach { kafka, neo4j, worker, forwards })
    }

    /// How Kafka is reached: one that runner deploys takes any client.
    async fn kafka(&self, secrets: &Secrets<'_>) -> Result<kafka::Connection, Fault> {
        if let Some(existing) = &self.spec.kafka.existing {
            return secrets.kafka(existing, &at().key("kafka").key("existing")).await;
        }
        let bootstrap = if self.cluster.by_name() {
            self.names.bootstrap()
        } else {
            let ports = self.broker_ports().map(|(_, port)| format!("127.0.0.1:{port}"));
            ports.collect::<Vec<_>>().join(",")
        };
        let spec = ExternalKafka { bootstrap, security: KafkaSecurity::default() };
        secrets.kafka(&spec, &at().key("kafka")).await
    }

    /// How Neo4j is reached by pods of the cluster, and its password.
    async fn neo4j(&self, secrets: &Secrets<'_>) -> Result<(ExternalNeo4j, Option<String>), Fault> {
        let at = at().key("neo4j");
        let neo4j = &self.spec.neo4j;
        if let Some(existing) = &neo4j.existing {
            let password = secrets.password(existing, &at.key("existing")).await?;
            return Ok((existing.clone(), password));
        }
        let secret = Some(manifests::password(&self.names, neo4j));
        let source = SecretSource { secret, ..SecretSource::default() };
        let password = secrets.read(&source, at.key("passwordFrom")).await?;
        Ok((ExternalNeo4j::plain(&self.names.bolt()), Some(password)))
    }

    /// Each broker with the port that it tells clients of its listener `FORWARD`.
    fn broker_ports(&self) -> impl Iterator<Item = (u32, u16)> + '_ {
        (0..self.spec.kafka.brokers).zip(self.spec.forward.kafka..)
    }

    /// Forwards to servers; none where their names lead there.
    async fn forwards(&self, servers: &[Server]) -> Result<Option<Forwards>, Fault> {
        let deployed = self.servers();
        let routes = servers.iter().filter(|server| deployed.contains(server));
        let routes: Vec<Route> = routes.flat_map(|server| self.routes(*server)).collect();
        if self.cluster.by_name() || routes.is_empty() {
            return Ok(None);
        }
        let forwards = Forwards::open(&self.cluster, folder(), &routes).await;
        forwards.map(Some).map_err(|error| fault::forward(&error, &self.spec.forward))
    }

    fn routes(&self, server: Server) -> Vec<Route> {
        let ports = &self.spec.forward;
        let service = |port, name, to| vec![Route { port, to: Destination::Service { name, port: to } }];
        match server {
            Server::Kafka => {
                let broker = |(ordinal, port)| Route {
                    port,
                    to: Destination::Pod { name: self.names.broker(ordinal), port: FORWARD_PORT },
                };
                self.broker_ports().map(broker).collect()
            }
            Server::Neo4j => service(ports.neo4j, self.names.neo4j(), BOLT_PORT),
            Server::Connect => service(ports.connect, self.names.connect(), CONNECT_PORT),
        }
    }

    /// Where a server's forward listens, if it has one.
    fn local(&self, forwards: Option<&Forwards>, server: Server) -> Option<SocketAddr> {
        let route = self.routes(server).into_iter().next()?;
        forwards?.address(&route.to)
    }
}

/// The folder in which runs find each other's forwards.
fn folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.runtime_dir().unwrap_or_else(|| strategy.data_dir()).join("runner").join("forwards"))
}

fn at() -> Path {
    Path::of("spec.infrastructure.kubernetes")
}
