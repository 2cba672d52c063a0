//! Between the stream and what is timed by itself, calls and questions: what the stream left behind is done first.

use crate::soak::{scrape, value};
use crate::store::{Service, Store};
use std::process::Command;
use std::time::Duration;
use tokio::time::sleep;

/// Longer than the service takes from one look at its journals to the next.
const LOOK: Duration = Duration::from_secs(6);
/// Looks at most.
const LOOKS: usize = 200;

/// Waits until all totals are folded; and until the system has written the pages that it holds back for half a minute, which keeps flushes waiting for as long as a second then.
pub async fn settle(store: &Store, service: &Service) {
    for look in 0.. {
        assert!(look < LOOKS, "totals are folded in the end");
        sleep(LOOK).await;
        if value(&scrape(service.metrics).await, "premium_ledger_unfolded_journals") == 0.0 {
            break;
        }
    }
    let written = Command::new("sync").arg("-f").arg(store.folder().await).status().unwrap();
    assert!(written.success(), "the system writes its pages");
}
