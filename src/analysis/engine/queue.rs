//! A priority queue of nodes by cost, in which a cost can fall.

use super::cast::index;

const ABSENT: usize = usize::MAX;

/// A binary heap that knows where each node is. Among equal costs it gives nodes out in the same order as
/// GDS's `HugeLongPriorityQueue`, which decides between paths of the same cost. A node's cost stays after it
/// was taken out.
pub(super) struct CostQueue {
    heap: Vec<u32>,
    positions: Vec<usize>,
    costs: Vec<f64>,
}

impl CostQueue {
    /// An empty queue for a graph of that many nodes.
    pub(super) fn new(node_count: u32) -> Self {
        let node_count = index(node_count);
        Self { heap: Vec::new(), positions: vec![ABSENT; node_count], costs: vec![0.0; node_count] }
    }

    /// Whether the node is in the queue.
    pub(super) fn contains(&self, node: u32) -> bool {
        self.positions[index(node)] != ABSENT
    }

    /// The last cost of the node.
    pub(super) fn cost(&self, node: u32) -> f64 {
        self.costs[index(node)]
    }

    /// Puts the node in, or lowers its cost if it is in already.
    pub(super) fn set(&mut self, node: u32, cost: f64) {
        self.costs[index(node)] = cost;
        if !self.contains(node) {
            self.positions[index(node)] = self.heap.len();
            self.heap.push(node);
        }
        self.sift_up(self.positions[index(node)]);
    }

    /// Takes out the node with the lowest cost.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first_mut() else {
            self.positions[index(last)] = ABSENT;
            return Some(last);
        };
        let lowest = std::mem::replace(first, last);
        self.positions[index(lowest)] = ABSENT;
        self.sift_down(0);
        Some(lowest)
    }

    fn sift_up(&mut self, mut position: usize) {
        let node = self.heap[position];
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.cost(node) >= self.cost(self.heap[parent]) {
                break;
            }
            self.place(position, self.heap[parent]);
            position = parent;
        }
        self.place(position, node);
    }

    fn sift_down(&mut self, mut position: usize) {
        let node = self.heap[position];
        while let Some(child) = self.cheaper_child(position) {
            if self.cost(self.heap[child]) >= self.cost(node) {
                break;
            }
            self.place(position, self.heap[child]);
            position = child;
        }
        self.place(position, node);
    }

    /// The child with the lower cost, the first among equals.
    fn cheaper_child(&self, position: usize) -> Option<usize> {
        let first = 2 * position + 1;
        let first_node = *self.heap.get(first)?;
        let second_is_cheaper =
            self.heap.get(first + 1).is_some_and(|node| self.cost(*node) < self.cost(first_node));
        Some(if second_is_cheaper { first + 1 } else { first })
    }

    fn place(&mut self, position: usize, node: u32) {
        self.heap[position] = node;
        self.positions[index(node)] = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_out_by_cost_after_costs_fell() {
        let mut queue = CostQueue::new(5);
        for (node, cost) in [(0, 5.0), (1, 3.0), (2, 4.0), (3, 9.0), (4, 1.0), (3, 2.0)] {
            queue.set(node, cost);
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [4, 3, 1, 2, 0]);
        assert!(!queue.contains(3));
        let costs: Vec<f64> = order.iter().map(|node| queue.cost(*node)).collect();
        assert_eq!(costs, [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
