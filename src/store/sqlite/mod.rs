//! The ledger in an embedded SQLite file: one process, one writing connection, many reading ones. Write-ahead log,
//! `synchronous=FULL`: every commit is flushed before it is answered. Lanes read through connections of their own:
//! people's questions never take what orders wait for.

mod anomalies;
mod append;
mod bulk;
mod by_worker;
mod checkpoint;
mod codec;
mod doubts;
mod fold;
mod guard;
mod hours;
mod lines;
mod read;
mod totals;

use self::by_worker::{ByWorker, FOLD_LINES};
use self::checkpoint::{Checkpoints, DUE_PAGES};
use self::codec::store_error;
use super::rows::Columns;
use super::{GuardFailure, Leniency, StoreError, StoreResult};
use crate::clock::Clock;
use crate::types::{JournalId, LedgerId};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use std::borrow::Cow;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// (version, name, statements) of every migration.
pub const MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "ledger", include_str!("../../../migrations/sqlite/0001_ledger.sql"))];

/// Page cache of the writing connection, KiB.
const WRITER_CACHE_KIB: i64 = 262_144;
/// Page cache of each connection that lanes read by, KiB: the inner pages of the index by order, which each probe goes through.
const INTAKE_CACHE_KIB: i64 = 16_384;
/// Page cache of each connection that answers questions, KiB: some go through the whole file, and the system's cache holds it once for all of them.
const READER_CACHE_KIB: i64 = 4_096;
/// Reading connections of lanes and corrections.
const INTAKE_READERS: u32 = 4;
/// Pages in the write-ahead log from which on the writer itself brings it into the file, should the checkpoints beside it fail: 1 GiB.
const LOG_PAGES: u64 = 2 * DUE_PAGES;
/// How long a statement waits for a lock: only a checkpoint or a reader from outside can hold one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A ledger in a file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    intake: SqlitePool,
    reader: SqlitePool,
    checkpointer: SqlitePool,
    checkpoints: Arc<Checkpoints>,
    clock: Clock,
    ledger_id: LedgerId,
    weaknesses: Arc<[String]>,
    last_journal: Arc<AtomicU64>,
    by_worker: Arc<ByWorker>,
    /// Held as long as the ledger is open: one process.
    _lock: Arc<File>,
}

impl Sqlite {
    /// Opens the file, makes it and migrates it where need be, and checks its guards.
    pub async fn open(
        place: &Place,
        readers: u32,
        clock: Clock,
        leniency: Leniency,
    ) -> Result<Self, GuardFailure> {
        Self::open_folding(place, readers, clock, leniency, FOLD_LINES).await
    }

    /// The same with folds of so many lines.
    async fn open_folding(
        place: &Place,
        readers: u32,
        clock: Clock,
        leniency: Leniency,
        fold_lines: usize,
    ) -> Result<Self, GuardFailure> {
        if let Some(folder) = place.path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|e| GuardFailure::InUse(format!("{}: {e}", folder.display())))?;
        }
        let lock = guard::lock(&place.path).await?;
        migrate(place).await?;
        let mut check = SqliteConnection::connect_with(&options(place)).await.map_err(store_error)?;
        guard::check_triggers(&mut check).await?;
        let weaknesses = guard::check_durability(&mut check, leniency).await?;
        check.close().await.map_err(store_error)?;

        let one = |options| {
            SqlitePoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy_with(options)
        };
        let writer = one(options(place).pragma("cache_size", (-WRITER_CACHE_KIB).to_string()));
        let checkpointer = one(options(place));
        let reading = |connections: u32, cache_kib: i64| {
            let options = options(place).pragma("cache_size", (-cache_kib).to_string());
            SqlitePoolOptions::new()
                .max_connections(connections)
                .test_before_acquire(false)
                .connect_lazy_with(options.pragma("query_only", "on"))
        };
        let (intake, reader) = (reading(INTAKE_READERS, INTAKE_CACHE_KIB), reading(readers, READER_CACHE_KIB));
        let row = sqlx::query(include_str!("sql/ledger_id.sql")).fetch_one(&reader).await.map_err(store_error)?;
        let ledger_id = u64::try_from(row.int("ledger_id")?).ok().and_then(LedgerId::new);
        let corrupt = || StoreError::Corrupt("identity: ledger_id has more than 40 bits".to_owned());
        let row =
            sqlx::query(include_str!("sql/last_journal.sql")).fetch_one(&reader).await.map_err(store_error)?;
        let by_worker = fold::read_unfolded(&reader, fold_lines).await?;
        Ok(Self {
            checkpoints: Arc::new(Checkpoints::start(checkpointer.clone(), writer.clone())),
            writer,
            intake,
            reader,
            checkpointer,
            clock,
            ledger_id: ledger_id.ok_or_else(corrupt)?,
            weaknesses: weaknesses.into(),
            last_journal: Arc::new(AtomicU64::new(row.int("journal_id")? as u64)),
            by_worker: Arc::new(by_worker),
            _lock: Arc::new(lock),
        })
    }

    /// See [`super::Store::ledger_id`].
    pub const fn ledger_id(&self) -> LedgerId {
        self.ledger_id
    }

    /// See [`super::Store::weaknesses`].
    pub fn weaknesses(&self) -> &[String] {
        &self.weaknesses
    }

    /// See [`super::Store::next_journal_id`].
    pub async fn next_journal_id(&self) -> StoreResult<JournalId> {
        let id = self.last_journal.fetch_add(1, Ordering::Relaxed) + 1;
        JournalId::new(id).ok_or_else(|| StoreError::Corrupt("all journal ids are used up".to_owned()))
    }

    /// See [`super::Store::connections`].
    pub fn connections(&self) -> Vec<(&'static str, usize, usize)> {
        let pools = [("writer", &self.writer), ("intake", &self.intake), ("reader", &self.reader)];
        pools.map(|(name, pool)| super::pool_use(name, pool.size(), pool.num_idle())).into()
    }

    /// See [`super::Store::ping`].
    pub async fn ping(&self) -> StoreResult<()> {
        sqlx::query(include_str!("sql/ping.sql")).execute(&self.reader).await.map_err(store_error)?;
        Ok(())
    }

    /// See [`super::Store::close`].
    pub async fn close(&self) {
        self.reader.close().await;
        self.intake.close().await;
        self.checkpointer.close().await;
        self.writer.close().await;
    }
}

/// Every connection of the service is set up so.
pub fn options(place: &Place) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&place.path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match place.synchronous {
            Synchronous::Extra => SqliteSynchronous::Extra,
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
            Synchronous::Off => SqliteSynchronous::Off,
        })
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(200)
        .pragma("recursive_triggers", "on")
        .pragma("trusted_schema", "off")
        .pragma("wal_autocheckpoint", LOG_PAGES.to_string())
        .disable_statement_logging() // as on PostgreSQL: folds take their time, and spans tell it
}

/// Brings the file to this version's schema.
pub async fn migrate(place: &Place) -> Result<(), GuardFailure> {
    let mut connection = SqliteConnection::connect_with(&options(place)).await.map_err(store_error)?;
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, Cow::Borrowed(*sql), false)
    };
    let migrations = MIGRATIONS.iter().map(migration).collect();
    let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
    let ran = migrator.run(&mut connection).await;
    connection.close().await.map_err(store_error)?;
    ran.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => GuardFailure::Store(store_error(error)),
        other => GuardFailure::Schema(other.to_string()),
    })
}

/// Where a ledger's file is, and how it is flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// `synchronous` of its connections: full, unless the URL says less, which start-up refuses.
    pub synchronous: Synchronous,
}

/// The values of `pragma synchronous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// Flushes at commit, and the folder too.
    Extra,
    /// Flushes at commit.
    Full,
    /// Flushes at checkpoints only: the last commits may be lost.
    Normal,
    /// Never flushes.
    Off,
}

impl Place {
    /// A file with durable commits.
    pub fn durable(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), synchronous: Synchronous::Full }
    }

    /// What a URL `sqlite:PATH` or `sqlite://PATH` names, with `?synchronous=extra`, `full`, `normal` or `off`.
    pub fn of_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("sqlite:")?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, "synchronous=full"));
        let synchronous = match query.strip_prefix("synchronous=")? {
            "extra" => Synchronous::Extra,
            "full" => Synchronous::Full,
            "normal" => Synchronous::Normal,
            "off" => Synchronous::Off,
            _ => return None,
        };
        let named = !path.is_empty() && !path.starts_with(":memory:");
        named.then(|| Self { path: PathBuf::from(path), synchronous })
    }
}
