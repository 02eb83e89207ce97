//! The JSON Schema of the pipeline file.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::Pipeline;

/// The schema of the pipeline file (JSON Schema, draft 2020-12), made from the types of this folder.
#[must_use]
pub fn pipeline() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Pipeline>()
}
