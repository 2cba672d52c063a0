//! Lines by worker, as far as their index (`worker_line`) does not hold them yet. A B-tree that is given each line at once changes a page for
//! each, and the log takes pages whole: it was more than half of an order's price. So the newest lines stand here, in memory and sorted, and
//! are folded into the index a batch at a time, in the order of the workers, a slice with each journal. The file has one process, so nobody
//! else needs to know of them; after a restart they are read from the lines.
//!
//! One writer at a time calls [`ByWorker::next`] and [`ByWorker::done`] in turn: he who holds the writing connection.

use crate::types::{Instant, WorkerId};
use std::sync::{Arc, Mutex};

/// Lines that are folded together; at most twice as many, and one journal's, are held in memory, 32 bytes each.
pub const FOLD_LINES: usize = 524_288;

/// A line, as the index holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerLine {
    /// Whose.
    pub worker: WorkerId,
    /// When it was accepted.
    pub accepted_at: Instant,
    /// `line.row_no`.
    pub row_no: i64,
}

type Run = Arc<Vec<WorkerLine>>;

/// The newest lines.
#[derive(Debug)]
pub struct ByWorker {
    held: Mutex<Held>,
    fold_lines: usize,
}

#[derive(Clone, Debug, Default)]
struct Held {
    /// Sorted, each at least twice as long as the next.
    runs: Vec<Run>,
    /// The batch that is being folded, sorted.
    batch: Run,
    /// How many of the batch stand in the index.
    folded: usize,
}

/// What is folded with the next journal.
#[derive(Debug)]
pub struct Slice {
    batch: Run,
    range: std::ops::Range<usize>,
    /// With it the batch is whole: every line up to this one stands in the index.
    pub through: Option<i64>,
}

impl Slice {
    /// Sorted.
    pub fn lines(&self) -> &[WorkerLine] {
        &self.batch[self.range.clone()]
    }
}

impl ByWorker {
    /// Holds nothing; so many lines are folded together.
    pub fn new(fold_lines: usize) -> Self {
        Self { held: Mutex::default(), fold_lines }
    }

    /// Row numbers of a worker's lines accepted from one instant to another, both included. To ask before the index: what is folded
    /// meanwhile is found there.
    pub fn find(&self, worker: WorkerId, from: Instant, to: Instant) -> Vec<i64> {
        let held = self.snapshot();
        let within = |lines: &[WorkerLine]| -> Vec<i64> {
            let first = lines.partition_point(|line| (line.worker, line.accepted_at) < (worker, from));
            let his = lines[first..].iter().take_while(|line| line.worker == worker && line.accepted_at <= to);
            his.map(|line| line.row_no).collect()
        };
        let mut found = within(&held.batch[held.folded..]);
        held.runs.iter().for_each(|run| found.extend(within(run)));
        found
    }

    /// What is to be folded with a journal of so many lines: a few more than those, so that a batch is done before the next is full.
    pub fn next(&self, lines: usize) -> Slice {
        let mut held = self.snapshot();
        if held.batch.is_empty() && held.runs.iter().map(|run| run.len()).sum::<usize>() >= self.fold_lines {
            let whole = held.runs.drain(..).rev().reduce(|one, other| merge(&other, &one));
            held = Held { batch: whole.unwrap_or_default(), ..Held::default() };
            self.hold(held.clone());
        }
        let until = held.batch.len().min(held.folded + lines + lines / 4 + 4);
        let ends = until == held.batch.len() && held.folded < until;
        let through = ends.then(|| held.batch.iter().map(|line| line.row_no).max()).flatten();
        Slice { batch: held.batch, range: held.folded..until, through }
    }

    /// The slice was committed, and with it these new lines.
    pub fn done(&self, slice: &Slice, lines: Vec<WorkerLine>) {
        self.add(lines);
        let mut held = self.held.lock().expect("no panic while held");
        held.folded = slice.range.end;
        if held.folded == held.batch.len() {
            (held.batch, held.folded) = (Run::default(), 0);
        }
    }

    /// These lines stand in the file now.
    pub fn add(&self, mut lines: Vec<WorkerLine>) {
        let mut held = self.snapshot();
        lines.sort_unstable();
        if !lines.is_empty() {
            held.runs.push(Arc::new(lines));
        }
        while let [.., one, other] = &held.runs[..]
            && one.len() < 2 * other.len()
        {
            let merged = merge(one, other);
            held.runs.truncate(held.runs.len() - 2);
            held.runs.push(merged);
        }
        self.hold(held);
    }

    fn snapshot(&self) -> Held {
        self.held.lock().expect("no panic while held").clone()
    }

    fn hold(&self, held: Held) {
        *self.held.lock().expect("no panic while held") = held;
    }
}

fn merge(one: &[WorkerLine], other: &[WorkerLine]) -> Run {
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let lesser = if a <= b { &mut one } else { &mut other };
        merged.extend(lesser.next());
    }
    merged.extend(one);
    merged.extend(other);
    Arc::new(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_few_runs_and_at_most_two_folds() {
        let by_worker = ByWorker::new(1_000);
        for n in 0..20_000 {
            let slice = by_worker.next(1);
            let uuid = uuid::Uuid::from_u128(n * 7_919 % 20_000);
            let accepted_at = Instant::from_micros(n as i64).unwrap();
            by_worker.done(
                &slice,
                vec![WorkerLine { worker: WorkerId::from_uuid(uuid), accepted_at, row_no: n as i64 }],
            );
            let held = by_worker.snapshot();
            assert!(held.runs.iter().all(|run| run.is_sorted()) && held.batch.is_sorted());
            assert!(held.runs.len() <= 11, "{}", held.runs.len());
            assert!(held.runs.iter().map(|run| run.len()).sum::<usize>() <= 1_000 && held.batch.len() <= 1_000);
        }
    }
}
