//! Platforms that send orders all the while, and keep what was acknowledged: calls of one order that try again as the contract says, and a stream that
//! sends again what was not answered.

use hdrhistogram::Histogram;
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::command::client::{Answered, connect, stream};
use premium_ledger::types::{Instant as At, Outcome};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Events of a stream's request.
const BATCH: u64 = 40;
/// From one call of a caller to the next, and from one request of the stream to the next: the load is bounded.
const PACE: Duration = Duration::from_millis(4);
/// How far a sender that was held up may catch up: hardly under a light load, and all of it under half load, as a platform sends what waited.
const CATCH_UP: Duration = Duration::from_millis(50);
const CATCH_UP_ALL: Duration = Duration::from_secs(30);
/// How long the senders go flat out, after a while to get going, before half of it is asked for.
const FLAT_OUT: Duration = Duration::from_secs(10);
const GET_GOING: Duration = Duration::from_secs(3);
/// How long a call may take before it is sent again.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what is under way may take at the end.
const FINISH_WITHIN: Duration = Duration::from_secs(60);
/// Pause before a call is sent again.
const AGAIN: Duration = Duration::from_millis(50);
/// Noon of the first order.
const START: &str = "2026-07-15T12:00:00+08:00";

/// What the clients were told.
pub struct Record {
    /// Line ids by the event's number.
    pub lines: Mutex<HashMap<u64, String>>,
    /// What no client should be told.
    pub wrong: Mutex<Vec<String>>,
    /// When each caller, and last the stream, began what was acknowledged last, microseconds since the start.
    acknowledged: Vec<AtomicU64>,
    callers: Sender,
    stream: Sender,
    /// Of calls, from the first try to the answer, microseconds.
    pub latency: Mutex<Histogram<u64>>,
    /// Errors that were healed by trying again.
    pub tried_again: AtomicU64,
    /// Events that were begun.
    pub next: AtomicU64,
}

/// Callers, or the stream.
#[derive(Default)]
struct Sender {
    /// Microseconds from one request to the next.
    period: AtomicU64,
    /// How far it may catch up, microseconds.
    catch_up: AtomicU64,
    /// Requests that were acknowledged.
    done: AtomicU64,
}

impl Sender {
    /// Until the next request is due, counted from when the last one was.
    async fn until_due(&self, due: &mut Instant) {
        let now = Instant::now();
        *due += Duration::from_micros(self.period.load(Ordering::Relaxed));
        *due = (*due).max(now - Duration::from_micros(self.catch_up.load(Ordering::Relaxed)));
        sleep_until(*due).await;
    }
}

/// Clients at work.
pub struct Clients {
    pub record: Arc<Record>,
    began: Instant,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

/// An order's OPEN, or its end.
pub fn event(seed: u64, n: u64) -> pb::Order {
    let order = n / 2;
    let accepted = At::parse(START).unwrap().plus_seconds((order % 36_000) as i64);
    let at = |instant: At| Some(prost_types::Timestamp { seconds: instant.parts().0, nanos: 0 });
    let ended = n % 2 == 1;
    pb::Order {
        platform_code: ["MEITUAN", "ELEME", "DADA"][(order % 3) as usize].to_owned(),
        order_id: format!("f{seed}-{order}"),
        worker_id: format!("4d8590b9-b1d4-48c3-875e-{:012x}", order % 5_000),
        industry_code: "instant_delivery".to_owned(),
        accept_area: ["310101", "440101", "110101"][(order % 3) as usize].to_owned(),
        accepted_at: at(accepted),
        ended_at: if ended { at(accepted.plus_seconds(1_800)) } else { None },
        end_kind: if ended { pb::EndKind::Completed.into() } else { 0 },
        ..Default::default()
    }
}

impl Record {
    fn new(callers: usize) -> Self {
        let micros = |time: Duration| AtomicU64::new(time.as_micros() as u64);
        let paced = || Sender { period: micros(PACE), catch_up: micros(CATCH_UP), done: 0.into() };
        Self {
            callers: paced(),
            stream: paced(),
            lines: Mutex::default(),
            wrong: Mutex::default(),
            acknowledged: (0..=callers).map(|_| AtomicU64::new(0)).collect(),
            latency: Mutex::new(Histogram::new(3).unwrap()),
            tried_again: AtomicU64::new(0),
            next: AtomicU64::new(0),
        }
    }

    fn told(&self, n: u64, result: &pb::OrderResult) {
        let outcome = u8::try_from(result.outcome).ok().and_then(Outcome::from_code);
        if !matches!(outcome, Some(Outcome::Recorded | Outcome::Replayed)) {
            self.wrong.lock().unwrap().push(format!("event {n}: {outcome:?}"));
        }
        let before = self.lines.lock().unwrap().insert(n, result.line_id.clone());
        if before.is_some_and(|line| line != result.line_id) {
            self.wrong.lock().unwrap().push(format!("event {n}: told two lines"));
        }
    }
}

impl Clients {
    /// Each caller begins at one of the servers, and goes to the next where it gets no answer; the stream keeps to the first.
    pub fn start(servers: &[String], seed: u64, callers: usize) -> Self {
        let (record, stop, began) =
            (Arc::new(Record::new(callers)), Arc::new(AtomicBool::new(false)), Instant::now());
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            tasks.spawn(call(servers.to_vec(), seed, caller, record.clone(), stop.clone(), began));
        }
        tasks.spawn(send(servers[0].clone(), seed, record.clone(), stop.clone(), began));
        Self { record, began, stop, tasks }
    }

    pub fn now(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    /// Every caller, and the stream, was acknowledged what it began after this.
    pub fn all_since(&self, micros: u64) -> bool {
        self.record.acknowledged.iter().all(|at| at.load(Ordering::Relaxed) > micros)
    }

    /// Events acknowledged so far.
    pub fn events(&self) -> u64 {
        self.record.callers.done.load(Ordering::Relaxed) + BATCH * self.record.stream.done.load(Ordering::Relaxed)
    }

    /// Everybody sends as fast as he is answered for a while, and half as often from then on. Events a second of that while.
    pub async fn to_half_load(&self) -> f64 {
        let senders = [&self.record.callers, &self.record.stream];
        senders.iter().for_each(|sender| sender.period.store(0, Ordering::Relaxed));
        sleep(GET_GOING).await;
        let done = || senders.map(|sender| sender.done.load(Ordering::Relaxed));
        let (before, events, began) = (done(), self.events(), Instant::now());
        sleep(FLAT_OUT).await;
        let took = began.elapsed();
        let rate = (self.events() - events) as f64 / took.as_secs_f64();
        let at_once = [self.record.acknowledged.len() as u64 - 1, 1];
        for ((sender, n), (after, before)) in senders.iter().zip(at_once).zip(done().iter().zip(before)) {
            let period = 2 * n * took.as_micros() as u64 / (after - before).max(1);
            sender.period.store(period, Ordering::Relaxed);
            sender.catch_up.store(CATCH_UP_ALL.as_micros() as u64, Ordering::Relaxed);
        }
        sleep(GET_GOING).await;
        self.record.latency.lock().unwrap().reset();
        rate
    }

    /// All that was sent is acknowledged, and nothing more is sent.
    ///
    /// # Panics
    /// Where that takes too long.
    pub async fn finish(mut self) -> Arc<Record> {
        self.stop.store(true, Ordering::Relaxed);
        let all = async {
            while let Some(done) = self.tasks.join_next().await {
                done.unwrap();
            }
        };
        timeout(FINISH_WITHIN, all).await.expect("what was begun is answered");
        self.record
    }
}

async fn call(
    servers: Vec<String>,
    seed: u64,
    caller: usize,
    record: Arc<Record>,
    stop: Arc<AtomicBool>,
    began: Instant,
) {
    let mut channel: Option<Channel> = None;
    let (mut at_server, mut due) = (caller % servers.len(), Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let n = record.next.fetch_add(1, Ordering::Relaxed);
        let (order, sent) = (event(seed, n), Instant::now());
        loop {
            let at = began.elapsed().as_micros() as u64;
            match once(&servers[at_server], &mut channel, order.clone()).await {
                Ok(result) => {
                    record.told(n, &result);
                    record.acknowledged[caller].store(at, Ordering::Relaxed);
                    let micros = sent.elapsed().as_micros() as u64;
                    record.latency.lock().unwrap().record(micros).unwrap();
                    record.callers.done.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Err(status) if heals(&status) => {
                    record.tried_again.fetch_add(1, Ordering::Relaxed);
                    channel = None;
                    at_server = (at_server + 1) % servers.len();
                    sleep(AGAIN).await;
                }
                Err(status) => {
                    record.wrong.lock().unwrap().push(format!("event {n}: {status}"));
                    return;
                }
            }
        }
        record.callers.until_due(&mut due).await;
    }
}

/// What the contract says is to be sent again: with RetryInfo, and what the connection did. tonic's client calls a connection that was told to go away
/// INTERNAL, with a cause of its own; the service's INTERNAL has none.
fn heals(status: &Status) -> bool {
    use Code::{Aborted, Cancelled, DeadlineExceeded, ResourceExhausted, Unavailable, Unknown};
    let of_the_connection = std::error::Error::source(status).is_some();
    let again = [Unavailable, ResourceExhausted, Aborted, DeadlineExceeded, Cancelled, Unknown];
    of_the_connection || again.contains(&status.code())
}

async fn once(server: &str, channel: &mut Option<Channel>, order: pb::Order) -> Result<pb::OrderResult, Status> {
    let connected = match channel.take() {
        Some(channel) => channel,
        None => connect(server).await.map_err(|error| Status::unavailable(error.to_string()))?,
    };
    let mut client = IntakeServiceClient::new(connected.clone());
    let request = pb::RecordOrderRequest { order: Some(order) };
    let answered = timeout(CALL_TIMEOUT, client.record_order(request)).await;
    let response = answered.map_err(|_| Status::deadline_exceeded("no answer"))??;
    *channel = Some(connected);
    response.into_inner().result.ok_or_else(|| Status::internal("no result"))
}

/// A stream for as long as it lives; a new one where it broke for good.
async fn send(server: String, seed: u64, record: Arc<Record>, stop: Arc<AtomicBool>, began: Instant) {
    let (batches, to_send) = mpsc::channel::<Vec<pb::Order>>(2);
    let (answers, mut answered) = mpsc::channel::<Answered>(16);
    let numbers = Arc::new(Mutex::new(std::collections::VecDeque::new()));
    let (asked, sender) = (numbers.clone(), tokio::spawn(async move { stream(&server, to_send, answers).await }));
    let taker = tokio::spawn({
        let record = record.clone();
        async move {
            while let Some(answer) = answered.recv().await {
                let (first, at): (u64, u64) = numbers.lock().unwrap().pop_front().expect("answers come in order");
                record.acknowledged.last().expect("the stream's").store(at, Ordering::Relaxed);
                record.stream.done.fetch_add(1, Ordering::Relaxed);
                for (n, result) in (first..).zip(&answer.results) {
                    record.told(n, result);
                }
            }
        }
    });
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let first = record.next.fetch_add(BATCH, Ordering::Relaxed);
        asked.lock().unwrap().push_back((first, began.elapsed().as_micros() as u64));
        if batches.send((first..first + BATCH).map(|n| event(seed, n)).collect()).await.is_err() {
            break;
        }
        record.stream.until_due(&mut due).await;
    }
    drop(batches);
    if let Err(error) = sender.await.unwrap() {
        record.wrong.lock().unwrap().push(format!("the stream: {error}"));
    }
    taker.await.unwrap();
}
