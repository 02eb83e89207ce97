//! What must hold on any graph.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, Call, Cell, Graph, GraphBuilder, run};
use crate::spec::{Aggregation, Orientation};
use crate::spec::{Mode, gds};

/// A graph as it is written down.
#[derive(Debug, Clone)]
struct Drawn {
    node_count: u32,
    relationships: Vec<(u32, u32, f64)>,
}

impl Drawn {
    fn project(&self, orientation: Orientation) -> Graph {
        let mut builder =
            GraphBuilder::new(self.node_count).orientation(orientation).property("w", Aggregation::None);
        for (source, target, weight) in &self.relationships {
            builder.relationship(*source, *target, &[*weight]).unwrap();
        }
        builder.build().unwrap()
    }

    /// The nodes that a node reaches, over the relationships as they are or in both directions.
    fn reached_from(&self, start: u32, ignores_direction: bool) -> Vec<u32> {
        let mut is_reached = vec![false; self.node_count as usize];
        is_reached[start as usize] = true;
        for _ in 0..self.node_count {
            for (source, target, _) in &self.relationships {
                let (source, target) = (*source as usize, *target as usize);
                is_reached[target] |= is_reached[source];
                is_reached[source] |= ignores_direction && is_reached[target];
            }
        }
        (0..self.node_count).filter(|node| is_reached[*node as usize]).collect()
    }
}

fn graphs() -> impl Strategy<Value = Drawn> {
    (1_u32..24).prop_flat_map(|node_count| {
        let node = 0..node_count;
        let relationship = (node.clone(), node, 0_u32..40);
        let relationships = prop::collection::vec(relationship, 0..70);
        relationships.prop_map(move |relationships| Drawn {
            node_count,
            relationships: relationships
                .into_iter()
                .map(|(source, target, quarters)| (source, target, f64::from(quarters) / 4.0))
                .collect(),
        })
    })
}

fn answer(graph: &Graph, name: &str, mode: Mode, config: &Value) -> Answer {
    let procedure = gds::find(name).unwrap();
    run(&Call { procedure, mode, config: config.as_object().unwrap() }, graph).unwrap()
}

fn stream(graph: &Graph, name: &str, config: &Value) -> Answer {
    answer(graph, name, Mode::Stream, config)
}

fn floats(answer: &Answer) -> Vec<f64> {
    let score = |row: &Vec<Cell>| match row[1] {
        Cell::Float(score) => score,
        ref other => panic!("not a score: {other:?}"),
    };
    answer.rows.iter().map(score).collect()
}

fn integers(answer: &Answer) -> Vec<i64> {
    let value = |row: &Vec<Cell>| match row[1] {
        Cell::Integer(value) => value,
        ref other => panic!("not an integer: {other:?}"),
    };
    answer.rows.iter().map(value).collect()
}

fn costs(answer: &Answer) -> BTreeMap<u32, f64> {
    let cost = |row: &Vec<Cell>| match row.as_slice() {
        [_, _, Cell::Node(target), Cell::Float(cost), ..] => (*target, *cost),
        other => panic!("not a path: {other:?}"),
    };
    answer.rows.iter().map(cost).collect()
}

fn visited(answer: &Answer) -> Vec<u32> {
    match &answer.rows[0][1] {
        Cell::Nodes(nodes) => nodes.clone(),
        other => panic!("not nodes: {other:?}"),
    }
}

/// Shortest costs by relaxing every relationship as often as there are nodes.
fn costs_by_relaxation(drawn: &Drawn) -> BTreeMap<u32, f64> {
    let mut costs = BTreeMap::from([(0, 0.0)]);
    for _ in 0..drawn.node_count {
        for (source, target, weight) in &drawn.relationships {
            if let Some(cost) = costs.get(source).map(|cost| cost + weight) {
                let best = costs.entry(*target).or_insert(cost);
                *best = best.min(cost);
            }
        }
    }
    costs
}

proptest! {
    #[test]
    fn an_undirected_graph_is_symmetric(drawn in graphs()) {
        let graph = drawn.project(Orientation::Undirected);
        prop_assert_eq!(graph.relationship_count(), 2 * drawn.relationships.len());
        for node in graph.nodes() {
            prop_assert!(graph.neighbours(node).is_sorted());
            for target in graph.neighbours(node) {
                prop_assert!(graph.neighbours(*target).contains(&node));
            }
        }
    }

    #[test]
    fn a_reversed_graph_has_the_degrees_of_the_other_end(drawn in graphs()) {
        let natural = drawn.project(Orientation::Natural);
        let reversed = drawn.project(Orientation::Reverse);
        for weight in [json!({}), json!({"relationshipWeightProperty": "w"})] {
            let mut of_other_end = weight.clone();
            of_other_end["orientation"] = json!("reverse");
            let expected = floats(&stream(&natural, "degree", &of_other_end));
            prop_assert_eq!(floats(&stream(&reversed, "degree", &weight)), expected);
        }
    }

    #[test]
    fn shortest_paths_agree(drawn in graphs(), delta in 0.1_f64..20.0) {
        let graph = drawn.project(Orientation::Natural);
        let config = json!({"sourceNode": 0, "relationshipWeightProperty": "w"});
        let with_delta = json!({"sourceNode": 0, "relationshipWeightProperty": "w", "delta": delta});
        let expected = costs_by_relaxation(&drawn);
        prop_assert_eq!(&costs(&stream(&graph, "allShortestPaths.dijkstra", &config)), &expected);
        prop_assert_eq!(&costs(&stream(&graph, "allShortestPaths.delta", &with_delta)), &expected);
    }

    #[test]
    fn traversals_visit_what_can_be_reached_once(drawn in graphs()) {
        let graph = drawn.project(Orientation::Natural);
        for name in ["bfs", "dfs"] {
            let mut nodes = visited(&stream(&graph, name, &json!({"sourceNode": 0})));
            nodes.sort_unstable();
            prop_assert_eq!(nodes, drawn.reached_from(0, false));
        }
    }

    #[test]
    fn components_are_what_is_connected(drawn in graphs()) {
        let graph = drawn.project(Orientation::Natural);
        let weak = integers(&stream(&graph, "wcc", &json!({})));
        let strong = integers(&stream(&graph, "scc", &json!({})));
        for node in graph.nodes() {
            let connected = drawn.reached_from(node, true);
            let reached = drawn.reached_from(node, false);
            for other in graph.nodes() {
                let is_mutual = reached.contains(&other) && drawn.reached_from(other, false).contains(&node);
                let (node, other_node) = (node as usize, other as usize);
                prop_assert_eq!(weak[node] == weak[other_node], connected.contains(&other));
                prop_assert_eq!(strong[node] == strong[other_node], is_mutual);
            }
        }
    }

    #[test]
    fn page_rank_starts_at_its_floor_and_makes_no_mass(drawn in graphs()) {
        let graph = drawn.project(Orientation::Natural);
        let scores = floats(&stream(&graph, "pageRank", &json!({"maxIterations": 50})));
        prop_assert!(scores.iter().all(|score| *score >= 0.15 - 1e-12));
        prop_assert!(scores.iter().sum::<f64>() <= f64::from(drawn.node_count) + 1e-9);
        let shares = floats(&stream(&graph, "pageRank", &json!({"scaler": "L1Norm"})));
        prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn eigenvector_scores_have_length_one(drawn in graphs()) {
        let scores = floats(&stream(&drawn.project(Orientation::Natural), "eigenvector", &json!({})));
        let squared_length: f64 = scores.iter().map(|score| score * score).sum();
        prop_assert!((squared_length - 1.0).abs() < 1e-9);
    }

    #[test]
    fn closeness_is_at_most_one_and_harmonic_is_its_upper_bound_when_corrected(drawn in graphs()) {
        prop_assume!(drawn.node_count > 1);
        let graph = drawn.project(Orientation::Natural);
        let corrected = floats(&stream(&graph, "closeness", &json!({"useWassermanFaust": true})));
        let harmonic = floats(&stream(&graph, "closeness.harmonic", &json!({})));
        for (corrected, harmonic) in corrected.iter().zip(&harmonic) {
            prop_assert!(*corrected <= harmonic + 1e-12 && *harmonic <= 1.0 + 1e-12);
        }
    }

    #[test]
    fn betweenness_from_a_sample_of_all_is_betweenness(drawn in graphs(), seed in any::<i64>()) {
        let graph = drawn.project(Orientation::Natural);
        let all = json!({"samplingSize": drawn.node_count, "samplingSeed": seed});
        let exact = floats(&stream(&graph, "betweenness", &json!({})));
        prop_assert_eq!(&floats(&stream(&graph, "betweenness", &all)), &exact);
        prop_assert!(exact.iter().all(|score| *score >= 0.0));
    }

    #[test]
    fn each_triangle_counts_for_three_nodes(drawn in graphs()) {
        let graph = drawn.project(Orientation::Undirected);
        let total = answer(&graph, "triangleCount", Mode::Stats, &json!({})).rows[0][0].clone();
        let sum: i64 = integers(&stream(&graph, "triangleCount", &json!({}))).iter().sum();
        prop_assert_eq!(Cell::Integer(sum / 3), total);
        prop_assert_eq!(sum % 3, 0);
    }

    #[test]
    fn a_core_has_no_more_than_the_degree(drawn in graphs()) {
        let graph = drawn.project(Orientation::Undirected);
        for (node, core) in graph.nodes().zip(integers(&stream(&graph, "kcore", &json!({})))) {
            prop_assert!(usize::try_from(core).unwrap() <= graph.degree(node));
        }
    }

    #[test]
    fn communities_keep_to_components_and_levels_do_not_get_worse(drawn in graphs()) {
        let graph = drawn.project(Orientation::Undirected);
        let components = integers(&stream(&graph, "wcc", &json!({})));
        for name in ["louvain", "labelPropagation"] {
            let communities = integers(&stream(&graph, name, &json!({})));
            for (community, component) in communities.iter().zip(&components) {
                prop_assert_eq!(components[usize::try_from(*community).unwrap()], *component);
            }
        }
        let stats = answer(&graph, "louvain", Mode::Stats, &json!({}));
        let Cell::Floats(modularities) = &stats.rows[0][1] else { panic!("no modularities") };
        prop_assert!(drawn.relationships.is_empty() || modularities.is_sorted());
    }

    #[test]
    fn similarity_is_mutual(drawn in graphs()) {
        let graph = drawn.project(Orientation::Natural);
        let answer = stream(&graph, "nodeSimilarity", &json!({"topK": 100}));
        for row in &answer.rows {
            let mirrored = vec![row[1].clone(), row[0].clone(), row[2].clone()];
            prop_assert!(answer.rows.contains(&mirrored));
        }
    }
}
