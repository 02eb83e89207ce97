//! What an apply would do, asked of the server and done by nobody: a dry run for each object.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kube::api::{Patch, PatchParams, ValidationDirective};
use serde::Serialize;
use serde_json::Value;

use super::diff::{self, FieldChange};
use super::object::FIELD_MANAGER;
use super::{
    Cluster, Conflict, Id, Inventory, Live, Object, ObjectsError, Owner, Reason, Refusal, RequestError, Wave,
};

/// How many requests are under way at the same time.
pub(super) const AT_ONCE: usize = 8;

/// What is done about fields that another manager looks after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conflicts {
    /// The object is left as it is, and the conflict told.
    #[default]
    Refuse,
    /// The fields are taken over.
    Force,
}

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

/// All values, or all refusals.
pub(super) fn all<T>(results: Vec<Result<T, Refusal>>) -> Result<Vec<T>, ObjectsError> {
    let (mut values, mut refusals) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(values) } else { Err(ObjectsError::Refused(refusals)) }
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
    if !ground.has_namespace() && object.wave != Wave::Namespace {
        return change(Action::Create);
    }
    let live = match ground.owned(object) {
        Ok(live) => live,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (after, conflicts) = match dry_run(cluster, object).await? {
        Ok(answer) => answer,
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

/// What is there before anything is done.
pub(super) struct Ground {
    owner: Owner,
    /// The namespace; none where it is not there.
    namespace: Option<Live>,
    /// What is the pipeline's.
    pub inventory: Inventory,
    /// What has the name of one of the objects, and is not the pipeline's.
    foreign: Vec<Live>,
}

/// The namespace of the pipeline; none where it is not there. In one that is being deleted nothing can be made.
pub(super) async fn standing_namespace(cluster: &Cluster) -> Result<Option<Live>, ObjectsError> {
    let id = cluster.namespace_id();
    match cluster.find(&id, Wave::Namespace).await? {
        Some(live) if live.is_going() => Err(ObjectsError::Terminating { namespace: id.name }),
        namespace => Ok(namespace),
    }
}

impl Ground {
    /// Looks what is there.
    pub async fn survey(cluster: &Cluster, owner: &Owner, objects: &[Object]) -> Result<Self, ObjectsError> {
        let namespace = standing_namespace(cluster).await?;
        let (inventory, foreign) = if namespace.is_some() {
            let inventory = Inventory::discover(cluster, owner, objects).await?;
            let others = objects
                .iter()
                .filter(|object| object.wave != Wave::Namespace && inventory.get(&object.id()).is_none());
            let others = others.map(|object| {
                let (id, wave) = (object.id(), object.wave);
                async move { cluster.find(&id, wave).await }
            });
            let found: Vec<Option<Live>> = stream::iter(others).buffered(AT_ONCE).try_collect().await?;
            (inventory, found.into_iter().flatten().collect())
        } else {
            (Inventory::default(), Vec::new())
        };
        Ok(Self { owner: owner.clone(), namespace, inventory, foreign })
    }

    pub fn has_namespace(&self) -> bool {
        self.namespace.is_some()
    }

    /// Whether an object is a namespace that somebody else has made: it is used as it is.
    pub fn is_given(&self, object: &Object) -> bool {
        let others = self.namespace.as_ref().is_some_and(|namespace| !namespace.belongs_to(&self.owner));
        object.wave == Wave::Namespace && others
    }

    /// An object as it is; none where it is not there.
    ///
    /// # Errors
    /// Where it is not the pipeline's, or on its way out, or has volumes that are written for something else.
    pub fn owned(&self, object: &Object) -> Result<Option<&Live>, Refusal> {
        let id = &object.id();
        let refused = |reason: Reason| Err(Refusal { id: id.clone(), reason: Box::new(reason) });
        if let Some(foreign) = self.foreign.iter().find(|live| live.id == *id) {
            return Err(foreign.foreign());
        }
        let namespace = self.namespace.as_ref().filter(|namespace| namespace.id == *id);
        match namespace.or_else(|| self.inventory.get(id)) {
            Some(live) if live.is_going() => refused(Reason::Going),
            Some(live) => live.written_for_other(object).map_or(Ok(Some(live)), Err),
            None => Ok(None),
        }
    }
}
