//! The client: sends bytes that are ready, reads only outcomes, so that what it costs itself is small; streams and single calls, closed
//! and open loop.

use crate::load::Load;
use hdrhistogram::Histogram;
use premium_ledger::command::client::connect;
use prost::Message;
use prost::bytes::{Buf, BufMut};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Requests of a stream that wait for their answers.
const IN_FLIGHT: usize = 16;

#[derive(Clone, PartialEq, Message)]
struct OnlyOutcome {
    #[prost(int32, tag = "1")]
    outcome: i32,
}

/// The answer to a RecordOrdersRequest, as far as it is read.
#[derive(Clone, PartialEq, Message)]
pub struct Outcomes {
    #[prost(message, repeated, tag = "2")]
    results: Vec<OnlyOutcome>,
}

/// The answer to a RecordOrderRequest, as far as it is read.
#[derive(Clone, PartialEq, Message)]
pub struct OneOutcome {
    #[prost(message, optional, tag = "1")]
    result: Option<OnlyOutcome>,
}

/// Bytes out, a message in.
struct Ready<T>(PhantomData<T>);

impl<T: Message + Default + Send + 'static> Codec for Ready<T> {
    type Encode = Vec<u8>;
    type Decode = T;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self {
        Self(PhantomData)
    }
}

impl<T> Encoder for Ready<T> {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl<T: Message + Default> Decoder for Ready<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        T::decode(bytes).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}

/// What the client was told.
pub struct Told {
    /// By number of the outcome.
    pub outcomes: [u64; 5],
    /// Microseconds.
    pub latency: Histogram<u64>,
    pub took: Duration,
}

impl Told {
    fn new() -> Self {
        Self { outcomes: [0; 5], latency: Histogram::new(3).unwrap(), took: Duration::ZERO }
    }

    fn add(&mut self, other: &Self) {
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, n)| *sum += n);
        self.latency.add(&other.latency).unwrap();
    }

    pub fn recorded(&self) -> u64 {
        self.outcomes[1]
    }

    pub fn all(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    pub fn rate(&self) -> f64 {
        self.all() as f64 / self.took.as_secs_f64()
    }

    /// Milliseconds.
    pub fn quantile(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1_000.0
    }
}

/// Streams the events of these numbers over so many connections, a request of `batch` events after the other.
pub async fn streams(server: &str, load: &Load, events: std::ops::Range<u64>, streams: u64, batch: u64) -> Told {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for stream in 0..streams {
        let channel = connect(server).await.unwrap();
        let first = events.start + stream * batch;
        let numbers = (first..events.end).step_by((streams * batch) as usize);
        let (load, end) = (load.clone(), events.end);
        let requests = numbers.map(move |from| load.batch(from..(from + batch).min(end)));
        tasks.spawn(one_stream(channel, requests));
    }
    let mut told = Told::new();
    while let Some(done) = tasks.join_next().await {
        told.add(&done.unwrap());
    }
    told.took = began.elapsed();
    told
}

async fn one_stream(channel: Channel, mut requests: impl Iterator<Item = Vec<u8>>) -> Told {
    let (outgoing, stream) = mpsc::channel(IN_FLIGHT);
    let mut grpc = Grpc::new(channel).max_decoding_message_size(usize::MAX);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/premium.ledger.v1.IntakeService/StreamOrders");
    let request = Request::new(ReceiverStream::new(stream));
    let mut responses = grpc.streaming(request, path, Ready::<Outcomes>(PhantomData)).await.unwrap().into_inner();
    let mut told = Told::new();
    let mut sent = VecDeque::new();
    let mut more = true;
    while more || !sent.is_empty() {
        while more && sent.len() < IN_FLIGHT {
            match requests.next() {
                Some(request) => {
                    sent.push_back(Instant::now());
                    outgoing.send(request).await.unwrap();
                }
                None => more = false,
            }
        }
        let Some(at) = sent.pop_front() else { break };
        let response = responses.message().await.unwrap().expect("an answer to each request");
        told.latency.record(at.elapsed().as_micros() as u64).unwrap();
        for result in response.results {
            told.outcomes[result.outcome as usize] += 1;
        }
    }
    told
}

/// One call for each event, so many in flight, over a few connections.
pub async fn calls(server: &str, load: &Load, events: std::ops::Range<u64>, in_flight: u64) -> Told {
    let connections = in_flight.div_ceil(64).min(4);
    let mut channels = Vec::new();
    for _ in 0..connections {
        channels.push(connect(server).await.unwrap());
    }
    let next = Arc::new(AtomicU64::new(events.start));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..in_flight {
        let (load, next, channel) = (load.clone(), next.clone(), channels[(n % connections) as usize].clone());
        let end = events.end;
        tasks.spawn(async move {
            let mut told = Told::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= end {
                    return told;
                }
                let at = Instant::now();
                let outcome = call(channel.clone(), load.single(n)).await;
                told.latency.record(at.elapsed().as_micros() as u64).unwrap();
                told.outcomes[outcome] += 1;
            }
        });
    }
    let mut told = Told::new();
    while let Some(done) = tasks.join_next().await {
        told.add(&done.unwrap());
    }
    told.took = began.elapsed();
    told
}

/// One call for each event at a fixed rate, whatever the answers do; latency counts from the instant at which the call was due.
pub async fn open_loop(server: &str, load: &Load, events: std::ops::Range<u64>, per_second: f64) -> Told {
    const CONNECTIONS: u64 = 4;
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(connect(server).await.unwrap());
    }
    let began = Instant::now();
    let mut told = Told::new();
    let mut tasks: JoinSet<(Duration, usize)> = JoinSet::new();
    for n in events.clone() {
        let due = began + Duration::from_secs_f64((n - events.start) as f64 / per_second);
        if Instant::now() < due {
            sleep_until(due).await;
        }
        let (channel, request) = (channels[(n % CONNECTIONS) as usize].clone(), load.single(n));
        tasks.spawn(async move {
            let outcome = call(channel, request).await;
            (due.elapsed(), outcome)
        });
        while let Some(done) = tasks.try_join_next() {
            take(&mut told, done.unwrap());
        }
    }
    while let Some(done) = tasks.join_next().await {
        take(&mut told, done.unwrap());
    }
    told.took = began.elapsed();
    told
}

fn take(told: &mut Told, (latency, outcome): (Duration, usize)) {
    told.latency.record(latency.as_micros() as u64).unwrap();
    told.outcomes[outcome] += 1;
}

async fn call(channel: Channel, request: Vec<u8>) -> usize {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/premium.ledger.v1.IntakeService/RecordOrder");
    let told = grpc.unary(Request::new(request), path, Ready::<OneOutcome>(PhantomData)).await.unwrap();
    told.into_inner().result.unwrap().outcome as usize
}
