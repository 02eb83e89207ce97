//! A real Kubernetes of one node (`tests/testbed/cluster/`), and the whole program on it.
//!
//! Images cannot be pulled there: those of the test bed lie under the official names. Pod Security `restricted` is enforced in
//! every namespace. Where this machine cannot have a node, these tests say so on standard error, whatever is captured, and pass.

mod bed;
mod chart;
mod deployment;
mod detached;
mod faults;
mod manifests;
mod run;
mod tests;
