//! Which expression breaks on which row: looked for once a batch has failed as a whole, so that the value can be looked up.

use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;

use super::error::Key;
use super::scan::{Plan, mask};

/// The first row that breaks an expression.
pub(super) struct Blame {
    /// The expression: the filter, or an entry of `select`.
    pub key: Key,
    /// The row of the batch.
    pub row: usize,
    /// Why.
    pub why: DataFusionError,
}

impl Plan {
    /// What breaks on a batch of the used columns; nothing where each expression on its own takes it.
    pub fn blame(&self, batch: &RecordBatch) -> Option<Blame> {
        if let Some(predicate) = &self.predicate
            && let Some((row, why)) = first_broken(batch, |rows| mask(predicate, rows).err())
        {
            return Some(Blame { key: Key::Filter, row, why });
        }
        let (wanted, kept) = self.wanted(batch).ok()?;
        let mut outputs = self.outputs.iter().zip(&self.entries);
        outputs.find_map(|(output, entry)| {
            let evaluated = |rows: &RecordBatch| {
                output.evaluate(rows).and_then(|value| value.into_array(rows.num_rows()))
            };
            let (row, why) = first_broken(&wanted, |rows| evaluated(rows).err())?;
            Some(Blame { key: Key::Select(*entry), row: *kept.get(row)?, why })
        })
    }
}

/// The first row on which something breaks: the rows up to it break, those before it do not.
fn first_broken<E>(batch: &RecordBatch, breaks: impl Fn(&RecordBatch) -> Option<E>) -> Option<(usize, E)> {
    let mut why = breaks(batch)?;
    let (mut whole, mut broken) = (0, batch.num_rows());
    while broken > whole + 1 {
        let middle = usize::midpoint(whole, broken);
        match breaks(&batch.slice(0, middle)) {
            Some(found) => (broken, why) = (middle, found),
            None => whole = middle,
        }
    }
    Some((broken.checked_sub(1)?, why))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use std::sync::Arc;

    use datafusion::arrow::array::{AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn the_first_of_several_broken_rows_is_found() {
        let numbers = Arc::new(Int64Array::from_iter_values(0..1_000)) as _;
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let found = |broken: &[i64]| {
            let breaks = |rows: &RecordBatch| {
                let numbers = rows.column(0).as_primitive::<Int64Type>().values();
                numbers.iter().rfind(|number| broken.contains(number)).copied()
            };
            first_broken(&batch, breaks)
        };
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[0, 5]), Some((0, 0)));
        assert_eq!(found(&[337, 338, 999]), Some((337, 337)));
        assert_eq!(found(&[999]), Some((999, 999)));
    }
}
