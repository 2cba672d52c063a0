//! End to end, for anybody: starts the database and the service on loopback, drives them from this process, and measures beside them the
//! raw floors: the same rows by COPY (`.import`) into `floor.sql`'s table, the wire without a store, and a flush of the disk.
//!
//! `cargo bench --bench end_to_end` runs all; `-- --help` tells what can be chosen. Measures, and asserts only that the lines booked are
//! the lines acknowledged. Ratios within one run mean something; figures of different machines do not.

mod client;
#[path = "../../tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod cluster;
#[path = "../../tests/it/fixture.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod fixture;
mod load;
mod process;
mod questions;
mod settle;
mod soak;
mod store;
mod wire;

use clap::Parser;
use client::{Told, calls, open_loop, streams};
use load::Load;
use process::{beside_flushes, flushes, median, peak_memory, used};
use questions::{Questions, asked, quantiles};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{Over, Service, Store};

/// The service's own: the wire's ceiling is served by this program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Minutes of a soak whose log needs files: two checkpoints; from then on they are used again.
const LOG_MINUTES: u64 = 30;
/// Events of such a minute, about.
const EVENTS_A_MINUTE: u64 = 500_000;

/// End-to-end benchmark of premium-ledger
#[derive(Parser, Clone, Debug)]
struct Args {
    /// Where the ledger is
    #[arg(long, value_enum, value_delimiter = ',', default_value = "socket,tcp,sqlite")]
    over: Vec<Over>,
    /// Events of the stream
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// The stream is measured in parts of so many events
    #[arg(long, default_value_t = 1_000_000)]
    part: u64,
    /// Runs; medians are of all
    #[arg(long, default_value_t = 3)]
    runs: u64,
    /// Replays in a hundred events
    #[arg(long, default_value_t = 1.0)]
    replays: f64,
    /// Streams with so many replays in a hundred too, each into a store of its own, and calls beside a platform that only replays
    #[arg(long, value_delimiter = ',')]
    compare_replays: Vec<f64>,
    /// Ended events only, as a platform without acceptances sends them
    #[arg(long)]
    no_opens: bool,
    /// Workers
    #[arg(long, default_value_t = 2_000_000)]
    workers: u32,
    /// Streams at once, a connection each
    #[arg(long, default_value_t = 4)]
    streams: u64,
    /// Orders in a request of a stream
    #[arg(long, default_value_t = 1_000)]
    batch: u64,
    /// Calls of one order each; 0 leaves them out
    #[arg(long, default_value_t = 100_000)]
    calls: u64,
    /// Minutes of calls at a fixed rate, with memory, latency, file descriptors and tasks minute by minute; 0 leaves them out
    #[arg(long, default_value_t = 0)]
    soak_minutes: u64,
    /// Calls a second of those minutes; without it half of what 256 in flight reach at that moment, which a machine that others use too may not hold for an hour
    #[arg(long)]
    soak_rate: Option<f64>,
    /// Questions of cover of each kind, alone and again beside a further part of the stream; 0 leaves them out
    #[arg(long, default_value_t = 0)]
    questions: u64,
    /// Lanes of the service
    #[arg(long, default_value = "2")]
    lanes: String,
    /// Leave the floor out
    #[arg(long)]
    no_floor: bool,
    /// Write the figures to this file
    #[arg(long)]
    json: Option<std::path::PathBuf>,
    /// Serve the wire without a store (the bench starts itself so)
    #[arg(long, hide = true)]
    answer_only: Option<u16>,
    /// What cargo bench says
    #[arg(long, hide = true)]
    bench: bool,
}

/// Calls of the platform that is not replaying.
const CALLS_BESIDE_REPLAYS: u64 = 20_000;
/// Their rate.
const CALLS_A_SECOND_BESIDE_REPLAYS: f64 = 2_000.0;
/// Asked before those that are measured.
const WARM_UP_QUESTIONS: u64 = 500;

/// Figures by place and name, one for each run.
#[derive(Default)]
struct Figures(BTreeMap<(String, String), Vec<f64>>);

impl Figures {
    fn add(&mut self, place: &str, name: &str, value: f64) {
        println!("{place:<18} {name:<52} {value:>14.2}");
        self.0.entry((place.to_owned(), name.to_owned())).or_default().push(value);
    }

    /// Of this run.
    fn last(&self, place: &str, name: &str) -> f64 {
        let values = self.0.get(&(place.to_owned(), name.to_owned()));
        values.and_then(|values| values.last().copied()).unwrap_or(f64::NAN)
    }

    fn medians(&self) -> Vec<serde_json::Value> {
        let one = |((place, name), values): (&(String, String), &Vec<f64>)| {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            serde_json::json!({ "where": place, "what": name, "median": median(&sorted), "runs": values })
        };
        self.0.iter().map(one).collect()
    }
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let Some(port) = args.answer_only {
        return wire::serve(port).await;
    }
    let mut figures = Figures::default();
    for run in 0..args.runs {
        println!("-- run {} of {}", run + 1, args.runs);
        for over in &args.over {
            ledger(&args, run, *over, &mut figures).await;
            replays(&args, run, *over, &mut figures).await;
        }
    }
    figures.add("for comparison", "TigerBeetle at 10 M, transfers a second (not run here)", 184_000.0);
    let medians = figures.medians();
    println!("-- medians of {}", args.runs);
    for row in &medians {
        let (place, name) = (row["where"].as_str().unwrap(), row["what"].as_str().unwrap());
        println!("{place:<18} {name:<52} {:>14.2}", row["median"].as_f64().unwrap_or(f64::NAN));
    }
    if let Some(path) = &args.json {
        let told = serde_json::json!({ "arguments": format!("{args:?}"), "figures": medians });
        std::fs::write(path, serde_json::to_string_pretty(&told).unwrap()).unwrap();
    }
}

fn told(figures: &mut Figures, place: &str, what: &str, told: &Told) {
    figures.add(place, &format!("{what}, events a second"), told.rate());
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        figures.add(place, &format!("{what}, {name} ms"), told.quantile(quantile));
    }
}

/// The wire's ceiling, and what a flush of the disk takes.
async fn bare_wire(args: &Args, figures: &mut Figures) {
    let place = "wire alone";
    let load = Load::new(0, args.workers, 0.0, true);
    let service = Service::answers_only().await;
    let streamed = streams(&service.server, &load, 0..args.events.min(2_000_000), args.streams, args.batch).await;
    figures.add(place, "stream, events a second", streamed.rate());
    told(figures, place, "256 calls in flight", &calls(&service.server, &load, 0..args.calls, 256).await);
    told(figures, place, "one call at a time", &calls(&service.server, &load, 0..2_000, 1).await);
    // It has nothing to lose.
    service.stop();
    let folder = tempfile::tempdir().unwrap();
    let flushed = flushes(folder.path(), 1_000, Duration::ZERO, &AtomicBool::new(false));
    figures.add("disk", "flush, median ms", median(&flushed));
}

async fn ledger(args: &Args, run: u64, over: Over, figures: &mut Figures) {
    let place = over.name();
    let load = Load::new(run, args.workers, args.replays, !args.no_opens);
    let store = Store::new(over, args.events + args.soak_minutes.min(LOG_MINUTES) * EVENTS_A_MINUTE).await;
    let service = Service::start(&store, &args.lanes).await;
    println!("{place}: {}", store.durability().await);

    let mut recorded = stream(args, place, &load, &store, &service, figures).await;
    let mut sent = args.events;
    if args.calls > 0 {
        settle::settle(&store, &service).await;
        // Right before the calls that are measured with it: within minutes a machine that others use too becomes another.
        bare_wire(args, figures).await;
        recorded += unary(args, place, &load, &service, &mut sent, figures).await;
        recorded += at_a_fixed_rate(args, place, &load, (&store, &service), &mut sent, figures).await;
    }
    if args.soak_minutes > 0 {
        let half = || figures.last(place, "256 calls in flight, events a second") / 2.0;
        let rate = args.soak_rate.unwrap_or_else(half);
        let soaked = soak::soak(args, place, &load, (&store, &service), sent, rate, figures).await;
        sent += soaked.0;
        recorded += soaked.1;
    }
    if args.questions > 0 {
        recorded += questions(args, place, &load, (&store, &service), &mut sent, figures).await;
    }
    figures.add(place, "service, peak memory MiB", peak_memory(service.pid()));
    assert_eq!(service.stop(), Some(0), "the service drains");
    assert_eq!(store.lines().await, recorded, "the lines booked are the lines acknowledged");
    for (name, bytes) in store.sizes().await {
        figures.add(place, &format!("{name}, bytes a line"), bytes / recorded as f64);
    }
    if !args.no_floor {
        let floor = recorded as f64 / store.floor().await;
        figures.add(place, "floor, rows a second", floor);
        figures.add(place, "stream : floor", figures.last(place, "stream, lines a second") / floor);
    }
}

/// The whole stream in parts; how many events were recorded.
async fn stream(
    args: &Args,
    place: &str,
    load: &Load,
    store: &Store,
    service: &Service,
    figures: &mut Figures,
) -> u64 {
    let before = (service.used(), store.used().await, used(std::process::id()));
    let (mut recorded, mut seconds) = (0, 0.0);
    let mut from = 0;
    while from < args.events {
        let end = (from + args.part).min(args.events);
        let part = streams(&service.server, load, from..end, args.streams, args.batch).await;
        assert_eq!(part.all(), end - from, "each event is answered");
        recorded += part.recorded();
        seconds += part.took.as_secs_f64();
        if args.events > args.part {
            figures.add(place, &format!("stream, part {:>3}, events a second", end / args.part), part.rate());
        } else {
            told(figures, place, "stream", &part);
        }
        from = end;
    }
    if args.events > args.part {
        figures.add(place, "stream, events a second", args.events as f64 / seconds);
    }
    figures.add(place, "stream, lines a second", recorded as f64 / seconds);
    let service_used = service.used().since(before.0);
    let database_used = store.used().await.since(before.1);
    let client_used = used(std::process::id()).since(before.2);
    let millions = args.events as f64 / 1e6;
    for (name, taken) in [("service", service_used), ("database", database_used), ("client", client_used)] {
        figures.add(place, &format!("stream, {name}, CPU s a million"), taken.cpu / millions);
    }
    let written = service_used.written + database_used.written;
    figures.add(place, "stream, bytes written a line", written / recorded as f64);
    recorded
}

async fn unary(
    args: &Args,
    place: &str,
    load: &Load,
    service: &Service,
    sent: &mut u64,
    figures: &mut Figures,
) -> u64 {
    let many = calls(&service.server, load, *sent..*sent + args.calls, 256).await;
    *sent += args.calls;
    told(figures, place, "256 calls in flight", &many);
    figures.add(
        place,
        "256 in flight : wire",
        many.rate() / figures.last("wire alone", "256 calls in flight, events a second"),
    );
    let one = calls(&service.server, load, *sent..*sent + 500, 1).await;
    *sent += 500;
    told(figures, place, "one call at a time", &one);
    let bare = figures.last("wire alone", "one call at a time, p50 ms");
    figures.add(
        place,
        "(one call - round trip) : flush",
        (one.quantile(0.5) - bare) / figures.last("disk", "flush, median ms"),
    );
    many.recorded() + one.recorded()
}

/// Streams that differ in their replays alone; on the last, calls at a fixed rate alone and beside a stream that only replays.
async fn replays(args: &Args, run: u64, over: Over, figures: &mut Figures) {
    let place = over.name();
    for (i, percent) in args.compare_replays.iter().enumerate() {
        let load = Load::new(run, args.workers, *percent, !args.no_opens);
        let store = Store::new(over, args.events).await;
        let service = Service::start(&store, &args.lanes).await;
        let all = streams(&service.server, &load, 0..args.events, args.streams, args.batch).await;
        let name = format!("stream, {percent} % replays, events a second");
        figures.add(place, &name, all.rate());
        if i + 1 == args.compare_replays.len() {
            beside_replays(args, place, &load, &service, figures).await;
        }
        assert_eq!(service.stop(), Some(0), "the service drains");
    }
}

async fn beside_replays(args: &Args, place: &str, load: &Load, service: &Service, figures: &mut Figures) {
    let part = CALLS_BESIDE_REPLAYS;
    let (first, second) = (args.events..args.events + part, args.events + part..args.events + 2 * part);
    let alone = open_loop(&service.server, load, first, CALLS_A_SECOND_BESIDE_REPLAYS).await;
    let (server, again, old, batch) = (service.server.clone(), load.clone(), args.events, args.batch);
    let replaying = tokio::spawn(async move {
        loop {
            streams(&server, &again, 0..old, 1, batch).await;
        }
    });
    let beside = open_loop(&service.server, load, second, CALLS_A_SECOND_BESIDE_REPLAYS).await;
    replaying.abort();
    told(figures, place, "fixed rate of 2,000", &alone);
    told(figures, place, "fixed rate of 2,000 beside replays", &beside);
    figures.add(place, "p99 beside replays : alone", beside.quantile(0.99) / alone.quantile(0.99));
}

/// Half of what 256 in flight reached, for a while; a probe flushes beside it.
async fn at_a_fixed_rate(
    args: &Args,
    place: &str,
    load: &Load,
    (store, service): (&Store, &Service),
    sent: &mut u64,
    figures: &mut Figures,
) -> u64 {
    let rate = figures.last(place, "256 calls in flight, events a second") / 2.0;
    let work = open_loop(&service.server, load, *sent..*sent + args.calls, rate);
    let (open, flushed) = beside_flushes(&store.folder().await, Duration::from_millis(10), work).await;
    *sent += args.calls;
    let flush = median(&flushed);
    assert_eq!(open.all(), args.calls, "no order is dropped");
    figures.add(place, "fixed rate, calls a second", rate);
    figures.add(place, "fixed rate, flush beside it, median ms", flush);
    told(figures, place, "fixed rate", &open);
    figures.add(place, "fixed rate, p99 : flush", open.quantile(0.99) / flush);
    figures.add(place, "fixed rate, p99.9 : flush", open.quantile(0.999) / flush);
    open.recorded()
}

/// Cover of workers drawn at random, alone and while a further part is streamed.
async fn questions(
    args: &Args,
    place: &str,
    load: &Load,
    (store, service): (&Store, &Service),
    sent: &mut u64,
    figures: &mut Figures,
) -> u64 {
    let url = match store {
        Store::Postgres { .. } => Some(store.url().await),
        Store::Sqlite { .. } => None,
    };
    let mut questions = Questions::new(&service.server, url, load, *sent).await;
    // Each connection prepares and plans each statement first.
    questions.ask(WARM_UP_QUESTIONS, || false).await;
    if matches!(store, Store::Postgres { .. }) {
        let summed = questions.sum(args.questions).await;
        figures.add(place, "GetStatement, not folded, ms", summed.unfolded as f64 / 1_000.0);
        quantiles(figures, place, "GetStatement", &summed.get_statement);
        quantiles(figures, place, "ListStatements", &summed.list_statements);
    }
    // Alone: without the folds and the disk's rest of what was sent.
    settle::settle(store, service).await;
    let alone = questions.ask(args.questions, || false).await;
    asked(figures, place, "alone", &alone);
    let over = Arc::new(AtomicBool::new(false));
    let stream = tokio::spawn({
        let (server, load, over) = (service.server.clone(), load.clone(), over.clone());
        let (events, streams_at_once, batch) = (*sent..*sent + args.part, args.streams, args.batch);
        async move {
            let told = streams(&server, &load, events, streams_at_once, batch).await;
            over.store(true, Ordering::Relaxed);
            told
        }
    });
    let beside = questions.ask(u64::MAX, || over.load(Ordering::Relaxed)).await;
    let told = stream.await.unwrap();
    *sent += args.part;
    asked(figures, place, "beside the stream", &beside);
    figures.add(place, "stream beside questions, events a second", told.rate());
    told.recorded()
}
