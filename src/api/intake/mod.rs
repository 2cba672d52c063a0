//! IntakeService: each call in a file of its own.

mod correct_order;
mod get_order;
mod list_conflicts;
mod list_refusals;
mod record_order;
mod record_orders;
mod report_watermark;
mod reverse_order;
mod stream_orders;

use super::proto as pb;
use super::proto::intake_service_server::IntakeService;
use crate::clock::Clock;
use crate::intake::Intake;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// The service on the wire.
#[derive(Clone, Debug)]
pub struct IntakeApi {
    intake: Intake,
    clock: Clock,
    stopping: watch::Receiver<bool>,
}

impl IntakeApi {
    /// Over an intake; the clock decides what lies in the future; streams end once `stopping` turns true.
    pub const fn new(intake: Intake, clock: Clock, stopping: watch::Receiver<bool>) -> Self {
        Self { intake, clock, stopping }
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IntakeService for IntakeApi {
    type StreamOrdersStream = ReceiverStream<Result<pb::RecordOrdersResponse, Status>>;

    async fn record_order(&self, request: Request<pb::RecordOrderRequest>) -> Answered<pb::RecordOrderResponse> {
        let span = request.extensions().get().cloned();
        self.record_order(request.into_inner(), span).await.map(Response::new)
    }

    async fn record_orders(
        &self,
        request: Request<pb::RecordOrdersRequest>,
    ) -> Answered<pb::RecordOrdersResponse> {
        let span = request.extensions().get().cloned();
        self.record_orders(request.into_inner(), span).await.map(Response::new)
    }

    async fn stream_orders(
        &self,
        request: Request<Streaming<pb::RecordOrdersRequest>>,
    ) -> Answered<Self::StreamOrdersStream> {
        let span = request.extensions().get().cloned();
        Ok(Response::new(self.clone().stream_orders(request.into_inner(), span)))
    }

    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Answered<pb::GetOrderResponse> {
        self.get_order(request.into_inner()).await.map(Response::new)
    }

    async fn reverse_order(
        &self,
        request: Request<pb::ReverseOrderRequest>,
    ) -> Answered<pb::ReverseOrderResponse> {
        self.reverse_order(request.into_inner()).await.map(Response::new)
    }

    async fn correct_order(
        &self,
        request: Request<pb::CorrectOrderRequest>,
    ) -> Answered<pb::CorrectOrderResponse> {
        self.correct_order(request.into_inner()).await.map(Response::new)
    }

    async fn report_watermark(
        &self,
        request: Request<pb::ReportWatermarkRequest>,
    ) -> Answered<pb::ReportWatermarkResponse> {
        self.report_watermark(request.into_inner()).await.map(Response::new)
    }

    async fn list_refusals(
        &self,
        request: Request<pb::ListRefusalsRequest>,
    ) -> Answered<pb::ListRefusalsResponse> {
        self.list_refusals(request.into_inner()).await.map(Response::new)
    }

    async fn list_conflicts(
        &self,
        request: Request<pb::ListConflictsRequest>,
    ) -> Answered<pb::ListConflictsResponse> {
        self.list_conflicts(request.into_inner()).await.map(Response::new)
    }
}
