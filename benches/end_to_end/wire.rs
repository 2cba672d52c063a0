//! The wire's ceiling: the same service and messages over an intake that only answers. Served by this program itself in a process of its
//! own.

use pb::intake_service_server::{IntakeService, IntakeServiceServer};
use premium_ledger::api::proto as pb;
use tokio_stream::StreamExt;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// Answers all orders alike.
struct OnlyAnswers;

fn answer() -> pb::OrderResult {
    pb::OrderResult {
        outcome: pb::Outcome::Recorded.into(),
        line_id: "00000000-0012-8001-8001-7a35a092d12d".to_owned(),
        premium: "0.07".to_owned(),
        premium_state: pb::PremiumState::Charged.into(),
        reason_code: pb::PremiumReason::Priced.into(),
        period: "2026-07".to_owned(),
        service_period: "2026-07".to_owned(),
        ..Default::default()
    }
}

fn answers(request: pb::RecordOrdersRequest) -> pb::RecordOrdersResponse {
    pb::RecordOrdersResponse {
        batch_id: request.batch_id,
        results: request.orders.iter().map(|_| answer()).collect(),
    }
}

type Stream = std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<pb::RecordOrdersResponse, Status>> + Send>>;

/// The trait's impl around what is served; all else is not.
macro_rules! only_answers {
    ([$($method:ident($request:ident) -> $response:ident),+ $(,)?] $($served:tt)*) => {
        #[tonic::async_trait]
        impl IntakeService for OnlyAnswers {
            $($served)*
            $(async fn $method(&self, _: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                Err(Status::unimplemented("answers orders only"))
            })+
        }
    };
}

only_answers!([
    get_order(GetOrderRequest) -> GetOrderResponse,
    reverse_order(ReverseOrderRequest) -> ReverseOrderResponse,
    correct_order(CorrectOrderRequest) -> CorrectOrderResponse,
    report_watermark(ReportWatermarkRequest) -> ReportWatermarkResponse,
    list_refusals(ListRefusalsRequest) -> ListRefusalsResponse,
    list_conflicts(ListConflictsRequest) -> ListConflictsResponse,
]
    type StreamOrdersStream = Stream;

    async fn record_order(
        &self,
        _: Request<pb::RecordOrderRequest>,
    ) -> Result<Response<pb::RecordOrderResponse>, Status> {
        Ok(Response::new(pb::RecordOrderResponse { result: Some(answer()) }))
    }

    async fn record_orders(
        &self,
        request: Request<pb::RecordOrdersRequest>,
    ) -> Result<Response<pb::RecordOrdersResponse>, Status> {
        Ok(Response::new(answers(request.into_inner())))
    }

    async fn stream_orders(
        &self,
        request: Request<Streaming<pb::RecordOrdersRequest>>,
    ) -> Result<Response<Stream>, Status> {
        Ok(Response::new(Box::pin(request.into_inner().map(|request| request.map(answers)))))
    }
);

/// Serves until the process is killed.
pub async fn serve(port: u16) {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], port).into()).unwrap().with_nodelay(Some(true));
    let service = IntakeServiceServer::new(OnlyAnswers).max_decoding_message_size(usize::MAX);
    tonic::transport::Server::builder()
        .initial_stream_window_size(premium_ledger::app::STREAM_WINDOW)
        .initial_connection_window_size(premium_ledger::app::CONNECTION_WINDOW)
        .add_service(service)
        .serve_with_incoming(incoming)
        .await
        .unwrap();
}
