//! Questions, each one statement or, where it reads a page and its counter, two.

use super::Sqlite;
use super::bulk::{self, Bound};
use super::codec::store_error;
use crate::ledger::RequestRecord;
use crate::store::rows::{self, Columns, corrupt};
use crate::store::run::TOO_MANY;
use crate::store::{
    Asker, ConflictKey, DayPage, KeptConflict, KeptRefusal, LINES_PER_QUESTION, NewestWatermark, OrdersOfWorker,
    RunsOf, Search, StoreError, StoreResult,
};
use crate::types::{
    CalendarEntry, Code, Day, Digest, ENTRY_CONFLICT, ENTRY_REFUSAL, Epoch, Instant, JournalId, OrderKey, Posted,
    RegistryRow, RequestId, RowId, Run, SealNo, ViolationCode, WorkerId,
};
use sqlx::sqlite::SqliteRow;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// The three parts of a key.
fn key<'q>(query: Bound<'q>, key: &'q &OrderKey) -> Bound<'q> {
    query.bind(key.platform.as_str()).bind(key.order_id.as_str()).bind(i64::from(key.assignment_no))
}

impl Sqlite {
    /// See [`crate::store::Store::orders`].
    pub async fn lines_of(&self, keys: &[&OrderKey], asker: Asker) -> StoreResult<Vec<Posted>> {
        let pool = match asker {
            Asker::Intake => &self.intake,
            Asker::Question => &self.reader,
        };
        let mut connection = pool.acquire().await.map_err(store_error)?;
        let sql = include_str!("sql/lines_of.sql");
        let found = bulk::fetch(&mut connection, sql, keys, key).await?;
        if found.len() > LINES_PER_QUESTION as usize {
            return Err(StoreError::TooMuch("lines of the orders asked about"));
        }
        found.iter().map(rows::posted).collect()
    }

    /// See [`crate::store::Store::request`].
    pub async fn request(&self, id: &RequestId) -> StoreResult<Option<RequestRecord>> {
        let query = sqlx::query(include_str!("sql/request.sql")).bind(id.as_str());
        let row = query.fetch_optional(&self.intake).await.map_err(store_error)?;
        row.map(|row| rows::request(&row, id)).transpose()
    }

    /// See [`crate::store::Store::conflicts_of`].
    pub async fn conflicts_of(&self, keys: &[&OrderKey]) -> StoreResult<Vec<KeptConflict>> {
        let mut connection = self.reader.acquire().await.map_err(store_error)?;
        let sql = include_str!("sql/conflicts_of.sql");
        let found = bulk::fetch(&mut connection, sql, keys, key).await?;
        if found.len() > LINES_PER_QUESTION as usize {
            return Err(StoreError::TooMuch("conflicts of the orders asked about"));
        }
        found.iter().map(rows::conflict).collect()
    }

    /// See [`crate::store::Store::refusals`].
    pub async fn refusals(
        &self,
        platform: Option<&Code>,
        day: Day,
        after: Option<(Digest, ViolationCode)>,
        limit: u32,
    ) -> StoreResult<DayPage<KeptRefusal>> {
        let platform = platform.map_or("", |p| p.as_str());
        let found = sqlx::query(include_str!("sql/refusals.sql"))
            .bind(platform)
            .bind(day.to_string())
            .bind(after.map_or(Vec::new(), |(digest, _)| digest.to_vec()))
            .bind(after.map_or(0, |(_, code)| i64::from(code.code())))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(store_error)?;
        Ok(DayPage {
            rows: found.iter().map(rows::refusal).collect::<Result<_, _>>()?,
            past_limit: self.past_limit(platform, day, ENTRY_REFUSAL).await?,
        })
    }

    /// See [`crate::store::Store::conflicts`].
    pub async fn conflicts(
        &self,
        platform: &Code,
        day: Day,
        after: Option<&ConflictKey>,
        limit: u32,
    ) -> StoreResult<DayPage<KeptConflict>> {
        let found = sqlx::query(include_str!("sql/conflicts.sql"))
            .bind(platform.as_str())
            .bind(day.to_string())
            .bind(after.map_or("", |(key, _)| key.order_id.as_str()))
            .bind(after.map_or(0, |(key, _)| i64::from(key.assignment_no)))
            .bind(after.map_or(Vec::new(), |(_, digest)| digest.to_vec()))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(store_error)?;
        Ok(DayPage {
            rows: found.iter().map(rows::conflict).collect::<Result<_, _>>()?,
            past_limit: self.past_limit(platform.as_str(), day, ENTRY_CONFLICT).await?,
        })
    }

    async fn past_limit(&self, platform: &str, day: Day, entry_type: i16) -> StoreResult<u64> {
        let query = sqlx::query(include_str!("sql/past_limit.sql"));
        let query = query.bind(platform).bind(day.to_string()).bind(i64::from(entry_type));
        let row = query.fetch_one(&self.reader).await.map_err(store_error)?;
        u64::try_from(row.int("arrivals")?).map_err(|_| corrupt("arrivals", "is negative"))
    }

    /// See [`crate::store::Store::watermarks`].
    pub async fn watermarks(
        &self,
        platforms: &[&str],
        known: Option<SealNo>,
    ) -> StoreResult<Vec<NewestWatermark>> {
        let mut connection = self.reader.acquire().await.map_err(store_error)?;
        let (now, then) = (include_str!("sql/watermarks.sql"), include_str!("sql/watermarks_known.sql"));
        let found = match known {
            None => bulk::fetch(&mut connection, now, platforms, |query, code| query.bind(*code)).await?,
            Some(seal) => {
                let seal = seal.get() as i64;
                bulk::fetch(&mut connection, then, platforms, |query, code| query.bind(*code).bind(seal)).await?
            }
        };
        found.iter().map(rows::watermark).collect()
    }

    /// See [`crate::store::Store::last_seal`].
    pub async fn last_seal(&self) -> StoreResult<SealNo> {
        let query = sqlx::query(include_str!("sql/last_seal.sql"));
        rows::seal_no(&query.fetch_one(&self.reader).await.map_err(store_error)?)
    }

    /// See [`crate::store::Store::newest_sealed`].
    pub async fn newest_sealed(&self) -> StoreResult<Option<(SealNo, Instant)>> {
        let query = sqlx::query(include_str!("sql/newest_sealed.sql"));
        let row = query.fetch_optional(&self.reader).await.map_err(store_error)?;
        row.map(|row| Ok((rows::seal_no(&row)?, row.instant("recorded_at")?))).transpose()
    }

    /// See [`crate::store::Store::seal_by`].
    pub async fn seal_by(&self, instant: Instant) -> StoreResult<Option<SealNo>> {
        // A journal under way may carry an earlier instant: it is waited for, and the next one will carry a later one.
        let nobody_writes = self.writer.acquire().await.map_err(store_error)?;
        if instant > self.clock.now() {
            return Ok(None);
        }
        drop(nobody_writes);
        let query = sqlx::query(include_str!("sql/seal_by.sql")).bind(instant.micros());
        rows::seal_no(&query.fetch_one(&self.reader).await.map_err(store_error)?).map(Some)
    }

    /// See [`crate::store::Store::seals_of`].
    pub async fn seals_of(&self, journals: &[JournalId]) -> StoreResult<HashMap<JournalId, SealNo>> {
        let mut connection = self.reader.acquire().await.map_err(store_error)?;
        let sql = include_str!("sql/seals_of.sql");
        let found = bulk::fetch(&mut connection, sql, journals, |query, id| query.bind(id.get() as i64)).await?;
        found.iter().map(rows::seal).collect()
    }

    /// See [`crate::store::Store::watermark_in`].
    pub async fn watermark_in(&self, journal: JournalId) -> StoreResult<Option<NewestWatermark>> {
        let query = sqlx::query(include_str!("sql/watermark_in.sql")).bind(journal.get() as i64);
        let row = query.fetch_optional(&self.reader).await.map_err(store_error)?;
        row.as_ref().map(rows::watermark).transpose()
    }

    /// See [`crate::store::Store::registry_after`].
    pub async fn registry_after(&self, row: RowId) -> StoreResult<Vec<RegistryRow>> {
        let query = sqlx::query(include_str!("sql/registry_after.sql")).bind(i64::from(row.get()));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::registry_row).collect()
    }

    /// See [`crate::store::Store::calendar_after`].
    pub async fn calendar_after(&self, epoch: Epoch) -> StoreResult<Vec<CalendarEntry>> {
        let query = sqlx::query(include_str!("sql/calendar_after.sql")).bind(i64::from(epoch.get()));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::calendar_entry).collect()
    }

    /// See [`crate::store::Store::orders_of_worker`].
    pub async fn orders_of_worker(&self, search: &Search, reports_of: &[&str]) -> StoreResult<OrdersOfWorker> {
        // First: an order that comes in between is one too many, not one that a report promised and nobody sees.
        let newest = self.watermarks(reports_of, None).await?;
        let mut found = OrdersOfWorker { newest, ..OrdersOfWorker::default() };
        for row in
            self.of_worker(include_str!("sql/orders_of_worker.sql"), search.worker, &search.accepted).await?
        {
            let orders = if row.int("is_booked")? == 1 { &mut found.booked } else { &mut found.kept };
            orders.push(rows::worker_order(&row)?);
        }
        if found.booked.len().max(found.kept.len()) > LINES_PER_QUESTION as usize {
            return Err(TOO_MANY);
        }
        let platforms = include_str!("sql/platforms_of_worker.sql");
        for row in self.of_worker(platforms, search.worker, &search.relevant).await? {
            found.platforms.insert(rows::platform(&row)?);
        }
        Ok(found)
    }

    /// Asks the index, and what is not folded into it yet.
    async fn of_worker(
        &self,
        sql: &'static str,
        worker: WorkerId,
        accepted: &RangeInclusive<Instant>,
    ) -> StoreResult<Vec<SqliteRow>> {
        let (from, to) = (*accepted.start(), *accepted.end());
        let unfolded: Vec<String> = self.by_worker.find(worker, from, to).iter().map(i64::to_string).collect();
        let query = sqlx::query(sql).bind(worker.uuid()).bind(from.micros()).bind(to.micros());
        let query = query.bind(format!("[{}]", unfolded.join(","))).bind(i64::from(LINES_PER_QUESTION) + 1);
        query.fetch_all(&self.reader).await.map_err(store_error)
    }

    /// See [`crate::store::Store::runs`].
    pub async fn runs(&self, of: RunsOf, limit: u32) -> StoreResult<Vec<Run>> {
        let query = sqlx::query(include_str!("sql/run.sql"))
            .bind(of.kind.map(|kind| i64::from(kind.code())))
            .bind(of.journal.map(|id| id.get() as i64))
            .bind(of.before.map(i64::from))
            .bind(i64::from(limit));
        let found = query.fetch_all(&self.intake).await.map_err(store_error)?;
        found.iter().map(rows::run).collect()
    }

    /// See [`crate::store::Store::differences`].
    pub async fn differences(&self, journal: JournalId, part_no: u32) -> StoreResult<Option<String>> {
        let query = sqlx::query(include_str!("sql/difference_part.sql"));
        let query = query.bind(journal.get() as i64).bind(i64::from(part_no));
        let row = query.fetch_optional(&self.reader).await.map_err(store_error)?;
        row.map(|row| row.text("differences")).transpose()
    }

    /// See [`crate::store::Store::lines_and_conflicts`].
    pub async fn lines_and_conflicts(&self, keys: &[&OrderKey]) -> StoreResult<(Vec<Posted>, Vec<KeptConflict>)> {
        Ok((self.lines_of(keys, Asker::Question).await?, self.conflicts_of(keys).await?))
    }
}
