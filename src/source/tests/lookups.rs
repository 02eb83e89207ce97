//! Subqueries over look-up tables.

use datafusion::arrow::array::Int64Array;

use super::*;

/// Rows n = null, 0 to 9, and tables in each format.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let numbers = std::iter::once(None).chain((0..10).map(Some)).collect::<Int64Array>();
    write(&folder.path().join("n.parquet"), vec![("n", Arc::new(numbers))], 100);
    std::fs::write(folder.path().join("odd.csv"), "id,name\n1,one\n3,three\n5,\n3,drei\n").unwrap();
    std::fs::write(
        folder.path().join("holes.jsonl"),
        "{\"id\": 2}\n{\"id\": null}\n{\"id\": 4, \"tags\": [\"x\"]}\n",
    )
    .unwrap();
    write(&folder.path().join("even.parquet"), vec![("id", Arc::new(Int64Array::from(vec![0, 2, 4])))], 100);
    folder
}

const TABLES: &str = "tables: { odd: odd.csv, holes: holes.jsonl, even: even.parquet }";

/// The n that pass a filter.
async fn passing(filter: &str) -> Vec<Option<i64>> {
    let folder = folder();
    let yaml = format!("{{ parquet: n.parquet, {TABLES}, filter: \"{filter}\" }}");
    let dataset = opened(folder.path(), &yaml).await;
    let messages = messages(&dataset, None, None).await;
    messages
        .iter()
        .map(|message| serde_json::from_slice::<serde_json::Value>(&message.value).unwrap()["n"].as_i64())
        .collect()
}

fn some(numbers: impl IntoIterator<Item = i64>) -> Vec<Option<i64>> {
    numbers.into_iter().map(Some).collect()
}

#[tokio::test]
async fn in_a_subquery_is_in_its_values() {
    assert_eq!(passing("n IN (SELECT id FROM odd)").await, some([1, 3, 5]));
    assert_eq!(passing("n IN (SELECT id FROM odd WHERE name LIKE '%e')").await, some([1, 3]));
    assert_eq!(
        passing("n IN (SELECT id FROM even) OR n IN (SELECT id + 4 FROM odd)").await,
        some([0, 2, 4, 5, 7, 9])
    );
    assert_eq!(
        passing("NOT (n IN (SELECT id FROM even WHERE id IN (SELECT id FROM holes)))").await,
        some([0, 1, 3, 5, 6, 7, 8, 9])
    );
    assert_eq!(
        passing("n IN (WITH x AS (SELECT id FROM odd) SELECT id FROM x UNION ALL SELECT id FROM even)").await,
        some([0, 1, 2, 3, 4, 5])
    );
}

#[tokio::test]
async fn nulls_in_a_subquery_mean_what_they_mean_in_sql() {
    assert_eq!(passing("n IN (SELECT id FROM holes)").await, some([2, 4]));
    assert_eq!(passing("n NOT IN (SELECT id FROM odd)").await, some([0, 2, 4, 6, 7, 8, 9]));
    // x NOT IN (…, null) is never true.
    assert_eq!(passing("n NOT IN (SELECT id FROM holes)").await, []);
    // Nothing is in an empty list, not even null; everything is not in it, null too.
    assert_eq!(passing("n IN (SELECT id FROM odd WHERE id > 100)").await, []);
    assert_eq!(passing("n NOT IN (SELECT id FROM odd WHERE id > 100)").await.len(), 11);
}

#[tokio::test]
async fn a_scalar_subquery_is_its_value_and_null_without_a_row() {
    assert_eq!(passing("n > (SELECT max(id) FROM odd)").await, some([6, 7, 8, 9]));
    assert_eq!(passing("n = (SELECT count(*) FROM odd) + 1").await, some([5]));
    assert_eq!(passing("n = (SELECT id FROM odd WHERE id = 77)").await, []);
    assert_eq!(
        passing("n BETWEEN (SELECT min(id) FROM odd) AND (SELECT max(id) FROM even)").await,
        some([1, 2, 3, 4])
    );
}

#[tokio::test]
async fn exists_is_whether_there_is_a_row() {
    assert_eq!(passing("EXISTS (SELECT * FROM odd WHERE id = 3) AND n = 1").await, some([1]));
    assert_eq!(passing("NOT EXISTS (SELECT 1 FROM odd WHERE id = 77) AND n = 1").await, some([1]));
    assert_eq!(passing("EXISTS (SELECT 1 FROM odd WHERE id = 77)").await, []);
}

#[tokio::test]
async fn a_subquery_may_stand_in_a_column() {
    let folder = folder();
    let yaml = format!(
        "{{ parquet: n.parquet, {TABLES}, select: ['n IN (SELECT id FROM odd) AS odd'], filter: n < 2 }}"
    );
    let dataset = opened(folder.path(), &yaml).await;
    assert_eq!(values(&messages(&dataset, None, None).await), [r#"{"odd":false}"#, r#"{"odd":true}"#]);
}

#[tokio::test]
async fn tables_are_read_by_their_extension() {
    let folder = folder();
    let dataset = opened(folder.path(), &format!("{{ parquet: n.parquet, {TABLES} }}")).await;
    let odd = dataset.table("odd").unwrap();
    assert_eq!(
        serde_json::json!([odd.values("id"), odd.values("name")]),
        serde_json::json!([[1, 3, 5, 3], ["one", "three", null, "drei"]])
    );
    assert_eq!(dataset.table("holes").unwrap().values("tags").unwrap()[2], serde_json::json!(["x"]));
    assert!(odd.values("nope").is_none());
    assert!(dataset.table("nope").is_none());
}

#[tokio::test]
async fn the_definition_holds_the_values_and_not_the_layout() {
    let folder = folder();
    let definition = async |filter: &str| {
        let yaml =
            format!("{{ parquet: n.parquet, {TABLES}, select: [n, 'n*2 AS double'], filter: \"{filter}\" }}");
        opened(folder.path(), &yaml).await.definition().to_owned()
    };
    let first = definition("n IN (SELECT id FROM odd)").await;
    insta::assert_snapshot!(first, @r#"{"select":[["n",["\"n\"",[]]],["double",["n * 2",[]]]],"filter":["n IN ($1)",[["BIGINT:1","BIGINT:3","BIGINT:5"]]]}"#);
    assert_eq!(first, definition("n  in ( select id  from odd )").await);
    assert_ne!(first, definition("n IN (SELECT id FROM even)").await);
    std::fs::write(folder.path().join("odd.csv"), "id,name\n5,\n3,a\n1,b\n").unwrap();
    assert_eq!(first, definition("n IN (SELECT id FROM odd)").await, "the same values in another order");
    std::fs::write(folder.path().join("odd.csv"), "id,name\n5,\n3,a\n").unwrap();
    assert_ne!(first, definition("n IN (SELECT id FROM odd)").await, "other values");
}

#[tokio::test]
async fn tables_that_cannot_be_read_are_faults() {
    let folder = folder();
    std::fs::write(folder.path().join("broken.csv"), "a,b\n1,2,3\n").unwrap();
    std::fs::write(folder.path().join("broken.json"), "[1, 2").unwrap();
    let yaml =
        "{ parquet: n.parquet, tables: { a: od.csv, b: broken.csv, c: broken.json, d: odd.xlsx, e: n.csv } }";
    let base = folder.path().display().to_string();
    let told: Vec<String> = refused(folder.path(), yaml)
        .await
        .iter()
        .map(|fault| {
            format!(
                "{}: {} {:?}",
                fault.key().unwrap(),
                fault.to_string().replace(&base, "BASE"),
                fault.known()
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    tables.a: there is no `od.csv` in `BASE` ["broken.csv", "broken.json", "even.parquet", "holes.jsonl", "n.parquet", "odd.csv"]
    tables.b: `broken.csv` is no valid CSV file: encountered unequal lengths between records on CSV file. Expected 2 records, found 3 records at line 2 []
    tables.c: `broken.json` is no valid JSON lines file: not valid JSON: EOF while parsing a list at line 1 column 5 []
    tables.d: `odd.xlsx` is none of .csv, .tsv, .parquet, .json, .jsonl and .ndjson []
    tables.e: there is no `n.csv` in `BASE` ["broken.csv", "broken.json", "even.parquet", "holes.jsonl", "n.parquet", "odd.csv"]
    "#);
}

#[tokio::test]
async fn faults_of_sql_are_told_beside_those_of_tables() {
    let folder = folder();
    let yaml = "{ parquet: n.parquet, tables: { a: od.csv, odd: odd.csv }, select: [m], filter: n IN (SELECT id FROM a) AND k = 1 }";
    let told: Vec<String> =
        refused(folder.path(), yaml).await.iter().map(|fault| fault.key().unwrap().to_string()).collect();
    assert_eq!(told, ["tables.a", "select[0]", "filter"]);
    let yaml = "{ parquet: n.parquet, tables: { a: od.csv }, filter: n IN (SELECT id FROM a) }";
    assert_eq!(refused(folder.path(), yaml).await.len(), 1);
    let yaml = "{ parquet: m.parquet, tables: { a: od.csv }, select: [odd name], filter: n > }";
    assert_eq!(refused(folder.path(), yaml).await.len(), 3);
}
