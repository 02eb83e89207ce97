//! Who else is in a namespace: with it goes all that is in it, also what runner knows nothing of, so that every kind that the
//! cluster has is looked through. What cannot be known keeps the namespace.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::core::discovery::v2::{APIGroupDiscovery, APIVersionDiscovery};
use kube::discovery::{ApiGroup, Discovery, Scope, verbs};

use super::Kept;
use crate::infrastructure::request::AT_ONCE;
use crate::infrastructure::{Cluster, Id, RequestError};

/// What every namespace has, or what comes and goes with other objects.
const NOBODYS: [&str; 6] =
    ["Event", "Endpoints", "EndpointSlice", "ControllerRevision", "PodMetrics", "Lease"];

/// The kinds of objects that a namespace may hold.
#[derive(Debug, Default)]
struct Kinds {
    known: Vec<ApiResource>,
    /// What is in the way of knowing the others, in words.
    unknown: Vec<String>,
}

/// Why a namespace stays for the sake of others than `goes`; none where nobody else is in it.
///
/// # Errors
/// Where the connection to the API server is lost. Whatever else is in the way only keeps the namespace.
pub(super) async fn keep(cluster: &Cluster, goes: &[&Id]) -> Result<Option<Kept>, RequestError> {
    let Kinds { known, unknown } = match kinds(cluster).await {
        Ok(kinds) => kinds,
        Err(error) if error.is_lost() => return Err(error),
        Err(error) => return Ok(Some(Kept::Unknown { message: error.to_string() })),
    };
    let lists = known.iter().map(|kind| list(cluster, kind));
    let found: Vec<Result<Vec<Id>, String>> = stream::iter(lists).buffered(AT_ONCE).try_collect().await?;
    Ok(verdict(found, unknown, goes))
}

/// What was found decides before what could not be found out.
fn verdict(found: Vec<Result<Vec<Id>, String>>, mut unknown: Vec<String>, goes: &[&Id]) -> Option<Kept> {
    let mut by = Vec::new();
    for answer in found {
        match answer {
            Ok(ids) => by.extend(ids.into_iter().filter(|id| !goes.iter().any(|one| is_same(one, id)))),
            Err(words) => unknown.push(words),
        }
    }
    if !by.is_empty() {
        return Some(Kept::Inhabited { by });
    }
    let more = unknown.len().saturating_sub(1);
    let first = unknown.into_iter().next()?;
    let message = if more == 0 { first } else { format!("{first}, and {more} more like that") };
    Some(Kept::Unknown { message })
}

/// Whether two names are those of one object: the server lists a kind under one version of several.
fn is_same(one: &Id, other: &Id) -> bool {
    let group = |id: &Id| id.resource().group;
    (&one.kind, &one.name, &one.namespace) == (&other.kind, &other.name, &other.namespace)
        && group(one) == group(other)
}

/// The kinds that a namespace may hold: in two requests, or by each group where the server is too old for that.
async fn kinds(cluster: &Cluster) -> Result<Kinds, RequestError> {
    let client = cluster.client();
    let groups = cluster.ask(|| client.list_api_groups_aggregated()).await;
    let core = cluster.ask(|| client.list_core_api_versions_aggregated()).await;
    match (groups, core) {
        (Err(error), _) | (_, Err(error)) if error.is_lost() => Err(error),
        // A server that does not know the question answers another one: that has no items.
        (Ok(groups), Ok(core)) if !groups.items.is_empty() && !core.items.is_empty() => {
            Ok(core.items.into_iter().chain(groups.items).fold(Kinds::default(), Kinds::with))
        }
        _ => {
            let discovery = cluster.ask(|| Discovery::new(cluster.client()).run()).await?;
            let kinds = discovery.groups().flat_map(ApiGroup::resources_by_stability);
            let listed = kinds.filter(|(kind, can)| {
                can.scope == Scope::Namespaced
                    && can.supports_operation(verbs::LIST)
                    && is_somebodys_kind(kind)
            });
            Ok(Kinds { known: listed.map(|(kind, _)| kind).collect(), unknown: Vec::new() })
        }
    }
}

fn is_somebodys_kind(kind: &ApiResource) -> bool {
    !NOBODYS.contains(&kind.kind.as_str())
}

impl Kinds {
    /// With those of a group, each under the version that the server prefers.
    fn with(mut self, group: APIGroupDiscovery) -> Self {
        let name = group.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
        for APIVersionDiscovery { version, resources, freshness } in group.versions {
            let version = version.unwrap_or_default();
            if freshness.as_deref() == Some("Stale") {
                self.unknown.push(format!("the server of {name}/{version} does not say what kinds it has"));
            }
            for resource in resources {
                let is_listed = resource.verbs.iter().any(|verb| verb == verbs::LIST);
                let (Some(plural), Some(kind)) = (resource.resource, resource.response_kind) else {
                    continue;
                };
                let kind = GroupVersionKind::gvk(&name, &version, &kind.kind.unwrap_or_default());
                let kind = ApiResource::from_gvk_with_plural(&kind, &plural);
                let is_known = self.known.iter().any(|one| one.group == name && one.plural == plural);
                if resource.scope.as_deref() == Some("Namespaced")
                    && is_listed
                    && !is_known
                    && is_somebodys_kind(&kind)
                {
                    self.known.push(kind);
                }
            }
        }
        self
    }
}

/// The objects of a kind that somebody has made, or in words why that is not known.
async fn list(cluster: &Cluster, kind: &ApiResource) -> Result<Result<Vec<Id>, String>, RequestError> {
    let api = Api::<DynamicObject>::namespaced_with(cluster.client(), cluster.namespace(), kind);
    let params = ListParams::default();
    let found = match cluster.ask(|| api.list(&params)).await {
        Ok(found) => found.items,
        Err(error) if error.is_lost() => return Err(error),
        Err(error) => {
            let ApiResource { plural, api_version, .. } = kind;
            return Ok(Err(format!("{plural} of {api_version} cannot be listed: {error}")));
        }
    };
    let id = |object: DynamicObject| Id {
        api_version: kind.api_version.clone(),
        kind: kind.kind.clone(),
        namespace: Some(cluster.namespace().to_owned()),
        name: object.metadata.name.unwrap_or_default(),
    };
    Ok(Ok(found.into_iter().filter(is_somebodys).map(id).collect()))
}

/// Whether an object was made by somebody: not by a controller for another object, and not by Kubernetes for the namespace.
fn is_somebodys(object: &DynamicObject) -> bool {
    let owned = object.metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty());
    let of_kubernetes = matches!(object.metadata.name.as_deref(), Some("kube-root-ca.crt" | "default"));
    !owned && !of_kubernetes && object.metadata.deletion_timestamp.is_none()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;

    fn resource(plural: &str, kind: &str, scope: &str, verbs: &[&str]) -> Value {
        json!({ "resource": plural, "responseKind": { "kind": kind }, "scope": scope, "verbs": verbs })
    }

    fn group(name: &str, versions: &Value) -> APIGroupDiscovery {
        serde_json::from_value(json!({ "metadata": { "name": name }, "versions": versions })).unwrap()
    }

    #[test]
    fn a_kind_is_looked_through_once_and_a_group_whose_server_is_away_is_not_known() {
        let list = ["get", "list"];
        let batch = group(
            "batch",
            &json!([
                { "version": "v1", "freshness": "Current", "resources": [
                    resource("jobs", "Job", "Namespaced", &list),
                    resource("events", "Event", "Namespaced", &list),
                    resource("nodes", "Node", "Cluster", &list),
                    resource("reviews", "Review", "Namespaced", &["create"]),
                ] },
                { "version": "v1beta1", "resources": [
                    resource("jobs", "Job", "Namespaced", &list),
                    resource("cronjobs", "CronJob", "Namespaced", &list),
                ] },
            ]),
        );
        let away = group("metrics.k8s.io", &json!([{ "version": "v1beta1", "freshness": "Stale" }]));
        let Kinds { known, unknown } = [batch, away].into_iter().fold(Kinds::default(), Kinds::with);
        let known: Vec<String> =
            known.iter().map(|kind| format!("{}/{}", kind.api_version, kind.plural)).collect();
        assert_eq!(known, ["batch/v1/jobs", "batch/v1beta1/cronjobs"]);
        assert_eq!(unknown, ["the server of metrics.k8s.io/v1beta1 does not say what kinds it has"]);
    }

    #[test]
    fn what_cannot_be_known_keeps_the_namespace_and_what_is_found_is_told_first() {
        let (ours, theirs) = (Id::secret("trips", "ours"), Id::secret("trips", "theirs"));
        let unknown = || vec!["widgets cannot be listed".to_owned()];
        let none = verdict(vec![Ok(vec![ours.clone()]), Ok(Vec::new())], Vec::new(), &[&ours]);
        assert_eq!(none, None);
        let found = verdict(vec![Ok(vec![theirs.clone()]), Err("no".to_owned())], unknown(), &[&ours]);
        assert_eq!(found, Some(Kept::Inhabited { by: vec![theirs] }));
        let message = "widgets cannot be listed, and 1 more like that".to_owned();
        assert_eq!(verdict(vec![Err("no".to_owned())], unknown(), &[&ours]), Some(Kept::Unknown { message }));
    }

    #[test]
    fn an_object_is_the_same_under_another_version_of_its_kind() {
        let scaler =
            |api_version: &str| Id { api_version: api_version.to_owned(), ..Id::secret("trips", "a") };
        assert!(is_same(&scaler("autoscaling/v1"), &scaler("autoscaling/v2")));
        assert!(!is_same(&scaler("autoscaling/v1"), &scaler("v1")));
    }
}
