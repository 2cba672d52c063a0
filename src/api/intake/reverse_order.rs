//! ReverseOrder: takes one line back.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, encode, status};
use crate::intake::ReverseAsk;
use crate::ledger::request_digest;
use crate::types::{OrderKey, Posted, Violations};
use tonic::Status;

impl IntakeApi {
    pub(super) async fn reverse_order(
        &self,
        request: pb::ReverseOrderRequest,
    ) -> Result<pb::ReverseOrderResponse, Status> {
        let ask = self.decode_reverse(request)?;
        let key = ask.key.clone();
        let booked = self.intake.reverse(ask).await.map_err(status::intake_status)?;
        let lines = self.key_lines(&key, &booked).await?;
        let ledger = self.intake.store().ledger_id();
        Ok(pb::ReverseOrderResponse { reversal: booked.first().map(|p| encode::line(p, &lines, ledger)) })
    }

    fn decode_reverse(&self, request: pb::ReverseOrderRequest) -> Result<ReverseAsk, Status> {
        let mut wrong = Violations::default();
        let ledger = self.intake.store().ledger_id();
        let key = decode::order_key(request.key, &mut wrong);
        let line = match request.line_id.is_empty() {
            true => Some(None),
            false => wrong.take("line_id", decode::line_id(&request.line_id, ledger)).map(Some),
        };
        let reason = wrong.take("reversal_reason", decode::reversal_reason(request.reversal_reason));
        let key_text =
            key.as_ref().map(|k| [k.platform.to_string(), k.order_id.to_string(), k.assignment_no.to_string()]);
        let [platform, order_id, assignment_no] = key_text.unwrap_or_default();
        let reason_text = request.reversal_reason.to_string();
        let line_text = line.flatten().map(|at| encode::line_id(at, ledger)).unwrap_or_default();
        let digest = request_digest(&[&platform, &order_id, &assignment_no, &line_text, &reason_text], None);
        let asked = decode::asked(request.request_id, digest, &mut wrong);
        match (asked, key, line, reason) {
            (Some(asked), Some(key), Some(line), Some(reason)) if wrong.is_empty() => {
                Ok(ReverseAsk { asked, key, line, reason })
            }
            _ => Err(status::invalid("", &wrong)),
        }
    }

    /// The lines of a key with which booked ones are named: those they correct are among them.
    pub(super) async fn key_lines(&self, key: &OrderKey, booked: &[Posted]) -> Result<Vec<Posted>, Status> {
        let facts = self.intake.order(key).await.map_err(status::intake_status)?;
        Ok(facts.map_or_else(|| booked.to_vec(), |facts| facts.lines))
    }
}
