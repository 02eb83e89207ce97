//! A cluster that can be talked to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{InClusterError, InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

/// A server that takes no connection within this time is not there.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

/// How a cluster is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The kubeconfig; without it `KUBECONFIG`, then `~/.kube/config`, then what a pod is given.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without it, its current one.
    pub context: Option<String>,
    /// Whether this is a pod of the cluster, whatever else is there; without it, that is found out.
    pub in_cluster: bool,
}

/// Where a pod finds what it may say to the API server.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A cluster that can be talked to, and the namespace of a pipeline in it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    address: String,
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
    /// A client for the cluster; nothing is sent yet.
    ///
    /// # Errors
    /// Where the kubeconfig cannot be used.
    pub async fn open(access: &Access, namespace: &str) -> Result<Self, ClusterError> {
        let mut config = access.config().await?;
        config.connect_timeout = Some(CONNECTS_WITHIN);
        let address = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config).map_err(ClusterError::Client)?;
        Ok(Self { client, namespace: namespace.to_owned(), address })
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

    /// The API server's address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Access {
    /// Whether this is a pod of the cluster, where services are reached by their names: it is said so, or it has what a pod is
    /// given and nothing names another cluster.
    #[must_use]
    pub fn is_in_cluster(&self) -> bool {
        let named = self.kubeconfig.is_some() || self.context.is_some();
        let is_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(TOKEN).is_file();
        self.in_cluster || (is_pod && !named && std::env::var_os("KUBECONFIG").is_none())
    }

    async fn config(&self) -> Result<Config, ClusterError> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        if self.is_in_cluster() && self.kubeconfig.is_none() {
            return Ok(Config::incluster()?);
        }
        if self.kubeconfig.is_none() && self.context.is_none() {
            return Ok(Config::infer().await?);
        }
        let kubeconfig = match &self.kubeconfig {
            Some(file) => Kubeconfig::read_from(file)?,
            None => Kubeconfig::read()?,
        };
        if let Some(name) = &self.context {
            let known: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
            if !known.contains(name) {
                return Err(ClusterError::NoContext { name: name.clone(), known });
            }
        }
        Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
    }
}
