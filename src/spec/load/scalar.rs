//! What a plain scalar means, by YAML 1.2's core schema.

use serde_json::{Number, Value};

/// The value of a plain scalar; `None` for infinity and not-a-number, which JSON does not have.
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => number(text).unwrap_or_else(|| Some(Value::String(text.to_owned()))),
    }
}

/// The outer `None` means that the text is no number, the inner one that JSON does not have the number.
fn number(text: &str) -> Option<Option<Value>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(None);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let is_number = digits.chars().all(|digit| digit.is_digit(radix));
            return u64::from_str_radix(digits, radix).ok().filter(|_| is_number).map(|n| Some(n.into()));
        }
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !unsigned.contains(|digit: char| digit.is_ascii_digit())
    {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Some(integer.into()));
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Some(Some(integer.into()));
    }
    let float = text.parse::<f64>().ok()?;
    Some(Number::from_f64(float).map(Value::Number))
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
