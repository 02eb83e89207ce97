//! Taking a pipeline's objects away: by inventory, the last wave first, with what data needs kept unless it is asked for.

mod inhabitants;

use std::cmp::Reverse;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::apply::{ObjectEvent, ObjectState, delete};
use super::endpoints::NEO4J_AUTH;
use super::request::AT_ONCE;
use super::{Cluster, Id, Inventory, Live, Object, ObjectsError, Owner, Wave};

/// Servers write their data before they end; the longest grace period of a pod that runner makes is two minutes.
const GONE_WITHIN: Duration = Duration::from_mins(4);
/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(300);

/// What becomes of data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Data {
    /// Volumes stay, and the password that opens them.
    #[default]
    Keep,
    /// They go, too.
    Delete,
}

/// Why an object stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "camelCase")]
pub enum Kept {
    /// It holds data.
    Volume,
    /// It opens what a volume holds.
    Password,
    /// Others may have put something in it.
    Common,
    /// The namespace was there before runner.
    NotOurs,
    /// Others' objects are in the namespace.
    Inhabited {
        /// Some of them.
        by: Vec<Id>,
    },
    /// What is in the namespace cannot be known: it may not be looked at, or a part of the API does not answer.
    Unknown {
        /// What is in the way.
        message: String,
    },
    /// Something that stays is in it.
    HoldsKept,
}

/// What a destroy would take away, and what it would leave.
#[derive(Debug, Clone, Default)]
pub struct Destruction {
    /// What goes, in the order in which it goes.
    goes: Vec<Live>,
    /// What stays, and why.
    pub stays: Vec<(Id, Kept)>,
}

impl Destruction {
    /// What goes, in the order in which it goes.
    pub fn goes(&self) -> impl Iterator<Item = &Id> {
        self.goes.iter().map(|live| &live.id)
    }

    /// Whether nothing goes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.goes.is_empty()
    }
}

/// Looks what would go and what would stay. `objects` are those of the file, for kinds that only it names.
///
/// # Errors
/// Where the API server does not answer, or does not let us look.
pub async fn survey(
    cluster: &Cluster,
    owner: &Owner,
    objects: &[Object],
    data: Data,
) -> Result<Destruction, ObjectsError> {
    let id = cluster.namespace_id();
    let inventory = Inventory::discover(cluster, owner, objects).await?;
    let mut destruction = sort(&inventory, data);
    let Some(namespace) = cluster.find(&id, Wave::Namespace).await? else {
        return Ok(destruction);
    };
    match stays(cluster, owner, &namespace, &destruction).await? {
        Some(kept) => destruction.stays.push((id, kept)),
        None => destruction.goes.push(namespace),
    }
    Ok(destruction)
}

/// What of an inventory goes and what stays: servers before what they need, volumes after them.
fn sort(inventory: &Inventory, data: Data) -> Destruction {
    let holds_volumes = inventory.iter().any(Live::is_volume);
    let mut destruction = Destruction::default();
    for live in inventory.iter() {
        // The variables of a run in the cluster are a Secret, too, and open nothing.
        let opens = live.id.kind == "Secret" && live.id.name.ends_with(NEO4J_AUTH);
        let password = opens && live.outlives_its_manifest() && holds_volumes;
        match data {
            _ if live.is_common() => destruction.stays.push((live.id.clone(), Kept::Common)),
            Data::Keep if live.is_volume() => destruction.stays.push((live.id.clone(), Kept::Volume)),
            Data::Keep if password => destruction.stays.push((live.id.clone(), Kept::Password)),
            _ => destruction.goes.push(live.clone()),
        }
    }
    destruction.goes.sort_by_key(turn);
    destruction
}

/// When something goes: the last wave first; then volumes, and only then what opens them, so that no volume is ever left that
/// nobody can read; the namespace last.
fn turn(live: &Live) -> (u8, Reverse<Wave>) {
    let rank = match live.id.kind.as_str() {
        "Namespace" => 3,
        _ if live.is_volume() => 1,
        _ if live.outlives_its_manifest() => 2,
        _ => 0,
    };
    (rank, Reverse(live.wave))
}

/// Why the namespace stays; none where it goes.
async fn stays(
    cluster: &Cluster,
    owner: &Owner,
    namespace: &Live,
    destruction: &Destruction,
) -> Result<Option<Kept>, ObjectsError> {
    if !namespace.belongs_to(owner) {
        return Ok(Some(Kept::NotOurs));
    }
    if destruction.stays.iter().any(|(id, _)| id.namespace.as_deref() == Some(cluster.namespace())) {
        return Ok(Some(Kept::HoldsKept));
    }
    let goes: Vec<&Id> = destruction.goes().collect();
    Ok(inhabitants::keep(cluster, &goes).await?)
}

/// Takes away what the survey said, wave by wave, and waits until it is gone.
///
/// # Errors
/// Where the API server refuses, or objects are still there after 4 min.
pub async fn destroy(
    cluster: &Cluster,
    destruction: &Destruction,
    tell: &mut impl FnMut(ObjectEvent),
) -> Result<(), ObjectsError> {
    let mut rest = destruction.goes.as_slice();
    while let Some(first) = rest.first() {
        let length = rest.iter().take_while(|live| turn(live) == turn(first)).count();
        let (wave, later) = rest.split_at(length);
        for live in wave {
            delete(cluster, live).await?;
            tell(ObjectEvent { id: live.id.clone(), state: ObjectState::Deleting });
        }
        gone(cluster, wave, tell).await?;
        rest = later;
    }
    Ok(())
}

/// Waits until objects are gone.
pub(super) async fn gone(
    cluster: &Cluster,
    wave: &[Live],
    tell: &mut impl FnMut(ObjectEvent),
) -> Result<(), ObjectsError> {
    let began = Instant::now();
    let mut still: Vec<&Live> = wave.iter().collect();
    loop {
        let looks = still.iter().map(|live| cluster.find(&live.id, live.wave));
        let found: Vec<Option<Live>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        let mut left = Vec::new();
        for (live, found) in still.into_iter().zip(found) {
            // Another object of the same name is somebody's new one.
            if found.is_some_and(|found| found.metadata("uid") == live.metadata("uid")) {
                left.push(live);
            } else {
                tell(ObjectEvent { id: live.id.clone(), state: ObjectState::Gone });
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        if began.elapsed() > GONE_WITHIN {
            let still = left.iter().map(|live| live.id.clone()).collect();
            return Err(ObjectsError::NotGone { still, seconds: GONE_WITHIN.as_secs() });
        }
        still = left;
        sleep(BETWEEN).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(kind: &str, wave: Wave, annotations: &serde_json::Value) -> Live {
        let id = Id { kind: kind.to_owned(), ..Id::secret("trips", &format!("trips-{NEO4J_AUTH}")) };
        Live { id, wave, value: json!({ "metadata": { "annotations": annotations } }) }
    }

    fn inventory(with_volume: bool) -> Inventory {
        let none = json!({});
        let password = json!({ super::super::object::PRUNE_ANNOTATION: "disabled" });
        let volume = with_volume.then(|| live("PersistentVolumeClaim", Wave::Settings, &none));
        let rest = [
            live("ConfigMap", Wave::Settings, &none),
            live("Secret", Wave::Settings, &password),
            live("Service", Wave::Network, &none),
            live("StatefulSet", Wave::Servers, &none),
        ];
        rest.into_iter().chain(volume).collect()
    }

    fn goes(destruction: &Destruction) -> Vec<&str> {
        destruction.goes().map(|id| id.kind.as_str()).collect()
    }

    #[test]
    fn servers_go_before_what_they_need_and_data_stays_with_its_password() {
        let destruction = sort(&inventory(true), Data::Keep);
        assert_eq!(goes(&destruction), ["StatefulSet", "Service", "ConfigMap"]);
        let stays: Vec<&Kept> = destruction.stays.iter().map(|(_, kept)| kept).collect();
        assert_eq!(stays, [&Kept::Volume, &Kept::Password]);
    }

    #[test]
    fn a_kind_that_a_chart_has_defined_stays_with_what_others_have_made_of_it() {
        let none = json!({});
        let defined = live("CustomResourceDefinition", Wave::Settings, &none);
        let destruction =
            sort(&[defined, live("ClusterRole", Wave::Settings, &none)].into_iter().collect(), Data::Delete);
        assert_eq!(goes(&destruction), ["ClusterRole"]);
        assert!(matches!(destruction.stays.as_slice(), [(_, Kept::Common)]));
    }

    #[test]
    fn a_password_outlives_the_volume_that_it_opens_and_goes_without_one() {
        let all = sort(&inventory(true), Data::Delete);
        assert_eq!(goes(&all), ["StatefulSet", "Service", "ConfigMap", "PersistentVolumeClaim", "Secret"]);
        let no_volume = sort(&inventory(false), Data::Keep);
        assert_eq!(goes(&no_volume), ["StatefulSet", "Service", "ConfigMap", "Secret"]);
    }
}
