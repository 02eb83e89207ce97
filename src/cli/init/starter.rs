//! The text of a starter file: a pure function of the columns.

use std::fmt::Write as _;

use datafusion::arrow::datatypes::DataType;

use crate::source::Column;

/// A pipeline's name from a path: its last part, as Kubernetes spells names.
pub(super) fn name_from(path: &str) -> String {
    let file = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    let spelled: String = stem
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(63)
        .collect();
    let name = spelled.trim_matches('-');
    if name.is_empty() { "pipeline".to_owned() } else { name.to_owned() }
}

/// The starter file: every column selected, and a mapping guessed from the names.
pub(super) fn pipeline(name: &str, parquet: &str, columns: &[Column]) -> String {
    let guess = Guess::from(columns);
    let mut text = header(name, parquet);
    for column in columns {
        let quoted = quoted(&column.name);
        let _ = writeln!(text, "      - {quoted:<28} # {}", column.data_type);
    }
    let _ = write!(
        text,
        "    # filter: |                        # SQL on the file's columns; rows that it drops are counted\n    #   {} IS NOT NULL\n\n",
        columns.first().map_or("column", |column| column.name.as_str()),
    );
    topic(&mut text, name, &guess);
    mapping(&mut text, columns, &guess);
    analyses(&mut text, &guess);
    text
}

fn header(name: &str, parquet: &str) -> String {
    format!(
        "# A graph pipeline. `runner validate` checks it, `runner preview` shows what becomes of the first rows,
# `runner run` runs it. `runner schema` prints the JSON Schema for your editor.
apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata:
  name: {name}
spec:
  infrastructure:
    embedded: {{}}                       # no server: the graph is kept in a folder

  source:
    parquet: {}
    select:                            # what a message carries; expressions too: trip_distance * 1.609 AS km
",
        quoted(parquet),
    )
}

/// What the columns' names suggest: two columns of ids are the ends of a relationship.
struct Guess<'a> {
    from: Option<&'a Column>,
    to: Option<&'a Column>,
}

impl<'a> From<&'a [Column]> for Guess<'a> {
    fn from(columns: &'a [Column]) -> Self {
        let is_id = |column: &&Column| {
            let name = column.name.to_lowercase();
            name.ends_with("id") && !matches!(column.data_type, DataType::Float32 | DataType::Float64)
        };
        let mut ids = columns.iter().filter(is_id).collect::<Vec<_>>();
        // Of three or more, the two that differ only in how they begin (PULocationID, DOLocationID) belong together.
        let pair = ids.iter().enumerate().find_map(|(index, first)| {
            let second = ids.iter().skip(index + 1).find(|second| alike(&first.name, &second.name))?;
            Some((*first, *second))
        });
        if let Some((from, to)) = pair {
            return Self { from: Some(from), to: Some(to) };
        }
        ids.truncate(2);
        let mut ids = ids.into_iter();
        Self { from: ids.next().or(columns.first()), to: ids.next() }
    }
}

/// Whether two names end in the same word of more than `id`.
fn alike(one: &str, other: &str) -> bool {
    const SHARED: usize = 4;
    one.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count() > SHARED
}

fn topic(text: &mut String, name: &str, guess: &Guess<'_>) {
    let topic = name.replace('-', "_");
    let key = guess.from.map(|column| format!(", key: {}", quoted(&column.name))).unwrap_or_default();
    let _ = writeln!(text, "  topic: {{ name: {topic}, partitions: 1{key} }}\n");
}

fn mapping(text: &mut String, columns: &[Column], guess: &Guess<'_>) {
    let Some(from) = guess.from else { return };
    text.push_str("  mapping:                             # or `cypher:`, a statement that is run for each `event`\n    nodes:\n");
    let node = |text: &mut String, name: &str, label: &str, column: &Column| {
        let key = format!(
            "{{ id: {{ column: {}, type: {} }} }}",
            quoted(&column.name),
            graph_type(&column.data_type)
        );
        let _ = writeln!(text, "      - {{ name: {name}, label: {label}, keys: {key} }}");
    };
    node(text, "from", "Thing", from);
    let Some(to) = guess.to else { return };
    node(text, "to", "Thing", to);
    text.push_str(
        "    relationships:\n      - type: LINK\n        from: from\n        to: to\n        properties:\n",
    );
    for column in columns.iter().filter(|column| column.name != from.name && column.name != to.name) {
        let kind = graph_type(&column.data_type);
        let _ = writeln!(text, "          {}: {{ type: {kind} }}", quoted(&column.name));
    }
}

fn analyses(text: &mut String, guess: &Guess<'_>) {
    if guess.from.is_none() || guess.to.is_none() {
        return;
    }
    text.push_str(
        "
  analyses:
    - name: pagerank
      project: { nodes: [Thing], relationships: { LINK: {} } }
      gds: pageRank
      identify: id
      top: 10
  # expect: { nodes: { Thing: 42 } }     # counts that the graph must have; another count fails the run
",
    );
}

/// The type of a property in the graph that suits a column.
fn graph_type(data_type: &DataType) -> &'static str {
    match data_type {
        data_type if data_type.is_integer() => "integer",
        data_type if data_type.is_numeric() => "float",
        DataType::Boolean => "boolean",
        DataType::Timestamp(_, Some(_)) => "datetime",
        DataType::Timestamp(_, None) => "localDatetime",
        DataType::Date32 | DataType::Date64 => "date",
        _ => "string",
    }
}

/// A name as YAML text, quoted where it would be read as something else.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_./:-".contains(c))
        && name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '.')
        && !name.ends_with(':')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&name.to_lowercase().as_str());
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "''")) }
}
