//! Merges whole runs of the index by worker, beside the intake, one transaction for each merge: many short ones become one, in memory; as many
//! as hold a batch's orders become one in parts (`deepen` merges those). One instance at a time does it, whichever comes first: an advisory
//! lock, held by the transaction. Questions see the runs that were merged or the one they became, never both and never neither; a
//! merge that is broken off has changed nothing.

use super::Postgres;
use super::by_worker::{Folding, read_runs};
use super::codec::{PgInstant, store_error};
use super::kept::KEPT_ORDERS;
use crate::store::rows::Columns;
use crate::store::run::{Part, Run};
use crate::store::{StoreError, StoreResult};
use crate::types::Instant;
use sqlx::{PgConnection, Row, Transaction};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Whole runs are merged so many first bytes of workers at a time.
const WORKERS_AT_ONCE: usize = 16;
/// Parts written in one statement: 1 MB. (Not by COPY: a client that is stopped in the middle of one would hold the lock for ever.)
const PARTS_AT_ONCE: usize = 512;
/// The least pause between two rounds.
const PAUSE: Duration = Duration::from_millis(100);
/// A round without a ring: for what another instance left.
pub const PAUSE_LONGEST: Duration = Duration::from_secs(10);

/// A run as its row tells of it.
#[derive(Clone, Debug)]
pub struct RunRow {
    pub id: i64,
    pub level: i64,
    pub orders: i64,
    pub first: Instant,
    pub last: Instant,
}

/// Merges whenever it is due, until it is aborted.
pub async fn run(store: Postgres, due: Arc<tokio::sync::Notify>) {
    loop {
        // Rung or not.
        let _ = timeout(PAUSE_LONGEST, due.notified()).await;
        for done in [store.fold_all().await, store.catch_up().await] {
            if let Err(error) = done {
                tracing::warn!(%error, "the index by worker could not be merged; questions look into more runs");
            }
        }
        sleep(PAUSE).await;
    }
}

impl Postgres {
    async fn fold_all(&self) -> StoreResult<()> {
        while self.fold().await? {}
        Ok(())
    }

    /// Merges whole runs once, if it is due and nobody else is merging.
    pub async fn fold(&self) -> StoreResult<bool> {
        let mut transaction = self.background.begin().await.map_err(store_error)?;
        if !lock(&mut transaction, "fold").await? {
            return Ok(false);
        }
        let Some(inputs) = due(survey(&mut transaction).await?, self.kept.folding()) else { return Ok(false) };
        let runs = self.whole_runs(&mut transaction, &inputs).await?;
        let mut merged = RunRow { id: self.next_journal_id().await?.get() as i64, ..together(&inputs) };
        let kept = match merged.orders >= self.kept.folding().orders {
            true => {
                merged.orders = part(&mut transaction, merged.id, &runs).await?;
                merged.level = 1;
                None
            }
            false => {
                let run = merge(&runs, 0..=u8::MAX).await;
                merged.orders = run.len() as i64;
                Some(run)
            }
        };
        finish(transaction, &inputs, &merged).await?;
        if let Some(run) = kept {
            self.kept.keep(merged.id, Arc::new(run));
        }
        self.kept.forget(inputs.iter().map(|run| run.id));
        Ok(true)
    }

    /// Those that are here, and the others from their lines. Each must hold as many orders as its row says: nothing is merged that is not whole.
    async fn whole_runs(&self, connection: &mut PgConnection, rows: &[RunRow]) -> StoreResult<Vec<Arc<Run>>> {
        let told: Vec<(i64, i64)> = rows.iter().map(|run| (run.id, run.orders)).collect();
        let (mut runs, missing) = self.kept.find(&told);
        if !missing.is_empty() {
            runs.extend(read_runs(connection, &missing).await?.into_iter().map(|(_, run)| Arc::new(run)));
        }
        let orders: usize = runs.iter().map(|run| run.len()).sum();
        let should: i64 = rows.iter().map(|run| run.orders).sum();
        match orders as i64 == should && runs.len() == rows.len() {
            true => Ok(runs),
            false => Err(StoreError::Corrupt(format!("worker_run: {orders} orders where {should} should be"))),
        }
    }

    /// Makes the whole runs that other instances brought, or this one before its start, so that questions need not look through lines; and
    /// forgets those that others merged.
    async fn catch_up(&self) -> StoreResult<()> {
        let mut connection = self.background.acquire().await.map_err(store_error)?;
        let before = self.kept.ids();
        let whole: Vec<RunRow> = survey(&mut connection).await?.into_iter().filter(|run| run.level == 0).collect();
        self.kept.forget(before.into_iter().filter(|id| whole.binary_search_by_key(id, |run| run.id).is_err()));
        let mut room = KEPT_ORDERS;
        let newest = whole.iter().rev().take_while(|run| {
            room -= run.orders;
            room >= 0
        });
        let told: Vec<(i64, i64)> = newest.map(|run| (run.id, run.orders)).collect();
        let (_, missing) = self.kept.find(&told);
        if !missing.is_empty() {
            let runs = read_runs(&mut connection, &missing).await?;
            runs.into_iter().for_each(|(id, run)| self.kept.keep(id, Arc::new(run)));
        }
        Ok(())
    }
}

/// Takes one of the locks of merging until the transaction ends, unless somebody else has it.
pub async fn lock(connection: &mut PgConnection, what: &str) -> StoreResult<bool> {
    let query = sqlx::query(include_str!("sql/fold_lock.sql")).bind(what);
    query.fetch_one(connection).await.and_then(|row| row.try_get("locked")).map_err(store_error)
}

/// The runs to merge next.
pub fn due(mut runs: Vec<RunRow>, folding: &Folding) -> Option<Vec<RunRow>> {
    runs.retain(|run| run.level == 0);
    let mut orders = 0;
    let batch = runs.iter().position(|run| {
        orders += run.orders;
        orders >= folding.orders
    });
    if let Some(last) = batch {
        runs.truncate(last + 1);
        return Some(runs);
    }
    if runs.len() < folding.runs {
        return None;
    }
    runs.retain(|run| run.orders < folding.short);
    (runs.len() > 1).then_some(runs)
}

/// A row that tells of all of these, which are of one level.
pub fn together(inputs: &[RunRow]) -> RunRow {
    let mut all = inputs[0].clone();
    for run in &inputs[1..] {
        all.first = all.first.min(run.first);
        all.last = all.last.max(run.last);
        all.orders += run.orders;
    }
    all
}

/// All runs, by their ids.
pub async fn survey(connection: &mut PgConnection) -> StoreResult<Vec<RunRow>> {
    let rows = sqlx::query(include_str!("sql/runs.sql")).fetch_all(connection).await.map_err(store_error)?;
    let run = |row: &sqlx::postgres::PgRow| {
        Ok(RunRow {
            id: row.int("run_id")?,
            level: row.int("level")?,
            orders: row.int("orders")?,
            first: row.instant("first_accepted")?,
            last: row.instant("last_accepted")?,
        })
    };
    rows.iter().map(run).collect()
}

/// A window is sorted in a few milliseconds; the tasks that wait for answers come in between.
pub async fn merge(runs: &[Arc<Run>], workers: RangeInclusive<u8>) -> Run {
    tokio::task::yield_now().await;
    Run::merge(runs.iter().map(Arc::as_ref), workers)
}

/// Writes whole runs as one in parts; how many orders it holds.
async fn part(connection: &mut PgConnection, id: i64, runs: &[Arc<Run>]) -> StoreResult<i64> {
    let (mut parts, mut orders) = (0, 0);
    for first in (0..=u8::MAX).step_by(WORKERS_AT_ONCE) {
        let merged = merge(runs, first..=first + (WORKERS_AT_ONCE - 1) as u8).await;
        orders += merged.len() as i64;
        write_parts(connection, id, &merged, &mut parts).await?;
    }
    Ok(orders)
}

/// Writes a stretch of a run in parts, numbered on from `next`.
pub async fn write_parts(connection: &mut PgConnection, id: i64, run: &Run, next: &mut i32) -> StoreResult<()> {
    for parts in run.parts()?.chunks(PARTS_AT_ONCE) {
        fn all<'a, T>(parts: &'a [Part<'a>], of: impl Fn(&'a Part<'a>) -> T) -> Vec<T> {
            parts.iter().map(of).collect()
        }
        let numbers: Vec<i32> = (*next..).take(parts.len()).collect();
        *next += parts.len() as i32;
        sqlx::query(include_str!("sql/insert_run_parts.sql"))
            .bind(id)
            .bind(all(parts, |part| part.worker.uuid()))
            .bind(all(parts, |part| PgInstant(part.accepted_at)))
            .bind(numbers)
            .bind(all(parts, |part| part.bytes))
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

/// Puts the row of a merged run in the place of those that it was made of, and commits.
pub async fn finish(
    mut transaction: Transaction<'_, sqlx::Postgres>,
    inputs: &[RunRow],
    merged: &RunRow,
) -> StoreResult<()> {
    let ids: Vec<i64> = inputs.iter().map(|run| run.id).collect();
    sqlx::query(include_str!("sql/insert_run.sql"))
        .bind(merged.id)
        .bind(merged.level as i16)
        .bind(merged.orders)
        .bind(PgInstant(merged.first))
        .bind(PgInstant(merged.last))
        .bind(&ids)
        .execute(&mut *transaction)
        .await
        .map_err(store_error)?;
    let query = sqlx::query(include_str!("sql/delete_runs.sql")).bind(&ids);
    let gone = query.execute(&mut *transaction).await.map_err(store_error)?.rows_affected();
    if gone != ids.len() as u64 {
        return Err(StoreError::Corrupt("worker_run: a run that was merged is gone".to_owned()));
    }
    transaction.commit().await.map_err(store_error)?;
    tracing::debug!(level = merged.level, orders = merged.orders, runs = ids.len(), "runs were merged");
    Ok(())
}
