//! What is kept already of the doubtful orders of a group.

use super::Postgres;
use super::codec::{PgDay, store_error};
use crate::store::rows::{self, Columns, corrupt};
use crate::store::{ConflictKey, Doubts, RefusalKey, StoreResult};
use crate::types::{Code, DAILY_LIMIT, Day};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::{BTreeSet, HashMap};

impl Postgres {
    /// See [`crate::store::Store::doubts`].
    pub async fn doubts(&self, refusals: &[RefusalKey], conflicts: &[ConflictKey]) -> StoreResult<Doubts> {
        let row = sqlx::query(include_str!("sql/today.sql")).fetch_one(&self.writer).await.map_err(store_error)?;
        let today = row.try_get::<PgDay, _>(0).map_err(store_error)?.0;
        let mut doubts = Doubts {
            today,
            refusals: Vec::new(),
            conflicts: Vec::new(),
            refusals_today: HashMap::new(),
            conflicts_today: HashMap::new(),
        };
        if !refusals.is_empty() {
            doubts.refusals = self.known_refusals(refusals, today).await?;
            let platforms: BTreeSet<&str> =
                refusals.iter().map(|(p, ..)| p.as_ref().map_or("", Code::as_str)).collect();
            let counts = self.count(include_str!("sql/count_refusals.sql"), &platforms, today).await?;
            for row in counts {
                let platform = row.text("platform_code")?;
                let platform = Some(platform).filter(|p| !p.is_empty()).map(Code::parse).transpose();
                let platform = platform.map_err(|e| corrupt("platform_code", e))?;
                doubts.refusals_today.insert(platform, row.int("kept")? as u64);
            }
        }
        if !conflicts.is_empty() {
            doubts.conflicts = self.known_conflicts(conflicts).await?;
            let platforms: BTreeSet<&str> = conflicts.iter().map(|(key, _)| key.platform.as_str()).collect();
            let counts = self.count(include_str!("sql/count_conflicts.sql"), &platforms, today).await?;
            for row in counts {
                doubts.conflicts_today.insert(rows::platform(&row)?, row.int("kept")? as u64);
            }
        }
        Ok(doubts)
    }

    async fn known_refusals(&self, refusals: &[RefusalKey], today: Day) -> StoreResult<Vec<bool>> {
        let found = sqlx::query(include_str!("sql/known_refusals.sql"))
            .bind(refusals.iter().map(|(p, ..)| p.as_ref().map_or("", Code::as_str)).collect::<Vec<_>>())
            .bind(refusals.iter().map(|(_, digest, _)| &digest[..]).collect::<Vec<_>>())
            .bind(refusals.iter().map(|(.., code)| i16::from(code.code())).collect::<Vec<_>>())
            .bind(PgDay(today))
            .fetch_all(&self.writer)
            .await
            .map_err(store_error)?;
        flags(&found, refusals.len())
    }

    async fn known_conflicts(&self, conflicts: &[ConflictKey]) -> StoreResult<Vec<bool>> {
        let found = sqlx::query(include_str!("sql/known_conflicts.sql"))
            .bind(conflicts.iter().map(|(key, _)| key.platform.as_str()).collect::<Vec<_>>())
            .bind(conflicts.iter().map(|(key, _)| key.order_id.as_str()).collect::<Vec<_>>())
            .bind(conflicts.iter().map(|(key, _)| i16::from(key.assignment_no)).collect::<Vec<_>>())
            .bind(conflicts.iter().map(|(_, digest)| &digest[..]).collect::<Vec<_>>())
            .fetch_all(&self.writer)
            .await
            .map_err(store_error)?;
        flags(&found, conflicts.len())
    }

    async fn count(
        &self,
        statement: &'static str,
        platforms: &BTreeSet<&str>,
        today: Day,
    ) -> StoreResult<Vec<PgRow>> {
        let counted = sqlx::query(statement)
            .bind(platforms.iter().copied().collect::<Vec<_>>())
            .bind(PgDay(today))
            .bind(DAILY_LIMIT as i64)
            .fetch_all(&self.writer)
            .await;
        counted.map_err(store_error)
    }
}

/// A flag for each of `asked`, set where a row names it by its number from 1.
pub fn flags(found: &[PgRow], asked: usize) -> StoreResult<Vec<bool>> {
    let mut flags = vec![false; asked];
    for row in found {
        let n: i64 = row.try_get(0).map_err(store_error)?;
        let flag = usize::try_from(n - 1).ok().and_then(|i| flags.get_mut(i));
        *flag.ok_or_else(|| corrupt("n", "names nothing that was asked"))? = true;
    }
    Ok(flags)
}
