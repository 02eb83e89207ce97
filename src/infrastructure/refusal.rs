//! Why an object cannot be applied, read from the API server's answer.

use kube::core::Status;
use serde::Serialize;

use super::{Id, RequestError};

/// Why objects could not be planned, applied or deleted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ObjectsError {
    /// Objects were refused, each for its own reason.
    #[error("{} of the objects cannot be applied", .0.len())]
    Refused(Vec<Refusal>),
    /// The API server does not answer, or does not know who asks.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The namespace is being deleted: nothing can be made in it.
    #[error("namespace `{namespace}` is being deleted")]
    Terminating {
        /// The namespace.
        namespace: String,
    },
    /// Objects were deleted and are still there.
    #[error("{} objects are still there after {seconds} s", .still.len())]
    NotGone {
        /// Those that are.
        still: Vec<Id>,
        /// How long it was waited.
        seconds: u64,
    },
}

/// An object that cannot be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which.
    pub id: Id,
    /// Why.
    pub reason: Box<Reason>,
}

/// Why an object cannot be applied.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// An object of that name is there, and is not the pipeline's.
    Foreign {
        /// Who looks after it, by its label.
        managed_by: Option<String>,
        /// The pipeline that it belongs to.
        pipeline: Option<String>,
        /// That pipeline's namespace, where the object stands outside of it.
        namespace: Option<String>,
    },
    /// Others look after some of its fields.
    Conflict(Vec<Conflict>),
    /// It is there, and what would be changed of it cannot be.
    Immutable {
        /// The server's words.
        message: String,
    },
    /// It is there, and its volumes are written for something else than it would become.
    WrittenFor(Vec<WrittenFor>),
    /// The server does not take its fields.
    Invalid {
        /// Field and fault of each.
        fields: Vec<(String, String)>,
    },
    /// Who asks may not do that.
    Forbidden {
        /// The server's words.
        message: String,
    },
    /// It is there, and on its way out.
    Going,
    /// For another reason: a quota, a webhook, a kind that the cluster does not have.
    Refused {
        /// The server's words.
        message: String,
    },
}

/// A key of the file that an object's volumes are written for, and that the file now has otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFor {
    /// The key, such as `brokers`.
    pub key: &'static str,
    /// What the volumes are written for.
    pub is: String,
    /// What the file says.
    pub wanted: String,
}

/// A field that another manager looks after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The field, such as `.spec.replicas`.
    pub field: String,
    /// The manager, such as `kubectl-edit`.
    pub manager: String,
}

impl Refusal {
    /// Reads a refusal from the answer to a request for an object.
    ///
    /// # Errors
    /// Where the answer is not about the object: the server is away, or does not know who asks.
    pub fn read(id: &Id, error: RequestError) -> Result<Self, ObjectsError> {
        let reason = match error {
            RequestError::Forbidden { message } => Reason::Forbidden { message },
            RequestError::Refused(status) => reason(&status, id)?,
            error => return Err(error.into()),
        };
        Ok(Self { id: id.clone(), reason: Box::new(reason) })
    }
}

/// All values, or all refusals.
pub(super) fn all<T>(results: Vec<Result<T, Refusal>>) -> Result<Vec<T>, ObjectsError> {
    let (mut values, mut refusals) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(values) } else { Err(ObjectsError::Refused(refusals)) }
}

fn reason(status: &Status, id: &Id) -> Result<Reason, ObjectsError> {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let conflicts: Vec<Conflict> = causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| Conflict { field: cause.field.clone(), manager: manager(&cause.message) })
        .collect();
    let message = status.message.clone();
    if causes.iter().any(|cause| cause.reason == "NamespaceTerminating") {
        return Err(ObjectsError::Terminating { namespace: id.namespace.clone().unwrap_or_default() });
    }
    Ok(match status.code {
        409 if !conflicts.is_empty() => Reason::Conflict(conflicts),
        422 if message.contains("updates to statefulset spec") || message.contains("field is immutable") => {
            Reason::Immutable { message }
        }
        422 if !causes.is_empty() => Reason::Invalid {
            fields: causes.iter().map(|cause| (cause.field.clone(), cause.message.clone())).collect(),
        },
        _ => Reason::Refused { message },
    })
}

/// The manager in words such as `conflict with "kubectl-edit" using apps/v1`.
fn manager(message: &str) -> String {
    message.split('"').nth(1).unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests;
