//! A run inside the cluster: one job, with a pod for each loader, and what its pods may see and do.
//!
//! The job is done when its first pod is: that one waits for the others, analyses and reports. Each loads its partitions, and sends the
//! rows of its producers' files; the others load until they are ended. A pod that is killed comes again, and goes on from the checkpoint in the graph.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule, SuccessPolicy, SuccessPolicyRule,
};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, EnvFromSource, PersistentVolumeClaimVolumeSource,
    PodTemplateSpec, Secret, SecretEnvSource, SecretVolumeSource, ServiceAccount, Volume, VolumeMount,
};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::api::ObjectMeta;

use super::parts::{self, Component};
use super::{ManifestError, overrides, password};
use crate::infrastructure::endpoints::Names;
use crate::infrastructure::object::PRUNE_ANNOTATION;
use crate::infrastructure::{Id, Object, Wave};
use crate::spec::{Kubernetes, Password, Pipeline, SecretSource};

/// The container of each pod.
pub const CONTAINER: &str = "runner";
/// The key of the report in its config map.
pub const REPORT_KEY: &str = "report.json";
/// The image where the file names none: this version's.
const IMAGE: &str = concat!("ghcr.io/runner-dev/runner:", env!("CARGO_PKG_VERSION"));
/// The user of the image: `nonroot` of the distroless images.
const USER: i64 = 65532;
/// Where the pods see the pipeline file's folder, or one above it.
const FOLDER: &str = "/pipeline";
const FILES: &str = "files";
const PRIVATE: &str = "private";
const SOURCE: &str = "source";
/// How often a loader's pod is replaced; the pauses between grow from 10 s to 6 min.
const RESTARTS: i32 = 12;
/// How long a pod may take to finish the batch under way.
const GRACE_SECONDS: i64 = 60;
/// Exit codes that another try does not mend: failed, usage, the file is not valid.
const FINAL_EXIT_CODES: [i32; 3] = [1, 64, 78];
const REQUESTS: [(&str, &str); 2] = [("cpu", "250m"), ("memory", "256Mi")];
const LIMITS: [(&str, &str); 1] = [("memory", "1Gi")];

/// What the pods of a run are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baggage {
    /// The pipeline file's folder, as the pods see it, relative to that of all files; empty where it is the same.
    pub folder: String,
    /// The pipeline file's own name.
    pub file: String,
    /// Files by their paths, relative to the folder of all files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files that nobody else may read, such as keys and passwords, by the same.
    pub private: BTreeMap<String, Password>,
    /// Further words of the command line.
    pub arguments: Vec<String>,
    /// Environment variables: they go into a Secret, as any of them may be one.
    pub environment: BTreeMap<String, Password>,
}

/// The objects of a run inside the cluster, in the order in which they are applied.
///
/// They are no part of [`manifests`](super::manifests): those are what stays when the run is done.
///
/// # Errors
/// Where the pipeline is not one for Kubernetes.
pub fn run(pipeline: &Pipeline, baggage: &Baggage) -> Result<Vec<Object>, ManifestError> {
    let kubernetes = pipeline.spec.infrastructure.kubernetes.as_ref().ok_or(ManifestError::NotKubernetes)?;
    let names = Names::of(pipeline, kubernetes);
    let run = Run { names: &names, kubernetes, baggage, loaders: pipeline.spec.stream.loaders };
    let mut objects = Vec::new();
    for secret in run.environment().into_iter().chain(run.private()) {
        objects.push(Object::typed(Wave::Settings, &secret)?);
    }
    objects.extend([
        Object::typed(Wave::Settings, &run.files())?,
        Object::typed(Wave::Settings, &run.report())?,
        Object::typed(Wave::Settings, &run.account())?,
        Object::typed(Wave::Settings, &run.role())?,
        Object::typed(Wave::Settings, &run.binding())?,
        Object::typed(Wave::Jobs, &run.job())?,
    ]);
    for object in &mut objects {
        object.add_labels(&pipeline.metadata.labels);
    }
    overrides::apply(&mut objects, &kubernetes.overrides, &names.owner(), None)?;
    Ok(objects)
}

/// What the objects of a run are called, those for its variables and private files apart.
pub(super) fn ids(pipeline: &Pipeline) -> Result<Vec<Id>, ManifestError> {
    Ok(run(pipeline, &Baggage::default())?.iter().map(Object::id).collect())
}

struct Run<'a> {
    names: &'a Names,
    kubernetes: &'a Kubernetes,
    baggage: &'a Baggage,
    loaders: u32,
}

impl Run<'_> {
    fn component(&self) -> Component<'_> {
        Component { names: self.names, name: CONTAINER }
    }

    /// The metadata of one of its objects, which a deployment of the servers does not prune.
    fn metadata(&self, name: String) -> ObjectMeta {
        let stays = [(PRUNE_ANNOTATION.to_owned(), "disabled".to_owned())].into();
        ObjectMeta { annotations: Some(stays), ..self.component().metadata(name) }
    }

    fn environment(&self) -> Option<Secret> {
        let variables = self.baggage.environment.iter();
        self.secret(self.names.run_environment(), variables.map(|(name, value)| (name.clone(), value)))
    }

    fn private(&self) -> Option<Secret> {
        let files = self.baggage.private.values().enumerate();
        self.secret(self.names.run_private(), files.map(|(index, text)| (key(index), text)))
    }

    /// A Secret; none where there is nothing for it.
    fn secret<'p>(
        &self,
        name: String,
        values: impl Iterator<Item = (String, &'p Password)>,
    ) -> Option<Secret> {
        let data: BTreeMap<String, String> =
            values.map(|(key, value)| (key, value.reveal().to_owned())).collect();
        let metadata = self.metadata(name);
        (!data.is_empty()).then(|| Secret { metadata, string_data: Some(data), ..Secret::default() })
    }

    fn files(&self) -> ConfigMap {
        let files = self.baggage.files.values().enumerate();
        let data = files.map(|(index, bytes)| (key(index), ByteString(bytes.clone())));
        let metadata = self.metadata(self.names.run());
        ConfigMap { metadata, binary_data: Some(data.collect()), ..ConfigMap::default() }
    }

    /// The report's place; the first pod may change this one, and make none.
    fn report(&self) -> ConfigMap {
        ConfigMap { metadata: self.metadata(self.names.report()), ..ConfigMap::default() }
    }

    fn account(&self) -> ServiceAccount {
        let metadata = self.metadata(self.names.run());
        ServiceAccount { metadata, automount_service_account_token: Some(false), ..ServiceAccount::default() }
    }

    /// What the pods ask of the API server: whether the servers are there, their passwords, and a place for the report.
    fn role(&self) -> Role {
        let rule = |group: &str, resource: &str, verbs: &[&str], names: Vec<String>| PolicyRule {
            api_groups: Some(vec![group.to_owned()]),
            resources: Some(vec![resource.to_owned()]),
            resource_names: Some(names),
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            ..PolicyRule::default()
        };
        let rules = vec![
            rule("apps", "statefulsets", &["get"], vec![self.names.kafka(), self.names.neo4j()]),
            rule("apps", "deployments", &["get"], vec![self.names.connect()]),
            rule("", "secrets", &["get"], self.secrets()),
            rule("", "configmaps", &["get", "patch"], vec![self.names.report()]),
        ];
        Role { metadata: self.metadata(self.names.run()), rules: Some(rules) }
    }

    /// The Secrets that hold passwords of the servers.
    fn secrets(&self) -> Vec<String> {
        let Kubernetes { kafka, neo4j, .. } = self.kubernetes;
        let named = |source: Option<&SecretSource>| Some(source?.secret.as_ref()?.name.clone());
        let sasl = kafka.existing.as_ref().and_then(|kafka| kafka.security.sasl.as_ref());
        let neo4j = match &neo4j.existing {
            Some(existing) => named(existing.password_from.as_ref()),
            None => Some(password(self.names, neo4j).name),
        };
        let mut secrets: Vec<String> =
            named(sasl.map(|sasl| &sasl.password_from)).into_iter().chain(neo4j).collect();
        // An empty list would mean every Secret.
        if secrets.is_empty() {
            secrets.push(self.names.neo4j_auth());
        }
        secrets
    }

    fn binding(&self) -> RoleBinding {
        let name = self.names.run();
        let subject = Subject {
            kind: "ServiceAccount".to_owned(),
            name: name.clone(),
            namespace: Some(self.names.namespace.clone()),
            ..Subject::default()
        };
        let role = RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "Role".to_owned(),
            name: name.clone(),
        };
        RoleBinding { metadata: self.metadata(name), role_ref: role, subjects: Some(vec![subject]) }
    }

    fn job(&self) -> Job {
        let loaders = i32::try_from(self.loaders).unwrap_or(i32::MAX);
        let rule =
            SuccessPolicyRule { succeeded_indexes: Some("0".to_owned()), ..SuccessPolicyRule::default() };
        let spec = JobSpec {
            completion_mode: Some("Indexed".to_owned()),
            completions: Some(loaders),
            parallelism: Some(loaders),
            success_policy: Some(SuccessPolicy { rules: vec![rule] }),
            backoff_limit_per_index: Some(RESTARTS),
            // Where one loader has failed for good, its partitions never come to their end.
            max_failed_indexes: Some(0),
            pod_failure_policy: Some(failure_policy()),
            // Two pods of one loader would fence each other.
            pod_replacement_policy: Some("Failed".to_owned()),
            template: self.pod(),
            ..JobSpec::default()
        };
        Job { metadata: self.metadata(self.names.run()), spec: Some(spec), ..Job::default() }
    }

    fn pod(&self) -> PodTemplateSpec {
        let (mut volumes, mut mounts) = (vec![parts::scratch_volume()], vec![parts::scratch("/tmp", "tmp")]);
        if let Some(volume) = &self.kubernetes.runner.volume {
            let claim =
                PersistentVolumeClaimVolumeSource { claim_name: volume.claim.clone(), read_only: Some(true) };
            volumes.push(Volume {
                name: SOURCE.to_owned(),
                persistent_volume_claim: Some(claim),
                ..Volume::default()
            });
            mounts.push(read_only(SOURCE, &self.within(&volume.path), None));
        }
        volumes.push(Volume {
            name: FILES.to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: self.names.run(),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        });
        mounts.extend(each(FILES, self.baggage.files.keys()));
        if !self.baggage.private.is_empty() {
            let secret = SecretVolumeSource {
                secret_name: Some(self.names.run_private()),
                ..SecretVolumeSource::default()
            };
            volumes.push(Volume { name: PRIVATE.to_owned(), secret: Some(secret), ..Volume::default() });
            mounts.extend(each(PRIVATE, self.baggage.private.keys()));
        }
        let pods = &self.kubernetes.runner;
        let container = Container {
            name: CONTAINER.to_owned(),
            image: Some(pods.image.clone().unwrap_or_else(|| IMAGE.to_owned())),
            args: Some(self.arguments()),
            env_from: (!self.baggage.environment.is_empty()).then(|| vec![self.environment_source()]),
            resources: Some(parts::resources(&pods.resources, &REQUESTS, &LIMITS)),
            security_context: Some(parts::container_security()),
            volume_mounts: Some(mounts),
            ..Container::default()
        };
        let mut template = self.component().pod(USER, GRACE_SECONDS, container, volumes);
        if let Some(spec) = &mut template.spec {
            spec.restart_policy = Some("Never".to_owned());
            spec.service_account_name = Some(self.names.run());
            spec.automount_service_account_token = Some(true);
        }
        template
    }

    /// A place below the pipeline file's folder.
    fn within(&self, path: &str) -> String {
        let folder = &self.baggage.folder;
        if folder.is_empty() { format!("{FOLDER}/{path}") } else { format!("{FOLDER}/{folder}/{path}") }
    }

    fn arguments(&self) -> Vec<String> {
        // The job puts the number of each pod in.
        let share = format!("$(JOB_COMPLETION_INDEX)/{}", self.loaders);
        let file = self.within(&self.baggage.file);
        let words = [
            "run",
            &file,
            "--in-cluster",
            "--share",
            &share,
            "--output",
            "json",
            "--report-dir",
            "/tmp/report",
        ];
        words.map(str::to_owned).into_iter().chain(self.baggage.arguments.iter().cloned()).collect()
    }

    fn environment_source(&self) -> EnvFromSource {
        let secret = SecretEnvSource { name: self.names.run_environment(), optional: None };
        EnvFromSource { secret_ref: Some(secret), ..EnvFromSource::default() }
    }
}

/// A pod that was put out for the node's sake does not count; one that cannot succeed ends the job.
fn failure_policy() -> PodFailurePolicy {
    let codes = PodFailurePolicyOnExitCodesRequirement {
        container_name: Some(CONTAINER.to_owned()),
        operator: "In".to_owned(),
        values: FINAL_EXIT_CODES.to_vec(),
    };
    let disrupted = PodFailurePolicyOnPodConditionsPattern {
        type_: "DisruptionTarget".to_owned(),
        status: "True".to_owned(),
    };
    PodFailurePolicy {
        rules: vec![
            PodFailurePolicyRule {
                action: "Ignore".to_owned(),
                on_pod_conditions: Some(vec![disrupted]),
                ..PodFailurePolicyRule::default()
            },
            PodFailurePolicyRule {
                action: "FailJob".to_owned(),
                on_exit_codes: Some(codes),
                ..PodFailurePolicyRule::default()
            },
        ],
    }
}

/// Files mounted one by one: in a whole config map or Secret they are links, and the folders of patterns would be, too.
fn each<'f>(volume: &str, paths: impl Iterator<Item = &'f String>) -> impl Iterator<Item = VolumeMount> {
    let paths = paths.enumerate();
    paths.map(move |(index, path)| read_only(volume, &format!("{FOLDER}/{path}"), Some(key(index))))
}

/// The key of a file in the config map or Secret; paths have characters that a key may not have.
fn key(index: usize) -> String {
    format!("file-{index}")
}

fn read_only(volume: &str, path: &str, key: Option<String>) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        sub_path: key,
        read_only: Some(true),
        ..VolumeMount::default()
    }
}
