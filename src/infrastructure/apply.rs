//! Applying a pipeline's objects: wave after wave, each object by the server, and what no manifest names any more goes.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, ValidationDirective};
use serde_json::Value;

use super::ground::{Ground, standing_namespace};
use super::object::FIELD_MANAGER;
use super::refusal::all;
use super::request::AT_ONCE;
use super::{Cluster, Id, Live, Object, ObjectsError, Owner, Refusal, RequestError, Wave};

/// What is done about fields that another manager looks after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conflicts {
    /// The object is left as it is, and the conflict told.
    #[default]
    Refuse,
    /// The fields are taken over.
    Force,
}

/// What has become of an object so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectState {
    /// It was made.
    Created,
    /// It was changed.
    Changed,
    /// It was as it is to be.
    Unchanged,
    /// No manifest names it any more, and it was told to go.
    Pruned,
    /// Its pods are on their way.
    Waiting {
        /// How many pods are ready.
        ready: u32,
        /// How many there are to be.
        wanted: u32,
        /// What keeps them, in a few words.
        because: String,
    },
    /// Its pods are ready, and of its last state.
    Ready {
        /// How many.
        pods: u32,
    },
    /// It was told to go.
    Deleting,
    /// It is gone.
    Gone,
}

/// Something that happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// Which.
    pub id: Id,
    /// What.
    pub state: ObjectState,
}

/// What an apply has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many objects were made.
    pub created: usize,
    /// How many were changed.
    pub changed: usize,
    /// How many were as they are to be.
    pub unchanged: usize,
    /// How many no manifest names any more.
    pub pruned: usize,
}

impl Applied {
    /// Whether it found everything done already.
    #[must_use]
    pub const fn nothing(&self) -> bool {
        self.created + self.changed + self.pruned == 0
    }

    fn count(&mut self, state: &ObjectState) {
        match state {
            ObjectState::Created => self.created += 1,
            ObjectState::Changed => self.changed += 1,
            ObjectState::Unchanged => self.unchanged += 1,
            ObjectState::Pruned => self.pruned += 1,
            _ => {}
        }
    }
}

/// Applies the objects, the waves one after the other and those of a wave side by side; then deletes what is the pipeline's and
/// no manifest names any more, volumes apart.
///
/// Before the first object is touched, all are looked at: where one of them belongs to somebody else, or would lose its data,
/// nothing is done.
///
/// # Errors
/// Where objects are refused: all of the wave are told, and no later wave is begun. What was applied stands, and an apply of the
/// same objects goes on from there.
pub async fn apply(
    cluster: &Cluster,
    owner: &Owner,
    objects: &[Object],
    conflicts: Conflicts,
    tell: &mut impl FnMut(ObjectEvent),
) -> Result<Applied, ObjectsError> {
    let ground = Ground::survey(cluster, owner, objects).await?;
    all(objects.iter().filter(|object| !ground.is_given(object)).map(|one| ground.owned(one)).collect())?;
    let mut applied = Applied::default();
    let mut told = |event: ObjectEvent| {
        applied.count(&event.state);
        tell(event);
    };
    let mut waves: BTreeMap<Wave, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        waves.entry(object.wave).or_default().push(object);
    }
    for objects in waves.into_values() {
        let requests = objects.into_iter().map(|object| one(cluster, &ground, object, conflicts));
        let mut answers = stream::iter(requests).buffer_unordered(AT_ONCE);
        let mut refusals = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer? {
                Ok(event) => told(event),
                Err(refusal) => refusals.push(refusal),
            }
        }
        if !refusals.is_empty() {
            return Err(ObjectsError::Refused(refusals));
        }
    }
    for live in ground.inventory.beyond(objects) {
        delete(cluster, live).await?;
        told(ObjectEvent { id: live.id.clone(), state: ObjectState::Pruned });
    }
    Ok(applied)
}

/// Makes the namespace, if it is not there: a Secret can be put into it before there are pods that read it. Says whether it was
/// made.
///
/// # Errors
/// As [`apply`].
pub async fn namespace(
    cluster: &Cluster,
    objects: &[Object],
    conflicts: Conflicts,
    tell: &mut impl FnMut(ObjectEvent),
) -> Result<bool, ObjectsError> {
    let named = objects.iter().find(|object| object.wave == Wave::Namespace);
    let Some(object) = named else { return Ok(false) };
    if standing_namespace(cluster).await?.is_some() {
        return Ok(false);
    }
    let id = object.id();
    match apply_one(cluster, object, conflicts, Run::Real).await {
        Ok(_) => tell(ObjectEvent { id, state: ObjectState::Created }),
        Err(error) => return Err(ObjectsError::Refused(vec![Refusal::read(&id, error)?])),
    }
    Ok(true)
}

/// Applies one object.
async fn one(
    cluster: &Cluster,
    ground: &Ground,
    object: &Object,
    conflicts: Conflicts,
) -> Result<Result<ObjectEvent, Refusal>, ObjectsError> {
    let id = object.id();
    if ground.is_given(object) {
        return Ok(Ok(ObjectEvent { id, state: ObjectState::Unchanged }));
    }
    let before = match ground.owned(object) {
        Ok(before) => before,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let after = match apply_one(cluster, object, conflicts, Run::Real).await {
        Ok(after) => after,
        Err(error) => {
            let refusal = Refusal::read(&id, error)?;
            let stands = ground.stands_all_the_same(&refusal);
            return Ok(if stands {
                Ok(ObjectEvent { id, state: ObjectState::Unchanged })
            } else {
                Err(refusal)
            });
        }
    };
    let version = after.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    let state = match before {
        None => ObjectState::Created,
        // The server writes nothing, and so gives no new version, where nothing changes. A controller that has written its status
        // in between gives one, too: the fields decide.
        Some(live) if live.metadata("resourceVersion") == version => ObjectState::Unchanged,
        Some(live) if super::diff::differences(&live.value, &after).is_empty() => ObjectState::Unchanged,
        Some(_) => ObjectState::Changed,
    };
    Ok(Ok(ObjectEvent { id, state }))
}

/// Whether an apply is done, or only thought through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Dry,
    Real,
}

/// Applies an object by the server; gives it as it is, or would be, after.
pub(super) async fn apply_one(
    cluster: &Cluster,
    object: &Object,
    conflicts: Conflicts,
    run: Run,
) -> Result<Value, RequestError> {
    let id = object.id();
    let params = PatchParams {
        dry_run: run == Run::Dry,
        force: conflicts == Conflicts::Force,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        // A field that the server does not know would be dropped in silence.
        field_validation: Some(ValidationDirective::Strict),
    };
    let api = cluster.objects(&id);
    let patch = Patch::Apply(object.manifest());
    let applied = cluster.ask(|| api.patch(&id.name, &params, &patch)).await?;
    serde_json::to_value(applied).map_err(|error| RequestError::Unexpected {
        server: cluster.address().to_owned(),
        reason: error.to_string(),
    })
}

/// Deletes an object with all that belongs to it, unless it has been replaced since it was looked at.
pub(super) async fn delete(cluster: &Cluster, live: &Live) -> Result<(), ObjectsError> {
    let same = Preconditions { uid: live.metadata("uid").map(str::to_owned), resource_version: None };
    let params = DeleteParams { preconditions: Some(same), ..DeleteParams::foreground() };
    let api = cluster.objects(&live.id);
    match cluster.ask(|| api.delete(&live.id.name, &params)).await {
        Ok(_) => Ok(()),
        // Gone already, or replaced by another of the same name.
        Err(RequestError::Refused(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(error) => Err(ObjectsError::Refused(vec![Refusal::read(&live.id, error)?])),
    }
}
