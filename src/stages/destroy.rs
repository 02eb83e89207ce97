//! Taking away what runner has deployed for a pipeline.

use std::path::Path;

use super::Fault;
use super::deploy::kubernetes;
use super::run::Options;
use crate::infrastructure::access::{self, Undertaking};
use crate::infrastructure::destroy::{self, Data, Destruction};
use crate::infrastructure::manifests::{manifests, rendered};
use crate::infrastructure::{Cluster, Names, ObjectEvent};
use crate::spec::Pipeline;

/// What would be taken away, and from where.
pub struct Doomed {
    cluster: Cluster,
    /// What goes and what stays.
    pub destruction: Destruction,
}

impl Doomed {
    /// Where the cluster is.
    #[must_use]
    pub fn address(&self) -> &str {
        self.cluster.address()
    }

    /// Looks what would be taken away; a chart's folder is looked for from `base`. The file's source and mapping need not be there
    /// any more.
    ///
    /// # Errors
    /// Where the file deploys nothing, or the cluster cannot be asked.
    pub async fn survey(
        pipeline: &Pipeline,
        base: &Path,
        options: &Options,
        data: Data,
    ) -> Result<Self, Fault> {
        let kubernetes = pipeline.spec.infrastructure.kubernetes.as_ref();
        let spec = kubernetes.ok_or_else(super::fault::nothing_deployed)?;
        let cluster = kubernetes::cluster(options, spec).await?;
        access::check(&cluster, Undertaking::Servers).await?;
        let owner = Names::of(pipeline, spec).owner();
        // Where no manifests can be made any more, the kinds that runner itself makes are looked through all the same.
        let objects = rendered(pipeline, base).await.or_else(|_| manifests(pipeline)).unwrap_or_default();
        let destruction = destroy::survey(&cluster, &owner, &objects, data).await?;
        Ok(Self { cluster, destruction })
    }

    /// Takes it away, and returns once it is gone.
    ///
    /// # Errors
    /// Where the cluster refuses, or objects do not go.
    pub async fn destroy(&self, tell: &mut impl FnMut(ObjectEvent)) -> Result<(), Fault> {
        Ok(destroy::destroy(&self.cluster, &self.destruction, tell).await?)
    }
}
