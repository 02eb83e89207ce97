use proptest::prelude::*;
use serde_json::json;

use super::*;

fn shown(live: &Value, after: &Value) -> Vec<String> {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".to_owned(), Value::to_string);
    let words = |change: FieldChange| {
        format!("{}: {} -> {}", change.path, value(&change.before), value(&change.after))
    };
    differences(live, after).into_iter().map(words).collect()
}

#[test]
fn what_the_server_keeps_for_itself_is_no_difference() {
    let live = json!({ "metadata": { "name": "a", "resourceVersion": "1", "managedFields": [] }, "status": { "a": 1 } });
    let after = json!({ "metadata": { "name": "a", "resourceVersion": "2", "generation": 2 } });
    assert_eq!(differences(&live, &after), []);
}

#[test]
fn a_field_is_named_by_its_path_and_an_entry_of_a_list_by_its_name() {
    let set = |image: &str, port: u16| {
        json!({ "spec": { "containers": [
            { "name": "kafka", "image": image, "ports": [{ "containerPort": port }] },
            { "name": "helper", "image": "b:1" },
        ] } })
    };
    assert_eq!(
        shown(&set("a:1", 9092), &set("a:2", 9094)),
        [
            "spec.containers[kafka].image: \"a:1\" -> \"a:2\"",
            "spec.containers[kafka].ports[9092]: {\"containerPort\":9092} -> -",
            "spec.containers[kafka].ports[9094]: - -> {\"containerPort\":9094}",
        ]
    );
}

#[test]
fn a_removed_entry_is_one_change_and_an_order_one_too() {
    let env = |names: &[&str]| json!({ "env": names.iter().map(|name| json!({ "name": name, "value": "x" })).collect::<Vec<_>>() });
    assert_eq!(
        shown(&env(&["A", "B", "C"]), &env(&["A", "C"])),
        ["env[B]: {\"name\":\"B\",\"value\":\"x\"} -> -"]
    );
    assert_eq!(differences(&env(&["A", "B"]), &env(&["B", "A"])).len(), 1);
}

#[test]
fn mounts_of_one_volume_are_told_apart_by_their_path() {
    let mounts = |second: &str| {
        json!({ "volumeMounts": [
            { "name": "scratch", "mountPath": "/tmp" }, { "name": "scratch", "mountPath": second },
        ] })
    };
    let found = differences(&mounts("/logs"), &mounts("/run"));
    let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["volumeMounts[/logs]", "volumeMounts[/run]"]);
}

#[test]
fn a_label_with_dots_stands_in_brackets() {
    let labelled = |value: &str| json!({ "metadata": { "labels": { "app.kubernetes.io/name": value } } });
    let found = differences(&labelled("a"), &labelled("b"));
    assert_eq!(found[0].path, "metadata.labels[app.kubernetes.io/name]");
}

#[test]
fn no_value_of_a_secret_is_shown() {
    let secret = |value: &str| {
        let annotations = json!({ "kubectl.kubernetes.io/last-applied-configuration": value });
        json!({ "kind": "Secret", "metadata": { "annotations": annotations }, "data": { "password": value } })
    };
    let found = differences(&secret("b2xk"), &secret("bmV3"));
    let text = serde_json::to_string(&found).unwrap_or_default();
    assert_eq!(found.len(), 2);
    assert!(!text.contains("b2xk") && !text.contains("bmV3"), "{text}");
    assert!(text.contains("(secret)"));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_u8).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(name|port|[a-c])", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn equal_objects_have_no_difference(object in value()) {
        prop_assert_eq!(differences(&object, &object), []);
    }

    #[test]
    fn objects_that_are_not_equal_have_one(before in value(), after in value()) {
        let spec = |value: &Value| json!({ "spec": value });
        prop_assert_eq!(differences(&spec(&before), &spec(&after)).is_empty(), before == after);
    }
}
