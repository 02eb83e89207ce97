//! Procedures that compare nodes.

use super::keys::{
    RELATIONSHIP_WEIGHT_PROPERTY, WRITE_PROPERTY, WRITE_RELATIONSHIP_TYPE, only_default, optional,
};
use super::{Algorithm, ConfigKind, DefaultValue, Procedure, Range, STREAM_STATS_WRITE, Shape};

const fn count(min: i64) -> ConfigKind {
    ConfigKind::Integer { min, max: i32::MAX as i64 }
}

pub(super) const NODE_SIMILARITY: Procedure = Procedure {
    algorithm: Algorithm::NodeSimilarity,
    name: "nodeSimilarity",
    summary: "Compares nodes by the neighbours that they share.",
    config: &[
        optional(
            "similarityCutoff",
            ConfigKind::Number(Range { min: 0.0, min_allowed: true, max: 1.0, max_allowed: true }),
            Some(DefaultValue::Number(1e-42)),
            "Pairs that are less similar are left out.",
        ),
        optional(
            "degreeCutoff",
            count(1),
            Some(DefaultValue::Integer(1)),
            "Nodes with fewer neighbours are left out.",
        ),
        optional(
            "upperDegreeCutoff",
            count(1),
            Some(DefaultValue::Integer(i32::MAX as i64)),
            "Nodes with more neighbours are left out.",
        ),
        optional(
            "topK",
            count(1),
            Some(DefaultValue::Integer(10)),
            "How many of the most similar nodes each node keeps.",
        ),
        optional(
            "bottomK",
            count(1),
            Some(DefaultValue::Integer(10)),
            "How many of the least similar nodes each node keeps, instead of the most similar.",
        ),
        optional(
            "topN",
            count(0),
            Some(DefaultValue::Integer(0)),
            "How many of the most similar pairs are kept; 0 is all.",
        ),
        optional(
            "bottomN",
            count(0),
            Some(DefaultValue::Integer(0)),
            "How many of the least similar pairs are kept; 0 is all.",
        ),
        RELATIONSHIP_WEIGHT_PROPERTY,
        optional(
            "similarityMetric",
            ConfigKind::OneOf(&["JACCARD", "OVERLAP", "COSINE"]),
            Some(DefaultValue::Text("JACCARD")),
            "How neighbours are compared.",
        ),
        only_default(
            "useComponents",
            ConfigKind::Boolean,
            Some(DefaultValue::Boolean(false)),
            "Whether nodes of different components are not compared.",
        ),
        WRITE_RELATIONSHIP_TYPE,
        WRITE_PROPERTY,
    ],
    stream_columns: &["node1", "node2", "similarity"],
    stats_columns: &["nodesCompared", "similarityPairs", "similarityDistribution"],
    modes: STREAM_STATS_WRITE,
    shape: Shape::Pairs,
};
