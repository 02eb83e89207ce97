//! The graph as the report draws it: which part of it, how large its nodes are, and where they lie.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::graph::{ElementSchema, GraphSchema, GraphStore, ProjectedGraph};
use crate::report::{AnalysisReport, GraphCounts, Picture, PictureEdge, PictureNode, picture as drawing};
use crate::spec::{Analysis, Projection, RelationshipProjection};
use crate::stages::Fault;
use crate::stages::validate::Plan;

/// Stands for every label or type in a projection.
const EVERY: &str = "*";
/// How many elements are read at most for a picture that shows a few hundred: more take longer than a load of them is worth.
const MOST_READ: u64 = 100_000;

/// The picture of the graph: what the first ranking projects, sized by its scores; without a ranking, all that the mapping
/// writes, sized by degree. `None` where there is nothing, or too much to be read for a picture.
pub(in crate::stages) async fn picture(
    plan: &Plan,
    store: &dyn GraphStore,
    counts: &GraphCounts,
    results: &[AnalysisReport],
) -> Result<Option<Picture>, Fault> {
    let analyses = &plan.pipeline.spec.analyses;
    let ranking = analyses
        .iter()
        .zip(results)
        .find(|(_, result)| result.node_column.is_some() && result.chart.is_some() && result.total_rows > 0);
    let identify =
        ranking.map_or_else(|| some_identify(analyses), |(analysis, _)| analysis.identify.as_deref());
    let projection = ranking.and_then(|(analysis, _)| analysis.project.clone());
    let projection = projection.unwrap_or_else(|| written(&plan.mapping.schema, counts));
    let projection = without_properties(projection);
    if projection.nodes.is_empty() || elements(&projection, counts) > MOST_READ {
        return Ok(None);
    }
    let projected = store.project(&projection, identify).await?;
    let scores = ranking.and_then(|(_, result)| scores(result));
    let sized_by = ranking.map_or_else(
        || "degree".to_owned(),
        |(_, result)| format!("{} ({})", result.name, result.chart.as_deref().unwrap_or_default()),
    );
    let places = places(plan, store, &projection, identify).await?;
    let nodes = nodes(&projected, scores.as_ref(), places.as_ref());
    let edges = projected.relationships.values().flat_map(|relationships| {
        let ends = relationships.sources.iter().zip(&relationships.targets);
        ends.map(|(&source, &target)| PictureEdge { source: index(source), target: index(target), count: 1 })
    });
    Ok(Some(drawing::cut(nodes, edges, sized_by, places.is_some())))
}

fn index(node: u32) -> usize {
    usize::try_from(node).unwrap_or(usize::MAX)
}

/// The property that names nodes, where any analysis says so.
fn some_identify(analyses: &[Analysis]) -> Option<&str> {
    analyses.iter().find_map(|analysis| analysis.identify.as_deref())
}

/// A projection of what the mapping writes and is there: a server may hold much else.
fn written(schema: &GraphSchema, counts: &GraphCounts) -> Projection {
    let names = |elements: &[ElementSchema], there: &IndexMap<String, u64>| -> Vec<String> {
        let names = elements.iter().map(|element| element.name.clone());
        names.filter(|name| there.contains_key(name)).collect()
    };
    let relationships = names(&schema.relationships, &counts.relationships);
    Projection {
        nodes: names(&schema.nodes, &counts.nodes),
        relationships: relationships
            .into_iter()
            .map(|kind| (kind, RelationshipProjection::default()))
            .collect(),
    }
}

/// How many nodes and relationships a projection reads, or more where nodes have several labels.
fn elements(projection: &Projection, counts: &GraphCounts) -> u64 {
    let count = |there: &IndexMap<String, u64>, name: &str| match name {
        EVERY => there.values().sum(),
        name => there.get(name).copied().unwrap_or_default(),
    };
    let nodes = projection.nodes.iter().map(|label| count(&counts.nodes, label)).sum::<u64>();
    nodes + projection.relationships.keys().map(|kind| count(&counts.relationships, kind)).sum::<u64>()
}

/// The picture needs no weights.
fn without_properties(mut projection: Projection) -> Projection {
    for relationships in projection.relationships.values_mut() {
        relationships.properties.clear();
    }
    projection
}

/// The scores of a ranking, by the text that names the node.
fn scores(result: &AnalysisReport) -> Option<HashMap<String, f64>> {
    let node = result.columns.iter().position(|name| Some(name) == result.node_column.as_ref())?;
    let score = result.columns.iter().position(|name| Some(name) == result.chart.as_ref())?;
    let pair = |row: &Vec<Value>| Some((text(row.get(node)?), row.get(score)?.as_f64()?));
    Some(result.rows.iter().filter_map(pair).collect())
}

/// The nodes, with their scores and places.
fn nodes(
    projected: &ProjectedGraph,
    scores: Option<&HashMap<String, f64>>,
    places: Option<&HashMap<String, Place>>,
) -> Vec<PictureNode> {
    let degrees = degrees(projected);
    let named = projected.names.iter().zip(&projected.labels).zip(&projected.ids).zip(degrees);
    let node = |(((name, label), id), degree): (((&Value, &Arc<str>), &u64), f64)| {
        let name = if name.is_null() { id.to_string() } else { text(name) };
        let place = places.and_then(|places| places.get(&name));
        PictureNode {
            title: place.and_then(|place| place.title.clone()),
            label: label.to_string(),
            weight: scores.map_or(degree, |scores| scores.get(&name).copied().unwrap_or_default()),
            x: place.map(|place| place.longitude),
            y: place.map(|place| place.latitude),
            name,
        }
    };
    named.map(node).collect()
}

/// How many relationships each node has.
fn degrees(projected: &ProjectedGraph) -> Vec<f64> {
    let mut degrees = vec![0.0; projected.ids.len()];
    for relationships in projected.relationships.values() {
        for &end in relationships.sources.iter().chain(&relationships.targets) {
            if let Some(degree) = degrees.get_mut(index(end)) {
                *degree += 1.0;
            }
        }
    }
    degrees
}

/// Where a node lies.
#[derive(Debug, Clone)]
struct Place {
    longitude: f64,
    latitude: f64,
    title: Option<String>,
}

/// Where the nodes lie, by the text that names them; `None` where the file does not say.
async fn places(
    plan: &Plan,
    store: &dyn GraphStore,
    projection: &Projection,
    identify: Option<&str>,
) -> Result<Option<HashMap<String, Place>>, Fault> {
    let Some(map) = &plan.pipeline.spec.report.map else { return Ok(None) };
    let mut columns = Vec::new();
    let names = [Some(&map.longitude), Some(&map.latitude), map.title.as_ref()];
    let keys = if let (Some(table), Some(key)) = (&map.table, &map.key) {
        let Some(table) = plan.dataset.as_ref().and_then(|dataset| dataset.table(table)) else {
            return Ok(None);
        };
        let column = |name: &String| -> Vec<Option<String>> {
            table.values(name).unwrap_or_default().iter().map(optional_text).collect()
        };
        columns.extend(names.into_iter().flatten().map(column));
        column(key)
    } else {
        for name in names.into_iter().flatten() {
            columns.push(property(store, projection, Some(name)).await?);
        }
        property(store, projection, identify).await?
    };
    let mut columns = columns.into_iter();
    let (longitudes, latitudes) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
    let titles = columns.next();
    let number = |column: &[Option<String>], row: usize| column.get(row)?.as_ref()?.parse::<f64>().ok();
    let place = |(row, key): (usize, Option<String>)| {
        let title = titles.as_ref().and_then(|titles| titles.get(row)?.clone());
        let (longitude, latitude) = (number(&longitudes, row)?, number(&latitudes, row)?);
        Some((key?, Place { longitude, latitude, title }))
    };
    Ok(Some(keys.into_iter().enumerate().filter_map(place).collect()))
}

/// The values of a node property as text.
async fn property(
    store: &dyn GraphStore,
    projection: &Projection,
    name: Option<&str>,
) -> Result<Vec<Option<String>>, Fault> {
    let nodes = Projection { nodes: projection.nodes.clone(), relationships: IndexMap::new() };
    let projected = store.project(&nodes, name).await?;
    Ok(projected.names.iter().map(optional_text).collect())
}

/// A value as text, where there is one.
fn optional_text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| text(value))
}

/// A value as the text that names a node.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
