//! The taxi files of the examples.

use super::*;

const YELLOW: &str = "
parquet: data/yellow_tripdata_2022-03_subset.parquet
tables: { zones: data/taxi_zone_lookup.csv }
select: [PULocationID, DOLocationID, trip_distance, fare_amount, tpep_pickup_datetime, tpep_dropoff_datetime]
filter: |
  trip_distance > 0.1 AND fare_amount > 2.5
  AND PULocationID IN (SELECT LocationID FROM zones WHERE Borough = 'Bronx')
  AND DOLocationID IN (SELECT LocationID FROM zones WHERE Borough = 'Bronx')
";

#[tokio::test]
async fn the_yellow_file_gives_the_bronx_trips() {
    let dataset = opened(pipelines(), YELLOW).await;
    assert_eq!(dataset.rows(), 16_036);
    let batches = batches(&dataset, None, None).await;
    assert_eq!(batches.iter().map(|batch| batch.read).sum::<u64>(), 16_036);
    let messages = messages(&dataset, None, None).await;
    assert_eq!(messages.len(), 1_530);
    insta::assert_snapshot!(values(&messages)[0], @r#"{"PULocationID":159,"DOLocationID":159,"trip_distance":1.2,"fare_amount":7.5,"tpep_pickup_datetime":"2022-03-01T02:07:04","tpep_dropoff_datetime":"2022-03-01T02:17:06"}"#);
    assert_eq!(&*messages[0].origin.row.file, "data/yellow_tripdata_2022-03_subset.parquet");
    assert_eq!(messages[0].origin.row.ordinal, batches[0].ordinals[0]);
}

#[tokio::test]
async fn the_green_file_gives_the_bronx_trips() {
    let yaml =
        YELLOW.replace("yellow_tripdata_2022-03_subset", "green_tripdata_2022-03").replace("tpep_", "lpep_");
    let dataset = opened(pipelines(), &yaml).await;
    assert_eq!(dataset.rows(), 78_537);
    assert_eq!(messages(&dataset, None, None).await.len(), 1_003);
}
