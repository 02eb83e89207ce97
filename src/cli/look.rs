//! The arguments of the commands that look at a pipeline without running it.

use std::path::PathBuf;

use super::cluster::ClusterArgs;
use crate::stages::Target;
use crate::stages::run::Options;

/// Where to look.
#[derive(Debug, Clone, clap::Args)]
pub struct LookArgs {
    /// Where to look, instead of where the file says.
    #[arg(long, value_enum)]
    target: Option<Target>,

    /// The folder that keeps the state of pipelines, each in a folder of its own name.
    #[arg(long, value_name = "DIR", env = "RUNNER_STATE_DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,
}

impl LookArgs {
    /// The options of a run that would go there.
    pub fn options(&self, cluster: &ClusterArgs) -> Options {
        Options {
            target: self.target,
            state_dir: self.state_dir.clone(),
            access: cluster.access(),
            ..Options::default()
        }
    }
}
