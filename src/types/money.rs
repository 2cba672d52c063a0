//! Money: decimal yuan with six places, checked, never a float, never rounded here.

use super::{Malformed, ViolationCode};
use std::fmt;

const SCALE: i64 = 1_000_000;

/// An amount in micro-yuan (0.000001 yuan); signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The highest base of a rate: 1,000 yuan an order.
    pub const MAX_BASE: Self = Self(1_000 * SCALE);

    /// From micro-yuan.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Plain decimal yuan, at most six decimals ("0.084", "-1").
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        parse_micros(text).map(Self)
    }

    /// Micro-yuan.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The sum, where it can be held.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The same amount the other way, where it can be held.
    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(negated) => Some(Self(negated)),
            None => None,
        }
    }

    /// `self × factor`, where it is exact in six decimals and can be held.
    pub fn checked_times(self, factor: Factor) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(factor.0);
        let scale = i128::from(SCALE);
        if product % scale != 0 {
            return None;
        }
        i64::try_from(product / scale).ok().map(Self)
    }
}

impl fmt::Display for Money {
    /// Two to six decimals; zeros beyond two are cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (yuan, micros) = (self.0.unsigned_abs() / SCALE as u64, self.0.unsigned_abs() % SCALE as u64);
        let digits = format!("{micros:06}");
        let decimals = digits.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{yuan}.{}", &digits[..decimals])
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The floating factor of a rate, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Factor(i64);

impl Factor {
    /// Nothing floats.
    pub const ONE: Self = Self(SCALE);
    /// The highest factor: 100.
    pub const MAX: Self = Self(100 * SCALE);

    /// From millionths.
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// Plain decimal, at most six decimals.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        parse_micros(text).map(Self)
    }

    /// Millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Factor {
    /// At most six decimals, zeros cut ("1", "1.2").
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / SCALE, self.0 % SCALE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `-?digits(.digits{1,6})?` in millionths.
fn parse_micros(text: &str) -> Result<i64, Malformed> {
    if text.is_empty() {
        return Err(Malformed::new(ViolationCode::Required, "must be set"));
    }
    let malformed =
        || Malformed::new(ViolationCode::Malformed, "must be a plain decimal with at most 6 decimals, as 0.084");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return Err(malformed()),
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 6 || !all_digits(whole) || !all_digits(decimals) {
        return Err(malformed());
    }
    let out_of_range = || Malformed::new(ViolationCode::OutOfRange, "is too large");
    let whole: i64 = whole.parse().map_err(|_| out_of_range())?;
    let places = decimals.len() as u32;
    let decimals: i64 = if decimals.is_empty() { 0 } else { decimals.parse().map_err(|_| malformed())? };
    let decimals = decimals * 10_i64.pow(6 - places);
    let micros = whole.checked_mul(SCALE).and_then(|w| w.checked_add(decimals)).ok_or_else(out_of_range)?;
    Ok(if negative { -micros } else { micros })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_two_to_six_decimals() {
        for (text, written) in [
            ("0.07", "0.07"),
            ("0.070000", "0.07"),
            ("0.084", "0.084"),
            ("-0.07", "-0.07"),
            ("1", "1.00"),
            ("-12.5", "-12.50"),
            ("0.000001", "0.000001"),
        ] {
            assert_eq!(Money::parse(text).unwrap().to_string(), written);
        }
        for text in ["", "-", ".5", "1.", "0.0000001", "1e3", "+1", "1,0", "٣", "9223372036855"] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_product_is_exact_or_nothing() {
        let base = Money::parse("0.07").unwrap();
        let times = |factor: &str| base.checked_times(Factor::parse(factor).unwrap());
        assert_eq!(times("1.2").unwrap().to_string(), "0.084");
        assert_eq!(times("1.2345").unwrap().to_string(), "0.086415");
        assert_eq!(times("1.23456"), None);
        assert_eq!(Money::from_micros(i64::MAX).checked_times(Factor::MAX), None);
    }
}
