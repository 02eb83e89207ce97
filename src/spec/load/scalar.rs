//! What a plain scalar means, by YAML 1.2's core schema.

use serde_json::{Number, Value};

/// The value of a plain scalar; `None` for infinity and not-a-number, which JSON does not have.
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return None,
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return None;
    }
    if let Some(integer) = integer(text) {
        return Some(integer);
    }
    let looks_like_float = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.contains(|digit: char| digit.is_ascii_digit());
    match text.parse::<f64>() {
        // A number too large for a float is infinite.
        Ok(float) if looks_like_float => Number::from_f64(float).map(Value::Number),
        _ => Some(Value::String(text.to_owned())),
    }
}

fn integer(text: &str) -> Option<Value> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|digits| !digits.starts_with('+')) {
            return u64::from_str_radix(digits, radix).ok().map(Value::from);
        }
    }
    let signed = text.parse::<i64>().ok().map(Value::from);
    signed.or_else(|| text.parse::<u64>().ok().map(Value::from))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let cases = [
            ("", json!(null)),
            ("~", json!(null)),
            ("True", json!(true)),
            ("yes", json!("yes")),
            ("off", json!("off")),
            ("012", json!(12)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("+3", json!(3)),
            ("-2.50", json!(-2.5)),
            (".5", json!(0.5)),
            ("1e-9", json!(1e-9)),
            ("1_000", json!("1_000")),
            ("12:30:45", json!("12:30:45")),
            ("2022-03-01", json!("2022-03-01")),
            ("18446744073709551615", json!(u64::MAX)),
            ("inf", json!("inf")),
            ("infinity1", json!("infinity1")),
            ("0x+1", json!("0x+1")),
            (".", json!(".")),
        ];
        for (text, value) in cases {
            assert_eq!(plain(text), Some(value), "{text}");
        }
    }

    #[test]
    fn numbers_that_json_does_not_have_are_told_apart() {
        for text in [".inf", "-.INF", "+.inf", ".nan", "1e999"] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
