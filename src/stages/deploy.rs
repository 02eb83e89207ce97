//! The deploy stage: the engines, and later the servers, are made ready.

use std::path::PathBuf;

use super::state::StateDir;
use super::validate::Plan;
use super::Fault;
use crate::graph::embedded::Embedded;
use crate::graph::{Checkpoint, GraphStore};

/// What a run talks to.
pub struct Endpoints {
    /// The graph.
    pub store: Box<dyn GraphStore>,
    /// Where the graph stands; `None` for a graph that nothing was loaded into.
    pub checkpoint: Option<Checkpoint>,
    /// The file that takes records which cannot be written.
    pub dead_letters: PathBuf,
    /// What was made, in words.
    pub made: Vec<String>,
}

/// Opens the graph in the state folder and makes the constraints that the mapping needs.
///
/// # Errors
/// Where the folder cannot be used, another process holds it, or a constraint cannot be made.
pub async fn embedded(plan: &Plan, state: &StateDir) -> Result<Endpoints, Fault> {
    state.create()?;
    let store = Embedded::open(&state.graph())?;
    endpoints(plan, Box::new(store), state.dead_letters(&plan.pipeline.spec.topic.dead_letters())).await
}

/// Prepares a graph that is open.
async fn endpoints(plan: &Plan, store: Box<dyn GraphStore>, dead_letters: PathBuf) -> Result<Endpoints, Fault> {
    let topic = &plan.pipeline.spec.topic.name;
    let mut checkpoints = store.checkpoints(topic).await?;
    let made = store.prepare(&plan.mapping.schema).await?;
    Ok(Endpoints { store, checkpoint: checkpoints.remove(&0), dead_letters, made })
}
