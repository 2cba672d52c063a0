//! Appends a journal in one transaction of the one writing connection: the journal's row and its seal, its entries by type, the counters, a slice of
//! earlier lines into the index by worker, commit. With `synchronous=FULL` the commit returns when the write-ahead log is on disk.

use super::Sqlite;
use super::bulk::{self, Bound};
use super::by_worker::{Slice, WorkerLine};
use super::codec::store_error;
use super::fold::fold;
use crate::clock::Clock;
use crate::ledger::{ENCODING_VERSION, Journal};
use crate::store::rows::Columns;
use crate::store::{StoreError, StoreResult, Written};
use crate::types::{
    CalendarEntry, Conflict, Instant, JournalId, Line, Order, Position, Priced, Refusal, RegistryRow, Repeats,
};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, SqliteConnection, Transaction};
use std::time::{self, Duration};

impl Sqlite {
    /// See [`crate::store::Store::append`].
    pub async fn append(&self, journal: &Journal) -> StoreResult<Written> {
        let recorded_at = self.clock.now();
        let mut writer = self.writer.acquire().await.map_err(store_error)?;
        let slice = self.by_worker.next(journal.lines.len());
        let written = write(&mut writer, journal, recorded_at, &self.clock, &slice).await;
        settle(&mut writer, &written);
        self.checkpoints.count(journal.lines.len());
        let (last, commit) = written?;
        let after_last = last + 1;
        let by_worker = |(line, row_no): (&Line, i64)| WorkerLine {
            worker: line.order.worker,
            accepted_at: line.order.accepted_at,
            row_no,
        };
        let rows = after_last - journal.lines.len() as i64..after_last;
        self.by_worker.done(&slice, journal.lines.iter().zip(rows).map(by_worker).collect());
        Ok(Written { recorded_at, commit: Some(commit) })
    }

    /// See [`crate::store::Store::reindex`].
    pub async fn reindex(&self) -> StoreResult<()> {
        let mut writer = self.writer.acquire().await.map_err(store_error)?;
        let query = sqlx::query(include_str!("sql/insert_all_worker_lines.sql"));
        query.execute(&mut *writer).await.map_err(store_error)?;
        Ok(())
    }

    /// See [`crate::store::Store::keep_differences`].
    pub async fn keep_differences(&self, journal: JournalId, part_no: u32, differences: &str) -> StoreResult<()> {
        let mut writer = self.writer.acquire().await.map_err(store_error)?;
        let written = insert_differences(&mut writer, journal, part_no, differences).await;
        settle(&mut writer, &written);
        written
    }

    /// See [`crate::store::Store::raise`].
    pub async fn raise(&self, repeats: &Repeats) -> StoreResult<()> {
        let mut writer = self.writer.acquire().await.map_err(store_error)?;
        let written = raise_alone(&mut writer, repeats).await;
        settle(&mut writer, &written);
        written
    }
}

/// A full disk or an I/O error ends SQLite's transaction behind the driver's back, which then takes it for open for ever: such a
/// connection is not used again. After a taken slot the transaction stands, and is rolled back in order.
pub(super) fn settle<T>(writer: &mut PoolConnection<sqlx::Sqlite>, written: &StoreResult<T>) {
    if written.as_ref().is_err_and(|error| !matches!(error, StoreError::Taken(_) | StoreError::CalendarMoved)) {
        writer.close_on_drop();
    }
}

/// Takes the database's write lock at once, not at the first write.
pub(super) async fn begin(writer: &mut SqliteConnection) -> StoreResult<Transaction<'_, sqlx::Sqlite>> {
    writer.begin_with("BEGIN IMMEDIATE").await.map_err(store_error)
}

/// The row number of the journal's last line, and how long the commit took.
async fn write(
    writer: &mut SqliteConnection,
    journal: &Journal,
    recorded_at: Instant,
    clock: &Clock,
    slice: &Slice,
) -> StoreResult<(i64, Duration)> {
    let mut transaction = begin(writer).await?;
    if !journal.lines.is_empty() {
        let query = sqlx::query(include_str!("sql/calendar_epoch.sql"));
        let row = query.fetch_one(&mut *transaction).await.map_err(store_error)?;
        if row.int("epoch")? != i64::from(journal.epoch.get()) {
            return Err(StoreError::CalendarMoved);
        }
    }
    // Now that nobody else writes: whoever asks for the last seal by an instant waits for this transaction first.
    let sealed_at = clock.now();
    insert_journal(&mut transaction, journal, recorded_at).await?;
    let last = bulk::execute(&mut transaction, include_str!("sql/insert_line.sql"), &journal.lines, line).await?;
    let seal =
        sqlx::query(include_str!("sql/insert_seal.sql")).bind(journal.id.get() as i64).bind(sealed_at.micros());
    seal.execute(&mut *transaction).await.map_err(store_error)?;
    insert_others(&mut transaction, journal).await?;
    raise(&mut transaction, &journal.repeats).await?;
    fold(&mut transaction, slice).await?;
    let began = time::Instant::now();
    transaction.commit().await.map_err(store_error)?;
    Ok((last, began.elapsed()))
}

async fn insert_differences(
    writer: &mut SqliteConnection,
    journal: JournalId,
    part_no: u32,
    differences: &str,
) -> StoreResult<()> {
    let mut transaction = begin(writer).await?;
    let query = sqlx::query(include_str!("sql/insert_difference_part.sql"));
    let query = query.bind(journal.get() as i64).bind(i64::from(part_no)).bind(differences);
    query.execute(&mut *transaction).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)
}

async fn raise_alone(writer: &mut SqliteConnection, repeats: &Repeats) -> StoreResult<()> {
    let mut transaction = begin(writer).await?;
    raise(&mut transaction, repeats).await?;
    transaction.commit().await.map_err(store_error)
}

async fn insert_journal(
    connection: &mut SqliteConnection,
    journal: &Journal,
    recorded_at: Instant,
) -> StoreResult<()> {
    let root = journal.root();
    sqlx::query(include_str!("sql/insert_journal.sql"))
        .bind(journal.id.get() as i64)
        .bind(recorded_at.micros())
        .bind(journal.count() as i64)
        .bind(i64::from(ENCODING_VERSION))
        .bind(&root[..])
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// The entries that are no lines, and the request.
async fn insert_others(connection: &mut SqliteConnection, journal: &Journal) -> StoreResult<()> {
    let conflicts: Vec<_> = journal.placed_conflicts().collect();
    bulk::execute(connection, include_str!("sql/insert_conflict.sql"), &conflicts, conflict).await?;

    let refusals: Vec<_> = journal.placed_refusals().collect();
    bulk::execute(connection, include_str!("sql/insert_refusal.sql"), &refusals, refusal).await?;

    for (at, watermark) in journal.placed_watermarks() {
        let query = place(sqlx::query(include_str!("sql/insert_watermark.sql")), at);
        let query = query.bind(watermark.platform.as_str()).bind(watermark.report_no as i64);
        query.bind(watermark.at.micros()).execute(&mut *connection).await.map_err(store_error)?;
        let hour = include_str!("sql/insert_watermark_hour.sql");
        bulk::execute(connection, hour, &watermark.hourly, |query, hourly| {
            let query = query.bind(watermark.platform.as_str()).bind(watermark.report_no as i64);
            query.bind(hourly.hour.micros()).bind(hourly.accepted as i64).bind(hourly.ended as i64)
        })
        .await?;
    }
    bulk::execute(connection, include_str!("sql/insert_registry_row.sql"), &journal.registry, registry_row)
        .await?;

    let calendar = include_str!("sql/insert_calendar_entry.sql");
    bulk::execute(connection, calendar, &journal.calendar, calendar_entry).await?;

    bulk::execute(connection, include_str!("sql/insert_run.sql"), &journal.runs, |query, run| {
        place(query.bind(i64::from(run.run_no)), run.position)
            .bind(i64::from(run.kind.code()))
            .bind(i64::from(run.revision.get()))
            .bind(run.seal.get() as i64)
            .bind(run.asked.as_str())
            .bind(run.outcome.as_str())
    })
    .await?;

    if let Some(request) = &journal.request {
        sqlx::query(include_str!("sql/insert_request.sql"))
            .bind(request.id.as_str())
            .bind(request.call as i64)
            .bind(&request.digest[..])
            .bind(request.journal.get() as i64)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

fn place(query: Bound<'_>, at: Position) -> Bound<'_> {
    query.bind(at.journal.get() as i64).bind(i64::from(at.line_no.get()))
}

fn key<'q>(query: Bound<'q>, order: &'q Order) -> Bound<'q> {
    let key = &order.key;
    query.bind(key.platform.as_str()).bind(key.order_id.as_str()).bind(i64::from(key.assignment_no))
}

/// worker_id to sent_at.
fn content<'q>(query: Bound<'q>, order: &'q Order) -> Bound<'q> {
    query
        .bind(order.worker.uuid())
        .bind(order.industry.as_str())
        .bind(order.area.as_str())
        .bind(order.accepted_at.micros())
        .bind(order.end.map(|end| end.at.micros()))
        .bind(order.end.map(|end| i64::from(end.kind.code())))
        .bind(order.agency.as_ref().map(|c| c.as_str()))
        .bind(order.source_platform.as_ref().map(|c| c.as_str()))
        .bind(order.source_order.as_ref().map(|c| c.as_str()))
        .bind(order.sent_at.map(Instant::micros))
}

fn line<'q>(query: Bound<'q>, line: &'q Line) -> Bound<'q> {
    let query = key(place(query, line.position), &line.order);
    let query = query.bind(i64::from(line.slot.get())).bind(i64::from(line.kind.code()));
    let query = priced(content(query, &line.order), &line.priced);
    query.bind(line.corrects.map(|s| i64::from(s.get()))).bind(line.reversal_reason.map(|r| i64::from(r.code())))
}

fn priced<'q>(query: Bound<'q>, priced: &'q Priced) -> Bound<'q> {
    query
        .bind(priced.amount.map(|a| a.micros()))
        .bind(i64::from(priced.state.code()))
        .bind(i64::from(priced.reason.code()))
        .bind(priced.province.as_str())
        .bind(i64::from(priced.period.number()))
        .bind(i64::from(priced.service_period.number()))
        .bind(priced.rate.map(|r| i64::from(r.get())))
        .bind(i64::from(priced.revision.get()))
}

fn conflict<'q>(query: Bound<'q>, (at, conflict): &'q (Position, &'q Conflict)) -> Bound<'q> {
    let query = content(key(place(query, *at), &conflict.order), &conflict.order);
    let query = query.bind(&conflict.digest[..]).bind(i64::from(conflict.differing.bits()));
    place(query, conflict.compared_with).bind(conflict.received_on.to_string())
}

fn refusal<'q>(query: Bound<'q>, (at, refusal): &'q (Position, &'q Refusal)) -> Bound<'q> {
    place(query, *at)
        .bind(refusal.platform.as_ref().map_or("", |p| p.as_str()))
        .bind(&refusal.digest[..])
        .bind(i64::from(refusal.code.code()))
        .bind(refusal.field.as_str())
        .bind(refusal.payload.as_slice())
        .bind(i64::from(refusal.payload_size))
        .bind(refusal.received_on.to_string())
}

fn registry_row<'q>(query: Bound<'q>, row: &'q RegistryRow) -> Bound<'q> {
    let draft = &row.draft;
    place(query.bind(i64::from(row.id.get())), row.position)
        .bind(i64::from(draft.kind.code()))
        .bind(draft.name.as_str())
        .bind(draft.platform.as_str())
        .bind(draft.province.as_str())
        .bind(draft.industry.as_str())
        .bind(draft.value.as_str())
        .bind(draft.base.map(|b| b.micros()))
        .bind(draft.factor.map(|f| f.millionths()))
        .bind(draft.valid_from.to_string())
        .bind(draft.valid_to.map(|d| d.to_string()))
        .bind(draft.document.as_str())
        .bind(draft.confidence.as_str())
        .bind(draft.supersedes.map(|r| i64::from(r.get())))
}

fn calendar_entry<'q>(query: Bound<'q>, entry: &'q CalendarEntry) -> Bound<'q> {
    let draft = &entry.draft;
    place(query.bind(i64::from(entry.epoch.get())), entry.position)
        .bind(i64::from(draft.step.code()))
        .bind(draft.platform.as_str())
        .bind(draft.province.as_str())
        .bind(i64::from(draft.period.number()))
        .bind(draft.amount.map(|amount| amount.micros()))
        .bind(draft.document.as_str())
        .bind(draft.dated_on.map(|day| day.to_string()))
}

async fn raise(connection: &mut SqliteConnection, repeats: &Repeats) -> StoreResult<()> {
    let refusals: Vec<_> = repeats.refusals.iter().collect();
    bulk::execute(
        connection,
        include_str!("sql/raise_refusals.sql"),
        &refusals,
        |query, ((p, digest, code, day), n)| {
            query
                .bind(p.as_ref().map_or("", |p| p.as_str()))
                .bind(day.to_string())
                .bind(&digest[..])
                .bind(i64::from(code.code()))
                .bind(**n as i64)
        },
    )
    .await?;
    let conflicts: Vec<_> = repeats.conflicts.iter().collect();
    bulk::execute(connection, include_str!("sql/raise_conflicts.sql"), &conflicts, |query, ((key, digest), n)| {
        query
            .bind(key.platform.as_str())
            .bind(key.order_id.as_str())
            .bind(i64::from(key.assignment_no))
            .bind(&digest[..])
            .bind(**n as i64)
    })
    .await?;
    let past_limit = repeats.past_limit();
    bulk::execute(connection, include_str!("sql/raise_past_limit.sql"), &past_limit, |query, row| {
        query
            .bind(row.platform)
            .bind(row.day.to_string())
            .bind(i64::from(row.entry_type))
            .bind(row.arrivals as i64)
    })
    .await?;
    Ok(())
}
