//! CheckEligibility: an injury, its report and its place.

use super::{CoverageApi, coverage};
use crate::api::{decode, proto as pb, status};
use crate::coverage::{DEFAULT_WINDOW_SECONDS, MAX_WINDOW_SECONDS, Question, ask};
use crate::types::{Area, Instant, Malformed, Province, ViolationCode, Violations};
use tonic::Status;

impl CoverageApi {
    pub(super) async fn check_eligibility(
        &self,
        request: pb::CheckEligibilityRequest,
    ) -> Result<pb::CheckEligibilityResponse, Status> {
        let now = self.clock.now();
        let mut wrong = Violations::default();
        let worker = decode::reader(&request.worker_id, request.purpose, request.case_no, &mut wrong);
        let at = wrong.take("injured_at", decode::past(request.injured_at.as_ref(), now));
        let reported_at = wrong.take("reported_at", reported_at(request.reported_at.as_ref(), at, now));
        let window_seconds = wrong.take("window", window(request.window.as_ref()));
        let area = wrong.take("injured_area", self.injured_area(&request.injured_area, at.unwrap_or(now)));
        let (Some(worker), Some(at), Some(reported_at), Some(window_seconds), Some(area), true) =
            (worker, at, reported_at, window_seconds, area, wrong.is_empty())
        else {
            return Err(status::invalid("", &wrong));
        };
        let known = self.known(request.known_at).await?;
        let question = Question { worker, at, window_seconds };
        let found = ask(&self.store, &known, question).await.map_err(status::store_status)?;
        Ok(pb::CheckEligibilityResponse {
            coverage: Some(coverage(&found, &known, at, reported_at, self.store.ledger_id())),
            injured_area: request.injured_area,
            injured_province_code: area.map(|province| province.as_str().to_owned()).unwrap_or_default(),
        })
    }

    /// The province of the place, by the rules that hold for any platform and industry on the day of the injury.
    fn injured_area(&self, text: &str, at: Instant) -> Result<Option<Province>, Malformed> {
        if text.is_empty() {
            return Ok(None);
        }
        let snapshot = self.registry.snapshot();
        let province = snapshot.province_of("", "", Area::parse(text)?, at.day());
        let unknown = || Malformed::new(ViolationCode::NotInRegistry, "lies in no province of the registry");
        snapshot.knows_province(province).then_some(Some(province)).ok_or_else(unknown)
    }
}

fn reported_at(
    timestamp: Option<&prost_types::Timestamp>,
    injured_at: Option<Instant>,
    now: Instant,
) -> Result<Option<Instant>, Malformed> {
    let Some(timestamp) = timestamp else { return Ok(None) };
    let reported = decode::past(Some(timestamp), now)?;
    match injured_at {
        Some(injured) if reported < injured => {
            Err(Malformed::new(ViolationCode::Mismatch, "must not lie before injured_at"))
        }
        _ => Ok(Some(reported)),
    }
}

fn window(duration: Option<&prost_types::Duration>) -> Result<i64, Malformed> {
    let Some(duration) = duration else { return Ok(DEFAULT_WINDOW_SECONDS) };
    let whole =
        (0..=MAX_WINDOW_SECONDS).contains(&duration.seconds) && (0..1_000_000_000).contains(&duration.nanos);
    match whole && (duration.seconds < MAX_WINDOW_SECONDS || duration.nanos == 0) {
        true => Ok(duration.seconds),
        false => Err(Malformed::new(ViolationCode::OutOfRange, "must be at most 72 hours, and not negative")),
    }
}
