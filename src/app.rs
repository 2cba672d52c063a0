//! Wires everything: store, registry, lanes, services, health, and the way down. The only file that knows every name.

use crate::api::{
    AuditApi, CoverageApi, Gathering, IntakeApi, REQUEST_BYTES, RESPONSE_BYTES, RegistryApi, StatementApi, proto,
};
use crate::audit::keep_looking;
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::intake::{Intake, Registry, SNAPSHOT_REFRESH, SNAPSHOT_STALE};
use crate::store::postgres::{self, Connections, Folding, Postgres};
use crate::store::sqlite::Sqlite;
use crate::store::{GuardFailure, Store, StoreError, keep_folding};
use crate::telemetry::{
    self, EndpointError, ExportError, Metrics, Probes, Push, RpcLayer, Telemetry, Tracer, Watched,
};
use crate::watch::keep_watching;
use prost::Message;
use prost_types::FileDescriptorSet;
use proto::audit_service_server::AuditServiceServer;
use proto::coverage_service_server::CoverageServiceServer;
use proto::intake_service_server::IntakeServiceServer;
use proto::registry_service_server::RegistryServiceServer;
use proto::statement_service_server::StatementServiceServer;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::StreamExt;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Connections that Postgres appends need beside the lanes': corrections, puts, the registry's refresh.
const EXTRA_WRITERS: u32 = 4;
/// HTTP/2 window of one stream: a whole request fits.
pub const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
/// HTTP/2 window of a connection.
pub const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Most calls of one connection at once; further ones wait at the sender.
const CALLS_PER_CONNECTION: u32 = 1_024;
/// Most connections that wait to be taken up.
const WAITING_CONNECTIONS: u32 = 1_024;
/// How often a silent connection is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Health's name for the durability of what is acknowledged: NOT_SERVING under `--allow-data-loss` with weak settings.
pub const DURABILITY: &str = "premium-ledger.durability";

/// What health tells of: the whole, and each service.
const HEALTH_NAMES: [&str; 6] = [
    "",
    "premium.ledger.v1.IntakeService",
    "premium.ledger.v1.CoverageService",
    "premium.ledger.v1.RegistryService",
    "premium.ledger.v1.StatementService",
    "premium.ledger.v1.AuditService",
];
/// How long a start waits for a database that does not answer; then the error ends it.
const START_WITHIN: Duration = Duration::from_secs(300);
/// From one try to the next.
const START_AGAIN: Duration = Duration::from_secs(1);
/// How long one look at the registry may take.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the service could not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database is not fit to serve from.
    #[error(transparent)]
    Guard(#[from] GuardFailure),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be served on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The operators' address cannot be served on.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Spans or metrics cannot be sent.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(String),
    /// What was accepted was not answered within the limit.
    #[error("the drain took longer than its limit of {0:?}")]
    Drain(Duration),
}

impl AppError {
    /// The database did not answer; it may do so later.
    const fn may_pass(&self) -> bool {
        let (Self::Guard(GuardFailure::Store(error)) | Self::Store(error)) = self else { return false };
        matches!(error, StoreError::Unavailable(_))
    }
}

/// A ledger being served.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    lanes: Vec<JoinHandle<()>>,
    refresh: JoinHandle<()>,
    beside: [JoinHandle<()>; 3],
    telemetry: Telemetry,
    push: Option<Push>,
    metrics_address: Option<SocketAddr>,
    store: Store,
    drain: Duration,
}

/// The ledger and its registry, as soon as the database's server answers: where a machine or a site comes up again, all start at once, in any order. A file is there or not.
async fn open_when_there(config: &Config, clock: Clock) -> Result<(Store, Registry), AppError> {
    let began = Instant::now();
    loop {
        let error = match open(config, clock).await {
            Err(error) if error.may_pass() && matches!(config.database, Database::Postgres(_)) => error,
            opened_or_refused => return opened_or_refused,
        };
        if began.elapsed() >= START_WITHIN {
            return Err(error);
        }
        tracing::warn!(%error, "the start waits for the database");
        sleep(START_AGAIN).await;
    }
}

async fn open(config: &Config, clock: Clock) -> Result<(Store, Registry), AppError> {
    let store = open_store(config, clock).await?;
    let registry = Registry::load(store.clone()).await?;
    Ok((store, registry))
}

/// Opens the ledger that a configuration names; an empty Postgres is migrated first, if a login may.
pub async fn open_store(config: &Config, clock: Clock) -> Result<Store, GuardFailure> {
    match &config.database {
        Database::Sqlite(place) => {
            Sqlite::open(place, config.readers, clock, config.leniency).await.map(Store::Sqlite)
        }
        Database::Postgres(url) => {
            if config.leniency.single_login {
                tracing::warn!("--single-login: the login of the service could get round the ledger's guards");
            }
            if config.migrate_url.is_some() || postgres::is_empty(url).await? {
                postgres::migrate(config.migrate_url.as_deref().unwrap_or(url)).await?;
            }
            let connections =
                Connections { writers: 2 * config.lanes as u32 + EXTRA_WRITERS, readers: config.readers };
            Postgres::open(url, connections, config.leniency, Folding::default()).await.map(Store::Postgres)
        }
    }
}

impl App {
    /// Starts serving; returns when the address is open. Waits for a PostgreSQL server that does not answer, five minutes at most.
    pub async fn start(config: &Config, clock: Clock) -> Result<Self, AppError> {
        let telemetry = telemetry(config, clock)?;
        let (ready, readiness) = watch::channel(false);
        let (stop, stopping) = watch::channel(false);
        let socket = reserve(config.listen).map_err(|e| AppError::Listen(config.listen, e))?;
        // Before the database: an operator sees the start too.
        let probes = Probes { ready: readiness, stopping: stopping.clone() };
        let metrics_address = serve_operators(config, &telemetry, probes).await?;
        let push =
            config.push.clone().map(|push| Push::start(push, telemetry.metrics.clone(), clock)).transpose()?;
        let (store, registry) = open_when_there(config, clock).await?;
        for weakness in store.weaknesses() {
            tracing::warn!(weakness, "--allow-data-loss: acknowledged lines may be lost");
        }
        let (intake, lanes) = Intake::start(store.clone(), registry.clone(), config.lanes, &telemetry, clock);

        let listener = socket.listen(WAITING_CONNECTIONS).map_err(|e| AppError::Listen(config.listen, e))?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let address = incoming.local_addr().map_err(|e| AppError::Listen(config.listen, e))?;
        let (health, health_service) = tonic_health::server::health_reporter();
        let durable = store.weaknesses().is_empty();
        health.set_service_status(DURABILITY, status(durable)).await;
        let watched = telemetry.metrics.watched.clone();
        watched.weak_durability.set(i64::from(!durable));
        let readiness = Readiness { health, ready, watched: watched.clone() };
        readiness.set(true).await;

        let spool = config.spool.clone();
        let statements = StatementApi::new(store.clone(), registry.clone(), clock, stopping.clone(), spool);
        let server = Server::builder()
            .layer(RpcLayer::new(telemetry.clone(), methods()))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(CALLS_PER_CONNECTION)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .max_connection_age(config.connection_age)
            .add_service(health_service)
            .add_service(reflection_v1())
            .add_service(reflection_v1alpha())
            .add_service(
                IntakeServiceServer::new(IntakeApi::new(intake, clock, stopping.clone()))
                    .max_decoding_message_size(REQUEST_BYTES)
                    .max_encoding_message_size(RESPONSE_BYTES),
            )
            .add_service(
                CoverageServiceServer::new(CoverageApi::new(store.clone(), registry.clone(), clock))
                    .max_decoding_message_size(REQUEST_BYTES),
            )
            .add_service(
                AuditServiceServer::new(AuditApi::new(store.clone(), registry.clone(), clock))
                    .max_decoding_message_size(REQUEST_BYTES),
            )
            .add_service(
                RegistryServiceServer::new(RegistryApi::new(registry.clone(), clock, stopping.clone()))
                    .max_decoding_message_size(REQUEST_BYTES),
            )
            .add_service(StatementServiceServer::new(statements).max_decoding_message_size(REQUEST_BYTES));
        let mut until = stopping.clone();
        let stopped = async move {
            // An error means that the app is gone: the same as a stop.
            let _ = until.wait_for(|stop| *stop).await;
        };
        let incoming = incoming.map(|connection| connection.map(Gathering::new));
        let server = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stopped));
        let refresh = tokio::spawn(keep_fresh(registry.clone(), readiness, stopping));
        let beside = beside(&store, registry, telemetry.metrics.clone(), clock);
        tracing::info!(%address, ?metrics_address, database = store.system(), lanes = lanes.len(), "serving");
        let drain = config.drain;
        Ok(Self { address, stop, server, lanes, refresh, beside, telemetry, push, metrics_address, store, drain })
    }

    /// Where it serves.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators ask.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// What it tells.
    pub const fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// The ledger's database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Takes nothing more in, answers what was accepted, lets go of the database.
    pub async fn stop(self) -> Result<(), AppError> {
        // The receivers are this app's own tasks; they live until they are told.
        let _ = self.stop.send(true);
        self.beside.iter().for_each(JoinHandle::abort);
        let drained = timeout(self.drain, async {
            let served = self.server.await.map_err(|e| AppError::Server(e.to_string()))?;
            for lane in self.lanes {
                lane.await.map_err(|e| AppError::Server(e.to_string()))?;
            }
            self.refresh.await.map_err(|e| AppError::Server(e.to_string()))?;
            self.store.close().await;
            served.map_err(|e| AppError::Server(e.to_string()))
        });
        let drained = drained.await.unwrap_or(Err(AppError::Drain(self.drain)));
        if let Some(tracer) = self.telemetry.tracer {
            tracer.stop().await;
        }
        if let Some(push) = self.push {
            push.stop().await;
        }
        drained
    }
}

/// Takes the address before the database is waited for, so that one in use ends the start at once. Callers are turned away until it listens.
fn reserve(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of the process before may still be closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Takes in what other instances put, and tells health when that has not worked for too long.
async fn keep_fresh(registry: Registry, mut readiness: Readiness, mut stopping: watch::Receiver<bool>) {
    let mut serving = true;
    loop {
        if timeout(SNAPSHOT_REFRESH, stopping.wait_for(|stop| *stop)).await.is_ok() {
            readiness.set(false).await;
            // Ends the watches too: one that stays open would hold the stop up.
            for name in HEALTH_NAMES.iter().chain([&DURABILITY]) {
                readiness.health.clear_service_status(name).await;
            }
            return;
        }
        match timeout(REFRESH_TIMEOUT, registry.refresh()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the registry could not be read"),
            Err(_) => tracing::warn!("the registry could not be read in time"),
        }
        let fresh = registry.age() < SNAPSHOT_STALE;
        if fresh != serving {
            serving = fresh;
            tracing::warn!(serving, "readiness changed with the age of the registry's snapshot");
            readiness.set(serving).await;
        }
    }
}

fn status(serving: bool) -> ServingStatus {
    if serving { ServingStatus::Serving } else { ServingStatus::NotServing }
}

/// All who are told whether the service is ready.
struct Readiness {
    health: HealthReporter,
    ready: watch::Sender<bool>,
    watched: Watched,
}

impl Readiness {
    async fn set(&self, serving: bool) {
        for name in HEALTH_NAMES {
            self.health.set_service_status(name, status(serving)).await;
        }
        self.ready.send_replace(serving);
        self.watched.ready.set(i64::from(serving));
    }
}

/// What goes on beside the calls, and may be cut off at any time.
fn beside(store: &Store, registry: Registry, metrics: Metrics, clock: Clock) -> [JoinHandle<()>; 3] {
    [
        tokio::spawn(keep_folding(store.clone())),
        tokio::spawn(keep_looking(store.clone(), clock)),
        tokio::spawn(keep_watching(store.clone(), registry, metrics, clock)),
    ]
}

/// Where operators ask, if anywhere.
async fn serve_operators(
    config: &Config,
    telemetry: &Telemetry,
    probes: Probes,
) -> Result<Option<SocketAddr>, EndpointError> {
    match config.metrics_listen {
        Some(listen) => telemetry::serve(listen, telemetry.metrics.clone(), probes).await.map(Some),
        None => Ok(None),
    }
}

fn telemetry(config: &Config, clock: Clock) -> Result<Telemetry, ExportError> {
    let mut telemetry = Telemetry::default();
    if let Some(traces) = &config.traces {
        let (made, sent) = (telemetry.metrics.spans.clone(), telemetry.metrics.sent_spans.clone());
        telemetry.tracer = Some(Tracer::start(traces.clone(), clock, made, sent)?);
    }
    Ok(telemetry)
}

/// "package.Service/Method" of all that is served.
fn methods() -> HashSet<String> {
    let of_reflection = tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET;
    let older = tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET;
    let mut methods = HashSet::new();
    for set in [proto::DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET, of_reflection, older] {
        let set = FileDescriptorSet::decode(set).expect("the descriptors were made by this build");
        for file in &set.file {
            for service in &file.service {
                let name = |method: &str| format!("{}.{}/{method}", file.package(), service.name());
                methods.extend(service.method.iter().map(|method| name(method.name())));
            }
        }
    }
    methods
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

fn reflection_v1()
-> tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection> {
    reflection().build_v1().expect("the descriptors were made by this build")
}

/// Stock Python clients speak the older one.
fn reflection_v1alpha() -> tonic_reflection::server::v1alpha::ServerReflectionServer<
    impl tonic_reflection::server::v1alpha::ServerReflection,
> {
    reflection().build_v1alpha().expect("the descriptors were made by this build")
}
