//! What the store is asked about, and what it answers.

use super::run::WorkerOrder;
use crate::types::{
    Code, Conflict, Day, Digest, Instant, JournalId, OrderKey, Posted, Refusal, RunKind, ViolationCode, Watermark,
};
use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::time::Duration;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint: another writer took the place first. Read again and decide again.
    #[error("another writer took the place first ({0})")]
    Taken(String),
    /// The calendar has another epoch than the one by which the lines got their periods; nothing was written. Read it, and price again.
    #[error("the calendar of periods has moved on")]
    CalendarMoved,
    /// The database cannot be reached, or is busy past a limit; the same may succeed later.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database holds something that this version cannot read.
    #[error("the database holds something this version cannot read: {0}")]
    Corrupt(String),
    /// The question was not one the store can hold an answer to.
    #[error("more than the limit: {0}")]
    TooMuch(&'static str),
    /// Anything else the database said: a defect.
    #[error("the database refused: {0}")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Answer of a question.
pub type StoreResult<T> = Result<T, StoreError>;

/// Key of a refusal without its day.
pub type RefusalKey = (Option<Code>, Digest, ViolationCode);
/// Key of a conflict.
pub type ConflictKey = (OrderKey, Digest);

/// What is kept already of the doubtful orders of a group.
#[derive(Debug)]
pub struct Doubts {
    /// Today by the database's clock, Asia/Shanghai.
    pub today: Day,
    /// For each refusal asked: it is kept today.
    pub refusals: Vec<bool>,
    /// For each conflict asked: it is kept.
    pub conflicts: Vec<bool>,
    /// Distinct refusals kept today of each platform asked about, counted up to the daily bound.
    pub refusals_today: HashMap<Option<Code>, u64>,
    /// Distinct conflicts kept today of each platform asked about, counted up to the daily bound.
    pub conflicts_today: HashMap<Code, u64>,
}

/// A kept conflict as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptConflict {
    /// The version.
    pub conflict: Conflict,
    /// The journal that keeps it.
    pub journal: JournalId,
    /// When it was received first.
    pub received_at: Instant,
    /// How often it came again.
    pub repeats: u64,
}

/// A kept refusal as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRefusal {
    /// The refused order.
    pub refusal: Refusal,
    /// When it was received first.
    pub received_at: Instant,
    /// How often it came again.
    pub repeats: u64,
}

/// One page of a day's list, and how many came past the daily bound.
#[derive(Debug)]
pub struct DayPage<T> {
    /// By key, ascending.
    pub rows: Vec<T>,
    /// Arrivals that were only counted.
    pub past_limit: u64,
}

/// The newest report of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestWatermark {
    /// The report, without its hours.
    pub watermark: Watermark,
    /// When it was received.
    pub received_at: Instant,
}

/// Which runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunsOf {
    /// Of one kind, or of all.
    pub kind: Option<RunKind>,
    /// Written down in this journal.
    pub journal: Option<JournalId>,
    /// With lower numbers than this one.
    pub before: Option<u32>,
}

/// Lines of each key, in slot order.
pub type LinesOfKeys = HashMap<OrderKey, Vec<Posted>>;
/// Kept conflicts of each key, by arrival.
pub type ConflictsOfKeys = HashMap<OrderKey, Vec<KeptConflict>>;

/// A worker's orders: where to look for his cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersOfWorker {
    /// By a line; each once.
    pub booked: Vec<WorkerOrder>,
    /// By a kept conflict.
    pub kept: Vec<WorkerOrder>,
    /// Platforms with a line of his.
    pub platforms: BTreeSet<Code>,
    /// The newest report of each platform whose report was asked for, read no later than the orders.
    pub newest: Vec<NewestWatermark>,
}

/// A journal that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The database's clock at it.
    pub recorded_at: Instant,
    /// How long its commit took, flush included. Nothing where it was one statement with all the rest, or was found written.
    pub commit: Option<Duration>,
}

impl From<Instant> for Written {
    fn from(recorded_at: Instant) -> Self {
        Self { recorded_at, commit: None }
    }
}

/// Who asks: people's questions never take the connections that orders wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A lane or a correction, about to append.
    Intake,
    /// Somebody who only reads.
    Question,
}

/// What the store was told to do without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// Serve although a durability setting is weak.
    pub allow_data_loss: bool,
    /// Serve with a login that could get round the guards (Postgres).
    pub single_login: bool,
}
