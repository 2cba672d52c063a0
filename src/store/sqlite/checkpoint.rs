//! Brings the write-ahead log into the file beside the writer, on a connection of its own: a commit that finds the log full would wait for all
//! of it. While it copies, the writer writes on, so it copies again, each time less; the last bit it copies while nobody writes, for only a
//! log that is wholly copied is begun anew.

use super::codec::store_error;
use crate::store::StoreResult;
use sqlx::sqlite::SqlitePool;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// Pages written since the last checkpoint from which on the next is due: 512 MiB. A page that many groups touch goes into the file once.
pub const DUE_PAGES: u64 = 131_072;
/// Copies beside the writer before the last.
const ROUNDS_BESIDE: u32 = 3;
/// Pages that a journal of one line changes, about; each further line changes one more.
const PAGES_PER_JOURNAL: u64 = 6;

/// Counts what is written, and has it checkpointed. Ends with its last owner.
#[derive(Debug)]
pub struct Checkpoints {
    written: AtomicU64,
    due: Arc<Notify>,
    task: AbortHandle,
}

impl Checkpoints {
    /// Starts: `own` is a pool of one, `writer` that of the writing connection.
    pub fn start(own: SqlitePool, writer: SqlitePool) -> Self {
        let due = Arc::new(Notify::new());
        let task = tokio::spawn(run(own, writer, due.clone())).abort_handle();
        Self { written: AtomicU64::new(0), due, task }
    }

    /// A journal of so many lines was committed.
    pub fn count(&self, lines: usize) {
        let pages = PAGES_PER_JOURNAL + lines as u64;
        // One writer: nobody else counts meanwhile.
        if self.written.fetch_add(pages, Ordering::Relaxed) + pages >= DUE_PAGES {
            self.written.store(0, Ordering::Relaxed);
            self.due.notify_one();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(own: SqlitePool, writer: SqlitePool, due: Arc<Notify>) {
    loop {
        due.notified().await;
        if let Err(error) = checkpoint(&own, &writer).await {
            // The log grows on; the writer itself copies it when it has twice its size.
            tracing::warn!(%error, "the write-ahead log could not be brought into the file");
        }
    }
}

async fn checkpoint(own: &SqlitePool, writer: &SqlitePool) -> StoreResult<()> {
    for _ in 0..ROUNDS_BESIDE {
        copy(own).await?;
    }
    let _nobody_writes = writer.acquire().await.map_err(store_error)?;
    copy(own).await
}

async fn copy(own: &SqlitePool) -> StoreResult<()> {
    sqlx::query(include_str!("sql/checkpoint.sql")).execute(own).await.map_err(store_error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{Place, options};
    use sqlx::sqlite::SqlitePoolOptions;

    /// Frames in the log, and how many of them are copied.
    async fn frames(own: &SqlitePool) -> (i64, i64) {
        let (busy, log, copied): (i64, i64, i64) =
            sqlx::query_as("pragma wal_checkpoint(passive)").fetch_one(own).await.unwrap();
        assert_eq!(busy, 0);
        (log, copied)
    }

    #[tokio::test]
    async fn the_log_begins_anew_once_it_is_due() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::durable(folder.path().join("file.sqlite"));
        let one = || SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options(&place));
        let (own, writer) = (one(), one());
        sqlx::query("create table filler (bytes blob)").execute(&writer).await.unwrap();
        let write = "insert into filler values (zeroblob(400000))"; // a hundred pages
        for _ in 0..10 {
            sqlx::query(write).execute(&writer).await.unwrap();
        }
        let checkpoints = Checkpoints::start(own.clone(), writer.clone());
        checkpoints.count(DUE_PAGES as usize / 2);
        tokio::task::yield_now().await;
        sqlx::query(write).execute(&writer).await.unwrap();
        let size = |suffix: &str| std::fs::metadata(format!("{}{suffix}", place.path.display())).unwrap().len();
        assert!(size("") < 1_000_000, "not due yet: nothing was copied");
        checkpoints.count(DUE_PAGES as usize / 2);
        for _ in 0..10_000 {
            if size("") < 4_000_000 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
        assert!(size("") >= 4_000_000, "due: it was copied");
        checkpoint(&own, &writer).await.unwrap();
        sqlx::query(write).execute(&writer).await.unwrap();
        let (log, copied) = frames(&own).await;
        assert!(log < 200 && log == copied, "the next write began the log anew: {log} frames, {copied} copied");
    }
}
