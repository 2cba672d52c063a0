//! Instants, days and months. Days and months are those of Asia/Shanghai, which is +08:00 for every instant the ledger takes.

use super::{Malformed, ViolationCode};
use jiff::{Timestamp, civil, tz::Offset};
use std::fmt;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
const SHANGHAI_HOURS: i8 = 8;
const SHANGHAI_MICROS: i64 = SHANGHAI_HOURS as i64 * 3_600 * MICROS_PER_SECOND;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

impl Instant {
    /// When the scheme began: 2022-07-01 in Asia/Shanghai (人社部发〔2021〕110号).
    pub const SCHEME_BEGAN: Self = Self(1_656_604_800 * MICROS_PER_SECOND);
    /// The last instant that a civil date can be written for: end of the year 9999.
    const LAST: i64 = 253_402_207_200 * MICROS_PER_SECOND;
    /// The first: begin of the year 1.
    const FIRST: i64 = -62_135_510_400 * MICROS_PER_SECOND;

    /// Begin of the year 1.
    pub const EARLIEST: Self = Self(Self::FIRST);

    /// From microseconds; nothing where they lie outside the years 1 to 9999.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < Self::FIRST || micros > Self::LAST {
            return None;
        }
        Some(Self(micros))
    }

    /// From whole seconds and nanoseconds, cut to microseconds.
    pub fn from_parts(seconds: i64, nanos: i32) -> Result<Self, Malformed> {
        let wrong = || Malformed::new(ViolationCode::Malformed, "is not a valid timestamp");
        if !(0..1_000_000_000).contains(&nanos) {
            return Err(wrong());
        }
        seconds
            .checked_mul(MICROS_PER_SECOND)
            .and_then(|s| s.checked_add(i64::from(nanos / 1_000)))
            .and_then(Self::from_micros)
            .ok_or_else(wrong)
    }

    /// From RFC 3339 text with an offset.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        text.parse::<Timestamp>().ok().and_then(|t| Self::from_micros(t.as_microsecond())).ok_or_else(|| {
            Malformed::new(ViolationCode::Malformed, "must be RFC 3339, as 2026-07-01T12:31:05+08:00")
        })
    }

    /// Microseconds since 1970 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds, and the nanoseconds beyond them.
    pub fn parts(self) -> (i64, i32) {
        let nanos = self.0.rem_euclid(MICROS_PER_SECOND) * 1_000;
        (self.0.div_euclid(MICROS_PER_SECOND), nanos as i32)
    }

    /// Later by so many seconds, within the years that can be written.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let micros = seconds.saturating_mul(MICROS_PER_SECOND);
        Self(self.0.saturating_add(micros).clamp(Self::FIRST, Self::LAST))
    }

    /// Whole seconds from `earlier` to this, rounded down; negative where `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(MICROS_PER_SECOND)
    }

    /// Microseconds from `earlier` to this.
    pub fn micros_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The day in Asia/Shanghai.
    pub fn day(self) -> Day {
        Day((self.0 + SHANGHAI_MICROS).div_euclid(MICROS_PER_DAY) as i32)
    }

    /// The month in Asia/Shanghai.
    pub fn period(self) -> Period {
        self.day().period()
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 with Asia/Shanghai's offset.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = Offset::constant(SHANGHAI_HOURS);
        let time = Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{}+08:00", offset.to_datetime(time))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A day in Asia/Shanghai: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i32);

impl Day {
    const FIRST: i32 = -719_162; // 0001-01-01
    const LAST: i32 = 2_932_895; // 9999-12-30: its end is still an instant

    /// From days since 1970-01-01; nothing outside the years 1 to 9999.
    pub const fn from_epoch_days(days: i32) -> Option<Self> {
        if days < Self::FIRST || days > Self::LAST {
            return None;
        }
        Some(Self(days))
    }

    /// "YYYY-MM-DD".
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        let shape = text.len() == 10 && text.is_ascii();
        let date = shape.then(|| text.parse::<civil::Date>().ok()).flatten();
        date.and_then(|d| {
            let midnight = Offset::UTC.to_timestamp(d.at(0, 0, 0, 0)).ok()?;
            Self::from_epoch_days((midnight.as_second() / 86_400) as i32)
        })
        .ok_or_else(|| Malformed::new(ViolationCode::Malformed, "must be a date, YYYY-MM-DD"))
    }

    /// Days since 1970-01-01.
    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    /// Its first instant: midnight in Asia/Shanghai.
    pub const fn start(self) -> Instant {
        Instant(self.0 as i64 * MICROS_PER_DAY - SHANGHAI_MICROS)
    }

    /// The first instant of the next day.
    pub const fn end(self) -> Instant {
        Instant((self.0 as i64 + 1) * MICROS_PER_DAY - SHANGHAI_MICROS)
    }

    /// The month it lies in.
    pub fn period(self) -> Period {
        let date = self.civil();
        Period(i32::from(date.year()) * 100 + i32::from(date.month()))
    }

    fn civil(self) -> civil::Date {
        let second = i64::from(self.0) * 86_400;
        let midnight = Timestamp::from_second(second).expect("the constructor bounds the years");
        Offset::UTC.to_datetime(midnight).date()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.civil(), f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A month in Asia/Shanghai, kept as the number YYYYMM.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period(i32);

impl Period {
    /// From YYYYMM; nothing where that is no month.
    pub const fn from_number(number: i32) -> Option<Self> {
        let (year, month) = (number / 100, number % 100);
        if year < 1 || year > 9999 || month < 1 || month > 12 {
            return None;
        }
        Some(Self(number))
    }

    /// "YYYY-MM".
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        let number = || {
            let (year, month) = text.split_once('-')?;
            let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
            let shape = digits(year, 4) && digits(month, 2);
            shape.then(|| format!("{year}{month}").parse().ok()).flatten()
        };
        number()
            .and_then(Self::from_number)
            .ok_or_else(|| Malformed::new(ViolationCode::Malformed, "must be a month, YYYY-MM"))
    }

    /// The number YYYYMM.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The month after it; the last one stays.
    pub const fn next(self) -> Self {
        match (self.0 / 100, self.0 % 100) {
            (9999, 12) => self,
            (_, 12) => Self(self.0 + 89),
            _ => Self(self.0 + 1),
        }
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        let text = format!("{:04}-{:02}-01", self.0 / 100, self.0 % 100);
        Day::parse(&text).expect("every month of the years 1 to 9999 has a first day")
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_turns_at_midnight_in_shanghai() {
        let last = Instant::parse("2026-03-31T23:59:59.999999+08:00").unwrap();
        let first = Instant::parse("2026-04-01T00:00:00+08:00").unwrap();
        assert_eq!(last.period().to_string(), "2026-03");
        assert_eq!(first.period().to_string(), "2026-04");
        assert_eq!(first.day().start(), first);
        assert_eq!(last.day().end(), first);
        assert_eq!(first.to_string(), "2026-04-01T00:00:00+08:00");
    }

    #[test]
    fn months_are_parsed_and_followed() {
        let month = |text| Period::parse(text).unwrap();
        assert_eq!(month("2026-12").next(), month("2027-01"));
        assert_eq!(month("2026-01").next(), month("2026-02"));
        assert_eq!(month("9999-12").next(), month("9999-12"));
        assert_eq!(month("2026-02").first_day().to_string(), "2026-02-01");
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "02026-01", "2026-+1", "2026-01-01"] {
            assert!(Period::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_parsed_and_printed() {
        for text in ["2022-07-01", "2024-02-29", "1969-12-31", "0001-01-01", "9999-12-30"] {
            assert_eq!(Day::parse(text).unwrap().to_string(), text);
        }
        for text in ["2026-02-29", "2026-7-01", "20260701", "2026-07-01T00:00", "tomorrow!!", ""] {
            assert!(Day::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_scheme_began_at_midnight() {
        assert_eq!(Instant::SCHEME_BEGAN, Day::parse("2022-07-01").unwrap().start());
    }

    #[test]
    fn timestamps_are_cut_to_microseconds_and_bounded() {
        assert_eq!(Instant::from_parts(1, 1_999).unwrap().micros(), 1_000_001);
        assert_eq!(Instant::from_parts(-1, 500_000_000).unwrap().parts(), (-1, 500_000_000));
        assert!(Instant::from_parts(1, -1).is_err());
        assert!(Instant::from_parts(1, 1_000_000_000).is_err());
        assert!(Instant::from_parts(i64::MAX, 0).is_err());
    }
}
