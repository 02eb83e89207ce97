//! What is in a cluster before objects are planned or applied, and what of it may be touched.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::request::AT_ONCE;
use super::{Cluster, Id, Inventory, Live, Object, ObjectsError, Owner, Reason, Refusal, Wave, manifests};

/// What is there before anything is done.
pub(super) struct Ground {
    owner: Owner,
    /// The namespace; none where it is not there.
    namespace: Option<Live>,
    /// What is the pipeline's.
    pub inventory: Inventory,
    /// What has the name of one of the objects, and is not the pipeline's.
    foreign: Vec<Live>,
}

/// The namespace of the pipeline; none where it is not there. In one that is being deleted nothing can be made.
pub(super) async fn standing_namespace(cluster: &Cluster) -> Result<Option<Live>, ObjectsError> {
    let id = cluster.namespace_id();
    match cluster.find(&id, Wave::Namespace).await? {
        Some(live) if live.is_going() => Err(ObjectsError::Terminating { namespace: id.name }),
        namespace => Ok(namespace),
    }
}

impl Ground {
    /// Looks what is there.
    pub async fn survey(cluster: &Cluster, owner: &Owner, objects: &[Object]) -> Result<Self, ObjectsError> {
        let namespace = standing_namespace(cluster).await?;
        // Where the namespace is not there, something may stand outside of it all the same.
        let inventory = Inventory::discover(cluster, owner, objects).await?;
        let others = objects
            .iter()
            .filter(|object| object.wave != Wave::Namespace && inventory.get(&object.id()).is_none());
        let others = others.map(|object| {
            let (id, wave) = (object.id(), object.wave);
            async move { cluster.find(&id, wave).await }
        });
        let found: Vec<Option<Live>> = stream::iter(others).buffered(AT_ONCE).try_collect().await?;
        let foreign = found.into_iter().flatten().collect();
        Ok(Self { owner: owner.clone(), namespace, inventory, foreign })
    }

    pub fn has_namespace(&self) -> bool {
        self.namespace.is_some()
    }

    /// Whether an object is a namespace that somebody else has made: it is used as it is.
    pub fn is_given(&self, object: &Object) -> bool {
        let others = self.namespace.as_ref().is_some_and(|namespace| !namespace.belongs_to(&self.owner));
        object.wave == Wave::Namespace && others
    }

    /// Whether a refusal leaves things as they are: the namespace stands, and may not be changed by who asks. A Role inside of it
    /// lets one do everything else.
    pub fn stands_all_the_same(&self, Refusal { id, reason }: &Refusal) -> bool {
        let stands = self.namespace.as_ref().is_some_and(|namespace| namespace.id == *id);
        stands && matches!(**reason, Reason::Forbidden { .. })
    }

    /// An object as it is; none where it is not there.
    ///
    /// # Errors
    /// Where it is not the pipeline's, or on its way out, or has volumes that are written for something else.
    pub fn owned(&self, object: &Object) -> Result<Option<&Live>, Refusal> {
        let id = &object.id();
        let refused = |reason: Reason| Err(Refusal { id: id.clone(), reason: Box::new(reason) });
        if let Some(foreign) = self.foreign.iter().find(|live| live.id == *id) {
            return Err(foreign.foreign());
        }
        let namespace = self.namespace.as_ref().filter(|namespace| namespace.id == *id);
        match namespace.or_else(|| self.inventory.get(id)) {
            Some(live) if live.is_going() => refused(Reason::Going),
            Some(live) => live.written_for_other(object).map_or(Ok(Some(live)), Err),
            None => self.volumes_of(id).find_map(|live| live.written_for_other(object)).map_or(Ok(None), Err),
        }
    }

    /// The volumes that a set left behind, which it would find again.
    fn volumes_of(&self, set: &Id) -> impl Iterator<Item = &Live> {
        let begins = manifests::claims_begin(&set.name);
        self.inventory.iter().filter(move |live| live.is_volume() && live.id.name.starts_with(&begins))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn id(kind: &str, name: &str) -> Id {
        Id { kind: kind.to_owned(), namespace: None, ..Id::secret("", name) }
    }

    fn ground(namespace: Option<&str>) -> Ground {
        let live = |name: &str| Live { id: id("Namespace", name), wave: Wave::Namespace, value: json!({}) };
        Ground {
            owner: Owner { pipeline: "trips".to_owned() },
            namespace: namespace.map(live),
            inventory: Inventory::default(),
            foreign: Vec::new(),
        }
    }

    #[test]
    fn a_set_is_not_made_over_volumes_that_another_one_left() {
        let annotations = |brokers: u32| json!({ "runner.dev/kafka-brokers": brokers.to_string() });
        let brokers = |number: u32| {
            let metadata = json!({ "name": "trips-kafka", "annotations": annotations(number) });
            let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata });
            Object::new(Wave::Servers, set).unwrap()
        };
        let volume = |name: &str| Live {
            id: id("PersistentVolumeClaim", name),
            wave: Wave::Settings,
            value: json!({ "metadata": { "annotations": annotations(1) } }),
        };
        let mut ground = ground(Some("trips"));
        ground.inventory = [volume("data-trips-kafka-0"), volume("data-trips-kafka")].into_iter().collect();
        assert_eq!(ground.owned(&brokers(1)), Ok(None));
        let refusal = ground.owned(&brokers(3)).unwrap_err();
        assert_eq!(refusal.id.name, "data-trips-kafka-0");
        assert!(matches!(*refusal.reason, Reason::WrittenFor(_)));
    }

    #[test]
    fn a_namespace_that_stands_and_may_not_be_changed_stays_as_it_is() {
        let forbidden = || Box::new(Reason::Forbidden { message: "cannot patch resource".to_owned() });
        let refusal = |kind: &str| Refusal { id: id(kind, "trips"), reason: forbidden() };
        assert!(ground(Some("trips")).stands_all_the_same(&refusal("Namespace")));
        assert!(!ground(Some("trips")).stands_all_the_same(&refusal("Secret")));
        assert!(!ground(None).stands_all_the_same(&refusal("Namespace")));
        let invalid = Refusal { reason: Box::new(Reason::Going), ..refusal("Namespace") };
        assert!(!ground(Some("trips")).stands_all_the_same(&invalid));
    }
}
