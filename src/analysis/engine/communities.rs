//! Communities of nodes as a result: numbering, filtering by size, and the answers made from them.

use std::collections::HashMap;

use super::answer::{Answer, Cell};
use super::cast::{index, integer};
use super::config::Config;
use super::graph::Graph;
use super::statistics;

/// The community of each node; ids are indexes of nodes.
pub(super) struct Communities {
    ids: Vec<u32>,
    sizes: Vec<usize>,
}

impl Communities {
    /// The communities that the ids make.
    pub(super) fn new(ids: Vec<u32>) -> Self {
        let mut sizes = vec![0; ids.len()];
        for id in &ids {
            sizes[index(*id)] += 1;
        }
        Self { ids, sizes }
    }

    /// The cells `communityCount` and `communityDistribution` of a stats row.
    pub(super) fn summary(&self) -> Vec<Cell> {
        let sizes: Vec<usize> = self.sizes.iter().copied().filter(|size| *size > 0).collect();
        let count = integer(sizes.len());
        vec![Cell::Integer(count), Cell::Map(statistics::of_sizes(sizes, self.ids.len()))]
    }

    /// The id to report for each node: none in a community smaller than `min_size_key` asks for, and numbered
    /// anew in the order of appearance if `consecutiveIds` asks for it.
    pub(super) fn reported_ids(&self, config: &Config<'_>, min_size_key: &str) -> Vec<Option<i64>> {
        let min_size = config.integer(min_size_key).and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        let is_consecutive = config.flag("consecutiveIds");
        let mut numbers = HashMap::new();
        let mut reported = |id: u32| {
            if self.sizes[index(id)] < min_size {
                return None;
            }
            if !is_consecutive {
                return Some(i64::from(id));
            }
            let next_number = numbers.len();
            Some(integer(*numbers.entry(id).or_insert(next_number)))
        };
        self.ids.iter().map(|id| reported(*id)).collect()
    }

    /// The answer with one id for each node, and a stats row that begins with `stats` and ends with the
    /// summary.
    pub(super) fn into_answer(
        self,
        config: &Config<'_>,
        graph: &Graph,
        min_size_key: &str,
        stats: Vec<Cell>,
    ) -> Answer {
        let ids = self.reported_ids(config, min_size_key);
        let cells = |node| ids[index(node)].map(|id| vec![Cell::Integer(id)]);
        Answer::per_node(config.call(), graph, cells, || [stats, self.summary()].concat())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::engine::{Call, GraphBuilder};
    use crate::spec::{Mode, gds};

    fn reported(config: &serde_json::Value) -> Vec<Option<i64>> {
        let graph = GraphBuilder::new(5).build().unwrap();
        let procedure = gds::find("wcc").unwrap();
        let call = Call { procedure, mode: Mode::Stream, config: config.as_object().unwrap() };
        let config = Config::check(&call, &graph).unwrap();
        Communities::new(vec![4, 2, 2, 3, 4]).reported_ids(&config, "minComponentSize")
    }

    #[test]
    fn ids_are_filtered_before_they_are_numbered() {
        assert_eq!(reported(&json!({})), [Some(4), Some(2), Some(2), Some(3), Some(4)]);
        assert_eq!(reported(&json!({"consecutiveIds": true})), [Some(0), Some(1), Some(1), Some(2), Some(0)]);
        let both = json!({"consecutiveIds": true, "minComponentSize": 2});
        assert_eq!(reported(&both), [Some(0), Some(1), Some(1), None, Some(0)]);
    }

    #[test]
    fn the_summary_counts_communities() {
        let summary = Communities::new(vec![4, 2, 2, 3, 4]).summary();
        assert_eq!(summary[0], Cell::Integer(3));
    }
}
