//! The model's answers about a worker: the reason, the nearest intervals, how complete the data are.

use super::{
    State,
    cover::Interval,
    event::{code, instant},
    invalid, now, timestamp,
};
use premium_ledger::{
    api::proto as pb,
    types::{ANY, Day, Instant, RowKind, WorkerId},
};
use std::collections::BTreeSet;
use tonic::Status;

const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;
/// Most intervals of an answer.
const MOST: usize = 1_000;

/// The intervals nearest to an instant that lie wholly on one side of it, and how far away they are, seconds.
struct Nearest {
    at: Instant,
    gap: i64,
}

impl State {
    pub fn get_coverage(&self, request: &pb::GetCoverageRequest) -> Result<pb::GetCoverageResponse, Status> {
        let worker = worker(&request.worker_id)?;
        let at = past_instant("at", request.at)?;
        purpose(request.purpose, &request.case_no)?;
        let coverage = self.coverage(&worker, at, 12 * HOUR_SECONDS * 1_000_000, None);
        Ok(pb::GetCoverageResponse { coverage: Some(coverage) })
    }

    pub fn check_eligibility(
        &self,
        request: &pb::CheckEligibilityRequest,
    ) -> Result<pb::CheckEligibilityResponse, Status> {
        let worker = worker(&request.worker_id)?;
        let at = past_instant("injured_at", request.injured_at)?;
        let reported_at = request.reported_at.map(instant).transpose().map_err(|_| invalid("reported_at"))?;
        if reported_at.is_some_and(|reported| reported < at || reported > now()) {
            return Err(invalid("reported_at"));
        }
        let window = window_micros(request.window.as_ref())?;
        let (mut area, mut province) = (String::new(), String::new());
        if !request.injured_area.is_empty() {
            area = self.known_area(&request.injured_area).map_err(|_| invalid("injured_area"))?;
            // No platform and no industry: only a rule for all of them can move the place of an injury.
            (province, _) = self.province_of("", &area, "", at.day());
        }
        purpose(request.purpose, &request.case_no)?;
        let coverage = self.coverage(&worker, at, window, reported_at);
        Ok(pb::CheckEligibilityResponse {
            coverage: Some(coverage),
            injured_area: area,
            injured_province_code: province,
        })
    }

    pub fn list_worker_day(
        &self,
        request: &pb::ListWorkerDayRequest,
    ) -> Result<pb::ListWorkerDayResponse, Status> {
        let worker = worker(&request.worker_id)?;
        let day = Day::parse(&request.date).map_err(|_| invalid("date"))?;
        if day < Instant::SCHEME_BEGAN.day() || day > now().day() {
            return Err(invalid("date"));
        }
        purpose(request.purpose, &request.case_no)?;
        let mut touching = self.intervals(&worker);
        touching.retain(|i| i.event.accepted_at < day.end() && i.last() >= day.start());
        Ok(pb::ListWorkerDayResponse {
            known_at_seal: 0,
            intervals: touching.iter().take(MOST).map(|i| i.wire(day.end(), None, None)).collect(),
            truncated: touching.len() > MOST,
            watermarks: self.watermarks(&worker, day.end(), day),
        })
    }

    /// What the lines say about one instant of one worker.
    fn coverage(&self, worker: &str, at: Instant, window: i64, reported_at: Option<Instant>) -> pb::Coverage {
        let all = self.intervals(worker);
        let holding: Vec<&Interval> = all.iter().filter(|interval| interval.holds(at)).collect();
        let before = nearest_before(&all, at, window);
        let after = nearest_after(&all, at, window);
        let watermarks = self.watermarks(worker, at, at.day());
        let reason = reason_inside(&holding).unwrap_or_else(|| {
            if watermarks.iter().any(|mark| mark.relevant && is_behind(mark, at)) {
                return pb::CoverageReason::DataMayBeIncomplete;
            }
            match (&before, &after) {
                (Some(_), Some(_)) => pb::CoverageReason::BetweenOrders,
                (Some(_), None) => pb::CoverageReason::AfterEnd,
                (None, Some(_)) => pb::CoverageReason::BeforeAccept,
                (None, None) => pb::CoverageReason::NoOrderThatDay,
            }
        });
        let listed = all.iter().filter(|interval| {
            let stated = !interval.line_ids.is_empty();
            let ends_nearest = before.as_ref().is_some_and(|nearest| interval.last() == nearest.at);
            let begins_nearest = after.as_ref().is_some_and(|nearest| interval.event.accepted_at == nearest.at);
            interval.holds(at) || stated && (ends_nearest || begins_nearest)
        });
        pb::Coverage {
            known_at_seal: 0,
            reason_code: reason as i32,
            intervals: listed.take(MOST).map(|interval| interval.wire(at, Some(at), reported_at)).collect(),
            gap_before: before.map(|nearest| nearest.gap),
            gap_after: after.map(|nearest| nearest.gap),
            watermarks,
        }
    }

    /// Those of the platforms that had this worker in the 30 days before; where there are none, of all in scope on the day.
    fn watermarks(&self, worker: &str, at: Instant, day: Day) -> Vec<pb::PlatformWatermark> {
        let from = at.plus_seconds(-30 * DAY_SECONDS);
        let used: BTreeSet<String> = self.orders.keys().map(|key| key.0.clone()).collect();
        let had_worker = |platform: &String| self.has_line(platform, worker, from, at);
        let relevant: BTreeSet<String> = used.into_iter().filter(had_worker).collect();
        if relevant.is_empty() {
            return self.in_scope_on(day).iter().map(|platform| self.watermark(platform, false)).collect();
        }
        relevant.iter().map(|platform| self.watermark(platform, true)).collect()
    }

    /// The known platforms of which some order would be in scope on a day.
    fn in_scope_on(&self, day: Day) -> BTreeSet<String> {
        let scopes: Vec<_> =
            self.rows.iter().filter(|row| row.kind == RowKind::Scope && self.holds_on(row, day)).collect();
        let any = scopes.iter().any(|scope| scope.platform == ANY);
        let platforms = self.rows.iter().filter(|row| row.kind == RowKind::Platform && self.in_force(row));
        let platforms = platforms.map(|row| row.platform.clone());
        platforms.filter(|code| any || scopes.iter().any(|scope| scope.platform == *code)).collect()
    }

    /// The newest report of a platform counts, also when it is lower.
    fn watermark(&self, platform: &str, relevant: bool) -> pb::PlatformWatermark {
        let reports = self.reports.iter().filter(|report| report.platform == platform);
        let newest = reports.max_by_key(|report| report.report_no);
        pb::PlatformWatermark {
            platform_code: platform.to_owned(),
            watermark: newest.map(|report| timestamp(report.watermark)),
            received_at: newest.map(|report| timestamp(report.received_at)),
            relevant,
        }
    }
}

/// The first five reasons; nothing where no interval holds the instant.
fn reason_inside(holding: &[&Interval]) -> Option<pb::CoverageReason> {
    if holding.is_empty() {
        return None;
    }
    let standing: Vec<&&Interval> = holding.iter().filter(|i| i.reversed_at.is_none()).collect();
    if standing.is_empty() || holding.iter().any(|i| i.conflicting) {
        return Some(pb::CoverageReason::ConflictingRecords);
    }
    let ends: Vec<_> = standing.iter().filter(|i| i.in_scope).map(|i| i.end.map(|(_, kind)| kind)).collect();
    Some(if ends.contains(&Some(pb::EndKind::Completed)) {
        pb::CoverageReason::InOrder
    } else if ends.contains(&None) {
        pb::CoverageReason::InOpenOrder
    } else if !ends.is_empty() {
        pb::CoverageReason::InCancelledOrder
    } else {
        pb::CoverageReason::OutOfScope
    })
}

/// The latest end before the instant, within the window.
fn nearest_before(all: &[Interval], at: Instant, window: i64) -> Option<Nearest> {
    let ends = all.iter().filter(|interval| !interval.line_ids.is_empty()).map(Interval::last);
    let end = ends.filter(|end| *end < at && at.micros_since(*end) <= window).max()?;
    Some(Nearest { at: end, gap: at.seconds_since(end) })
}

/// The earliest acceptance after the instant, within the window.
fn nearest_after(all: &[Interval], at: Instant, window: i64) -> Option<Nearest> {
    let begins = all.iter().filter(|interval| !interval.line_ids.is_empty()).map(|i| i.event.accepted_at);
    let begin = begins.filter(|begin| *begin > at && begin.micros_since(at) <= window).min()?;
    Some(Nearest { at: begin, gap: begin.seconds_since(at) })
}

/// The platform has not said that its data are complete up to the instant.
fn is_behind(mark: &pb::PlatformWatermark, at: Instant) -> bool {
    mark.watermark.is_none_or(|watermark| instant(watermark).is_ok_and(|watermark| watermark < at))
}

fn worker(text: &str) -> Result<String, Status> {
    WorkerId::parse(text).map(|id| id.to_string()).map_err(|_| invalid("worker_id"))
}

/// An instant from the scheme's begin to now.
fn past_instant(field: &str, sent: Option<prost_types::Timestamp>) -> Result<Instant, Status> {
    let at = sent.and_then(|at| instant(at).ok()).ok_or_else(|| invalid(field))?;
    if at < Instant::SCHEME_BEGAN || at > now() { Err(invalid(field)) } else { Ok(at) }
}

/// Why somebody asks; a claim, dispute or audit names its case.
fn purpose(number: i32, case_no: &str) -> Result<(), Status> {
    let purpose = pb::Purpose::try_from(number).unwrap_or(pb::Purpose::Unspecified);
    if purpose == pb::Purpose::Unspecified {
        return Err(invalid("purpose"));
    }
    let needed = matches!(purpose, pb::Purpose::Claim | pb::Purpose::Dispute | pb::Purpose::Audit);
    if needed || !case_no.is_empty() {
        code(case_no).map_err(|_| invalid("case_no"))?;
    }
    Ok(())
}

/// 12 hours if unset, at most 72; microseconds.
fn window_micros(window: Option<&prost_types::Duration>) -> Result<i64, Status> {
    let Some(window) = window else { return Ok(12 * HOUR_SECONDS * 1_000_000) };
    let wrong = || invalid("window");
    let micros = window.seconds.checked_mul(1_000_000).ok_or_else(wrong)?;
    let micros = micros.checked_add(i64::from(window.nanos / 1_000)).ok_or_else(wrong)?;
    let in_form = window.seconds >= 0 && (0..1_000_000_000).contains(&window.nanos);
    if in_form && micros <= 72 * HOUR_SECONDS * 1_000_000 { Ok(micros) } else { Err(wrong()) }
}
