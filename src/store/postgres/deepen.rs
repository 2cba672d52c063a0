//! Merges runs in parts into longer ones, read and written a window at a time. So each order is written twice, in long rows and in order,
//! instead of once into a page of its own, and a question looks into a few dozen runs.

use super::Postgres;
use super::by_worker::Folding;
use super::codec::{PgInstant, store_error};
use super::fold::{PAUSE_LONGEST, RunRow, begin, finish, merge, together, write_parts};
use crate::store::rows::Columns;
use crate::store::run::Run;
use crate::store::{StoreError, StoreResult};
use crate::types::{Instant, WorkerId};
use sqlx::PgConnection;
use std::sync::Arc;
use tokio::time::sleep;

/// The highest level: its runs are merged no further.
const LAST_LEVEL: i64 = 2;
/// Parts read of one run at once: 32 KiB.
const PARTS_PER_READ: i64 = 16;

/// Merges whenever there are enough runs of one level, until it is aborted. By a lock and a connection of its own: it may take a minute, in
/// which whole runs go on being merged.
pub async fn run(store: Postgres) {
    loop {
        sleep(PAUSE_LONGEST).await;
        if let Err(error) = store.deepen().await {
            tracing::warn!(%error, "long runs of the index by worker could not be merged; questions look into more");
        }
    }
}

impl Postgres {
    /// Merges runs of one level once, if there are enough and nobody else is merging.
    pub async fn deepen(&self) -> StoreResult<bool> {
        let begun = begin(&self.background, "deepen", |runs| due(runs, self.kept.folding())).await?;
        let Some((mut transaction, inputs)) = begun else { return Ok(false) };
        let mut merged = RunRow { id: self.next_journal_id().await?.get() as i64, ..together(&inputs) };
        merged.orders = merge_parts(&mut transaction, merged.id, &inputs).await?;
        merged.level += 1;
        finish(transaction, &inputs, &merged).await?;
        Ok(true)
    }
}

fn due(runs: Vec<RunRow>, folding: &Folding) -> Option<Vec<RunRow>> {
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

    /// It was read whole: nothing goes that was not taken over.
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
        let merged = merge(&window, 0..=u8::MAX).await;
        orders += merged.len() as i64;
        write_parts(connection, id, &merged, &mut parts).await?;
        if border.is_none() {
            break;
        }
    }
    for source in &sources {
        source.check()?;
        let query = sqlx::query(include_str!("sql/delete_run_parts.sql")).bind(source.row.id);
        query.execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(orders)
}
