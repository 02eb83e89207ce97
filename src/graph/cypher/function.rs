//! Calls of functions, and the functions that there are.

use std::ops::Range;

use super::name::is_reserved;
use super::token::{TokenKind, Tokens};

/// A call of a function that has no namespace: `toInteger(…)`, but not `date.truncate(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCall {
    /// The function, as it is written.
    pub name: String,
    /// Its bytes.
    pub range: Range<usize>,
}

/// Neo4j's functions without a namespace. Those that others add have one.
pub const FUNCTIONS: [&str; 111] = [
    "abs",
    "acos",
    "all",
    "allReduce",
    "allShortestPaths",
    "any",
    "asin",
    "atan",
    "atan2",
    "avg",
    "btrim",
    "ceil",
    "char_length",
    "character_length",
    "coalesce",
    "collect",
    "cos",
    "cosh",
    "cot",
    "coth",
    "count",
    "date",
    "datetime",
    "degrees",
    "distance",
    "duration",
    "e",
    "elementId",
    "endNode",
    "exists",
    "exp",
    "file",
    "floor",
    "format",
    "haversin",
    "head",
    "id",
    "isEmpty",
    "isNaN",
    "keys",
    "labels",
    "last",
    "left",
    "length",
    "linenumber",
    "localdatetime",
    "localtime",
    "log",
    "log10",
    "lower",
    "ltrim",
    "max",
    "min",
    "nodes",
    "none",
    "normalize",
    "nullIf",
    "percentileCont",
    "percentileDisc",
    "pi",
    "point",
    "properties",
    "radians",
    "rand",
    "randomUUID",
    "range",
    "reduce",
    "relationships",
    "replace",
    "reverse",
    "right",
    "round",
    "rtrim",
    "shortestPath",
    "sign",
    "sin",
    "single",
    "sinh",
    "size",
    "split",
    "sqrt",
    "startNode",
    "stDev",
    "stDevP",
    "substring",
    "sum",
    "tail",
    "tan",
    "tanh",
    "time",
    "timestamp",
    "toBoolean",
    "toBooleanList",
    "toBooleanOrNull",
    "toFloat",
    "toFloatList",
    "toFloatOrNull",
    "toInteger",
    "toIntegerList",
    "toIntegerOrNull",
    "toLower",
    "toString",
    "toStringList",
    "toStringOrNull",
    "toUpper",
    "trim",
    "type",
    "upper",
    "valueType",
    "vector",
    "vector_dimension_count",
];

/// What the embedded engine has beyond them.
const EMBEDDED: [&str; 76] = [
    "add_days",
    "add_months",
    "add_years",
    "area",
    "average",
    "ceiling",
    "centroid",
    "contains",
    "cosine",
    "date_diff",
    "date_truncate",
    "datediff",
    "day",
    "days",
    "decade",
    "degree",
    "dense_rank",
    "dot",
    "embedding",
    "embedding_norm",
    "end_node",
    "from_json",
    "hour",
    "hours",
    "indegree",
    "intersects",
    "latitude",
    "ln",
    "longitude",
    "mean",
    "median",
    "microsecond",
    "microseconds",
    "millisecond",
    "milliseconds",
    "minute",
    "minutes",
    "mode",
    "month",
    "months",
    "nanosecond",
    "nanoseconds",
    "norm",
    "outdegree",
    "parse_json",
    "percentile_cont",
    "percentile_disc",
    "perimeter",
    "pow",
    "power",
    "quarter",
    "quarters",
    "random",
    "rank",
    "rels",
    "row_number",
    "score_fuse",
    "second",
    "seconds",
    "shortest_path_length",
    "start_node",
    "std",
    "toint",
    "tolowercase",
    "touppercase",
    "valid_at",
    "valid_during",
    "valid_instant",
    "var_samp",
    "variance",
    "week",
    "weeks",
    "weekyear",
    "year",
    "years",
    "timezone",
];

/// What families of functions begin with.
const FAMILIES: [&str; 4] = ["geom_", "text_", "ts_", "vector_"];

/// Whether there is a function of the name, in Neo4j or in the embedded engine.
#[must_use]
pub fn is_function(name: &str) -> bool {
    let folded = name.to_ascii_lowercase();
    FUNCTIONS.iter().chain(&EMBEDDED).any(|known| known.eq_ignore_ascii_case(name))
        || FAMILIES.iter().any(|family| folded.starts_with(family))
}

/// Words before a `(` that call nothing.
const OTHERS: [&str; 24] = [
    "ACYCLIC",
    "DIFFERENT",
    "ELEMENT",
    "ELEMENTS",
    "FILTER",
    "FOR",
    "GROUP",
    "GROUPS",
    "INDEX",
    "JOIN",
    "LET",
    "MOD",
    "PATH",
    "PATHS",
    "REPEATABLE",
    "ROWS",
    "SCAN",
    "SEARCH",
    "SEEK",
    "SHORTEST",
    "SIMPLE",
    "TRAIL",
    "TRANSACTIONS",
    "WALK",
];

/// The calls in a text.
pub(super) fn calls(tokens: &Tokens) -> Vec<FunctionCall> {
    let mut open: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for index in 0..tokens.list.len() {
        if is_call(tokens, index, open.last().copied()) {
            found.push(FunctionCall { name: tokens.text(index).to_owned(), range: tokens.range(index) });
        }
        match tokens.partner(index) {
            Some(close) if close > index => open.push(index),
            Some(_) => drop(open.pop()),
            None => {}
        }
    }
    found
}

fn is_call(tokens: &Tokens, index: usize, open: Option<usize>) -> bool {
    let text = tokens.text(index);
    if tokens.kind(index) != Some(TokenKind::Word) || !tokens.is(index + 1, "(") {
        return false;
    }
    if is_reserved(text) || OTHERS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return false;
    }
    let Some(before) = index.checked_sub(1) else { return false };
    let is_procedure = tokens.is_word(before, "CALL");
    // `{key: call(…)}` calls, and `n:Label(property)` of a hint names.
    let in_map = open.is_some_and(|open| tokens.is(open, "{"));
    let is_label = tokens.is(before, ":") && !in_map;
    !is_procedure && !is_label && ![".", "&", "::"].iter().any(|symbol| tokens.is(before, symbol))
}
