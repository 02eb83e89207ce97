//! Faults in SQL: told all at once, each at its place.

use super::*;

/// The faults of a filter on the yellow file, each with the marked part of the text.
async fn told(filter: &str) -> String {
    let mut source = source(
        "{ parquet: data/yellow_tripdata_2022-03_subset.parquet, tables: { zones: data/taxi_zone_lookup.csv, centroids: data/taxi_zone_centroids.csv } }",
    );
    source.filter = Some(filter.to_owned());
    let opened = open(&source, pipelines(), &no_secrets).await;
    match opened {
        Ok(dataset) => match dataset.warnings() {
            [] => "fine".to_owned(),
            warnings => {
                warnings.iter().map(|warning| format!("warning: {warning}")).collect::<Vec<_>>().join("\n")
            }
        },
        Err(faults) => faults.iter().map(|fault| marked(filter, fault)).collect::<Vec<_>>().join("\n"),
    }
}

fn marked(text: &str, fault: &SourceError) -> String {
    let range = fault.range().unwrap();
    format!("{} [{}]", fault, text.get(range).unwrap())
}

async fn all(filters: &[&str]) -> String {
    let mut lines = Vec::new();
    for filter in filters {
        lines.push(format!("{filter}\n    {}", told(filter).await.replace('\n', "\n    ")));
    }
    lines.join("\n")
}

#[tokio::test]
async fn names_that_are_not_there_are_all_told() {
    insta::assert_snapshot!(all(&[
        "trip_distanc > 0.1 AND fare > 2",
        "pulocationid = 1",
        "abss(trip_distance) > 1 AND rond(fare_amount) = 2",
        "PULocationID IN (SELECT LocationID FROM zone) AND a = 1",
        "PULocationID IN (SELECT LocationId FROM zones)",
        "PULocationID IN (SELECT LocationID FROM zones WHERE Borough = \"Bronx\")",
        "store_and_fwd_flag = \"Y\"",
        "zones.Borough = 'Bronx'",
        "trip_distance > $1",
    ]).await, @r#"
    trip_distanc > 0.1 AND fare > 2
        there is no column `trip_distanc` [trip_distanc]
        there is no column `fare` [fare]
    pulocationid = 1
        there is no column `pulocationid` [pulocationid]
    abss(trip_distance) > 1 AND rond(fare_amount) = 2
        there is no function `abss` [abss]
        there is no function `rond` [rond]
    PULocationID IN (SELECT LocationID FROM zone) AND a = 1
        there is no look-up table `zone` [zone]
        there is no column `a` [a]
    PULocationID IN (SELECT LocationId FROM zones)
        there is no column `LocationId` [LocationId]
    PULocationID IN (SELECT LocationID FROM zones WHERE Borough = "Bronx")
        there is no column `Bronx` ["Bronx"]
    store_and_fwd_flag = "Y"
        there is no column `Y` ["Y"]
    zones.Borough = 'Bronx'
        `zones`: a look-up table can be named only in a subquery, `IN (SELECT … FROM …)` [zones]
    trip_distance > $1
        `$1`: there are no parameters here [$1]
    "#);
}

#[tokio::test]
async fn what_is_not_about_one_row_or_not_the_same_each_time_is_refused() {
    insta::assert_snapshot!(all(&[
        "fare_amount > avg(fare_amount)",
        "row_number() OVER () > 5",
        "sum(fare_amount) OVER (PARTITION BY PULocationID) > 5",
        "random() > 0.5",
        "tpep_pickup_datetime < now()",
        "tpep_pickup_datetime < current_timestamp",
        "PULocationID IN (SELECT LocationID FROM zones WHERE random() > 0.5)",
        "fare_amount > (SELECT avg(fare_amount) FROM data)",
        "EXISTS (SELECT 1 FROM zones WHERE LocationID = PULocationID)",
        "PULocationID > ALL (SELECT LocationID FROM zones)",
        "PULocationID IN (SELECT LocationID, Zone FROM zones)",
        "PULocationID = (SELECT LocationID FROM zones)",
        "*",
    ]).await, @r"
    fare_amount > avg(fare_amount)
        `avg`: a filter or a column is about one row; counts and sums belong in an analysis [avg]
    row_number() OVER () > 5
        `row_number`: a filter or a column is about one row; counts and sums belong in an analysis [row_number]
    sum(fare_amount) OVER (PARTITION BY PULocationID) > 5
        `sum`: a filter or a column is about one row; counts and sums belong in an analysis [sum]
    random() > 0.5
        `random`: its value differs from run to run, but the rows must be the same on each [random]
    tpep_pickup_datetime < now()
        `now`: its value differs from run to run, but the rows must be the same on each [now]
    tpep_pickup_datetime < current_timestamp
        `current_timestamp`: its value differs from run to run, but the rows must be the same on each [current_timestamp]
    PULocationID IN (SELECT LocationID FROM zones WHERE random() > 0.5)
        `random`: its value differs from run to run, but the rows must be the same on each [random]
    fare_amount > (SELECT avg(fare_amount) FROM data)
        there is no look-up table `data` [data]
    EXISTS (SELECT 1 FROM zones WHERE LocationID = PULocationID)
        a subquery may name look-up tables only: `PULocationID` is a column of the source [PULocationID]
    PULocationID > ALL (SELECT LocationID FROM zones)
        `ANY` and `ALL` with a subquery: write `IN (SELECT …)`, or compare with `(SELECT max(…) …)` [PULocationID > ALL (SELECT LocationID FROM zones)]
    PULocationID IN (SELECT LocationID, Zone FROM zones)
        the subquery gives 2 columns, where one is wanted [SELECT LocationID, Zone FROM zones]
    PULocationID = (SELECT LocationID FROM zones)
        the subquery gives more than one row, where one value is wanted [SELECT LocationID FROM zones]
    *
        expected: an expression, found: * [*]
    ");
}

#[tokio::test]
async fn syntax_faults_are_at_their_place() {
    insta::assert_snapshot!(all(&[
        "trip_distance >",
        "trip_distance > 0.1 AND\nfare_amount >> > 2",
        "trip_distance > 0.1 fare_amount > 2",
        "trip_distance > 0.1;",
        "store_and_fwd_flag = 'Y",
        "fare_amount IN (1, 2",
        "SELECT * FROM zones",
        "WHERE fare_amount > 2",
        "fare_amount = = 2",
        "ä = 'ü' AND AND 1",
    ]).await, @r"
    trip_distance >
        expected: an expression, found: the end []
    trip_distance > 0.1 AND
    fare_amount >> > 2
        expected: an expression, found: > [>]
    trip_distance > 0.1 fare_amount > 2
        expected: the end, found: fare_amount [fare_amount]
    trip_distance > 0.1;
        expected: the end, found: ; [;]
    store_and_fwd_flag = 'Y
        unterminated string literal ['Y]
    fare_amount IN (1, 2
        expected: ), found: the end []
    SELECT * FROM zones
        only the condition or the value is written, without `SELECT` [SELECT]
    WHERE fare_amount > 2
        only the condition or the value is written, without `WHERE` [WHERE]
    fare_amount = = 2
        expected: an expression, found: = [=]
    ä = 'ü' AND AND 1
        expected: the end, found: 1 [1]
    ");
}

#[tokio::test]
async fn types_that_do_not_go_together_are_told_in_clear_words() {
    insta::assert_snapshot!(all(&[
        "fare_amount",
        "fare_amount + 1",
        "fare_amount > 'abc'",
        "tpep_pickup_datetime > 'yesterday'",
        "tpep_pickup_datetime > 5",
        "tpep_pickup_datetime > '2022-03-01' AND trip_distance > tpep_pickup_datetime",
        "trip_distance > 0 AND substr(fare_amount) = 'a'",
        "abs('x') > 1",
        "NOT fare_amount",
        "fare_amount LIKE 'a%'",
        "fare_amount BETWEEN 'a' AND 'b'",
        "PULocationID IN ('a', 'b')",
        "CAST('x' AS INT) = PULocationID",
        "PULocationID IN (SELECT Borough FROM zones)",
        "fare_amount / 0 > 1",
        "PULocationID / 0 > 1",
        "CASE WHEN fare_amount THEN true ELSE false END",
        "fare_amount.x > 1",
    ]).await, @r"
    fare_amount
        the filter is no condition: its type is DOUBLE [fare_amount]
    fare_amount + 1
        the filter is no condition: its type is DOUBLE [fare_amount + 1]
    fare_amount > 'abc'
        `fare_amount` (DOUBLE) cannot be compared with `'abc'` (VARCHAR) [fare_amount > 'abc']
    tpep_pickup_datetime > 'yesterday'
        `tpep_pickup_datetime` (TIMESTAMP) cannot be compared with `'yesterday'` (VARCHAR) [tpep_pickup_datetime > 'yesterday']
    tpep_pickup_datetime > 5
        `tpep_pickup_datetime` (TIMESTAMP) cannot be compared with `5` (BIGINT) [tpep_pickup_datetime > 5]
    tpep_pickup_datetime > '2022-03-01' AND trip_distance > tpep_pickup_datetime
        `trip_distance` (DOUBLE) cannot be compared with `tpep_pickup_datetime` (TIMESTAMP) [trip_distance > tpep_pickup_datetime]
    trip_distance > 0 AND substr(fare_amount) = 'a'
        this form is not supported [fare_amount) = 'a']
    abs('x') > 1
        `abs` cannot take `'x'` (VARCHAR) [abs('x')]
    NOT fare_amount
        `NOT` cannot take `fare_amount` (DOUBLE) [fare_amount]
    fare_amount LIKE 'a%'
        `LIKE` cannot take `fare_amount` (DOUBLE) and `'a%'` (VARCHAR) [fare_amount LIKE 'a%']
    fare_amount BETWEEN 'a' AND 'b'
        `fare_amount` (DOUBLE) cannot be compared with `'a'` (VARCHAR) and `'b'` (VARCHAR) [fare_amount BETWEEN 'a' AND 'b']
    PULocationID IN ('a', 'b')
        `PULocationID` (BIGINT) cannot be compared with the list [PULocationID IN ('a', 'b')]
    CAST('x' AS INT) = PULocationID
        `'x'` (VARCHAR) cannot be cast to INT ['x']
    PULocationID IN (SELECT Borough FROM zones)
        `PULocationID` (BIGINT) cannot be compared with the list [PULocationID IN (SELECT Borough FROM zones)]
    fare_amount / 0 > 1
        fine
    PULocationID / 0 > 1
        fine
    CASE WHEN fare_amount THEN true ELSE false END
        fine
    fare_amount.x > 1
        `fare_amount` (DOUBLE) has no field `x` [x]
    ");
}

#[tokio::test]
async fn what_will_hurt_is_warned_of() {
    insta::assert_snapshot!(all(&[
        "true",
        "1 = 2",
        "null",
        "PULocationID IN (SELECT LocationID FROM zones WHERE Borough = 'bronx')",
        "PULocationID = '159' AND store_and_fwd_flag > 5",
        "trip_distance > 0.1",
    ]).await, @r"
    true
        warning: the filter is true for every row
    1 = 2
        warning: the filter is false for every row
    null
        warning: the filter is null for every row
    PULocationID IN (SELECT LocationID FROM zones WHERE Borough = 'bronx')
        warning: the filter is false for every row
        warning: the subquery gives no value
    PULocationID = '159' AND store_and_fwd_flag > 5
        warning: `PULocationID` (BIGINT) is compared with `'159'` (VARCHAR) by a cast
        warning: `store_and_fwd_flag` (VARCHAR) is compared with `5` (BIGINT) by a cast
    trip_distance > 0.1
        fine
    ");
}

#[tokio::test]
async fn each_entry_of_select_is_judged_on_its_own() {
    let yaml = r#"
parquet: data/yellow_tripdata_2022-03_subset.parquet
select: [PULocationID, fare, trip_distance * 1.609 AS km, fare_amount * 2, km AS far, fare_amount AS PULocationID, "sum(fare_amount) AS total", "", "fare_amount fare", "*"]
filter: far > 2
"#;
    let parsed = source(yaml);
    let faults = refused(pipelines(), yaml).await;
    let told: Vec<String> =
        faults.iter().map(|fault| format!("{}: {fault} {:?}", fault.key().unwrap(), fault.range())).collect();
    assert_eq!(parsed.select.len(), 10);
    insta::assert_snapshot!(told.join("\n"), @r"
    select[1]: there is no column `fare` Some(0..4)
    select[3]: an expression needs a name: `… AS name` Some(0..15)
    select[4]: there is no column `km` Some(0..2)
    select[5]: two entries of `select` are named `PULocationID` None
    select[6]: `sum`: a filter or a column is about one row; counts and sums belong in an analysis Some(0..3)
    select[7]: expected: an expression, found: the end Some(0..0)
    select[8]: expected: the end, found: fare Some(12..16)
    select[9]: two entries of `select` are named `PULocationID` None
    filter: there is no column `far` Some(0..3)
    ");
}

#[tokio::test]
async fn columns_with_odd_names_are_taken_as_they_are() {
    use datafusion::arrow::array::Int64Array;
    let folder = tempfile::tempdir().unwrap();
    let one = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let names = ["trip distance", "a.b", "select", "Größe", "x\"y", "1st", "UPPER"];
    write(&folder.path().join("odd.parquet"), names.iter().map(|name| (*name, one())).collect(), 10);
    let select = serde_json::json!([
        names[0],
        names[1],
        names[2],
        names[3],
        names[4],
        names[5],
        "UPPER AS upper",
        "\"trip distance\" + \"a.b\" AS sum",
        "\"x\"\"y\""
    ]);
    let yaml = format!(
        "{{ parquet: odd.parquet, select: {}, filter: '\"trip distance\" = 1 AND \"a.b\" = 1 AND Größe = 1' }}",
        select.as_array().map(|entries| serde_json::json!(entries[..8])).unwrap()
    );
    let dataset = opened(folder.path(), &yaml).await;
    insta::assert_snapshot!(values(&messages(&dataset, None, None).await)[0], @r#"{"trip distance":1,"a.b":1,"select":1,"Größe":1,"x\"y":1,"1st":1,"upper":1,"sum":2}"#);
    let all = opened(folder.path(), "{ parquet: odd.parquet }").await;
    assert_eq!(all.columns().len(), 7);
    let starred = opened(folder.path(), "{ parquet: odd.parquet, select: ['*', UPPER * 2 AS twice] }").await;
    assert_eq!(starred.columns().len(), 8);
}

#[tokio::test]
async fn long_and_deep_expressions_are_planned_or_refused_but_never_break_the_stack() {
    let alternatives: Vec<String> = (0..2_000).map(|zone| format!("PULocationID = {zone}")).collect();
    assert_eq!(told(&alternatives.join(" OR ")).await, "fine");
    assert_eq!(
        told(&format!("(CASE WHEN {} THEN 1 ELSE 2 END) = 1", alternatives.join(" OR "))).await,
        "fine"
    );
    let nested = |depth: usize| format!("{}trip_distance{} > 1", "abs(".repeat(depth), ")".repeat(depth));
    assert_eq!(told(&nested(40)).await, "fine");
    assert_eq!(told(&nested(41)).await, "brackets nest deeper than 40 levels here [(]");
    let denied =
        |depth: usize| format!("{}trip_distance > 1{}", "NOT (true AND ".repeat(depth), ")".repeat(depth));
    assert_eq!(told(&denied(40)).await, "fine");
    let sum = |length: usize| format!("{} > 1", vec!["trip_distance"; length].join(" + "));
    assert_eq!(told(&sum(100)).await, "fine");
    assert_eq!(told(&sum(5_000)).await, "the chain of operators is too long here [+]");
}

#[tokio::test]
async fn a_value_that_breaks_an_expression_is_told_with_its_row() {
    const FLAG: &str = "CAST(store_and_fwd_flag AS INT)";
    for (key, expression, why) in [
        (Key::Filter, format!("{FLAG} > 1"), "row 0: cannot cast string 'N' to value of Int32 type"),
        (
            Key::Filter,
            "PULocationID / (PULocationID - PULocationID) > 1".to_owned(),
            "row 0: divide by zero error",
        ),
        (
            Key::Filter,
            format!("store_and_fwd_flag = 'Y' AND {FLAG} > 1"),
            "row 18: cannot cast string 'Y' to value of Int32 type",
        ),
        (Key::Select(1), format!("{FLAG} AS flag"), "row 0: cannot cast string 'N' to value of Int32 type"),
    ] {
        let mut source = source("{ parquet: data/green_tripdata_2022-03.parquet }");
        match key {
            Key::Filter => source.filter = Some(expression),
            _ => source.select = vec!["PULocationID".to_owned(), expression],
        }
        let dataset = open(&source, pipelines(), &no_secrets).await.unwrap();
        let scanned: Result<Vec<Batch>, SourceError> = dataset.scan(None, None).try_collect().await;
        let fault = scanned.unwrap_err();
        assert_eq!(fault.to_string(), format!("`data/green_tripdata_2022-03.parquet`, {why}"));
        assert_eq!(fault.key(), Some(&key));
    }
}
