//! One port of questions about the ledger, two databases behind it. Each question is one transaction inside the backend; there is
//! no begin or commit here. SQL and sqlx stand only under `postgres/` and `sqlite/`.

/// The same question to whichever database it is.
macro_rules! ask {
    ($self:ident . $question:ident ( $($argument:expr),* )) => {
        match $self {
            Self::Sqlite(store) => store.$question($($argument),*).await,
            Self::Postgres(store) => store.$question($($argument),*).await,
        }
    };
}

mod anomalies;
mod answers;
mod arrays;
mod guard;
mod hours;
mod lines;
pub mod postgres;
mod rows;
mod run;
pub mod sqlite;
mod totals;

use crate::ledger::{Journal, RequestRecord};
use crate::types::{
    CalendarEntry, Code, Day, Digest, Epoch, Instant, JournalId, LedgerId, OrderKey, Position, Posted,
    RegistryRow, Repeats, RequestId, RowId, Run, SealNo, ViolationCode,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

pub use anomalies::{AnomalyPage, PASS_ENTRIES};
pub use answers::{
    Asker, ConflictKey, ConflictsOfKeys, DayPage, Doubts, KeptConflict, KeptRefusal, Leniency, LinesOfKeys,
    NewestWatermark, OrdersOfWorker, RefusalKey, RunsOf, StoreError, StoreResult, Written,
};
pub use guard::GuardFailure;
pub use hours::{Hours, ReportedHour};
pub use lines::{Booked, BookedOf, Charges, Place, StatementLines};
pub use run::{Search, WorkerOrder};
pub use totals::{FOLD_ENTRIES, Totals, TotalsOf, keep_folding};

/// Most lines, and most conflicts, of all keys, that one question reads.
pub const LINES_PER_QUESTION: u32 = 20_000;

/// Keys whose lines are read at once.
const KEYS_PER_READ: usize = 5_000;
/// Journals whose seals are read at once.
const JOURNALS_PER_READ: usize = 5_000;

fn pool_use(name: &'static str, size: u32, idle: usize) -> (&'static str, usize, usize) {
    (name, (size as usize).saturating_sub(idle), idle)
}

/// A ledger's database.
#[derive(Clone, Debug)]
pub enum Store {
    /// Embedded; one process.
    Sqlite(sqlite::Sqlite),
    /// A server; many instances may share it.
    Postgres(postgres::Postgres),
}

impl Store {
    /// "sqlite" or "postgresql": the OpenTelemetry name of the database system.
    pub const fn system(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// Most lanes that the database takes appends from at once. SQLite has one writer; a second lane that decides meanwhile was measured:
    /// 2 % more of a stream, 13 % less of single calls, whose groups it halves.
    pub const fn max_lanes(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(_) => 64,
        }
    }

    /// Orders from which on a lane takes no further request into a group. SQLite writes each page that a group touches whole, twice: few
    /// large groups touch fewer pages than many small ones.
    pub const fn group_orders(&self) -> usize {
        match self {
            Self::Sqlite(_) => 20_000,
            Self::Postgres(_) => 10_000,
        }
    }

    /// Which ledger this is.
    pub const fn ledger_id(&self) -> LedgerId {
        match self {
            Self::Sqlite(store) => store.ledger_id(),
            Self::Postgres(store) => store.ledger_id(),
        }
    }

    /// Durability settings that were found weak and let pass.
    pub fn weaknesses(&self) -> &[String] {
        match self {
            Self::Sqlite(store) => store.weaknesses(),
            Self::Postgres(store) => store.weaknesses(),
        }
    }

    /// A journal id nobody else has.
    pub async fn next_journal_id(&self) -> StoreResult<JournalId> {
        ask!(self.next_journal_id())
    }

    /// All lines of these keys, in slot order; keys without a line are left out.
    pub async fn orders(&self, keys: &[&OrderKey], asker: Asker) -> StoreResult<LinesOfKeys> {
        ask!(self.lines_of(keys, asker)).map(lines_by_key)
    }

    /// The same of any number of keys, each once, in as many questions as it takes.
    pub async fn all_orders(&self, keys: &[&OrderKey], asker: Asker) -> StoreResult<LinesOfKeys> {
        let mut found = LinesOfKeys::new();
        let (mut rest, mut chunk) = (keys, KEYS_PER_READ);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(chunk.min(rest.len()));
            match self.orders(now, asker).await {
                Ok(orders) => {
                    found.extend(orders);
                    rest = later;
                }
                // Orders with very many corrections; one alone always fits.
                Err(StoreError::TooMuch(_)) if chunk > 1 => chunk /= 2,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// What is kept already of these refusals and conflicts, both sorted.
    pub async fn doubts(&self, refusals: &[RefusalKey], conflicts: &[ConflictKey]) -> StoreResult<Doubts> {
        ask!(self.doubts(refusals, conflicts))
    }

    /// Raises counters that come without an entry.
    pub async fn raise(&self, repeats: &Repeats) -> StoreResult<()> {
        ask!(self.raise(repeats))
    }

    /// Writes a journal of at least one entry, its counters and its request id, all or nothing, and returns once it is durable: the database's clock at
    /// it. The same journal again, after an outcome that was not known, is found and answered. Lines must be sorted by key and slot.
    pub async fn append(&self, journal: &Journal) -> StoreResult<Written> {
        ask!(self.append(journal))
    }

    /// The call that used this request id.
    pub async fn request(&self, id: &RequestId) -> StoreResult<Option<RequestRecord>> {
        ask!(self.request(id))
    }

    /// Kept conflicts of these keys, those of each key by arrival; keys without one are left out.
    pub async fn conflicts_of(&self, keys: &[&OrderKey]) -> StoreResult<ConflictsOfKeys> {
        ask!(self.conflicts_of(keys)).map(conflicts_by_key)
    }

    /// Refusals of a platform and day, after a key, by (digest, code).
    pub async fn refusals(
        &self,
        platform: Option<&Code>,
        day: Day,
        after: Option<(Digest, ViolationCode)>,
        limit: u32,
    ) -> StoreResult<DayPage<KeptRefusal>> {
        ask!(self.refusals(platform, day, after, limit))
    }

    /// Conflicts of a platform and day, after a key, by (order id, assignment, digest).
    pub async fn conflicts(
        &self,
        platform: &Code,
        day: Day,
        after: Option<&ConflictKey>,
        limit: u32,
    ) -> StoreResult<DayPage<KeptConflict>> {
        ask!(self.conflicts(platform, day, after, limit))
    }

    /// The newest report of each of these platforms; those that never reported are left out. As known after a journal, or now.
    pub async fn watermarks(
        &self,
        platforms: &[&str],
        known: Option<SealNo>,
    ) -> StoreResult<Vec<NewestWatermark>> {
        ask!(self.watermarks(platforms, known))
    }

    /// The newest seal; [`SealNo::NONE`] where no journal is sealed yet.
    pub async fn last_seal(&self) -> StoreResult<SealNo> {
        ask!(self.last_seal())
    }

    /// The newest sealed journal, and when it was received; nothing where none is sealed yet.
    pub async fn newest_sealed(&self) -> StoreResult<Option<(SealNo, Instant)>> {
        ask!(self.newest_sealed())
    }

    /// Seals all that is booked by now; the newest seal.
    pub async fn seal_booked(&self) -> StoreResult<SealNo> {
        match self {
            // A journal is sealed as it is written.
            Self::Sqlite(store) => store.last_seal().await,
            Self::Postgres(store) => store.seal_booked().await,
        }
    }

    /// The last seal given by an instant, once and for all; nothing where the database's clock has not come there yet.
    pub async fn seal_by(&self, instant: Instant) -> StoreResult<Option<SealNo>> {
        ask!(self.seal_by(instant))
    }

    /// The seals of these journals, as far as they are sealed.
    pub async fn seals_of(&self, journals: &[JournalId]) -> StoreResult<HashMap<JournalId, SealNo>> {
        let mut seals = HashMap::new();
        for some in journals.chunks(JOURNALS_PER_READ) {
            seals.extend(ask!(self.seals_of(some))?);
        }
        Ok(seals)
    }

    /// Those of the journals that have this seal or a lower one.
    pub async fn sealed_by(&self, journals: BTreeSet<JournalId>, seal: SealNo) -> StoreResult<HashSet<JournalId>> {
        let seals = self.seals_of(&journals.into_iter().collect::<Vec<_>>()).await?;
        Ok(seals.into_iter().filter(|(_, has)| *has <= seal).map(|(journal, _)| journal).collect())
    }

    /// The report that a journal holds.
    pub async fn watermark_in(&self, journal: JournalId) -> StoreResult<Option<NewestWatermark>> {
        ask!(self.watermark_in(journal))
    }

    /// Registry rows after this one, in the order of their numbers.
    pub async fn registry_after(&self, row: RowId) -> StoreResult<Vec<RegistryRow>> {
        ask!(self.registry_after(row))
    }

    /// Entries of the calendar after this epoch, in order.
    pub async fn calendar_after(&self, epoch: Epoch) -> StoreResult<Vec<CalendarEntry>> {
        ask!(self.calendar_after(epoch))
    }

    /// Runs, the newest first.
    pub async fn runs(&self, of: RunsOf, limit: u32) -> StoreResult<Vec<Run>> {
        ask!(self.runs(of, limit))
    }

    /// The first of such runs.
    pub async fn run(&self, of: RunsOf) -> StoreResult<Option<Run>> {
        Ok(self.runs(of, 1).await?.pop())
    }

    /// Keeps a part of what a run of Reconcile found, as NDJSON. It belongs to the run once the journal is written.
    pub async fn keep_differences(&self, journal: JournalId, part_no: u32, differences: &str) -> StoreResult<()> {
        ask!(self.keep_differences(journal, part_no, differences))
    }

    /// A part of what a run found; nothing past the last.
    pub async fn differences(&self, journal: JournalId, part_no: u32) -> StoreResult<Option<String>> {
        ask!(self.differences(journal, part_no))
    }

    /// A worker's orders, in no order, and the newest reports of these platforms: every line that those promise is among the orders.
    pub async fn orders_of_worker(&self, search: &Search, reports_of: &[&str]) -> StoreResult<OrdersOfWorker> {
        ask!(self.orders_of_worker(search, reports_of))
    }

    /// All lines and kept conflicts of these keys.
    pub async fn lines_and_conflicts(&self, keys: &[&OrderKey]) -> StoreResult<(LinesOfKeys, ConflictsOfKeys)> {
        let (lines, conflicts) = ask!(self.lines_and_conflicts(keys))?;
        Ok((lines_by_key(lines), conflicts_by_key(conflicts)))
    }

    /// How many journals wait for a seal, counted up to ten thousand, and for how long the first has waited.
    pub async fn unsealed(&self) -> StoreResult<(u64, Duration)> {
        match self {
            // A journal is sealed as it is written.
            Self::Sqlite(_) => Ok((0, Duration::ZERO)),
            Self::Postgres(store) => store.unsealed().await,
        }
    }

    /// Connections: name of the pool, how many are used, how many idle.
    pub fn connections(&self) -> Vec<(&'static str, usize, usize)> {
        match self {
            Self::Sqlite(store) => store.connections(),
            Self::Postgres(store) => store.connections(),
        }
    }

    /// Makes the index by worker anew from the lines; tells how many parts are left to put together. PostgreSQL may be written meanwhile.
    pub async fn reindex(&self, told: impl Fn(usize)) -> StoreResult<()> {
        match self {
            Self::Sqlite(store) => store.reindex().await,
            Self::Postgres(store) => store.reindex(told).await,
        }
    }

    /// The database answers.
    pub async fn ping(&self) -> StoreResult<()> {
        ask!(self.ping())
    }

    /// Waits for what is under way, then lets go of the database.
    pub async fn close(&self) {
        ask!(self.close());
    }
}

fn lines_by_key(lines: Vec<Posted>) -> LinesOfKeys {
    let mut of_keys = LinesOfKeys::new();
    for posted in lines {
        of_keys.entry(posted.line.order.key.clone()).or_default().push(posted);
    }
    for lines in of_keys.values_mut() {
        lines.sort_by_key(|posted| posted.line.slot);
    }
    of_keys
}

fn conflicts_by_key(conflicts: Vec<KeptConflict>) -> ConflictsOfKeys {
    let mut of_keys = ConflictsOfKeys::new();
    for kept in conflicts {
        of_keys.entry(kept.conflict.order.key.clone()).or_default().push(kept);
    }
    for conflicts in of_keys.values_mut() {
        conflicts.sort_by_key(|kept| (kept.received_at, kept.conflict.digest));
    }
    of_keys
}

/// A place named by two stored numbers.
fn position(journal: i64, line_no: i64) -> Option<Position> {
    let journal = JournalId::new(u64::try_from(journal).ok()?)?;
    let line_no = crate::types::LineNo::new(u32::try_from(line_no).ok()?)?;
    Some(Position { journal, line_no })
}
