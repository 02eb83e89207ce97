//! What of a pipeline's objects is in the cluster, found by label.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use serde_json::Value;

use super::object::{MANAGED_BY_LABEL, NAMESPACE_LABEL, PIPELINE_LABEL, PRUNE_ANNOTATION, WRITTEN_FOR};
use super::{Cluster, Id, Object, Owner, Reason, Refusal, RequestError, Wave, WrittenFor};

/// The kind of what data lives in.
const VOLUME: &str = "PersistentVolumeClaim";

/// The kinds that runner makes, or that come with them, and the wave of each: volumes come and go with their servers.
///
/// Roles come with charts only; who may not list them has none.
const KINDS: [(&str, &str, Wave); 12] = [
    ("v1", "Secret", Wave::Settings),
    ("v1", "ConfigMap", Wave::Settings),
    ("v1", "ServiceAccount", Wave::Settings),
    ("networking.k8s.io/v1", "NetworkPolicy", Wave::Settings),
    ("rbac.authorization.k8s.io/v1", "Role", Wave::Settings),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", Wave::Settings),
    ("v1", VOLUME, Wave::Settings),
    ("v1", "Service", Wave::Network),
    ("policy/v1", "PodDisruptionBudget", Wave::Network),
    ("apps/v1", "StatefulSet", Wave::Servers),
    ("apps/v1", "Deployment", Wave::Workers),
    ("batch/v1", "Job", Wave::Jobs),
];

/// Those that stand outside of namespaces, which come with charts only, too.
const KINDS_OUTSIDE: [(&str, &str, Wave); 2] = [
    ("rbac.authorization.k8s.io/v1", "ClusterRole", Wave::Settings),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", Wave::Settings),
];

/// The kinds with which whatever others have put there would go, too.
const COMMON: [&str; 2] = ["Namespace", "CustomResourceDefinition"];

/// An object that is in the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// What it is called.
    pub id: Id,
    /// When its turn was.
    pub wave: Wave,
    /// As the server has it.
    pub value: Value,
}

/// The objects of a pipeline that are in the cluster, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory(BTreeMap<Id, Live>);

impl Live {
    /// A label.
    fn label(&self, key: &str) -> Option<&str> {
        self.value.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    /// Whether the labels say that it is the pipeline's and that runner looks after it.
    ///
    /// A claim is made by the controller of its `StatefulSet`, which labels it as the pods: the pipeline's name is enough.
    #[must_use]
    pub fn belongs_to(&self, owner: &Owner) -> bool {
        let managed = self.id.kind == VOLUME || self.managed_by() == Some(super::object::FIELD_MANAGER);
        managed && self.pipeline() == Some(owner.pipeline.as_str())
    }

    /// Who looks after it, by its label.
    #[must_use]
    pub fn managed_by(&self) -> Option<&str> {
        self.label(MANAGED_BY_LABEL)
    }

    /// The pipeline that it belongs to.
    #[must_use]
    pub fn pipeline(&self) -> Option<&str> {
        self.label(PIPELINE_LABEL)
    }

    /// The refusal to touch it, as it is somebody else's.
    pub(super) fn foreign(&self) -> Refusal {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let reason = Reason::Foreign {
            managed_by: text(self.managed_by()),
            pipeline: text(self.pipeline()),
            namespace: text(self.label(NAMESPACE_LABEL)),
        };
        Refusal { id: self.id.clone(), reason: Box::new(reason) }
    }

    /// Whether data lives in it.
    #[must_use]
    pub fn is_volume(&self) -> bool {
        matches!(self.id.kind.as_str(), VOLUME | "PersistentVolume")
    }

    /// Whether others may have put something in it: a namespace, or a kind that is defined.
    #[must_use]
    pub fn is_common(&self) -> bool {
        COMMON.contains(&self.id.kind.as_str())
    }

    /// Whether it stays although no manifest names it: a volume, or what says so of itself.
    #[must_use]
    pub fn outlives_its_manifest(&self) -> bool {
        let prune = self.annotation(PRUNE_ANNOTATION);
        self.is_volume() || self.is_common() || prune == Some("disabled")
    }

    /// An annotation.
    fn annotation(&self, key: &str) -> Option<&str> {
        self.value.pointer("/metadata/annotations")?.get(key)?.as_str()
    }

    /// The refusal to make of it what its volumes are not written for; none where they are, or where it does not say.
    ///
    /// The annotations are asked, and no field that others may have changed: that is drift, and put right.
    pub(super) fn written_for_other(&self, wanted: &Object) -> Option<Refusal> {
        let other = |(annotation, key): (&str, &'static str)| {
            let (is, wanted) = (self.annotation(annotation)?, wanted.annotation(annotation)?);
            (is != wanted).then(|| WrittenFor { key, is: is.to_owned(), wanted: wanted.to_owned() })
        };
        let others: Vec<WrittenFor> = WRITTEN_FOR.into_iter().filter_map(other).collect();
        if others.is_empty() {
            return None;
        }
        Some(Refusal { id: self.id.clone(), reason: Box::new(Reason::WrittenFor(others)) })
    }

    /// A text of its metadata.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.value.pointer("/metadata")?.get(key)?.as_str()
    }

    /// Whether it is on its way out.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }
}

impl FromIterator<Live> for Inventory {
    fn from_iter<I: IntoIterator<Item = Live>>(objects: I) -> Self {
        Self(objects.into_iter().map(|live| (live.id.clone(), live)).collect())
    }
}

impl Inventory {
    /// Looks what of a pipeline's objects is there, over the kinds that runner makes and those of the objects.
    ///
    /// # Errors
    /// Where the API server does not answer, or does not let us look.
    pub async fn discover(
        cluster: &Cluster,
        owner: &Owner,
        objects: &[Object],
    ) -> Result<Self, RequestError> {
        let kinds = kinds(cluster.namespace(), objects).into_iter();
        let lists = kinds.map(|(kind, wave)| async move { list(cluster, owner, &kind, wave).await });
        let found = try_join_all(lists).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Looks which volumes a pipeline has.
    ///
    /// # Errors
    /// As [`Inventory::discover`].
    pub async fn volumes(cluster: &Cluster, owner: &Owner) -> Result<Vec<Live>, RequestError> {
        list(cluster, owner, &kind("v1", VOLUME, Some(cluster.namespace())), Wave::Settings).await
    }

    /// The object of a name.
    #[must_use]
    pub fn get(&self, id: &Id) -> Option<&Live> {
        self.0.get(id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Live> {
        self.0.values()
    }

    /// Those that no manifest names any more, and that do not outlive it, in the order in which they go.
    #[must_use]
    pub fn beyond(&self, objects: &[Object]) -> Vec<&Live> {
        let named: Vec<Id> = objects.iter().map(Object::id).collect();
        let beyond = |live: &&Live| !named.contains(&live.id) && !live.outlives_its_manifest();
        let mut beyond: Vec<&Live> = self.iter().filter(beyond).collect();
        beyond.sort_by_key(|live| std::cmp::Reverse(live.wave));
        beyond
    }
}

/// A kind in a namespace, or outside of all: the name of its objects without their own.
fn kind(api_version: &str, kind: &str, namespace: Option<&str>) -> Id {
    Id::new(api_version, kind, namespace, "")
}

/// Where objects of a pipeline may be: the kinds that runner makes in its namespace, and those of the objects, each where it stands.
fn kinds(namespace: &str, objects: &[Object]) -> BTreeMap<Id, Wave> {
    let inside = KINDS.iter().map(|(group, name, wave)| (kind(group, name, Some(namespace)), *wave));
    let outside = KINDS_OUTSIDE.iter().map(|(group, name, wave)| (kind(group, name, None), *wave));
    let named = objects.iter().filter(|object| object.wave != Wave::Namespace);
    let named = named.map(|object| (Id { name: String::new(), ..object.id() }, object.wave));
    inside.chain(outside).chain(named).collect()
}

/// What finds the pipeline's objects of a kind.
fn selector(owner: &Owner, namespace: &str, kind: &Id) -> String {
    let ours = format!("{PIPELINE_LABEL}={}", owner.pipeline);
    if kind.namespace.as_deref() == Some(namespace) {
        ours
    } else {
        format!("{ours},{NAMESPACE_LABEL}={namespace}")
    }
}

/// The objects of a kind that bear the pipeline's labels.
async fn list(cluster: &Cluster, owner: &Owner, kind: &Id, wave: Wave) -> Result<Vec<Live>, RequestError> {
    let api = cluster.objects(kind);
    let params = ListParams::default().labels(&selector(owner, cluster.namespace(), kind));
    let found = match cluster.ask(|| api.list(&params)).await {
        Ok(found) => found,
        Err(RequestError::Forbidden { .. }) if kind.api_version.starts_with("rbac.") => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let live = found.items.into_iter().filter_map(|object| {
        let id = Id { name: object.metadata.name.clone().unwrap_or_default(), ..kind.clone() };
        live(id, wave, &object)
    });
    Ok(live.filter(|live| live.belongs_to(owner)).collect())
}

/// An object as the server has it. A list leaves the kind of its items out; with it, an item is as the object alone would be.
fn live(id: Id, wave: Wave, object: &DynamicObject) -> Option<Live> {
    let mut value = serde_json::to_value(object).ok()?;
    let fields = value.as_object_mut()?;
    fields.insert("apiVersion".to_owned(), Value::from(id.api_version.clone()));
    fields.insert("kind".to_owned(), Value::from(id.kind.clone()));
    Some(Live { id, wave, value })
}

impl Cluster {
    /// The name of its namespace, as an object.
    pub(super) fn namespace_id(&self) -> Id {
        Id::new("v1", "Namespace", None, self.namespace())
    }

    /// Where objects like the one named are, in its namespace or outside of all.
    pub(super) fn objects(&self, id: &Id) -> Api<DynamicObject> {
        let resource: ApiResource = id.resource();
        match &id.namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &resource),
            None => Api::all_with(self.client(), &resource),
        }
    }

    /// The object of a name, whoever it belongs to.
    pub(super) async fn find(&self, id: &Id, wave: Wave) -> Result<Option<Live>, RequestError> {
        let api = self.objects(id);
        let found = self.ask(|| api.get_opt(&id.name)).await?;
        Ok(found.and_then(|object| live(id.clone(), wave, &object)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn kafka(annotations: &Value, replicas: u32) -> Object {
        let metadata = json!({ "name": "trips-kafka", "annotations": annotations });
        let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": { "replicas": replicas } });
        Object::new(Wave::Servers, set).unwrap()
    }

    fn refused(live: &Object, wanted: &Object) -> Option<Reason> {
        let value = Value::from(live.manifest().clone());
        let live = Live { id: live.id(), wave: live.wave, value };
        live.written_for_other(wanted).map(|refusal| *refusal.reason)
    }

    #[test]
    fn volumes_are_read_by_nothing_but_what_they_are_written_for() {
        let kraft =
            |brokers: &str| json!({ "runner.dev/kafka-brokers": brokers, "runner.dev/kafka-mode": "kraft" });
        let (one, three) = (kafka(&kraft("1"), 1), kafka(&kraft("3"), 3));
        let brokers = WrittenFor { key: "brokers", is: "1".to_owned(), wanted: "3".to_owned() };
        assert_eq!(refused(&one, &three), Some(Reason::WrittenFor(vec![brokers])));
        assert_eq!(refused(&one, &one), None);
    }

    #[test]
    fn replicas_that_were_changed_by_hand_are_drift() {
        let three = json!({ "runner.dev/kafka-brokers": "3", "runner.dev/kafka-mode": "kraft" });
        assert_eq!(refused(&kafka(&three, 1), &kafka(&three, 3)), None);
    }

    #[test]
    fn what_does_not_say_what_it_is_written_for_is_not_refused() {
        let three = json!({ "runner.dev/kafka-brokers": "3" });
        assert_eq!(refused(&kafka(&json!({}), 1), &kafka(&three, 3)), None);
    }

    fn object(api_version: &str, kind: &str, namespace: Option<&str>, wave: Wave) -> Object {
        let metadata = json!({ "name": "a", "namespace": namespace });
        Object::new(wave, json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata })).unwrap()
    }

    #[test]
    fn each_kind_is_looked_for_where_its_objects_stand() {
        let objects = [
            object("v1", "Namespace", None, Wave::Namespace),
            object("batch/v1", "CronJob", Some("trips"), Wave::Jobs),
            object("scheduling.k8s.io/v1", "PriorityClass", None, Wave::Settings),
            object("v1", "ConfigMap", Some("monitoring"), Wave::Settings),
        ];
        let kinds = kinds("trips", &objects);
        assert_eq!(kinds.len(), KINDS.len() + KINDS_OUTSIDE.len() + 3);
        assert_eq!(kinds.get(&kind("batch/v1", "CronJob", Some("trips"))), Some(&Wave::Jobs));
        assert!(kinds.contains_key(&kind("scheduling.k8s.io/v1", "PriorityClass", None)));
        assert!(kinds.contains_key(&kind("v1", "ConfigMap", Some("trips"))));
        assert!(kinds.contains_key(&kind("v1", "ConfigMap", Some("monitoring"))));
        assert!(kinds.contains_key(&kind("rbac.authorization.k8s.io/v1", "ClusterRole", None)));
        assert!(!kinds.contains_key(&kind("v1", "Namespace", None)));
    }

    #[test]
    fn outside_of_its_namespace_a_pipeline_is_not_known_by_its_name_alone() {
        let owner = Owner { pipeline: "rides".to_owned() };
        let of = |namespace| selector(&owner, "trips", &kind("v1", "ConfigMap", namespace));
        assert_eq!(of(Some("trips")), "runner.dev/pipeline=rides");
        assert_eq!(of(Some("other")), "runner.dev/pipeline=rides,runner.dev/namespace=trips");
        assert_eq!(of(None), "runner.dev/pipeline=rides,runner.dev/namespace=trips");
    }

    #[test]
    fn what_others_or_data_live_in_outlives_its_manifest() {
        let live = |name: &str| Live { id: kind("v1", name, None), wave: Wave::Settings, value: json!({}) };
        assert!(live("CustomResourceDefinition").outlives_its_manifest());
        assert!(live(VOLUME).outlives_its_manifest());
        assert!(!live("ClusterRole").outlives_its_manifest());
    }
}
