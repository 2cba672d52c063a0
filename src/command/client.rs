//! A client of a served ledger: one stream that outlives broken connections. What was not answered is sent again; the ledger books
//! nothing twice.

use crate::api::proto as pb;
use pb::intake_service_client::IntakeServiceClient;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

/// Where commands look for a server when nothing else is said.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";
/// Most requests of a stream that wait for their answers.
const IN_FLIGHT: usize = 16;
/// Window of a stream and of a connection, bytes.
const WINDOW: u32 = 16 * 1024 * 1024;
/// How long a server may be away before a command gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between tries to reach it.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one try may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a command could not finish.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No server there.
    #[error("cannot reach the server at {0}: {1}")]
    Connect(String, tonic::transport::Error),
    /// The server said no.
    #[error("the server answered {:?}: {}", .0.code(), .0.message())]
    Status(#[from] Status),
    /// The answer does not fit the question.
    #[error("the server answered {0} results to {1} orders")]
    Results(usize, usize),
}

/// Connects to a server.
pub async fn connect(server: &str) -> Result<Channel, ClientError> {
    let failed = |error| ClientError::Connect(server.to_owned(), error);
    let endpoint = Endpoint::from_shared(server.to_owned()).map_err(failed)?;
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .tcp_nodelay(true);
    endpoint.connect().await.map_err(failed)
}

/// One request on its way.
struct Sent {
    orders: Vec<pb::Order>,
    at: Instant,
}

/// An answered request: its orders, their results in the same order, and how long it took.
pub struct Answered {
    /// As sent.
    pub orders: Vec<pb::Order>,
    /// As answered.
    pub results: Vec<pb::OrderResult>,
    /// From sending to the answer, over all tries.
    pub latency: Duration,
}

/// Streams all batches to a server and hands on every answer, in the order of the batches; reconnects while the server is away.
pub async fn stream(
    server: &str,
    mut batches: mpsc::Receiver<Vec<pb::Order>>,
    answers: mpsc::Sender<Answered>,
) -> Result<(), ClientError> {
    let mut unanswered = VecDeque::new();
    let mut heard = Instant::now();
    loop {
        let broken = match connect(server).await {
            Ok(channel) => match session(channel, &mut batches, &mut unanswered, &answers, &mut heard).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if heard.elapsed() > PATIENCE || !passing(&broken) {
            return Err(broken);
        }
        tracing::debug!(%broken, unanswered = unanswered.len(), "connecting again");
        sleep(PAUSE).await;
    }
}

/// A connection's end or a server that is away; anything else is an answer.
fn passing(error: &ClientError) -> bool {
    match error {
        ClientError::Connect(..) => true,
        ClientError::Status(status) => {
            matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal)
        }
        ClientError::Results(..) => false,
    }
}

/// One connection's life: first what was not answered before, then what is new.
async fn session(
    channel: Channel,
    batches: &mut mpsc::Receiver<Vec<pb::Order>>,
    unanswered: &mut VecDeque<Sent>,
    answers: &mpsc::Sender<Answered>,
    heard: &mut Instant,
) -> Result<(), ClientError> {
    let (requests, outgoing) = mpsc::channel(IN_FLIGHT);
    for sent in unanswered.iter() {
        // The channel has room for all that may be unanswered.
        let _ = requests.send(request(&sent.orders)).await;
    }
    let mut client = IntakeServiceClient::new(channel);
    let mut responses = client.stream_orders(ReceiverStream::new(outgoing)).await?.into_inner();
    let mut requests = Some(requests);
    loop {
        let room = requests.is_some() && unanswered.len() < IN_FLIGHT;
        tokio::select! {
            batch = batches.recv(), if room => match batch {
                Some(orders) => {
                    let sending = requests.as_ref().map(|requests| requests.send(request(&orders)));
                    unanswered.push_back(Sent { orders, at: Instant::now() });
                    if let Some(sending) = sending {
                        // A closed channel shows itself as the end of the responses.
                        let _ = sending.await;
                    }
                }
                None => requests = None,
            },
            response = next(&mut responses) => match response? {
                Some(response) => {
                    *heard = Instant::now();
                    answer(response, unanswered, answers).await?;
                }
                None if requests.is_none() && unanswered.is_empty() => return Ok(()),
                None => return Err(Status::unavailable("the stream ended").into()),
            },
        }
        if requests.is_none() && unanswered.is_empty() {
            return Ok(());
        }
    }
}

async fn next(
    responses: &mut Streaming<pb::RecordOrdersResponse>,
) -> Result<Option<pb::RecordOrdersResponse>, Status> {
    responses.message().await
}

fn request(orders: &[pb::Order]) -> pb::RecordOrdersRequest {
    pb::RecordOrdersRequest { batch_id: String::new(), orders: orders.to_vec() }
}

async fn answer(
    response: pb::RecordOrdersResponse,
    unanswered: &mut VecDeque<Sent>,
    answers: &mpsc::Sender<Answered>,
) -> Result<(), ClientError> {
    let results = response.results;
    let Some(sent) = unanswered.pop_front() else { return Err(ClientError::Results(results.len(), 0)) };
    if results.len() != sent.orders.len() {
        return Err(ClientError::Results(results.len(), sent.orders.len()));
    }
    let answered = Answered { orders: sent.orders, results, latency: sent.at.elapsed() };
    // Nobody who listens any more: the caller gave up.
    let _ = answers.send(answered).await;
    Ok(())
}
