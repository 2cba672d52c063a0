//! Doubtful orders.

use super::Sqlite;
use super::append::{begin, settle};
use super::bulk;
use super::codec::store_error;
use crate::store::StoreResult;
use crate::store::anomalies::Pass;
use crate::store::rows::{self, Columns};
use crate::types::{Anomaly, AnomalyType, Code, Day, SealNo};
use sqlx::SqliteConnection;

impl Sqlite {
    /// How far journals were looked through.
    pub async fn last_anomaly_pass(&self) -> StoreResult<Option<Pass>> {
        let query = sqlx::query(include_str!("sql/last_anomaly_pass.sql"));
        let row = query.fetch_optional(&self.intake).await.map_err(store_error)?;
        row.as_ref().map(rows::anomaly_pass).transpose()
    }

    /// Doubtful orders of the journals after a seal up to another.
    pub async fn doubtful_orders(&self, after: SealNo, to: SealNo) -> StoreResult<Vec<Anomaly>> {
        let (first, last) = self.rows_between(after, to).await?;
        let query = sqlx::query(include_str!("sql/doubtful_orders.sql")).bind(first).bind(last);
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::anomaly).collect()
    }

    /// How many of a platform, type and day are kept, up to the daily bound.
    pub async fn count_anomalies(&self, platform: &Code, kind: AnomalyType, day: Day) -> StoreResult<u32> {
        let query = sqlx::query(include_str!("sql/count_anomalies.sql"))
            .bind(platform.as_str())
            .bind(day.to_string())
            .bind(i64::from(kind.code()))
            .bind(i64::from(Anomaly::DAILY_LIMIT));
        let row = query.fetch_one(&self.intake).await.map_err(store_error)?;
        Ok(row.int("kept")? as u32)
    }

    /// Keeps what a pass found.
    pub async fn insert_anomalies(&self, pass: Pass, today: Day, found: &[Anomaly]) -> StoreResult<()> {
        let mut writer = self.writer.acquire().await.map_err(store_error)?;
        let written = insert(&mut writer, pass, today, found).await;
        settle(&mut writer, &written);
        written
    }

    /// A page of a platform's of a type and day, after one.
    pub async fn anomalies(
        &self,
        platform: &Code,
        kind: AnomalyType,
        day: Day,
        after: Option<&Anomaly>,
        limit: u32,
    ) -> StoreResult<Vec<Anomaly>> {
        let other = after.and_then(|after| after.other.as_ref());
        let query = sqlx::query(include_str!("sql/anomalies.sql"))
            .bind(platform.as_str())
            .bind(day.to_string())
            .bind(i64::from(kind.code()))
            .bind(after.map_or("", |after| after.key.order_id.as_str()))
            .bind(after.map_or(0, |after| i64::from(after.key.assignment_no)))
            .bind(other.map_or("", |key| key.platform.as_str()))
            .bind(other.map_or("", |key| key.order_id.as_str()))
            .bind(other.map_or(0, |key| i64::from(key.assignment_no)))
            .bind(i64::from(limit));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::anomaly).collect()
    }
}

async fn insert(writer: &mut SqliteConnection, pass: Pass, today: Day, found: &[Anomaly]) -> StoreResult<()> {
    let mut transaction = begin(writer).await?;
    let query = sqlx::query(include_str!("sql/insert_anomaly_pass.sql"));
    let query = query.bind(i64::from(pass.pass_no)).bind(pass.seal.get() as i64).bind(today.to_string());
    query.execute(&mut *transaction).await.map_err(store_error)?;
    bulk::execute(&mut transaction, include_str!("sql/insert_anomalies.sql"), found, |query, anomaly| {
        let other = anomaly.other.as_ref();
        query
            .bind(anomaly.key.platform.as_str())
            .bind(today.to_string())
            .bind(i64::from(anomaly.kind.code()))
            .bind(anomaly.key.order_id.as_str())
            .bind(i64::from(anomaly.key.assignment_no))
            .bind(other.map_or("", |key| key.platform.as_str()))
            .bind(other.map_or("", |key| key.order_id.as_str()))
            .bind(other.map_or(0, |key| i64::from(key.assignment_no)))
    })
    .await?;
    transaction.commit().await.map_err(store_error)
}
