//! The calendar of periods: each platform's and province's months, frozen, declared and paid one after the other. Append-only.

use super::{Code, Day, Epoch, Money, Period, PeriodStep, Position, Province};

/// A step as asked for, before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarDraft {
    /// What is done.
    pub step: PeriodStep,
    /// With the month of this platform
    pub platform: Code,
    /// and this province:
    pub province: Province,
    /// the month.
    pub period: Period,
    /// Declaration: what was declared, payment: what was paid (negative: paid back). Whole 分; nothing in a freeze.
    pub amount: Option<Money>,
    /// Number of the declaration or of the tax receipt; empty in a freeze.
    pub document: String,
    /// Day of the declaration or payment.
    pub dated_on: Option<Day>,
}

impl CalendarDraft {
    /// Longest document number, bytes.
    pub const MAX_DOCUMENT_BYTES: usize = 64;
}

/// A step as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEntry {
    /// Its number: the epoch that it begins.
    pub epoch: Epoch,
    /// Where its entry stands.
    pub position: Position,
    /// What was done.
    pub draft: CalendarDraft,
}
