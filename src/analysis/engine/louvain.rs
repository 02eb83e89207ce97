//! The Louvain method: modularity optimisation on the graph, then on the graph of its communities, and so on.
//! Blondel et al., "Fast unfolding of communities in large networks", 2008.
//!
//! GDS breaks ties by the number of a community and takes nodes by colour; the engine does the same in the
//! order of GDS with `concurrency: 1`.

use super::EngineError;
use super::answer::{Answer, Cell};
use super::builder::GraphBuilder;
use super::cast::{index, integer};
use super::communities::Communities;
use super::config::Config;
use super::graph::{Graph, GraphError, WeightedGraph};
use super::modularity::{Optimised, optimise};
use crate::spec::Mode;
use crate::spec::{Aggregation, Orientation};

const WEIGHT: &str = "weight";

/// Finds communities and answers with those of the last level, or with those of each level.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let includes_levels = config.flag("includeIntermediateCommunities");
    if includes_levels && config.flag("consecutiveIds") {
        let words = "`includeIntermediateCommunities` and `consecutiveIds` cannot be used at the same time.";
        return Err(EngineError::Conflict(words));
    }
    let levels = Levels::find(config, &config.weighted(graph)?)?;
    let ids_of_levels =
        |node: u32| levels.communities.iter().map(|level| i64::from(level[index(node)])).collect();
    let communities = Communities::new(levels.communities.last().cloned().unwrap_or_default());
    let ids = communities.reported_ids(config, "minCommunitySize");
    let is_stream = config.call().mode == Mode::Stream;
    let cells = |node| {
        let id = Cell::Integer(ids[index(node)]?);
        Some(match (includes_levels, is_stream) {
            (true, true) => vec![id, Cell::Integers(ids_of_levels(node))],
            (true, false) => vec![Cell::Integers(ids_of_levels(node))],
            (false, true) => vec![id, Cell::Null],
            (false, false) => vec![id],
        })
    };
    Ok(Answer::per_node(config.call(), graph, cells, || [levels.summary(), communities.summary()].concat()))
}

/// The communities after each level, with the level's modularity. Ids are nodes of the projected graph.
struct Levels {
    communities: Vec<Vec<u32>>,
    modularities: Vec<f64>,
}

impl Levels {
    fn find(config: &Config<'_>, weighted: &WeightedGraph<'_>) -> Result<Self, EngineError> {
        let max_levels = config.limit("maxLevels");
        let max_iterations = config.integer("maxIterations").unwrap_or_default();
        let tolerance = config.number("tolerance")?;

        let mut levels = Self { communities: Vec::new(), modularities: Vec::new() };
        let mut condensed = Condensed::identity(weighted.graph());
        while levels.communities.len() < max_levels {
            let optimised = match &condensed.graph {
                None => optimise(weighted, max_iterations, tolerance),
                Some(graph) => optimise(&graph.weighted(Some(WEIGHT))?, max_iterations, tolerance),
            };
            levels.modularities.push(optimised.modularity);
            levels.communities.push(condensed.communities_of_nodes(&optimised));
            let node_count = condensed.labels.len();
            condensed = condensed.condense(weighted, &optimised)?;
            let cannot_go_on = condensed.labels.len() == node_count || condensed.labels.len() == 1;
            if cannot_go_on || !levels.last_improved(tolerance) {
                levels.drop_last();
                break;
            }
        }
        Ok(levels)
    }

    /// Whether the last level has a modularity higher than the one before by more than the tolerance.
    fn last_improved(&self, tolerance: f64) -> bool {
        match self.modularities.as_slice() {
            [.., previous, last] => last - previous > tolerance,
            _ => true,
        }
    }

    /// Drops the level that ended the search, as GDS does even if it was better, unless it is the only one.
    fn drop_last(&mut self) {
        if self.communities.len() > 1 {
            self.communities.pop();
            self.modularities.pop();
        }
    }

    /// The cells `modularity`, `modularities` and `ranLevels`.
    fn summary(&self) -> Vec<Cell> {
        vec![
            Cell::Float(self.modularities.last().copied().unwrap_or(f64::NAN)),
            Cell::Floats(self.modularities.clone()),
            Cell::Integer(integer(self.modularities.len())),
        ]
    }
}

/// The graph whose nodes are the communities of the level before.
struct Condensed {
    /// None at the first level, where it is the projected graph itself.
    graph: Option<Graph>,
    /// The condensed node that each node of the projected graph is in.
    node_of: Vec<u32>,
    /// The community id that each condensed node stands for.
    labels: Vec<u32>,
}

impl Condensed {
    fn identity(graph: &Graph) -> Self {
        Self { graph: None, node_of: graph.nodes().collect(), labels: graph.nodes().collect() }
    }

    /// The community id of each node of the projected graph.
    fn communities_of_nodes(&self, optimised: &Optimised) -> Vec<u32> {
        let community = |node: &u32| self.labels[index(optimised.communities[index(*node)])];
        self.node_of.iter().map(community).collect()
    }

    /// Makes each community a node, numbered in the order of their first members, with the sums of weights
    /// between them. As in GDS each entry of an undirected graph's lists is added in both directions, which
    /// doubles all weights and leaves modularity as it is.
    fn condense(&self, root: &WeightedGraph<'_>, optimised: &Optimised) -> Result<Self, GraphError> {
        let (number_of, labels) = self.number_communities(optimised);
        let number = |node: u32| number_of[index(optimised.communities[index(node)])];
        let is_undirected = root.graph().is_undirected();
        let orientation = if is_undirected { Orientation::Undirected } else { Orientation::Natural };
        let mut builder = GraphBuilder::new(super::cast::node(labels.len()))
            .orientation(orientation)
            .property(WEIGHT, Aggregation::Sum);
        let weighted = match &self.graph {
            None => *root,
            Some(graph) => graph.weighted(Some(WEIGHT))?,
        };
        for node in weighted.graph().nodes() {
            for (target, weight) in weighted.relationships(node) {
                builder.relationship(number(node), number(target), &[weight])?;
            }
        }
        let node_of = self.node_of.iter().map(|node| number(*node)).collect();
        Ok(Self { graph: Some(builder.build()?), node_of, labels })
    }

    /// The number of each community in the order of first members, and the id that each number stands for.
    fn number_communities(&self, optimised: &Optimised) -> (Vec<u32>, Vec<u32>) {
        const NONE: u32 = u32::MAX;
        let mut number_of = vec![NONE; optimised.communities.len()];
        let mut labels = Vec::new();
        for community in &optimised.communities {
            if number_of[index(*community)] == NONE {
                number_of[index(*community)] = super::cast::node(labels.len());
                labels.push(self.labels[index(*community)]);
            }
        }
        (number_of, labels)
    }
}
