//! The thread of the ledger: rate → group → one journal per lane turn → answer. Joins rating, ledger and store; knows neither
//! gRPC nor SQL.
//!
//! - **Lanes.** By the order's key. Calls of one order have lanes of their own on Postgres, half as many: they would wait for the groups of the streams, which
//!   hold thousands. Events of one key keep the order sent within a call and within a stream; across those nothing was promised, and the
//!   unique constraint decides, as it does between instances.
//! - **Queue.** Each lane has one, bounded by [`LANE_QUEUE_ORDERS`] orders from submit to answer. Full: a unary call is refused, a
//!   stream waits (and HTTP/2 flow control with it).
//! - **Group.** A lane takes all that waits, up to [`Store::group_orders`] and the rest of the last request. No timer: an order alone
//!   commits at once, under load groups grow by themselves.
//! - **Old orders.** A lane whose groups book nothing gives way to calls of one order (`give_way`).
//! - **Round trips per journal** with new orders only: the append (Postgres 1 for few lines, else 5; SQLite in process). Where a slot
//!   may be taken (`recent`), one more reads the lines; where there is doubt (refusals, conflicts), up to five more read what is kept.
//! - **Copies per order**: one move from the decoded message into its line, one encoding for the leaf hash, one for the database, one of some
//!   fifty bytes for the index by worker (Postgres).
//! - **Lock order**: see the store's `append`. Orders are sorted by key, so two instances that collide do not deadlock.
//! - **Collisions**: a lost race for a slot fails the whole append; the group reads again and decides again. But for the
//!   first, each failed try means that another writer committed at least one of its slots for good: tries are bounded by the group's size.

mod answer;
mod calendar;
mod correct;
mod doubt;
mod give_way;
mod group;
mod lane;
mod observe;
mod question;
mod recent;
mod registry;
mod reprice;
mod request;
mod run;
mod watermark;

pub use answer::{Answer, Current, Facts, IntakeError, Item, RefusedOrder};
pub use correct::{CorrectAsk, ReverseAsk};
pub use lane::{LANE_QUEUE_ORDERS, Pending, Wait};
pub use question::OrderFacts;
pub use registry::{Registry, SNAPSHOT_REFRESH, SNAPSHOT_STALE};
pub use reprice::{RepriceAsk, RepriceTotals, Repricing};
pub use request::Asked;
pub use run::RunDraft;
pub use watermark::WatermarkAsk;

use crate::clock::Clock;
use crate::store::Store;
use crate::telemetry::{Lanes, RequestSpan, Telemetry};
use give_way::{Calls, Turn};
use observe::Observer;
use recent::{GENERATION_SLOTS, Memory, Recent};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Most orders in one request.
pub const REQUEST_ORDERS: usize = 10_000;

/// Takes orders in, and corrects what was taken in.
#[derive(Clone, Debug)]
pub struct Intake {
    store: Store,
    registry: Registry,
    lanes: Arc<[lane::Lane]>,
    /// For calls of one order; those of the others where the database takes one lane.
    single: Arc<[lane::Lane]>,
}

impl Intake {
    /// Starts the lanes, as many as the database takes, at most `lanes`, and half as many again for calls of one order: of few large groups each order
    /// costs less than of many small ones. The tasks end when every clone of the intake is gone and what was accepted is answered.
    pub fn start(
        store: Store,
        registry: Registry,
        lanes: usize,
        telemetry: &Telemetry,
        clock: Clock,
    ) -> (Self, Vec<JoinHandle<()>>) {
        let count = lanes.clamp(1, store.max_lanes());
        let mut tasks = Vec::new();
        let memory = Memory::new(GENERATION_SLOTS);
        let calls = Calls::default();
        let mut start = |lanes, count, turn: fn(Calls) -> Turn| -> Arc<[lane::Lane]> {
            let (lanes, system) = (Lanes { lanes }, store.system());
            let observer = Observer { telemetry: telemetry.clone(), lanes, system, clock };
            let lane = |number| {
                let recent = Recent::new(memory.clone());
                let turn = turn(calls.clone());
                let (lane, task) =
                    lane::Lane::start(store.clone(), registry.clone(), recent, turn, observer.clone());
                telemetry.metrics.watch_lane(lane.told(&observer, number));
                tasks.push(task);
                lane
            };
            (0..count).map(lane).collect()
        };
        let lanes = start("batch", count, Turn::after);
        let single = match store.max_lanes() {
            1 => lanes.clone(),
            _ => start("single", count.div_ceil(2), Turn::first),
        };
        (Self { store, registry, lanes, single }, tasks)
    }

    /// The registry that prices.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The ledger's database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Hands orders to their lanes. Events of one key keep their order. The answers come when the events are durable.
    pub async fn submit(
        &self,
        items: Vec<Item>,
        wait: Wait,
        span: Option<&RequestSpan>,
    ) -> Result<Pending, IntakeError> {
        let alone = items.len() == 1 && wait == Wait::No;
        lane::submit(if alone { &self.single } else { &self.lanes }, items, wait, span).await
    }
}

/// Runs to its end even when the caller goes away: a future dropped in the middle of an append would give its connection back to the pool
/// out of step with the database.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, IntakeError>> + Send + 'static,
) -> Result<T, IntakeError> {
    // The task is only ever ended by the end of the runtime.
    tokio::spawn(work).await.unwrap_or(Err(IntakeError::Stopping))
}
