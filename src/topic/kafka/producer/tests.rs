//! Why a loader that skips what is not beyond the last row writes each row once, whatever becomes of the producers.

use proptest::prelude::*;

/// A run's producer, as far as one partition sees it: it goes on behind the row that stood last when it began, and
/// delivers in order and without a gap, as the idempotent producer does.
#[derive(Debug, Clone, Copy)]
struct Run {
    next: u64,
}

/// What happens to a partition.
#[derive(Debug, Clone)]
enum Step {
    /// A run begins.
    Begin,
    /// A run delivers some rows; it may have been stopped for long, and have successors.
    Deliver(prop::sample::Index, u64),
    /// A run is killed: what it has queued is lost, what is on its way may come.
    Kill(prop::sample::Index, u64),
    /// Somebody else's message.
    Foreign,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Begin),
        6 => (any::<prop::sample::Index>(), 1_u64..9).prop_map(|(run, rows)| Step::Deliver(run, rows)),
        1 => (any::<prop::sample::Index>(), 0_u64..5).prop_map(|(run, rows)| Step::Kill(run, rows)),
        1 => Just(Step::Foreign),
    ]
}

/// The partition after the steps: rows, and `None` for what is somebody else's.
fn partition(steps: &[Step]) -> Vec<Option<u64>> {
    let (mut runs, mut partition) = (Vec::<Run>::new(), Vec::new());
    let deliver = |run: &mut Run, rows: u64, partition: &mut Vec<Option<u64>>| {
        partition.extend((run.next..run.next + rows).map(Some));
        run.next += rows;
    };
    for step in steps {
        match step {
            Step::Begin => {
                let last = partition.iter().rev().find_map(|row| *row);
                runs.push(Run { next: last.map_or(0, |last| last + 1) });
            }
            Step::Deliver(..) | Step::Kill(..) if runs.is_empty() => {}
            Step::Deliver(index, rows) => deliver(index.get_mut(&mut runs), *rows, &mut partition),
            Step::Kill(index, rows) => {
                let mut run = runs.remove(index.index(runs.len()));
                deliver(&mut run, *rows, &mut partition);
            }
            Step::Foreign => partition.push(None),
        }
    }
    partition
}

/// What a loader writes of a partition: the rows beyond the last one.
fn loaded(partition: &[Option<u64>]) -> Vec<u64> {
    let mut written = Vec::<u64>::new();
    for row in partition.iter().flatten() {
        if written.last().is_none_or(|last| row > last) {
            written.push(*row);
        }
    }
    written
}

proptest! {
    #[test]
    fn every_row_is_loaded_once_and_in_order_however_runs_interleave(steps in prop::collection::vec(step(), 0..60)) {
        let partition = partition(&steps);
        let rows = partition.iter().flatten().max().map_or(0, |last| last + 1);
        prop_assert_eq!(loaded(&partition), (0..rows).collect::<Vec<_>>());
    }
}
