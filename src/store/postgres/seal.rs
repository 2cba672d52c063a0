//! Gives committed journals their seals: gap-free numbers, in the order of arrival. Every instance tries again and again; whoever comes
//! first does it, in one statement, so that an instance which is stopped in the middle keeps nobody waiting. Also seals every journal
//! of an instance that is gone.
//!
//! Why the promise holds: a journal takes its arrival number within its transaction, so one that was acknowledged before another
//! began has the lower number, and whoever sees the other sees it too.

use super::Postgres;
use super::codec::{PgInstant, store_error};
use crate::store::rows::{Columns, seal_no};
use crate::store::{StoreError, StoreResult};
use crate::types::{self, JournalId, SealNo};
use sqlx::Row;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How often journals are sealed.
const SEAL_EVERY: Duration = Duration::from_millis(200);
/// Most journals sealed in one transaction.
const SEALS_AT_ONCE: i64 = 10_000;

/// How long a question waits until what was booked before it is sealed.
const SEALED_WITHIN: Duration = Duration::from_secs(10);
/// How often it tries, while another seals.
const SEAL_AGAIN: Duration = Duration::from_millis(5);

/// Seals until it is aborted.
pub async fn run(store: Postgres) {
    let mut ticks = interval(SEAL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        let sealed = store.seal_all().await;
        // Told once: it is tried five times a second.
        if let Err(error) = &sealed
            && !failing
        {
            tracing::warn!(%error, "journals cannot be sealed");
        }
        failing = sealed.is_err();
    }
}

impl Postgres {
    async fn seal_all(&self) -> StoreResult<()> {
        while self.seal().await? == SEALS_AT_ONCE {}
        Ok(())
    }

    /// See [`crate::store::Store::seal_booked`].
    pub async fn seal_booked(&self) -> StoreResult<SealNo> {
        let asked = |sql| sqlx::query(sql).fetch_one(&self.background);
        let newest = asked(include_str!("sql/newest_arrival.sql")).await.map_err(store_error)?;
        if let Some(newest) = newest.int_opt("arrival_no")? {
            let until = Instant::now() + SEALED_WITHIN;
            loop {
                self.seal_all().await?;
                let query = sqlx::query(include_str!("sql/waits_for_seal.sql")).bind(newest);
                let row = query.fetch_one(&self.background).await.map_err(store_error)?;
                if !row.try_get::<bool, _>("waits").map_err(store_error)? {
                    break;
                }
                if Instant::now() > until {
                    return Err(StoreError::Unavailable("journals are not sealed in time".into()));
                }
                sleep(SEAL_AGAIN).await;
            }
        }
        self.last_seal().await
    }

    /// How many it sealed; none where somebody else is at it.
    async fn seal(&self) -> StoreResult<i64> {
        let query = sqlx::query(include_str!("sql/seal.sql")).bind(SEALS_AT_ONCE);
        match query.fetch_all(&self.background).await.map_err(store_error) {
            Ok(rows) => rows.first().map_or(Ok(0), |row| row.int("sealed")),
            // Another gave these numbers while this statement waited to begin.
            Err(StoreError::Taken(_)) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// See [`crate::store::Store::unsealed`].
    pub async fn unsealed(&self) -> StoreResult<(u64, Duration)> {
        let query = sqlx::query(include_str!("sql/unsealed.sql"));
        let row = query.fetch_one(&self.background).await.map_err(store_error)?;
        let waited = row.int_opt("waited")?.and_then(|micros| u64::try_from(micros).ok());
        Ok((row.int("journals")? as u64, Duration::from_micros(waited.unwrap_or_default())))
    }

    /// See [`crate::store::Store::last_seal`].
    pub async fn last_seal(&self) -> StoreResult<SealNo> {
        let query = sqlx::query(include_str!("sql/last_seal.sql"));
        seal_no(&query.fetch_one(&self.reader).await.map_err(store_error)?)
    }

    /// See [`crate::store::Store::newest_sealed`].
    pub async fn newest_sealed(&self) -> StoreResult<Option<(SealNo, types::Instant)>> {
        let query = sqlx::query(include_str!("sql/newest_sealed.sql"));
        let row = query.fetch_optional(&self.reader).await.map_err(store_error)?;
        row.map(|row| Ok((seal_no(&row)?, row.instant("recorded_at")?))).transpose()
    }

    /// See [`crate::store::Store::seal_by`].
    pub async fn seal_by(&self, instant: types::Instant) -> StoreResult<Option<SealNo>> {
        let mut transaction = self.reader.begin().await.map_err(store_error)?;
        // A sealing under way may carry an earlier instant: it is waited for, and the next one will carry a later one.
        let lock = sqlx::query(include_str!("sql/sealing_lock.sql"));
        lock.execute(&mut *transaction).await.map_err(store_error)?;
        let query = sqlx::query(include_str!("sql/seal_by.sql")).bind(PgInstant(instant));
        let row = query.fetch_one(&mut *transaction).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        row.int_opt("seal_no")?.map(|_| seal_no(&row)).transpose()
    }

    /// See [`crate::store::Store::seals_of`].
    pub async fn seals_of(&self, journals: &[JournalId]) -> StoreResult<HashMap<JournalId, SealNo>> {
        let ids: Vec<i64> = journals.iter().map(|id| id.get() as i64).collect();
        let query = sqlx::query(include_str!("sql/seals_of.sql")).bind(ids);
        let rows = query.fetch_all(&self.reader).await.map_err(store_error)?;
        rows.iter().map(crate::store::rows::seal).collect()
    }
}
