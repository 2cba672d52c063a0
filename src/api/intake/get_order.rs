//! GetOrder: how one order stands.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, encode, status};
use crate::types::Violations;
use tonic::Status;

impl IntakeApi {
    pub(super) async fn get_order(&self, request: pb::GetOrderRequest) -> Result<pb::GetOrderResponse, Status> {
        let mut wrong = Violations::default();
        let key = decode::order_key(request.key, &mut wrong);
        let Some(key) = key.filter(|_| wrong.is_empty()) else { return Err(status::invalid("", &wrong)) };
        let facts = self.intake.order(&key).await.map_err(status::intake_status)?;
        let facts = facts.ok_or_else(|| Status::not_found("no such order was booked"))?;
        let ledger = self.intake.store().ledger_id();
        Ok(pb::GetOrderResponse {
            lines: facts.lines.iter().map(|posted| encode::line(posted, &facts.lines, ledger)).collect(),
            net_premium: facts.net.to_string(),
            premium_state: facts.state.code().into(),
            conflicts: facts.conflicts.iter().map(|kept| encode::conflict(kept, ledger)).collect(),
        })
    }
}
