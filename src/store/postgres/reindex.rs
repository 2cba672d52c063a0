//! Makes the index by worker anew from the lines: one whole run for each journal, in one snapshot, and then merges them. Journals that are
//! booked meanwhile bring runs of their own.

use super::Postgres;
use super::codec::store_error;
use super::fold::{due, lock, survey};
use crate::store::StoreResult;
use sqlx::Connection;
use std::time::Duration;
use tokio::time::sleep;

/// Between two tries while somebody else merges.
const PAUSE: Duration = Duration::from_millis(500);

impl Postgres {
    /// See [`crate::store::Store::reindex`].
    pub async fn reindex(&self, told: impl Fn(usize)) -> StoreResult<()> {
        while !self.try_reindex().await? {
            sleep(PAUSE).await;
        }
        // This instance's own tasks merge too; either way the runs grow fewer.
        loop {
            let merged = self.fold().await? || self.deepen(false).await?;
            let mut connection = self.reader.acquire().await.map_err(store_error)?;
            let runs = survey(&mut connection).await?;
            told(runs.len());
            if !merged && due(runs, self.kept.folding()).is_none() {
                return Ok(());
            }
            drop(connection);
            if !merged {
                sleep(PAUSE).await;
            }
        }
    }

    /// Nothing where somebody else is merging, or just was.
    async fn try_reindex(&self) -> StoreResult<bool> {
        let mut connection = self.writer.acquire().await.map_err(store_error)?;
        let begin = "begin isolation level repeatable read";
        let mut transaction = connection.begin_with(begin).await.map_err(store_error)?;
        if !lock(&mut transaction, "fold").await? || !lock(&mut transaction, "deepen").await? {
            return Ok(false);
        }
        for statement in [
            include_str!("sql/no_statement_timeout.sql"),
            include_str!("sql/delete_all_run_parts.sql"),
            include_str!("sql/delete_all_runs.sql"),
            include_str!("sql/insert_all_runs.sql"),
        ] {
            match sqlx::query(statement).execute(&mut *transaction).await {
                // A merge ended between the snapshot and the lock.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("40001") => return Ok(false),
                done => done.map_err(store_error)?,
            };
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(true)
    }
}
