//! RecordOrder: one event.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode::required, decode_order, encode, status};
use crate::intake::{Item, Wait};
use crate::telemetry::RequestSpan;
use crate::types::Violations;
use tonic::Status;

impl IntakeApi {
    pub(super) async fn record_order(
        &self,
        request: pb::RecordOrderRequest,
        span: Option<RequestSpan>,
    ) -> Result<pb::RecordOrderResponse, Status> {
        let mut wrong = Violations::default();
        let Some(order) = wrong.take("order", required(request.order)) else {
            return Err(status::invalid("", &wrong));
        };
        let item = decode_order::item(order, &self.intake.registry().snapshot(), self.clock.now());
        if let (Some(span), Item::Order(order)) = (&span, &item) {
            span.name_order(&order.key);
        }
        let pending =
            self.intake.submit(vec![item], Wait::No, span.as_ref()).await.map_err(status::intake_status)?;
        let answers = pending.answers().await.map_err(status::intake_status)?;
        let result =
            answers.into_iter().next().map(|answer| encode::result(answer, self.intake.store().ledger_id()));
        Ok(pb::RecordOrderResponse { result })
    }
}
