//! What went wrong with a cluster or with objects in it, in words, and what to do.

use super::{Fault, with_causes};
use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::infrastructure::access::{self, AccessError};
use crate::infrastructure::{
    ClusterError, Id, ObjectsError, Reason, Refusal, RequestError, SecretError, WrittenFor,
};

fn kubernetes() -> Path {
    Path::of("spec.infrastructure.kubernetes")
}

impl From<ClusterError> for Fault {
    fn from(error: ClusterError) -> Self {
        let finding = Diagnostic::new(Code::Kubeconfig, with_causes(&error)).at_key(kubernetes());
        match &error {
            ClusterError::NoContext { name, known } => {
                let finding = finding.at(kubernetes().key("context"));
                let near = did_you_mean(name, known.iter().map(String::as_str));
                near.into_iter().fold(finding, Diagnostic::help).help(match known.as_slice() {
                    [] => "the kubeconfig has no context at all".to_owned(),
                    known => format!("it has: {}", known.join(", ")),
                })
            }
            ClusterError::NoPod(_) => finding.help("leave `--in-cluster` out, and name a kubeconfig"),
            ClusterError::NoCluster(_) | ClusterError::Kubeconfig(_) | ClusterError::Client(_) => finding
                .help("name one with `--kubeconfig FILE` or `KUBECONFIG`")
                .help("`runner run FILE --target embedded` runs the same file here, with no cluster"),
        }
        .into()
    }
}

impl From<RequestError> for Fault {
    fn from(error: RequestError) -> Self {
        use RequestError as E;
        let say = |code: Code| Diagnostic::new(code, error.to_string()).at_key(kubernetes());
        match &error {
            E::Unreachable { .. } | E::Silent { .. } => say(Code::ClusterUnreachable)
                .help("is it the right cluster? `--context NAME` or `kubernetes.context` names another one")
                .help("what was applied stands: run again when it answers"),
            E::Certificate { .. } => say(Code::ClusterCredentials)
                .help("the kubeconfig's `certificate-authority` must be the one that signed it: fetch the kubeconfig anew"),
            E::Credentials { .. } => say(Code::ClusterCredentials)
                .help("the token or client certificate is wrong or has expired: log in anew, or fetch the kubeconfig anew"),
            E::Login { .. } => say(Code::ClusterCredentials)
                .help("run the kubeconfig's login command by hand to see what it says"),
            E::Forbidden { .. } => say(Code::PermissionMissing).help(ROLE),
            E::Refused(_) | E::Unexpected { .. } => say(Code::ObjectRefused),
        }
        .into()
    }
}

/// Where the permissions come from.
const ROLE: &str =
    "`k8s/role.yaml` is a Role with all that is needed: have it bound to you in the pipeline's namespace";

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        let missing = match error {
            AccessError::Request(error) => return error.into(),
            AccessError::Missing(missing) => missing,
        };
        let words = match missing.as_slice() {
            [only] => format!("you may not {only}"),
            missing => format!("{} permissions are missing in the cluster", missing.len()),
        };
        let finding = Diagnostic::new(Code::PermissionMissing, words).at_key(kubernetes().key("namespace"));
        let lines = if missing.len() > 1 { access::summary(&missing) } else { Vec::new() };
        let finding =
            lines.into_iter().map(|line| format!("missing: {line}")).fold(finding, Diagnostic::help);
        let namespaces = missing.iter().any(|permission| permission.namespace.is_none());
        let finding = if namespaces {
            finding.help("have the namespace made for you; runner then needs nothing outside of it")
        } else {
            finding
        };
        finding.help(ROLE).into()
    }
}

impl From<SecretError> for Fault {
    fn from(error: SecretError) -> Self {
        let say = |code: Code| {
            Diagnostic::new(code, error.to_string()).at_key(kubernetes().key("neo4j").key("passwordFrom"))
        };
        match &error {
            SecretError::Request(error) => return error.clone().into(),
            SecretError::Foreign(refusal) => return refused(refusal).into(),
            SecretError::Missing { .. } => say(Code::MissingSecret)
                .help("make it, or leave `passwordFrom` out: runner then makes a password"),
            SecretError::NoKey { known, .. } => {
                say(Code::MissingSecret).help(format!("it has: {}", known.join(", ")))
            }
            SecretError::NoRandomness => {
                say(Code::MissingSecret).help("give a password of your own: `passwordFrom: { env: NAME }`")
            }
        }
        .into()
    }
}

impl From<ObjectsError> for Fault {
    fn from(error: ObjectsError) -> Self {
        match &error {
            ObjectsError::Request(error) => error.clone().into(),
            ObjectsError::Refused(refusals) => Self(refusals.iter().map(refused).collect()),
            ObjectsError::Terminating { namespace } => {
                Diagnostic::new(Code::NamespaceTerminating, error.to_string())
                    .at(kubernetes().key("namespace"))
                    .help("wait until it is gone and run again, or name another namespace")
                    .help(format!(
                        "where it does not go: `kubectl get namespace {namespace} -o yaml` says what holds it"
                    ))
                    .into()
            }
            ObjectsError::NotGone { still, .. } => {
                let names: Vec<String> = still.iter().map(Id::to_string).collect();
                Diagnostic::new(Code::NotGone, format!("{error}: {}", names.join(", ")))
                    .at_key(kubernetes())
                    .help("`kubectl describe` shows what holds them; run again to go on")
                    .into()
            }
        }
    }
}

/// The finding of an object that was refused.
fn refused(Refusal { id, reason }: &Refusal) -> Diagnostic {
    let at = component(id);
    match &**reason {
        Reason::Foreign { managed_by, pipeline, namespace } => {
            let whose = match (pipeline, namespace, managed_by) {
                (Some(pipeline), Some(namespace), _) => {
                    format!("belongs to pipeline `{pipeline}` of namespace `{namespace}`")
                }
                (Some(pipeline), None, _) => format!("belongs to pipeline `{pipeline}`"),
                (None, _, Some(manager)) => format!("is looked after by `{manager}`"),
                (None, _, None) => "was not made by runner".to_owned(),
            };
            Diagnostic::new(Code::ForeignObject, format!("{id} is there already and {whose}"))
                .at(Path::of("metadata.name"))
                .help("runner touches nothing that is not its own: take another `metadata.name` or `kubernetes.namespace`")
                .help("or take the object away yourself")
        }
        Reason::Conflict(conflicts) => {
            let words = conflicts.iter().map(|one| format!("`{}` ({})", one.field, one.manager));
            let words: Vec<String> = words.collect();
            Diagnostic::new(Code::FieldConflict, format!("{id}: others look after {}", words.join(", ")))
                .at_key(at)
                .help("`--force-conflicts` takes these fields over, with the file's values")
                .help("or have the other one leave them alone")
        }
        Reason::Immutable { message } => Diagnostic::new(
            Code::ObjectRefused,
            format!("{id} cannot be changed like this"),
        )
        .at_key(at)
        .help(format!("the server says: {message}"))
        .help("undo the change; or `runner destroy FILE` and run again: volumes stay unless `--delete-data`"),
        Reason::WrittenFor(others) => written_for(id, others, &at),
        Reason::Invalid { fields } => {
            let words = fields.iter().map(|(field, fault)| format!("`{field}`: {fault}"));
            let words: Vec<String> = words.collect();
            Diagnostic::new(Code::ObjectRefused, format!("the cluster does not take {id}: {}", words.join("; ")))
                .at_key(at)
                .help("a field comes from the file or from `overrides`; `runner render FILE` shows the whole object")
        }
        Reason::Forbidden { message } => {
            Diagnostic::new(Code::PermissionMissing, message.clone()).at_key(at).help(ROLE)
        }
        Reason::Going => Diagnostic::new(Code::ObjectRefused, format!("{id} is being deleted"))
            .at_key(at)
            .help("wait until it is gone, and run again"),
        Reason::Refused { message } => {
            Diagnostic::new(Code::ObjectRefused, format!("the cluster does not take {id}: {message}"))
                .at_key(at)
        }
    }
}

/// The finding of an object that would lose what is in its volumes.
fn written_for(id: &Id, others: &[WrittenFor], at: &Path) -> Diagnostic {
    let words = |say: fn(&WrittenFor) -> &str| {
        let words = others.iter().map(|one| format!("`{}: {}`", one.key, say(one)));
        words.collect::<Vec<_>>().join(" and ")
    };
    let (is, wanted) = (words(|one| one.is.as_str()), words(|one| one.wanted.as_str()));
    let what = format!("{id} was made for {is}, and its topics would be lost with {wanted}");
    let at = others.first().map_or_else(|| at.clone(), |first| at.key(first.key));
    Diagnostic::new(Code::KafkaFixed, what)
        .at(at)
        .help(format!("write {is} again"))
        .help("or throw its data away: `runner destroy FILE --delete-data`, then `runner run FILE --fresh`; without `--delete-data` the volumes stay, and so does this")
        .help("or take another `metadata.name`: a pipeline of its own beside this one")
}

/// What the names of runner's own objects end with, behind the pipeline's name, and the server that they belong to; none where they belong
/// to a run.
const ENDINGS: [(&str, Option<&str>); 12] = [
    ("-kafka", Some("kafka")),
    ("-kafka-brokers", Some("kafka")),
    ("-kafka-jvm", Some("kafka")),
    ("-zookeeper", Some("kafka")),
    ("-neo4j", Some("neo4j")),
    ("-neo4j-auth", Some("neo4j")),
    ("-connect", Some("connect")),
    ("-connect-jvm", Some("connect")),
    ("-run", None),
    ("-run-environment", None),
    ("-run-private", None),
    ("-report", None),
];

/// The key of the file that an object comes from, by its name.
pub(super) fn component(id: &Id) -> Path {
    if id.kind == "Namespace" {
        return kubernetes().key("namespace");
    }
    let name = format!("-{}", id.name);
    let own = ENDINGS.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, server)| server);
    // What is none of runner's own comes from a chart, whose release is called so.
    let server = own.unwrap_or_else(|| name.contains("-neo4j-").then_some("neo4j"));
    server.map_or_else(kubernetes, |server| kubernetes().key(server))
}

/// The fault of taking away what was never deployed.
pub(in crate::stages) fn nothing_deployed() -> Fault {
    Diagnostic::new(
        Code::TargetNotAvailable,
        "the file has runner deploy nothing, so that there is nothing to destroy",
    )
    .at_key(Path::of("spec.infrastructure"))
    .help("`runner run FILE --fresh` throws away what was loaded; an embedded graph is a folder")
    .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::infrastructure::access::Undertaking;
    use crate::infrastructure::{Conflict, Names};

    fn shown(fault: Fault) -> String {
        let Fault(findings) = fault;
        let lines = findings.iter().flat_map(|finding| {
            let first = format!("{} at {}: {}", finding.code, finding.path(), finding.message);
            std::iter::once(first).chain(finding.help.iter().map(|help| format!("  help: {help}")))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn id(kind: &str, name: &str) -> Id {
        Id {
            api_version: "apps/v1".to_owned(),
            kind: kind.to_owned(),
            namespace: Some("trips".to_owned()),
            name: name.to_owned(),
        }
    }

    fn refusal(name: &str, reason: Reason) -> Refusal {
        Refusal { id: id("StatefulSet", name), reason: Box::new(reason) }
    }

    /// What belongs to somebody else, by its labels.
    fn foreign(labels: [Option<&str>; 3]) -> Reason {
        let [managed_by, pipeline, namespace] = labels.map(|label| label.map(str::to_owned));
        Reason::Foreign { managed_by, pipeline, namespace }
    }

    #[test]
    fn each_refusal_says_whose_fault_it_is_and_what_to_do() {
        let conflict = |field: &str, manager: &str| Conflict { field: field.into(), manager: manager.into() };
        let other = |key: &'static str, is: &str, wanted: &str| WrittenFor {
            key,
            is: is.into(),
            wanted: wanted.into(),
        };
        let refusals = vec![
            refusal("trips-kafka", foreign([Some("Helm"), None, None])),
            refusal("trips-neo4j-reader", foreign([Some("runner"), Some("trips"), Some("others")])),
            refusal("trips-neo4j", Reason::Conflict(vec![conflict(".spec.replicas", "kubectl-edit")])),
            refusal("trips-kafka", Reason::Immutable { message: "updates to statefulset spec …".into() }),
            refusal(
                "trips-kafka",
                Reason::WrittenFor(vec![other("brokers", "1", "3"), other("mode", "kraft", "zookeeper")]),
            ),
            refusal(
                "trips-zookeeper",
                Reason::Invalid { fields: vec![("spec.a".into(), "no such field".into())] },
            ),
            refusal("trips-connect", Reason::Going),
        ];
        insta::assert_snapshot!(shown(ObjectsError::Refused(refusals).into()));
    }

    #[test]
    fn a_pipeline_that_is_called_like_a_server_is_not_taken_for_one() {
        for pipeline in ["trips", "taxi-kafka-demo", "taxi-neo4j-demo", "my-connect", "a-run"] {
            let names = Names { pipeline: pipeline.to_owned(), namespace: "trips".to_owned() };
            let of = |name: String| component(&id("StatefulSet", &name));
            let server = |key: &str| kubernetes().key(key);
            assert_eq!(of(names.kafka()), server("kafka"));
            assert_eq!(of(names.brokers()), server("kafka"));
            assert_eq!(of(format!("{}-jvm", names.kafka())), server("kafka"));
            assert_eq!(of(names.zookeeper()), server("kafka"));
            assert_eq!(of(names.neo4j()), server("neo4j"));
            assert_eq!(of(names.neo4j_auth()), server("neo4j"));
            assert_eq!(of(format!("{}-user-config", names.neo4j())), server("neo4j"));
            assert_eq!(of(names.connect()), server("connect"));
            assert_eq!(of(format!("{}-jvm", names.connect())), server("connect"));
            for name in [names.run(), names.run_environment(), names.run_private(), names.report()] {
                assert_eq!(of(name), kubernetes());
            }
            assert_eq!(component(&id("Namespace", pipeline)), server("namespace"));
        }
    }

    #[test]
    fn a_cluster_that_cannot_be_used_says_why() {
        let server = || "https://10.0.0.1:6443".to_owned();
        let faults = [
            RequestError::Silent { server: server(), within: Duration::from_secs(5) }.into(),
            RequestError::Credentials { server: server() }.into(),
            ClusterError::NoContext {
                name: "prodution".into(),
                known: vec!["production".into(), "test".into()],
            }
            .into(),
            ObjectsError::Terminating { namespace: "trips".into() }.into(),
            AccessError::Missing(access::needed("trips", Undertaking::Servers).into_iter().take(3).collect())
                .into(),
        ];
        insta::assert_snapshot!(faults.into_iter().map(shown).collect::<Vec<_>>().join("\n\n"));
    }
}
