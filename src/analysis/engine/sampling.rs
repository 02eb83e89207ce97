//! The choice of source nodes for an approximate betweenness centrality.

use super::cast::index;
use super::graph::Graph;

/// The seed when none is given. GDS then chooses anew on each run; the engine's results can be repeated.
pub(super) const DEFAULT_SEED: i64 = 0;

/// Chooses `size` nodes, those of a high degree more likely than others, in the way and with the random
/// numbers of GDS with `concurrency: 1`. The nodes come in ascending order.
pub(super) fn sample_by_degree(graph: &Graph, size: usize, seed: i64) -> Vec<u32> {
    let max_degree = graph.nodes().map(|node| graph.degree(node)).max().unwrap_or(0);
    let bound = u32::try_from(max_degree).unwrap_or(u32::MAX).max(1);
    let mut random = SplittableRandom::new(seed.cast_unsigned());
    let mut random_of_partition = random.split();

    let mut is_chosen = vec![false; index(graph.node_count())];
    let mut remaining = size.min(is_chosen.len());
    for node in graph.nodes() {
        if remaining == 0 {
            break;
        }
        let factor = random_of_partition.next_below(bound);
        if index(factor) < graph.degree(node) {
            is_chosen[index(node)] = true;
            remaining -= 1;
        }
    }
    while remaining > 0 {
        for chosen in is_chosen.iter_mut().filter(|chosen| !**chosen) {
            if remaining > 0 && random.next_is_upper_half() {
                *chosen = true;
                remaining -= 1;
            }
        }
    }
    graph.nodes().filter(|node| is_chosen[index(*node)]).collect()
}

/// Java's `SplittableRandom`, so that a `samplingSeed` chooses the nodes that it chooses in GDS.
/// Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplittableRandom {
    seed: u64,
    gamma: u64,
}

impl SplittableRandom {
    const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

    fn new(seed: u64) -> Self {
        Self { seed, gamma: Self::GOLDEN_GAMMA }
    }

    fn split(&mut self) -> Self {
        let seed = self.next_u64();
        let gamma = Self::mix_gamma(self.next_seed());
        Self { seed, gamma }
    }

    fn next_seed(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(self.gamma);
        self.seed
    }

    fn next_u64(&mut self) -> u64 {
        let z = self.next_seed();
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn next_u32(&mut self) -> u32 {
        let z = self.next_seed();
        let z = (z ^ (z >> 33)).wrapping_mul(0x62a9_d9ed_7997_05f5);
        let z = (z ^ (z >> 28)).wrapping_mul(0xcb24_d0a5_c88c_35b3);
        let [_, _, _, _, high @ ..] = z.to_le_bytes();
        u32::from_le_bytes(high)
    }

    /// A number below `bound`, which is not zero, all equally likely.
    fn next_below(&mut self, bound: u32) -> u32 {
        if bound.is_power_of_two() {
            return self.next_u32() & (bound - 1);
        }
        loop {
            let candidate = self.next_u32() >> 1;
            let remainder = candidate % bound;
            let end_of_stretch = u64::from(candidate - remainder) + u64::from(bound - 1);
            if i32::try_from(end_of_stretch).is_ok() {
                return remainder;
            }
        }
    }

    /// Whether the next number in [0, 1) is at least one half: its highest bit.
    fn next_is_upper_half(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    fn mix_gamma(z: u64) -> u64 {
        let z = (z ^ (z >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let z = (z ^ (z >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let z = (z ^ (z >> 33)) | 1;
        if (z ^ (z >> 1)).count_ones() < 24 { z ^ 0xaaaa_aaaa_aaaa_aaaa } else { z }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;

    #[test]
    fn the_generator_is_that_of_java() {
        // the first numbers of SplitMix64 with seed 0, as its authors publish them
        let mut random = SplittableRandom::new(0);
        assert_eq!(random.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn as_many_nodes_are_chosen_as_asked_for() {
        let mut builder = GraphBuilder::new(50);
        for node in 1..50 {
            builder.relationship(0, node, &[]).unwrap();
        }
        let graph = builder.build().unwrap();
        let sample = sample_by_degree(&graph, 7, 42);
        assert_eq!(sample.len(), 7);
        assert_eq!(sample, sample_by_degree(&graph, 7, 42));
        assert_ne!(sample, sample_by_degree(&graph, 7, 43));
    }
}
