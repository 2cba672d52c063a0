//! The index by worker: runs of orders (`store::run`). Each journal brings a whole one, told by a row in its transaction, so the index names
//! every line that a question sees; `fold` merges them. Whole runs are held in memory and nowhere else: the instance that booked a
//! journal has its run already, any other makes it from the journal's lines, beside the questions. Until then a question
//! looks through those lines for its worker. Of longer runs it reads the parts that can hold him.

use super::Postgres;
use super::codec::{PgInstant, store_error};
use crate::ledger::Journal;
use crate::store::rows::{self, Columns};
use crate::store::run::{Run, WorkerOrder};
use crate::store::{LINES_PER_QUESTION, OrdersOfWorker, StoreError, StoreResult};
use crate::types::{Instant, WorkerId};
use sqlx::postgres::PgRow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Bytes of whole runs that an instance keeps: more than are whole while merging keeps up.
const KEPT_BYTES: usize = 48 * 1024 * 1024;
/// Orders that find room there.
pub const KEPT_ORDERS: i64 = KEPT_BYTES as i64 / 64;
/// Parts of one run that a question reads. A part has a dozen records at least: a worker who fills so many has too many orders for an answer.
const PARTS_PER_RUN: i64 = LINES_PER_QUESTION as i64 / 12 + 2;
/// How often a question begins again because runs that it was about to read were merged.
const TRIES: usize = 8;

/// When runs are merged.
#[derive(Clone, Copy, Debug)]
pub struct Folding {
    /// Whole runs that hold so many orders together are made one in parts. Held in memory until then.
    pub orders: i64,
    /// So many whole runs are too many for a question: the short ones are made one.
    pub runs: usize,
    /// A run this long is not short.
    pub short: i64,
    /// So many runs of one level are made one of the next.
    pub fan_in: usize,
}

impl Default for Folding {
    /// 393,216 orders are some 25 MB in memory, and in parts in a second; one run of the next level holds 13 million.
    fn default() -> Self {
        Self { orders: 393_216, runs: 256, short: 8_192, fan_in: 32 }
    }
}

/// What an instance knows of the index.
#[derive(Debug)]
pub struct ByWorker {
    kept: Mutex<Kept>,
    folding: Folding,
    due: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Kept {
    runs: HashMap<i64, Arc<Run>>,
    /// The longest kept first.
    order: VecDeque<i64>,
    bytes: usize,
    /// Appended since merging was last due: runs, orders.
    new: (usize, i64),
}

impl ByWorker {
    /// Knows nothing yet.
    pub fn new(folding: Folding) -> Self {
        let due = Notify::new();
        // What was left by instances before.
        due.notify_one();
        Self { kept: Mutex::default(), folding, due: Arc::new(due) }
    }

    /// When runs are merged.
    pub const fn folding(&self) -> &Folding {
        &self.folding
    }

    /// Rings when there is something to merge or to read.
    pub fn due(&self) -> Arc<Notify> {
        self.due.clone()
    }

    /// A journal with this run was committed.
    pub fn appended(&self, id: i64, run: Run) {
        let orders = run.len() as i64;
        self.keep(id, Arc::new(run));
        let mut kept = self.kept.lock().expect("no panic while held");
        kept.new = (kept.new.0 + 1, kept.new.1 + orders);
        if kept.new.0 >= self.folding.runs || kept.new.1 >= self.folding.orders {
            kept.new = (0, 0);
            self.due.notify_one();
        }
    }

    /// Keeps a whole run, and lets go of those kept longest.
    pub fn keep(&self, id: i64, run: Arc<Run>) {
        let mut kept = self.kept.lock().expect("no panic while held");
        kept.bytes += run.bytes().len();
        if let Some(before) = kept.runs.insert(id, run) {
            kept.bytes -= before.bytes().len();
        } else {
            kept.order.push_back(id);
        }
        while kept.bytes > KEPT_BYTES
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.bytes -= kept.runs.remove(&oldest).map_or(0, |run| run.bytes().len());
        }
    }

    /// These of the whole runs, and the ids of those that it does not have.
    pub fn kept(&self, ids: &[i64]) -> (Vec<Arc<Run>>, Vec<i64>) {
        let kept = self.kept.lock().expect("no panic while held");
        let mut found = Vec::with_capacity(ids.len());
        let missing = ids.iter().filter(|id| match kept.runs.get(id) {
            Some(run) => {
                found.push(run.clone());
                false
            }
            None => true,
        });
        let missing = missing.copied().collect();
        (found, missing)
    }

    /// These runs were merged into another.
    pub fn forget(&self, ids: &[i64]) {
        let mut kept = self.kept.lock().expect("no panic while held");
        for id in ids {
            kept.bytes -= kept.runs.remove(id).map_or(0, |run| run.bytes().len());
        }
        let Kept { runs, order, .. } = &mut *kept;
        order.retain(|id| runs.contains_key(id));
    }
}

/// The run of a journal's lines, and when the first and the last of its orders was accepted; nothing where it has no lines.
pub fn run_of(journal: &Journal) -> Option<(Run, Instant, Instant)> {
    let orders = journal.lines.iter().map(|line| &line.order);
    let (first, last) =
        (orders.clone().map(|o| o.accepted_at).min()?, orders.clone().map(|o| o.accepted_at).max()?);
    Some((Run::of_orders(orders.map(|order| (order.worker, order.accepted_at, &order.key))), first, last))
}

impl Postgres {
    /// See [`crate::store::Store::orders_of_worker`].
    pub async fn orders_of_worker(
        &self,
        worker: WorkerId,
        from: Instant,
        to: Instant,
    ) -> StoreResult<OrdersOfWorker> {
        for _ in 0..TRIES {
            let rows = sqlx::query(include_str!("sql/worker_runs.sql"))
                .bind(worker.uuid())
                .bind(PgInstant(from))
                .bind(PgInstant(to))
                .bind(PARTS_PER_RUN)
                .fetch_all(&self.reader)
                .await
                .map_err(store_error)?;
            let mut found = OrdersOfWorker::default();
            let mut whole = Vec::new();
            for row in &rows {
                match (row.int_opt("run_id")?, row.bytes_opt("entries")?) {
                    (Some(_), Some(part)) => Run::parse(part)?.find(worker, from, to, &mut found.booked)?,
                    (Some(id), None) => whole.push(id),
                    _ => found.kept.push(rows::worker_order(row)?),
                }
            }
            let (runs, missing) = self.by_worker.kept(&whole);
            for run in runs {
                run.find(worker, from, to, &mut found.booked)?;
            }
            if !missing.is_empty() {
                self.by_worker.due.notify_one();
                let Some(orders) = self.look_through(&missing, worker, from, to).await? else { continue };
                found.booked.extend(orders);
            }
            if found.booked.len() > LINES_PER_QUESTION as usize || found.kept.len() > LINES_PER_QUESTION as usize {
                return Err(StoreError::TooMuch("orders of the worker"));
            }
            return Ok(found);
        }
        Err(StoreError::Unavailable("the index by worker changes faster than it is read".into()))
    }

    /// A worker's orders among the lines that whole runs are made from; nothing where one of them was merged meanwhile.
    async fn look_through(
        &self,
        runs: &[i64],
        worker: WorkerId,
        from: Instant,
        to: Instant,
    ) -> StoreResult<Option<Vec<WorkerOrder>>> {
        let rows = sqlx::query(include_str!("sql/orders_of_runs.sql"))
            .bind(runs)
            .bind(worker.uuid())
            .bind(PgInstant(from))
            .bind(PgInstant(to))
            .fetch_all(&self.reader)
            .await
            .map_err(store_error)?;
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for row in &rows {
            seen.insert(row.int("run_id")?);
            if row.text_opt("order_id")?.is_some() {
                found.push(rows::worker_order(row)?);
            }
        }
        Ok((seen.len() == runs.len()).then_some(found))
    }

    /// A whole run, from memory or made from its lines; nothing where it was merged meanwhile.
    pub(super) async fn whole_run(&self, id: i64) -> StoreResult<Option<Arc<Run>>> {
        if let Some(run) = self.by_worker.kept(&[id]).0.pop() {
            return Ok(Some(run));
        }
        let none = (None::<uuid::Uuid>, None::<PgInstant>);
        let query = sqlx::query(include_str!("sql/orders_of_runs.sql")).bind([id]).bind(none.0);
        let rows = query.bind(none.1).bind(none.1).fetch_all(&self.reader).await.map_err(store_error)?;
        let order = |row: &PgRow| Ok((WorkerId::from_uuid(row.uuid("worker_id")?), rows::worker_order(row)?));
        let orders = rows.iter().map(order).collect::<StoreResult<Vec<_>>>()?;
        if orders.is_empty() {
            return Ok(None);
        }
        let orders = orders.iter().map(|(worker, order)| (*worker, order.accepted_at, &order.key));
        let run = Arc::new(Run::of_orders(orders));
        self.by_worker.keep(id, run.clone());
        Ok(Some(run))
    }
}
