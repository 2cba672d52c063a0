//! Lists of lines as they were booked.

use super::Postgres;
use super::codec::{PgInstant, store_error};
use crate::ledger::Sealed;
use crate::store::lines::{Booked, BookedOf, Charges};
use crate::store::rows::{Columns, corrupt};
use crate::store::{StoreError, StoreResult, rows};
use crate::types::{Code, Day, Instant, OrderKey, Period, SealNo, Slot};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

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
        let lines = Arrays::of(&row)?;
        (0..lines.slot.len()).map(|at| rows::booked(&lines.row(at))).collect()
    }
}

/// Lines column by column.
struct Arrays<'r> {
    platform_code: Vec<&'r str>,
    order_id: Vec<&'r str>,
    province_code: Vec<&'r str>,
    industry_code: Vec<&'r str>,
    assignment_no: Vec<i16>,
    slot: Vec<i16>,
    kind: Vec<i16>,
    premium_state: Vec<i16>,
    service_period: Vec<i32>,
    rate_id: Vec<Option<i32>>,
    worker_id: Vec<Uuid>,
    amount: Vec<Option<i64>>,
}

impl<'r> Arrays<'r> {
    fn of(row: &'r PgRow) -> StoreResult<Self> {
        fn array<'r, T>(row: &'r PgRow, column: &'static str) -> StoreResult<Vec<T>>
        where
            Vec<T>: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
        {
            let array: Option<Vec<T>> = row.try_get(column).map_err(|e| corrupt(column, e))?;
            Ok(array.unwrap_or_default())
        }
        // Codes and ids are visible characters: none is empty or holds a line's end.
        let texts = |column| -> StoreResult<Vec<&'r str>> {
            let text: Option<&str> = row.try_get(column).map_err(|e| corrupt(column, e))?;
            Ok(text.map(|text| text.split('\n').collect()).unwrap_or_default())
        };
        let arrays = Self {
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
        };
        let texts = [&arrays.platform_code, &arrays.order_id, &arrays.province_code, &arrays.industry_code];
        match texts.iter().all(|texts| texts.len() == arrays.slot.len()) {
            true => Ok(arrays),
            false => Err(StoreError::Corrupt("line: a code or id has a line's end in it".to_owned())),
        }
    }

    const fn row(&self, at: usize) -> ArrayRow<'_> {
        ArrayRow { lines: self, at }
    }
}

/// One of them.
struct ArrayRow<'r> {
    lines: &'r Arrays<'r>,
    at: usize,
}

fn absent<T>(column: &'static str) -> StoreResult<T> {
    Err(corrupt(column, "is not among the columns"))
}

impl Columns for ArrayRow<'_> {
    fn text(&self, column: &'static str) -> StoreResult<String> {
        let texts = match column {
            "platform_code" => &self.lines.platform_code,
            "order_id" => &self.lines.order_id,
            "province_code" => &self.lines.province_code,
            "industry_code" => &self.lines.industry_code,
            _ => return absent(column),
        };
        Ok(texts[self.at].to_owned())
    }

    fn int(&self, column: &'static str) -> StoreResult<i64> {
        let numbers = match column {
            "assignment_no" => &self.lines.assignment_no,
            "slot" => &self.lines.slot,
            "kind" => &self.lines.kind,
            "premium_state" => &self.lines.premium_state,
            "service_period" => return Ok(self.lines.service_period[self.at].into()),
            _ => return absent(column),
        };
        Ok(numbers[self.at].into())
    }

    fn int_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        match column {
            "rate_id" => Ok(self.lines.rate_id[self.at].map(i64::from)),
            _ => self.int(column).map(Some),
        }
    }

    fn uuid(&self, column: &'static str) -> StoreResult<Uuid> {
        match column {
            "worker_id" => Ok(self.lines.worker_id[self.at]),
            _ => absent(column),
        }
    }

    fn micros_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        match column {
            "amount" => Ok(self.lines.amount[self.at]),
            _ => absent(column),
        }
    }

    fn text_opt(&self, column: &'static str) -> StoreResult<Option<String>> {
        absent(column)
    }

    fn bytes(&self, column: &'static str) -> StoreResult<Vec<u8>> {
        absent(column)
    }

    fn bytes_opt(&self, column: &'static str) -> StoreResult<Option<Vec<u8>>> {
        absent(column)
    }

    fn instant_opt(&self, column: &'static str) -> StoreResult<Option<Instant>> {
        absent(column)
    }

    fn day_opt(&self, column: &'static str) -> StoreResult<Option<Day>> {
        absent(column)
    }
}
