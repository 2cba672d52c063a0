//! What is found: one difference, and how it is kept as a line of NDJSON. Pure.

use crate::types::{Code, DifferenceType, Money, Period, PremiumState, Province, WorkerId};
use serde_json::{Map, Value};

/// What one side says of an order, or of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The province that counts.
    pub province: Option<Province>,
    /// The industry.
    pub industry: Option<Code>,
    /// Month in which the order is booked.
    pub period: Option<Period>,
    /// Month that the order belongs to.
    pub service_period: Option<Period>,
    /// Who is covered.
    pub worker: Option<WorkerId>,
    /// Yuan an order.
    pub rate: Option<Money>,
    /// Sum in the month; nothing: none, or none told.
    pub premium: Option<Money>,
    /// Charged orders.
    pub count: Option<i64>,
    /// Of the ledger's order.
    pub state: Option<PremiumState>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub kind: DifferenceType,
    /// Row of the file; 0: none.
    pub row: u64,
    /// Of a duplicate: the row that was compared.
    pub first_row: u64,
    /// The platform, where it could be read.
    pub platform: Option<Code>,
    /// Order id and assignment, of orders that could be read.
    pub order: Option<(Code, u8)>,
    /// What the file says.
    pub source: Side,
    /// What the ledger says.
    pub ledger: Side,
    /// Of what cannot be read: the column's name in the file; empty: the whole row.
    pub column: String,
    /// And why.
    pub description: String,
}

impl Difference {
    /// Of a row, about nothing yet.
    pub const fn of(kind: DifferenceType, row: u64) -> Self {
        Self {
            kind,
            row,
            first_row: 0,
            platform: None,
            order: None,
            source: Side::NONE,
            ledger: Side::NONE,
            column: String::new(),
            description: String::new(),
        }
    }

    /// One object, keys in the order of the alphabet, without those that say nothing (proto/ENCODING.md).
    pub fn to_json(&self) -> String {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(key.to_owned(), value);
            }
        };
        let number = |number: u64| (number > 0).then(|| number.into());
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        put("type", Some(self.kind.name().into()));
        put("row", number(self.row));
        put("first_row", number(self.first_row));
        put("platform_code", self.platform.as_ref().map(|code| code.as_str().into()));
        put("order_id", self.order.as_ref().map(|(id, _)| id.as_str().into()));
        put("assignment_no", self.order.as_ref().map(|(_, number)| (*number).into()));
        put("source", self.source.to_json());
        put("ledger", self.ledger.to_json());
        put("column", text(&self.column));
        put("description", text(&self.description));
        Value::Object(object).to_string()
    }

    /// Back from the line.
    pub fn from_json(line: &str) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_str(line).ok()?;
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |key: &str| object.get(key).and_then(Value::as_u64).unwrap_or_default();
        let order = match object.get("order_id") {
            None => None,
            Some(id) => {
                let id = Code::parse(id.as_str()?.to_owned()).ok()?;
                Some((id, u8::try_from(number("assignment_no")).ok()?))
            }
        };
        Some(Self {
            kind: DifferenceType::from_name(&text("type"))?,
            row: number("row"),
            first_row: number("first_row"),
            platform: Code::parse_optional(text("platform_code")).ok()?,
            order,
            source: Side::from_json(object.get("source"))?,
            ledger: Side::from_json(object.get("ledger"))?,
            column: text("column"),
            description: text("description"),
        })
    }
}

impl Side {
    /// Says nothing.
    pub const NONE: Self = Self {
        province: None,
        industry: None,
        period: None,
        service_period: None,
        worker: None,
        rate: None,
        premium: None,
        count: None,
        state: None,
    };

    /// What it says, by the names of the contract.
    pub fn texts(&self) -> [(&'static str, Option<String>); 9] {
        [
            ("province_code", self.province.map(|province| province.as_str().to_owned())),
            ("industry_code", self.industry.as_ref().map(Code::to_string)),
            ("period", self.period.map(|period| period.to_string())),
            ("service_period", self.service_period.map(|period| period.to_string())),
            ("worker_id", self.worker.map(|worker| worker.to_string())),
            ("rate", self.rate.map(|rate| rate.to_string())),
            ("premium", self.premium.map(|premium| premium.to_string())),
            ("count", self.count.map(|count| count.to_string())),
            ("premium_state", self.state.map(|state| state.name().to_owned())),
        ]
    }

    fn to_json(&self) -> Option<Value> {
        let told = self.texts().into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::String(text?))));
        let object: Map<String, Value> = told.collect();
        (!object.is_empty()).then_some(Value::Object(object))
    }

    fn from_json(value: Option<&Value>) -> Option<Self> {
        let Some(value) = value else { return Some(Self::NONE) };
        let object = value.as_object()?;
        fn read<T>(
            object: &Map<String, Value>,
            key: &str,
            parse: impl Fn(&str) -> Option<T>,
        ) -> Option<Option<T>> {
            object.get(key).map_or(Some(None), |value| parse(value.as_str()?).map(Some))
        }
        Some(Self {
            province: read(object, "province_code", |text| Province::parse(text).ok())?,
            industry: read(object, "industry_code", |text| Code::parse(text.to_owned()).ok())?,
            period: read(object, "period", |text| Period::parse(text).ok())?,
            service_period: read(object, "service_period", |text| Period::parse(text).ok())?,
            worker: read(object, "worker_id", |text| WorkerId::parse(text).ok())?,
            rate: read(object, "rate", |text| Money::parse(text).ok())?,
            premium: read(object, "premium", |text| Money::parse(text).ok())?,
            count: read(object, "count", |text| text.parse().ok())?,
            state: read(object, "premium_state", PremiumState::from_name)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_read_back_from_its_line() {
        let side = Side {
            province: Province::parse("31").ok(),
            industry: Code::parse("ride_hailing".to_owned()).ok(),
            period: Period::parse("2026-07").ok(),
            service_period: Period::parse("2026-06").ok(),
            worker: WorkerId::parse("4d8590b9-b1d4-48c3-875e-efeb47f0b79b").ok(),
            rate: Money::parse("0.084").ok(),
            premium: Money::parse("-0.07").ok(),
            count: Some(-3),
            state: Some(PremiumState::RatePending),
        };
        let whole = Difference {
            first_row: 2,
            platform: Code::parse("MEITUAN".to_owned()).ok(),
            order: Some((Code::parse("o\"1".to_owned()).unwrap(), 2)),
            source: side.clone(),
            ledger: side,
            column: "订单号".to_owned(),
            description: "is \"wrong\"\n".to_owned(),
            ..Difference::of(DifferenceType::DuplicateAtSource, 7)
        };
        for difference in [whole, Difference::of(DifferenceType::UnreadableAtSource, 3)] {
            let line = difference.to_json();
            assert!(!line.contains('\n'));
            assert_eq!(Difference::from_json(&line), Some(difference), "{line}");
        }
    }
}
