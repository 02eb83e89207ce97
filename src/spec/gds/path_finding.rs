//! Procedures that walk the graph from a node.
//!
//! The stats modes that GDS has for some of them report timings alone and are left out.

use super::keys::{RELATIONSHIP_WEIGHT_PROPERTY, SOURCE_NODE, WRITE_RELATIONSHIP_TYPE, optional};
use super::{
    Algorithm, ConfigKey, ConfigKind, DefaultValue, Procedure, Range, STREAM, STREAM_WRITE, Shape, WRITE,
};

const MAX_DEPTH: ConfigKey = optional(
    "maxDepth",
    ConfigKind::Integer { min: -1, max: i64::MAX },
    Some(DefaultValue::Integer(-1)),
    "The largest number of steps from the source at which nodes are visited; -1 is no limit.",
);

const TRAVERSAL_TARGETS: ConfigKey =
    optional("targetNodes", ConfigKind::Nodes, None, "The walk ends at the first of these nodes.");

const WRITE_NODE_IDS: ConfigKey = ConfigKey {
    modes: WRITE,
    ..optional(
        "writeNodeIds",
        ConfigKind::Boolean,
        Some(DefaultValue::Boolean(false)),
        "Whether the nodes of a path are written to its relationship.",
    )
};

const WRITE_COSTS: ConfigKey = ConfigKey {
    modes: WRITE,
    ..optional(
        "writeCosts",
        ConfigKind::Boolean,
        Some(DefaultValue::Boolean(false)),
        "Whether the costs along a path are written to its relationship.",
    )
};

pub(super) const BFS: Procedure = Procedure {
    algorithm: Algorithm::BreadthFirstSearch,
    name: "bfs",
    summary: "Visits nodes in the order of their distance from a node.",
    config: &[SOURCE_NODE, TRAVERSAL_TARGETS, MAX_DEPTH],
    stream_columns: &["sourceNode", "nodeIds"],
    stats_columns: &[],
    modes: STREAM,
    shape: Shape::Traversal,
};

pub(super) const DFS: Procedure = Procedure {
    algorithm: Algorithm::DepthFirstSearch,
    name: "dfs",
    summary: "Visits nodes from a node, following each way as far as it goes.",
    ..BFS
};

pub(super) const SOURCE_TARGET_DIJKSTRA: Procedure = Procedure {
    algorithm: Algorithm::SourceTargetDijkstra,
    name: "shortestPath.dijkstra",
    summary: "Finds the cheapest path from a node to one node or to several.",
    config: &[
        SOURCE_NODE,
        optional("targetNode", ConfigKind::Node, None, "The node to reach."),
        optional("targetNodes", ConfigKind::Nodes, None, "The nodes to reach."),
        RELATIONSHIP_WEIGHT_PROPERTY,
        WRITE_RELATIONSHIP_TYPE,
        WRITE_NODE_IDS,
        WRITE_COSTS,
    ],
    stream_columns: &["index", "sourceNode", "targetNode", "totalCost", "nodeIds", "costs"],
    stats_columns: &[],
    modes: STREAM_WRITE,
    shape: Shape::Paths,
};

pub(super) const SINGLE_SOURCE_DIJKSTRA: Procedure = Procedure {
    algorithm: Algorithm::SingleSourceDijkstra,
    name: "allShortestPaths.dijkstra",
    summary: "Finds the cheapest paths from a node to all nodes that it reaches.",
    config: &[
        SOURCE_NODE,
        RELATIONSHIP_WEIGHT_PROPERTY,
        WRITE_RELATIONSHIP_TYPE,
        WRITE_NODE_IDS,
        WRITE_COSTS,
    ],
    ..SOURCE_TARGET_DIJKSTRA
};

pub(super) const DELTA_STEPPING: Procedure = Procedure {
    algorithm: Algorithm::DeltaStepping,
    name: "allShortestPaths.delta",
    summary: "Finds the cheapest paths from a node to all nodes that it reaches, by bins of the cost.",
    config: &[
        SOURCE_NODE,
        optional(
            "delta",
            ConfigKind::Number(Range { min: 0.0, min_allowed: false, max: f64::INFINITY, max_allowed: true }),
            Some(DefaultValue::Number(2.0)),
            "The width of a bin.",
        ),
        RELATIONSHIP_WEIGHT_PROPERTY,
        WRITE_RELATIONSHIP_TYPE,
        WRITE_NODE_IDS,
        WRITE_COSTS,
    ],
    ..SOURCE_TARGET_DIJKSTRA
};
