//! What runner must be allowed to do in a namespace: one list, asked about before anything is done, and written as a Role in `k8s/`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};

use super::request::AT_ONCE;
use super::{Cluster, RequestError, Wave};

/// An API server that does not answer the first question within this time is not there.
const REACHED_WITHIN: Duration = Duration::from_secs(5);

/// What deploying, reading and destroying a pipeline takes: the group, the resources, and what is done with them.
const NEEDED: [(&str, &[&str], &[&str]); 7] = [
    // A Role may let one look at the namespace that it is in.
    ("", &["namespaces"], &["get"]),
    (
        "",
        &["configmaps", "secrets", "serviceaccounts", "services"],
        &["get", "list", "create", "patch", "delete"],
    ),
    ("", &["persistentvolumeclaims"], &["get", "list", "delete"]),
    ("apps", &["deployments", "statefulsets"], &["get", "list", "create", "patch", "delete"]),
    ("networking.k8s.io", &["networkpolicies"], &["get", "list", "create", "patch", "delete"]),
    ("policy", &["poddisruptionbudgets"], &["get", "list", "create", "patch", "delete"]),
    ("batch", &["jobs"], &["get", "list", "create", "patch", "delete"]),
];

/// What a run inside the cluster takes besides: its pods get a Role of their own.
const NEEDED_OF_RUNS: (&str, &[&str], &[&str]) =
    ("rbac.authorization.k8s.io", &["roles", "rolebindings"], &["get", "list", "create", "patch", "delete"]);

/// What following the pods and reaching their ports takes.
const NEEDED_OF_PODS: [(&str, &[&str]); 4] = [
    ("pods", &["get", "list", "delete"]),
    ("pods/log", &["get"]),
    // A forward is a WebSocket, which begins with a GET; from 1.35 on it takes `create` as well.
    ("pods/portforward", &["get", "create"]),
    ("events", &["list"]),
];

/// What is to be done in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undertaking {
    /// Servers are deployed, looked at, reached from here, or taken away.
    Servers,
    /// The same, and then a run inside the cluster.
    RunInside,
}

/// Something that one may or may not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The resource, such as `pods/log`.
    pub resource: &'static str,
    /// What is done with it.
    pub verb: &'static str,
    /// The namespace; none for what stands outside of them.
    pub namespace: Option<String>,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, resource, verb, namespace } = self;
        write!(f, "{verb} {} {}", full_name(group, resource), place(namespace.as_deref()))
    }
}

/// Why it is not sure that everything is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AccessError {
    /// The API server does not answer, or does not know who asks.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Some of it is not allowed.
    #[error("{} permissions are missing", .0.len())]
    Missing(Vec<Permission>),
}

/// All that an undertaking needs in a namespace.
#[must_use]
pub fn needed(namespace: &str, undertaking: Undertaking) -> Vec<Permission> {
    let runs = (undertaking == Undertaking::RunInside).then_some(&NEEDED_OF_RUNS);
    let objects = NEEDED.iter().chain(runs).flat_map(|(group, resources, verbs)| {
        resources.iter().flat_map(move |resource| verbs.iter().map(move |verb| (*group, *resource, *verb)))
    });
    let pods = NEEDED_OF_PODS
        .iter()
        .flat_map(|(resource, verbs)| verbs.iter().map(move |verb| ("", *resource, *verb)));
    let namespace = Some(namespace.to_owned());
    let permission =
        |(group, resource, verb)| Permission { group, resource, verb, namespace: namespace.clone() };
    objects.chain(pods).map(permission).collect()
}

/// Permissions in few words: the verbs of a resource together, and the resources of a group that want the same verbs.
#[must_use]
pub fn summary(permissions: &[Permission]) -> Vec<String> {
    let mut verbs: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for Permission { group, resource, verb, namespace } in permissions {
        verbs.entry((namespace, *group, *resource)).or_default().push(*verb);
    }
    let mut resources: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((namespace, group, resource), verbs) in verbs {
        resources.entry((namespace, group, verbs)).or_default().push(full_name(group, resource));
    }
    let line = |((namespace, _, verbs), resources): ((&Option<String>, _, Vec<&str>), Vec<String>)| {
        format!("{} {} {}", verbs.join(", "), resources.join(", "), place(namespace.as_deref()))
    };
    resources.into_iter().map(line).collect()
}

/// A resource with its group, as `kubectl` has it.
fn full_name(group: &str, resource: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "in the cluster".to_owned(), |namespace| format!("in namespace {namespace}"))
}

/// Reaches the cluster, and asks whether all that an undertaking needs is allowed.
///
/// Making the namespace is asked about only where it is not there: who has a Role in one needs no more than that.
///
/// # Errors
/// Where the API server cannot be reached within 5 s, or permissions are missing: all of them.
pub async fn check(cluster: &Cluster, undertaking: Undertaking) -> Result<(), AccessError> {
    let mut permissions = needed(cluster.namespace(), undertaking);
    if let Some(first) = permissions.first() {
        // The first question is asked once, and alone: it finds out whether anybody is there.
        cluster.ask_once(review(cluster, first), REACHED_WITHIN).await?;
    }
    match cluster.find(&cluster.namespace_id(), Wave::Namespace).await {
        Ok(Some(_)) | Err(RequestError::Forbidden { .. }) => {}
        Ok(None) => {
            permissions.push(Permission {
                group: "",
                resource: "namespaces",
                verb: "create",
                namespace: None,
            });
        }
        Err(error) => return Err(error.into()),
    }
    let reviews = permissions.into_iter().map(|permission| async move {
        let allowed = cluster.ask(|| review(cluster, &permission)).await?;
        Ok::<_, RequestError>((!allowed).then_some(permission))
    });
    let missing: Vec<Option<Permission>> = stream::iter(reviews).buffered(AT_ONCE).try_collect().await?;
    let missing: Vec<Permission> = missing.into_iter().flatten().collect();
    if missing.is_empty() { Ok(()) } else { Err(AccessError::Missing(missing)) }
}

/// Asks whether something is allowed; everybody may ask that of themselves.
async fn review(cluster: &Cluster, permission: &Permission) -> kube::Result<bool> {
    let (resource, subresource) = match permission.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (permission.resource, None),
    };
    let attributes = ResourceAttributes {
        group: Some(permission.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(permission.verb.to_owned()),
        namespace: permission.namespace.clone(),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let answer = Api::all(cluster.client()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fmt::Write as _;

    use super::*;

    /// A Role that allows all that is needed, as YAML.
    fn role() -> String {
        let mut text = "# What runner does in the namespace of a pipeline; `make docs` writes it.\n\
            apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: runner\nrules:\n"
            .to_owned();
        let pods = NEEDED_OF_PODS.map(|(resource, verbs)| ("", vec![resource], verbs));
        let objects = NEEDED.iter().chain([&NEEDED_OF_RUNS]);
        let objects = objects.map(|(group, resources, verbs)| (*group, resources.to_vec(), *verbs));
        for (group, resources, verbs) in objects.chain(pods) {
            writeln!(text, "  - apiGroups: [\"{group}\"]").unwrap();
            writeln!(text, "    resources: [{}]", resources.join(", ")).unwrap();
            writeln!(text, "    verbs: [{}]", verbs.join(", ")).unwrap();
        }
        text
    }

    #[test]
    fn the_role_has_not_drifted() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s/role.yaml");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, role()).unwrap();
        }
        let file = std::fs::read_to_string(&path).unwrap();
        assert!(file == role(), "k8s/role.yaml has drifted: `make docs` writes it");
    }

    #[test]
    fn a_permission_is_named_by_verb_resource_and_place() {
        let all = needed("trips", Undertaking::Servers);
        let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert!(texts.contains(&"patch statefulsets.apps in namespace trips".to_owned()));
        assert!(texts.contains(&"create pods/portforward in namespace trips".to_owned()));
    }

    #[test]
    fn what_is_missing_altogether_takes_a_line_for_each_kind_of_thing() {
        insta::assert_snapshot!(summary(&needed("trips", Undertaking::RunInside)).join("\n"));
    }

    #[test]
    fn only_a_run_inside_the_cluster_needs_roles() {
        let of_roles = |undertaking| {
            let all = needed("trips", undertaking);
            all.iter().filter(|permission| permission.resource.starts_with("role")).count()
        };
        assert_eq!((of_roles(Undertaking::Servers), of_roles(Undertaking::RunInside)), (0, 10));
    }
}
