//! What was not booked, and is kept all the same: refused orders and versions in conflict.

use super::{Code, Day, Differing, Order, OrderKey, Position, ViolationCode};
use std::collections::BTreeMap;

/// A SHA-256.
pub type Digest = [u8; 32];

/// Most bytes of a refused order that are kept.
pub const PAYLOAD_LIMIT: usize = 2_048;
/// Most distinct refusals, and most distinct conflicts, kept of one platform and day.
pub const DAILY_LIMIT: u64 = 10_000;

/// One distinct refused order. Unique: (platform, digest, code, received_on).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A platform the registry knows; nothing for all others, which count as one.
    pub platform: Option<Code>,
    /// SHA-256 of the order as received.
    pub digest: Digest,
    /// Code of the first violation.
    pub code: ViolationCode,
    /// Path of its field.
    pub field: String,
    /// The order as received, at most [`PAYLOAD_LIMIT`].
    pub payload: Vec<u8>,
    /// Its whole size, bytes.
    pub payload_size: u32,
    /// Day received, by the database's clock.
    pub received_on: Day,
}

/// One distinct version of an order that differs from the booked one. Unique: (order key, digest).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The other version.
    pub order: Order,
    /// Digest of its content.
    pub digest: Digest,
    /// In what it differed from the line it was compared with.
    pub differing: Differing,
    /// That line.
    pub compared_with: Position,
    /// Day received, by the database's clock.
    pub received_on: Day,
}

/// Counters past the daily bound: (platform, day received).
pub type Overflow = (Option<Code>, Day);

/// How often something came again. Ordinary counters, outside the ledger. Sorted, so that two writers lock in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Of a refusal that is kept.
    pub refusals: BTreeMap<(Option<Code>, Digest, ViolationCode, Day), u64>,
    /// Of a conflict that is kept.
    pub conflicts: BTreeMap<(OrderKey, Digest), u64>,
    /// Of refusals past the daily bound.
    pub refusals_past_limit: BTreeMap<Overflow, u64>,
    /// Of conflicts past the daily bound.
    pub conflicts_past_limit: BTreeMap<Overflow, u64>,
}

impl Repeats {
    /// Nothing came again.
    pub fn is_empty(&self) -> bool {
        self.refusals.is_empty()
            && self.conflicts.is_empty()
            && self.refusals_past_limit.is_empty()
            && self.conflicts_past_limit.is_empty()
    }

    /// The counters past the daily bound, of both types, by platform, day and type.
    pub fn past_limit(&self) -> Vec<PastLimit<'_>> {
        let typed = [(ENTRY_CONFLICT, &self.conflicts_past_limit), (ENTRY_REFUSAL, &self.refusals_past_limit)];
        let mut rows: Vec<PastLimit<'_>> = Vec::new();
        for (entry_type, counters) in typed {
            rows.extend(counters.iter().map(|((platform, day), arrivals)| PastLimit {
                platform: platform.as_ref().map_or("", |p| p.as_str()),
                day: *day,
                entry_type,
                arrivals: *arrivals,
            }));
        }
        rows.sort_by_key(|row| (row.platform, row.day, row.entry_type));
        rows
    }
}

/// A counter of what came past the daily bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastLimit<'a> {
    /// Empty: all platforms that the registry does not know.
    pub platform: &'a str,
    /// Day received.
    pub day: Day,
    /// [`ENTRY_CONFLICT`] or [`ENTRY_REFUSAL`].
    pub entry_type: i16,
    /// How many came.
    pub arrivals: u64,
}

/// Entry type of a conflict, as in the canonical encoding.
pub const ENTRY_CONFLICT: i16 = 2;
/// Entry type of a refusal, as in the canonical encoding.
pub const ENTRY_REFUSAL: i16 = 3;
