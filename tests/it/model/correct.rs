//! The model's corrections and watermarks: what a caller does once, under a request id.

use super::{
    Report, State,
    event::{Key, code, instant},
    invalid,
    line::{Line, reversal_of, standing, stands},
    now, timestamp,
};
use premium_ledger::{
    api::proto as pb,
    types::{Instant, LineId, Money, OrderKey, RowKind},
};
use tonic::Status;

const HOUR_MICROS: i64 = 3_600_000_000;

impl State {
    pub fn reverse_order(&mut self, request: pb::ReverseOrderRequest) -> Result<pb::ReverseOrderResponse, Status> {
        let key = key(request.key.as_ref())?;
        let line_id = if request.line_id.is_empty() { String::new() } else { line_id(&request.line_id)? };
        let reason = reversal_reason(request.reversal_reason)?;
        let content = format!("ReverseOrder {key:?} {line_id:?} {reason}");
        self.once(&request.request_id, content, |state| {
            let lines = state.lines(&key)?;
            let line = if line_id.is_empty() {
                let charge = standing(&lines, pb::LineKind::Charge);
                let newest = charge.or_else(|| standing(&lines, pb::LineKind::Open));
                newest.ok_or_else(|| Status::failed_precondition("no line of the order stands"))?
            } else {
                named(&lines, &line_id)?
            };
            if !stands(&lines, line) {
                return Err(Status::failed_precondition("the line does not stand"));
            }
            let reversal = state.reverse(&lines, line, reason, now());
            Ok(pb::ReverseOrderResponse { reversal: Some(reversal.wire()) })
        })
    }

    pub fn correct_order(&mut self, request: pb::CorrectOrderRequest) -> Result<pb::CorrectOrderResponse, Status> {
        let now = now();
        let line_id = line_id(&request.line_id)?;
        let order = request.order.as_ref().ok_or_else(|| invalid("order"))?;
        let event = self.check(order, now).map_err(|wrong| invalid(&format!("{wrong:?}")))?;
        let reason = reversal_reason(request.reversal_reason)?;
        let content = format!("CorrectOrder {line_id:?} {} {reason}", event.content());
        self.once(&request.request_id, content, |state| {
            let lines = state.lines(&event.key())?;
            let line = named(&lines, &line_id)?;
            if line.kind != event.kind() {
                return Err(Status::failed_precondition("the line is of another sort, or itself a correction"));
            }
            let mut reversal = None;
            let mut slot = next_slot(&lines);
            if reversal_of(&lines, line).is_none() {
                if line.event.differing(&event).is_empty() {
                    return Err(Status::failed_precondition("nothing would change"));
                }
                reversal = Some(state.reverse(&lines, line, reason, now));
                slot += 1;
            } else if standing(&lines, line.kind).is_some() {
                return Err(Status::failed_precondition("the line was reversed and another stands"));
            }
            let mut replacement = state.new_line(event, slot, now);
            replacement.corrects = Some(line.id.clone());
            replacement.reversal_reason = reason;
            state.book(replacement.clone());
            Ok(pb::CorrectOrderResponse {
                reversal: reversal.map(|line| line.wire()),
                replacement: Some(replacement.wire()),
            })
        })
    }

    /// Books the reversal of a line in the month that is open for it now: all else repeated, the amount turned round.
    fn reverse(&mut self, lines: &[Line], line: &Line, reason: i32, now: Instant) -> Line {
        let mut reversal = line.clone();
        reversal.id = self.next_line_id();
        reversal.slot = next_slot(lines);
        reversal.kind = pb::LineKind::Reversal;
        let adjusts = |l: &&Line| l.kind == pb::LineKind::Adjustment && l.corrects.as_ref() == Some(&line.id);
        let of_line: Vec<Money> =
            lines.iter().filter(adjusts).chain([line]).filter_map(|line| line.priced.amount).collect();
        let sum: i64 = of_line.iter().map(|amount| amount.micros()).sum();
        reversal.priced.amount = (!of_line.is_empty()).then(|| Money::from_micros(-sum));
        let (platform, province) = (&line.event.platform, &line.priced.province);
        reversal.priced.period = self.booking_month(platform, province, line.priced.service_period);
        reversal.corrects = Some(line.id.clone());
        reversal.received_at = now;
        reversal.reversal_reason = reason;
        self.book(reversal.clone());
        reversal
    }

    /// The lines of a key that was booked.
    pub fn lines(&self, key: &Key) -> Result<Vec<Line>, Status> {
        self.orders.get(key).cloned().ok_or_else(|| Status::not_found("the order was never booked"))
    }

    pub fn report_watermark(
        &mut self,
        request: pb::ReportWatermarkRequest,
    ) -> Result<pb::ReportWatermarkResponse, Status> {
        let now = now();
        let platform = self.known_code(RowKind::Platform, &request.platform_code);
        let platform = platform.map_err(|_| invalid("platform_code"))?;
        let watermark = request.watermark.and_then(|at| instant(at).ok()).ok_or_else(|| invalid("watermark"))?;
        if watermark < Instant::SCHEME_BEGAN || watermark > now {
            return Err(invalid("watermark"));
        }
        let hours = hourly(&request.hourly)?;
        let content = format!("ReportWatermark {platform:?} {watermark:?} {hours:?}");
        self.once(&request.request_id, content, |state| {
            let before = state.reports.iter().filter(|report| report.platform == platform).count();
            let report_no = before as u64 + 1;
            state.reports.push(Report { platform, report_no, watermark, received_at: now });
            Ok(pb::ReportWatermarkResponse { report_no, received_at: Some(timestamp(now)) })
        })
    }
}

/// The key that a request names, whether booked or not.
pub fn key(key: Option<&pb::OrderKey>) -> Result<Key, Status> {
    let key = key.ok_or_else(|| invalid("key"))?;
    let platform = code(&key.platform_code).map_err(|_| invalid("key.platform_code"))?;
    let order_id = code(&key.order_id).map_err(|_| invalid("key.order_id"))?;
    let assignment = OrderKey::parse_assignment(key.assignment_no).map_err(|_| invalid("key.assignment_no"))?;
    Ok((platform, order_id, u32::from(assignment)))
}

/// The id of a line, whether there or not.
fn line_id(text: &str) -> Result<String, Status> {
    LineId::parse(text).map(|id| id.to_string()).map_err(|_| invalid("line_id"))
}

fn reversal_reason(number: i32) -> Result<i32, Status> {
    match pb::ReversalReason::try_from(number) {
        Ok(reason) if reason != pb::ReversalReason::Unspecified => Ok(number),
        _ => Err(invalid("reversal_reason")),
    }
}

/// The line of a key with this id.
fn named<'a>(lines: &'a [Line], id: &str) -> Result<&'a Line, Status> {
    lines.iter().find(|line| line.id == id).ok_or_else(|| Status::not_found("the order has no such line"))
}

/// Corrections stand behind all others, from 2 up.
fn next_slot(lines: &[Line]) -> u32 {
    lines.iter().map(|line| line.slot + 1).max().unwrap_or(0).max(2)
}

/// The platform's own counts, each full hour once.
fn hourly(counts: &[pb::HourlyCount]) -> Result<Vec<(Instant, u64, u64)>, Status> {
    let mut hours: Vec<(Instant, u64, u64)> = Vec::new();
    for count in counts {
        let hour = count.hour.and_then(|hour| instant(hour).ok()).ok_or_else(|| invalid("hourly.hour"))?;
        if hour.micros() % HOUR_MICROS != 0 || hours.iter().any(|(other, ..)| *other == hour) {
            return Err(invalid("hourly.hour"));
        }
        if count.accepted > 1 << 53 || count.ended > 1 << 53 {
            return Err(invalid("hourly"));
        }
        hours.push((hour, count.accepted, count.ended));
    }
    if hours.len() > 744 { Err(invalid("hourly")) } else { Ok(hours) }
}
