//! What is wrong with the manifests of a pipeline, in words. Validation has placed what the file can be blamed for.

use super::Fault;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::infrastructure::manifests::ManifestError;

impl From<ManifestError> for Fault {
    fn from(error: ManifestError) -> Self {
        let at = Path::of("spec.infrastructure");
        match error {
            ManifestError::NotKubernetes => {
                Diagnostic::new(Code::TargetNotAvailable, "the pipeline deploys nothing to Kubernetes")
                    .at_key(at)
                    .help("say where under `infrastructure.kubernetes`, with a `namespace`")
                    .into()
            }
            ManifestError::NoSuchObject { index, .. } | ManifestError::AnotherObject { index } => {
                let at = at.key("kubernetes").key("overrides").index(index);
                Diagnostic::new(Code::UnknownName, error.to_string()).at(at).into()
            }
            ManifestError::NoObject(_) => not_rendered(&error.to_string()),
        }
    }
}

/// The fault of a manifest that cannot be made.
pub(in crate::stages) fn not_rendered(reason: &str) -> Fault {
    Diagnostic::new(Code::InvalidValue, format!("a manifest cannot be made: {reason}"))
        .at_key(Path::of("spec.infrastructure.kubernetes"))
        .into()
}
