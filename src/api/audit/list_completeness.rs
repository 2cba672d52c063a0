//! ListCompleteness: a platform's own counts by hour against the ledger's.

use super::AuditApi;
use crate::api::{decode, encode, proto as pb, status};
use crate::audit::{Completeness, Hour, completeness};
use crate::types::{Code, Hourly, Instant, Malformed, ViolationCode, Violations};
use std::ops::Range;
use tonic::Status;

impl AuditApi {
    pub(super) async fn list_completeness(
        &self,
        request: pb::ListCompletenessRequest,
    ) -> Result<pb::ListCompletenessResponse, Status> {
        let mut wrong = Violations::default();
        let platform = wrong.take("platform_code", Code::parse(request.platform_code));
        if platform.as_ref().is_some_and(|code| !self.registry.snapshot().knows_platform(code.as_str())) {
            wrong
                .add("platform_code", Malformed::new(ViolationCode::NotInRegistry, "no platform of the registry"));
        }
        let from = wrong.take("from", decode::hour(request.from.as_ref()).and_then(not_before_scheme));
        let to = wrong.take("to", decode::hour(request.to.as_ref()));
        let span = match (from, to) {
            (Some(from), Some(to)) => wrong.take("to", span(from, to)),
            _ => None,
        };
        let (Some(platform), Some(span), true) = (platform, span, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let found = completeness(&self.store, &platform, &span, request.include_complete, None).await;
        found.map(response).map_err(status::store_status)
    }
}

fn not_before_scheme(hour: Instant) -> Result<Instant, Malformed> {
    if hour < Instant::SCHEME_BEGAN { Err(decode::before_scheme()) } else { Ok(hour) }
}

fn span(from: Instant, to: Instant) -> Result<Range<Instant>, Malformed> {
    let hours = to.micros_since(from) / Hourly::MICROS;
    match (1..=Hourly::MAX_HOURS as i64).contains(&hours) {
        true => Ok(from..to),
        false => {
            let text = format!("must lie 1 to {} hours after from", Hourly::MAX_HOURS);
            Err(Malformed::new(ViolationCode::OutOfRange, text))
        }
    }
}

fn response(found: Completeness) -> pb::ListCompletenessResponse {
    pb::ListCompletenessResponse {
        hours: found.hours.iter().map(hour).collect(),
        seal: found.seal.get(),
        watermark: found.watermark.map(encode::timestamp),
    }
}

fn hour(hour: &Hour) -> pb::HourCompleteness {
    let reported = hour.reported.map(|reported| reported.counts);
    pb::HourCompleteness {
        hour: Some(encode::timestamp(hour.hour)),
        state: hour.state.code().into(),
        reported_accepted: reported.map(|counts| counts.accepted),
        reported_ended: reported.map(|counts| counts.ended),
        report_no: hour.reported.map_or(0, |reported| reported.report_no),
        // Keys are counted once, so no count is below zero.
        booked_accepted: hour.booked.accepted as u64,
        booked_ended: hour.booked.ended as u64,
    }
}
