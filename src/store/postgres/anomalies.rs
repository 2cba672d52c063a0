//! Doubtful orders.

use super::Postgres;
use super::codec::{PgDay, store_error};
use crate::store::StoreResult;
use crate::store::anomalies::Pass;
use crate::store::rows::{self, Columns};
use crate::types::{Anomaly, AnomalyType, Code, Day, SealNo};

impl Postgres {
    /// How far journals were looked through.
    pub async fn last_anomaly_pass(&self) -> StoreResult<Option<Pass>> {
        let query = sqlx::query(include_str!("sql/last_anomaly_pass.sql"));
        let row = query.fetch_optional(&self.background).await.map_err(store_error)?;
        row.as_ref().map(rows::anomaly_pass).transpose()
    }

    /// Doubtful orders of the journals after a seal up to another.
    pub async fn doubtful_orders(&self, after: SealNo, to: SealNo) -> StoreResult<Vec<Anomaly>> {
        let query =
            sqlx::query(include_str!("sql/doubtful_orders.sql")).bind(after.get() as i64).bind(to.get() as i64);
        let found = query.fetch_all(&self.background).await.map_err(store_error)?;
        found.iter().map(rows::anomaly).collect()
    }

    /// How many of a platform, type and day are kept, up to the daily bound.
    pub async fn count_anomalies(&self, platform: &Code, kind: AnomalyType, day: Day) -> StoreResult<u32> {
        let query = sqlx::query(include_str!("sql/count_anomalies.sql"))
            .bind(platform.as_str())
            .bind(PgDay(day))
            .bind(i16::from(kind.code()))
            .bind(i64::from(Anomaly::DAILY_LIMIT));
        let row = query.fetch_one(&self.background).await.map_err(store_error)?;
        Ok(row.int("kept")? as u32)
    }

    /// Keeps what a pass found.
    pub async fn insert_anomalies(&self, pass: Pass, today: Day, found: &[Anomaly]) -> StoreResult<()> {
        fn all<'a, T>(found: &'a [Anomaly], of: impl Fn(&'a Anomaly) -> T) -> Vec<T> {
            found.iter().map(of).collect()
        }
        let mut transaction = self.background.begin().await.map_err(store_error)?;
        let query = sqlx::query(include_str!("sql/insert_anomaly_pass.sql"));
        let query = query.bind(pass.pass_no as i32).bind(pass.seal.get() as i64).bind(PgDay(today));
        query.execute(&mut *transaction).await.map_err(store_error)?;
        let other = |anomaly: &Anomaly| anomaly.other.as_ref().map_or(0, |key| i16::from(key.assignment_no));
        let query = sqlx::query(include_str!("sql/insert_anomalies.sql"))
            .bind(PgDay(today))
            .bind(all(found, |anomaly| anomaly.key.platform.as_str()))
            .bind(all(found, |anomaly| i16::from(anomaly.kind.code())))
            .bind(all(found, |anomaly| anomaly.key.order_id.as_str()))
            .bind(all(found, |anomaly| i16::from(anomaly.key.assignment_no)))
            .bind(all(found, |anomaly| anomaly.other.as_ref().map_or("", |key| key.platform.as_str())))
            .bind(all(found, |anomaly| anomaly.other.as_ref().map_or("", |key| key.order_id.as_str())))
            .bind(all(found, other));
        query.execute(&mut *transaction).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)
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
            .bind(PgDay(day))
            .bind(i16::from(kind.code()))
            .bind(after.map_or("", |after| after.key.order_id.as_str()))
            .bind(after.map_or(0, |after| i16::from(after.key.assignment_no)))
            .bind(other.map_or("", |key| key.platform.as_str()))
            .bind(other.map_or("", |key| key.order_id.as_str()))
            .bind(other.map_or(0, |key| i16::from(key.assignment_no)))
            .bind(i64::from(limit));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::anomaly).collect()
    }
}
