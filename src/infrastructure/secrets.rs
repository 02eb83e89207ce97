//! The password of the Neo4j that runner deploys: made once, kept in a Secret, read back for the Bolt connection.
//!
//! It is in no manifest, so that nothing secret is ever rendered or compared.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::manifests::PASSWORD_KEY;
use super::object::{FIELD_MANAGER, PRUNE_ANNOTATION};
use super::{Cluster, Id, Owner, Refusal, RequestError, Wave};
use crate::spec::{Neo4j, Password, SecretKey};

/// How many random bytes a password is made of.
const ENTROPY: usize = 18;

/// Why there is no password.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SecretError {
    /// The API server does not answer, or does not let us.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The Secret is not there.
    #[error("there is no Secret `{name}` in namespace `{namespace}`")]
    Missing {
        /// Its name.
        name: String,
        /// The namespace.
        namespace: String,
    },
    /// The Secret has no such key, or no text under it.
    #[error("the Secret `{name}` has no key `{key}` with a text")]
    NoKey {
        /// Its name.
        name: String,
        /// The key.
        key: String,
        /// The keys that it has.
        known: Vec<String>,
    },
    /// A Secret of that name is there and is not the pipeline's.
    #[error("the Secret `{}` is not the pipeline's", .0.id.name)]
    Foreign(Refusal),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// Whether runner makes the Secret with the password: it deploys a Neo4j, and the file names no Secret of its own.
#[must_use]
pub fn makes_auth(neo4j: &Neo4j) -> bool {
    let named = neo4j.password_from.as_ref().is_some_and(|source| source.secret.is_some());
    neo4j.existing.is_none() && !named
}

/// Makes sure that the Secret with the password is there, and gives the password.
///
/// Without `given`, a password is made the first time and never changed. `given` is what the file's environment variable or file
/// holds: the Secret is kept equal to it. It is made with the pipeline's labels.
///
/// # Errors
/// Where a Secret of that name belongs to somebody else, or the API server refuses.
pub async fn ensure_auth(
    cluster: &Cluster,
    owner: &Owner,
    name: &str,
    labels: &IndexMap<String, String>,
    given: Option<Password>,
) -> Result<Password, SecretError> {
    let api: Api<Secret> = Api::namespaced(cluster.client(), cluster.namespace());
    let id = Id::secret(cluster.namespace(), name);
    let place = SecretKey { name: name.to_owned(), key: PASSWORD_KEY.to_owned() };
    if cluster.find(&id, Wave::Settings).await?.is_none() {
        let password = given.clone().map_or_else(generated, Ok)?;
        let secret = secret(owner, name, labels, &password);
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match cluster.ask(|| api.create(&params, &secret)).await {
            Ok(_) => return Ok(password),
            // Another run was faster: its password is the one.
            Err(RequestError::Refused(status)) if status.code == 409 => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(foreign) = cluster.find(&id, Wave::Settings).await?.filter(|live| !live.belongs_to(owner)) {
        return Err(SecretError::Foreign(foreign.foreign()));
    }
    let held = read(cluster, &place).await?;
    match given {
        Some(given) if given != held => {
            let patch = Patch::<Value>::Merge(json!({ "stringData": data(&given) }));
            let params =
                PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
            cluster.ask(|| api.patch(name, &params, &patch)).await?;
            Ok(given)
        }
        _ => Ok(held),
    }
}

/// Reads a password from a Secret of the namespace.
///
/// # Errors
/// Where there is no such Secret or no such key, or the API server refuses.
pub async fn read(cluster: &Cluster, SecretKey { name, key }: &SecretKey) -> Result<Password, SecretError> {
    let api: Api<Secret> = Api::namespaced(cluster.client(), cluster.namespace());
    let Some(secret) = cluster.ask(|| api.get_opt(name)).await? else {
        return Err(SecretError::Missing { name: name.clone(), namespace: cluster.namespace().to_owned() });
    };
    let data = secret.data.unwrap_or_default();
    let text = data.get(key).and_then(|ByteString(bytes)| String::from_utf8(bytes.clone()).ok());
    text.map(Password::from).ok_or_else(|| SecretError::NoKey {
        name: name.clone(),
        key: key.clone(),
        known: data.keys().cloned().collect(),
    })
}

fn secret(owner: &Owner, name: &str, labels: &IndexMap<String, String>, password: &Password) -> Secret {
    let given = labels.iter().map(|(key, value)| (key.clone(), value.clone()));
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(given.chain(owner.labels()).collect()),
        // No manifest names it, and the data of the volume can be read with nothing else.
        annotations: Some(BTreeMap::from([(PRUNE_ANNOTATION.to_owned(), "disabled".to_owned())])),
        ..ObjectMeta::default()
    };
    Secret {
        metadata,
        string_data: Some(data(password)),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}

/// The password alone, and as the official chart and image read it from a file.
fn data(password: &Password) -> BTreeMap<String, String> {
    let password = password.reveal();
    [(PASSWORD_KEY, password.to_owned()), ("NEO4J_AUTH", format!("neo4j/{password}"))]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

/// A password of 144 random bits, in letters that neither a shell nor `NEO4J_AUTH` takes for something else.
fn generated() -> Result<Password, SecretError> {
    let mut bytes = [0; ENTROPY];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| SecretError::NoRandomness)?;
    Ok(hex::encode(bytes).into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::infrastructure::Live;

    #[test]
    fn a_password_is_new_each_time_and_never_shown() {
        let (one, other) = (generated().unwrap(), generated().unwrap());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Password(***)");
        assert_eq!(one.reveal().len(), 2 * ENTROPY);
    }

    #[test]
    fn the_secret_bears_the_pipelines_labels_and_outlives_the_manifests() {
        let owner = Owner { pipeline: "trips".to_owned() };
        let labels = [("team", "a"), ("runner.dev/pipeline", "another")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let secret = secret(&owner, "trips-neo4j-auth", &labels, &"x".to_owned().into());
        let value = serde_json::to_value(secret).unwrap();
        let id = Id {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: None,
            name: "trips-neo4j-auth".to_owned(),
        };
        assert_eq!(value["metadata"]["labels"]["team"], "a");
        assert_eq!(value["stringData"], json!({ "NEO4J_AUTH": "neo4j/x", "password": "x" }));
        let live = Live { id, wave: Wave::Settings, value };
        assert!(live.belongs_to(&owner) && live.outlives_its_manifest());
    }
}
