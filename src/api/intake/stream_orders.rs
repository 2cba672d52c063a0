//! StreamOrders: many requests in flight, answered in order when durable.
//!
//! One task reads and hands on, one answers. What is in flight is bounded by [`IN_FLIGHT`] requests and by the room in the lanes; past
//! that the reader stops reading, and HTTP/2 flow control stops the sender.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::status;
use crate::intake::{IntakeError, Pending, Wait};
use crate::telemetry::RequestSpan;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Most requests of one stream between reading and answering.
const IN_FLIGHT: usize = 64;
/// Most responses of one stream that wait for the connection.
const UNSENT: usize = 4;

/// How long what a sender still sends after an error is read and thrown away, so that the error reaches it: a connection closed over
/// unread data is reset, and its last answers are lost.
const LINGER: Duration = Duration::from_secs(1);

type Read = Result<(String, Pending, Option<RequestSpan>), Status>;

impl IntakeApi {
    pub(super) fn stream_orders(
        self,
        requests: Streaming<pb::RecordOrdersRequest>,
        span: Option<RequestSpan>,
    ) -> ReceiverStream<Result<pb::RecordOrdersResponse, Status>> {
        let (in_flight, pending) = mpsc::channel(IN_FLIGHT);
        let (responses, unsent) = mpsc::channel(UNSENT);
        tokio::spawn(self.clone().read(requests, in_flight, span));
        tokio::spawn(self.answer(pending, responses));
        ReceiverStream::new(unsent)
    }

    /// Ends with the stream, with its first error, or when the service stops; an error is answered after all that came before it.
    async fn read(
        mut self,
        mut requests: Streaming<pb::RecordOrdersRequest>,
        in_flight: mpsc::Sender<Read>,
        span: Option<RequestSpan>,
    ) {
        loop {
            let message = tokio::select! {
                message = requests.message() => message,
                _ = self.stopping.wait_for(|stop| *stop) => Err(status::intake_status(IntakeError::Stopping)),
            };
            let read = match message {
                Ok(None) => return,
                Ok(Some(request)) => self.submit(request, span.as_ref().map(RequestSpan::message)).await,
                Err(status) => Err(status),
            };
            let failed = read.is_err();
            if in_flight.send(read).await.is_err() {
                return;
            }
            if failed {
                linger(requests).await;
                return;
            }
        }
    }

    async fn submit(&self, request: pb::RecordOrdersRequest, message: Option<RequestSpan>) -> Read {
        let read = self.hand_on(request, message.as_ref()).await;
        if let (Err(_), Some(message)) = (&read, &message) {
            message.end_message(true);
        }
        read.map(|(batch_id, pending)| (batch_id, pending, message))
    }

    async fn hand_on(
        &self,
        request: pb::RecordOrdersRequest,
        message: Option<&RequestSpan>,
    ) -> Result<(String, Pending), Status> {
        let (batch_id, items) = self.items(request)?;
        let pending = self.intake.submit(items, Wait::ForRoom, message).await;
        Ok((batch_id, pending.map_err(status::intake_status)?))
    }

    async fn answer(
        self,
        mut pending: mpsc::Receiver<Read>,
        responses: mpsc::Sender<Result<pb::RecordOrdersResponse, Status>>,
    ) {
        while let Some(read) = pending.recv().await {
            let response = match read {
                Ok((batch_id, pending, message)) => {
                    let answers = pending.answers().await.map_err(status::intake_status);
                    if let Some(message) = message {
                        message.end_message(answers.is_err());
                    }
                    answers.map(|answers| self.response(batch_id, answers))
                }
                Err(status) => Err(status),
            };
            let failed = response.is_err();
            if responses.send(response).await.is_err() || failed {
                return;
            }
        }
    }
}

async fn linger(mut requests: Streaming<pb::RecordOrdersRequest>) {
    let discarded = async { while let Ok(Some(_)) = requests.message().await {} };
    // Whether the sender ended or the time did, nobody is owed an answer any more.
    let _ = tokio::time::timeout(LINGER, discarded).await;
}
