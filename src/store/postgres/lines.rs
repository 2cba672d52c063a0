//! Lists of lines as they were booked.

use super::Postgres;
use super::codec::{PgInstant, store_error};
use crate::ledger::Sealed;
use crate::store::arrays::Arrays;
use crate::store::lines::{Booked, BookedOf, Charges};
use crate::store::rows::corrupt;
use crate::store::{StoreResult, rows};
use crate::types::{Code, OrderKey, Period, SealNo, Slot};
use sqlx::Row;
use sqlx::postgres::PgRow;

impl Postgres {
    /// The lines of a platform and month in the journals after a seal up to another, as they were booked.
    pub async fn lines_between(
        &self,
        platform: &Code,
        period: Period,
        after: SealNo,
        to: SealNo,
    ) -> StoreResult<Vec<Sealed>> {
        let query = sqlx::query(include_str!("sql/lines_between.sql"))
            .bind(platform.as_str())
            .bind(period.number())
            .bind(after.get() as i64)
            .bind(to.get() as i64);
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(|row| Ok((rows::seal_no(row)?, rows::posted(row)?))).collect()
    }

    /// Such CHARGE lines in the journals after a seal up to another.
    pub async fn charges_between(
        &self,
        charges: &Charges,
        after: SealNo,
        to: SealNo,
    ) -> StoreResult<Vec<(OrderKey, Slot)>> {
        let query = sqlx::query(include_str!("sql/charges_between.sql"))
            .bind(after.get() as i64)
            .bind(to.get() as i64)
            .bind(charges.platform.as_ref().map(Code::as_str))
            .bind(charges.province.as_ref().map(|province| province.as_str()))
            .bind(charges.industry.as_ref().map(Code::as_str))
            .bind(PgInstant(charges.from))
            .bind(charges.before.map(PgInstant))
            .bind(charges.revision.get() as i32);
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::slot_of_order).collect()
    }

    /// Such lines in the journals after a seal up to another.
    pub async fn booked_between(&self, of: &BookedOf, after: SealNo, to: SealNo) -> StoreResult<Vec<Booked>> {
        let query = sqlx::query(include_str!("sql/booked_between.sql"))
            .bind(after.get() as i64)
            .bind(to.get() as i64)
            .bind(of.period.number())
            .bind(of.platform.as_ref().map(Code::as_str))
            .bind(of.province.as_ref().map(|province| province.as_str()))
            .bind(of.industry.as_ref().map(Code::as_str));
        let row = query.fetch_one(&self.reader).await.map_err(store_error)?;
        let lines = arrays(&row)?;
        (0..lines.len()?).map(|at| rows::booked(&lines.row(at))).collect()
    }
}

fn arrays(row: &PgRow) -> StoreResult<Arrays<'_>> {
    fn array<'r, T>(row: &'r PgRow, column: &'static str) -> StoreResult<Vec<T>>
    where
        Vec<T>: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let array: Option<Vec<T>> = row.try_get(column).map_err(|e| corrupt(column, e))?;
        Ok(array.unwrap_or_default())
    }
    let texts = |column| row.try_get(column).map(Arrays::texts).map_err(|e| corrupt(column, e));
    Ok(Arrays {
        platform_code: texts("platform_code")?,
        order_id: texts("order_id")?,
        province_code: texts("province_code")?,
        industry_code: texts("industry_code")?,
        assignment_no: array(row, "assignment_no")?,
        slot: array(row, "slot")?,
        kind: array(row, "kind")?,
        premium_state: array(row, "premium_state")?,
        service_period: array(row, "service_period")?,
        rate_id: array(row, "rate_id")?,
        worker_id: array(row, "worker_id")?,
        amount: array(row, "amount")?,
    })
}
