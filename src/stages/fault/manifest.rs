//! What is wrong with the manifests of a pipeline, in words. Validation has placed what the file can be blamed for.

use super::{Fault, with_causes};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::infrastructure::helm::HelmError;
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
            ManifestError::Helm(error) => chart(&error),
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

/// The fault of a chart, and what to do about it.
fn chart(error: &HelmError) -> Fault {
    let help = match error {
        HelmError::NoHelm => {
            "install it (https://helm.sh), or leave out `helm`: runner has manifests of its own"
        }
        HelmError::Failed { .. } => {
            "`helm repo add` makes a repository known; a folder is looked for beside the file; `values` go to the chart as they are"
        }
        HelmError::Secret(_) => {
            "have the chart use one that is there: the official chart takes `neo4j.passwordFromSecret`, which runner sets"
        }
        HelmError::NoEnd => "see that the chart's repository can be reached: `helm pull CHART`",
        HelmError::NotRun(_) | HelmError::NoYaml(_) | HelmError::NoObject(_) => {
            "`helm template` shows what the chart makes"
        }
    };
    Diagnostic::new(Code::ChartFailed, with_causes(error))
        .at(Path::of("spec.infrastructure.kubernetes.neo4j.helm.chart"))
        .help(help)
        .into()
}
