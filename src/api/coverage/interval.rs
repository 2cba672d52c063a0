//! One interval as a message.

use crate::api::{encode as words, proto as pb};
use crate::coverage::Interval;
use crate::types::{Instant, LedgerId};

/// `at`: the instant that was asked for, or the end of the day that was.
pub fn encode(interval: &Interval, at: Instant, reported_at: Option<Instant>, ledger: LedgerId) -> pb::Interval {
    let ended = interval.end.zip(interval.ended_received_at);
    let first_received = interval
        .ended_received_at
        .map_or(interval.accepted_received_at, |ended| ended.min(interval.accepted_received_at));
    pb::Interval {
        key: Some(words::order_key(&interval.key)),
        line_ids: interval.lines.iter().map(|position| words::line_id(*position, ledger)).collect(),
        industry_code: interval.industry.to_string(),
        accept_area: interval.area.as_str().to_owned(),
        province_code: interval.province.as_str().to_owned(),
        accepted_at: Some(words::timestamp(interval.accepted_at)),
        ended_at: interval.end.map(|end| words::timestamp(end.at)),
        end_kind: interval.end.map_or(0, |end| end.kind.code().into()),
        accepted_received_at: Some(words::timestamp(interval.accepted_received_at)),
        ended_received_at: ended.map(|(_, received)| words::timestamp(received)),
        accepted_lateness_seconds: Some(interval.accepted_received_at.seconds_since(interval.accepted_at)),
        ended_lateness_seconds: ended.map(|(end, received)| received.seconds_since(end.at)),
        holds_instant: interval.holds(at),
        in_scope: interval.in_scope,
        overdue: interval.overdue(at),
        conflicting: interval.conflicting,
        reversed_at: interval.reversed_at.map(words::timestamp),
        premium_state: interval.premium_state.code().into(),
        statement_state: interval.statement_state.code().into(),
        arrived_after_report: reported_at.map(|reported| first_received > reported),
    }
}
