//! ReportWatermark: a platform has sent everything up to an instant.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, encode, status};
use crate::intake::WatermarkAsk;
use crate::ledger::request_digest;
use crate::types::{Code, Hourly, Malformed, ViolationCode, Violations};
use tonic::Status;

impl IntakeApi {
    pub(super) async fn report_watermark(
        &self,
        request: pb::ReportWatermarkRequest,
    ) -> Result<pb::ReportWatermarkResponse, Status> {
        let ask = self.decode_watermark(request)?;
        let newest = self.intake.report_watermark(ask).await.map_err(status::intake_status)?;
        Ok(pb::ReportWatermarkResponse {
            report_no: newest.watermark.report_no,
            received_at: Some(encode::timestamp(newest.received_at)),
        })
    }

    fn decode_watermark(&self, request: pb::ReportWatermarkRequest) -> Result<WatermarkAsk, Status> {
        let mut wrong = Violations::default();
        let snapshot = self.intake.registry().snapshot();
        let platform = wrong.take("platform_code", Code::parse(request.platform_code));
        if platform.as_ref().is_some_and(|p| !snapshot.knows_platform(p.as_str())) {
            let text = "no platform of the registry";
            wrong.add("platform_code", Malformed::new(ViolationCode::NotInRegistry, text));
        }
        let at = wrong.take("watermark", decode::past(request.watermark.as_ref(), self.clock.now()));
        let hourly = decode_hours(&request.hourly, &mut wrong);
        let mut texts = vec![platform.as_ref().map(ToString::to_string).unwrap_or_default()];
        texts.push(at.map(|at| at.micros().to_string()).unwrap_or_default());
        texts.extend(hourly.iter().map(|h| format!("{} {} {}", h.hour.micros(), h.accepted, h.ended)));
        let digest = request_digest(&texts.iter().map(String::as_str).collect::<Vec<_>>(), None);
        let asked = decode::asked(request.request_id, digest, &mut wrong);
        match (asked, platform, at) {
            (Some(asked), Some(platform), Some(at)) if wrong.is_empty() => {
                Ok(WatermarkAsk { asked, platform, at, hourly })
            }
            _ => Err(status::invalid("", &wrong)),
        }
    }
}

/// By hour; each once.
fn decode_hours(hourly: &[pb::HourlyCount], wrong: &mut Violations) -> Vec<Hourly> {
    if hourly.len() > Hourly::MAX_HOURS {
        wrong.add("hourly", Malformed::new(ViolationCode::OutOfRange, "must hold at most 744 hours"));
        return Vec::new();
    }
    let mut hours = Vec::with_capacity(hourly.len());
    for count in hourly {
        let hour = decode::hour(count.hour.as_ref());
        if count.accepted > Hourly::MAX_COUNT || count.ended > Hourly::MAX_COUNT {
            wrong.add("hourly.accepted", Malformed::new(ViolationCode::OutOfRange, "counts must be at most 2^53"));
        }
        if let Some(hour) = wrong.take("hourly.hour", hour) {
            hours.push(Hourly { hour, accepted: count.accepted, ended: count.ended });
        }
    }
    hours.sort_by_key(|hourly| hourly.hour);
    if hours.windows(2).any(|pair| pair[0].hour == pair[1].hour) {
        wrong.add("hourly.hour", Malformed::new(ViolationCode::NotAllowed, "each hour must come once"));
    }
    hours
}
