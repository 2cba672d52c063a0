//! `simulate`: plays a day of the 25 platforms against a server, flat out or at a chosen speed. The same seed plays the same day.

pub mod day;

use super::Done;
use super::client::{Answered, ClientError, DEFAULT_SERVER, stream};
use super::tally::Tally;
use crate::api::proto as pb;
use crate::types::Day;
use clap::Args;
use day::Simulated;
use indicatif::{ProgressBar, ProgressStyle};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Batches that a stream has ready beyond those in flight.
const READY: usize = 4;
/// The most orders in a request.
const MAX_BATCH: usize = crate::intake::REQUEST_ORDERS;

/// How to play.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// Server to send to
    #[arg(long, env = "PREMIUM_LEDGER_SERVER", default_value = DEFAULT_SERVER)]
    pub server: String,
    /// Order events to send
    #[arg(long, default_value_t = 100_000)]
    pub events: u64,
    /// The same seed, date, events and workers give the same day
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The day that is played, YYYY-MM-DD
    #[arg(long, default_value = "2026-07-15")]
    pub date: String,
    /// How many workers there are
    #[arg(long, default_value_t = 200_000)]
    pub workers: u32,
    /// How many times faster than the day; without it as fast as the server answers
    #[arg(long)]
    pub speed: Option<f64>,
    /// Streams at once; a key keeps to one
    #[arg(long, default_value_t = 2)]
    pub streams: usize,
    /// Most orders in a request
    #[arg(long, default_value_t = 1_000)]
    pub batch: usize,
    /// No progress bar
    #[arg(long)]
    pub quiet: bool,
}

/// Plays, and prints what became of it.
pub async fn run(args: &SimulateArgs) -> Done {
    let started = Instant::now();
    let tally = play(args).await?;
    write!(stdout(), "{}", tally.report(started.elapsed()))?;
    Ok(if tally.orders() == args.events { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays the day; the tally of all answers.
pub async fn play(args: &SimulateArgs) -> Result<Tally, Box<dyn std::error::Error + Send + Sync>> {
    let date = Day::parse(&args.date).map_err(|e| format!("--date {e}"))?;
    let streams = args.streams.clamp(1, 64);
    let batch = args.batch.clamp(1, MAX_BATCH);
    let (answers, mut answered) = mpsc::channel::<Answered>(64);
    let mut tasks: JoinSet<Result<(), ClientError>> = JoinSet::new();
    let mut senders = Vec::with_capacity(streams);
    for _ in 0..streams {
        let (sender, batches) = mpsc::channel(READY);
        senders.push(sender);
        let (server, answers) = (args.server.clone(), answers.clone());
        tasks.spawn(async move { stream(&server, batches, answers).await });
    }
    drop(answers);
    let events = Simulated::new(args.seed, date, args.events, args.workers.max(1));
    let feeder = tokio::spawn(feed(events, senders, batch, args.speed));

    let bar = progress(args);
    let mut tally = Tally::default();
    while let Some(answer) = answered.recv().await {
        bar.inc(answer.orders.len() as u64);
        tally.add(&answer);
    }
    bar.finish_and_clear();
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    feeder.await?;
    Ok(tally)
}

fn progress(args: &SimulateArgs) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}, {eta} left");
    ProgressBar::new(args.events).with_style(style.expect("the template is fixed"))
}

/// Hands events to their streams, in batches; with a speed, not before their time.
async fn feed(events: Simulated, senders: Vec<mpsc::Sender<Vec<pb::Order>>>, batch: usize, speed: Option<f64>) {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut waiting: Vec<Vec<pb::Order>> = vec![Vec::with_capacity(batch); senders.len()];
    let started = Instant::now();
    let mut minute = None;
    for event in events {
        if speed.is_some() && minute != Some(event.minute) {
            let first = *minute.get_or_insert(event.minute);
            if first != event.minute {
                flush(&senders, &mut waiting).await;
            }
            minute = Some(event.minute);
            let seconds = f64::from(event.minute) * 60.0 / speed.unwrap_or(1.0).max(0.001);
            sleep_until(started + Duration::from_secs_f64(seconds)).await;
        }
        let key = (&event.order.platform_code, &event.order.order_id, event.order.assignment_no);
        let lane = (hasher.hash_one(key) % senders.len() as u64) as usize;
        waiting[lane].push(event.order);
        if waiting[lane].len() == batch {
            let full = std::mem::replace(&mut waiting[lane], Vec::with_capacity(batch));
            if senders[lane].send(full).await.is_err() {
                return; // the stream failed, and says why itself
            }
        }
    }
    flush(&senders, &mut waiting).await;
}

async fn flush(senders: &[mpsc::Sender<Vec<pb::Order>>], waiting: &mut [Vec<pb::Order>]) {
    for (sender, batch) in senders.iter().zip(waiting) {
        if !batch.is_empty() {
            // A stream that failed says why itself.
            let _ = sender.send(std::mem::take(batch)).await;
        }
    }
}
