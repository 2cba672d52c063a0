//! Appends a journal in one transaction: begin, the journal's row with its run of the index by worker, one COPY for each type of entry it holds, the counters,
//! commit; or, where it holds few lines and nothing else, in one statement (`few`). A commit whose answer was lost is looked up by the
//! journal's id.
//!
//! Round trips of a journal with lines only: 1, or 5 (begin, journal, COPY start, COPY data, commit).
//! Lock order: the calendar (shared where there are lines; alone for a freeze), journal id, slots by key, then the other entries, then counters by key. (Its run and its place among the unsealed are new rows
//! that nobody waits for.)

use super::by_worker::run_of;
use super::codec::{PgDay, PgInstant, store_error};
use super::copy::CopyBuffer;
use super::{Postgres, columns, few};
use crate::ledger::{ENCODING_VERSION, Journal, RequestRecord};
use crate::store::run::Run;
use crate::store::{StoreError, StoreResult, Written};
use crate::types::{Instant, JournalId, Repeats};
use sqlx::{Connection, PgConnection, Row};
use std::time;

/// How long a freeze waits for the journals under way: all others wait for it meanwhile.
const FREEZE_WAIT: &str = "2s";

impl Postgres {
    /// See [`crate::store::Store::append`].
    pub async fn append(&self, journal: &Journal) -> StoreResult<Written> {
        let root = journal.root();
        match self.try_append(journal, &root).await {
            // An earlier try of the same journal may have been committed after all: then its own row and lines are in the way.
            Err(StoreError::Taken(constraint)) => match self.find_journal(journal, &root).await? {
                Some(recorded_at) => Ok(recorded_at.into()),
                None if constraint == "journal_pkey" => {
                    Err(StoreError::Corrupt("journal: its id was used by another".to_owned()))
                }
                None => Err(StoreError::Taken(constraint)),
            },
            // An earlier try may have come before the freeze.
            Err(StoreError::CalendarMoved) => {
                let found = self.find_journal(journal, &root).await?;
                found.map(Written::from).ok_or(StoreError::CalendarMoved)
            }
            // Whether it was committed is not known.
            Err(StoreError::Unavailable(error)) => {
                self.warm.clear();
                self.forget_ids();
                match self.find_journal(journal, &root).await {
                    Ok(Some(recorded_at)) => Ok(recorded_at.into()),
                    _ => Err(StoreError::Unavailable(error)),
                }
            }
            done => done,
        }
    }

    async fn try_append(&self, journal: &Journal, root: &[u8; 32]) -> StoreResult<Written> {
        if few::fits(journal) {
            return self.try_append_few(journal, root).await.map(Written::from);
        }
        let mut writer = self.warm.take().await?;
        let mut transaction = writer.begin().await.map_err(store_error)?;
        let connection = &mut *transaction;
        if journal.freezes() {
            let query = sqlx::query(include_str!("sql/freeze_lock.sql")).bind(FREEZE_WAIT);
            query.execute(&mut *connection).await.map_err(store_error)?;
        }
        let run = run_of(journal);
        let recorded_at = insert_journal(connection, journal, root, run.as_ref()).await?;
        copy(connection, include_str!("sql/copy_line.sql"), &journal.lines, columns::line).await?;
        copy(connection, include_str!("sql/copy_conflict.sql"), journal.placed_conflicts(), columns::conflict)
            .await?;
        copy(connection, include_str!("sql/copy_refusal.sql"), journal.placed_refusals(), columns::refusal)
            .await?;
        copy(connection, include_str!("sql/copy_watermark.sql"), journal.placed_watermarks(), columns::watermark)
            .await?;
        let hours =
            journal.watermarks.iter().flat_map(|mark| mark.hourly.iter().map(move |hourly| (mark, hourly)));
        let hours: Vec<_> = hours.collect();
        copy(connection, include_str!("sql/copy_watermark_hour.sql"), hours, columns::hour).await?;
        copy(connection, include_str!("sql/copy_registry_row.sql"), &journal.registry, columns::registry_row)
            .await?;
        copy(connection, include_str!("sql/copy_calendar_entry.sql"), &journal.calendar, columns::calendar_entry)
            .await?;
        copy(connection, include_str!("sql/copy_run.sql"), &journal.runs, columns::run).await?;
        if let Some(request) = &journal.request {
            insert_request(connection, request).await?;
        }
        raise(connection, &journal.repeats).await?;
        let began = time::Instant::now();
        transaction.commit().await.map_err(store_error)?;
        let commit = Some(began.elapsed());
        self.warm.keep(writer);
        if let Some((run, ..)) = run {
            self.kept.appended(journal.id.get() as i64, run);
        }
        Ok(Written { recorded_at, commit })
    }

    /// See [`crate::store::Store::keep_differences`].
    pub async fn keep_differences(&self, journal: JournalId, part_no: u32, differences: &str) -> StoreResult<()> {
        let query = sqlx::query(include_str!("sql/insert_difference_part.sql"));
        let query = query.bind(journal.get() as i64).bind(part_no as i32).bind(differences);
        query.execute(&self.background).await.map_err(store_error).map(|_| ())
    }

    /// See [`crate::store::Store::raise`].
    pub async fn raise(&self, repeats: &Repeats) -> StoreResult<()> {
        let mut transaction = self.writer.begin().await.map_err(store_error)?;
        raise(&mut transaction, repeats).await?;
        transaction.commit().await.map_err(store_error)
    }

    async fn find_journal(&self, journal: &Journal, root: &[u8; 32]) -> StoreResult<Option<Instant>> {
        let row = sqlx::query(include_str!("sql/journal.sql"))
            .bind(journal.id.get() as i64)
            .bind(&root[..])
            .fetch_optional(&self.writer)
            .await
            .map_err(store_error)?;
        row.map(|r| r.try_get::<PgInstant, _>(0).map(|i| i.0).map_err(store_error)).transpose()
    }
}

async fn insert_journal(
    connection: &mut PgConnection,
    journal: &Journal,
    root: &[u8; 32],
    run: Option<&(Run, Instant, Instant)>,
) -> StoreResult<Instant> {
    let row = sqlx::query(include_str!("sql/insert_journal.sql"))
        .bind(journal.id.get() as i64)
        .bind(journal.count() as i32)
        .bind(i16::from(ENCODING_VERSION))
        .bind(&root[..])
        .bind(run.map(|(run, ..)| run.len() as i64))
        .bind(run.map(|(_, first, _)| PgInstant(*first)))
        .bind(run.map(|(.., last)| PgInstant(*last)))
        .bind((!journal.lines.is_empty()).then_some(journal.epoch.get() as i32))
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    let row = row.ok_or(StoreError::CalendarMoved)?;
    row.try_get::<PgInstant, _>(0).map(|i| i.0).map_err(store_error)
}

/// One COPY, unless there is nothing to copy.
async fn copy<T>(
    connection: &mut PgConnection,
    statement: &str,
    rows: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    write: impl Fn(&mut CopyBuffer, T),
) -> StoreResult<()> {
    let rows = rows.into_iter();
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let mut sink = connection.copy_in_raw(statement).await.map_err(store_error)?;
    let mut buffer = CopyBuffer::new();
    for row in rows {
        write(&mut buffer, row);
        if buffer.is_full() {
            sink.send(buffer.piece()).await.map_err(store_error)?;
            buffer.clear();
        }
    }
    buffer.finish();
    sink.send(buffer.piece()).await.map_err(store_error)?;
    let copied = sink.finish().await.map_err(store_error)?;
    match copied == count as u64 {
        true => Ok(()),
        false => Err(StoreError::Corrupt(format!("COPY took {copied} of {count} rows"))),
    }
}

async fn insert_request(connection: &mut PgConnection, request: &RequestRecord) -> StoreResult<()> {
    sqlx::query(include_str!("sql/insert_request.sql"))
        .bind(request.id.as_str())
        .bind(request.call as i16)
        .bind(&request.digest[..])
        .bind(request.journal.get() as i64)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn raise(connection: &mut PgConnection, repeats: &Repeats) -> StoreResult<()> {
    if !repeats.refusals.is_empty() {
        let keys = || repeats.refusals.keys();
        sqlx::query(include_str!("sql/raise_refusals.sql"))
            .bind(keys().map(|k| k.0.as_ref().map_or("", |p| p.as_str())).collect::<Vec<_>>())
            .bind(keys().map(|k| PgDay(k.3)).collect::<Vec<_>>())
            .bind(keys().map(|k| &k.1[..]).collect::<Vec<_>>())
            .bind(keys().map(|k| i16::from(k.2.code())).collect::<Vec<_>>())
            .bind(repeats.refusals.values().map(|n| *n as i64).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    if !repeats.conflicts.is_empty() {
        let keys = || repeats.conflicts.keys();
        sqlx::query(include_str!("sql/raise_conflicts.sql"))
            .bind(keys().map(|k| k.0.platform.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|k| k.0.order_id.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|k| i16::from(k.0.assignment_no)).collect::<Vec<_>>())
            .bind(keys().map(|k| &k.1[..]).collect::<Vec<_>>())
            .bind(repeats.conflicts.values().map(|n| *n as i64).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    let past_limit = repeats.past_limit();
    if !past_limit.is_empty() {
        sqlx::query(include_str!("sql/raise_past_limit.sql"))
            .bind(past_limit.iter().map(|p| p.platform).collect::<Vec<_>>())
            .bind(past_limit.iter().map(|p| PgDay(p.day)).collect::<Vec<_>>())
            .bind(past_limit.iter().map(|p| p.entry_type).collect::<Vec<_>>())
            .bind(past_limit.iter().map(|p| p.arrivals as i64).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}
