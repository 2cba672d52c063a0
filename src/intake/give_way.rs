//! Room for calls of one order beside a platform that sends again what is booked, which on few cores takes all there is.
//!
//! A lane whose group books nothing rests after it, where calls of one order came meanwhile, and takes little at a time, so that nobody waits
//! long for a core. Where none come, sending again after a restore goes at full speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Most orders of a group (and the rest of its last request) after one that gave way.
const OLD_GROUP_ORDERS: usize = 1_000;
/// How long a lane rests after such a group, in times of what the group took.
const REST: u32 = 2;
/// It rests no longer than this: a group that waited for a database took long without taking a core.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// Groups of calls of one order that an instance has taken. Clones are of one.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<AtomicU64>);

/// Whose turn it is: one lane's.
#[derive(Debug)]
pub struct Turn {
    calls: Calls,
    /// The lane takes calls of one order, to which others give way.
    first: bool,
    /// What the count was when the group was taken.
    seen: u64,
    /// The last group gave way.
    gave_way: bool,
}

impl Turn {
    /// Of a lane for calls of one order.
    pub const fn first(calls: Calls) -> Self {
        Self { calls, first: true, seen: 0, gave_way: false }
    }

    /// Of a lane that gives way to those.
    pub fn after(calls: Calls) -> Self {
        Self { first: false, ..Self::first(calls) }
    }

    /// A group is taken now: how many orders it may hold, of those that a lane can.
    pub fn take(&mut self, whole: usize) -> usize {
        self.seen = match self.first {
            true => self.calls.0.fetch_add(1, Ordering::Relaxed),
            false => self.calls.0.load(Ordering::Relaxed),
        };
        if self.gave_way { whole.min(OLD_GROUP_ORDERS) } else { whole }
    }

    /// It is answered.
    pub async fn over(&mut self, taken: Instant, nothing_booked: bool) {
        if self.gives_way(nothing_booked) {
            sleep((taken.elapsed() * REST).min(LONGEST_REST)).await;
        }
    }

    /// Nothing was booked, and calls came meanwhile.
    fn gives_way(&mut self, nothing_booked: bool) -> bool {
        self.gave_way = nothing_booked && !self.first && self.calls.0.load(Ordering::Relaxed) != self.seen;
        self.gave_way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: usize = 32_768;

    /// A group: how many orders it may hold, and whether its lane gives way after it.
    fn group(turn: &mut Turn, nothing_booked: bool, call_came: bool) -> (usize, bool) {
        let most = turn.take(WHOLE);
        if call_came {
            Turn::first(turn.calls.clone()).take(WHOLE);
        }
        (most, turn.gives_way(nothing_booked))
    }

    #[test]
    fn a_lane_gives_way_to_calls_where_nothing_was_booked() {
        let mut turn = Turn::after(Calls::default());
        assert_eq!(group(&mut turn, false, true), (WHOLE, false), "what books is nobody's second");
        assert_eq!(group(&mut turn, true, false), (WHOLE, false), "no call came");
        assert_eq!(group(&mut turn, true, true), (WHOLE, true));
        assert_eq!(group(&mut turn, true, true), (OLD_GROUP_ORDERS, true));
        assert_eq!(group(&mut turn, false, true), (OLD_GROUP_ORDERS, false));
        assert_eq!(group(&mut turn, false, true), (WHOLE, false));
    }

    #[test]
    fn a_lane_of_calls_gives_way_to_nobody() {
        let mut turn = Turn::first(Calls::default());
        assert_eq!(group(&mut turn, true, true), (WHOLE, false));
        assert_eq!(group(&mut turn, true, true), (WHOLE, false));
    }
}
