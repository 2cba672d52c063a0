//! Counts by hour.

use super::Postgres;
use super::codec::{PgInstant, store_error};
use crate::store::StoreResult;
use crate::store::hours::{self, Hours, ReportedHour};
use crate::types::{Code, HourCounts, Instant};
use sqlx::PgConnection;
use std::ops::Range;

impl Postgres {
    /// What folds count of a platform's hours.
    pub async fn folded_hours(
        &self,
        nodes: &[(u32, u32)],
        platform: &Code,
        span: &Range<Instant>,
    ) -> StoreResult<Vec<(Instant, HourCounts)>> {
        let query = sqlx::query(include_str!("sql/folded_hours.sql"))
            .bind(nodes.iter().map(|(level, _)| *level as i16).collect::<Vec<_>>())
            .bind(nodes.iter().map(|(_, fold_no)| *fold_no as i32).collect::<Vec<_>>())
            .bind(platform.as_str())
            .bind(PgInstant(span.start))
            .bind(PgInstant(span.end));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(hours::folded_hour).collect()
    }

    /// See [`crate::store::Store::reported_hours`].
    pub async fn reported_hours(&self, platform: &Code, span: &Range<Instant>) -> StoreResult<Vec<ReportedHour>> {
        let query = sqlx::query(include_str!("sql/reported_hours.sql")).bind(platform.as_str());
        let query = query.bind(PgInstant(span.start)).bind(PgInstant(span.end));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(hours::reported_hour).collect()
    }
}

/// Keeps what a fold counts.
pub async fn insert_hours(connection: &mut PgConnection, fold_no: u32, hours: &Hours) -> StoreResult<()> {
    let query = sqlx::query(include_str!("sql/insert_hours.sql"))
        .bind(fold_no as i32)
        .bind(hours.keys().map(|(platform, _)| platform.as_str()).collect::<Vec<_>>())
        .bind(hours.keys().map(|(_, hour)| PgInstant(*hour)).collect::<Vec<_>>())
        .bind(hours.values().map(|counts| counts.accepted).collect::<Vec<_>>())
        .bind(hours.values().map(|counts| counts.ended).collect::<Vec<_>>());
    query.execute(connection).await.map_err(store_error).map(|_| ())
}
