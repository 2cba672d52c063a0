//! The faults: what is done to the world, and undone where nobody but the harness would.

use crate::clients::event;
use crate::program::ended;
use crate::world::{Database, World, follow, settings, signal};
use clap::ValueEnum;
use premium_ledger::api::proto as pb;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// How far the clock is set at most, seconds.
const MOST_OFF: i64 = 7_200;
/// How long an instance may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    /// SIGKILL of the service; started again.
    KillService,
    /// SIGTERM of the service, which must end with 0; started again.
    DrainService,
    /// SIGSTOP of the service for seconds.
    StopService,
    /// A platform that sends and never reads, and goes away.
    SilentClient,
    /// SIGKILL of every process of the database; started again.
    KillDatabase,
    /// SIGKILL of the service and the database, as where a machine loses its power; both are started again, the service first.
    KillBoth,
    /// A fast shutdown of the database; started again.
    RestartDatabase,
    /// The database ends the service's sessions.
    EndSessions,
    /// The network cuts what is open, between two bytes.
    CutNetwork,
    /// The database's address takes nobody for seconds.
    AddressGone,
    /// The network cuts what is open, and the database's name cannot be resolved for seconds.
    NameGone,
    /// Others use all connections of the database up.
    UseUpConnections,
    /// SIGSTOP of the service's sessions in the database for seconds.
    FreezeSessions,
    /// The primary is killed, its synchronous standby takes over, and a new one is made.
    Failover,
    /// Every flush of the database, or of SQLite's file, takes tens to hundreds of milliseconds longer for seconds.
    SlowDisk,
    /// The wall clock of the service and the database is set back or forth by up to two hours, and right again after seconds.
    ClockSteps,
    /// One instance after the other is drained and started again, while the other serves.
    RollingRestart,
    /// No room on the disk for seconds. Only on a small disk of its own.
    DiskFull,
    /// Somebody else holds the file's lock for seconds.
    LockFile,
    /// A second process is started on the file; it must be refused.
    SecondProcess,
}

impl Kind {
    /// What can happen to PostgreSQL, on any disk and without a standby.
    pub const POSTGRES: [Self; 15] = [
        Self::KillService,
        Self::DrainService,
        Self::StopService,
        Self::SilentClient,
        Self::KillDatabase,
        Self::KillBoth,
        Self::RestartDatabase,
        Self::EndSessions,
        Self::CutNetwork,
        Self::AddressGone,
        Self::NameGone,
        Self::UseUpConnections,
        Self::FreezeSessions,
        Self::SlowDisk,
        Self::ClockSteps,
    ];
    /// What can happen to SQLite, on any disk.
    pub const SQLITE: [Self; 8] = [
        Self::KillService,
        Self::DrainService,
        Self::StopService,
        Self::SilentClient,
        Self::LockFile,
        Self::SecondProcess,
        Self::SlowDisk,
        Self::ClockSteps,
    ];
}

/// Does it; returns when everything is as it was before, as far as the harness has to do with it.
pub async fn happen(kind: Kind, world: &mut World, random: &mut ChaCha8Rng) {
    let mut some = |from: u64, to: u64| Duration::from_millis(random.random_range(from..to));
    let pause = match kind {
        Kind::StopService | Kind::AddressGone | Kind::NameGone | Kind::FreezeSessions | Kind::LockFile => {
            some(500, 4_000)
        }
        Kind::KillBoth | Kind::UseUpConnections | Kind::DiskFull | Kind::SlowDisk | Kind::ClockSteps => {
            some(1_000, 3_000)
        }
        _ => some(0, 400),
    };
    match kind {
        Kind::KillService => {
            world.served.kill();
            sleep(pause).await;
            world.served.restart();
        }
        Kind::DrainService => {
            world.served.signal("-TERM");
            let code = world.served.ended();
            assert_eq!(code, Some(0), "a drained service ends with 0");
            world.served.restart();
        }
        Kind::RollingRestart => {
            for served in std::iter::once(&mut world.served).chain(&mut world.second) {
                served.signal("-TERM");
                assert_eq!(served.ended(), Some(0), "a drained service ends with 0");
                served.restart();
                // As an orchestrator does: the next one only once this one is ready.
                let ready = async {
                    while premium_ledger::command::client::connect(&served.url()).await.is_err() {
                        sleep(Duration::from_millis(20)).await;
                    }
                };
                tokio::time::timeout(READY_WITHIN, ready).await.expect("it is ready again");
            }
        }
        Kind::StopService => {
            world.served.signal("-STOP");
            sleep(pause).await;
            world.served.signal("-CONT");
        }
        Kind::SilentClient => silent_client(world.served.url()).await,
        Kind::LockFile => lock_file(world, pause).await,
        Kind::SecondProcess => second_process(world),
        Kind::DiskFull => disk_full(world, pause).await,
        Kind::SlowDisk => {
            world.machine.flush_longer(some(20, 300));
            sleep(pause).await;
            world.machine.flush_longer(Duration::ZERO);
        }
        Kind::ClockSteps => {
            world.machine.set_clock_off(random.random_range(-MOST_OFF..MOST_OFF));
            sleep(pause).await;
            world.machine.set_clock_off(0);
        }
        _ => to_postgres(kind, world, pause).await,
    }
}

async fn to_postgres(kind: Kind, world: &mut World, pause: Duration) {
    let Database::Postgres { primary, standby, proxy, .. } = &mut world.database else {
        panic!("{kind:?} is for PostgreSQL");
    };
    match kind {
        Kind::KillDatabase => {
            primary.kill();
            sleep(pause).await;
            primary.run(settings());
        }
        Kind::KillBoth => {
            world.served.kill();
            primary.kill();
            world.served.restart();
            sleep(pause).await;
            primary.run(settings());
        }
        Kind::RestartDatabase => {
            primary.stop();
            sleep(pause).await;
            primary.run(settings());
        }
        Kind::EndSessions => end_sessions(&primary.url("postgres", "postgres")).await,
        Kind::CutNetwork => proxy.leads_to(primary.port()),
        Kind::AddressGone => {
            proxy.gone();
            sleep(pause).await;
            proxy.leads_to(primary.port());
        }
        Kind::NameGone => {
            world.machine.set_names_gone(true);
            proxy.leads_to(primary.port());
            sleep(pause).await;
            world.machine.set_names_gone(false);
        }
        Kind::UseUpConnections => {
            let url = primary.url("postgres", "postgres");
            let mut held = Vec::new();
            end_sessions(&url).await;
            while let Ok(connection) = PgConnection::connect(&url).await {
                held.push(connection);
            }
            assert!(held.len() > 3, "some were free");
            sleep(pause).await;
        }
        Kind::FreezeSessions => {
            let url = primary.url("postgres", "postgres");
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let sql = "select pid::bigint from pg_stat_activity where application_name = 'premium-ledger'";
            let pids: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
            pids.iter().for_each(|pid| signal("-STOP", *pid));
            sleep(pause).await;
            pids.iter().for_each(|pid| signal("-CONT", *pid));
        }
        Kind::Failover => {
            primary.kill();
            let promoted = standby.take().expect("a standby");
            promoted.execute("postgres", "select pg_promote()").await;
            proxy.leads_to(promoted.port());
            *primary = promoted;
        }
        _ => unreachable!("not of PostgreSQL alone"),
    }
}

/// What is to be done once the service is back: after a failover a new standby, for which commits wait.
pub async fn mend(kind: Kind, world: &mut World) {
    if let (Kind::Failover, Database::Postgres { primary, standby, .. }) = (kind, &mut world.database) {
        *standby = Some(follow(primary).await);
    }
}

async fn end_sessions(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'premium-ledger'";
    connection.execute(sql).await.unwrap();
}

/// OPENs of its own, as many as it can get rid of without reading an answer.
async fn silent_client(server: String) {
    let Ok(channel) = premium_ledger::command::client::connect(&server).await else { return };
    let mut client = pb::intake_service_client::IntakeServiceClient::new(channel);
    let orders = |first: u64| -> Vec<pb::Order> {
        let silent = |n: u64| pb::Order { order_id: format!("silent-{n}"), ..event(0, 2 * n) };
        (first..first + 500).map(silent).collect()
    };
    let batch = move |n: u64| pb::RecordOrdersRequest { batch_id: String::new(), orders: orders(n * 500) };
    let requests = tokio_stream::iter((0..40).map(batch));
    // Held, and never read; it may also not come to be.
    let answers = tokio::time::timeout(Duration::from_secs(2), client.stream_orders(requests)).await;
    sleep(Duration::from_secs(1)).await;
    drop(answers);
}

async fn lock_file(world: &World, pause: Duration) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.file());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // The service may hold it just now.
    while connection.execute("begin immediate").await.is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(pause).await;
    connection.execute("rollback").await.unwrap();
}

fn second_process(world: &World) {
    let url = format!("sqlite:{}", world.file().display());
    let arguments = ["serve", "--log", "off", "--listen", "127.0.0.1:0", "--database-url", &url];
    let mut second = Command::new(env!("CARGO_BIN_EXE_premium-ledger"));
    let mut second = second.args(arguments).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(ended(&mut second), Some(1), "a second process is refused");
}

/// Fills the disk that the database is on, and empties it again. A server that ended for it is started again, as a service manager does.
async fn disk_full(world: &World, pause: Duration) {
    let folder = match &world.database {
        Database::Postgres { primary, .. } => primary.data(),
        Database::Sqlite { folder } => folder.path().to_owned(),
    };
    let path = folder.join("ballast");
    let mut ballast = std::fs::File::create(&path).unwrap();
    let megabyte = vec![1_u8; 1 << 20];
    let mut written = 0;
    while ballast.write_all(&megabyte).is_ok() {
        written += 1;
        assert!(written < 4_096, "disk-full wants a disk of less than 4 GiB: set TMPDIR to a small tmpfs");
    }
    sleep(pause).await;
    drop(ballast);
    std::fs::remove_file(path).unwrap();
    if let Database::Postgres { primary, .. } = &world.database
        && primary.has_ended()
    {
        primary.run(settings());
    }
}
