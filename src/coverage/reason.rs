//! How an instant lies to a worker's intervals: the first reason that holds (DESIGN §3, CoverageService). Pure.

use super::interval::Interval;
use crate::types::{CoverageReason, Instant};

/// The reason and the intervals that matter for it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The first that holds.
    pub reason: CoverageReason,
    /// Those that hold the instant, and the nearest on each side; in the order given.
    pub intervals: Vec<Interval>,
    /// Whole seconds from the nearest end before, within the window.
    pub gap_before: Option<i64>,
    /// Whole seconds to the nearest acceptance after, within the window.
    pub gap_after: Option<i64>,
}

/// Judges one instant. `complete`: every relevant platform has reported complete data up to it.
pub fn judge(intervals: Vec<Interval>, at: Instant, window_seconds: i64, complete: bool) -> Judged {
    let (earliest, latest) = (at.plus_seconds(-window_seconds), at.plus_seconds(window_seconds));
    let booked = || intervals.iter().filter(|i| i.booked());
    let before = booked().map(Interval::until).filter(|end| *end < at && *end >= earliest).max();
    let after = booked().map(|i| i.accepted_at).filter(|start| *start > at && *start <= latest).min();

    let inside = inside(intervals.iter().filter(|i| i.holds(at)));
    let reason = match (inside, complete, before, after) {
        (Some(reason), ..) => reason,
        (None, false, ..) => CoverageReason::DataMayBeIncomplete,
        (None, true, Some(_), Some(_)) => CoverageReason::BetweenOrders,
        (None, true, Some(_), None) => CoverageReason::AfterEnd,
        (None, true, None, Some(_)) => CoverageReason::BeforeAccept,
        (None, true, None, None) => CoverageReason::NoOrderThatDay,
    };
    let nearest = |i: &Interval| {
        i.booked() && ((i.until() < at && Some(i.until()) == before) || Some(i.accepted_at) == after)
    };
    Judged {
        reason,
        gap_before: before.map(|end| at.seconds_since(end)),
        gap_after: after.map(|start| start.seconds_since(at)),
        intervals: intervals.into_iter().filter(|i| i.holds(at) || nearest(i)).collect(),
    }
}

/// The reason of an instant inside intervals; nothing outside.
fn inside<'a>(holding: impl Iterator<Item = &'a Interval> + Clone) -> Option<CoverageReason> {
    holding.clone().next()?;
    let standing = || holding.clone().filter(|i| i.reversed_at.is_none());
    if standing().next().is_none() || holding.clone().any(|i| i.conflicting) {
        return Some(CoverageReason::ConflictingRecords);
    }
    let in_scope = || standing().filter(|i| i.in_scope);
    if in_scope().any(Interval::completed) {
        return Some(CoverageReason::InOrder);
    }
    if in_scope().any(|i| i.end.is_none()) {
        return Some(CoverageReason::InOpenOrder);
    }
    match in_scope().next() {
        Some(_) => Some(CoverageReason::InCancelledOrder),
        None => Some(CoverageReason::OutOfScope),
    }
}
