//! Questions, each one statement (two, where orders of a worker are disputed). Those of the intake run as the writer, those of people as the reader.

use super::Postgres;
use super::codec::{PgDay, store_error};
use crate::ledger::RequestRecord;
use crate::store::rows::{self, Columns, corrupt};
use crate::store::{
    Asker, ConflictKey, DayPage, KeptConflict, KeptRefusal, LINES_PER_QUESTION, NewestWatermark, RunsOf,
    StoreError, StoreResult,
};
use crate::types::{
    CalendarEntry, Code, Day, Digest, ENTRY_CONFLICT, ENTRY_REFUSAL, Epoch, JournalId, OrderKey, Posted,
    RegistryRow, RequestId, RowId, Run, SealNo, ViolationCode,
};
use sqlx::Row;
use sqlx::postgres::{PgExecutor, PgRow};
use std::collections::BTreeSet;

/// What a question about keys has too many of.
const LINES: &str = "lines of the orders asked about";

/// Rows of these keys, at most [`LINES_PER_QUESTION`].
async fn of_keys(
    connection: impl PgExecutor<'_>,
    sql: &'static str,
    keys: &[&OrderKey],
    too_many: &'static str,
) -> StoreResult<Vec<PgRow>> {
    let rows = sqlx::query(sql)
        .bind(keys.iter().map(|key| key.platform.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.order_id.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| i16::from(key.assignment_no)).collect::<Vec<_>>())
        .bind(i64::from(LINES_PER_QUESTION) + 1)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    match rows.len() > LINES_PER_QUESTION as usize {
        true => Err(StoreError::TooMuch(too_many)),
        false => Ok(rows),
    }
}

impl Postgres {
    /// See [`crate::store::Store::orders`].
    pub async fn lines_of(&self, keys: &[&OrderKey], asker: Asker) -> StoreResult<Vec<Posted>> {
        let warm = match asker {
            Asker::Intake => &self.warm,
            Asker::Question => &self.warm_reader,
        };
        let mut connection = warm.take().await?;
        let found = of_keys(&mut *connection, include_str!("sql/lines_of.sql"), keys, LINES).await?;
        warm.keep(connection);
        found.iter().map(rows::posted).collect()
    }

    /// See [`crate::store::Store::request`].
    pub async fn request(&self, id: &RequestId) -> StoreResult<Option<RequestRecord>> {
        let row = sqlx::query(include_str!("sql/request.sql"))
            .bind(id.as_str())
            .fetch_optional(&self.writer)
            .await
            .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        rows::request(&row, id).map(Some)
    }

    /// See [`crate::store::Store::conflicts_of`].
    pub async fn conflicts_of(&self, keys: &[&OrderKey]) -> StoreResult<Vec<KeptConflict>> {
        let too_many = "conflicts of the orders asked about";
        let found = of_keys(&self.reader, include_str!("sql/conflicts_of.sql"), keys, too_many).await?;
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
            .bind(PgDay(day))
            .bind(after.map_or(Vec::new(), |(digest, _)| digest.to_vec()))
            .bind(after.map_or(0, |(_, code)| i16::from(code.code())))
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
            .bind(PgDay(day))
            .bind(after.map_or("", |(key, _)| key.order_id.as_str()))
            .bind(after.map_or(0, |(key, _)| i16::from(key.assignment_no)))
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
        let row = sqlx::query(include_str!("sql/past_limit.sql"))
            .bind(platform)
            .bind(PgDay(day))
            .bind(entry_type)
            .fetch_one(&self.reader)
            .await
            .map_err(store_error)?;
        u64::try_from(row.int("arrivals")?).map_err(|_| corrupt("arrivals", "is negative"))
    }

    /// See [`crate::store::Store::watermarks`].
    pub async fn watermarks(
        &self,
        platforms: &[&str],
        known: Option<SealNo>,
    ) -> StoreResult<Vec<NewestWatermark>> {
        let query = match known {
            None => sqlx::query(include_str!("sql/watermarks.sql")).bind(platforms),
            Some(seal) => {
                let query = sqlx::query(include_str!("sql/watermarks_known.sql")).bind(platforms);
                query.bind(seal.get() as i64)
            }
        };
        let mut connection = self.warm_reader.take().await?;
        let found = query.fetch_all(&mut *connection).await.map_err(store_error)?;
        self.warm_reader.keep(connection);
        found.iter().map(rows::watermark).collect()
    }

    /// See [`crate::store::Store::watermark_in`].
    pub async fn watermark_in(&self, journal: JournalId) -> StoreResult<Option<NewestWatermark>> {
        let row = sqlx::query(include_str!("sql/watermark_in.sql"))
            .bind(journal.get() as i64)
            .fetch_optional(&self.reader)
            .await
            .map_err(store_error)?;
        row.as_ref().map(rows::watermark).transpose()
    }

    /// See [`crate::store::Store::registry_after`].
    pub async fn registry_after(&self, row: RowId) -> StoreResult<Vec<RegistryRow>> {
        let found = sqlx::query(include_str!("sql/registry_after.sql"))
            .bind(row.get() as i32)
            .fetch_all(&self.background)
            .await
            .map_err(store_error)?;
        found.iter().map(rows::registry_row).collect()
    }

    /// See [`crate::store::Store::calendar_after`].
    pub async fn calendar_after(&self, epoch: Epoch) -> StoreResult<Vec<CalendarEntry>> {
        let query = sqlx::query(include_str!("sql/calendar_after.sql")).bind(epoch.get() as i32);
        let found = query.fetch_all(&self.background).await.map_err(store_error)?;
        found.iter().map(rows::calendar_entry).collect()
    }

    /// See [`crate::store::Store::runs`].
    pub async fn runs(&self, of: RunsOf, limit: u32) -> StoreResult<Vec<Run>> {
        let query = sqlx::query(include_str!("sql/run.sql"))
            .bind(of.kind.map(|kind| i16::from(kind.code())))
            .bind(of.journal.map(|id| id.get() as i64))
            .bind(of.before.map(|run_no| run_no as i32))
            .bind(i64::from(limit));
        let found = query.fetch_all(&self.background).await.map_err(store_error)?;
        found.iter().map(rows::run).collect()
    }

    /// See [`crate::store::Store::differences`].
    pub async fn differences(&self, journal: JournalId, part_no: u32) -> StoreResult<Option<String>> {
        let query = sqlx::query(include_str!("sql/difference_part.sql"));
        let query = query.bind(journal.get() as i64).bind(part_no as i32);
        let row = query.fetch_optional(&self.reader).await.map_err(store_error)?;
        row.map(|row| row.text("differences")).transpose()
    }

    /// See [`crate::store::Store::lines_and_conflicts`].
    pub async fn lines_and_conflicts(&self, keys: &[&OrderKey]) -> StoreResult<(Vec<Posted>, Vec<KeptConflict>)> {
        let mut connection = self.warm_reader.take().await?;
        let found = of_keys(&mut *connection, include_str!("sql/lines_and_disputes_of.sql"), keys, LINES).await?;
        self.warm_reader.keep(connection);
        let lines = found.iter().map(rows::posted).collect::<StoreResult<Vec<_>>>()?;
        let mut disputed = BTreeSet::new();
        for (row, posted) in found.iter().zip(&lines) {
            if row.try_get::<bool, _>("disputed").map_err(store_error)? {
                disputed.insert(&posted.line.order.key);
            }
        }
        let conflicts = match disputed.is_empty() {
            true => Vec::new(),
            false => self.conflicts_of(&disputed.into_iter().collect::<Vec<_>>()).await?,
        };
        Ok((lines, conflicts))
    }
}
