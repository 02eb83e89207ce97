//! What of a filter may judge a row group by its statistics, so that it is not read at all.

use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, lit};

/// How many values of a list are held against the statistics one by one. The reader turns them into a chain of comparisons, as
/// deep as there are values.
pub(in crate::source) const LONGEST_LIST: usize = 100;

/// The parts of a filter that may judge: those without a float. A NaN is greater than every number (or, negative, less), but
/// statistics leave it out, so a row group could be skipped that holds a wanted row.
pub(super) fn of(filter: &Expr, schema: &Schema) -> Option<Expr> {
    let is_float =
        |name: &str| schema.field_with_name(name).is_ok_and(|field| field.data_type().is_floating());
    let parts = split_conjunction(filter)
        .into_iter()
        .filter(|part| !part.column_refs().iter().any(|column| is_float(&column.name)))
        .map(|part| range(part).unwrap_or_else(|| part.clone()));
    conjunction(parts)
}

/// From the least to the greatest value of a list that is too long to be held against the statistics.
fn range(part: &Expr) -> Option<Expr> {
    let Expr::InList(InList { expr, list, negated: false }) = part else { return None };
    if list.len() <= LONGEST_LIST {
        return None;
    }
    let values: Vec<&ScalarValue> = list.iter().map(Expr::as_literal).collect::<Option<_>>()?;
    // A null is equal to nothing, so it widens no range.
    let mut values = values.into_iter().filter(|value| !value.is_null());
    let first = values.next()?;
    let (mut least, mut greatest) = (first, first);
    for value in values {
        least = if is_less(value, least)? { value } else { least };
        greatest = if is_less(greatest, value)? { value } else { greatest };
    }
    Some((**expr).clone().between(lit(least.clone()), lit(greatest.clone())))
}

fn is_less(a: &ScalarValue, b: &ScalarValue) -> Option<bool> {
    Some(a.partial_cmp(b)?.is_lt())
}
