//! Procedures that group nodes or measure how they cluster.

use super::keys::{
    CONSECUTIVE_IDS, RELATIONSHIP_WEIGHT_PROPERTY, SEED_PROPERTY, WRITE_PROPERTY, max_iterations,
    minimum_size, only_default, optional, tolerance,
};
use super::{Algorithm, ConfigKey, ConfigKind, DefaultValue, Procedure, Range, STREAM_STATS_WRITE, Shape};

const ANY_NUMBER: Range =
    Range { min: f64::NEG_INFINITY, min_allowed: true, max: f64::INFINITY, max_allowed: true };

const MAX_DEGREE: ConfigKey = optional(
    "maxDegree",
    ConfigKind::Integer { min: 2, max: i64::MAX },
    Some(DefaultValue::Integer(i64::MAX)),
    "Nodes of a higher degree are left out and get the count -1.",
);

pub(super) const WCC: Procedure = Procedure {
    algorithm: Algorithm::WeaklyConnectedComponents,
    name: "wcc",
    summary: "Finds the sets of nodes that are connected when directions are ignored.",
    config: &[
        RELATIONSHIP_WEIGHT_PROPERTY,
        SEED_PROPERTY,
        optional(
            "threshold",
            ConfigKind::Number(ANY_NUMBER),
            Some(DefaultValue::Number(0.0)),
            "Only relationships with a weight above this connect; 0 lets all connect.",
        ),
        CONSECUTIVE_IDS,
        minimum_size("minComponentSize"),
        WRITE_PROPERTY,
    ],
    stream_columns: &["nodeId", "componentId"],
    stats_columns: &["componentCount", "componentDistribution"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Communities,
};

pub(super) const SCC: Procedure = Procedure {
    algorithm: Algorithm::StronglyConnectedComponents,
    name: "scc",
    summary: "Finds the largest sets of nodes in which each reaches each other along the directions.",
    config: &[CONSECUTIVE_IDS, WRITE_PROPERTY],
    ..WCC
};

pub(super) const LOUVAIN: Procedure = Procedure {
    algorithm: Algorithm::Louvain,
    name: "louvain",
    summary: "Finds communities by maximising modularity, level by level.",
    config: &[
        RELATIONSHIP_WEIGHT_PROPERTY,
        SEED_PROPERTY,
        optional(
            "maxLevels",
            ConfigKind::Integer { min: 1, max: i32::MAX as i64 },
            Some(DefaultValue::Integer(10)),
            "The maximum number of levels in which the graph is clustered and condensed.",
        ),
        max_iterations(10),
        tolerance(0.0001, "A gain in modularity of no more than this ends a level and the levels."),
        optional(
            "includeIntermediateCommunities",
            ConfigKind::Boolean,
            Some(DefaultValue::Boolean(false)),
            "Whether the communities of all levels are returned or written.",
        ),
        CONSECUTIVE_IDS,
        minimum_size("minCommunitySize"),
        WRITE_PROPERTY,
    ],
    stream_columns: &["nodeId", "communityId", "intermediateCommunityIds"],
    stats_columns: &["modularity", "modularities", "ranLevels", "communityCount", "communityDistribution"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Communities,
};

pub(super) const LABEL_PROPAGATION: Procedure = Procedure {
    algorithm: Algorithm::LabelPropagation,
    name: "labelPropagation",
    summary: "Finds communities by letting each node take the label that most of its neighbours have.",
    config: &[
        max_iterations(10),
        only_default(
            "nodeWeightProperty",
            ConfigKind::NodeProperty,
            None,
            "The node property that weighs a node's label.",
        ),
        RELATIONSHIP_WEIGHT_PROPERTY,
        SEED_PROPERTY,
        CONSECUTIVE_IDS,
        minimum_size("minCommunitySize"),
        WRITE_PROPERTY,
    ],
    stream_columns: &["nodeId", "communityId"],
    stats_columns: &["ranIterations", "didConverge", "communityCount", "communityDistribution"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Communities,
};

pub(super) const TRIANGLE_COUNT: Procedure = Procedure {
    algorithm: Algorithm::TriangleCount,
    name: "triangleCount",
    summary: "Counts the triangles that each node is part of; the projection must be UNDIRECTED.",
    config: &[MAX_DEGREE, WRITE_PROPERTY],
    stream_columns: &["nodeId", "triangleCount"],
    stats_columns: &["globalTriangleCount", "nodeCount"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Scores,
};

pub(super) const LOCAL_CLUSTERING_COEFFICIENT: Procedure = Procedure {
    algorithm: Algorithm::LocalClusteringCoefficient,
    name: "localClusteringCoefficient",
    summary: "Measures how many pairs of a node's neighbours are neighbours; the projection must be UNDIRECTED.",
    config: &[
        only_default(
            "triangleCountProperty",
            ConfigKind::NodeProperty,
            None,
            "The node property that holds triangle counts computed before.",
        ),
        WRITE_PROPERTY,
    ],
    stream_columns: &["nodeId", "localClusteringCoefficient"],
    stats_columns: &["averageClusteringCoefficient", "nodeCount"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Scores,
};

pub(super) const K_CORE: Procedure = Procedure {
    algorithm: Algorithm::KCore,
    name: "kcore",
    summary: "Finds the highest k for which a node stays in the k-core; the projection must be UNDIRECTED.",
    config: &[WRITE_PROPERTY],
    stream_columns: &["nodeId", "coreValue"],
    stats_columns: &["degeneracy"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Scores,
};
