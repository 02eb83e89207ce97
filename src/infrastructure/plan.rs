//! What an apply would do, asked of the server and done by nobody: a dry run for each object.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde_json::Value;

use super::apply::{Run, apply_one};
use super::diff::{self, FieldChange};
use super::ground::Ground;
use super::refusal::all;
use super::request::AT_ONCE;
use super::{Cluster, Conflict, Conflicts, Id, Live, Object, ObjectsError, Owner, Reason, Refusal, Wave};

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase")]
pub enum Action {
    /// It is made.
    Create,
    /// Fields of it are changed.
    Change {
        /// Which.
        fields: Vec<FieldChange>,
        /// Those that another manager looks after: they are changed only where conflicts are forced.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        conflicts: Vec<Conflict>,
    },
    /// It is as it is to be.
    Leave,
    /// No manifest names it any more: it goes.
    Prune,
    /// No manifest names it, and it stays: it holds data, or says so of itself.
    Keep,
}

/// An object, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which.
    #[serde(flatten)]
    pub id: Id,
    /// When its turn is.
    #[serde(skip)]
    pub wave: Wave,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// What becomes of a pipeline's objects, in the order in which it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Changes(pub Vec<Change>);

impl Changes {
    /// Whether nothing would be made, changed or pruned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|change| matches!(change.action, Action::Leave | Action::Keep))
    }

    /// How many objects have an action that the test accepts.
    pub fn count(&self, test: impl Fn(&Action) -> bool) -> usize {
        self.0.iter().filter(|change| test(&change.action)).count()
    }
}

/// Asks the server what an apply of the objects would do. A field that somebody else has taken over and changed is a change like any
/// other, with the manager's name: that is how drift is seen.
///
/// # Errors
/// Where objects would be refused for other reasons, all of them told; or the API server does not answer.
pub async fn plan(cluster: &Cluster, owner: &Owner, objects: &[Object]) -> Result<Changes, ObjectsError> {
    let ground = Ground::survey(cluster, owner, objects).await?;
    let planned = objects.iter().map(|object| change(cluster, &ground, object));
    let planned: Vec<Result<Change, Refusal>> = stream::iter(planned).buffered(AT_ONCE).try_collect().await?;
    let mut changes = all(planned)?;
    let beyond = ground.inventory.beyond(objects).into_iter();
    changes.extend(beyond.map(|live| Change::of(live, Action::Prune)));
    let named: Vec<Id> = objects.iter().map(Object::id).collect();
    let kept =
        ground.inventory.iter().filter(|live| live.outlives_its_manifest() && !named.contains(&live.id));
    changes.extend(kept.map(|live| Change::of(live, Action::Keep)));
    Ok(Changes(changes))
}

impl Change {
    fn of(live: &Live, action: Action) -> Self {
        Self { id: live.id.clone(), wave: live.wave, action }
    }
}

async fn change(
    cluster: &Cluster,
    ground: &Ground,
    object: &Object,
) -> Result<Result<Change, Refusal>, ObjectsError> {
    let id = object.id();
    let change = |action: Action| Ok(Ok(Change { id: id.clone(), wave: object.wave, action }));
    if ground.is_given(object) {
        return change(Action::Leave);
    }
    // In a namespace that is not there yet, a dry run finds nothing but that.
    if !ground.has_namespace() && id.namespace.is_some() {
        return change(Action::Create);
    }
    let live = match ground.owned(object) {
        Ok(live) => live,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (after, conflicts) = match dry_run(cluster, object).await? {
        Ok(answer) => answer,
        Err(refusal) if ground.stands_all_the_same(&refusal) => return change(Action::Leave),
        Err(refusal) => return Ok(Err(refusal)),
    };
    match live {
        None => change(Action::Create),
        Some(live) => match diff::differences(&live.value, &after) {
            fields if fields.is_empty() && conflicts.is_empty() => change(Action::Leave),
            fields => change(Action::Change { fields, conflicts }),
        },
    }
}

/// The object as it would be after an apply, and the fields that only a forced one would change.
async fn dry_run(
    cluster: &Cluster,
    object: &Object,
) -> Result<Result<(Value, Vec<Conflict>), Refusal>, ObjectsError> {
    let refusal = match apply_one(cluster, object, Conflicts::Refuse, Run::Dry).await {
        Ok(after) => return Ok(Ok((after, Vec::new()))),
        Err(error) => Refusal::read(&object.id(), error)?,
    };
    let Refusal { id, reason } = refusal;
    let conflicts = match *reason {
        Reason::Conflict(conflicts) => conflicts,
        other => return Ok(Err(Refusal { id, reason: Box::new(other) })),
    };
    match apply_one(cluster, object, Conflicts::Force, Run::Dry).await {
        Ok(after) => Ok(Ok((after, conflicts))),
        Err(error) => Refusal::read(&id, error).map(Err),
    }
}
