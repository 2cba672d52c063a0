//! RecordOrders: a batch, each event on its own.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode_order, encode, status};
use crate::intake::{Answer, Item, REQUEST_ORDERS, Wait};
use crate::telemetry::RequestSpan;
use crate::types::{Malformed, ViolationCode, Violations};
use tonic::Status;

/// Longest echo, characters.
const BATCH_ID_CHARS: usize = 64;

impl IntakeApi {
    pub(super) async fn record_orders(
        &self,
        request: pb::RecordOrdersRequest,
        span: Option<RequestSpan>,
    ) -> Result<pb::RecordOrdersResponse, Status> {
        let (batch_id, items) = self.items(request)?;
        let pending = self.intake.submit(items, Wait::No, span.as_ref()).await.map_err(status::intake_status)?;
        let answers = pending.answers().await.map_err(status::intake_status)?;
        Ok(self.response(batch_id, answers))
    }

    /// The events of a request, decoded.
    pub(super) fn items(&self, request: pb::RecordOrdersRequest) -> Result<(String, Vec<Item>), Status> {
        let mut wrong = Violations::default();
        if request.batch_id.chars().count() > BATCH_ID_CHARS {
            wrong.add("batch_id", Malformed::new(ViolationCode::TooLong, "must be at most 64 characters"));
        }
        match request.orders.len() {
            0 => wrong.add("orders", Malformed::new(ViolationCode::Required, "must hold at least one order")),
            1..=REQUEST_ORDERS => {}
            n => {
                let text = format!("must hold at most {REQUEST_ORDERS} orders, not {n}");
                wrong.add("orders", Malformed::new(ViolationCode::OutOfRange, text));
            }
        }
        if !wrong.is_empty() {
            return Err(status::invalid("", &wrong));
        }
        let (snapshot, now) = (self.intake.registry().snapshot(), self.clock.now());
        let items = request.orders.into_iter().map(|order| decode_order::item(order, &snapshot, now)).collect();
        Ok((request.batch_id, items))
    }

    /// The answers of a request, encoded.
    pub(super) fn response(&self, batch_id: String, answers: Vec<Answer>) -> pb::RecordOrdersResponse {
        let results = encode::results(answers, self.intake.store().ledger_id());
        pb::RecordOrdersResponse { batch_id, results }
    }
}
