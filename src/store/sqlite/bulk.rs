//! Many rows in one statement: the row between `/*row*/` and `/*end*/` of a statement is repeated.

use super::codec::store_error;
use crate::store::StoreResult;
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// A statement with its parameters.
pub type Bound<'q> = Query<'q, Sqlite, SqliteArguments<'q>>;

/// Rows a statement holds at most. Few sizes, so that few statements are prepared; a line of 27 columns stays below SQLite's
/// bound of 32,766 parameters.
const SIZES: [usize; 4] = [256, 32, 4, 1];

/// Runs the statement over all rows, in as few statements as the sizes allow; the row number of the last, 0 without rows. While the
/// database works on one statement, the next is put together.
pub async fn execute<'q, T: 'q>(
    connection: &mut SqliteConnection,
    template: &'static str,
    rows: &'q [T],
    bind: impl Fn(Bound<'q>, &'q T) -> Bound<'q>,
) -> StoreResult<i64> {
    let mut rest = rows;
    let mut put_together = || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (now, later) = rest.split_at(size);
        rest = later;
        Some(now.iter().fold(sqlx::query(repeated(template, size)), &bind))
    };
    let (mut next, mut last) = (put_together(), 0);
    while let Some(query) = next {
        let (done, following) = tokio::join!(query.execute(&mut *connection), async { put_together() });
        last = done.map_err(store_error)?.last_insert_rowid();
        next = following;
    }
    Ok(last)
}

/// The same for a question: all answers.
pub async fn fetch<'q, T: 'q>(
    connection: &mut SqliteConnection,
    template: &'static str,
    rows: &'q [T],
    bind: impl Fn(Bound<'q>, &'q T) -> Bound<'q>,
) -> StoreResult<Vec<SqliteRow>> {
    let mut found = Vec::new();
    let mut rest = rows;
    for size in SIZES {
        while rest.len() >= size {
            let (now, later) = rest.split_at(size);
            let query = now.iter().fold(sqlx::query(repeated(template, size)), &bind);
            found.extend(query.fetch_all(&mut *connection).await.map_err(store_error)?);
            rest = later;
        }
    }
    Ok(found)
}

/// The statement with its marked row so many times. Made once for each statement and size, and kept for good: there are few.
fn repeated(template: &'static str, size: usize) -> &'static str {
    static MADE: LazyLock<Mutex<HashMap<(usize, usize), &'static str>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().expect("no panic while held");
    made.entry((template.as_ptr() as usize, size)).or_insert_with(|| {
        let (head, rest) = template.split_once("/*row*/").expect("a marked row");
        let (row, tail) = rest.split_once("/*end*/").expect("the marked row's end");
        format!("{head}{}{tail}", vec![row; size].join(", ")).leak()
    })
}
