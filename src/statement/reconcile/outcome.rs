//! What was asked of a run and what it came to, as the texts of its entry. Pure.

use super::columns::{Column, Headers};
use crate::store::BookedOf;
use crate::types::{
    Code, DifferenceType, Digest, FileEncoding, FileFormat, Money, Period, Province, ReconcileLevel,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// As which request.
    pub request_id: String,
    /// Sums or orders.
    pub level: ReconcileLevel,
    /// Whose file it is.
    pub source: Code,
    /// Which lines.
    pub of: BookedOf,
    /// Form of the file.
    pub format: FileFormat,
    /// Of its text.
    pub encoding: FileEncoding,
    /// Columns that have other names.
    pub columns: Vec<(Column, String)>,
    /// Amounts may be negative.
    pub negative: bool,
    /// Its size.
    pub file_bytes: u64,
    /// Its SHA-256.
    pub file_sha256: Digest,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Rows of the file.
    pub rows: u64,
    /// By type.
    pub counts: BTreeMap<DifferenceType, u64>,
    /// Sum of the amounts that could be read.
    pub source_amount: Money,
    /// Sum of the ledger's in the month.
    pub ledger_amount: Money,
    /// Differences that are kept.
    pub kept: u64,
    /// SHA-256 of those.
    pub digest: Digest,
}

fn hex(digest: &Digest) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

fn digest(text: &str) -> Option<Digest> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

impl Ask {
    /// As text: JSON, keys in the order of the alphabet. As known when is told by the run's seal.
    pub fn to_text(&self) -> String {
        let of = &self.of;
        let columns: Map<String, Value> = self
            .columns
            .iter()
            .map(|(column, header)| (column.name().to_owned(), header.as_str().into()))
            .collect();
        json!({
            "request_id": self.request_id,
            "level": self.level.name(),
            "source": self.source.as_str(),
            "period": of.period.to_string(),
            "platform_code": of.platform.as_ref().map(Code::as_str).unwrap_or_default(),
            "province_code": of.province.as_ref().map(|province| province.as_str()).unwrap_or_default(),
            "industry_code": of.industry.as_ref().map(Code::as_str).unwrap_or_default(),
            "format": self.format.name(),
            "encoding": self.encoding.name(),
            "columns": columns,
            "negative_amounts": self.negative,
            "file_bytes": self.file_bytes,
            "file_sha256": hex(&self.file_sha256),
        })
        .to_string()
    }

    /// Back from the text.
    pub fn from_text(asked: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(asked).ok()?;
        let province = match text(&value, "province_code") {
            "" => None,
            province => Some(Province::parse(province).ok()?),
        };
        let mut columns = Vec::new();
        for (name, header) in value["columns"].as_object()? {
            columns.push((Column::from_name(name)?, header.as_str()?.to_owned()));
        }
        Some(Self {
            request_id: text(&value, "request_id").to_owned(),
            level: ReconcileLevel::from_name(text(&value, "level"))?,
            source: Code::parse(text(&value, "source").to_owned()).ok()?,
            of: BookedOf {
                platform: Code::parse_optional(text(&value, "platform_code").to_owned()).ok()?,
                province,
                industry: Code::parse_optional(text(&value, "industry_code").to_owned()).ok()?,
                period: Period::parse(text(&value, "period")).ok()?,
            },
            format: FileFormat::from_name(text(&value, "format"))?,
            encoding: FileEncoding::from_name(text(&value, "encoding"))?,
            columns,
            negative: value["negative_amounts"].as_bool()?,
            file_bytes: value["file_bytes"].as_u64()?,
            file_sha256: digest(text(&value, "file_sha256"))?,
        })
    }

    /// Names of the columns in the file.
    pub fn headers(&self) -> Headers {
        Headers::with(&self.columns)
    }
}

impl Outcome {
    /// As text: JSON, keys in the order of the alphabet.
    pub fn to_text(&self) -> String {
        let counts: Map<String, Value> =
            self.counts.iter().map(|(kind, count)| (kind.name().to_owned(), (*count).into())).collect();
        json!({
            "rows": self.rows,
            "counts": counts,
            "source_amount": self.source_amount.to_string(),
            "ledger_amount": self.ledger_amount.to_string(),
            "kept": self.kept,
            "differences_sha256": hex(&self.digest),
        })
        .to_string()
    }

    /// Back from the text.
    pub fn from_text(outcome: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(outcome).ok()?;
        let mut counts = BTreeMap::new();
        for (name, count) in value["counts"].as_object()? {
            counts.insert(DifferenceType::from_name(name)?, count.as_u64()?);
        }
        Some(Self {
            rows: value["rows"].as_u64()?,
            counts,
            source_amount: Money::parse(text(&value, "source_amount")).ok()?,
            ledger_amount: Money::parse(text(&value, "ledger_amount")).ok()?,
            kept: value["kept"].as_u64()?,
            digest: digest(text(&value, "differences_sha256"))?,
        })
    }
}
