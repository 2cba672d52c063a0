//! What a run is over: a PostgreSQL server of the bench's own or a SQLite file, the service over it, and the floor beside it.

use crate::cluster::{Cluster, free_port};
use crate::process::{Used, used, used_with_children};
use sqlx::{Connection, PgConnection};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How the server is set: room for the whole of a run in memory and checkpoints as far apart as deploy/postgres/postgresql.conf has them;
/// durability as it comes.
const SETTINGS: [&str; 6] = [
    "shared_buffers=4GB",
    "max_wal_size=32GB",
    "min_wal_size=24GB",
    "checkpoint_timeout=15min",
    "wal_buffers=64MB",
    "wal_compression=on",
];

/// About.
const LOG_BYTES_PER_EVENT: u64 = 750;

/// Where the ledger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Over {
    /// PostgreSQL over a Unix socket.
    Socket,
    /// PostgreSQL over TCP.
    Tcp,
    /// The embedded store.
    Sqlite,
}

impl Over {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Socket => "postgres, socket",
            Self::Tcp => "postgres, tcp",
            Self::Sqlite => "sqlite",
        }
    }
}

/// An empty store.
pub enum Store {
    Postgres { _cluster: Cluster, url: String, over: Over },
    Sqlite { folder: tempfile::TempDir },
}

impl Store {
    /// A server that has run for a while writes its log into files that it used before, a new one has to make them first, while commits
    /// wait: the log that so many events need is written once and given back.
    pub async fn new(over: Over, events: u64) -> Self {
        if over == Over::Sqlite {
            return Self::Sqlite { folder: tempfile::tempdir().unwrap() };
        }
        let cluster = Cluster::start(&SETTINGS);
        let url = cluster.database().await;
        let store = Self::Postgres { _cluster: cluster, url, over };
        let megabytes = events * LOG_BYTES_PER_EVENT / 1_000_000 + 500;
        let log = "select pg_logical_emit_message(false, '', repeat('0', 1000000)) from generate_series(1, ";
        store.run(&format!("{log}{megabytes})")).await;
        store.run("checkpoint").await;
        store
    }

    /// As the service is told it.
    pub async fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite:{}", folder.path().join("ledger.sqlite").display()),
            Self::Postgres { url, over: Over::Tcp, .. } => url.clone(),
            Self::Postgres { url, .. } => {
                format!("{url}?host={}", self.value("show unix_socket_directories").await)
            }
        }
    }

    /// Where its files are.
    pub async fn folder(&self) -> PathBuf {
        match self {
            Self::Sqlite { folder } => folder.path().to_owned(),
            Self::Postgres { .. } => PathBuf::from(self.value("show unix_socket_directories").await),
        }
    }

    /// One text of PostgreSQL.
    pub async fn value(&self, sql: &str) -> String {
        let Self::Postgres { url, .. } = self else { return String::new() };
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        let Self::Postgres { url, .. } = self else { return };
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }

    /// What the database's own processes took; SQLite has none.
    pub async fn used(&self) -> Used {
        match self {
            Self::Sqlite { .. } => Used::default(),
            Self::Postgres { .. } => used_with_children(self.server_pid().await),
        }
    }

    async fn server_pid(&self) -> u32 {
        let data = self.value("show data_directory").await;
        let file = std::fs::read_to_string(PathBuf::from(data).join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().trim().parse().unwrap()
    }

    /// The settings on which durability rests.
    pub async fn durability(&self) -> String {
        match self {
            Self::Sqlite { .. } => "journal_mode=wal synchronous=full".to_owned(),
            Self::Postgres { .. } => {
                let sql = "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings
                           where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'wal_sync_method')";
                self.value(sql).await
            }
        }
    }

    /// Lines that the ledger holds.
    pub async fn lines(&self) -> u64 {
        match self {
            Self::Sqlite { folder } => {
                shell(&folder.path().join("ledger.sqlite"), &["select count(*) from line"]).trim().parse().unwrap()
            }
            Self::Postgres { .. } => self.value("select count(*)::text from ledger.line").await.parse().unwrap(),
        }
    }

    /// (what, bytes) of the line table and each of its indexes.
    pub async fn sizes(&self) -> Vec<(String, f64)> {
        match self {
            Self::Sqlite { folder } => {
                let sql = "select name, sum(pgsize) from dbstat where name in
                           (select name from sqlite_master where tbl_name in ('line', 'worker_line', 'total')) group by name";
                let told = shell(&folder.path().join("ledger.sqlite"), &[sql]);
                let row = |line: &str| {
                    let (name, bytes) = line.split_once('|')?;
                    Some((name.to_owned(), bytes.parse().ok()?))
                };
                told.lines().filter_map(row).collect()
            }
            Self::Postgres { url, .. } => {
                let sql = "select c.relname::text, pg_relation_size(c.oid)::float8 from pg_class c
                           where c.oid in (select t::regclass::oid from unnest(array['ledger.line', 'ledger.worker_run',
                               'ledger.worker_run_part', 'ledger.total']) t)
                              or c.oid in (select indexrelid from pg_index i where i.indrelid in ('ledger.line'::regclass,
                                  'ledger.worker_run'::regclass, 'ledger.worker_run_part'::regclass, 'ledger.total'::regclass))";
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Seconds that the database alone takes for the ledger's rows, in the order in which they were sent, into the floor's table.
    pub async fn floor(&self) -> f64 {
        match self {
            Self::Postgres { .. } => self.copy().await,
            Self::Sqlite { folder } => import(folder.path()),
        }
    }

    async fn copy(&self) -> f64 {
        let rows = self.folder().await.join("floor.rows");
        self.run(include_str!("../floor.sql")).await;
        let columns = self
            .value(
                "select string_agg(attname, ', ' order by attnum) from pg_attribute
                 where attrelid = 'floor_line'::regclass and attnum > 0",
            )
            .await;
        let out = include_str!("floor_rows.sql").replace("{columns}", &columns);
        self.run(&format!("copy ({out}) to '{}' (format binary)", rows.display())).await;
        self.run("checkpoint").await;
        let began = Instant::now();
        self.run(&format!("copy floor_line from '{}' (format binary)", rows.display())).await;
        let took = began.elapsed().as_secs_f64();
        self.run("drop table floor_line; checkpoint").await;
        std::fs::remove_file(rows).unwrap();
        took
    }
}

/// The shell's `.import` in one transaction, with the journal, the flushes and the cache of the service.
fn import(folder: &std::path::Path) -> f64 {
    let (ledger, floor, rows) =
        (folder.join("ledger.sqlite"), folder.join("floor.sqlite"), folder.join("floor.csv"));
    let out = format!(".once {}", rows.display());
    shell(&ledger, &[".mode csv", &out, include_str!("floor_rows.sqlite.sql")]);
    shell(&floor, &["pragma journal_mode=wal", include_str!("../floor.sqlite.sql")]);
    let import = format!(".import {} floor_line", rows.display());
    let began = Instant::now();
    shell(
        &floor,
        &["pragma synchronous=full", "pragma cache_size=-262144", "begin", ".mode csv", &import, "commit"],
    );
    let took = began.elapsed().as_secs_f64();
    std::fs::remove_file(rows).unwrap();
    std::fs::remove_file(floor).unwrap();
    took
}

/// Runs dot commands and statements, each a line of its own.
fn shell(file: &std::path::Path, commands: &[&str]) -> String {
    use std::io::Write;
    let mut shell = Command::new("sqlite3");
    shell.arg("-bail").arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.spawn().expect("the sqlite3 shell: install it, or leave `sqlite` out");
    let mut input = shell.stdin.take().unwrap();
    for command in commands {
        let end = if command.starts_with('.') { "" } else { ";" };
        writeln!(input, "{command}\n{end}").unwrap();
    }
    drop(input);
    let told = shell.wait_with_output().unwrap();
    assert!(told.status.success(), "sqlite3: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap()
}

/// A served program.
pub struct Service {
    child: Child,
    pub server: String,
    /// Where it tells its metrics.
    pub metrics: u16,
}

impl Service {
    /// The ledger over a store.
    pub async fn start(store: &Store, lanes: &str) -> Self {
        let url = store.url().await;
        let program = env!("CARGO_BIN_EXE_premium-ledger");
        let port = free_port();
        let (listen, metrics) = (format!("127.0.0.1:{port}"), free_port());
        let operators = format!("127.0.0.1:{metrics}");
        let mut command = Command::new(program);
        command.args(["serve", "--log", "warn", "--listen", &listen, "--metrics-listen", &operators]);
        command.args(["--database-url", &url, "--lanes", lanes]);
        Self::run(&mut command, port, metrics).await
    }

    /// The wire alone: this program again.
    pub async fn answers_only() -> Self {
        let port = free_port();
        let program = std::env::current_exe().unwrap();
        Self::run(Command::new(program).args(["--answer-only", &port.to_string()]), port, 0).await
    }

    async fn run(command: &mut Command, port: u16, metrics: u16) -> Self {
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let server = format!("http://127.0.0.1:{port}");
        let service = Self { child, server, metrics };
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return service;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not answer", service.server);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn used(&self) -> Used {
        used(self.child.id())
    }

    /// SIGTERM, and its exit code.
    pub fn stop(mut self) -> Option<i32> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that was stopped is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
