//! A result made ready for people: its first rows, with each column's numbers written alike.

use serde_json::Value;

use super::{AnalysisReport, Report, numbers};

/// What people are shown of an analysis.
pub(super) struct Shown<'a> {
    /// The columns, in order.
    pub columns: Vec<Column<'a>>,
    /// How many rows each column has.
    pub rows: usize,
}

/// A column of a result.
pub(super) struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it holds numbers, which stand to the right.
    pub numeric: bool,
    /// The cells, row by row.
    pub cells: Vec<String>,
}

/// A row of a bar chart.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    /// What the row is about.
    pub name: String,
    /// How long the bar is.
    pub value: f64,
    /// The same as the table writes it.
    pub written: String,
}

/// The first `top` rows; where a column names nodes of the picture, the next one has their longer names.
pub(super) fn shown<'a>(report: &Report, analysis: &'a AnalysisReport) -> Shown<'a> {
    let rows = analysis.rows.get(..analysis.top).unwrap_or(&analysis.rows);
    let mut columns = Vec::new();
    for (index, name) in analysis.columns.iter().enumerate() {
        let values: Vec<&Value> = rows.iter().map(|row| row.get(index).unwrap_or(&Value::Null)).collect();
        columns.push(Column { name, numeric: is_numeric(&values), cells: written(&values) });
        if analysis.node_column.as_ref() == Some(name) {
            columns.extend(titles(report, &values));
        }
    }
    Shown { columns, rows: rows.len() }
}

/// The longer names of nodes, if any of them has one.
fn titles(report: &Report, names: &[&Value]) -> Option<Column<'static>> {
    let title = |name: &&Value| report.title_of(&in_words(name)).unwrap_or_default().to_owned();
    let cells: Vec<_> = names.iter().map(title).collect();
    let any = cells.iter().any(|title| !title.is_empty());
    any.then_some(Column { name: "title", numeric: false, cells })
}

/// The bars of the charted column, for the rows that are shown and have a number in it.
pub(super) fn bars(analysis: &AnalysisReport, shown: &Shown<'_>) -> Vec<Bar> {
    let Some(chart) = analysis.chart.as_deref() else { return Vec::new() };
    let Some(index) = analysis.columns.iter().position(|column| column == chart) else { return Vec::new() };
    let Some(charted) = shown.columns.iter().position(|column| column.name == chart) else {
        return Vec::new();
    };
    let (naming, rest) = shown.columns.split_at(charted);
    let bar = |row: usize| {
        let value = analysis.rows.get(row)?.get(index)?.as_f64()?;
        let written = rest.first()?.cells.get(row)?.clone();
        let names = naming.iter().filter_map(|column| column.cells.get(row)).filter(|name| !name.is_empty());
        let name = names.map(String::as_str).collect::<Vec<_>>().join(" · ");
        Some(Bar { name: if name.is_empty() { format!("row {}", row + 1) } else { name }, value, written })
    };
    (0..shown.rows).filter_map(bar).collect()
}

fn is_numeric(values: &[&Value]) -> bool {
    values.iter().any(|value| value.is_number())
        && values.iter().all(|value| value.is_number() || value.is_null())
}

/// The cells of a column: whole numbers as they are, others with as many places each.
fn written(values: &[&Value]) -> Vec<String> {
    let floats = values.iter().filter(|value| value.is_f64()).filter_map(|value| value.as_f64());
    let places = numbers::places(floats.clone());
    let any_float = floats.clone().next().is_some();
    let cell = |value: &&Value| match value {
        Value::Number(number) if any_float && is_numeric(values) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| numbers::with_places(number, places))
        }
        value => in_words(value),
    };
    values.iter().map(cell).collect()
}

/// A single value: text as it is, a list by its members.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(String::new, |number| {
            numbers::with_places(number, numbers::places(std::iter::once(number)))
        }),
        Value::Array(members) => members.iter().map(in_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test may panic")]

    use serde_json::json;

    use super::super::fixtures;
    use super::*;

    fn analysis(columns: &[&str], rows: Vec<Vec<Value>>, chart: Option<&str>) -> AnalysisReport {
        AnalysisReport {
            columns: columns.iter().map(ToString::to_string).collect(),
            total_rows: rows.len() as u64,
            rows,
            chart: chart.map(ToOwned::to_owned),
            ..fixtures::bronx().analyses.swap_remove(0)
        }
    }

    #[test]
    fn people_are_shown_the_top_rows() {
        let report = fixtures::bronx();
        let shown = shown(&report, &report.analyses[0]);
        assert_eq!(shown.rows, 5);
        let first: Vec<_> =
            shown.columns.iter().map(|column| (column.name, column.cells[0].as_str())).collect();
        assert_eq!(first, [("name", "159"), ("title", "Melrose South"), ("score", "3.228249")]);
    }

    #[test]
    fn a_column_of_numbers_and_nulls_is_numeric_and_one_with_text_is_not() {
        let rows = vec![vec![json!(1.5), json!("a")], vec![Value::Null, json!(2)]];
        let mixed = analysis(&["a", "b"], rows, None);
        let shown = shown(&fixtures::empty(), &mixed);
        assert_eq!(shown.columns.iter().map(|column| column.numeric).collect::<Vec<_>>(), [true, false]);
        assert_eq!(shown.columns[0].cells, ["1.5", "null"]);
    }

    #[test]
    fn a_short_row_is_filled_up_with_nulls() {
        let short = analysis(&["a", "b"], vec![vec![json!(1)]], None);
        assert_eq!(shown(&fixtures::empty(), &short).columns[1].cells, ["null"]);
    }

    fn bars_of(analysis: &AnalysisReport) -> Vec<Bar> {
        bars(analysis, &shown(&fixtures::bronx(), analysis))
    }

    #[test]
    fn a_bar_is_named_by_the_columns_before_it() {
        let pairs =
            analysis(&["from", "to", "trips"], vec![vec![json!(159), json!(147), json!(12)]], Some("trips"));
        let bar = Bar { name: "159 · 147".to_owned(), value: 12.0, written: "12".to_owned() };
        assert_eq!(bars_of(&pairs), [bar]);
    }

    #[test]
    fn there_are_no_bars_without_a_number_or_a_column() {
        assert_eq!(bars_of(&analysis(&["a"], vec![vec![json!("x")]], Some("a"))), []);
        assert_eq!(bars_of(&analysis(&["a"], vec![vec![json!(1)]], Some("b"))), []);
    }
}
