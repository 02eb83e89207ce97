//! Loopback ports that lead to pods, through the API server's port-forward.
//!
//! Each connection to such a port gets a port-forward of its own, opened by the pod's name: a pod that was replaced is found
//! again by the next connection, without anybody telling. Clients of Kafka and Neo4j connect again by themselves.

mod claim;
mod pod;
mod tunnel;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Cluster;
use claim::Claim;
use tunnel::{OPENED_WITHIN, TunnelError};

/// Before the client's socket is dropped where a pod cannot be reached: without it, clients come back ten times a second.
const BREATH: Duration = Duration::from_millis(300);

/// Between two tries to take a port over from a run that shares it.
const BETWEEN: Duration = Duration::from_millis(250);

/// A port of this machine, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The port on the loopback address; 0 for any that is free.
    pub port: u16,
    /// Where it leads.
    pub to: Destination,
}

/// Where a forward leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To one pod, such as a broker of several.
    Pod {
        /// Its name.
        name: String,
        /// The port that its container listens on.
        port: u16,
    },
    /// To a pod that is ready behind a service.
    Service {
        /// Its name.
        name: String,
        /// The port of the service.
        port: u16,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod { name, port } => write!(f, "pod {name}:{port}"),
            Self::Service { name, port } => write!(f, "service {name}:{port}"),
        }
    }
}

/// Why there is no forward.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The port is in use.
    #[error("port {port} of this machine is in use{}", holder.as_deref().map(|by| format!(" by runner's forward to {by}")).unwrap_or_default())]
    Taken {
        /// The port.
        port: u16,
        /// Where it leads, if another run of runner holds it.
        holder: Option<String>,
    },
    /// The system does not give the port.
    #[error("port {port} of this machine cannot be listened on")]
    Refused {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Forwards that are open; they end when this is dropped.
#[derive(Debug)]
pub struct Forwards {
    lines: Vec<Line>,
    /// Aborted when dropped, and with them the connections that they carry.
    tasks: JoinSet<()>,
}

/// One forward as its user sees it.
#[derive(Debug)]
struct Line {
    address: SocketAddr,
    to: Destination,
    trouble: Trouble,
}

/// What was in the way of the last connection.
#[derive(Debug, Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn set(&self, words: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Forwards {
    /// Listens on the ports of all routes.
    ///
    /// Two runs may want the same port for the same pod, such as `status` beside `run`: the second uses the first one's forward
    /// and takes the port over when that one ends. They find each other by a file a port in `folder`; without a folder, a port
    /// that is in use is an error.
    ///
    /// # Errors
    /// Where a port is in use for something else.
    pub async fn open(
        cluster: &Cluster,
        folder: Option<PathBuf>,
        routes: &[Route],
    ) -> Result<Self, ForwardError> {
        let mut forwards = Self { lines: Vec::new(), tasks: JoinSet::new() };
        for Route { port, to } in routes {
            let holder = format!("{to} of namespace {} at {}", cluster.namespace(), cluster.address());
            let request = claim::Request { port: *port, folder: folder.clone(), holder };
            let claim = claim::claim(&request).await?;
            let address = match &claim {
                Claim::Ours { listener, .. } => {
                    listener.local_addr().map_err(|source| ForwardError::Refused { port: *port, source })?
                }
                Claim::Shared => SocketAddr::from((Ipv4Addr::LOCALHOST, *port)),
            };
            let line = Line { address, to: to.clone(), trouble: Trouble::default() };
            let way = Way {
                client: cluster.client(),
                namespace: cluster.namespace().to_owned(),
                to: to.clone(),
                trouble: line.trouble.clone(),
            };
            forwards.tasks.spawn(keep(request, claim, way));
            forwards.lines.push(line);
        }
        Ok(forwards)
    }

    /// The address of this machine that leads to a destination, if one does.
    #[must_use]
    pub fn address(&self, to: &Destination) -> Option<SocketAddr> {
        self.lines.iter().find(|line| line.to == *to).map(|line| line.address)
    }

    /// What is in the way of those forwards whose last connection failed.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let trouble = |line: &Line| Some(format!("{}: {}", line.to, line.trouble.get()?));
        self.lines.iter().filter_map(trouble).collect()
    }
}

/// What a forward needs to carry a connection.
#[derive(Clone)]
struct Way {
    client: Client,
    namespace: String,
    to: Destination,
    trouble: Trouble,
}

/// Holds a port for as long as the task lives; one that another run holds is taken over when that one ends.
async fn keep(request: claim::Request, mut claim: Claim, way: Way) {
    loop {
        match claim {
            Claim::Ours { listener, lock: _held } => return serve(&listener, &way).await,
            Claim::Shared => tokio::time::sleep(BETWEEN).await,
        }
        // A port that something else took in between may be free again later.
        claim = claim::claim(&request).await.unwrap_or(Claim::Shared);
    }
}

/// Carries each connection to the pod.
async fn serve(listener: &TcpListener, way: &Way) {
    let mut carried = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    carried.spawn(carry(socket, way.clone()));
                }
                // Too many open files, say: that may pass.
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = carried.join_next() => {}
        }
    }
}

/// Carries one connection until either side ends it.
async fn carry(socket: TcpStream, way: Way) {
    // Bytes are passed on as they come; where the option cannot be set, the connection has ended already.
    let _ = socket.set_nodelay(true);
    let opened = async {
        let (pod, port) = match &way.to {
            Destination::Pod { name, port } => (name.clone(), *port),
            Destination::Service { name, port } => {
                pod::behind(&way.client, &way.namespace, name, *port).await?
            }
        };
        tunnel::open(&way.client, &way.namespace, &pod, port).await
    };
    let opened = tokio::time::timeout(OPENED_WITHIN, opened).await.unwrap_or(Err(TunnelError::TimedOut));
    let carried = match opened {
        Ok(tunnel) => tunnel::carry(socket, tunnel, || way.trouble.set(None)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = carried {
        way.trouble.set(Some(error.to_string()));
        tokio::time::sleep(BREATH).await;
    }
}
