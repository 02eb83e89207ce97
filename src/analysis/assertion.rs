//! `assert:` what must be true of a result; pure comparisons.

use serde_json::Value;

use super::AnalysisResult;
use crate::spec::{Assertion, ValueAssertion};

/// How an assertion came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What was asserted, in words.
    pub what: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found instead.
    pub found: Option<String>,
}

/// Judges assertions by a whole result, one judgement for each.
#[must_use]
pub fn judge(assertions: &[Assertion], result: &AnalysisResult) -> Vec<Judgement> {
    assertions.iter().map(|assertion| judge_one(assertion, result)).collect()
}

fn judge_one(assertion: &Assertion, result: &AnalysisResult) -> Judgement {
    if let Some(rows) = assertion.rows {
        let found = result.rows.len() as u64;
        return judgement(format!("the result has {rows} rows"), found == rows, &found);
    }
    if let Some(top) = &assertion.top {
        let found = result.rows.first().and_then(|row| row.first());
        let ok = found.is_some_and(|found| agrees(found, top, 0.0));
        return judgement(
            format!("the first row is {top}"),
            ok,
            &found.map_or("no row".into(), Value::to_string),
        );
    }
    assertion.value.as_ref().map_or_else(
        || judgement("nothing".to_owned(), false, &"an assertion without a key"),
        |value| judge_value(value, result),
    )
}

fn judge_value(assertion: &ValueAssertion, result: &AnalysisResult) -> Judgement {
    let ValueAssertion { of, column, is, tolerance } = assertion;
    let row = match of {
        Some(of) => result.rows.iter().find(|row| row.first().is_some_and(|first| agrees(first, of, 0.0))),
        None => result.rows.first(),
    };
    let place = result.columns.iter().position(|name| name == column);
    let found = row.zip(place).and_then(|(row, place)| row.get(place));
    let whose = of.as_ref().map_or_else(|| "the first row".to_owned(), Value::to_string);
    let within = if *tolerance > 0.0 { format!(" ± {tolerance:e}") } else { String::new() };
    let ok = found.is_some_and(|found| agrees(found, is, *tolerance));
    let found = match (found, row, place) {
        (Some(found), ..) => found.to_string(),
        (None, None, _) => "no such row".to_owned(),
        (None, ..) => format!("no column `{column}`"),
    };
    judgement(format!("`{column}` of {whose} is {is}{within}"), ok, &found)
}

fn judgement(what: String, ok: bool, found: &dyn ToString) -> Judgement {
    Judgement { what, ok, found: (!ok).then(|| found.to_string()) }
}

/// Whether two values agree: numbers within a tolerance, the rest exactly.
fn agrees(found: &Value, expected: &Value, tolerance: f64) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() <= tolerance,
        _ => found == expected,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use serde_json::json;

    use super::*;

    fn result() -> AnalysisResult {
        AnalysisResult {
            engine: "builtin".to_owned(),
            columns: vec!["nodeId".to_owned(), "score".to_owned()],
            rows: vec![vec![json!(159), json!(3.2282)], vec![json!(59), json!(0.1825)]],
            chart: None,
            node_column: None,
            notes: Vec::new(),
        }
    }

    fn one(assertion: serde_json::Value) -> Judgement {
        let assertion: Assertion = serde_json::from_value(assertion).unwrap();
        judge_one(&assertion, &result())
    }

    #[test]
    fn what_holds_is_ok() {
        for assertion in [
            json!({ "rows": 2 }),
            json!({ "top": 159 }),
            json!({ "value": { "of": 59, "column": "score", "is": 0.18, "tolerance": 0.01 } }),
            json!({ "value": { "column": "nodeId", "is": 159 } }),
        ] {
            assert!(one(assertion.clone()).ok, "{assertion}");
        }
    }

    #[test]
    fn what_does_not_hold_says_what_was_found() {
        let found = |assertion| one(assertion).found.unwrap();
        assert_eq!(found(json!({ "rows": 3 })), "2");
        assert_eq!(found(json!({ "top": 59 })), "159");
        assert_eq!(found(json!({ "value": { "of": 59, "column": "score", "is": 0.2 } })), "0.1825");
        assert_eq!(found(json!({ "value": { "of": 1, "column": "score", "is": 0.2 } })), "no such row");
        assert_eq!(found(json!({ "value": { "column": "rank", "is": 1 } })), "no column `rank`");
        assert_eq!(found(json!({})), "an assertion without a key");
    }
}
