//! What faults happen to: a database (PostgreSQL with or without a synchronous standby behind one address, or a SQLite file) and the service over it.

use crate::cluster::Cluster;
use crate::machine::Machine;
use crate::program::Served;
use crate::proxy::Proxy;
use premium_ledger::types::LineId;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Settings of every server: few connections, so that they can be used up; time limits as `deploy/` recommends.
const SETTINGS: [&str; 4] = [
    "max_connections=40",
    "wal_sender_timeout=5s",
    "wal_receiver_timeout=5s",
    "wal_retrieve_retry_interval=500ms",
];

/// Where lines are.
#[expect(clippy::large_enum_variant, reason = "there is one")]
pub enum Database {
    Postgres {
        primary: Cluster,
        /// Follows the primary, which waits for it at every commit.
        standby: Option<Cluster>,
        proxy: Proxy,
        name: String,
    },
    Sqlite {
        folder: tempfile::TempDir,
    },
}

pub struct World {
    pub database: Database,
    pub served: Served,
    /// A second instance on the same database.
    pub second: Option<Served>,
    /// The last to go: what is started to end the others is started under it too.
    pub machine: Machine,
}

impl World {
    pub async fn postgres(machine: Machine, with_standby: bool, with_second: bool) -> Self {
        let primary = Cluster::start(&SETTINGS);
        let url = primary.database().await;
        let name = url.rsplit('/').next().unwrap().to_owned();
        let standby = if with_standby { Some(follow(&primary).await) } else { None };
        let proxy = Proxy::start(primary.port()).await;
        // A name that `machine.c` resolves.
        let url = format!("postgres://postgres@database.test:{}/{name}", proxy.port);
        let served = Served::start(url.clone());
        let second = with_second.then(|| Served::start(url));
        Self { database: Database::Postgres { primary, standby, proxy, name }, served, second, machine }
    }

    pub fn sqlite(machine: Machine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(format!("sqlite:{}", folder.path().join("ledger.sqlite").display()));
        Self { database: Database::Sqlite { folder }, served, second: None, machine }
    }

    /// Where clients send.
    pub fn servers(&self) -> Vec<String> {
        std::iter::once(&self.served).chain(&self.second).map(Served::url).collect()
    }

    /// A SQLite ledger's file.
    pub fn file(&self) -> PathBuf {
        match &self.database {
            Database::Sqlite { folder } => folder.path().join("ledger.sqlite"),
            Database::Postgres { .. } => unreachable!("only asked of SQLite"),
        }
    }

    /// What the database holds.
    pub async fn held(&self) -> Held {
        match &self.database {
            Database::Postgres { primary, name, .. } => {
                let mut connection = PgConnection::connect(&primary.url("postgres", name)).await.unwrap();
                let sql = "select order_id, slot::bigint, journal_id, line_no::bigint from ledger.line";
                let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
                let sum = "select coalesce(sum(amount) * 1000000, 0)::bigint from ledger.line";
                let micros = sqlx::query_scalar(sum).fetch_one(&mut connection).await.unwrap();
                let back = BACK_IN_TIME.replace("{seal}", "ledger.seal");
                let seals_back_in_time = sqlx::query_scalar(&back).fetch_one(&mut connection).await.unwrap();
                Held { lines: rows.iter().map(line).collect(), micros, seals_back_in_time }
            }
            Database::Sqlite { .. } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file()).read_only(true);
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                let rows = sqlx::query("select order_id, slot, journal_id, line_no from line");
                let rows = rows.fetch_all(&mut connection).await.unwrap();
                let sum = "select coalesce(sum(amount), 0) from line";
                let micros = sqlx::query_scalar(sum).fetch_one(&mut connection).await.unwrap();
                let back = BACK_IN_TIME.replace("{seal}", "seal");
                let seals_back_in_time = sqlx::query_scalar(&back).fetch_one(&mut connection).await.unwrap();
                Held { lines: rows.iter().map(line).collect(), micros, seals_back_in_time }
            }
        }
    }
}

/// Order id, slot, journal, line.
pub type Line = (String, i64, i64, i64);

/// What a database holds.
pub struct Held {
    /// All lines. A key that is there twice is told twice.
    pub lines: Vec<Line>,
    /// The sum of all amounts, micro-yuan.
    pub micros: i64,
    /// Seals whose instant is before that of the number before: none, whatever the clock did.
    pub seals_back_in_time: i64,
}

const BACK_IN_TIME: &str = "select count(*) from (select sealed_at, lag(sealed_at) over (order by seal_no) as before from {seal}) s where sealed_at < before";

fn line<R: Row>(row: &R) -> Line
where
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    usize: sqlx::ColumnIndex<R>,
{
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

/// What was acknowledged and is not there, or elsewhere; and what is there twice.
pub fn compare(seed: u64, acknowledged: &HashMap<u64, String>, rows: &[Line]) -> (u64, u64) {
    let mut stored: HashMap<(&str, i64), (i64, i64)> = HashMap::with_capacity(rows.len());
    let mut doubled = 0;
    for (order_id, slot, journal, line_no) in rows {
        doubled += u64::from(stored.insert((order_id, *slot), (*journal, *line_no)).is_some());
    }
    let mut lost = 0;
    for (n, line_id) in acknowledged {
        let position = LineId::parse(line_id).unwrap().position;
        let told = (position.journal.get() as i64, i64::from(position.line_no.get()));
        let order_id = format!("f{seed}-{}", n / 2);
        lost += u64::from(stored.get(&(order_id.as_str(), (n % 2) as i64)) != Some(&told));
    }
    (lost, doubled)
}

/// A standby of its own that the primary waits for from now on.
pub async fn follow(primary: &Cluster) -> Cluster {
    primary.execute("postgres", "alter system set synchronous_standby_names = ''").await;
    primary.execute("postgres", "select pg_reload_conf()").await;
    let standby = Cluster::copy_of(primary, &SETTINGS);
    for _ in 0..200 {
        let mut connection = PgConnection::connect(&primary.url("postgres", "postgres")).await.unwrap();
        let sql = "select count(*) from pg_stat_replication where state = 'streaming'";
        let streaming: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        if streaming > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    primary.execute("postgres", "alter system set synchronous_standby_names = '*'").await;
    primary.execute("postgres", "select pg_reload_conf()").await;
    standby
}

/// A signal to a process by its id.
pub fn signal(name: &str, pid: i64) {
    // One that has ended meanwhile is as good as hit.
    let _ = Command::new("kill").args([name, &pid.to_string()]).status();
}

pub const fn settings() -> &'static [&'static str] {
    &SETTINGS
}
