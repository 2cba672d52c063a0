//! A PostgreSQL server of the tests' own: on loopback, in a temporary folder, as an unprivileged user. Never skipped: where no server
//! program is found the test fails, and says what to do.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

const ADVICE: &str = "no PostgreSQL server program found: run tests/run, which installs one, or put the folder \
                      with initdb and postgres on the PATH";
/// Uid and gid to run as when the tests run as root, which PostgreSQL refuses: nobody's.
const UNPRIVILEGED: u32 = 65_534;

/// A running server; stopped, and its folder removed, when the last test lets go of it.
pub struct Cluster {
    bin: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    server: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl Cluster {
    /// The server that tests share.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start(&[]));
        *shared = Arc::downgrade(&started);
        started
    }

    /// A server for one test alone, which may kill it.
    pub fn start(settings: &[&str]) -> Self {
        let cluster = Self::empty();
        let made = cluster
            .command("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions", "-D"])
            .arg(cluster.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.run(settings);
        cluster
    }

    /// A standby that follows another server.
    pub fn copy_of(primary: &Self, settings: &[&str]) -> Self {
        let cluster = Self::copied(primary, &["-R"]);
        cluster.run(settings);
        cluster
    }

    /// A base backup of another server, not started: see [`Self::recover`].
    pub fn backup_of(primary: &Self) -> Self {
        Self::copied(primary, &[])
    }

    fn copied(primary: &Self, how: &[&str]) -> Self {
        let cluster = Self::empty();
        let port = primary.port.to_string();
        let mut copy = cluster.command("pg_basebackup");
        copy.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-X", "stream", "-c", "fast", "--no-sync"]);
        let made = copy.args(how).arg("-D").arg(cluster.data()).output().unwrap();
        assert!(made.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&made.stderr));
        cluster
    }

    /// Starts a backup, which first takes the log that `settings` tell it to fetch.
    pub fn recover(&self, settings: &[&str]) {
        std::fs::write(self.data().join("recovery.signal"), "").unwrap();
        self.run(settings);
    }

    /// Its port on loopback.
    pub const fn port(&self) -> u16 {
        self.port
    }

    fn empty() -> Self {
        let bin = find_bin().unwrap_or_else(|| panic!("{ADVICE}"));
        let folder = tempfile::Builder::new().prefix("premium-ledger-pg-").tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
        }
        let port = free_port();
        Self { bin, folder, port, server: Mutex::new(None), databases: AtomicU32::new(0) }
    }

    /// Starts the server, or starts it again after a kill.
    pub fn run(&self, settings: &[&str]) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        command.arg("-c").arg(format!("unix_socket_directories={}", self.folder.path().display()));
        for setting in settings {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.stdout(Stdio::null()).stderr(log);
        *self.server.lock().unwrap() = Some(command.spawn().unwrap());
        for _ in 0..600 {
            let ready =
                self.command("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status();
            if ready.unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("the server did not start:\n{log}");
    }

    /// kill -9 of every process of the server: the first of them and all it started.
    pub fn kill(&self) {
        let mut server = self.server.lock().unwrap().take().expect("a running server");
        // One that ended meanwhile is as good as killed.
        let signal = |signal, pid: &str| Command::new("kill").args([signal, pid]).stderr(Stdio::null()).status();
        // It starts no more while they are counted.
        signal("-STOP", &server.id().to_string()).unwrap();
        let children = Command::new("pgrep").arg("-P").arg(server.id().to_string()).output().unwrap();
        server.kill().unwrap();
        let children = String::from_utf8_lossy(&children.stdout);
        children.split_whitespace().for_each(|pid| drop(signal("-KILL", pid)));
        server.wait().unwrap();
        // As after a crash of the machine: nobody holds the data any more. A server is not started beside what is left of one.
        for _ in 0..600 {
            // Where nobody asks how they ended, a Z of them stays.
            let left = children.split_whitespace().filter(|pid| {
                let stat = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap().stdout;
                !stat.trim_ascii().is_empty() && !stat.starts_with(b"Z")
            });
            if left.count() == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{children}: not all ended");
    }

    /// A fast shutdown: sessions are ended, all is flushed.
    pub fn stop(&self) {
        let mut server = self.server.lock().unwrap().take().expect("a running server");
        Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap();
        server.wait().unwrap();
    }

    /// The server has ended by itself.
    pub fn has_ended(&self) -> bool {
        let mut server = self.server.lock().unwrap();
        server.as_mut().is_none_or(|server| server.try_wait().unwrap().is_some())
    }

    /// A new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("create database {name}")).await;
        self.url("postgres", &name)
    }

    /// URL of a database over TCP.
    pub fn url(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements as superuser in a database named by name or URL.
    pub async fn execute(&self, database: &str, sql: &str) {
        use sqlx::{Connection, Executor};
        let url = if database.contains("://") { database.to_owned() } else { self.url("postgres", database) };
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        connection.execute(sqlx::raw_sql(sql)).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of its programs, run as it runs.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(self.folder.path()).env("LC_ALL", "C").env("TZ", "UTC");
        if is_root() {
            command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let server = self.server.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(mut server) = server {
            // SIGQUIT: the folder goes anyway.
            let _ = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
            let _ = server.wait();
        }
    }
}

/// A port of loopback that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// The folder with initdb and postgres: the newest under /usr/lib/postgresql, or what pg_config or the PATH says.
fn find_bin() -> Option<PathBuf> {
    let mut candidates = Vec::new();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|entry| entry.path()).collect();
        versions.sort_by_key(|path| path.file_name()?.to_str()?.parse::<u32>().ok());
        candidates.extend(versions.into_iter().rev().map(|path| path.join("bin")));
    }
    if let Ok(told) = Command::new("pg_config").arg("--bindir").output() {
        candidates.push(PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates.extend(std::env::split_paths(&path));
    candidates.into_iter().find(|folder| ["initdb", "postgres"].iter().all(|p| is_file(&folder.join(p))))
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}
