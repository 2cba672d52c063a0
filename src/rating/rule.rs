//! The rules by name and the types of their values. Which value holds when, and by which document, is data.

use crate::types::{Area, EndKind, Malformed, Money, Province, ViolationCode};

/// Names of the rules that this version knows.
pub const RULE_NAMES: [&str; 5] = ["count_rule", "order_length", "period_of", "area_to_province", "late_fee"];

/// The longest order that the rule `order_length` may allow: 168 hours. Bounds the range scan of a cover question.
pub const MAX_ORDER_LENGTH_SECONDS: i64 = 168 * 3_600;

/// Which end kinds are charged: what counts as one 单.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRule(u16);

impl CountRule {
    /// Whether an order that ended so is charged.
    pub const fn charges(self, kind: EndKind) -> bool {
        self.0 & (1 << kind.code()) != 0
    }

    /// "COMPLETED,TIMED_OUT".
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let mut bits = 0;
        for name in value.split(',') {
            let kind = EndKind::from_name(name)
                .ok_or_else(|| wrong("must be end kinds, comma-separated, as COMPLETED,TIMED_OUT"))?;
            bits |= 1 << kind.code();
        }
        Ok(Self(bits))
    }
}

/// The instant whose month an order belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodOf {
    /// Its acceptance.
    AcceptedAt,
    /// Its end; while it is open, its acceptance.
    EndedAt,
}

impl PeriodOf {
    /// "ACCEPTED_AT" or "ENDED_AT".
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        match value {
            "ACCEPTED_AT" => Ok(Self::AcceptedAt),
            "ENDED_AT" => Ok(Self::EndedAt),
            _ => Err(wrong("must be ACCEPTED_AT or ENDED_AT")),
        }
    }
}

/// The longest an order may take, in seconds: "PT1H" to "PT168H".
pub fn parse_order_length(value: &str) -> Result<i64, Malformed> {
    let hours = value.strip_prefix("PT").and_then(|rest| rest.strip_suffix('H'));
    let hours = hours.filter(|h| h.len() <= 3 && h.bytes().all(|b| b.is_ascii_digit()));
    match hours.and_then(|h| h.parse::<i64>().ok()) {
        Some(hours) if (1..=MAX_ORDER_LENGTH_SECONDS / 3_600).contains(&hours) => Ok(hours * 3_600),
        _ => Err(wrong("must be whole hours from PT1H to PT168H")),
    }
}

/// County codes, or their beginnings, that belong to another province than their first two digits say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaMap(Vec<(String, Province)>);

impl AreaMap {
    /// "659001=66,6590=66"; "-" maps nothing.
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let shape = || wrong("must be area=province pairs, comma-separated, as 659001=66; or -");
        if value == "-" {
            return Ok(Self(Vec::new()));
        }
        let mut pairs = Vec::new();
        for pair in value.split(',') {
            let (area, province) = pair.split_once('=').ok_or_else(shape)?;
            if !(2..=6).contains(&area.len()) || !area.bytes().all(|b| b.is_ascii_digit()) {
                return Err(shape());
            }
            pairs.push((area.to_owned(), Province::parse(province).map_err(|_| shape())?));
        }
        // The longest beginning that fits is found first.
        pairs.sort_by_key(|(area, _)| std::cmp::Reverse(area.len()));
        Ok(Self(pairs))
    }

    /// The province that counts for an area, if this map names one.
    pub fn province(&self, area: Area) -> Option<Province> {
        let named = self.0.iter().find(|(prefix, _)| area.as_str().starts_with(prefix.as_str()));
        named.map(|(_, province)| *province)
    }

    /// The provinces that areas are mapped to.
    pub fn provinces(&self) -> impl Iterator<Item = Province> {
        self.0.iter().map(|(_, province)| *province)
    }
}

/// What a month that is paid late costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateFee {
    /// Of what is owed, a day, in ten-thousandths: whole 分 times it have six decimals.
    pub rate: i64,
    /// Day of the month after the period by which it must be paid.
    pub due: i32,
}

impl LateFee {
    /// "rate=0.0005,due=15".
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let shape = || {
            wrong(
                "must be a daily rate with at most 4 decimals, to 0.01, and a day from 1 to 28, as rate=0.0005,due=15",
            )
        };
        let (rate, due) = value.split_once(',').ok_or_else(shape)?;
        let rate = rate.strip_prefix("rate=").and_then(|text| Money::parse(text).ok()).ok_or_else(shape)?;
        let due = due.strip_prefix("due=").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let due = due.and_then(|text| text.parse().ok()).ok_or_else(shape)?;
        let micros = rate.micros();
        match micros % 100 == 0 && (100..=10_000).contains(&micros) && (1..=28).contains(&due) {
            true => Ok(Self { rate: micros / 100, due }),
            false => Err(shape()),
        }
    }
}

fn wrong(description: &'static str) -> Malformed {
    Malformed::new(ViolationCode::Malformed, description)
}
