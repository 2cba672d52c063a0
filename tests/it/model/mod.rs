//! A plain, in-memory model of the whole service, written from the contract alone: the same scripts run on it and on the
//! real one. Slow on purpose: vectors searched from the front, everything worked out anew on every call.

mod answer;
mod calendar;
mod correct;
mod cover;
mod event;
mod intake;
mod line;
mod lists;
mod price;
mod put;
mod registry;
mod reprice;
mod section;
mod services;
mod statement;

use calendar::{Month, Step};
use event::{Event, Key};
use line::Line;
use premium_ledger::{
    api::proto as pb,
    types::{Code, Day, Instant},
};
use prost::Message;
use registry::Row;
use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};
use tonic::{Response, Status};

/// The service, as one would write it with nothing but memory.
pub struct Model {
    state: Mutex<State>,
    /// What it was after every call, and when.
    history: Mutex<Vec<(Instant, State)>>,
}

impl Model {
    /// An empty ledger with the seeded registry.
    pub fn new() -> Self {
        let state = State { rows: registry::seeds(), ..State::default() };
        Self { history: Mutex::new(vec![(now(), state.clone())]), state: Mutex::new(state) }
    }

    /// Runs one call, alone.
    fn with<T>(&self, call: impl FnOnce(&mut State) -> Result<T, Status>) -> Result<Response<T>, Status> {
        let mut state = self.state.lock().expect("no call panics while it holds the lock");
        let answer = call(&mut state).map(Response::new);
        self.history.lock().expect("nothing panics here").push((now(), state.clone()));
        answer
    }

    /// Asks the ledger as it is, or was at an instant; the model gives no seals.
    fn known<T>(
        &self,
        known_at: Option<pb::KnownAt>,
        ask: impl Fn(&State) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let state = self.state.lock().expect("no call panics while it holds the lock");
        let latest = ask(&state)?;
        let Some(known_at) = known_at else { return Ok(Response::new(latest)) };
        let Some(pb::known_at::Point::Instant(at)) = known_at.point else { return Err(invalid("known_at")) };
        let at = event::instant(at).map_err(|_| invalid("known_at"))?;
        if at > now() {
            return Err(invalid("known_at"));
        }
        let history = self.history.lock().expect("nothing panics here");
        let then = history.iter().rev().find(|(when, _)| *when <= at).map(|(_, state)| state);
        ask(then.unwrap_or(&State::default())).map(Response::new)
    }
}

/// All that the model knows.
#[derive(Clone, Default)]
struct State {
    /// The registry, in `row_id` order.
    rows: Vec<Row>,
    /// The lines of every order key, in slot order.
    orders: BTreeMap<Key, Vec<Line>>,
    /// Other versions, in order of arrival.
    conflicts: Vec<KeptConflict>,
    /// Refused orders, in order of arrival.
    refusals: Vec<KeptRefusal>,
    /// Watermark reports, in order of arrival.
    reports: Vec<Report>,
    /// What was done with months, in that order.
    calendar: Vec<(Month, Step)>,
    /// Content and first answer of every mutating call, by request id.
    requests: BTreeMap<String, (String, Vec<u8>)>,
    /// How many lines were booked: the last line id's number.
    booked: u64,
}

/// A version of an order that was not booked.
#[derive(Clone)]
struct KeptConflict {
    event: Event,
    differing: Vec<&'static str>,
    line_id: String,
    received_at: Instant,
    repeats: u64,
}

/// An order that was refused.
#[derive(Clone)]
struct KeptRefusal {
    /// Empty for all platforms that the registry does not know.
    platform: String,
    digest: Vec<u8>,
    code: i32,
    day: Day,
    field: &'static str,
    payload: Vec<u8>,
    payload_size: u32,
    received_at: Instant,
    repeats: u64,
}

/// What a platform said of its own completeness.
#[derive(Clone)]
struct Report {
    platform: String,
    report_no: u64,
    watermark: Instant,
    received_at: Instant,
}

impl State {
    /// Does a mutating call once for its request id: the same content is given the first answer, other content nothing. A
    /// call that failed leaves no trace.
    fn once<T: Message + Default>(
        &mut self,
        request_id: &str,
        content: String,
        act: impl FnOnce(&mut Self) -> Result<T, Status>,
    ) -> Result<T, Status> {
        Code::check(request_id).map_err(|_| invalid("request_id"))?;
        if let Some((before, answer)) = self.requests.get(request_id) {
            if *before != content {
                return Err(Status::already_exists("request_id was used with other content"));
            }
            return Ok(T::decode(answer.as_slice()).expect("it was encoded below"));
        }
        let answer = act(self)?;
        self.requests.insert(request_id.to_owned(), (content, answer.encode_to_vec()));
        Ok(answer)
    }
}

/// The model's clock, in microseconds.
#[expect(clippy::disallowed_methods, reason = "the model reads the clock itself")]
fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("1970 is over");
    let micros = i64::try_from(since.as_micros()).expect("the year 9999 is far");
    Instant::from_micros(micros).expect("the year 9999 is far")
}

/// An argument that is wrong.
fn invalid(what: &str) -> Status {
    Status::invalid_argument(what)
}

/// An instant as it travels.
fn timestamp(instant: Instant) -> prost_types::Timestamp {
    let (seconds, nanos) = instant.parts();
    prost_types::Timestamp { seconds, nanos }
}
