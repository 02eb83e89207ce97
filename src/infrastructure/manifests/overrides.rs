//! Strategic-merge patches on single objects.
//!
//! Maps are merged, `null` takes a field away, and the lists whose entries have a name are merged by it; every other list is
//! replaced. `$patch: delete` in an entry takes it away, `$patch: replace` in a map replaces it. After Kubernetes'
//! "Notes on the strategic merge patch", for the kinds that runner makes.

use serde_json::{Map, Value};

use super::ManifestError;
use crate::infrastructure::{Id, Object, Owner};
use crate::spec::Override;

/// What a patch is told by.
const DIRECTIVE: &str = "$patch";

/// Applies the overrides of a file, in their order. One that names none of the objects may name one of the others; where nobody knows
/// the others, it is let be.
///
/// # Errors
/// Where one names no object, or would make another object of it.
pub(super) fn apply(
    objects: &mut [Object],
    overrides: &[Override],
    owner: &Owner,
    others: Option<&[Id]>,
) -> Result<(), ManifestError> {
    for (index, one) in overrides.iter().enumerate() {
        let is_named = |id: &Id| id.kind == one.kind && id.name == one.name;
        if let Some(object) = objects.iter_mut().find(|object| is_named(&object.id())) {
            *object = patched(object, one, owner).ok_or(ManifestError::AnotherObject { index })?;
            continue;
        }
        if let Some(others) = others
            && !others.iter().any(is_named)
        {
            let known = objects.iter().map(Object::id).chain(others.iter().cloned());
            let known = known.map(|id| (id.kind, id.name)).collect();
            return Err(ManifestError::NoSuchObject { index, known });
        }
    }
    Ok(())
}

/// The object with the patch in it; none where it would be another object then.
fn patched(object: &Object, one: &Override, owner: &Owner) -> Option<Object> {
    let mut manifest = object.manifest().clone();
    merge(&mut manifest, &one.patch);
    // Whose it is must stay known, or nobody would ever prune it.
    let metadata = manifest.get_mut("metadata").and_then(Value::as_object_mut)?;
    let labels = metadata.entry("labels").or_insert_with(|| Map::new().into()).as_object_mut()?;
    labels.extend(owner.labels().into_iter().map(|(key, value)| (key, value.into())));
    let patched = Object::new(object.wave, manifest.into()).ok()?;
    (patched.id() == object.id()).then_some(patched)
}

/// Merges a patch into a map.
fn merge(map: &mut Map<String, Value>, patch: &Map<String, Value>) {
    if patch.get(DIRECTIVE).and_then(Value::as_str) == Some("replace") {
        map.clear();
    }
    for (key, change) in patch.iter().filter(|(key, _)| *key != DIRECTIVE) {
        match (map.get_mut(key), change) {
            (_, Value::Null) => {
                map.shift_remove(key);
            }
            (Some(Value::Object(map)), Value::Object(patch)) => merge(map, patch),
            (Some(Value::Array(list)), Value::Array(patch))
                if names(key, list.iter().chain(patch)).is_some() =>
            {
                merge_list(key, list, patch);
            }
            _ => {
                map.insert(key.clone(), without_directives(change.clone()));
            }
        }
    }
}

/// Merges entries into those of the same name; new ones come last.
fn merge_list(field: &str, list: &mut Vec<Value>, patch: &[Value]) {
    for change in patch {
        let name = name(field, change);
        let at = list.iter().position(|entry| self::name(field, entry) == name);
        let Value::Object(change) = change else { continue };
        let deletes = change.get(DIRECTIVE).and_then(Value::as_str) == Some("delete");
        match (at, deletes) {
            (Some(at), true) => {
                list.remove(at);
            }
            (Some(at), false) => {
                if let Some(Value::Object(entry)) = list.get_mut(at) {
                    merge(entry, change);
                }
            }
            (None, true) => {}
            (None, false) => list.push(without_directives(Value::Object(change.clone()))),
        }
    }
}

/// What is new is taken as it is, but for the words to the merge itself.
fn without_directives(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.retain(|key, value| key != DIRECTIVE && !value.is_null());
            for value in map.values_mut() {
                *value = without_directives(value.take());
            }
        }
        Value::Array(list) => {
            for value in list {
                *value = without_directives(value.take());
            }
        }
        _ => {}
    }
    value
}

/// The names of all entries of a list; none where the list is one whose entries have none.
fn names<'v>(field: &str, entries: impl Iterator<Item = &'v Value>) -> Option<Vec<&'v Value>> {
    entries.map(|entry| name(field, entry)).collect()
}

/// What tells an entry of a list from the others, by the name of the field that the list is in.
fn name<'v>(field: &str, entry: &'v Value) -> Option<&'v Value> {
    match field {
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => entry.get("name"),
        "volumeMounts" => entry.get("mountPath"),
        "ports" => entry.get("containerPort").or_else(|| entry.get("port")),
        "topologySpreadConstraints" => entry.get("topologyKey"),
        "hostAliases" => entry.get("ip"),
        "volumeClaimTemplates" => entry.get("metadata")?.get("name"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn merged(value: Value, patch: Value) -> Value {
        let (Value::Object(mut map), Value::Object(patch)) = (value, patch) else { panic!("two maps") };
        merge(&mut map, &patch);
        map.into()
    }

    #[test]
    fn a_container_is_found_by_its_name_and_keeps_the_rest() {
        let pod = json!({ "containers": [{ "name": "a", "image": "x:1", "env": [{ "name": "K", "value": "1" }] }] });
        let patch = json!({ "containers": [{ "name": "a", "image": "y:2", "env": [{ "name": "L", "value": "2" }] }] });
        let both = json!([{ "name": "K", "value": "1" }, { "name": "L", "value": "2" }]);
        assert_eq!(
            merged(pod, patch),
            json!({ "containers": [{ "name": "a", "image": "y:2", "env": both }] })
        );
    }

    #[test]
    fn an_entry_is_deleted_by_its_name_and_a_field_by_null() {
        let pod = json!({ "volumes": [{ "name": "a" }, { "name": "b" }], "hostname": "h" });
        let patch = json!({ "volumes": [{ "name": "a", "$patch": "delete" }], "hostname": null });
        assert_eq!(merged(pod, patch), json!({ "volumes": [{ "name": "b" }] }));
    }

    #[test]
    fn lists_without_names_and_maps_with_the_directive_are_replaced() {
        let value = json!({ "tolerations": [{ "key": "a" }], "emptyDir": { "medium": "Memory" } });
        let patch = json!({ "tolerations": [{ "key": "b" }], "emptyDir": { "$patch": "replace", "sizeLimit": "1Gi" } });
        assert_eq!(
            merged(value, patch),
            json!({ "tolerations": [{ "key": "b" }], "emptyDir": { "sizeLimit": "1Gi" } })
        );
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), "[ab]".prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof![
                "[a-d]",
                Just("env".to_owned()),
                Just("name".to_owned()),
                Just("ports".to_owned())
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn map() -> impl Strategy<Value = Value> {
        tree().prop_map(|tree| json!({ "spec": tree }))
    }

    proptest! {
        #[test]
        fn an_empty_patch_changes_nothing(value in map()) {
            prop_assert_eq!(merged(value.clone(), json!({})), value);
        }

        #[test]
        fn a_patch_a_second_time_changes_nothing(value in map(), patch in map()) {
            let once = merged(value, patch.clone());
            prop_assert_eq!(merged(once.clone(), patch), once);
        }
    }
}
