//! The columns of GDS 2.13's procedures, as its manual gives them and Neo4j 5 shows them.

use serde_json::{Value, json};

use crate::graph::Table;

/// A procedure a line: name, columns with types. Timings and the echo of the configuration, which all but streams have, are
/// added below.
const PROCEDURES: &str = "
pageRank.stream nodeId:INTEGER score:FLOAT
pageRank.stats ranIterations:INTEGER didConverge:BOOLEAN centralityDistribution:MAP
pageRank.write nodePropertiesWritten:INTEGER ranIterations:INTEGER didConverge:BOOLEAN centralityDistribution:MAP
articleRank.stream nodeId:INTEGER score:FLOAT
articleRank.stats ranIterations:INTEGER didConverge:BOOLEAN centralityDistribution:MAP
articleRank.write nodePropertiesWritten:INTEGER ranIterations:INTEGER didConverge:BOOLEAN centralityDistribution:MAP
eigenvector.stream nodeId:INTEGER score:FLOAT
eigenvector.stats ranIterations:INTEGER didConverge:BOOLEAN centralityDistribution:MAP
eigenvector.write nodePropertiesWritten:INTEGER ranIterations:INTEGER didConverge:BOOLEAN centralityDistribution:MAP
degree.stream nodeId:INTEGER score:FLOAT
degree.stats centralityDistribution:MAP
degree.write centralityDistribution:MAP nodePropertiesWritten:INTEGER
betweenness.stream nodeId:INTEGER score:FLOAT
betweenness.stats centralityDistribution:MAP
betweenness.write centralityDistribution:MAP nodePropertiesWritten:INTEGER
closeness.stream nodeId:INTEGER score:FLOAT
closeness.stats centralityDistribution:MAP
closeness.write nodePropertiesWritten:INTEGER centralityDistribution:MAP
closeness.harmonic.stream nodeId:INTEGER score:FLOAT
closeness.harmonic.stats centralityDistribution:MAP
closeness.harmonic.write centralityDistribution:MAP nodePropertiesWritten:INTEGER
wcc.stream nodeId:INTEGER componentId:INTEGER
wcc.stats componentCount:INTEGER componentDistribution:MAP
wcc.write componentCount:INTEGER nodePropertiesWritten:INTEGER componentDistribution:MAP
scc.stream nodeId:INTEGER componentId:INTEGER
scc.stats componentCount:INTEGER componentDistribution:MAP
scc.write componentCount:INTEGER nodePropertiesWritten:INTEGER componentDistribution:MAP
louvain.stream nodeId:INTEGER communityId:INTEGER intermediateCommunityIds:LIST<INTEGER>
louvain.stats communityCount:INTEGER ranLevels:INTEGER modularity:FLOAT modularities:LIST<FLOAT> communityDistribution:MAP
louvain.write nodePropertiesWritten:INTEGER communityCount:INTEGER ranLevels:INTEGER modularity:FLOAT modularities:LIST<FLOAT> communityDistribution:MAP
labelPropagation.stream nodeId:INTEGER communityId:INTEGER
labelPropagation.stats communityCount:INTEGER ranIterations:INTEGER didConverge:BOOLEAN communityDistribution:MAP
labelPropagation.write nodePropertiesWritten:INTEGER communityCount:INTEGER ranIterations:INTEGER didConverge:BOOLEAN communityDistribution:MAP
triangleCount.stream nodeId:INTEGER triangleCount:INTEGER
triangleCount.stats globalTriangleCount:INTEGER nodeCount:INTEGER
triangleCount.write globalTriangleCount:INTEGER nodeCount:INTEGER nodePropertiesWritten:INTEGER
localClusteringCoefficient.stream nodeId:INTEGER localClusteringCoefficient:FLOAT
localClusteringCoefficient.stats averageClusteringCoefficient:FLOAT nodeCount:INTEGER
localClusteringCoefficient.write averageClusteringCoefficient:FLOAT nodeCount:INTEGER nodePropertiesWritten:INTEGER
kcore.stream nodeId:INTEGER coreValue:INTEGER
kcore.stats degeneracy:INTEGER
kcore.write degeneracy:INTEGER nodePropertiesWritten:INTEGER
nodeSimilarity.stream node1:INTEGER node2:INTEGER similarity:FLOAT
nodeSimilarity.stats nodesCompared:INTEGER similarityPairs:INTEGER similarityDistribution:MAP
nodeSimilarity.write nodesCompared:INTEGER relationshipsWritten:INTEGER similarityDistribution:MAP
bfs.stream sourceNode:INTEGER nodeIds:LIST<INTEGER> path:PATH
bfs.stats
dfs.stream sourceNode:INTEGER nodeIds:LIST<INTEGER> path:PATH
shortestPath.dijkstra.stream index:INTEGER sourceNode:INTEGER targetNode:INTEGER totalCost:FLOAT nodeIds:LIST<INTEGER> costs:LIST<FLOAT> path:PATH
shortestPath.dijkstra.write relationshipsWritten:INTEGER
allShortestPaths.dijkstra.stream index:INTEGER sourceNode:INTEGER targetNode:INTEGER totalCost:FLOAT nodeIds:LIST<INTEGER> costs:LIST<FLOAT> path:PATH
allShortestPaths.dijkstra.write relationshipsWritten:INTEGER
allShortestPaths.delta.stream index:INTEGER sourceNode:INTEGER targetNode:INTEGER totalCost:FLOAT nodeIds:LIST<INTEGER> costs:LIST<FLOAT> path:PATH
allShortestPaths.delta.write relationshipsWritten:INTEGER
leiden.stream nodeId:INTEGER communityId:INTEGER intermediateCommunityIds:LIST<INTEGER>
leiden.stats communityCount:INTEGER ranLevels:INTEGER modularity:FLOAT modularities:LIST<FLOAT> nodeCount:INTEGER didConverge:BOOLEAN communityDistribution:MAP
randomWalk.stream nodeIds:LIST<INTEGER> path:PATH
randomWalk.stats
";

/// Procedures that cannot estimate their memory.
const WITHOUT_ESTIMATE: [&str; 2] = ["closeness.", "closeness.harmonic."];

/// All procedures, as `SHOW PROCEDURES` lists them.
pub(super) fn procedures() -> Table {
    beginning_with("gds.")
}

/// The procedures whose names begin so.
pub(super) fn beginning_with(prefix: &str) -> Table {
    let mut rows: Vec<Vec<Value>> =
        PROCEDURES.lines().filter(|line| !line.is_empty()).flat_map(entries).collect();
    rows.retain(|row| row[0].as_str().is_some_and(|name| name.starts_with(prefix)));
    rows.sort_by(|a, b| a[0].as_str().cmp(&b[0].as_str()));
    Table { columns: vec!["name".to_owned(), "returnDescription".to_owned()], rows, warnings: Vec::new() }
}

/// The rows of a procedure: itself, and its estimate where it has one.
fn entries(line: &str) -> Vec<Vec<Value>> {
    let (name, columns) = line.split_once(' ').unwrap_or((line, ""));
    let mut columns: Vec<Value> = columns
        .split(' ')
        .filter_map(|column| column.split_once(':'))
        .map(|(name, kind)| column(name, kind))
        .collect();
    if !name.ends_with(".stream") {
        columns.insert(0, column("preProcessingMillis", "INTEGER"));
        columns.push(column("computeMillis", "INTEGER"));
        columns.push(column("configuration", "MAP"));
    }
    let mut rows = vec![vec![json!(format!("gds.{name}")), json!(columns)]];
    if !WITHOUT_ESTIMATE.iter().any(|without| name.starts_with(without)) {
        let estimate = [column("requiredMemory", "STRING"), column("bytesMin", "INTEGER")];
        rows.push(vec![json!(format!("gds.{name}.estimate")), json!(estimate)]);
    }
    rows
}

fn column(name: &str, kind: &str) -> Value {
    json!({ "name": name, "type": kind, "description": format!("{name} :: {kind}"), "isDeprecated": false })
}
