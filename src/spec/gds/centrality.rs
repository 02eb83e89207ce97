//! Procedures that score nodes by their place in the graph.

use super::keys::{RELATIONSHIP_WEIGHT_PROPERTY, WRITE_PROPERTY, max_iterations, optional, tolerance};
use super::{Algorithm, ConfigKey, ConfigKind, DefaultValue, Procedure, Range, STREAM_STATS_WRITE, Shape};

const SCORE_COLUMNS: &[&str] = &["nodeId", "score"];
const RANK_STATS: &[&str] = &["ranIterations", "didConverge", "centralityDistribution"];
const SCORE_STATS: &[&str] = &["centralityDistribution"];

const DAMPING_FACTOR: ConfigKey = optional(
    "dampingFactor",
    ConfigKind::Number(Range { min: 0.0, min_allowed: true, max: 1.0, max_allowed: false }),
    Some(DefaultValue::Number(0.85)),
    "The damping factor.",
);

const RANK_TOLERANCE: ConfigKey =
    tolerance(1e-7, "Scores that change by no more than this between iterations count as stable.");

const SOURCE_NODES: ConfigKey =
    optional("sourceNodes", ConfigKind::Nodes, None, "The nodes from which a personalised ranking starts.");

const SCALER: ConfigKey = optional(
    "scaler",
    ConfigKind::Scaler,
    Some(DefaultValue::Text("None")),
    "The scaler that is applied to the final scores.",
);

/// A procedure that gives each node a score and has all modes.
const fn scores(
    algorithm: Algorithm,
    name: &'static str,
    summary: &'static str,
    config: &'static [ConfigKey],
    stats_columns: &'static [&'static str],
) -> Procedure {
    Procedure {
        algorithm,
        name,
        summary,
        config,
        stream_columns: SCORE_COLUMNS,
        stats_columns,
        modes: STREAM_STATS_WRITE,
        shape: Shape::Scores,
    }
}

pub(super) const PAGE_RANK: Procedure = scores(
    Algorithm::PageRank,
    "pageRank",
    "Ranks nodes by the number and the rank of the nodes that point to them.",
    &[
        DAMPING_FACTOR,
        max_iterations(20),
        RANK_TOLERANCE,
        RELATIONSHIP_WEIGHT_PROPERTY,
        SOURCE_NODES,
        SCALER,
        WRITE_PROPERTY,
    ],
    RANK_STATS,
);

pub(super) const ARTICLE_RANK: Procedure = scores(
    Algorithm::ArticleRank,
    "articleRank",
    "Ranks nodes as PageRank does, with less weight on what nodes of low degree pass on.",
    PAGE_RANK.config,
    RANK_STATS,
);

pub(super) const EIGENVECTOR: Procedure = scores(
    Algorithm::Eigenvector,
    "eigenvector",
    "Ranks nodes by the rank of the nodes that point to them, by power iteration.",
    &[max_iterations(20), RANK_TOLERANCE, RELATIONSHIP_WEIGHT_PROPERTY, SOURCE_NODES, SCALER, WRITE_PROPERTY],
    RANK_STATS,
);

pub(super) const DEGREE: Procedure = scores(
    Algorithm::Degree,
    "degree",
    "Counts the relationships of each node, or sums their weights.",
    &[
        optional(
            "orientation",
            ConfigKind::OneOf(&["NATURAL", "REVERSE", "UNDIRECTED"]),
            Some(DefaultValue::Text("NATURAL")),
            "Which relationships of a node are counted.",
        ),
        RELATIONSHIP_WEIGHT_PROPERTY,
        WRITE_PROPERTY,
    ],
    SCORE_STATS,
);

pub(super) const BETWEENNESS: Procedure = scores(
    Algorithm::Betweenness,
    "betweenness",
    "Scores nodes by the share of shortest paths that lead through them.",
    &[
        optional(
            "samplingSize",
            ConfigKind::Integer { min: 0, max: i64::MAX },
            None,
            "The number of nodes from which shortest paths are searched; by default all.",
        ),
        optional(
            "samplingSeed",
            ConfigKind::Integer { min: i64::MIN, max: i64::MAX },
            None,
            "The seed of the choice of these nodes.",
        ),
        RELATIONSHIP_WEIGHT_PROPERTY,
        WRITE_PROPERTY,
    ],
    SCORE_STATS,
);

pub(super) const CLOSENESS: Procedure = scores(
    Algorithm::Closeness,
    "closeness",
    "Scores nodes by the inverse of their mean distance from the nodes that reach them.",
    &[
        optional(
            "useWassermanFaust",
            ConfigKind::Boolean,
            Some(DefaultValue::Boolean(false)),
            "Whether scores are corrected for the size of the component.",
        ),
        WRITE_PROPERTY,
    ],
    SCORE_STATS,
);

pub(super) const HARMONIC_CLOSENESS: Procedure = scores(
    Algorithm::HarmonicCloseness,
    "closeness.harmonic",
    "Scores nodes by the mean of the inverse distances from all others.",
    &[WRITE_PROPERTY],
    SCORE_STATS,
);
