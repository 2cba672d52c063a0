//! Reconciliation: somebody's file against the ledger, row by row, at the level of sums or of orders. What is found is a fact about both sides, typed;
//! who is right, people decide.
//!
//! A file is taken in whole first (`upload`), so that its rows may be read again should the service stop. Rows are taken apart (`records`, `columns`) so that
//! a broken one costs only itself. Orders meet in parts of a file (`spool`), each of which fits into memory; nothing is sorted.

mod codec;
mod columns;
mod compare;
mod count_level;
mod difference;
mod findings;
mod line_level;
mod outcome;
mod read_file;
mod records;
mod spool;
mod upload;

pub use columns::{Column, Headers, Names, RowReader};
pub use difference::{Difference, Side};
pub use findings::{Findings, Kept, MAX_KEPT, PART, Progress, Told};
pub use outcome::{Ask, Outcome};
pub use upload::Upload;

use crate::rating::Snapshot;
use crate::store::{Store, StoreError};
use crate::types::{Money, ReconcileLevel, SealNo};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Largest file, bytes.
pub const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Runs under way at once.
pub const MAX_RUNS: usize = 2;

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Nothing of the file can be compared.
    #[error("{0}")]
    BadFile(String),
    /// The same run goes on at another call.
    #[error("this run is under way at another call")]
    UnderWay,
    /// As many runs as may be go on already.
    #[error("{MAX_RUNS} reconciliations are under way already")]
    TooManyRuns,
    /// A file of sums has more rows than it may have.
    #[error("a file of level COUNT has at most {} rows", count_level::MAX_ROWS)]
    TooManyRows,
    /// Very many rows, or lines, of one order id.
    #[error("more rows of one order id than can be compared; is the column `order_id` the right one?")]
    TooManyOfOne,
    /// The same run came to its end at another call meanwhile.
    #[error("this run was done at another call; ask again for what it found")]
    DoneMeanwhile,
    /// Files that wait for their runs take all the room they may.
    #[error("the files that wait to be reconciled have {0} bytes; no more are taken in")]
    SpoolFull(u64),
    /// A defect.
    #[error("the reconciliation failed")]
    Panicked,
    /// More lines than may be compared at once.
    #[error("more than {} lines are asked for; ask for one province, or one industry", line_level::MAX_LINES)]
    TooManyLines,
    /// The amounts of the file come to more than can be held.
    #[error("the sum of the file's amounts is too large")]
    SumTooLarge,
    /// Who asked went away, or the service stops.
    #[error("the call was given up")]
    Gone,
    /// The spool folder cannot be written or read.
    #[error("the spool folder: {0}")]
    Spool(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReconcileError {
    /// The same file would fail again.
    pub const fn is_of_file(&self) -> bool {
        matches!(self, Self::BadFile(_) | Self::TooManyRows | Self::TooManyOfOne | Self::SumTooLarge)
    }
}

/// A run.
pub struct Work {
    /// The ledger.
    pub store: Store,
    /// What rate rows come to.
    pub rates: Arc<Snapshot>,
    /// What is asked.
    pub ask: Ask,
    /// How rows are read.
    pub reader: RowReader,
    /// Lines up to this seal are compared.
    pub seal: SealNo,
    /// Where rows and lines wait for each other.
    pub folder: PathBuf,
}

/// What both sides come to.
#[derive(Debug, Default)]
struct Sums {
    rows: u64,
    source: i128,
    ledger: i128,
}

impl Sums {
    fn add_source(&mut self, amount: Money) {
        self.source += i128::from(amount.micros());
    }

    /// What was added turned out to be of something else.
    fn take_source(&mut self, amount: Money) {
        self.source -= i128::from(amount.micros());
    }

    /// The file's amounts can be held so far.
    fn check(&self) -> Result<(), ReconcileError> {
        match i64::try_from(self.source) {
            Ok(_) => Ok(()),
            Err(_) => Err(ReconcileError::SumTooLarge),
        }
    }

    fn add_ledger(&mut self, amount: Money) {
        self.ledger += i128::from(amount.micros());
    }
}

/// Compares the file, and tells what is found; what it came to, and what is to be kept.
pub async fn reconcile(
    work: Work,
    file: File,
    tell: mpsc::Sender<Told>,
) -> Result<(Outcome, Kept), ReconcileError> {
    let mut findings = Findings::new(&work.folder, tell)?;
    let work = Arc::new(work);
    let sums = match work.ask.level {
        ReconcileLevel::Count => count_level::compare(&work, file, &mut findings).await?,
        ReconcileLevel::Line => line_level::compare(&work, file, &mut findings).await?,
    };
    let (counts, kept, digest) = findings.end().await?;
    let money = |micros| i64::try_from(micros).map(Money::from_micros).map_err(|_| ReconcileError::SumTooLarge);
    let (source_amount, ledger_amount) = (money(sums.source)?, money(sums.ledger)?);
    let outcome = Outcome { rows: sums.rows, counts, source_amount, ledger_amount, kept: kept.count(), digest };
    Ok((outcome, kept))
}
