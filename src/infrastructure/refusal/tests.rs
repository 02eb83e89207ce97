#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};

use super::*;

fn read(status: Value) -> Result<Reason, ObjectsError> {
    let id = Id {
        api_version: "apps/v1".to_owned(),
        kind: "StatefulSet".to_owned(),
        namespace: Some("trips".to_owned()),
        name: "trips-kafka".to_owned(),
    };
    let status: Status = serde_json::from_value(status).unwrap();
    Refusal::read(&id, RequestError::Refused(status.boxed())).map(|refusal| *refusal.reason)
}

#[test]
fn a_conflict_names_field_and_manager() {
    let status = json!({ "code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict", "details": { "causes": [
        { "reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1", "field": ".spec.replicas" },
    ] } });
    let conflict = Conflict { field: ".spec.replicas".to_owned(), manager: "kubectl-edit".to_owned() };
    assert_eq!(read(status).unwrap(), Reason::Conflict(vec![conflict]));
}

#[test]
fn a_field_that_cannot_be_changed_is_told_from_one_that_is_wrong() {
    let message = "StatefulSet.apps \"trips-kafka\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden";
    let causes = json!([{ "reason": "FieldValueForbidden", "message": "Forbidden: …", "field": "spec" }]);
    let of = |message: &str| json!({ "code": 422, "reason": "Invalid", "message": message, "details": { "causes": causes } });
    assert!(matches!(read(of(message)).unwrap(), Reason::Immutable { .. }));
    assert!(matches!(read(of("is invalid")).unwrap(), Reason::Invalid { .. }));
}

#[test]
fn a_namespace_that_is_going_is_no_fault_of_the_object() {
    let status = json!({ "code": 403, "reason": "Forbidden", "message": "unable to create new content in namespace trips because it is being terminated",
        "details": { "causes": [{ "reason": "NamespaceTerminating", "message": "namespace trips is being terminated", "field": "metadata.namespace" }] } });
    assert_eq!(read(status).unwrap_err(), ObjectsError::Terminating { namespace: "trips".to_owned() });
}
