//! The ledger's words as messages.

use super::proto as pb;
use super::{RESPONSE_BYTES, RESPONSE_SOFT_BYTES};
use crate::intake::{Answer, Current, Facts};
use crate::store::KeptConflict;
use crate::types::{
    Instant, LedgerId, LineId, LineKind, Money, Order, OrderKey, Outcome, Position, Posted, Violation,
};
use prost::Message;
use prost_types::Timestamp;

/// An instant.
pub fn timestamp(instant: Instant) -> Timestamp {
    let (seconds, nanos) = instant.parts();
    Timestamp { seconds, nanos }
}

/// A line's id as text.
pub fn line_id(position: Position, ledger: LedgerId) -> String {
    LineId { position, ledger }.to_string()
}

/// Money; empty where there is none.
pub fn money(amount: Option<Money>) -> String {
    amount.map(|a| a.to_string()).unwrap_or_default()
}

/// All results of a response, cut once it grows too large (DESIGN §2.5).
pub fn results(answers: Vec<Answer>, ledger: LedgerId) -> Vec<pb::OrderResult> {
    const { assert!(RESPONSE_SOFT_BYTES + crate::intake::REQUEST_ORDERS * 48 < RESPONSE_BYTES) };
    let mut bytes = 0;
    let mut results = Vec::with_capacity(answers.len());
    for answer in answers {
        let full = result(answer, ledger);
        let result = if bytes < RESPONSE_SOFT_BYTES { full } else { cut(full) };
        bytes += result.encoded_len() + 4;
        results.push(result);
    }
    results
}

/// Outcome, and the code of the first violation or the first differing field.
fn cut(mut full: pb::OrderResult) -> pb::OrderResult {
    full.violations.truncate(1);
    full.differing_fields.truncate(1);
    for violation in &mut full.violations {
        violation.field.clear();
        violation.description.clear();
    }
    pb::OrderResult {
        outcome: full.outcome,
        violations: full.violations,
        differing_fields: full.differing_fields,
        ..Default::default()
    }
}

/// One order event's answer.
pub fn result(answer: Answer, ledger: LedgerId) -> pb::OrderResult {
    match answer {
        Answer::Recorded(facts) => booked(Outcome::Recorded, facts, None, ledger),
        Answer::Replayed { facts, current } => booked(Outcome::Replayed, facts, current, ledger),
        Answer::Conflict { facts, current, differing } => pb::OrderResult {
            differing_fields: differing.names().map(str::to_owned).collect(),
            ..booked(Outcome::Conflict, facts, current, ledger)
        },
        Answer::Refused(violations) => pb::OrderResult {
            outcome: Outcome::Refused.code().into(),
            violations: violations.as_slice().iter().map(violation).collect(),
            ..Default::default()
        },
    }
}

fn booked(outcome: Outcome, facts: Facts, current: Option<Current>, ledger: LedgerId) -> pb::OrderResult {
    let priced = facts.priced;
    pb::OrderResult {
        outcome: outcome.code().into(),
        line_id: line_id(facts.position, ledger),
        premium: money(priced.amount),
        premium_state: priced.state.code().into(),
        reason_code: priced.reason.code().into(),
        period: priced.period.to_string(),
        service_period: priced.service_period.to_string(),
        rate_id: priced.rate.map_or(0, |rate| rate.get().into()),
        superseded: current.is_some(),
        current: current.map(|now| pb::CurrentLine {
            line_id: line_id(now.position, ledger),
            net_premium: now.net.to_string(),
            premium_state: now.state.code().into(),
        }),
        violations: Vec::new(),
        differing_fields: Vec::new(),
    }
}

fn violation(violation: &Violation) -> pb::Violation {
    pb::Violation {
        field: violation.field.to_owned(),
        code: violation.code.code().into(),
        description: violation.description.clone().into_owned(),
    }
}

/// An order key.
pub fn order_key(key: &OrderKey) -> pb::OrderKey {
    pb::OrderKey {
        platform_code: key.platform.to_string(),
        order_id: key.order_id.to_string(),
        assignment_no: key.assignment_no.into(),
    }
}

/// An order event.
pub fn order(order: &Order) -> pb::Order {
    let code = |code: &Option<crate::types::Code>| code.as_ref().map(ToString::to_string).unwrap_or_default();
    pb::Order {
        platform_code: order.key.platform.to_string(),
        order_id: order.key.order_id.to_string(),
        assignment_no: order.key.assignment_no.into(),
        worker_id: order.worker.to_string(),
        industry_code: order.industry.to_string(),
        accept_area: order.area.as_str().to_owned(),
        accepted_at: Some(timestamp(order.accepted_at)),
        ended_at: order.end.map(|end| timestamp(end.at)),
        end_kind: order.end.map_or(0, |end| end.kind.code().into()),
        service_agency_code: code(&order.agency),
        source_platform_code: code(&order.source_platform),
        source_order_id: code(&order.source_order),
        sent_at: order.sent_at.map(timestamp),
    }
}

/// One line among all lines of its key.
pub fn line(posted: &Posted, lines: &[Posted], ledger: LedgerId) -> pb::Line {
    let line = &posted.line;
    let corrected = line.corrects.and_then(|slot| lines.iter().find(|other| other.line.slot == slot));
    pb::Line {
        line_id: line_id(line.position, ledger),
        slot: line.slot.get().into(),
        kind: kind(line.kind),
        order: Some(order(&line.order)),
        premium: money(line.priced.amount),
        premium_state: line.priced.state.code().into(),
        reason_code: line.priced.reason.code().into(),
        corrects_line_id: corrected.map(|other| line_id(other.line.position, ledger)).unwrap_or_default(),
        period: line.priced.period.to_string(),
        service_period: line.priced.service_period.to_string(),
        rate_id: line.priced.rate.map_or(0, |rate| rate.get().into()),
        registry_revision: line.priced.revision.get().into(),
        received_at: Some(timestamp(posted.received_at)),
        reversal_reason: line.reversal_reason.map_or(0, |reason| reason.code().into()),
    }
}

fn kind(kind: LineKind) -> i32 {
    kind.code().into()
}

/// A kept conflict.
pub fn conflict(kept: &KeptConflict, ledger: LedgerId) -> pb::Conflict {
    pb::Conflict {
        order: Some(order(&kept.conflict.order)),
        differing_fields: kept.conflict.differing.names().map(str::to_owned).collect(),
        line_id: line_id(kept.conflict.compared_with, ledger),
        received_at: Some(timestamp(kept.received_at)),
        repeats: kept.repeats,
    }
}
