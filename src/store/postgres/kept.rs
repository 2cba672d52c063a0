//! The whole runs that an instance holds in memory, bounded, and the bell of the task that merges them.

use super::by_worker::Folding;
use crate::store::run::Run;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Bytes of whole runs that an instance keeps: more than are whole while merging keeps up.
const KEPT_BYTES: usize = 32 * 1024 * 1024;
/// Orders that find room there, where they are as long as most.
pub const KEPT_ORDERS: i64 = KEPT_BYTES as i64 / 96;
/// What a run takes beside its records.
const RUN_BYTES: usize = 256;

/// Whole runs by id.
#[derive(Debug)]
pub struct Kept {
    held: Mutex<Held>,
    folding: Folding,
    due: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Held {
    runs: HashMap<i64, Arc<Run>>,
    /// The longest kept first.
    order: VecDeque<i64>,
    bytes: usize,
    /// Appended since merging was last due: runs, orders.
    new: (usize, i64),
}

impl Held {
    fn remove(&mut self, id: i64) {
        self.bytes -= self.runs.remove(&id).map_or(0, |run| size(&run));
    }
}

fn size(run: &Run) -> usize {
    RUN_BYTES + run.size()
}

impl Kept {
    /// Holds nothing yet.
    pub fn new(folding: Folding) -> Self {
        Self { held: Mutex::default(), folding, due: Arc::new(Notify::new()) }
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
        let mut held = self.held.lock().expect("no panic while held");
        held.new = (held.new.0 + 1, held.new.1 + orders);
        if held.new.0 >= self.folding.runs || held.new.1 >= self.folding.orders {
            held.new = (0, 0);
            self.due.notify_one();
        }
    }

    /// Keeps a run, and lets go of those kept longest.
    pub fn keep(&self, id: i64, run: Arc<Run>) {
        let mut held = self.held.lock().expect("no panic while held");
        held.bytes += size(&run);
        match held.runs.insert(id, run) {
            Some(before) => held.bytes -= size(&before),
            None => held.order.push_back(id),
        }
        while held.bytes > KEPT_BYTES
            && let Some(oldest) = held.order.pop_front()
        {
            held.remove(oldest);
        }
    }

    /// Those of these runs, told by id and how many orders they hold, that are here, and the ids of the others.
    pub fn find(&self, runs: &[(i64, i64)]) -> (Vec<Arc<Run>>, Vec<i64>) {
        let held = self.held.lock().expect("no panic while held");
        let mut found = Vec::with_capacity(runs.len());
        let mut missing = Vec::new();
        for (id, orders) in runs {
            match held.runs.get(id) {
                // A database that lost its newest transactions may give an id again: then another run has it.
                Some(run) if run.len() as i64 == *orders => found.push(run.clone()),
                _ => missing.push(*id),
            }
        }
        (found, missing)
    }

    /// The ids of all that are here.
    pub fn ids(&self) -> HashSet<i64> {
        self.held.lock().expect("no panic while held").runs.keys().copied().collect()
    }

    /// These were merged into others.
    pub fn forget(&self, ids: impl IntoIterator<Item = i64>) {
        let mut held = self.held.lock().expect("no panic while held");
        ids.into_iter().for_each(|id| held.remove(id));
        let Held { runs, order, .. } = &mut *held;
        order.retain(|id| runs.contains_key(id));
    }
}
