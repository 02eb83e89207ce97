//! Single faults out of the schema library's errors.

use jsonschema::JsonType;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::MOST_FAULTS;
use crate::diagnostic::{Path, Step};

/// One fault that the schema found, without the alternatives around it.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub path: Path,
    pub keyword: String,
    /// The JSON pointer of the schema that holds the keyword.
    pub schema: String,
    /// Of `additionalProperties` the keys that are not known, of `required` the key that is missing.
    pub keys: Vec<String>,
    /// Whether no value at all would be right as well.
    pub is_optional: bool,
}

impl Fault {
    /// The faults behind an error: where alternatives were tried (a mapping or nothing), those of the one that was meant.
    pub fn leaves(error: &ValidationError<'_>, value: &Value) -> Vec<Self> {
        let own = Self::new(error, value);
        let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
            error.kind()
        else {
            return vec![own];
        };
        let meant = context
            .iter()
            .filter(|branch| !branch.iter().any(|inner| is_wrong_kind(inner, error)))
            .min_by_key(|branch| branch.len());
        match meant {
            Some(branch) => {
                let mut leaves: Vec<Self> =
                    branch.iter().flat_map(|inner| Self::leaves(inner, value)).collect();
                let takes_nothing = context.iter().flatten().any(wants_nothing);
                for leaf in leaves.iter_mut().filter(|leaf| leaf.path == own.path) {
                    leaf.is_optional |= takes_nothing;
                }
                leaves
            }
            None => vec![own],
        }
    }

    fn new(error: &ValidationError<'_>, value: &Value) -> Self {
        let schema_path = error.schema_path().as_str();
        let schema = schema_path.rsplit_once('/').map_or("", |(schema, _)| schema).to_owned();
        let keys = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().take(MOST_FAULTS).cloned().collect()
            }
            ValidationErrorKind::Required { property } => {
                property.as_str().map(str::to_owned).into_iter().collect()
            }
            _ => Vec::new(),
        };
        let keyword = error.kind().keyword().to_owned();
        Self { path: path_of(error, value), keyword, schema, keys, is_optional: false }
    }
}

fn wants_nothing(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Null) })
}

/// Whether a branch of alternatives is for a value of another kind altogether.
fn is_wrong_kind(inner: &ValidationError<'_>, outer: &ValidationError<'_>) -> bool {
    matches!(inner.kind(), ValidationErrorKind::Type { .. } | ValidationErrorKind::Constant { .. })
        && inner.instance_path() == outer.instance_path()
}

/// The schema's library tells keys from list entries by their looks; only the value knows whether `0` is a key.
fn path_of(error: &ValidationError<'_>, value: &Value) -> Path {
    let mut path = Path::root();
    let mut current = Some(value);
    for segment in error.instance_path() {
        let step = match (segment, current) {
            (LocationSegment::Index(index), Some(Value::Array(_))) => Step::Index(index),
            (segment, _) => Step::Key(segment.to_string()),
        };
        current = current.and_then(|value| match &step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        });
        path = path.then(step);
    }
    path
}
