//! Files on web servers and in object stores, by a small server on the loopback interface.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server of the files of a folder: `GET` with ranges and `HEAD`, and S3's `list-type=2`. The first step of a path is the bucket.
struct Server {
    address: SocketAddr,
    /// The first lines of requests, with the range.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn of(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (folder, log) = (folder.to_owned(), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (folder, log) = (folder.clone(), Arc::clone(&log));
                tokio::spawn(async move { serve(connection, &folder, &log).await });
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(connection: TcpStream, folder: &Path, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if connection.read_line(&mut request).await.ok()? == 0 {
                return None;
            }
        }
        let mut first = request.lines().next()?.split(' ');
        let (method, target) = (first.next()?, first.next()?);
        let header = |name: &str| {
            request.lines().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        connection.read_exact(&mut vec![0; length]).await.ok()?;
        let range = header("range");
        log.lock().ok()?.push(format!("{method} {target} {}", range.as_deref().unwrap_or("whole")));
        let answer = answer(folder, method, target, range.as_deref());
        connection.get_mut().write_all(&answer).await.ok()?;
    }
}

fn answer(folder: &Path, method: &str, target: &str, range: Option<&str>) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if query.contains("list-type=2") {
        let listing = listing(&folder.join(path.trim_matches('/')), query);
        return response("200 OK", "", listing.as_bytes(), true);
    }
    let path = url::Url::parse("file:///").unwrap().join(path).unwrap().to_file_path().unwrap();
    let Ok(bytes) = std::fs::read(folder.join(path.strip_prefix("/").unwrap())) else {
        return response("404 Not Found", "", b"", true);
    };
    let limits = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    match limits {
        Some((first, last)) => {
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            let last = last.min(bytes.len() - 1);
            let extra = format!("Content-Range: bytes {first}-{last}/{}\r\n", bytes.len());
            response("206 Partial Content", &extra, &bytes[first..=last], method != "HEAD")
        }
        None => response("200 OK", "", &bytes, method != "HEAD"),
    }
}

fn response(status: &str, extra: &str, body: &[u8], with_body: bool) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Tue, 01 Mar 2022 00:00:00 GMT\r\nETag: \"x\"\r\n{extra}\r\n",
        body.len()
    );
    let mut response = head.into_bytes();
    if with_body {
        response.extend_from_slice(body);
    }
    response
}

/// S3's answer to `list-type=2`, all at once.
fn listing(bucket: &Path, query: &str) -> String {
    let prefix = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "prefix");
    let prefix = prefix.map(|(_, value)| value.into_owned()).unwrap_or_default();
    let mut keys = Vec::new();
    files_below(bucket, "", &mut keys);
    keys.sort();
    let mut xml = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    for (key, size) in keys.into_iter().filter(|(key, _)| key.starts_with(&prefix)) {
        write!(
            xml,
            "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2022-03-01T00:00:00.000Z</LastModified><ETag>\"x\"</ETag></Contents>"
        )
        .unwrap();
    }
    xml + "</ListBucketResult>"
}

fn files_below(folder: &Path, name: &str, keys: &mut Vec<(String, u64)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let key = format!("{name}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files_below(&entry.path(), &format!("{key}/"), keys);
        } else {
            keys.push((key, entry.metadata().unwrap().len()));
        }
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (place, file) in
        ["b/a 1.parquet", "b/x/b.parquet", "b/x/c.parquet", "b/_d.parquet"].iter().enumerate()
    {
        let first = i64::try_from(place).unwrap() * 100;
        counting(&folder.path().join(file), first..first + 100);
    }
    std::fs::write(folder.path().join("b/ids.csv"), "id\n5\n105\n205\n").unwrap();
    folder
}

fn names(dataset: &Dataset) -> Vec<String> {
    dataset.files().iter().map(|file| file.name.to_string()).collect()
}

#[tokio::test]
async fn a_web_servers_files_are_read_by_ranges() {
    let folder = folder();
    let server = Server::of(folder.path()).await;
    let web = format!("http://{}/b", server.address);
    let yaml = format!(
        "{{ parquet: ['{web}/x/b.parquet', '{web}/a%201.parquet'], tables: {{ ids: '{web}/ids.csv' }}, \
         filter: n IN (SELECT id FROM ids), objectStore: {{ allowHttp: true }} }}"
    );
    let dataset = opened(Path::new("/"), &yaml).await;
    assert_eq!(names(&dataset), [format!("{web}/a%201.parquet"), format!("{web}/x/b.parquet")]);
    let messages = messages(&dataset, None, None).await;
    assert_eq!(values(&messages), [r#"{"n":5}"#, r#"{"n":105}"#]);
    assert_eq!(messages[1].origin.row.ordinal, 5);
    let requests = server.requests();
    assert!(requests.iter().any(|request| request.starts_with("GET /b/x/b.parquet bytes=")), "{requests:#?}");
    assert!(
        !requests.iter().any(|request| request.ends_with("parquet whole") && request.starts_with("GET")),
        "{requests:#?}"
    );
}

#[tokio::test]
async fn a_bucket_gives_files_folders_and_patterns() {
    let folder = folder();
    let server = Server::of(folder.path()).await;
    let store = format!(
        "objectStore: {{ endpoint: 'http://{}', region: here, allowHttp: true, accessKeyId: me, secretAccessKeyFrom: {{ env: S3_SECRET }} }}",
        server.address
    );
    let cases: [(&str, &[&str]); 5] = [
        ("s3://b/x/b.parquet", &["s3://b/x/b.parquet"]),
        ("s3://b/a 1.parquet", &["s3://b/a 1.parquet"]),
        ("s3://b/x", &["s3://b/x/b.parquet", "s3://b/x/c.parquet"]),
        ("s3://b/", &["s3://b/a 1.parquet", "s3://b/x/b.parquet", "s3://b/x/c.parquet"]),
        ("s3://b/*/[c-z].parquet", &["s3://b/x/c.parquet"]),
    ];
    let secrets = |_: &spec::SecretSource| Ok("hush-hush".to_owned());
    for (text, expected) in cases {
        let source = source(&format!("{{ parquet: '{text}', {store} }}"));
        let dataset = open(&source, Path::new("/"), &secrets).await.unwrap();
        assert_eq!(names(&dataset), expected, "{text}");
        assert_eq!(messages(&dataset, None, None).await.len(), expected.len() * 100);
        assert!(!format!("{dataset:?}").contains("hush"), "a secret must not be shown");
    }
    let source = source(&format!("{{ parquet: [s3://b/none, 's3://b/*.orc'], {store} }}"));
    let faults = open(&source, Path::new("/"), &secrets).await.unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["there is no file, and no `*.parquet` below `s3://b/none`", "nothing matches `s3://b/*.orc`"]
    );
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_faults_without_their_secrets() {
    let yaml = "{ parquet: ['http://host/a.parquet', 'https://me:hush@host/a.parquet', 'https://host/a.parquet?sig=hush', 'gs://b/a', 's3:///a', 'https://host/*.parquet?'] }";
    let told: Vec<String> =
        refused(Path::new("/"), yaml).await.iter().map(|fault| format!("{fault:?} {fault}")).collect();
    let told = told.join("\n");
    assert!(!told.contains("hush"), "{told}");
    let words: Vec<String> = refused(Path::new("/"), yaml).await.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(words.join("\n"), @r"
    `http://host/a.parquet` is not encrypted; `objectStore.allowHttp: true` allows it
    `https://…@host/a.parquet` holds a user name or a password, which a file must not
    `https://host/a.parquet` has a query, which is not supported: it often holds a secret
    `gs://b/a` is none of `s3://`, `https://` and a local path
    `s3:///a` names no bucket
    `https://host/*.parquet` has a query, which is not supported: it often holds a secret
    ");
}

#[tokio::test]
async fn addresses_of_tables_are_told_without_their_secrets() {
    let yaml = "{ parquet: 'https://me:hush@host/a.parquet', tables: { a: 'https://me:hush@host/a.csv?sig=hush', b: 'https://me:hush@host/b.doc?sig=hush' } }";
    let told = refused(Path::new("/"), yaml).await;
    let words: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(!format!("{told:?} {words:?}").contains("hush"), "{told:?}");
    let all = words.join("\n");
    assert!(
        all.contains("`https://…@host/a.csv` holds a user name")
            && all.contains("`https://…@host/b.doc` is none of .csv"),
        "{all}"
    );
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_a_fault() {
    let yaml = "{ parquet: s3://b/a.parquet, objectStore: { secretAccessKeyFrom: { env: NOPE } } }";
    let told = refused(Path::new("/"), yaml).await;
    assert_eq!(told, [SourceError::Secret { why: "there are no secrets in tests".to_owned() }]);
}

#[tokio::test]
async fn a_server_that_is_away_is_a_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let yaml = format!("{{ parquet: 'http://{address}/a.parquet', objectStore: {{ allowHttp: true }} }}");
    let told = refused(Path::new("/"), &yaml).await[0].to_string();
    insta::assert_snapshot!(told.replace(&address.to_string(), "HOST"), @"cannot read `http://HOST/a.parquet`: connection refused (os error 111)");
}
