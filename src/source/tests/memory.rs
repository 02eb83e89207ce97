//! Rows given as JSON.

use serde_json::{Map, Value, json};

use super::*;

const YAML: &str = "
parquet: data/yellow_tripdata_2022-03_subset.parquet
select: [PULocationID, trip_distance * 1.609 AS km, tpep_pickup_datetime, store_and_fwd_flag]
filter: trip_distance > 0.1
";

fn rows(values: Value) -> Vec<Map<String, Value>> {
    serde_json::from_value(values).unwrap()
}

#[tokio::test]
async fn rows_are_filtered_and_projected_as_those_of_files() {
    let dataset = opened(pipelines(), YAML).await;
    let rows = rows(json!([
        { "PULocationID": 1, "trip_distance": 0.05 },
        { "PULocationID": 2, "trip_distance": 10, "tpep_pickup_datetime": "2022-03-01T00:13:08", "store_and_fwd_flag": "Y" },
        { "trip_distance": "2.0", "tpep_pickup_datetime": "2022-03-01 00:13:08.5" },
    ]));
    let batch = dataset.in_memory("first case", &rows).unwrap();
    assert_eq!((batch.read, batch.ordinals.as_slice()), (3, [1, 2].as_slice()));
    let messages =
        Encoder::new(&dataset.columns(), Some("PULocationID"), "d".into()).unwrap().encode(&batch).unwrap();
    insta::assert_snapshot!(values(&messages).join("\n"), @r#"
    {"PULocationID":2,"km":16.09,"tpep_pickup_datetime":"2022-03-01T00:13:08","store_and_fwd_flag":"Y"}
    {"PULocationID":null,"km":3.218,"tpep_pickup_datetime":"2022-03-01T00:13:08.500","store_and_fwd_flag":null}
    "#);
    assert_eq!(messages[0].key.as_deref(), Some(b"2".as_slice()));
    assert_eq!(messages[1].key, None);
    assert_eq!(dataset.in_memory("none", &[]).unwrap().read, 0);
}

#[tokio::test]
async fn rows_that_do_not_fit_are_faults_each() {
    let dataset = opened(pipelines(), YAML).await;
    let told = |values: Value| {
        let faults = dataset.in_memory("case", &rows(values)).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let unknown = told(json!([{ "trip_distance": 1 }, { "trip_distanc": 1, "fare": 2 }]));
    let unfit = told(
        json!([{ "trip_distance": "far" }, { "PULocationID": 1 }, { "PULocationID": 2.0 }, { "tpep_pickup_datetime": "yesterday" }]),
    );
    let cut = told(json!([{ "PULocationID": 1.5 }]));
    insta::assert_snapshot!(format!("{unknown}\n\n{unfit}\n\n{cut}"), @r#"
    row 1: there is no column `trip_distanc`
    row 1: there is no column `fare`

    row 0: `trip_distance` is DOUBLE, and cannot be `"far"`
    row 3: `tpep_pickup_datetime` is TIMESTAMP, and cannot be `"yesterday"`

    row 0: `PULocationID` is BIGINT, and cannot be `1.5`
    "#);
}

#[tokio::test]
async fn a_row_that_breaks_an_expression_is_named_with_it() {
    let yaml = "
parquet: data/yellow_tripdata_2022-03_subset.parquet
select: [PULocationID, CAST(store_and_fwd_flag AS INT) AS flag]
filter: trip_distance > 1
";
    let dataset = opened(pipelines(), yaml).await;
    let rows = rows(json!([
        { "trip_distance": 0, "store_and_fwd_flag": "N" },
        { "trip_distance": 2, "store_and_fwd_flag": "1" },
        { "trip_distance": 2, "store_and_fwd_flag": "N" },
    ]));
    let faults = dataset.in_memory("case", &rows).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["row 2: `select[1]` fails: cannot cast string 'N' to value of Int32 type"]);
}
