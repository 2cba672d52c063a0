//! What is doubtful, and what is missing: found beside the intake, listed for a human. Nothing is refused for it.

mod completeness;
mod doubt;
mod extent;

pub use completeness::{Completeness, Hour, completeness};
pub use doubt::{Doubt, Page, list, list_reused};
pub use extent::{Extent, extent};

use crate::clock::Clock;
use crate::store::{PASS_ENTRIES, Store};
use std::time::Duration;
use tokio::time::sleep;

/// Orders are looked at this long after they were booked: as long as an order may take by the first rule, seconds.
const SETTLED_SECONDS: i64 = 72 * 3_600;
/// How often it is asked whether there is something to look at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Time that looking leaves free, as a multiple of the time that it takes.
const REST: u32 = 4;

/// Looks for doubtful orders until it is aborted.
pub async fn keep_looking(store: Store, clock: Clock) {
    let mut failing = false;
    loop {
        let began = tokio::time::Instant::now();
        let now = clock.now();
        let looked = store.find_anomalies(PASS_ENTRIES, now.plus_seconds(-SETTLED_SECONDS), now.day()).await;
        // Told once, until it works again.
        if let Err(error) = &looked
            && !failing
        {
            tracing::warn!(%error, "doubtful orders cannot be looked for");
        }
        failing = looked.is_err();
        sleep(if looked.unwrap_or(false) { began.elapsed() * REST } else { LOOK_EVERY }).await;
    }
}
