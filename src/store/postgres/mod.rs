//! The ledger on PostgreSQL (14 or newer). Two pools on one login: lanes write as `premium_ledger_writer`, questions read as
//! `premium_ledger_reader`; only `migrate` is the owner.

mod anomalies;
mod append;
mod by_worker;
mod codec;
mod columns;
mod copy;
mod deepen;
mod doubts;
mod few;
mod fold;
mod guard;
mod hours;
mod kept;
mod lines;
mod migrate;
mod read;
mod reindex;
mod seal;
mod totals;
mod warm;

pub use by_worker::Folding;
pub use migrate::{migrate, migrate_by};

use self::codec::store_error;
use self::few::LineRowType;
use self::kept::Kept;
use self::warm::Warm;
use super::{GuardFailure, Leniency, StoreResult};
use crate::types::{JournalId, LedgerId};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;

/// (version, name, statements) of every migration.
pub const MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "ledger", include_str!("../../../migrations/postgres/0001_ledger.sql"))];

/// Journal ids in a block of the sequence.
const ID_BLOCK: u64 = 64;
/// How long a question or a lane waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections for sealing, folding totals, merging runs, and for questions that seal first. Merging longer runs takes one more, while it does.
const BACKGROUND: u32 = 4;

/// How many connections to hold.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// For lanes, corrections and puts.
    pub writers: u32,
    /// For questions.
    pub readers: u32,
}

/// A ledger on a PostgreSQL server.
#[derive(Clone, Debug)]
pub struct Postgres {
    writer: PgPool,
    reader: PgPool,
    /// The writer's that lanes write with.
    warm: Arc<Warm>,
    /// The reader's that cover is asked with.
    warm_reader: Arc<Warm>,
    /// For what goes on beside the questions and the appends.
    background: PgPool,
    kept: Arc<Kept>,
    tasks: Option<Arc<Tasks>>,
    ledger_id: LedgerId,
    line_row: LineRowType,
    weaknesses: Arc<[String]>,
    /// Ids left of the block taken last.
    ids: Arc<Mutex<std::ops::Range<u64>>>,
}

impl Postgres {
    /// Opens a migrated ledger, once its guards and its durability were checked.
    pub async fn open(
        url: &str,
        connections: Connections,
        leniency: Leniency,
        folding: Folding,
    ) -> Result<Self, GuardFailure> {
        let options: PgConnectOptions = url.parse().map_err(store_error)?;
        // Which statements are slow is the database's to say (`log_min_duration_statement`); the driver would print their whole text.
        let options = options.application_name("premium-ledger").disable_statement_logging();
        let mut login = connect(&options).await?;
        guard::check_schema(&mut login).await?;
        guard::check_tables(&mut login).await?;
        if !leniency.single_login {
            guard::check_login(&mut login).await?;
        }
        login.close().await.map_err(store_error)?;

        let writer = pool(&options, connections.writers, include_str!("sql/session_writer.sql"));
        let weaknesses = guard::check_durability(&writer, leniency).await?;
        let line_row = LineRowType::of(&mut *writer.acquire().await.map_err(store_error)?).await?;
        let reader = pool(&options, connections.readers, include_str!("sql/session_reader.sql"));
        let row = sqlx::query(include_str!("sql/ledger_id.sql")).fetch_one(&reader).await.map_err(store_error)?;
        let id: i64 = row.try_get(0).map_err(store_error)?;
        let ledger_id = u64::try_from(id).ok().and_then(LedgerId::new);
        let corrupt = || super::StoreError::Corrupt("identity: ledger_id has more than 40 bits".to_owned());
        let store = Self {
            background: pool(&options, BACKGROUND, include_str!("sql/session_writer.sql")),
            kept: Arc::new(Kept::new(folding)),
            tasks: None,
            warm: warm(&writer, connections.writers),
            warm_reader: warm(&reader, connections.readers),
            writer,
            reader,
            ledger_id: ledger_id.ok_or_else(corrupt)?,
            line_row,
            weaknesses: weaknesses.into(),
            ids: Arc::new(Mutex::new(0..0)),
        };
        // The tasks' own stores have no tasks: the last of the others ends them.
        let fold = tokio::spawn(fold::run(store.clone(), store.kept.due()));
        let seal = tokio::spawn(seal::run(store.clone()));
        let deepen = tokio::spawn(deepen::run(store.clone()));
        let tasks = Tasks([fold.abort_handle(), deepen.abort_handle(), seal.abort_handle()]);
        Ok(Self { tasks: Some(Arc::new(tasks)), ..store })
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
        let held = self.ids.lock().expect("no panic while held").next();
        let id = match held {
            Some(id) => id,
            None => {
                let sql = include_str!("sql/next_journal_ids.sql");
                let row = sqlx::query(sql).fetch_one(&self.writer).await.map_err(store_error)?;
                let first: i64 = row.try_get(0).map_err(store_error)?;
                let first = first as u64;
                *self.ids.lock().expect("no panic while held") = first + 1..first + ID_BLOCK;
                first
            }
        };
        JournalId::new(id).ok_or_else(|| super::StoreError::Corrupt("journal_id_seq is used up".to_owned()))
    }

    /// The database may be another one now, which knows of no block that was taken lately, and gives it again.
    fn forget_ids(&self) {
        *self.ids.lock().expect("no panic while held") = 0..0;
    }

    /// See [`super::Store::connections`].
    pub fn connections(&self) -> Vec<(&'static str, usize, usize)> {
        let pools = [
            ("writer", &self.writer, self.warm.len()),
            ("reader", &self.reader, self.warm_reader.len()),
            ("background", &self.background, 0),
        ];
        pools.map(|(name, pool, warm)| super::pool_use(name, pool.size(), pool.num_idle() + warm)).into()
    }

    /// See [`super::Store::ping`].
    pub async fn ping(&self) -> StoreResult<()> {
        sqlx::query(include_str!("sql/ping.sql")).execute(&self.reader).await.map_err(store_error)?;
        Ok(())
    }

    /// See [`super::Store::close`].
    pub async fn close(&self) {
        if let Some(tasks) = &self.tasks {
            tasks.abort();
        }
        self.background.close().await;
        self.warm.clear();
        self.warm_reader.clear();
        self.writer.close().await;
        self.reader.close().await;
    }
}

/// What runs beside the questions and the appends; ends with its last owner.
#[derive(Debug)]
struct Tasks([AbortHandle; 3]);

impl Tasks {
    fn abort(&self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.abort();
    }
}

/// The URL is one of Postgres.
pub fn check_url(url: &str) -> bool {
    (url.starts_with("postgres://") || url.starts_with("postgresql://")) && url.parse::<PgConnectOptions>().is_ok()
}

/// The server is on loopback or a Unix socket.
pub fn is_local(url: &str) -> bool {
    let Ok(options) = url.parse::<PgConnectOptions>() else { return false };
    let host = options.get_host();
    let loopback = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    options.get_socket().is_some() || host.starts_with('/') || host == "localhost" || loopback
}

/// No ledger was ever made in the database.
pub async fn is_empty(url: &str) -> Result<bool, GuardFailure> {
    let options: PgConnectOptions = url.parse().map_err(store_error)?;
    let mut login = connect(&options).await?;
    let present = guard::schema_exists(&mut login).await?;
    login.close().await.map_err(store_error)?;
    Ok(!present)
}

/// One connection as the login itself, bounded in time.
async fn connect(options: &PgConnectOptions) -> StoreResult<PgConnection> {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await;
    match opened {
        Ok(connection) => connection.map_err(store_error),
        Err(elapsed) => Err(super::StoreError::Unavailable(Box::new(elapsed))),
    }
}

/// Half of a pool, for those that use it all the time.
fn warm(pool: &PgPool, size: u32) -> Arc<Warm> {
    Arc::new(Warm::new(pool.clone(), size as usize / 2))
}

/// A pool whose every connection begins with `session`.
fn pool(options: &PgConnectOptions, size: u32, session: &'static str) -> PgPool {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A dead connection shows itself at its first statement, and is replaced then: no round trip before every use.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                let query = sqlx::query(session);
                let writes = session.contains("synchronous_commit");
                let query = if writes { query.bind(guard::SYNCHRONOUS_COMMIT) } else { query };
                query.execute(connection).await.map(|_| ())
            })
        })
        .connect_lazy_with(options.clone())
}
