//! Configuration keys that several procedures share.

use super::{ConfigKey, ConfigKind, DefaultValue, Range, STREAM_STATS_WRITE, STREAM_WRITE, Support, WRITE};

const AT_LEAST_ZERO: Range = Range { min: 0.0, min_allowed: true, max: f64::INFINITY, max_allowed: true };

/// A key that is optional, honoured and accepted in every mode; the procedures change what differs.
const fn key(
    name: &'static str,
    kind: ConfigKind,
    default: Option<DefaultValue>,
    meaning: &'static str,
) -> ConfigKey {
    ConfigKey {
        name,
        kind,
        required: false,
        default,
        meaning,
        support: Support::Honoured,
        modes: STREAM_STATS_WRITE,
    }
}

/// A key that is accepted and changes nothing.
const fn no_effect(
    name: &'static str,
    kind: ConfigKind,
    default: Option<DefaultValue>,
    meaning: &'static str,
) -> ConfigKey {
    ConfigKey { support: Support::NoEffect, ..key(name, kind, default, meaning) }
}

/// An optional key that is honoured.
pub(super) const fn optional(
    name: &'static str,
    kind: ConfigKind,
    default: Option<DefaultValue>,
    meaning: &'static str,
) -> ConfigKey {
    key(name, kind, default, meaning)
}

/// A key that must be there.
pub(super) const fn required(name: &'static str, kind: ConfigKind, meaning: &'static str) -> ConfigKey {
    ConfigKey { required: true, ..key(name, kind, None, meaning) }
}

/// A key of GDS of which the engine has only the default.
pub(super) const fn only_default(
    name: &'static str,
    kind: ConfigKind,
    default: Option<DefaultValue>,
    meaning: &'static str,
) -> ConfigKey {
    ConfigKey { support: Support::OnlyDefault, ..key(name, kind, default, meaning) }
}

/// A key that filters communities by size, which has no place in stats mode.
pub(super) const fn minimum_size(name: &'static str) -> ConfigKey {
    const MEANING: &str = "Only nodes in communities of at least this size are returned or written.";
    ConfigKey {
        modes: STREAM_WRITE,
        ..key(name, ConfigKind::Integer { min: 1, max: i64::MAX }, None, MEANING)
    }
}

/// `maxIterations`, of which each algorithm has its own default.
pub(super) const fn max_iterations(default: i64) -> ConfigKey {
    const KIND: ConfigKind = ConfigKind::Integer { min: 1, max: i32::MAX as i64 };
    key(
        "maxIterations",
        KIND,
        Some(DefaultValue::Integer(default)),
        "The maximum number of iterations to run.",
    )
}

/// `tolerance`, of which each algorithm has its own default.
pub(super) const fn tolerance(default: f64, meaning: &'static str) -> ConfigKey {
    key("tolerance", ConfigKind::Number(AT_LEAST_ZERO), Some(DefaultValue::Number(default)), meaning)
}

pub(super) const RELATIONSHIP_WEIGHT_PROPERTY: ConfigKey = key(
    "relationshipWeightProperty",
    ConfigKind::RelationshipProperty,
    None,
    "The relationship property to use as weight. Without it the algorithm runs unweighted.",
);

pub(super) const SEED_PROPERTY: ConfigKey = only_default(
    "seedProperty",
    ConfigKind::NodeProperty,
    None,
    "The node property with the initial community of a node.",
);

pub(super) const CONSECUTIVE_IDS: ConfigKey = key(
    "consecutiveIds",
    ConfigKind::Boolean,
    Some(DefaultValue::Boolean(false)),
    "Whether communities are numbered from 0 without gaps.",
);

pub(super) const SOURCE_NODE: ConfigKey = required("sourceNode", ConfigKind::Node, "The node to start from.");

/// Keys that every procedure has.
pub(super) const COMMON: &[ConfigKey] = &[
    only_default(
        "nodeLabels",
        ConfigKind::Strings,
        Some(DefaultValue::Star),
        "The labels of the projection to use; narrow `project` instead.",
    ),
    only_default(
        "relationshipTypes",
        ConfigKind::Strings,
        Some(DefaultValue::Star),
        "The relationship types of the projection to use; narrow `project` instead.",
    ),
    no_effect(
        "concurrency",
        ConfigKind::Integer { min: 1, max: i32::MAX as i64 },
        Some(DefaultValue::Integer(4)),
        "The number of threads on a server.",
    ),
    no_effect("jobId", ConfigKind::Text, None, "The name of the job in the server's list of jobs."),
    no_effect(
        "logProgress",
        ConfigKind::Boolean,
        Some(DefaultValue::Boolean(true)),
        "Whether the server logs progress in percent.",
    ),
    no_effect(
        "sudo",
        ConfigKind::Boolean,
        Some(DefaultValue::Boolean(false)),
        "Whether the server's memory estimation is bypassed.",
    ),
    ConfigKey {
        modes: WRITE,
        ..no_effect(
            "writeConcurrency",
            ConfigKind::Integer { min: 1, max: i32::MAX as i64 },
            None,
            "The number of threads that write on a server; by default `concurrency`.",
        )
    },
];

/// `writeProperty` for procedures that write values.
pub(super) const WRITE_PROPERTY: ConfigKey = ConfigKey {
    modes: WRITE,
    ..required("writeProperty", ConfigKind::Text, "The property that the result is written to.")
};

/// `writeRelationshipType` for procedures that write relationships.
pub(super) const WRITE_RELATIONSHIP_TYPE: ConfigKey = ConfigKey {
    modes: WRITE,
    ..required(
        "writeRelationshipType",
        ConfigKind::Text,
        "The type of the relationships that the result is written as.",
    )
};
