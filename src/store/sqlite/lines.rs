//! Lists of lines as they were booked. The lines of a stretch of journals are neighbours in the file.

use super::Sqlite;
use super::codec::store_error;
use crate::ledger::Sealed;
use crate::store::arrays::Arrays;
use crate::store::lines::{Booked, BookedOf, Charges};
use crate::store::rows::corrupt;
use crate::store::{StoreResult, rows};
use crate::types::{Code, Instant, OrderKey, Period, SealNo, Slot};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::str::FromStr;
use uuid::Uuid;

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
        let row = query.fetch_one(&self.reader).await.map_err(store_error)?;
        let lines = arrays(&row)?;
        (0..lines.len()?).map(|at| rows::booked(&lines.row(at))).collect()
    }
}

/// All columns are texts, a line each; an empty one is null.
fn arrays(row: &SqliteRow) -> StoreResult<Arrays<'_>> {
    let texts = |column| row.try_get(column).map(Arrays::texts).map_err(|e| corrupt(column, e));
    fn each<T>(
        column: &'static str,
        texts: StoreResult<Vec<&str>>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> StoreResult<Vec<T>> {
        let parsed: Option<Vec<T>> = texts?.into_iter().map(parse).collect();
        parsed.ok_or_else(|| corrupt(column, "is out of range"))
    }
    fn number<T: FromStr>(text: &str) -> Option<T> {
        text.parse().ok()
    }
    fn optional<T: FromStr>(text: &str) -> Option<Option<T>> {
        if text.is_empty() { Some(None) } else { number(text).map(Some) }
    }
    Ok(Arrays {
        platform_code: texts("platform_code")?,
        order_id: texts("order_id")?,
        province_code: texts("province_code")?,
        industry_code: texts("industry_code")?,
        assignment_no: each("assignment_no", texts("assignment_no"), number)?,
        slot: each("slot", texts("slot"), number)?,
        kind: each("kind", texts("kind"), number)?,
        premium_state: each("premium_state", texts("premium_state"), number)?,
        service_period: each("service_period", texts("service_period"), number)?,
        rate_id: each("rate_id", texts("rate_id"), optional)?,
        worker_id: each("worker_id", texts("worker_id"), |text| Uuid::try_parse(text).ok())?,
        amount: each("amount", texts("amount"), optional)?,
    })
}
