//! Was this worker covered? Reads lines from the store, judges them with pure rules (`interval`, `reason`), and answers with facts.
//!
//! A worker's orders around the instant are found by (worker, acceptance) in a window bounded by the longest order that a rule allows; all
//! lines of those orders are read, so that lines which disagree about worker or acceptance are seen too.
//!
//! The watermarks of all platforms are read with the worker's orders (PostgreSQL: in one snapshot) or before them: one that is read says that the
//! lines it promises are booked already, so they are seen. The other way round, a late line and the watermark behind it could come between, and
//! the answer would call complete what it had not seen.

mod interval;
mod known;
mod reason;

pub use interval::{Interval, intervals};
pub use reason::{Judged, judge};

use crate::rating::{MAX_ORDER_LENGTH_SECONDS, Snapshot};
use crate::store::{ConflictsOfKeys, LinesOfKeys, NewestWatermark, OrdersOfWorker, Search, Store, StoreResult};
use crate::types::{Code, CoverageReason, Day, Instant, OrderKey, SealNo, WorkerId};
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How far to look on each side of the instant, seconds, unless asked otherwise.
pub const DEFAULT_WINDOW_SECONDS: i64 = 12 * 3_600;
/// The farthest that can be asked for, seconds.
pub const MAX_WINDOW_SECONDS: i64 = 72 * 3_600;
/// Most intervals in an answer.
pub const MAX_INTERVALS: usize = 1_000;
/// A platform with a line of the worker so many seconds before the instant is relevant: 30 days.
const RELEVANT_SECONDS: i64 = 30 * 86_400;

/// What is asked of one worker and instant.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Whose.
    pub worker: WorkerId,
    /// When.
    pub at: Instant,
    /// How far to look on each side, seconds.
    pub window_seconds: i64,
}

/// Up to where a platform's data are complete.
#[derive(Clone, Debug)]
pub struct PlatformWatermark {
    /// The platform.
    pub platform: Code,
    /// Its newest report; nothing where it never reported.
    pub newest: Option<NewestWatermark>,
    /// It has a line of the worker in the 30 days before the instant.
    pub relevant: bool,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug)]
pub struct Coverage {
    /// How the instant lies to the worker's orders.
    pub reason: CoverageReason,
    /// Those that hold the instant, and the nearest on each side; by acceptance.
    pub intervals: Vec<Interval>,
    /// Whole seconds from the nearest end before.
    pub gap_before: Option<i64>,
    /// Whole seconds to the nearest acceptance after.
    pub gap_after: Option<i64>,
    /// Of the relevant platforms; where there are none, of all in scope.
    pub watermarks: Vec<PlatformWatermark>,
}

/// All of a worker's intervals of one day.
#[derive(Clone, Debug)]
pub struct WorkerDay {
    /// By acceptance.
    pub intervals: Vec<Interval>,
    /// There are more than [`MAX_INTERVALS`].
    pub truncated: bool,
    /// For the end of the day.
    pub watermarks: Vec<PlatformWatermark>,
}

/// The ledger as it is known now, or was after a journal.
#[derive(Clone, Debug)]
pub struct Known {
    /// The journal's seal; nothing: now.
    pub seal: Option<SealNo>,
    /// The registry of that time.
    pub snapshot: Arc<Snapshot>,
}

/// Answers one question.
pub async fn ask(store: &Store, known: &Known, question: Question) -> StoreResult<Coverage> {
    let Question { worker, at, window_seconds } = question;
    let from = at.plus_seconds(-window_seconds - MAX_ORDER_LENGTH_SECONDS);
    let found = find(store, known, worker, at, from..=at.plus_seconds(window_seconds)).await?;
    let complete = found.watermarks.iter().filter(|w| w.relevant).all(|w| reaches(w, at));
    let Judged { reason, mut intervals, gap_before, gap_after } =
        judge(found.intervals, at, window_seconds, complete);
    intervals.truncate(MAX_INTERVALS);
    Ok(Coverage { reason, intervals, gap_before, gap_after, watermarks: found.watermarks })
}

/// Lists one day.
pub async fn list_day(store: &Store, known: &Known, worker: WorkerId, day: Day) -> StoreResult<WorkerDay> {
    let from = day.start().plus_seconds(-MAX_ORDER_LENGTH_SECONDS);
    let Found { mut intervals, watermarks } = find(store, known, worker, day.end(), from..=day.end()).await?;
    intervals.retain(|interval| interval.accepted_at < day.end() && interval.until() >= day.start());
    let truncated = intervals.len() > MAX_INTERVALS;
    intervals.truncate(MAX_INTERVALS);
    Ok(WorkerDay { intervals, truncated, watermarks })
}

fn reaches(watermark: &PlatformWatermark, at: Instant) -> bool {
    watermark.newest.as_ref().is_some_and(|newest| newest.watermark.at >= at)
}

/// What is known of a worker.
struct Found {
    /// Of orders accepted in a range; by acceptance.
    intervals: Vec<Interval>,
    /// Those that count at an instant.
    watermarks: Vec<PlatformWatermark>,
}

async fn find(
    store: &Store,
    known: &Known,
    worker: WorkerId,
    at: Instant,
    accepted: RangeInclusive<Instant>,
) -> StoreResult<Found> {
    let snapshot = &*known.snapshot;
    let reports_of = snapshot.platforms();
    let relevant = at.plus_seconds(-RELEVANT_SECONDS)..=at;
    let search = Search { worker, accepted, relevant };
    let Lines { platforms, orders, conflicts, newest } = match known.seal {
        None => lines_now(store, &search, &reports_of).await?,
        Some(seal) => known::lines_then(store, &search, &reports_of, seal).await?,
    };
    let mut found = Vec::new();
    for (key, lines) in &orders {
        let conflicts = conflicts.get(key).map_or(&[][..], Vec::as_slice);
        found.extend(intervals(snapshot, worker, lines, conflicts));
    }
    // Stable: of one key, slots stay in order and kept conflicts last.
    found.sort_by(|a, b| (a.accepted_at, &a.key).cmp(&(b.accepted_at, &b.key)));
    Ok(Found { intervals: found, watermarks: watermarks(snapshot, at, platforms, newest) })
}

/// A worker's orders.
struct Lines {
    /// Relevant platforms with a line of his.
    platforms: BTreeSet<Code>,
    orders: LinesOfKeys,
    conflicts: ConflictsOfKeys,
    /// The reports of all platforms.
    newest: Vec<NewestWatermark>,
}

async fn lines_now(store: &Store, search: &Search, reports_of: &[&str]) -> StoreResult<Lines> {
    let OrdersOfWorker { booked, kept, platforms, newest } = store.orders_of_worker(search, reports_of).await?;
    let keys: BTreeSet<&OrderKey> = booked.iter().chain(&kept).map(|order| &order.key).collect();
    let keys: Vec<&OrderKey> = keys.into_iter().collect();
    let (orders, conflicts) = match keys.is_empty() {
        true => Default::default(),
        false => store.lines_and_conflicts(&keys).await?,
    };
    Ok(Lines { platforms, orders, conflicts, newest })
}

/// Of the relevant platforms; where there are none, of all in scope.
fn watermarks(
    snapshot: &Snapshot,
    at: Instant,
    relevant: BTreeSet<Code>,
    newest: Vec<NewestWatermark>,
) -> Vec<PlatformWatermark> {
    let mut newest: HashMap<Code, NewestWatermark> =
        newest.into_iter().map(|n| (n.watermark.platform.clone(), n)).collect();
    let is_relevant = !relevant.is_empty();
    let in_scope = || {
        let codes = snapshot.platforms_in_scope(at.day()).into_iter();
        codes.filter_map(|code| Code::parse(code.to_owned()).ok()).collect()
    };
    let platforms: BTreeSet<Code> = if is_relevant { relevant } else { in_scope() };
    let of =
        |platform: Code| PlatformWatermark { newest: newest.remove(&platform), relevant: is_relevant, platform };
    platforms.into_iter().map(of).collect()
}
