//! Which files are found, and in which order.

use super::*;

fn names(dataset: &Dataset) -> Vec<String> {
    dataset.files().iter().map(|file| file.name.to_string()).collect()
}

/// A folder with files that count up, the first of which holds 0 to 9.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (place, file) in files.iter().enumerate() {
        let first = i64::try_from(place).unwrap() * 10;
        counting(&folder.path().join(file), first..first + 10);
    }
    folder
}

#[tokio::test]
async fn a_folder_gives_its_parquet_files_in_byte_order_without_hidden_ones() {
    let folder = folder(&[
        "d/b.parquet",
        "d/a.parquet",
        "d/B.parquet",
        "d/x/y.parquet",
        "d/_temporary/a.parquet",
        "d/.a.parquet",
        "d/a.parquet.crc",
        "d/_a.parquet",
        "d/c.txt",
    ]);
    for text in ["d", "./d/", "d//"] {
        let dataset = opened(folder.path(), &format!("parquet: {text}")).await;
        assert_eq!(names(&dataset), ["d/B.parquet", "d/a.parquet", "d/b.parquet", "d/x/y.parquet"]);
    }
}

#[tokio::test]
async fn a_pattern_gives_what_it_matches() {
    let folder = folder(&["d/1.parquet", "d/2.parquet", "d/x/3.parquet", "d/_4.parquet", "e/5.parquet"]);
    let cases: [(&str, &[&str]); 6] = [
        ("d/*.parquet", &["d/1.parquet", "d/2.parquet"]),
        ("d/[2-9].parquet", &["d/2.parquet"]),
        ("**/*.parquet", &["d/1.parquet", "d/2.parquet", "d/x/3.parquet", "e/5.parquet"]),
        ("d/_*.parquet", &["d/_4.parquet"]),
        ("?/?.parquet", &["d/1.parquet", "d/2.parquet", "e/5.parquet"]),
        ("d/../e/*", &["d/../e/5.parquet"]),
    ];
    for (pattern, expected) in cases {
        let dataset = opened(folder.path(), &format!("parquet: '{pattern}'")).await;
        assert_eq!(names(&dataset), expected, "{pattern}");
    }
}

#[tokio::test]
async fn a_list_gives_each_file_once_under_the_name_that_sorts_first() {
    let folder = folder(&["d/b.parquet", "d/a.parquet", "c.parquet"]);
    let absolute = folder.path().join("d/a.parquet");
    let yaml = format!("parquet: [d/b.parquet, ./d/b.parquet, 'd/*', {}, c.parquet]", absolute.display());
    let dataset = opened(folder.path(), &yaml).await;
    let absolute = absolute.display().to_string();
    assert_eq!(names(&dataset), [absolute.as_str(), "c.parquet", "d/b.parquet"]);
    assert_eq!(dataset.rows(), 30);
}

#[tokio::test]
async fn names_with_odd_characters_are_taken_as_they_are() {
    let folder = folder(&["März [1] 50%.parquet", "d/a b#?.parquet"]);
    let dataset = opened(folder.path(), "parquet: ['März [1] 50%.parquet', 'd/a b#?.parquet']").await;
    assert_eq!(names(&dataset), ["März [1] 50%.parquet", "d/a b#?.parquet"]);
    assert_eq!(messages(&dataset, None, None).await.len(), 20);
}

#[tokio::test]
async fn nothing_found_is_a_fault_that_says_what_was_looked_for() {
    let folder = folder(&["d/trips.parquet"]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let yaml = "parquet: [d/trip.parquet, 'd/*.parq', empty, 'd/[', '']";
    let faults = refused(folder.path(), yaml).await;
    let base = folder.path().display().to_string();
    let told: Vec<String> = faults
        .iter()
        .map(|fault| {
            let words = fault.to_string().replace(&base, "BASE");
            format!("{}: {words} {:?}", fault.key().unwrap(), fault.known())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    parquet[0]: there is no `d/trip.parquet` in `BASE` ["d/trips.parquet"]
    parquet[1]: nothing matches `d/*.parq` in `BASE` []
    parquet[2]: there is no `*.parquet` in the folder `empty` []
    parquet[3]: `d/[` is no pattern: invalid range pattern []
    parquet[4]: `` is empty []
    "#);
}

#[tokio::test]
async fn a_file_that_is_not_parquet_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.parquet"), "a,b\n1,2\n").unwrap();
    std::fs::write(folder.path().join("b.parquet"), "").unwrap();
    counting(&folder.path().join("c.parquet"), 0..100);
    let whole = std::fs::read(folder.path().join("c.parquet")).unwrap();
    std::fs::write(folder.path().join("c.parquet"), &whole[..whole.len() - 20]).unwrap();
    let mut broken = whole.clone();
    let footer = whole.len() - 100;
    broken[footer..footer + 50].fill(0xff);
    std::fs::write(folder.path().join("d.parquet"), &broken).unwrap();
    let faults = refused(folder.path(), "parquet: .").await;
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    `a.parquet` is no valid parquet file: it does not end as parquet files do
    `b.parquet` is no valid parquet file: it is too short
    `c.parquet` is no valid parquet file: it does not end as parquet files do
    `d.parquet` is no valid parquet file: invalid utf-8 sequence of 1 bytes from index 114
    ");
}

#[tokio::test]
async fn lineage_hangs_on_all_files_before_but_not_on_those_after() {
    let folder = folder(&["b.parquet", "c.parquet"]);
    let lineages = async || {
        let dataset = opened(folder.path(), "parquet: .").await;
        dataset
            .files()
            .iter()
            .map(|file| (file.name.to_string(), file.lineage.to_string()))
            .collect::<std::collections::HashMap<_, _>>()
    };
    let before = lineages().await;
    assert_eq!(before["b.parquet"].len(), 32);
    assert_eq!(before, lineages().await);

    counting(&folder.path().join("d.parquet"), 0..5);
    let longer = lineages().await;
    assert_eq!(before["b.parquet"], longer["b.parquet"]);
    assert_eq!(before["c.parquet"], longer["c.parquet"]);

    counting(&folder.path().join("a.parquet"), 0..5);
    let inserted = lineages().await;
    assert_ne!(before["b.parquet"], inserted["b.parquet"]);

    counting(&folder.path().join("b.parquet"), 1..11);
    let changed = lineages().await;
    assert_eq!(inserted["a.parquet"], changed["a.parquet"]);
    assert_ne!(inserted["b.parquet"], changed["b.parquet"]);
    assert_ne!(inserted["d.parquet"], changed["d.parquet"]);
}
