//! Counts by hour.

use super::Sqlite;
use super::bulk;
use super::codec::store_error;
use super::totals::json;
use crate::store::StoreResult;
use crate::store::hours::{self, Hours, ReportedHour};
use crate::types::{Code, HourCounts, Instant};
use sqlx::SqliteConnection;
use std::ops::Range;

impl Sqlite {
    /// What folds count of a platform's hours.
    pub async fn folded_hours(
        &self,
        nodes: &[(u32, u32)],
        platform: &Code,
        span: &Range<Instant>,
    ) -> StoreResult<Vec<(Instant, HourCounts)>> {
        let query = sqlx::query(include_str!("sql/folded_hours.sql")).bind(json(nodes)).bind(platform.as_str());
        let query = query.bind(span.start.micros()).bind(span.end.micros());
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(hours::folded_hour).collect()
    }

    /// See [`crate::store::Store::reported_hours`].
    pub async fn reported_hours(&self, platform: &Code, span: &Range<Instant>) -> StoreResult<Vec<ReportedHour>> {
        let query = sqlx::query(include_str!("sql/reported_hours.sql")).bind(platform.as_str());
        let query = query.bind(span.start.micros()).bind(span.end.micros());
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(hours::reported_hour).collect()
    }
}

/// Keeps what a fold counts.
pub async fn insert_hours(writer: &mut SqliteConnection, fold_no: i64, hours: &Hours) -> StoreResult<()> {
    let rows: Vec<_> = hours.iter().collect();
    bulk::execute(writer, include_str!("sql/insert_hour.sql"), &rows, |query, ((platform, hour), counts)| {
        let query = query.bind(fold_no).bind(platform.as_str()).bind(hour.micros());
        query.bind(counts.accepted).bind(counts.ended)
    })
    .await
    .map(|_| ())
}
