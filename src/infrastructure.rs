//! Kubernetes: from the file's words to objects in a cluster, and what becomes of them there.
//!
//! Objects are made by pure functions, applied by the server, owned by label and field manager. What runner does not own it does not touch.

pub mod access;
pub mod apply;
pub mod cluster;
pub mod destroy;
pub mod diagnose;
pub mod diff;
pub mod endpoints;
pub mod forward;
mod ground;
pub mod helm;
pub mod inventory;
pub mod job;
pub mod manifests;
pub mod object;
pub mod plan;
pub mod pods;
pub mod readiness;
pub mod refusal;
pub mod request;
pub mod secrets;
pub mod usage;

pub use apply::{Applied, Conflicts, ObjectEvent, ObjectState};
pub use cluster::{Access, Cluster, ClusterError};
pub use endpoints::Names;
pub use forward::{Destination, ForwardError, Forwards, Route};
pub use inventory::{Inventory, Live};
pub use object::{Id, Object, Owner, Wave};
pub use plan::{Action, Change, Changes};
pub use refusal::{Conflict, ObjectsError, Reason, Refusal, WrittenFor};
pub use request::RequestError;
pub use secrets::SecretError;
