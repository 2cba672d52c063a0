//! What a platform says of its own completeness.

use super::{Code, Instant};

/// A platform's own count of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hourly {
    /// Begin of the hour.
    pub hour: Instant,
    /// Orders accepted in it.
    pub accepted: u64,
    /// Orders ended in it.
    pub ended: u64,
}

impl Hourly {
    /// An hour, microseconds.
    pub const MICROS: i64 = 3_600_000_000;
    /// Most hours in one report: a month of 31 days.
    pub const MAX_HOURS: usize = 744;
    /// Highest count: what every JSON reader holds exactly.
    pub const MAX_COUNT: u64 = 1 << 53;
}

/// What the ledger holds of a platform's hour: order keys, by the line that told them first; corrections change no count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourCounts {
    /// Accepted in it: as the ended event says, else as the open one.
    pub accepted: i64,
    /// Ended in it.
    pub ended: i64,
}

/// A platform has sent every order that it accepted at or before the instant. The report with the highest number counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Whose.
    pub platform: Code,
    /// Number among the platform's reports, from 1, gap-free.
    pub report_no: u64,
    /// Complete up to here.
    pub at: Instant,
    /// The platform's counts.
    pub hourly: Vec<Hourly>,
}
