//! Merges runs of the index by worker, beside the intake, one transaction for each merge. One instance at a time does it, whichever comes
//! first: an advisory lock, held by the transaction. Questions see the runs that were merged or the one they became, never both and
//! never neither; a merge that is broken off has changed nothing.
//!
//! Many short whole runs become one whole run, in memory; whole runs of a batch's length together become one in parts; runs in parts become
//! longer ones, read and written a window at a time. So each order is written twice, in long rows and in order, instead of once into a
//! page of its own, and a question looks into a few dozen runs.

use super::append::copy;
use super::by_worker::{Folding, KEPT_ORDERS};
use super::codec::{PgInstant, store_error};
use super::{Postgres, columns};
use crate::store::rows::Columns;
use crate::store::run::Run;
use crate::store::{StoreError, StoreResult};
use crate::types::{Instant, WorkerId};
use sqlx::{PgConnection, Row};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The highest level: its runs are merged no further.
const LAST_LEVEL: i64 = 2;
/// Parts read of one run at once: 128 KiB.
const PARTS_PER_READ: i64 = 64;
/// Whole runs are merged so many first bytes of workers at a time.
const WORKERS_AT_ONCE: usize = 16;

/// A run as its row tells of it.
#[derive(Clone, Debug)]
struct RunRow {
    id: i64,
    level: i64,
    orders: i64,
    first: Instant,
    last: Instant,
    /// Of a whole run.
    journals: Vec<i64>,
}

/// Merges whenever it is due, until it is aborted.
pub async fn run(store: Postgres, due: Arc<tokio::sync::Notify>) {
    loop {
        due.notified().await;
        if let Err(error) = tend(&store).await {
            // The next journals or questions ring again; until then questions look into more runs.
            tracing::warn!(%error, "the index by worker could not be merged");
        }
    }
}

async fn tend(store: &Postgres) -> StoreResult<()> {
    while store.fold().await? {}
    store.catch_up().await
}

impl Postgres {
    /// Does one merge, if one is due and nobody else is merging.
    pub async fn fold(&self) -> StoreResult<bool> {
        let mut transaction = self.folder.begin().await.map_err(store_error)?;
        let lock = sqlx::query(include_str!("sql/fold_lock.sql")).fetch_one(&mut *transaction).await;
        if !lock.and_then(|row| row.try_get::<bool, _>("locked")).map_err(store_error)? {
            return Ok(false);
        }
        let Some(inputs) = due(read_runs(&mut transaction).await?, self.by_worker.folding()) else {
            return Ok(false);
        };
        let ids: Vec<i64> = inputs.iter().map(|run| run.id).collect();
        let id = self.next_journal_id().await?.get() as i64;
        let mut merged = RunRow { id, ..together(&inputs) };
        let kept = if merged.level > 0 {
            merged.orders = merge_parts(&mut transaction, id, &inputs).await?;
            merged.level += 1;
            None
        } else {
            let runs = self.whole_runs(&ids).await?;
            if merged.orders >= self.by_worker.folding().orders {
                merged.orders = part_whole(&mut transaction, id, &runs).await?;
                (merged.level, merged.journals) = (1, Vec::new());
                None
            } else {
                let run = merge(runs, 0..=u8::MAX).await?;
                merged.orders = run.len() as i64;
                Some(run)
            }
        };
        insert(&mut transaction, &merged).await?;
        let query = sqlx::query(include_str!("sql/delete_runs.sql")).bind(&ids);
        let gone = query.execute(&mut *transaction).await.map_err(store_error)?.rows_affected();
        if gone != ids.len() as u64 {
            return Err(missing(&ids));
        }
        transaction.commit().await.map_err(store_error)?;
        tracing::debug!(level = merged.level, orders = merged.orders, runs = ids.len(), "runs were merged");
        if let Some(run) = kept {
            self.by_worker.keep(id, Arc::new(run));
        }
        self.by_worker.forget(&ids);
        Ok(true)
    }

    async fn whole_runs(&self, ids: &[i64]) -> StoreResult<Vec<Arc<Run>>> {
        let mut runs = Vec::with_capacity(ids.len());
        for id in ids {
            runs.push(self.whole_run(*id).await?.ok_or_else(|| missing(ids))?);
        }
        Ok(runs)
    }

    /// Makes the whole runs that other instances brought, or this one before its start, so that questions need not look through lines.
    async fn catch_up(&self) -> StoreResult<()> {
        let mut connection = self.reader.acquire().await.map_err(store_error)?;
        let mut room = KEPT_ORDERS;
        let newest = read_runs(&mut connection).await?.into_iter().rev().filter(|run| run.level == 0);
        let fits = newest.take_while(|run| {
            room -= run.orders;
            room >= 0
        });
        let whole: Vec<i64> = fits.map(|run| run.id).collect();
        drop(connection);
        for id in self.by_worker.kept(&whole).1 {
            self.whole_run(id).await?;
        }
        Ok(())
    }
}

fn missing(ids: &[i64]) -> StoreError {
    StoreError::Corrupt(format!("worker_run: some of {ids:?} are gone"))
}

/// The runs to merge next, all whole or all of one level.
fn due(runs: Vec<RunRow>, folding: &Folding) -> Option<Vec<RunRow>> {
    let (whole, parted): (Vec<RunRow>, Vec<RunRow>) = runs.into_iter().partition(|run| run.level == 0);
    let mut orders = 0;
    let batch = whole.iter().position(|run| {
        orders += run.orders;
        orders >= folding.orders
    });
    if let Some(last) = batch {
        return Some(whole[..=last].to_vec());
    }
    if whole.len() >= folding.runs {
        let short: Vec<_> = whole.into_iter().filter(|run| run.orders < folding.short).collect();
        return (short.len() > 1).then_some(short);
    }
    (1..LAST_LEVEL).find_map(|level| {
        let same: Vec<_> = parted.iter().filter(|run| run.level == level).take(folding.fan_in).cloned().collect();
        (same.len() >= folding.fan_in).then_some(same)
    })
}

/// A row that tells of all of these, which are of one level.
fn together(inputs: &[RunRow]) -> RunRow {
    let mut all = inputs[0].clone();
    for run in &inputs[1..] {
        all.first = all.first.min(run.first);
        all.last = all.last.max(run.last);
        all.orders += run.orders;
        all.journals.extend(&run.journals);
    }
    all
}

async fn read_runs(connection: &mut PgConnection) -> StoreResult<Vec<RunRow>> {
    let rows = sqlx::query(include_str!("sql/runs.sql")).fetch_all(connection).await.map_err(store_error)?;
    let run = |row: &sqlx::postgres::PgRow| {
        Ok(RunRow {
            id: row.int("run_id")?,
            level: row.int("level")?,
            orders: row.int("orders")?,
            first: row.instant("first_accepted")?,
            last: row.instant("last_accepted")?,
            journals: row.try_get::<Option<_>, _>("journals").map_err(store_error)?.unwrap_or_default(),
        })
    };
    rows.iter().map(run).collect()
}

/// Sorting takes some ten milliseconds: beside the tasks that wait for answers, not among them.
async fn merge(runs: Vec<Arc<Run>>, workers: RangeInclusive<u8>) -> StoreResult<Run> {
    let merge = move || Run::merge(runs.iter().map(Arc::as_ref), workers);
    tokio::task::spawn_blocking(merge).await.map_err(|error| StoreError::Failed(Box::new(error)))
}

/// Writes whole runs as one in parts; how many orders it holds.
async fn part_whole(connection: &mut PgConnection, id: i64, runs: &[Arc<Run>]) -> StoreResult<i64> {
    let (mut parts, mut orders) = (0, 0);
    for first in (0..=u8::MAX).step_by(WORKERS_AT_ONCE) {
        let merged = merge(runs.to_vec(), first..=first + (WORKERS_AT_ONCE - 1) as u8).await?;
        orders += merged.len() as i64;
        copy_parts(connection, id, &merged, &mut parts).await?;
    }
    Ok(orders)
}

async fn insert(connection: &mut PgConnection, run: &RunRow) -> StoreResult<()> {
    sqlx::query(include_str!("sql/insert_run.sql"))
        .bind(run.id)
        .bind(run.level as i16)
        .bind(run.orders)
        .bind(PgInstant(run.first))
        .bind(PgInstant(run.last))
        .bind((run.level == 0).then_some(&run.journals))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn copy_parts(connection: &mut PgConnection, id: i64, run: &Run, parts: &mut i32) -> StoreResult<()> {
    let first = *parts;
    let rows = run.parts()?;
    *parts += rows.len() as i32;
    let rows: Vec<_> = (first..).zip(rows).collect();
    let statement = include_str!("sql/copy_run_part.sql");
    copy(connection, statement, rows, |copy, (part_no, part)| columns::run_part(copy, id, part_no, &part)).await
}

/// A run in parts, on its way into another.
struct Source {
    id: i64,
    /// The part read last.
    after: (WorkerId, Instant, i32),
    /// Read and not merged yet.
    held: Run,
    /// There is more to read.
    more: bool,
}

impl Source {
    fn new(run: &RunRow) -> Self {
        let before_all = (WorkerId::from_uuid(uuid::Uuid::nil()), Instant::EARLIEST, -1);
        Self { id: run.id, after: before_all, held: Run::default(), more: true }
    }

    async fn read(&mut self, connection: &mut PgConnection) -> StoreResult<()> {
        let (worker, accepted_at, part_no) = self.after;
        let rows = sqlx::query(include_str!("sql/run_parts.sql"))
            .bind(self.id)
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
        Ok(())
    }
}

/// Writes the parts of runs as parts of one, and takes the old ones away; how many orders it holds.
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
        let merged = merge(window, 0..=u8::MAX).await?;
        orders += merged.len() as i64;
        copy_parts(connection, id, &merged, &mut parts).await?;
        if border.is_none() {
            break;
        }
    }
    for source in &sources {
        let query = sqlx::query(include_str!("sql/delete_run_parts.sql")).bind(source.id);
        query.execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(orders)
}
