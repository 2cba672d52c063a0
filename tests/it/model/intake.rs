//! The model's intake: every order event gets one outcome, and one line at most.

use super::{
    KeptConflict, KeptRefusal, State,
    event::{Event, Violation},
    invalid,
    line::{Line, adjusted, net, standing},
    now,
};
use premium_ledger::{
    api::proto as pb,
    types::{Instant, RowKind},
};
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;

/// Once the results of a call are so many bytes, further ones are cut.
const SOFT_BYTES: usize = 3 * 1024 * 1024;
/// So much of a refused order is kept.
const PAYLOAD_BYTES: usize = 2 * 1024;

impl State {
    pub fn record_order(&mut self, request: &pb::RecordOrderRequest) -> Result<pb::RecordOrderResponse, Status> {
        let order = request.order.as_ref().ok_or_else(|| invalid("order"))?;
        Ok(pb::RecordOrderResponse { result: Some(self.record(order)) })
    }

    pub fn record_orders(&mut self, request: pb::RecordOrdersRequest) -> Result<pb::RecordOrdersResponse, Status> {
        if request.batch_id.chars().count() > 64 {
            return Err(invalid("batch_id"));
        }
        if request.orders.is_empty() || request.orders.len() > 10_000 {
            return Err(invalid("orders"));
        }
        let mut response = pb::RecordOrdersResponse { batch_id: request.batch_id, results: Vec::new() };
        let mut bytes = response.encoded_len();
        for order in &request.orders {
            let whole = self.record(order);
            let result = if bytes < SOFT_BYTES { whole } else { cut(&whole) };
            bytes += 1 + prost::length_delimiter_len(result.encoded_len()) + result.encoded_len();
            response.results.push(result);
        }
        Ok(response)
    }

    /// One order event: refused, or compared with the lines of its key and kind, or booked.
    fn record(&mut self, order: &pb::Order) -> pb::OrderResult {
        let now = now();
        let event = match self.check(order, now) {
            Ok(event) => event,
            Err(violations) => return self.refuse(order, &violations, now),
        };
        let first_slot = if event.end.is_none() { 0 } else { 1 };
        let lines = self.orders.get(&event.key()).cloned().unwrap_or_default();
        let Some(first) = lines.iter().find(|line| line.slot == first_slot) else {
            let line = self.new_line(event, first_slot, now);
            self.book(line.clone());
            return facts(pb::Outcome::Recorded, &line);
        };
        let newest = standing(&lines, event.kind());
        let compared = newest.into_iter().chain([first]);
        if let Some(equal) = compared.into_iter().find(|line| line.event.differing(&event).is_empty()) {
            return in_context(facts(pb::Outcome::Replayed, equal), equal, &lines);
        }
        let line = newest.unwrap_or(first);
        let differing = line.event.differing(&event);
        self.keep_conflict(event, &differing, line, now);
        let mut result = in_context(facts(pb::Outcome::Conflict, line), line, &lines);
        result.differing_fields = differing.into_iter().map(str::to_owned).collect();
        result
    }

    /// Keeps another version once for each content, whenever it comes.
    fn keep_conflict(&mut self, event: Event, differing: &[&'static str], line: &Line, now: Instant) {
        let same = |kept: &&mut KeptConflict| kept.event.differing(&event).is_empty();
        if let Some(kept) = self.conflicts.iter_mut().find(same) {
            kept.repeats += 1;
            return;
        }
        self.conflicts.push(KeptConflict {
            event,
            differing: differing.to_vec(),
            line_id: line.id.clone(),
            received_at: now,
            repeats: 0,
        });
    }

    /// Keeps a refused order once for each platform, payload, first code and day.
    fn refuse(&mut self, order: &pb::Order, violations: &[Violation], now: Instant) -> pb::OrderResult {
        let payload = order.encode_to_vec();
        let digest = Sha256::digest(&payload).to_vec();
        let platform = self.known_code(RowKind::Platform, &order.platform_code).unwrap_or_default();
        let (field, code) = (violations[0].0, i32::from(violations[0].1.code()));
        let same = |kept: &&mut KeptRefusal| {
            kept.platform == platform && kept.digest == digest && kept.code == code && kept.day == now.day()
        };
        if let Some(kept) = self.refusals.iter_mut().find(same) {
            kept.repeats += 1;
        } else {
            self.refusals.push(KeptRefusal {
                platform,
                digest,
                code,
                day: now.day(),
                field,
                payload_size: payload.len() as u32,
                payload: payload.into_iter().take(PAYLOAD_BYTES).collect(),
                received_at: now,
                repeats: 0,
            });
        }
        let violations = violations.iter().map(|(field, code)| pb::Violation {
            field: (*field).to_owned(),
            code: i32::from(code.code()),
            description: code.name().to_owned(),
        });
        let outcome = pb::Outcome::Refused as i32;
        pb::OrderResult { outcome, violations: violations.collect(), ..Default::default() }
    }
}

/// The facts of the line that answers an event.
fn facts(outcome: pb::Outcome, line: &Line) -> pb::OrderResult {
    pb::OrderResult {
        outcome: outcome as i32,
        line_id: line.id.clone(),
        premium: line.premium(),
        premium_state: line.priced.state as i32,
        reason_code: line.priced.reason as i32,
        period: line.priced.period.to_string(),
        service_period: line.priced.service_period.to_string(),
        rate_id: line.priced.rate.unwrap_or(0),
        ..Default::default()
    }
}

/// Adds how the order stands now, where a later line names the line that answers.
fn in_context(mut result: pb::OrderResult, line: &Line, lines: &[Line]) -> pb::OrderResult {
    if !lines.iter().any(|later| later.corrects.as_ref() == Some(&line.id)) {
        return result;
    }
    let kind = line.event.kind();
    // "Where none stands, the newest reversal" (types.proto, CurrentLine): of a line of this kind, and after several
    // corrections not always the one that names the line that answers.
    let of_kind = |l: &&Line| l.kind == pb::LineKind::Reversal && l.event.kind() == kind;
    let newest_reversal = lines.iter().rev().find(of_kind);
    let newest = standing(lines, kind);
    let state = newest.map_or(pb::PremiumState::NotCharged, |line| adjusted(lines, line).state);
    result.superseded = true;
    result.current = Some(pb::CurrentLine {
        line_id: newest.or(newest_reversal).map_or(String::new(), |line| line.id.clone()),
        net_premium: net(lines).to_string(),
        premium_state: state as i32,
    });
    result
}

/// Outcome and first code only.
fn cut(whole: &pb::OrderResult) -> pb::OrderResult {
    let first = whole.violations.first();
    let code_only = |v: &pb::Violation| pb::Violation { code: v.code, ..Default::default() };
    pb::OrderResult {
        outcome: whole.outcome,
        violations: first.map(code_only).into_iter().collect(),
        differing_fields: whole.differing_fields.first().cloned().into_iter().collect(),
        ..Default::default()
    }
}
