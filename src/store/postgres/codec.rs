//! How the ledger's words stand in Postgres: instants as timestamptz, days as date, money as NUMERIC.

use crate::store::rows::{Columns, corrupt};
use crate::store::{StoreError, StoreResult};
use crate::types::{Day, Instant};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use sqlx::{ColumnIndex, Decode, Encode, Row, Type, ValueRef};

/// Microseconds from 1970 to Postgres's epoch, 2000-01-01T00:00:00Z.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970 to 2000-01-01.
const PG_EPOCH_DAYS: i32 = 10_957;

/// As Postgres writes an instant in binary.
pub fn pg_micros(instant: Instant) -> i64 {
    instant.micros() - PG_EPOCH_MICROS
}

/// As Postgres writes a date in binary.
pub fn pg_days(day: Day) -> i32 {
    day.epoch_days() - PG_EPOCH_DAYS
}

/// An instant as a parameter or a column.
#[derive(Clone, Copy, Debug)]
pub struct PgInstant(pub Instant);

impl Type<Postgres> for PgInstant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl PgHasArrayType for PgInstant {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamptz")
    }
}

impl Encode<'_, Postgres> for PgInstant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&pg_micros(self.0).to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for PgInstant {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let micros = i64::from_be_bytes(binary(&value)?.try_into()?);
        let instant = micros.checked_add(PG_EPOCH_MICROS).and_then(Instant::from_micros);
        instant.map(Self).ok_or_else(|| "is no instant of the years 1 to 9999".into())
    }
}

/// A day as a parameter or a column.
#[derive(Clone, Copy, Debug)]
pub struct PgDay(pub Day);

impl Type<Postgres> for PgDay {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("date")
    }
}

impl PgHasArrayType for PgDay {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_date")
    }
}

impl Encode<'_, Postgres> for PgDay {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&pg_days(self.0).to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for PgDay {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let days = i32::from_be_bytes(binary(&value)?.try_into()?);
        let day = days.checked_add(PG_EPOCH_DAYS).and_then(Day::from_epoch_days);
        day.map(Self).ok_or_else(|| "is no day of the years 1 to 9999".into())
    }
}

fn binary<'r>(value: &PgValueRef<'r>) -> Result<&'r [u8], BoxDynError> {
    match value.format() {
        PgValueFormat::Binary => value.as_bytes(),
        PgValueFormat::Text => Err("came as text; statements with results are prepared".into()),
    }
}

/// An integer of any width. By its width, for a line has many, and each look at a type takes longer than the number.
fn integer(value: &PgValueRef<'_>) -> Result<i64, BoxDynError> {
    match *binary(value)? {
        [a, b] => Ok(i16::from_be_bytes([a, b]).into()),
        [a, b, c, d] => Ok(i32::from_be_bytes([a, b, c, d]).into()),
        ref eight => Ok(i64::from_be_bytes(eight.try_into()?)),
    }
}

fn get<'r, T>(row: &'r PgRow, column: &'static str) -> StoreResult<T>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
    &'static str: ColumnIndex<PgRow>,
{
    row.try_get(column).map_err(|e| corrupt(column, e))
}

impl Columns for PgRow {
    fn text(&self, column: &'static str) -> StoreResult<String> {
        get(self, column)
    }

    fn text_opt(&self, column: &'static str) -> StoreResult<Option<String>> {
        get(self, column)
    }

    fn int(&self, column: &'static str) -> StoreResult<i64> {
        self.int_opt(column)?.ok_or_else(|| corrupt(column, "is null"))
    }

    fn int_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        let value = self.try_get_raw(column).map_err(|e| corrupt(column, e))?;
        if value.is_null() {
            return Ok(None);
        }
        integer(&value).map(Some).map_err(|e| corrupt(column, e))
    }

    fn bytes(&self, column: &'static str) -> StoreResult<Vec<u8>> {
        get(self, column)
    }

    fn bytes_opt(&self, column: &'static str) -> StoreResult<Option<Vec<u8>>> {
        get(self, column)
    }

    fn uuid(&self, column: &'static str) -> StoreResult<uuid::Uuid> {
        get(self, column)
    }

    fn instant_opt(&self, column: &'static str) -> StoreResult<Option<Instant>> {
        Ok(get::<Option<PgInstant>>(self, column)?.map(|i| i.0))
    }

    fn micros_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        let Some(decimal) = get::<Option<Decimal>>(self, column)? else {
            return Ok(None);
        };
        let micros = decimal.checked_mul(Decimal::from(1_000_000)).filter(|m| m.fract().is_zero());
        let micros = micros.and_then(|m| m.to_i64());
        micros.map(Some).ok_or_else(|| corrupt(column, "is no amount of six decimals"))
    }

    fn day_opt(&self, column: &'static str) -> StoreResult<Option<Day>> {
        Ok(get::<Option<PgDay>>(self, column)?.map(|d| d.0))
    }
}

/// What a failed statement means. Constraints are known by name, conditions by SQLSTATE, never by text.
pub fn store_error(error: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(database) = &error else {
        return match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Unavailable(Box::new(error)),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                StoreError::Corrupt(error.to_string())
            }
            _ => StoreError::Failed(Box::new(error)),
        };
    };
    let state = database.code().unwrap_or_default();
    if state == "23505" {
        return StoreError::Taken(database.constraint().unwrap_or("unique").to_owned());
    }
    // 08 connection, 40 serialization and deadlock, 53 resources (disk full too), 55 lock timeout, 57 shutdown and statement
    // timeout, 58 system, 25006 read-only (a standby after a failover).
    let passing = ["08", "40", "53", "55", "57", "58"].contains(&state.get(..2).unwrap_or_default());
    match passing || state == "25006" || state == "25P03" {
        true => StoreError::Unavailable(Box::new(error)),
        false => StoreError::Failed(Box::new(error)),
    }
}
