//! The arguments that name a Kubernetes cluster.

use std::path::PathBuf;

use crate::infrastructure::Access;

/// Which cluster, for pipelines on Kubernetes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Kubernetes")]
pub struct ClusterArgs {
    /// The kubeconfig, instead of `KUBECONFIG`, what a pod is given, or `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig, instead of the file's own or the current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Reach servers by the names of their services; a pod in the pipeline's own namespace does so by itself.
    #[arg(long)]
    in_cluster: bool,
}

impl ClusterArgs {
    /// How the cluster is found.
    pub fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            in_cluster: self.in_cluster,
        }
    }
}
