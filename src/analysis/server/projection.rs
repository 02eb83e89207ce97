//! The native projection that GDS is asked for.

use serde_json::{Map, Value, json};

use crate::graph::CHECKPOINT_LABEL;
use crate::spec::{Projection, RelationshipProjection};

/// GDS's own name for "any label" and "any type"; it stands for itself in a list but is no key of a map.
const ANY: &str = "*";
/// What relationships of any type are called in the projection.
const ALL: &str = "__ALL__";

/// A projection as `gds.graph.project` takes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NativeProjection {
    /// The labels.
    pub nodes: Value,
    /// The types, each with orientation, aggregation and properties.
    pub relationships: Value,
}

impl NativeProjection {
    /// The projection that an analysis names. For "any label", `labels` are those of the database: runner's own
    /// nodes are then left out, as they are everywhere else.
    pub(super) fn new(projection: &Projection, labels: &[String]) -> Self {
        let nodes = if is_any(projection) {
            labels.iter().filter(|label| *label != CHECKPOINT_LABEL).collect::<Vec<_>>()
        } else {
            projection.nodes.iter().collect()
        };
        let relationships = projection.relationships.iter().map(relationship).collect::<Map<_, _>>();
        Self { nodes: json!(nodes), relationships: Value::from(relationships) }
    }

    /// The same as one map, as memory estimates take a graph that is not projected yet.
    pub(super) fn to_map(&self) -> Value {
        json!({ "nodeProjection": self.nodes, "relationshipProjection": self.relationships })
    }
}

/// Whether the projection takes nodes of any label.
pub(super) fn is_any(projection: &Projection) -> bool {
    projection.nodes.iter().any(|label| label == ANY)
}

fn relationship((kind, wanted): (&String, &RelationshipProjection)) -> (String, Value) {
    let name = if kind == ANY { ALL } else { kind };
    let value = json!({
        "type": kind,
        "orientation": wanted.orientation,
        "aggregation": wanted.aggregation,
        "properties": wanted.properties,
    });
    (name.to_owned(), value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn native(projection: Value) -> NativeProjection {
        let labels = ["Location", "RunnerCheckpoint", "Zone"].map(str::to_owned);
        NativeProjection::new(&serde_json::from_value(projection).unwrap(), &labels)
    }

    #[test]
    fn each_type_has_its_own_orientation_aggregation_and_properties() {
        let native = native(json!({
            "nodes": ["Location"],
            "relationships": {
                "TRIP": { "properties": ["distance", "fare"], "aggregation": "SUM" },
                "NEAR": { "orientation": "UNDIRECTED" },
            },
        }));
        insta::assert_json_snapshot!(native.to_map(), @r#"
        {
          "nodeProjection": [
            "Location"
          ],
          "relationshipProjection": {
            "TRIP": {
              "type": "TRIP",
              "orientation": "NATURAL",
              "aggregation": "SUM",
              "properties": [
                "distance",
                "fare"
              ]
            },
            "NEAR": {
              "type": "NEAR",
              "orientation": "UNDIRECTED",
              "aggregation": "NONE",
              "properties": []
            }
          }
        }
        "#);
    }

    #[test]
    fn any_label_is_every_label_but_the_checkpoints() {
        let native = native(json!({ "nodes": ["*"], "relationships": { "*": {} } }));
        assert_eq!(native.nodes, json!(["Location", "Zone"]));
        assert_eq!(native.relationships["__ALL__"]["type"], "*");
    }
}
