//! Appends a journal of few lines in one statement and one round trip; a COPY takes four more, and pays from [`FEW_LINES`] on.

use super::Postgres;
use super::by_worker::run_of;
use super::codec::{PgInstant, store_error};
use super::columns::{self, LINE_TYPES};
use super::copy::CopyBuffer;
use crate::ledger::{ENCODING_VERSION, Journal};
use crate::store::{StoreError, StoreResult};
use crate::types::{Instant, Line, Repeats};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, PgConnection, Row, Type};

/// Most lines of such a journal.
pub const FEW_LINES: usize = 32;

/// The database's numbers for `ledger.line_row` and for an array of it.
#[derive(Clone, Copy, Debug)]
pub struct LineRowType {
    row: Oid,
    rows: Oid,
}

impl LineRowType {
    /// As this database numbers them.
    pub async fn of(connection: &mut PgConnection) -> StoreResult<Self> {
        let sql = include_str!("sql/line_row_type.sql");
        let found = sqlx::query(sql).fetch_one(connection).await.map_err(store_error)?;
        let oid = |place: usize| found.try_get(place).map_err(store_error);
        Ok(Self { row: oid(0)?, rows: oid(1)? })
    }
}

/// Lines as an array of rows.
struct Rows<'a>(&'a [Line], LineRowType);

impl Type<sqlx::Postgres> for Rows<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("ledger.line_row[]")
    }
}

impl<'q> Encode<'q, sqlx::Postgres> for Rows<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Self(lines, LineRowType { row, .. }) = self;
        // One dimension without nulls, counted from 1.
        for word in [1, 0, row.0, lines.len() as u32, 1] {
            buffer.extend_from_slice(&word.to_be_bytes());
        }
        let mut records = CopyBuffer::records(std::mem::take(&mut **buffer), &LINE_TYPES);
        for line in *lines {
            records.record(|record| columns::line(record, line));
        }
        **buffer = records.into_bytes();
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(self.1.rows))
    }
}

/// The journal is one of few lines and nothing else.
pub fn fits(journal: &Journal) -> bool {
    journal.lines.len() == journal.count()
        && journal.lines.len() <= FEW_LINES
        && journal.request.is_none()
        && journal.repeats == Repeats::default()
}

impl Postgres {
    pub(super) async fn try_append_few(&self, journal: &Journal, root: &[u8; 32]) -> StoreResult<Instant> {
        let (run, first, last) =
            run_of(journal).ok_or_else(|| StoreError::Corrupt("journal: no lines".to_owned()))?;
        let query = sqlx::query(include_str!("sql/append_few.sql"))
            .bind(journal.id.get() as i64)
            .bind(journal.count() as i32)
            .bind(i16::from(ENCODING_VERSION))
            .bind(&root[..])
            .bind(Rows(&journal.lines, self.line_row))
            .bind(run.len() as i64)
            .bind(PgInstant(first))
            .bind(PgInstant(last))
            .bind(journal.epoch.get() as i32);
        // All rows, not the first: the statement's transaction has ended only once its last word was read.
        let mut connection = self.warm.take().await?;
        let rows = query.fetch_all(&mut *connection).await.map_err(store_error)?;
        self.warm.keep(connection);
        let row = rows.first().ok_or(StoreError::CalendarMoved)?;
        let inserted: i64 = row.try_get(1).map_err(store_error)?;
        if inserted != journal.lines.len() as i64 {
            return Err(StoreError::Corrupt(format!("{inserted} of {} lines were inserted", journal.lines.len())));
        }
        let recorded_at: PgInstant = row.try_get(0).map_err(store_error)?;
        self.kept.appended(journal.id.get() as i64, run);
        Ok(recorded_at.0)
    }
}
