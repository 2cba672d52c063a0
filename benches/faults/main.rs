//! Faults, one after the other, while platforms send orders: after each everything must be back without a hand, and what was acknowledged must be there, once.
//!
//! `cargo bench --bench faults -- --help`. The same seed does the same faults in the same order. Bounded in number and time; each run appends a row to a
//! file, so that a long campaign may be run in parts. Only what it started itself is hit, by its id, on loopback.

mod clients;
#[path = "../../tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod cluster;
mod kinds;
mod machine;
#[path = "../../tests/it/program.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod program;
#[path = "../../tests/it/proxy.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod proxy;
mod world;

use clap::Parser;
use clients::{Clients, Record};
use kinds::{Kind, happen, mend};
use machine::Machine;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use world::{Held, World, compare};

/// How long the service may take until every caller is answered again.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// Faults between two looks at all lines.
const LOOK_EVERY: u64 = 10;
/// What a completed order costs, micro-yuan.
const PREMIUM: i64 = 70_000;

/// Faults under load
#[derive(Parser, Clone, Debug)]
struct Args {
    /// PostgreSQL; without it SQLite
    #[arg(long)]
    postgres: bool,
    /// With a synchronous standby, and failovers among the faults (PostgreSQL)
    #[arg(long)]
    standby: bool,
    /// With a second instance on the same database, and rolling restarts among the faults (PostgreSQL)
    #[arg(long)]
    second: bool,
    /// How many
    #[arg(long, default_value_t = 20)]
    faults: u64,
    /// Callers of one order at a time, beside the stream
    #[arg(long, default_value_t = 8)]
    callers: usize,
    /// Measure first what the senders reach flat out, and let the faults come at half of it; without it the load is light
    #[arg(long)]
    half_load: bool,
    /// The same seed is the same faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// No fault is begun after so many minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Append what came of it to this file
    #[arg(long)]
    results: Option<std::path::PathBuf>,
    /// What cargo bench says
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn kinds(&self) -> Vec<Kind> {
        match (self.kinds.is_empty(), self.postgres) {
            (false, _) => self.kinds.clone(),
            (true, true) => Kind::POSTGRES
                .into_iter()
                .chain(self.standby.then_some(Kind::Failover))
                .chain(self.second.then_some(Kind::RollingRestart))
                .collect(),
            (true, false) => Kind::SQLITE.to_vec(),
        }
    }
}

/// Milliseconds until everybody was answered again, by kind.
type Recoveries = BTreeMap<Kind, Vec<u64>>;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let kinds = args.kinds();
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let machine = Machine::own();
    let mut world = match args.postgres {
        true => World::postgres(machine, args.standby, args.second).await,
        false => World::sqlite(machine),
    };
    let clients = Clients::start(&world.servers(), args.seed, args.callers);
    back(&clients, 0).await.expect("the service starts");
    let flat_out = if args.half_load { Some(clients.to_half_load().await) } else { None };
    let events = clients.events();
    let (began, mut recoveries) = (Instant::now(), Recoveries::new());
    for fault in 1..=args.faults {
        if began.elapsed() > Duration::from_secs(60 * args.minutes) {
            break;
        }
        sleep(Duration::from_millis(random.random_range(100..600))).await;
        let kind = kinds[random.random_range(0..kinds.len())];
        let before = clients.now();
        happen(kind, &mut world, &mut random).await;
        // A failover is over when orders are taken again; every other fault begins to be, when its cause is gone.
        let over = if kind == Kind::Failover { before } else { clients.now() };
        let Some(took) = back(&clients, over).await else {
            println!(
                "{fault:>4} {kind:?}: not back within {BACK_WITHIN:?}: {:?}",
                clients.record.wrong.lock().unwrap()
            );
            return ExitCode::FAILURE;
        };
        println!("{fault:>4} {kind:?}: back after {took} ms");
        mend(kind, &mut world).await;
        recoveries.entry(kind).or_default().push(took);
        if fault % LOOK_EVERY == 0 {
            // First what was acknowledged, then what is there.
            let acknowledged = clients.record.lines.lock().unwrap().clone();
            let (lost, doubled) = compare(args.seed, &acknowledged, &world.held().await.lines);
            println!("     {} acknowledged, {lost} lost, {doubled} doubled", acknowledged.len());
            if lost + doubled > 0 {
                return ExitCode::FAILURE;
            }
        }
    }
    let rate = (clients.events() - events) as f64 / began.elapsed().as_secs_f64();
    let record = clients.finish().await;
    told(&args, &record, &recoveries, &world.held().await, Load { flat_out, rate })
}

/// Milliseconds until every caller was acknowledged a call that it began after an instant.
async fn back(clients: &Clients, since: u64) -> Option<u64> {
    let began = Instant::now();
    while !clients.all_since(since) {
        if began.elapsed() > BACK_WITHIN {
            return None;
        }
        sleep(Duration::from_millis(2)).await;
    }
    Some((clients.now() - since) / 1_000)
}

/// Events a second that were acknowledged: as fast as could be, before the faults; and among them.
struct Load {
    flat_out: Option<f64>,
    rate: f64,
}

/// What came of it, for people and as a row of the file.
fn told(args: &Args, record: &Record, recoveries: &Recoveries, held: &Held, load: Load) -> ExitCode {
    let acknowledged = record.lines.lock().unwrap();
    let (lost, doubled) = compare(args.seed, &acknowledged, &held.lines);
    let prefix = format!("f{}-", args.seed);
    let booked = held.lines.iter().filter(|(order_id, ..)| order_id.starts_with(&prefix)).count();
    let charged = acknowledged.keys().filter(|n| *n % 2 == 1).count() as i64;
    let wrong = record.wrong.lock().unwrap();
    let median = |took: &[u64]| {
        let mut sorted = took.to_vec();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    let kinds: BTreeMap<String, _> = recoveries
        .iter()
        .map(|(kind, took)| {
            let (median, most) = (median(took), took.iter().max());
            (
                format!("{kind:?}"),
                serde_json::json!({ "faults": took.len(), "median_ms": median, "most_ms": most }),
            )
        })
        .collect();
    let row = serde_json::json!({
        "over": match (args.postgres, args.standby) { (true, true) => "postgresql with standby", (true, false) => "postgresql", _ => "sqlite" },
        "seed": args.seed,
        "faults": recoveries.values().map(Vec::len).sum::<usize>(),
        "begun": record.next.load(Ordering::Relaxed),
        "acknowledged": acknowledged.len(),
        "events_a_second_flat_out": load.flat_out.map(f64::round),
        "events_a_second": load.rate.round(),
        "call_p50_ms": record.latency.lock().unwrap().value_at_quantile(0.5) as f64 / 1e3,
        "call_p99_ms": record.latency.lock().unwrap().value_at_quantile(0.99) as f64 / 1e3,
        "tried_again": record.tried_again.load(Ordering::Relaxed),
        "lost": lost,
        "doubled": doubled,
        "not_acknowledged": booked as i64 - acknowledged.len() as i64,
        "amount_off_micro_yuan": held.micros - charged * PREMIUM,
        "seals_back_in_time": held.seals_back_in_time,
        "wrong_answers": wrong.len(),
        "back": kinds,
    });
    println!("{}", serde_json::to_string_pretty(&row).unwrap());
    wrong.iter().take(20).for_each(|wrong| println!("wrong: {wrong}"));
    if let Some(path) = &args.results {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{row}").unwrap();
    }
    let sound = lost + doubled == 0
        && booked == acknowledged.len()
        && acknowledged.len() as u64 == record.next.load(Ordering::Relaxed)
        && held.micros == charged * PREMIUM
        && held.seals_back_in_time == 0
        && wrong.is_empty();
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
