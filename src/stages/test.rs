//! The cases under `tests:` in the file: rows in, graph and analyses out, on an engine in memory.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::validate::Plan;
use super::{Fault, analyse, deploy, judge, report, stream};
use crate::analysis;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::GraphStore;
use crate::progress::{Interrupt, Progress};
use crate::spec::load::Document;
use crate::spec::{Expect, QueryTest, TestCase};
use crate::validate;

/// How a case came out.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// What is not as the case says; empty for one that passes.
    pub failures: Vec<Diagnostic>,
    /// How long it took.
    pub seconds: f64,
}

/// The file beside a pipeline file that may hold its cases: `taxi.tests.yaml` for `taxi.yaml`.
#[must_use]
pub fn beside(pipeline: &FilePath) -> PathBuf {
    pipeline.with_extension("tests.yaml")
}

/// The cases of a file of cases, which holds `spec.tests` and nothing else: it is checked as if it stood in the pipeline file.
///
/// # Errors
/// Every finding, where one of them is an error.
pub fn read_cases(pipeline: &Document, cases: &mut Document) -> Result<Vec<TestCase>, Fault> {
    let own = cases.value.take().unwrap_or_default();
    let mut findings = Vec::new();
    for (path, value) in [(Path::root(), Some(&own)), (Path::of("spec"), own.get("spec"))] {
        let wanted = if path == Path::root() { "spec" } else { "tests" };
        let keys = value.and_then(Value::as_object).into_iter().flat_map(Map::keys);
        for key in keys.filter(|key| *key != wanted) {
            let message = format!("unknown key `{key}`: a file of cases holds `spec.tests` and nothing else");
            findings.push(Diagnostic::new(Code::UnknownKey, message).at_key(path.key(key)));
        }
    }
    let mut whole = pipeline.value.clone().unwrap_or_default();
    if let (Some(tests), Some(Value::Object(spec))) = (own.pointer("/spec/tests"), whole.pointer_mut("/spec"))
    {
        spec.insert("tests".to_owned(), tests.clone());
    }
    cases.value = Some(whole);
    let mut checkup = validate::check(cases);
    checkup.extend(cases, findings);
    let (pipeline, _) = checkup.verdict(false).map_err(Fault)?;
    Ok(pipeline.spec.tests.clone())
}

/// Runs cases on a pipeline's plan, in their order; `only` keeps those whose name contains a text.
pub async fn cases(plan: &Plan, cases: &[TestCase], only: Option<&str>) -> Vec<CaseResult> {
    let mut results = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        if only.is_some_and(|text| !case.name.contains(text)) {
            continue;
        }
        let begun = Instant::now();
        let path = Path::of("spec.tests").index(index);
        let failures = run(plan, case, &path).await.unwrap_or_else(|Fault(faults)| faults);
        results.push(CaseResult {
            name: case.name.clone(),
            failures,
            seconds: begun.elapsed().as_secs_f64(),
        });
    }
    results
}

/// Runs a case; what differs from what it says is a failure, what stops it is a fault.
async fn run(plan: &Plan, case: &TestCase, path: &Path) -> Result<Vec<Diagnostic>, Fault> {
    let rows = plan.source()?.in_memory(&case.name, &case.rows);
    let rows = rows.map_err(|errors| super::fault::test_rows(path, &errors))?;
    let endpoints = deploy::in_memory(plan).await?;
    let (progress, _) = Progress::channel();
    let (_interrupter, interrupt) = Interrupt::channel();
    let counters = Arc::default();
    let watch = stream::Watch { counters: &counters, progress: &progress, interrupt: &interrupt };
    let streamed = stream::batch(plan, &endpoints, rows, &watch).await?;

    let rows = &streamed.rows;
    let mut failures = Vec::new();
    failures.extend(count(path, "filteredOut", case.filtered_out, rows.filtered_out));
    failures.extend(count(path, "deadLetters", case.dead_letters.or(Some(0)), rows.dead_letters));
    if case.dead_letters.is_none() {
        failures.extend(streamed.dead_letters.iter().map(|reason| failure(path, format!("row {reason}"))));
    }
    let graph = report::counts(&*endpoints.store).await?;
    let expected = Expect { nodes: case.nodes.clone(), relationships: case.relationships.clone() };
    failures.extend(judge::expectations(path, &expected, &graph));
    failures.extend(analyses(plan, case, path, &*endpoints.store).await?);
    for (index, query) in case.queries.iter().enumerate() {
        failures.extend(ask(&*endpoints.store, query, &path.key("queries").index(index)).await?);
    }
    Ok(failures)
}

/// The assertions on the pipeline's analyses.
async fn analyses(
    plan: &Plan,
    case: &TestCase,
    path: &Path,
    store: &dyn GraphStore,
) -> Result<Vec<Diagnostic>, Fault> {
    let mut failures = Vec::new();
    for (index, test) in case.analyses.iter().enumerate() {
        let analyses = &plan.pipeline.spec.analyses;
        let Some(place) = analyses.iter().position(|analysis| analysis.name == test.name) else {
            continue;
        };
        let result = analyse::run(plan, store, place).await?;
        let asserts = path.key("analyses").index(index).key("assert");
        for (position, judgement) in analysis::judge(&test.assert, &result).into_iter().enumerate() {
            if !judgement.ok {
                let found = judgement.found.unwrap_or_default();
                let message = format!("{}: {}, found {found}", test.name, judgement.what);
                failures.push(failure(&asserts.index(position), message));
            }
        }
    }
    Ok(failures)
}

/// Asks a query and compares its rows.
async fn ask(store: &dyn GraphStore, query: &QueryTest, path: &Path) -> Result<Vec<Diagnostic>, Fault> {
    let asked = store.query(&query.cypher, Map::new()).await;
    let table = asked.map_err(|error| Fault::from(error).at_key(&path.key("cypher")))?;
    if table.rows == query.rows {
        return Ok(Vec::new());
    }
    let text = |rows: &Vec<Vec<Value>>| serde_json::to_string(rows).unwrap_or_default();
    let message = format!("the query gives {}, expected {}", text(&table.rows), text(&query.rows));
    Ok(vec![failure(&path.key("rows"), message)])
}

/// The failure of a count, where the case names one.
fn count(path: &Path, key: &str, expected: Option<u64>, found: u64) -> Option<Diagnostic> {
    let expected = expected.filter(|expected| *expected != found)?;
    Some(failure(&path.key(key), format!("expected `{key}` {expected}, found {found}")))
}

fn failure(path: &Path, message: String) -> Diagnostic {
    Diagnostic::new(Code::TestFailed, message).at(path.clone())
}
