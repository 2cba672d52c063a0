//! How the ledger's words stand in SQLite: instants as integer microseconds, days as text, money as integer micro-yuan.

use crate::store::rows::{Columns, corrupt};
use crate::store::{StoreError, StoreResult};
use crate::types::{Day, Instant};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row, Type};

fn get<'r, T>(row: &'r SqliteRow, column: &'static str) -> StoreResult<T>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(column).map_err(|e| corrupt(column, e))
}

impl Columns for SqliteRow {
    fn text(&self, column: &'static str) -> StoreResult<String> {
        get(self, column)
    }

    fn text_opt(&self, column: &'static str) -> StoreResult<Option<String>> {
        get(self, column)
    }

    fn int(&self, column: &'static str) -> StoreResult<i64> {
        get(self, column)
    }

    fn int_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        get(self, column)
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
        let micros: Option<i64> = get(self, column)?;
        micros.map(|m| Instant::from_micros(m).ok_or_else(|| corrupt(column, "is no instant"))).transpose()
    }

    fn micros_opt(&self, column: &'static str) -> StoreResult<Option<i64>> {
        get(self, column)
    }

    fn day_opt(&self, column: &'static str) -> StoreResult<Option<Day>> {
        let text: Option<String> = get(self, column)?;
        text.map(|t| Day::parse(&t).map_err(|e| corrupt(column, e))).transpose()
    }
}

/// What a failed statement means, by SQLite's extended result code.
pub fn store_error(error: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(database) = &error else {
        return match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Unavailable(Box::new(error)),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                StoreError::Corrupt(error.to_string())
            }
            _ => StoreError::Failed(Box::new(error)),
        };
    };
    let code: i32 = database.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    match (code, code & 0xFF) {
        // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_ROWID
        (1_555 | 2_067 | 2_579, _) => StoreError::Taken("unique".to_owned()),
        // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN
        (_, 5 | 6 | 7 | 10 | 13 | 14) => StoreError::Unavailable(Box::new(error)),
        // SQLITE_CORRUPT, SQLITE_NOTADB
        (_, 11 | 26) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Failed(Box::new(error)),
    }
}
