//! Kubernetes: from the file's words to objects in a cluster, and what becomes of them there.
//!
//! Objects are made by pure functions, applied by the server, owned by label and field manager. What runner does not own it does not touch.

pub mod cluster;
pub mod endpoints;
pub mod forward;
pub mod manifests;
pub mod object;
pub mod pods;
pub mod usage;

pub use cluster::{Access, Cluster, ClusterError};
pub use endpoints::Names;
pub use forward::{Destination, ForwardError, Forwards, Route};
pub use object::{Id, Object, Owner, Wave};
