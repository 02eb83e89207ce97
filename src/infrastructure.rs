//! Kubernetes: from the file's words to objects in a cluster, and what becomes of them there.
//!
//! Objects are made by pure functions, applied by the server, owned by label and field manager. What runner does not own it does not touch.

pub mod cluster;
pub mod diff;
pub mod endpoints;
pub mod inventory;
pub mod manifests;
pub mod object;
pub mod request;

pub use cluster::{Access, Cluster, ClusterError};
pub use inventory::{Inventory, Live};
pub use object::{Id, Object, Owner, Wave};
pub use request::RequestError;
