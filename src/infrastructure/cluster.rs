//! A cluster that can be talked to.

mod here;

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{InClusterError, InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use here::{Choice, Here, Server};

/// A server that takes no connection within this time is not there.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

/// How a cluster is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The kubeconfig; without it `KUBECONFIG`, then what a pod is given, then `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without it, the file's, then its current one.
    pub context: Option<String>,
    /// Whether services are reached by their names; without it, that is found out.
    pub in_cluster: bool,
}

/// A cluster that can be talked to, and the namespace of a pipeline in it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    address: String,
    by_name: bool,
}

/// Why a cluster cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The kubeconfig cannot be read, or has no such context.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[from] KubeconfigError),
    /// The kubeconfig has no context of that name.
    #[error("the kubeconfig has no context `{name}`")]
    NoContext {
        /// The name.
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// There is neither a kubeconfig nor what a pod is given.
    #[error("no cluster is named")]
    NoCluster(#[from] InferConfigError),
    /// A pod was not given what it needs to talk to its cluster.
    #[error("this is no pod of a cluster, or it was given no token")]
    NoPod(#[from] InClusterError),
    /// No client can be made of the configuration.
    #[error("no client can be made of the kubeconfig")]
    Client(#[source] kube::Error),
}

impl Cluster {
    /// A client for the cluster; nothing is sent yet. `context` is what a pipeline's file names, and `namespace` where it is.
    ///
    /// # Errors
    /// Where the kubeconfig cannot be used.
    pub async fn open(access: &Access, context: Option<&str>, namespace: &str) -> Result<Self, ClusterError> {
        let Choice { server, by_name } = access.choose(context, namespace, &Here::look());
        let mut config = access.config(server).await?;
        config.connect_timeout = Some(CONNECTS_WITHIN);
        let address = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config).map_err(ClusterError::Client)?;
        Ok(Self { client, namespace: namespace.to_owned(), address, by_name })
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The namespace of the pipeline.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether services are reached by their names from here; by forwards, where they are not.
    #[must_use]
    pub const fn by_name(&self) -> bool {
        self.by_name
    }

    /// The API server's address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Access {
    async fn config(&self, server: Server) -> Result<Config, ClusterError> {
        let context = match server {
            Server::Own => return Ok(Config::incluster()?),
            Server::Usual => return Ok(Config::infer().await?),
            Server::Named { context } => context,
        };
        let kubeconfig = match &self.kubeconfig {
            Some(file) => Kubeconfig::read_from(file)?,
            None => Kubeconfig::read()?,
        };
        if let Some(name) = &context {
            let known: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
            if !known.contains(name) {
                return Err(ClusterError::NoContext { name: name.clone(), known });
            }
        }
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
    }
}
