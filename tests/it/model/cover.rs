//! The model's intervals: from a key's lines and kept conflicts to the stretches in which its worker was covered.

use super::{
    KeptConflict, State,
    calendar::Month,
    event::{Event, Key},
    line::{Line, adjusted, reversal_of, standing},
    price::Priced,
    timestamp,
};
use premium_ledger::{api::proto as pb, types::Instant};

/// One stretch of an order.
#[derive(Clone)]
pub struct Interval {
    /// The event that says who, what, where and since when.
    pub event: Event,
    pub end: Option<(Instant, pb::EndKind)>,
    /// None: the version of a conflict, which no line states.
    pub line_ids: Vec<String>,
    pub accepted_received_at: Instant,
    pub ended_received_at: Option<Instant>,
    pub reversed_at: Option<Instant>,
    pub conflicting: bool,
    pub premium_state: pb::PremiumState,
    /// Of the month in which the line is booked.
    pub statement_state: pb::StatementState,
    pub province: String,
    pub in_scope: bool,
    /// Acceptance plus the rule `order_length`: until when it covers while no end is known.
    pub limit: Instant,
}

impl Interval {
    /// The last instant it covers.
    pub fn last(&self) -> Instant {
        self.end.map_or(self.limit, |(at, _)| at)
    }

    pub fn holds(&self, at: Instant) -> bool {
        self.event.accepted_at <= at && at <= self.last()
    }

    /// As seen from an instant; `asked` is none where a day was asked for.
    pub fn wire(&self, seen_from: Instant, asked: Option<Instant>, reported_at: Option<Instant>) -> pb::Interval {
        let (platform_code, order_id, assignment_no) = self.event.key();
        let first_received =
            self.ended_received_at.map_or(self.accepted_received_at, |e| e.min(self.accepted_received_at));
        let lateness = self.accepted_received_at.seconds_since(self.event.accepted_at);
        let end_lateness =
            self.end.zip(self.ended_received_at).map(|((at, _), received)| received.seconds_since(at));
        pb::Interval {
            key: Some(pb::OrderKey { platform_code, order_id, assignment_no }),
            line_ids: self.line_ids.clone(),
            industry_code: self.event.industry.clone(),
            accept_area: self.event.area.clone(),
            province_code: self.province.clone(),
            accepted_at: Some(timestamp(self.event.accepted_at)),
            ended_at: self.end.map(|(at, _)| timestamp(at)),
            end_kind: self.end.map_or(0, |(_, kind)| kind as i32),
            accepted_received_at: Some(timestamp(self.accepted_received_at)),
            ended_received_at: self.ended_received_at.map(timestamp),
            accepted_lateness_seconds: Some(lateness),
            ended_lateness_seconds: end_lateness,
            holds_instant: asked.is_some_and(|at| self.holds(at)),
            in_scope: self.in_scope,
            overdue: self.end.is_none() && seen_from > self.limit,
            conflicting: self.conflicting,
            reversed_at: self.reversed_at.map(timestamp),
            premium_state: self.premium_state as i32,
            statement_state: self.statement_state as i32,
            arrived_after_report: reported_at.map(|reported| first_received > reported),
        }
    }
}

impl State {
    /// All intervals of a worker, by acceptance, platform, order id and assignment.
    pub fn intervals(&self, worker: &str) -> Vec<Interval> {
        let mut found = Vec::new();
        for (key, lines) in &self.orders {
            let conflicts: Vec<_> = self.conflicts.iter().filter(|c| c.event.key() == *key).collect();
            let named = lines.iter().any(|line| line.event.worker == worker)
                || conflicts.iter().any(|conflict| conflict.event.worker == worker);
            if named {
                found.extend(self.intervals_of_order(lines, &conflicts));
            }
        }
        found.retain(|interval| interval.event.worker == worker);
        found.sort_by_key(|interval| (interval.event.accepted_at, interval.event.key()));
        found
    }

    /// The intervals of one key, whoever the worker is.
    fn intervals_of_order(&self, lines: &[Line], conflicts: &[&KeptConflict]) -> Vec<Interval> {
        let charge = standing(lines, pb::LineKind::Charge);
        let open = standing(lines, pb::LineKind::Open);
        let mut found = Vec::new();
        for line in lines {
            match line.kind {
                pb::LineKind::Charge => found.push(self.of_charge(line, lines, open)),
                pb::LineKind::Open if reversal_of(lines, line).is_none() => {
                    found.extend(self.of_standing_open(line, charge));
                }
                pb::LineKind::Open => found.extend(self.of_reversed_open(line, lines)),
                _ => {}
            }
        }
        let versions = self.conflicting_versions(conflicts, charge, open);
        if !versions.is_empty() {
            for interval in found.iter_mut().filter(|interval| interval.reversed_at.is_none()) {
                interval.conflicting = true;
            }
        }
        found.extend(versions);
        found
    }

    /// A CHARGE is an interval; a standing one takes in the standing OPEN, or disagrees with it.
    fn of_charge(&self, line: &Line, lines: &[Line], open: Option<&Line>) -> Interval {
        let mut interval = self.interval(&line.event, line.received_at, &adjusted(lines, line));
        interval.line_ids = vec![line.id.clone()];
        if let Some(reversal) = reversal_of(lines, line) {
            interval.reversed_at = Some(reversal.received_at);
            return interval;
        }
        if let Some(open) = open {
            if open.event.agrees_on_acceptance(&line.event) {
                interval.line_ids.insert(0, open.id.clone());
                interval.accepted_received_at = open.received_at.min(line.received_at);
            } else {
                interval.conflicting = true;
            }
        }
        interval
    }

    /// A standing OPEN is an interval unless the standing CHARGE took it in; one that disagrees ends with the CHARGE.
    fn of_standing_open(&self, open: &Line, charge: Option<&Line>) -> Option<Interval> {
        let mut interval = self.interval(&open.event, open.received_at, &open.priced);
        interval.line_ids = vec![open.id.clone()];
        let Some(charge) = charge else { return Some(interval) };
        if open.event.agrees_on_acceptance(&charge.event) {
            return None;
        }
        interval.conflicting = true;
        if charge.event.ended_at().is_some_and(|end| end >= open.event.accepted_at) {
            interval.end = charge.event.end;
            interval.ended_received_at = Some(charge.received_at);
        }
        Some(interval)
    }

    /// A reversed OPEN is an interval unless some CHARGE, standing or not, says the same of the acceptance.
    fn of_reversed_open(&self, open: &Line, lines: &[Line]) -> Option<Interval> {
        let mut charges = lines.iter().filter(|line| line.kind == pb::LineKind::Charge);
        if charges.any(|charge| charge.event.agrees_on_acceptance(&open.event)) {
            return None;
        }
        let mut interval = self.interval(&open.event, open.received_at, &open.priced);
        interval.line_ids = vec![open.id.clone()];
        interval.reversed_at = reversal_of(lines, open).map(|reversal| reversal.received_at);
        Some(interval)
    }

    /// The versions that name another worker, acceptance or end than the standing line of their kind, but not another order.
    fn conflicting_versions(
        &self,
        conflicts: &[&KeptConflict],
        charge: Option<&Line>,
        open: Option<&Line>,
    ) -> Vec<Interval> {
        let mut versions = Vec::new();
        for conflict in conflicts {
            let (other, line) = (&conflict.event, if conflict.event.end.is_some() { charge } else { open });
            let Some(line) = line else { continue };
            let booked = &line.event;
            let apart = other.accepted_at.micros_since(booked.accepted_at).abs();
            let longest = self.order_length(&booked.platform, &booked.area, &booked.industry, booked.accepted_at);
            let id_reused = apart > longest * 1_000_000;
            let differs = other.worker != booked.worker
                || other.accepted_at != booked.accepted_at
                || other.ended_at() != booked.ended_at();
            if differs && !id_reused {
                let mut version = self.interval(other, conflict.received_at, &line.priced);
                version.conflicting = true;
                versions.push(version);
            }
        }
        versions
    }

    /// The interval that one event states by itself, with the money of the line that it is, or was compared with.
    fn interval(&self, event: &Event, received_at: Instant, priced: &Priced) -> Interval {
        let (platform, booked_for) = (event.platform.clone(), priced.province.clone());
        let month = Month { platform, province: booked_for, period: priced.period };
        let day = event.accepted_at.day();
        let (province, _) = self.province_of(&event.platform, &event.area, &event.industry, day);
        let longest = self.order_length(&event.platform, &event.area, &event.industry, event.accepted_at);
        Interval {
            event: event.clone(),
            end: event.end,
            line_ids: Vec::new(),
            accepted_received_at: received_at,
            ended_received_at: event.end.map(|_| received_at),
            reversed_at: None,
            conflicting: false,
            premium_state: priced.state,
            statement_state: self.month_state(&month),
            in_scope: self.scope_of(event, &province).is_some(),
            province,
            limit: event.accepted_at.plus_seconds(longest),
        }
    }

    /// Whether the platform has a line of this worker accepted from `from` to `to`.
    pub fn has_line(&self, platform: &str, worker: &str, from: Instant, to: Instant) -> bool {
        let of_platform = |key: &Key| key.0 == platform;
        let lines = self.orders.iter().filter(|(key, _)| of_platform(key)).flat_map(|(_, lines)| lines);
        let mut events = lines.map(|line| &line.event).filter(|event| event.worker == worker);
        events.any(|event| from <= event.accepted_at && event.accepted_at <= to)
    }
}
