//! What is kept already of the doubtful orders of a group.

use super::codec::store_error;
use super::{Sqlite, bulk};
use crate::store::rows::{Columns, corrupt};
use crate::store::{ConflictKey, Doubts, RefusalKey, StoreResult};
use crate::types::{Code, DAILY_LIMIT, Day, OrderKey};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use std::collections::HashMap;

impl Sqlite {
    /// See [`crate::store::Store::doubts`].
    pub async fn doubts(&self, refusals: &[RefusalKey], conflicts: &[ConflictKey]) -> StoreResult<Doubts> {
        let today = self.clock.now().day();
        let mut connection = self.intake.acquire().await.map_err(store_error)?;
        let mut doubts = Doubts {
            today,
            refusals: known_refusals(&mut connection, refusals, today).await?,
            conflicts: known_conflicts(&mut connection, conflicts).await?,
            refusals_today: HashMap::new(),
            conflicts_today: HashMap::new(),
        };
        for (platform, ..) in refusals {
            if !doubts.refusals_today.contains_key(platform) {
                let code = platform.as_ref().map_or("", Code::as_str);
                let kept = count(&mut connection, include_str!("sql/count_refusals.sql"), code, today).await?;
                doubts.refusals_today.insert(platform.clone(), kept);
            }
        }
        for (OrderKey { platform, .. }, _) in conflicts {
            if !doubts.conflicts_today.contains_key(platform) {
                let sql = include_str!("sql/count_conflicts.sql");
                let kept = count(&mut connection, sql, platform.as_str(), today).await?;
                doubts.conflicts_today.insert(platform.clone(), kept);
            }
        }
        Ok(doubts)
    }
}

async fn known_refusals(
    connection: &mut SqliteConnection,
    refusals: &[RefusalKey],
    today: Day,
) -> StoreResult<Vec<bool>> {
    let asked: Vec<_> = refusals.iter().enumerate().collect();
    let sql = include_str!("sql/known_refusals.sql");
    let found = bulk::fetch(connection, sql, &asked, |query, (n, (platform, digest, code))| {
        query
            .bind(*n as i64)
            .bind(platform.as_ref().map_or("", Code::as_str))
            .bind(today.to_string())
            .bind(&digest[..])
            .bind(i64::from(code.code()))
    });
    flags(&found.await?, refusals.len())
}

async fn known_conflicts(connection: &mut SqliteConnection, conflicts: &[ConflictKey]) -> StoreResult<Vec<bool>> {
    let asked: Vec<_> = conflicts.iter().enumerate().collect();
    let sql = include_str!("sql/known_conflicts.sql");
    let found = bulk::fetch(connection, sql, &asked, |query, (n, (key, digest))| {
        query
            .bind(*n as i64)
            .bind(key.platform.as_str())
            .bind(key.order_id.as_str())
            .bind(i64::from(key.assignment_no))
            .bind(&digest[..])
    });
    flags(&found.await?, conflicts.len())
}

async fn count(
    connection: &mut SqliteConnection,
    sql: &'static str,
    platform: &str,
    day: Day,
) -> StoreResult<u64> {
    let query = sqlx::query(sql).bind(platform).bind(day.to_string()).bind(DAILY_LIMIT as i64);
    let row = query.fetch_one(connection).await.map_err(store_error)?;
    u64::try_from(row.int("kept")?).map_err(|_| corrupt("kept", "is negative"))
}

/// A flag for each of `asked`, set where a row names it by its number from 0.
fn flags(found: &[SqliteRow], asked: usize) -> StoreResult<Vec<bool>> {
    let mut flags = vec![false; asked];
    for row in found {
        let flag = usize::try_from(row.int("n")?).ok().and_then(|i| flags.get_mut(i));
        *flag.ok_or_else(|| corrupt("n", "names nothing that was asked"))? = true;
    }
    Ok(flags)
}
