//! Deploying: the objects of a pipeline are applied, and waited for.

use std::time::Duration;

use super::super::reach::Servers;
use super::{Site, connect};
use crate::infrastructure::access::{self, Undertaking};
use crate::infrastructure::usage::Sampler;
use crate::infrastructure::{Applied, ObjectEvent, ObjectState, apply, manifests, readiness, secrets};
use crate::progress::{Event, Progress};
use crate::spec::{Kubernetes, Password, SecretSource};
use crate::stages::journal::Summary;
use crate::stages::run::Options;
use crate::stages::validate::Plan;
use crate::stages::{Fault, fault};
use crate::validate;

/// Servers whose pods are ready answer within this time, or something is in the way.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);

/// What a run has deployed.
pub struct Deployed {
    /// What became of the objects.
    pub applied: Applied,
    /// What asks how much the pods use.
    pub sampler: Sampler,
}

impl Summary for Deployed {
    fn summary(&self) -> String {
        let Applied { created, changed, unchanged, pruned } = self.applied;
        if self.applied.nothing() {
            return format!("{unchanged} objects unchanged");
        }
        let counts =
            [(created, "created"), (changed, "changed"), (pruned, "pruned"), (unchanged, "unchanged")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        format!("{} objects", words.join(", "))
    }
}

/// Deploys the servers and reaches them.
pub(in crate::stages::deploy) async fn deploy(
    plan: &Plan,
    options: &Options,
    spec: &Kubernetes,
    progress: &Progress,
) -> Result<(Servers, Deployed), Fault> {
    let site = Site::open(plan, options, spec).await?;
    // Ports that are taken are told before anything is deployed; where they lead is not asked until somebody connects.
    let forwards = site.forwards(&site.servers()).await?;
    access::check(&site.cluster, Undertaking::Servers).await?;
    let deployed = site.apply(options, progress).await?;
    let servers = connect(plan, site.reach(forwards).await?, Some(ANSWERS_WITHIN)).await?;
    Ok((servers, deployed))
}

impl Site<'_> {
    /// Applies the objects, and waits until the servers among them are ready. Whether that is allowed was asked before.
    pub(in crate::stages) async fn apply(
        &self,
        options: &Options,
        progress: &Progress,
    ) -> Result<Deployed, Fault> {
        let objects = manifests::rendered(&self.plan.pipeline, &self.plan.base).await?;
        let mut tell = |event: ObjectEvent| progress.tell(told(&event));
        let (cluster, owner) = (&self.cluster, &self.owner);
        // Pods do not start without the Secret, and a Secret needs the namespace.
        let made = apply::namespace(cluster, &objects, options.conflicts, &mut tell).await?;
        self.ensure_auth().await?;
        let mut applied = apply::apply(cluster, owner, &objects, options.conflicts, &mut tell).await?;
        if made {
            applied.created += 1;
            applied.unchanged = applied.unchanged.saturating_sub(1);
        }
        let sampler = Sampler::start(cluster, owner);
        let patience = options.ready_within.unwrap_or(readiness::PATIENCE);
        readiness::wait(cluster, &objects, patience, &mut tell).await?;
        Ok(Deployed { applied, sampler })
    }

    /// Makes sure that the password of a Neo4j that runner deploys is in the cluster.
    async fn ensure_auth(&self) -> Result<(), Fault> {
        let neo4j = &self.spec.neo4j;
        if !secrets::makes_auth(neo4j) {
            return Ok(());
        }
        let given = |source: &SecretSource| {
            let read = validate::secret(source, &self.plan.base).map(Password::from);
            read.map_err(|reason| {
                fault::missing_secret(reason).at_key(&super::at().key("neo4j").key("passwordFrom"))
            })
        };
        let given = neo4j.password_from.as_ref().map(given).transpose()?;
        let labels = &self.plan.pipeline.metadata.labels;
        secrets::ensure_auth(&self.cluster, &self.owner, &self.names.neo4j_auth(), labels, given).await?;
        Ok(())
    }
}

/// An object's state as an event of the run.
fn told(ObjectEvent { id, state }: &ObjectEvent) -> Event {
    let (words, settled) = match state {
        ObjectState::Created => ("created".to_owned(), true),
        ObjectState::Changed => ("changed".to_owned(), true),
        ObjectState::Unchanged => ("unchanged".to_owned(), true),
        ObjectState::Pruned => ("pruned".to_owned(), true),
        ObjectState::Waiting { ready, wanted, because } if because.is_empty() => {
            (format!("{ready} of {wanted} ready"), false)
        }
        ObjectState::Waiting { ready, wanted, because } => {
            (format!("{ready} of {wanted} ready: {because}"), false)
        }
        ObjectState::Ready { .. } => ("ready".to_owned(), true),
        ObjectState::Deleting => ("is being deleted".to_owned(), false),
        ObjectState::Gone => ("gone".to_owned(), true),
    };
    Event::ObjectState { object: id.to_string(), state: words, settled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infrastructure::Id;

    fn words(state: ObjectState) -> (String, bool) {
        let id = Id {
            api_version: "apps/v1".to_owned(),
            kind: "StatefulSet".to_owned(),
            namespace: None,
            name: "trips-kafka".to_owned(),
        };
        match told(&ObjectEvent { id, state }) {
            Event::ObjectState { object, state, settled } => (format!("{object}: {state}"), settled),
            other => (format!("{other:?}"), false),
        }
    }

    #[test]
    fn what_is_waited_for_says_how_far_it_is_and_why() {
        let waiting =
            |because: &str| ObjectState::Waiting { ready: 1, wanted: 3, because: because.to_owned() };
        assert_eq!(words(waiting("")), ("StatefulSet trips-kafka: 1 of 3 ready".to_owned(), false));
        assert_eq!(
            words(waiting("pulls the image")),
            ("StatefulSet trips-kafka: 1 of 3 ready: pulls the image".to_owned(), false)
        );
        assert_eq!(
            words(ObjectState::Ready { pods: 3 }),
            ("StatefulSet trips-kafka: ready".to_owned(), true)
        );
    }
}
