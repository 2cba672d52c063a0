//! Merges runs in parts into longer ones, read and written a window at a time. So each order is written a few times, in long rows and in order,
//! instead of once into a page of its own, and a question looks into a few dozen runs.
//!
//! A merge may take minutes, and a transaction that long would keep the database from cleaning up behind the intake. So the parts of the new run are
//! written in short ones, under an id that no run's row has yet: no question sees them. One transaction then puts the new row in the place of
//! the old ones, and the old parts go. What a merge that was broken off has written, and what it has not taken away, are parts without a row:
//! the next one takes them away first. All of it is done by the one session that holds the lock: if it ends, nothing more is written.
//! The new ids are below zero and chosen by that session, from the rows it sees: a number of the journals' sequence, held in
//! memory over a failover, may be given out again, and a row that is not there yet would not stop the other.

use super::Postgres;
use super::by_worker::Folding;
use super::codec::{PgInstant, store_error};
use super::fold::{PAUSE_LONGEST, RunRow, finish, merge, survey, together, write_parts};
use crate::store::rows::Columns;
use crate::store::run::Run;
use crate::store::{StoreError, StoreResult};
use crate::types::{Instant, WorkerId};
use sqlx::{Connection, PgConnection, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The highest level: its runs are merged no further.
const LAST_LEVEL: i64 = 3;
/// Parts read of one run at once: 96 KiB.
const PARTS_PER_READ: i64 = 48;
/// Parts taken away in one transaction.
const PARTS_PER_DELETE: i64 = 65_536;
/// A round after one that found a run broken: `reindex` mends it, nothing else does, and each try copies what is sound.
const PAUSE_BROKEN: Duration = Duration::from_secs(3_600);

/// Merges whenever there are enough runs of one level, until it is aborted. By a lock and a session of its own: whole runs go on being merged.
pub async fn run(store: Postgres) {
    let (mut pause, mut broken_off) = (PAUSE_LONGEST, true);
    loop {
        sleep(pause).await;
        let done = store.deepen(broken_off).await;
        (pause, broken_off) = (PAUSE_LONGEST, done.is_err());
        if let Err(error) = done {
            tracing::warn!(%error, "long runs of the index by worker could not be merged; questions look into more");
            if matches!(error, StoreError::Corrupt(_)) {
                pause = PAUSE_BROKEN;
            }
        }
    }
}

impl Postgres {
    /// Merges as long as there are enough runs of one level, unless somebody else is at it; before that, and also where none are due but one
    /// may have been `broken_off`, clears away what broken merges left.
    pub async fn deepen(&self, broken_off: bool) -> StoreResult<bool> {
        let mut connection = self.background.acquire().await.map_err(store_error)?;
        if !broken_off && due(&survey(&mut connection).await?, self.kept.folding()).is_none() {
            return Ok(false);
        }
        // Out of the pool: the session ends with its work, however that ends, and the lock with it.
        let mut session = connection.detach();
        let row = sqlx::query(include_str!("sql/session_deepen.sql")).fetch_one(&mut session).await;
        let locked = row.and_then(|row| row.try_get("locked")).map_err(store_error)?;
        let merged = locked && self.deepen_alone(&mut session).await?;
        session.close().await.map_err(store_error)?;
        Ok(merged)
    }

    async fn deepen_alone(&self, session: &mut PgConnection) -> StoreResult<bool> {
        for id in left_over(session).await? {
            delete_parts(session, id).await?;
        }
        let mut merged = false;
        loop {
            let runs = survey(session).await?;
            let Some(inputs) = due(&runs, self.kept.folding()) else { return Ok(merged) };
            // The first has the least id.
            merge_long(session, runs[0].id.min(0) - 1, &inputs).await?;
            merged = true;
        }
    }
}

async fn merge_long(session: &mut PgConnection, id: i64, inputs: &[RunRow]) -> StoreResult<()> {
    let mut merged = RunRow { id, ..together(inputs) };
    merged.orders = merge_parts(session, id, inputs).await?;
    merged.level += 1;
    finish(session.begin().await.map_err(store_error)?, inputs, &merged).await?;
    for input in inputs {
        delete_parts(session, input.id).await?;
    }
    Ok(())
}

/// Runs that have parts and no row.
async fn left_over(connection: &mut PgConnection) -> StoreResult<Vec<i64>> {
    let rows =
        sqlx::query(include_str!("sql/left_over_runs.sql")).fetch_all(connection).await.map_err(store_error)?;
    rows.iter().map(|row| row.int("run_id")).collect()
}

async fn delete_parts(connection: &mut PgConnection, run: i64) -> StoreResult<()> {
    let mut gone = PARTS_PER_DELETE as u64;
    while gone == PARTS_PER_DELETE as u64 {
        let query = sqlx::query(include_str!("sql/delete_run_parts.sql")).bind(run).bind(PARTS_PER_DELETE);
        gone = query.execute(&mut *connection).await.map_err(store_error)?.rows_affected();
    }
    Ok(())
}

fn due(runs: &[RunRow], folding: &Folding) -> Option<Vec<RunRow>> {
    (1..LAST_LEVEL).find_map(|level| {
        let same: Vec<_> = runs.iter().filter(|run| run.level == level).take(folding.fan_in).cloned().collect();
        (same.len() >= folding.fan_in).then_some(same)
    })
}

/// A run in parts, on its way into another.
struct Source {
    row: RunRow,
    /// The part read last.
    after: (WorkerId, Instant, i32),
    /// Read and not merged yet.
    held: Run,
    /// There is more to read.
    more: bool,
    /// Orders read.
    orders: i64,
}

impl Source {
    fn new(row: &RunRow) -> Self {
        let before_all = (WorkerId::from_uuid(uuid::Uuid::nil()), Instant::EARLIEST, -1);
        Self { row: row.clone(), after: before_all, held: Run::default(), more: true, orders: 0 }
    }

    async fn read(&mut self, connection: &mut PgConnection) -> StoreResult<()> {
        let (worker, accepted_at, part_no) = self.after;
        let rows = sqlx::query(include_str!("sql/run_parts.sql"))
            .bind(self.row.id)
            .bind(worker.uuid())
            .bind(PgInstant(accepted_at))
            .bind(part_no)
            .bind(PARTS_PER_READ)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        self.more = rows.len() as i64 == PARTS_PER_READ;
        let Some(last) = rows.last() else { return Ok(()) };
        let worker = WorkerId::from_uuid(last.uuid("first_worker")?);
        self.after = (worker, last.instant("first_accepted")?, last.int("part_no")? as i32);
        let mut bytes = Vec::new();
        for row in &rows {
            bytes.extend(row.bytes("entries")?);
        }
        self.held = Run::parse(bytes)?;
        self.orders += self.held.len() as i64;
        Ok(())
    }

    /// It was read whole: no run takes its place that has not taken it over.
    fn check(&self) -> StoreResult<()> {
        let Self { row, orders, .. } = self;
        match *orders == row.orders {
            true => Ok(()),
            false => Err(StoreError::Corrupt(format!(
                "worker_run_part: {orders} orders in run {} where {} should be",
                row.id, row.orders
            ))),
        }
    }
}

/// Writes the parts of runs as parts of one; how many orders it holds.
async fn merge_parts(connection: &mut PgConnection, id: i64, inputs: &[RunRow]) -> StoreResult<i64> {
    let mut sources: Vec<Source> = inputs.iter().map(Source::new).collect();
    let (mut parts, mut orders) = (0, 0);
    loop {
        for source in &mut sources {
            if source.more && source.held.len() == 0 {
                source.read(connection).await?;
            }
        }
        // What is read up to here is read of every run.
        let border = sources.iter().filter(|s| s.more).filter_map(|s| s.held.last()).min().map(<[u8]>::to_vec);
        let window = sources.iter_mut().map(|source| match &border {
            Some(border) => source.held.take_through(border),
            None => std::mem::take(&mut source.held),
        });
        let window: Vec<_> = window.map(Arc::new).collect();
        let merged = merge(&window, 0..=u8::MAX).await;
        orders += merged.len() as i64;
        write_parts(connection, id, &merged, &mut parts).await?;
        if border.is_none() {
            break;
        }
    }
    sources.iter().try_for_each(Source::check)?;
    Ok(orders)
}
