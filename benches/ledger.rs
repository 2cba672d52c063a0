//! What the pieces cost, and the whole: decode, price, a journal with its root, an append on each store by group size, and orders over
//! gRPC, streamed and one by one. `cargo bench` runs all; `cargo bench -- append` some. Benches measure; tests assert.

#[path = "../tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod cluster;
#[path = "../tests/it/fixture.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod fixture;

use cluster::Cluster;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fixture::config;
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::{decode_order, proto as pb};
use premium_ledger::app::{App, open_store};
use premium_ledger::clock::Clock;
use premium_ledger::command::client::{connect, stream};
use premium_ledger::command::simulate::day::Simulated;
use premium_ledger::config::Database;
use premium_ledger::intake::{Intake, Item, Registry, Wait};
use premium_ledger::ledger::Journal;
use premium_ledger::store::Store;
use premium_ledger::store::sqlite::Place;
use premium_ledger::telemetry::Telemetry;
use premium_ledger::types::{Day, JournalId, Line, Order};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Orders that no iteration before has sent.
fn fresh(count: usize) -> Vec<pb::Order> {
    static SEED: AtomicU64 = AtomicU64::new(0);
    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    let date = Day::parse("2026-07-15").unwrap();
    let events = Simulated::new(seed, date, count as u64, 100_000);
    events.map(|event| pb::Order { order_id: format!("{seed}-{}", event.order.order_id), ..event.order }).collect()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// An empty ledger on each store; the cluster and the folder live as long as the benches.
fn databases(runtime: &Runtime, folder: &tempfile::TempDir, cluster: &Cluster) -> [(&'static str, Database); 2] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let file = folder.path().join(format!("{}.sqlite", NEXT.fetch_add(1, Ordering::Relaxed)));
    [
        ("sqlite", Database::Sqlite(Place::durable(file))),
        ("postgres", Database::Postgres(runtime.block_on(cluster.database()))),
    ]
}

fn pieces(criterion: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let place = Place::durable(folder.path().join("pieces.sqlite"));
    let store = runtime.block_on(open_store(&config(Database::Sqlite(place)), Clock::system())).unwrap();
    let snapshot = runtime.block_on(Registry::load(store)).unwrap().snapshot();
    let now = Clock::system().now();
    let wire = fresh(1_000);
    let mut group = criterion.benchmark_group("pieces");
    group.throughput(Throughput::Elements(wire.len() as u64));
    group.bench_function("decode", |bench| {
        let decode = |orders: Vec<pb::Order>| -> Vec<Item> {
            orders.into_iter().map(|order| decode_order::item(order, &snapshot, now)).collect()
        };
        bench.iter_batched(|| wire.clone(), decode, BatchSize::LargeInput);
    });
    let orders: Vec<Order> =
        wire.into_iter().filter_map(|o| decode_order::decode(o, &snapshot, now).ok()).collect();
    group.throughput(Throughput::Elements(orders.len() as u64));
    group.bench_function("price", |bench| {
        bench.iter(|| orders.iter().map(|order| snapshot.price(order)).filter(|p| p.amount.is_some()).count());
    });
    let journal = journal_of(&orders, |order| snapshot.price(order));
    group.bench_function("root of a journal", |bench| bench.iter(|| journal.root()));
    group.finish();
}

fn journal_of(orders: &[Order], price: impl Fn(&Order) -> premium_ledger::types::Priced) -> Journal {
    let mut journal = Journal::new(JournalId::new(1).unwrap());
    for order in orders {
        let sort = order.sort();
        journal.lines.push(Line {
            position: journal.place(journal.lines.len()),
            slot: sort.slot(),
            kind: sort.kind(),
            order: order.clone(),
            priced: price(order),
            corrects: None,
            reversal_reason: None,
        });
    }
    journal
}

/// Probe, decide, append and answer, without the wire.
fn append(criterion: &mut Criterion) {
    let (runtime, folder, cluster) = (runtime(), tempfile::tempdir().unwrap(), Cluster::start(&[]));
    let mut group = criterion.benchmark_group("append");
    group.sample_size(10).measurement_time(Duration::from_secs(6));
    for (name, database) in databases(&runtime, &folder, &cluster) {
        let store: Store = runtime.block_on(open_store(&config(database), Clock::system())).unwrap();
        let registry = runtime.block_on(Registry::load(store.clone())).unwrap();
        let (intake, _lanes) = runtime
            .block_on(async { Intake::start(store, registry.clone(), 1, &Telemetry::default(), Clock::system()) });
        for size in [1, 100, 1_000, 5_000] {
            group.throughput(Throughput::Elements(size as u64));
            group.bench_with_input(BenchmarkId::new(name, size), &size, |bench, size| {
                let items = || -> Vec<Item> {
                    let (snapshot, now) = (registry.snapshot(), Clock::system().now());
                    fresh(*size).into_iter().map(|order| decode_order::item(order, &snapshot, now)).collect()
                };
                let book = |items: Vec<Item>| {
                    let intake = &intake;
                    async move {
                        intake.submit(items, Wait::ForRoom, None).await.unwrap().answers().await.unwrap().len()
                    }
                };
                bench.to_async(&runtime).iter_batched(items, book, BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

/// From a client's request to its answer, on loopback.
fn wire(criterion: &mut Criterion) {
    const STREAMED: usize = 20_000;
    const ONE_BY_ONE: usize = 500;
    let (runtime, folder, cluster) = (runtime(), tempfile::tempdir().unwrap(), Cluster::start(&[]));
    let mut group = criterion.benchmark_group("wire");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    for (name, database) in databases(&runtime, &folder, &cluster) {
        let app = runtime.block_on(App::start(&config(database), Clock::system())).unwrap();
        let server = format!("http://{}", app.address());
        group.throughput(Throughput::Elements(STREAMED as u64));
        group.bench_function(BenchmarkId::new(name, "stream"), |bench| {
            let send = |orders: Vec<pb::Order>| streamed(&server, orders);
            bench.to_async(&runtime).iter_batched(|| fresh(STREAMED), send, BatchSize::PerIteration);
        });
        let channel = runtime.block_on(connect(&server)).unwrap();
        group.throughput(Throughput::Elements(ONE_BY_ONE as u64));
        group.bench_function(BenchmarkId::new(name, "unary, 64 in flight"), |bench| {
            let send = |orders: Vec<pb::Order>| one_by_one(channel.clone(), orders);
            bench.to_async(&runtime).iter_batched(|| fresh(ONE_BY_ONE), send, BatchSize::PerIteration);
        });
        runtime.block_on(app.stop()).unwrap();
    }
    group.finish();
}

async fn streamed(server: &str, orders: Vec<pb::Order>) -> usize {
    let (batches, to_send) = mpsc::channel(4);
    let (answers, mut answered) = mpsc::channel::<premium_ledger::command::client::Answered>(64);
    let feeder = async move {
        for batch in orders.chunks(1_000) {
            batches.send(batch.to_vec()).await.unwrap();
        }
    };
    let count = async move {
        let mut count = 0;
        while let Some(answer) = answered.recv().await {
            count += answer.results.len();
        }
        count
    };
    let (sent, (), count) = tokio::join!(stream(server, to_send, answers), feeder, count);
    sent.unwrap();
    count
}

async fn one_by_one(channel: tonic::transport::Channel, orders: Vec<pb::Order>) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    let count = orders.len();
    for chunk in orders.chunks(count.div_ceil(64)) {
        let (mut client, chunk) = (IntakeServiceClient::new(channel.clone()), chunk.to_vec());
        tasks.spawn(async move {
            for order in chunk {
                client.record_order(pb::RecordOrderRequest { order: Some(order) }).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    count
}

criterion_group!(benches, pieces, append, wire);
criterion_main!(benches);
