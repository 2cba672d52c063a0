//! Fields that many requests have.

use super::proto as pb;
use crate::intake::Asked;
use crate::types::{
    Code, Day, Digest, Hourly, Instant, LineId, Malformed, OrderKey, Position, Purpose, RequestId, ReversalReason,
    ViolationCode, Violations, WorkerId,
};
use prost_types::Timestamp;

/// A field that must be set.
pub fn required<T>(value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| Malformed::new(ViolationCode::Required, "must be set"))
}

/// A timestamp, cut to microseconds.
pub fn instant(timestamp: &Timestamp) -> Result<Instant, Malformed> {
    Instant::from_parts(timestamp.seconds, timestamp.nanos)
}

/// An instant on the full hour.
pub fn hour(timestamp: Option<&Timestamp>) -> Result<Instant, Malformed> {
    let hour = instant(required(timestamp)?)?;
    match hour.micros().rem_euclid(Hourly::MICROS) {
        0 => Ok(hour),
        _ => Err(Malformed::new(ViolationCode::Malformed, "must be a full hour")),
    }
}

/// An instant that has been, from the scheme's begin on.
pub fn past(timestamp: Option<&Timestamp>, now: Instant) -> Result<Instant, Malformed> {
    let at = instant(required(timestamp)?)?;
    if at < Instant::SCHEME_BEGAN {
        return Err(before_scheme());
    }
    if at > now {
        return Err(Malformed::new(ViolationCode::InFuture, "must not lie in the future"));
    }
    Ok(at)
}

/// An instant that is too early.
pub fn before_scheme() -> Malformed {
    Malformed::new(ViolationCode::BeforeScheme, "must not lie before 2022-07-01T00:00:00+08:00")
}

/// A word of an enum that must be set and known.
pub fn word<T>(number: i32, from: impl Fn(u8) -> Option<T>) -> Result<T, Malformed> {
    if number == 0 {
        return Err(Malformed::new(ViolationCode::Required, "must be set"));
    }
    u8::try_from(number)
        .ok()
        .and_then(from)
        .ok_or_else(|| Malformed::new(ViolationCode::UnknownValue, format!("{number} is no known value")))
}

/// An order key, its fields named under `prefix`.
pub fn order_key(key: Option<pb::OrderKey>, wrong: &mut Violations) -> Option<OrderKey> {
    let key = wrong.take("key", required(key))?;
    let platform = wrong.take("key.platform_code", Code::parse(key.platform_code));
    let order_id = wrong.take("key.order_id", Code::parse(key.order_id));
    let assignment_no = wrong.take("key.assignment_no", OrderKey::parse_assignment(key.assignment_no));
    Some(OrderKey { platform: platform?, order_id: order_id?, assignment_no: assignment_no? })
}

/// A line id of this ledger.
pub fn line_id(text: &str, ledger: crate::types::LedgerId) -> Result<Position, Malformed> {
    let id = LineId::parse(text)?;
    match id.ledger == ledger {
        true => Ok(id.position),
        false => Err(Malformed::new(ViolationCode::Mismatch, "is a line of another ledger")),
    }
}

/// A reversal's reason.
pub fn reversal_reason(number: i32) -> Result<ReversalReason, Malformed> {
    word(number, ReversalReason::from_code)
}

/// A request id with the digest of what is asked.
pub fn asked(request_id: String, digest: Digest, wrong: &mut Violations) -> Option<Asked> {
    let id = wrong.take("request_id", RequestId::parse(request_id))?;
    Some(Asked { id, digest })
}

/// Whose lines are read, and why: worker, purpose and, where the purpose needs one, the case.
pub fn reader(worker_id: &str, purpose: i32, case_no: String, wrong: &mut Violations) -> Option<WorkerId> {
    let worker = wrong.take("worker_id", WorkerId::parse(worker_id));
    let purpose = wrong.take("purpose", word(purpose, Purpose::from_code));
    let case = wrong.take("case_no", Code::parse_optional(case_no));
    if purpose.is_some_and(Purpose::needs_case) && case == Some(None) {
        let text = "must be set for CLAIM, DISPUTE and AUDIT";
        wrong.add("case_no", Malformed::new(ViolationCode::Required, text));
    }
    worker
}

/// A day.
pub fn day(text: &str) -> Result<Day, Malformed> {
    Day::parse(text)
}
