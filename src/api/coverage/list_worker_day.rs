//! ListWorkerDay: all intervals of a worker that touch one day.

use super::{CoverageApi, interval, seal, watermark};
use crate::api::{decode, proto as pb, status};
use crate::coverage::{Interval, list_day};
use crate::types::{Day, Instant, Malformed, ViolationCode, Violations};
use tonic::Status;

impl CoverageApi {
    pub(super) async fn list_worker_day(
        &self,
        request: pb::ListWorkerDayRequest,
    ) -> Result<pb::ListWorkerDayResponse, Status> {
        let mut wrong = Violations::default();
        let worker = decode::reader(&request.worker_id, request.purpose, request.case_no, &mut wrong);
        let day = wrong.take("date", decode::day(&request.date).and_then(|day| within(day, self.clock.now())));
        let (Some(worker), Some(day), true) = (worker, day, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let known = self.known(request.known_at).await?;
        let found = list_day(&self.store, &known, worker, day).await.map_err(status::store_status)?;
        let ledger = self.store.ledger_id();
        // A day has no one instant that an interval could hold; overdue is judged at its end.
        let at_end =
            |i: &Interval| pb::Interval { holds_instant: false, ..interval::encode(i, day.end(), None, ledger) };
        Ok(pb::ListWorkerDayResponse {
            intervals: found.intervals.iter().map(at_end).collect(),
            truncated: found.truncated,
            watermarks: found.watermarks.iter().map(watermark).collect(),
            known_at_seal: seal(&known),
        })
    }
}

fn within(day: Day, now: Instant) -> Result<Day, Malformed> {
    if day < Instant::SCHEME_BEGAN.day() {
        return Err(decode::before_scheme());
    }
    match day > now.day() {
        true => Err(Malformed::new(ViolationCode::InFuture, "must not lie in the future")),
        false => Ok(day),
    }
}
