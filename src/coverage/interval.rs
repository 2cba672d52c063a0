//! The stretches of time that an order's lines speak of. Pure.
//!
//! A reversal removes no interval: a platform could erase an accident. A kept conflict that names the worker, or another acceptance or
//! end, is listed as an interval without a line: it is a fact that it was sent.

use crate::ledger::{adjusted, reversal_of, standing};
use crate::rating::Snapshot;
use crate::store::KeptConflict;
use crate::types::{
    Area, Code, End, EndKind, Instant, LineKind, Order, OrderKey, Position, Posted, PremiumState, Priced,
    Province, Sort, StatementState, WorkerId,
};

/// One stretch of an order, of one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The order.
    pub key: OrderKey,
    /// The lines that say so; none where only a kept conflict does.
    pub lines: Vec<Position>,
    /// Of which industry.
    pub industry: Code,
    /// Where it was accepted.
    pub area: Area,
    /// The province that counts.
    pub province: Province,
    /// Cover begins.
    pub accepted_at: Instant,
    /// Cover ends; nothing while no end is known.
    pub end: Option<End>,
    /// When the first record of the acceptance arrived.
    pub accepted_received_at: Instant,
    /// When the first record of the end arrived.
    pub ended_received_at: Option<Instant>,
    /// The longest that the order may take, seconds.
    pub order_length: i64,
    /// A scope row held on the day of acceptance.
    pub in_scope: bool,
    /// The records of the order disagree in what cover rests on.
    pub conflicting: bool,
    /// When the line was taken back.
    pub reversed_at: Option<Instant>,
    /// Of the line that says most.
    pub premium_state: PremiumState,
    /// Where the money of that line's statement stands.
    pub statement_state: StatementState,
}

impl Interval {
    /// Its last instant: the end or, while none is known, the acceptance plus the longest an order may take.
    pub fn until(&self) -> Instant {
        match self.end {
            Some(end) => end.at,
            None => self.accepted_at.plus_seconds(self.order_length),
        }
    }

    /// The instant lies in it; both its ends included.
    pub fn holds(&self, at: Instant) -> bool {
        self.accepted_at <= at && at <= self.until()
    }

    /// No end is known, and the longest that an order may take has passed.
    pub fn overdue(&self, at: Instant) -> bool {
        self.end.is_none() && at > self.until()
    }

    /// Ended as ordered.
    pub fn completed(&self) -> bool {
        self.end.is_some_and(|end| end.kind == EndKind::Completed)
    }

    /// Some line says so, not only a kept conflict.
    pub fn booked(&self) -> bool {
        !self.lines.is_empty()
    }
}

/// The intervals of one order key that are this worker's. `lines` in slot order, at least one; `conflicts` of the same key.
pub fn intervals(
    snapshot: &Snapshot,
    worker: WorkerId,
    lines: &[Posted],
    conflicts: &[KeptConflict],
) -> Vec<Interval> {
    let open = standing(lines, Sort::Open);
    let ended = standing(lines, Sort::Ended);
    let disagree = match (open, ended) {
        (Some(open), Some(ended)) => open.line.order.differing(&ended.line.order).touches_acceptance(),
        _ => false,
    };
    let mut found = Vec::new();
    for posted in lines {
        let interval = match posted.line.kind {
            LineKind::Charge => of_ended(snapshot, lines, posted, open),
            LineKind::Open => match of_open(snapshot, lines, posted, ended) {
                Some(interval) => interval,
                None => continue,
            },
            LineKind::Reversal | LineKind::Adjustment => continue,
        };
        found.push((posted.line.order.worker, interval));
    }
    for (_, interval) in found.iter_mut().filter(|(_, i)| i.reversed_at.is_none()) {
        interval.conflicting = disagree;
    }
    for kept in conflicts {
        let version = &kept.conflict.order;
        let Some(stands) = standing(lines, version.sort()) else { continue };
        let booked = &stands.line.order;
        let province = stands.line.priced.province;
        let (platform, industry) = (booked.key.platform.as_str(), booked.industry.as_str());
        let length = snapshot.order_length(platform, province, industry, booked.accepted_at.day());
        let apart = version.accepted_at.seconds_since(booked.accepted_at).abs();
        // Further apart than an order may take: the id was used for two orders (ORDER_ID_REUSED).
        if apart > length || !version.differing(booked).touches_cover() {
            continue;
        }
        for (_, interval) in found.iter_mut().filter(|(_, i)| i.reversed_at.is_none()) {
            interval.conflicting = true;
        }
        let mut told = base(snapshot, version, &stands.line.priced, kept.received_at);
        told.conflicting = true;
        found.push((version.worker, told));
    }
    found.into_iter().filter(|(whose, _)| *whose == worker).map(|(_, interval)| interval).collect()
}

/// What an ended line says, with the standing OPEN where the two agree about the acceptance.
fn of_ended(snapshot: &Snapshot, lines: &[Posted], posted: &Posted, open: Option<&Posted>) -> Interval {
    let line = &posted.line;
    let mut interval = base(snapshot, &line.order, &line.priced, posted.received_at);
    interval.premium_state = adjusted(lines, line).state;
    interval.reversed_at = reversal_of(lines, line).map(|reversal| reversal.received_at);
    interval.lines.push(line.position);
    let agreeing = open.filter(|open| !open.line.order.differing(&line.order).touches_acceptance());
    if let (Some(open), None) = (agreeing, interval.reversed_at) {
        interval.lines.insert(0, open.line.position);
        interval.accepted_received_at = interval.accepted_received_at.min(open.received_at);
    }
    interval
}

/// What an OPEN says; nothing where an ended line says it too. Where they disagree, the order's end is still its end.
fn of_open(snapshot: &Snapshot, lines: &[Posted], posted: &Posted, ended: Option<&Posted>) -> Option<Interval> {
    let line = &posted.line;
    let reversed_at = reversal_of(lines, line).map(|reversal| reversal.received_at);
    let agrees = |other: &Posted| !other.line.order.differing(&line.order).touches_acceptance();
    let told_by_ended = match reversed_at {
        None => ended.is_some_and(agrees),
        Some(_) => lines.iter().any(|other| other.line.kind == LineKind::Charge && agrees(other)),
    };
    if told_by_ended {
        return None;
    }
    let mut interval = base(snapshot, &line.order, &line.priced, posted.received_at);
    interval.reversed_at = reversed_at;
    interval.lines.push(line.position);
    let end_of = |other: &Posted| other.line.order.end.map(|end| (end, other.received_at));
    let known = ended.and_then(end_of).filter(|(end, _)| reversed_at.is_none() && end.at >= interval.accepted_at);
    if let Some((end, received_at)) = known {
        interval.end = Some(end);
        interval.ended_received_at = Some(received_at);
    }
    Some(interval)
}

fn base(snapshot: &Snapshot, order: &Order, priced: &Priced, received_at: Instant) -> Interval {
    let day = order.accepted_at.day();
    let (platform, industry) = (order.key.platform.as_str(), order.industry.as_str());
    let province = snapshot.province_of(platform, industry, order.area, day);
    Interval {
        key: order.key.clone(),
        lines: Vec::new(),
        industry: order.industry.clone(),
        area: order.area,
        province,
        accepted_at: order.accepted_at,
        end: order.end,
        accepted_received_at: received_at,
        ended_received_at: order.end.map(|_| received_at),
        order_length: snapshot.order_length(platform, province, industry, day),
        in_scope: snapshot.in_scope(platform, province, industry, day),
        conflicting: false,
        reversed_at: None,
        premium_state: priced.state,
        statement_state: snapshot.calendar().state(&order.key.platform, priced.province, priced.period),
    }
}
