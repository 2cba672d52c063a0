//! Sums over lines: what statements are made of.

use super::{Code, EndKind, LineKind, Money, Period, PremiumState, Province, RowId};

/// What lines are summed by. Of a standing key: as the line that stands says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TotalKey {
    /// The platform.
    pub platform: Code,
    /// Month in which the lines are booked.
    pub period: Period,
    /// The province that counts.
    pub province: Province,
    /// The industry.
    pub industry: Code,
    /// Month that the orders belong to.
    pub service_period: Period,
    /// What the lines do.
    pub kind: LineKind,
    /// Whether a premium is due.
    pub state: PremiumState,
    /// How the orders ended; nothing: open.
    pub end_kind: Option<EndKind>,
    /// The rate row that priced them.
    pub rate: Option<RowId>,
    /// Revision of the registry that priced them.
    pub revision: RowId,
}

/// The sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many lines.
    pub lines: i64,
    /// Their exact amount.
    pub amount: Money,
    /// By how much the number of order keys grew of which such a line stands; negative: it shrank.
    pub standing: i64,
}

impl Sums {
    /// Nothing.
    pub const ZERO: Self = Self { lines: 0, amount: Money::ZERO, standing: 0 };

    /// The sum, where it can be held.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            lines: self.lines.checked_add(other.lines)?,
            amount: self.amount.checked_add(other.amount)?,
            standing: self.standing.checked_add(other.standing)?,
        })
    }
}
