//! Where files are kept: the local file system, S3 and what speaks its protocol, and web servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::aws::AmazonS3Builder;
use datafusion::object_store::http::HttpBuilder;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{self, ClientOptions, RetryConfig};

use super::error::{Key, SourceError};
use crate::spec::{self, secret};

/// How long a request is repeated before the store counts as away.
const RETRY_FOR: Duration = Duration::from_secs(20);
const RETRIES: usize = 4;

/// A store, with the address under which `DataFusion` knows it.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub url: ObjectStoreUrl,
    pub objects: Arc<dyn object_store::ObjectStore>,
}

/// A remote address, taken apart.
pub(super) struct Address {
    pub store: Store,
    /// What goes before an object's path to make its name.
    pub prefix: String,
    /// The path as it is written, without a leading `/`.
    pub path: String,
    pub kind: Kind,
}

/// What a remote store can do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It can list.
    S3,
    /// It only knows single files.
    Web,
}

/// The stores that a source has used so far.
pub(super) struct Stores<'a> {
    runtime: Arc<RuntimeEnv>,
    settings: Option<&'a spec::ObjectStore>,
    secret: Option<String>,
    local: Store,
    made: HashMap<String, Store>,
}

/// Whether a text is the address of something that is not a local file.
pub(super) fn is_remote(text: &str) -> bool {
    text.contains("://")
}

impl<'a> Stores<'a> {
    pub fn new(
        runtime: Arc<RuntimeEnv>,
        settings: Option<&'a spec::ObjectStore>,
        secret: Option<String>,
    ) -> Self {
        // `DataFusion` knows the local file system by itself.
        let local =
            Store { url: ObjectStoreUrl::local_filesystem(), objects: Arc::new(LocalFileSystem::new()) };
        Self { runtime, settings, secret, local, made: HashMap::new() }
    }

    /// The local file system, whose paths are absolute.
    pub fn local(&self) -> Store {
        self.local.clone()
    }

    /// The store of a remote address, and the path in it.
    pub fn remote(&mut self, key: &Key, text: &str) -> Result<Address, SourceError> {
        self.address(text).map_err(|why| SourceError::Address {
            key: key.clone(),
            text: secret::shown_address(text),
            why,
        })
    }

    fn address(&mut self, text: &str) -> Result<Address, String> {
        let (scheme, rest) = text.split_once("://").ok_or("is no address")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(format!("names no {}", if scheme == "s3" { "bucket" } else { "server" }));
        }
        if host.contains('@') {
            return Err("holds a user name or a password, which a file must not".to_owned());
        }
        let address = format!("{scheme}://{host}");
        let allow_http = self.settings.is_some_and(|settings| settings.allow_http);
        match scheme {
            "s3" => {
                let builder = self.s3(host);
                let store =
                    self.keep(&address, || builder.build().map(|s3| Arc::new(s3) as _).map_err(words))?;
                Ok(Address { store, prefix: format!("{address}/"), path: path.to_owned(), kind: Kind::S3 })
            }
            "http" if !allow_http => {
                Err("is not encrypted; `objectStore.allowHttp: true` allows it".to_owned())
            }
            "http" | "https" => {
                if path.contains(['?', '#']) {
                    return Err("has a query, which is not supported: it often holds a secret".to_owned());
                }
                let builder = HttpBuilder::new()
                    .with_url(&address)
                    .with_retry(retries())
                    .with_client_options(ClientOptions::new().with_allow_http(allow_http));
                let store =
                    self.keep(&address, || builder.build().map(|web| Arc::new(web) as _).map_err(words))?;
                Ok(Address { store, prefix: format!("{address}/"), path: path.to_owned(), kind: Kind::Web })
            }
            _ => Err("is none of `s3://`, `https://` and a local path".to_owned()),
        }
    }

    fn s3(&self, bucket: &str) -> AmazonS3Builder {
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retries());
        if let Some(settings) = self.settings {
            if let Some(endpoint) = &settings.endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            if let Some(region) = &settings.region {
                builder = builder.with_region(region);
            }
            if let Some(id) = &settings.access_key_id {
                builder = builder.with_access_key_id(id);
            }
            if settings.allow_http {
                builder = builder.with_allow_http(true);
            }
            if settings.anonymous {
                builder = builder.with_skip_signature(true);
            }
        }
        match &self.secret {
            Some(secret) => builder.with_secret_access_key(secret),
            None => builder,
        }
    }

    fn keep<E>(
        &mut self,
        address: &str,
        make: impl FnOnce() -> Result<Arc<dyn object_store::ObjectStore>, E>,
    ) -> Result<Store, String>
    where
        E: ToString,
    {
        if let Some(store) = self.made.get(address) {
            return Ok(store.clone());
        }
        let objects = make().map_err(|error| error.to_string())?;
        let url = ObjectStoreUrl::parse(address).map_err(|_| "is no address".to_owned())?;
        self.runtime.register_object_store(url.as_ref(), Arc::clone(&objects));
        let store = Store { url, objects };
        self.made.insert(address.to_owned(), store.clone());
        Ok(store)
    }
}

impl Address {
    /// The object that the path names.
    pub fn object(&self) -> Result<Path, String> {
        let path = match self.kind {
            Kind::S3 => Path::parse(&self.path),
            Kind::Web => Path::from_url_path(&self.path),
        };
        path.map_err(|_| "has a path that no object can have".to_owned())
    }

    /// The name of an object.
    pub fn name(&self, object: &Path) -> String {
        match self.kind {
            Kind::S3 => format!("{}{object}", self.prefix),
            Kind::Web => format!("{}{}", self.prefix, self.path),
        }
    }
}

fn retries() -> RetryConfig {
    RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() }
}

/// A store's error in one line: its innermost cause, which names neither the store's settings nor its secrets.
pub(super) fn words(error: object_store::Error) -> String {
    match error {
        object_store::Error::NotFound { .. } => "there is no such file".to_owned(),
        object_store::Error::PermissionDenied { .. } => "access is denied".to_owned(),
        object_store::Error::Unauthenticated { .. } => "the server wants other credentials".to_owned(),
        other => match innermost(&other) {
            // The last place where credentials are looked for: the metadata service of a virtual machine.
            cause if format!("{other:?} {cause}").contains("169.254.169.254") => {
                "no credentials: neither `objectStore` nor the `AWS_…` variables hold any; \
                 `objectStore.anonymous: true` reads public buckets without"
                    .to_owned()
            }
            cause => secret::masked(&cause, &secret::within(&cause)),
        },
    }
}

/// What libraries put before what they have to say.
const PREFIXES: [&str; 10] = [
    "Arrow error: ",
    "Parquet error: ",
    "Cast error: ",
    "Csv error: ",
    "Json error: ",
    "Parser error: ",
    "Compute error: ",
    "Invalid argument error: ",
    "External: ",
    "Error during planning: ",
];

/// The innermost cause of an error, on one line.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let words = cause.to_string();
    let mut words = words.lines().next().unwrap_or_default();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| words.strip_prefix(prefix)) {
        words = rest;
    }
    let mut characters = words.trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
