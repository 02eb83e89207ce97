//! A pipeline with all its defaults, as YAML.

use serde_json::Value;

use crate::diagnostic::Path;
use crate::spec::{Pipeline, secret};

/// A pipeline as `validate --show` prints it: every default filled in, secrets hidden.
///
/// # Errors
/// Where the pipeline cannot be written as YAML, which the types of the file do not allow to happen.
pub fn show(pipeline: &Pipeline) -> Result<String, serde_yaml::Error> {
    let mut value = serde_json::to_value(pipeline).unwrap_or_default();
    hide(&mut value, &Path::root());
    serde_yaml::to_string(&value)
}

fn hide(value: &mut Value, path: &Path) {
    const HIDDEN: &str = "***";
    match value {
        Value::Object(keys) => {
            let text = |key: &str| keys.get(key).and_then(Value::as_str);
            let is_entry = secret::secret_entry(text("name"), text("value")).is_some();
            for (key, below) in keys {
                let at = path.key(key.as_str());
                let names_secret = secret::is_secret_key(key) || (is_entry && key == "value");
                let is_secret = names_secret && secret::may_hold_secrets(&at);
                if is_secret && (below.is_string() || below.is_number()) {
                    *below = Value::from(HIDDEN);
                } else {
                    hide(below, &at);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, path)),
        Value::String(text) => {
            let shown = secret::masked(text, &secret::within_at(path, text));
            *text = shown;
        }
        _ => {}
    }
}
