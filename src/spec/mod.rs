//! The types of the pipeline file: what a user may write, and nothing else.
//!
//! The same types give the file's reader (serde), the JSON Schema (schemars) and later the Kubernetes resource, so they
//! stay plain: no places, no I/O. [`load`] reads a file and keeps where each value stands; `validate` turns a
//! [`Pipeline`] that may be wrong into a [`Checked`] one.

mod analysis;
mod checked;
pub mod gds;
mod infrastructure;
pub mod load;
mod mapping;
pub mod quantity;
mod report;
pub mod schema;
pub mod secret;
mod source;
mod stream;
mod tests;
mod topic;

pub use analysis::{
    Aggregation, Analysis, Assertion, Engine, Mode, Orientation, Projection, RelationshipProjection,
    ValueAssertion,
};
pub use checked::Checked;
pub use infrastructure::{
    Connect, Embedded, ExistingConnect, External, ExternalKafka, ExternalNeo4j, Forward, Helm,
    Infrastructure, Kafka, KafkaMode, KafkaSecurity, Kubernetes, Neo4j, Override, Plugin, Resources,
    RunnerPods, Sasl, SaslMechanism, SecurityProtocol, SourceVolume, Tls,
};
pub use mapping::{
    Indexes, Loader, Mapping, MappingMode, NodeMapping, PropertyMapping, PropertyType, RelationshipMapping,
};
pub use report::{Map, ReportSettings};
pub use secret::{Password, SecretKey, SecretSource};
pub use source::{ObjectStore, OneOrMany, Source};
pub use stream::Stream;
pub use tests::{AnalysisTest, QueryTest, TestCase};
pub use topic::Topic;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One graph pipeline, in the shape of a Kubernetes resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pipeline {
    /// The version of this file's format.
    pub api_version: ApiVersion,
    /// Always `Pipeline`.
    pub kind: Kind,
    /// What the pipeline is called.
    pub metadata: Metadata,
    /// What the pipeline does.
    pub spec: Spec,
}

/// The versions of the file's format that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first format; keys may still change between releases.
    #[serde(rename = "runner.dev/v1alpha1")]
    V1Alpha1,
}

/// The kinds of resource that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A graph pipeline.
    Pipeline,
}

/// The name of the pipeline, with Kubernetes' usual labels and annotations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Lower-case letters, digits and `-`, at most 63: it names Kubernetes objects and the state folder.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Labels put on each object that the pipeline owns and on its pods, which a change restarts; those of runner's own stay as they are.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Free notes for people and other tools.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub annotations: IndexMap<String, String>,
}

/// What the pipeline does: where it runs, what it reads, how rows become a graph, and what is asked of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Where Kafka and Neo4j are: exactly one of `embedded`, `external` and `kubernetes`. Without it, embedded.
    #[serde(default)]
    pub infrastructure: Infrastructure,
    /// The rows: parquet files, a filter and the columns to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The topic that carries the rows.
    pub topic: Topic,
    /// How a row becomes nodes and relationships: `cypher`, or `nodes` and `relationships`.
    pub mapping: Mapping,
    /// How the rows are moved: batches, limits, how many producers and loaders.
    #[serde(default)]
    pub stream: Stream,
    /// What is asked of the finished graph, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<Analysis>,
    /// What must have come out; another count fails the run.
    #[serde(default)]
    pub expect: Expect,
    /// Codes of findings that are meant to be so (`runner explain CODE`), such as `no-rows`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// How the report draws the graph.
    #[serde(default)]
    pub report: ReportSettings,
    /// Small cases for `runner test`: rows in, graph and analyses out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<TestCase>,
}

/// The counts that the graph must have in the end. Labels and types that are not named are not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Nodes by label.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub nodes: IndexMap<String, u64>,
    /// Relationships by type.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub relationships: IndexMap<String, u64>,
}
