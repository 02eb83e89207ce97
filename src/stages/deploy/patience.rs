//! A pod of a job begins whether or not the servers are there: what is not there yet, or not any more, is waited for.

use std::time::{Duration, Instant};

use crate::progress::{Event, Stage};
use crate::stages::Fault;
use crate::stages::patience::Outages;

/// How long lies between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries until it succeeds, or fails for a reason that time does not mend, or for longer than an outage is waited out.
pub(super) async fn wait_out<T>(
    outages: &Outages,
    attempt: impl AsyncFn() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        let fault = match Box::pin(attempt()).await {
            Err(fault) if fault.may_pass() && begun.elapsed() < outages.longest => fault,
            outcome => return outcome,
        };
        if !is_told {
            let note = format!("{}; trying again for up to {} s", fault.summary(), outages.longest.as_secs());
            outages.progress.tell(Event::StageNote { stage: Stage::Deploy, note });
            is_told = true;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = outages.interrupt.made() => return Err(fault),
        }
    }
}
