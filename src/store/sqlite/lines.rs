//! Lists of lines as they were booked. The lines of a stretch of journals are neighbours in the file.

use super::Sqlite;
use super::codec::store_error;
use crate::ledger::Sealed;
use crate::store::lines::{Booked, BookedOf, Charges};
use crate::store::{StoreResult, rows};
use crate::types::{Code, Instant, OrderKey, Period, SealNo, Slot};

impl Sqlite {
    /// The lines of a platform and month in the journals after a seal up to another, as they were booked.
    pub async fn lines_between(
        &self,
        platform: &Code,
        period: Period,
        after: SealNo,
        to: SealNo,
    ) -> StoreResult<Vec<Sealed>> {
        let (first, last) = self.rows_between(after, to).await?;
        let query = sqlx::query(include_str!("sql/lines_between.sql")).bind(platform.as_str());
        let query = query.bind(i64::from(period.number())).bind(first).bind(last);
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
        let (first, last) = self.rows_between(after, to).await?;
        let query = sqlx::query(include_str!("sql/charges_between.sql"))
            .bind(first)
            .bind(last)
            .bind(charges.platform.as_ref().map(Code::as_str))
            .bind(charges.province.as_ref().map(|province| province.as_str()))
            .bind(charges.industry.as_ref().map(Code::as_str))
            .bind(charges.from.micros())
            .bind(charges.before.map(Instant::micros))
            .bind(i64::from(charges.revision.get()));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::slot_of_order).collect()
    }

    /// Such lines in the journals after a seal up to another.
    pub async fn booked_between(&self, of: &BookedOf, after: SealNo, to: SealNo) -> StoreResult<Vec<Booked>> {
        let (first, last) = self.rows_between(after, to).await?;
        let query = sqlx::query(include_str!("sql/booked_between.sql"))
            .bind(first)
            .bind(last)
            .bind(i64::from(of.period.number()))
            .bind(of.platform.as_ref().map(Code::as_str))
            .bind(of.province.as_ref().map(|province| province.as_str()))
            .bind(of.industry.as_ref().map(Code::as_str));
        let found = query.fetch_all(&self.reader).await.map_err(store_error)?;
        found.iter().map(rows::booked).collect()
    }
}
