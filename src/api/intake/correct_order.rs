//! CorrectOrder: takes one line back and books another in its place.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, decode_order, encode, status};
use crate::intake::CorrectAsk;
use crate::ledger::request_digest;
use crate::types::{LineKind, Violations};
use tonic::Status;

impl IntakeApi {
    pub(super) async fn correct_order(
        &self,
        request: pb::CorrectOrderRequest,
    ) -> Result<pb::CorrectOrderResponse, Status> {
        let ask = self.decode_correct(request)?;
        let key = ask.order.key.clone();
        let booked = self.intake.correct(ask).await.map_err(status::intake_status)?;
        let lines = self.key_lines(&key, &booked).await?;
        let ledger = self.intake.store().ledger_id();
        let line = |reversal: bool| {
            let found = booked.iter().find(|p| (p.line.kind == LineKind::Reversal) == reversal);
            found.map(|p| encode::line(p, &lines, ledger))
        };
        Ok(pb::CorrectOrderResponse { reversal: line(true), replacement: line(false) })
    }

    fn decode_correct(&self, request: pb::CorrectOrderRequest) -> Result<CorrectAsk, Status> {
        let mut wrong = Violations::default();
        let ledger = self.intake.store().ledger_id();
        let line = wrong.take("line_id", decode::line_id(&request.line_id, ledger));
        let order = wrong.take("order", decode::required(request.order));
        let reason = wrong.take("reversal_reason", decode::reversal_reason(request.reversal_reason));
        let decoded = order.map(|o| decode_order::decode(o, &self.intake.registry().snapshot(), self.clock.now()));
        let order = match decoded {
            Some(Ok(order)) => Some(order),
            Some(Err(refused)) if wrong.is_empty() => return Err(status::invalid("order.", &refused.violations)),
            _ => None,
        };
        let line_text = line.map(|at| encode::line_id(at, ledger)).unwrap_or_default();
        let digest = request_digest(&[&line_text, &request.reversal_reason.to_string()], order.as_ref());
        let asked = decode::asked(request.request_id, digest, &mut wrong);
        match (asked, line, order, reason) {
            (Some(asked), Some(line), Some(order), Some(reason)) if wrong.is_empty() => {
                Ok(CorrectAsk { asked, line, order, reason })
            }
            _ => Err(status::invalid("", &wrong)),
        }
    }
}
