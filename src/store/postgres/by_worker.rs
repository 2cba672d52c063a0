//! The index by worker: runs of orders (`store::run`). Each journal brings a whole one, told by a row in its transaction, so the index names
//! every line that a question sees; `fold` and `deepen` merge them. Whole runs are held in memory and nowhere else (`kept`): the instance
//! that booked a journal has its run already, any other makes it from the journal's lines, beside the questions. Until then a question
//! looks through those lines for its worker. Of longer runs it reads the parts that can hold him.

use super::Postgres;
use super::codec::{PgInstant, store_error};
use crate::ledger::Journal;
use crate::store::rows::{self, Columns};
use crate::store::run::{Run, Search, TOO_MANY};
use crate::store::{LINES_PER_QUESTION, OrdersOfWorker, StoreResult};
use crate::types::{Instant, WorkerId};
use sqlx::{Connection, PgConnection};
use tokio_stream::StreamExt;

/// Most parts of runs, whole runs, kept conflicts and reports that a question is told of: 32 MiB.
const ROWS_PER_QUESTION: i64 = 16_384;
/// Most lines of journals, of one worker, that a question looks through.
const LINES_LOOKED_THROUGH: i64 = 3 * LINES_PER_QUESTION as i64;

/// When runs are merged.
#[derive(Clone, Copy, Debug)]
pub struct Folding {
    /// Whole runs that hold so many orders together are made one in parts. Held in memory until then.
    pub orders: i64,
    /// So many whole runs are too many for a question: the short ones are made one.
    pub runs: usize,
    /// A run this long is not short.
    pub short: i64,
    /// So many runs of one level are made one of the next.
    pub fan_in: usize,
}

impl Default for Folding {
    /// 262,144 orders are some 17 MB in memory, and in parts in a second; runs of the next levels hold 4 and 67 million.
    fn default() -> Self {
        Self { orders: 262_144, runs: 256, short: 8_192, fan_in: 16 }
    }
}

/// The run of a journal's lines, and when the first and the last of its orders was accepted; nothing where it has no lines.
pub fn run_of(journal: &Journal) -> Option<(Run, Instant, Instant)> {
    let orders = journal.lines.iter().map(|line| &line.order);
    let (first, last) =
        (orders.clone().map(|o| o.accepted_at).min()?, orders.clone().map(|o| o.accepted_at).max()?);
    Some((Run::of_orders(orders.map(|order| (order.worker, order.accepted_at, &order.key))), first, last))
}

/// What the index says, and the whole runs that this instance does not hold.
struct Asked {
    found: OrdersOfWorker,
    missing: Vec<i64>,
}

impl Postgres {
    /// See [`crate::store::Store::orders_of_worker`].
    pub async fn orders_of_worker(&self, search: &Search, reports_of: &[&str]) -> StoreResult<OrdersOfWorker> {
        let mut connection = self.warm_reader.take().await?;
        let Asked { found, missing } = self.ask(&mut connection, search, reports_of).await?;
        let mut found = match missing.is_empty() {
            true => found,
            false => {
                // To be read, so that the next question need not.
                self.kept.due().notify_one();
                self.ask_lines_too(&mut connection, search, reports_of).await?
            }
        };
        self.warm_reader.keep(connection);
        found.booked.sort_unstable();
        found.booked.dedup();
        match found.booked.len().max(found.kept.len()) > LINES_PER_QUESTION as usize {
            true => Err(TOO_MANY),
            false => Ok(found),
        }
    }

    /// One statement, hence one snapshot: what a report promises was booked before it, and is seen with it.
    async fn ask(
        &self,
        connection: &mut PgConnection,
        search: &Search,
        reports_of: &[&str],
    ) -> StoreResult<Asked> {
        let (from, to) = search.span();
        let rows = sqlx::query(include_str!("sql/worker_runs.sql"))
            .bind(search.worker.uuid())
            .bind(PgInstant(from))
            .bind(PgInstant(to))
            .bind(ROWS_PER_QUESTION)
            .bind(reports_of)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        if rows.len() as i64 >= ROWS_PER_QUESTION {
            return Err(TOO_MANY);
        }
        let mut found = OrdersOfWorker::default();
        let mut whole = Vec::new();
        for row in &rows {
            match (row.int_opt("run_id")?, row.bytes_opt("entries")?) {
                (Some(_), Some(part)) => Run::parse(part)?.find(search, &mut found)?,
                (Some(id), None) => whole.push((id, row.int("orders")?)),
                _ if row.int_opt("report_no")?.is_some() => found.newest.push(rows::watermark(row)?),
                _ => {
                    let order = rows::worker_order(row)?;
                    found.kept.extend(search.accepted.contains(&order.accepted_at).then_some(order));
                }
            }
        }
        let (runs, missing) = self.kept.find(&whole);
        for run in runs {
            run.find(search, &mut found)?;
        }
        Ok(Asked { found, missing })
    }

    /// Asks again and, of what is not held here, looks through the lines, in one snapshot: no run is merged between the two.
    async fn ask_lines_too(
        &self,
        connection: &mut PgConnection,
        search: &Search,
        reports_of: &[&str],
    ) -> StoreResult<OrdersOfWorker> {
        let begin = "begin isolation level repeatable read read only";
        let mut transaction = connection.begin_with(begin).await.map_err(store_error)?;
        let Asked { mut found, missing } = self.ask(&mut transaction, search, reports_of).await?;
        let (from, to) = search.span();
        let rows = sqlx::query(include_str!("sql/orders_of_runs.sql"))
            .bind(missing)
            .bind(search.worker.uuid())
            .bind(PgInstant(from))
            .bind(PgInstant(to))
            .bind(LINES_LOOKED_THROUGH)
            .fetch_all(&mut *transaction)
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        if rows.len() as i64 >= LINES_LOOKED_THROUGH {
            return Err(TOO_MANY);
        }
        for row in &rows {
            search.take(rows::worker_order(row)?, &mut found);
        }
        Ok(found)
    }
}

/// Makes whole runs from the lines of their journals, one after the other.
pub async fn read_runs(connection: &mut PgConnection, ids: &[i64]) -> StoreResult<Vec<(i64, Run)>> {
    let mut runs = Vec::with_capacity(ids.len());
    for id in ids {
        let none = None::<PgInstant>;
        let query = sqlx::query(include_str!("sql/orders_of_runs.sql")).bind([*id]).bind(None::<uuid::Uuid>);
        let mut rows = query.bind(none).bind(none).bind(i64::MAX).fetch(&mut *connection);
        let mut orders = Vec::new();
        while let Some(row) = rows.next().await.transpose().map_err(store_error)? {
            orders.push((WorkerId::from_uuid(row.uuid("worker_id")?), rows::worker_order(&row)?));
        }
        // One that was merged meanwhile has none.
        if !orders.is_empty() {
            let orders = orders.iter().map(|(worker, order)| (*worker, order.accepted_at, &order.key));
            runs.push((*id, Run::of_orders(orders)));
        }
    }
    Ok(runs)
}
