//! Reads the cells of a row: under which names the file has them, in which encoding, and what a spreadsheet made of them.

use super::difference::Side;
use super::records::Cells;
use crate::rating::Snapshot;
use crate::store::BookedOf;
use crate::types::{Code, FileEncoding, Money, OrderKey, Period, Province, ReconcileLevel, RowKind, WorkerId};
use foldhash::{HashMap, HashMapExt};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Column {
    /// Code or name of the platform.
    Platform,
    /// Id of the order.
    OrderId,
    /// Its assignment; empty: 1.
    AssignmentNo,
    /// Who is covered.
    Worker,
    /// Two digits or the name of the province.
    Province,
    /// Code or name of the industry.
    Industry,
    /// Month in which it is booked.
    Period,
    /// Month that the order belongs to.
    ServicePeriod,
    /// Yuan an order.
    Rate,
    /// The amount.
    Premium,
    /// Charged orders.
    Count,
}

impl Column {
    /// All, in the order of their places.
    pub const ALL: [Self; 11] = [
        Self::Platform,
        Self::OrderId,
        Self::AssignmentNo,
        Self::Worker,
        Self::Province,
        Self::Industry,
        Self::Period,
        Self::ServicePeriod,
        Self::Rate,
        Self::Premium,
        Self::Count,
    ];

    /// As the contract names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform_code",
            Self::OrderId => "order_id",
            Self::AssignmentNo => "assignment_no",
            Self::Worker => "worker_id",
            Self::Province => "province_code",
            Self::Industry => "industry_code",
            Self::Period => "period",
            Self::ServicePeriod => "service_period",
            Self::Rate => "rate",
            Self::Premium => "premium",
            Self::Count => "count",
        }
    }

    /// Rows of this level have it.
    const fn is_of(self, level: ReconcileLevel) -> bool {
        match level {
            ReconcileLevel::Line => !matches!(self, Self::Count),
            ReconcileLevel::Count => {
                !matches!(self, Self::OrderId | Self::AssignmentNo | Self::Worker | Self::ServicePeriod)
            }
        }
    }

    /// The column that the contract names so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}

/// Names of the columns in the file, by place in [`Column::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers([Option<String>; 11]);

impl Headers {
    /// As the contract names them, but for these.
    pub fn with(other: &[(Column, String)]) -> Self {
        // Where the file has one under the name of another, that other is not there.
        let free = |column: Column| other.iter().all(|(_, header)| header != column.name());
        let mut names = Column::ALL.map(|column| free(column).then(|| column.name().to_owned()));
        for (column, header) in other {
            names[*column as usize] = Some(header.clone());
        }
        Self(names)
    }

    /// The name of a column; the contract's where the file cannot have it.
    pub fn name(&self, column: Column) -> &str {
        self.0[column as usize].as_deref().unwrap_or(column.name())
    }

    /// The name of a column that rows of this level have.
    fn of_level(&self, column: Column, level: ReconcileLevel) -> Option<&str> {
        self.0[column as usize].as_deref().filter(|_| column.is_of(level))
    }
}

/// What the text of platforms, provinces and industries means: codes and names of the registry.
#[derive(Debug)]
pub struct Names {
    platforms: HashMap<String, Code>,
    provinces: HashMap<String, Province>,
    industries: HashMap<String, Code>,
}

impl Names {
    /// Of the registry; a newer name stands beside an older one.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut names = Self { platforms: HashMap::new(), provinces: HashMap::new(), industries: HashMap::new() };
        for row in snapshot.rows() {
            let draft = &row.draft;
            let (codes, code) = match draft.kind {
                RowKind::Platform => (&mut names.platforms, &draft.platform),
                RowKind::Industry => (&mut names.industries, &draft.industry),
                RowKind::Province => {
                    if let Ok(province) = Province::parse(&draft.province) {
                        names.provinces.insert(draft.name.clone(), province);
                        names.provinces.insert(draft.province.clone(), province);
                    }
                    continue;
                }
                RowKind::Scope | RowKind::Rate | RowKind::Rule => continue,
            };
            if let Ok(parsed) = Code::parse(code.clone()) {
                codes.insert(draft.name.clone(), parsed.clone());
                codes.insert(code.clone(), parsed);
            }
        }
        names
    }
}

/// A row as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// In the file.
    pub no: u64,
    /// The platform.
    pub platform: Option<Code>,
    /// Order id and assignment; at level LINE.
    pub order: Option<(Code, u8)>,
    /// What it says else.
    pub side: Side,
    /// All of it could be read.
    pub whole: bool,
}

/// What cannot be read: the column, or the whole row, and why.
pub type Unreadable = (Option<Column>, String);

/// Takes the cells of rows for what they are.
#[derive(Debug)]
pub struct RowReader {
    /// What rows are.
    pub level: ReconcileLevel,
    /// Names of the columns.
    pub headers: Headers,
    /// Of the text.
    pub encoding: FileEncoding,
    /// Amounts may be negative.
    pub negative: bool,
    /// What codes and names mean.
    pub names: Names,
    /// What is asked for: the file need not say it.
    pub of: BookedOf,
}

/// Where the columns stand in a CSV.
pub struct Layout {
    places: [Option<usize>; 11],
    width: usize,
}

impl RowReader {
    /// Finds the columns in the header; or tells which cannot be done without.
    pub fn layout(&self, header: &Cells<'_>) -> Result<Layout, String> {
        let mut titles = Vec::with_capacity(header.len());
        for place in 0..header.len() {
            let title = self.text(header.get(place).unwrap_or_default());
            titles.push(title.map_err(|why| format!("the header: {why}"))?.trim().to_owned());
        }
        let mut places = [None; 11];
        for column in Column::ALL {
            let Some(title) = self.headers.of_level(column, self.level) else { continue };
            let mut found = titles.iter().enumerate().filter(|(_, has)| *has == title);
            places[column as usize] = found.next().map(|(place, _)| place);
            if found.next().is_some() {
                return Err(format!("the header has two columns {title:?}"));
            }
        }
        let missing: Vec<&str> = self
            .needed()
            .into_iter()
            .filter(|any| any.iter().all(|column| places[*column as usize].is_none()))
            .map(|any| self.headers.name(any[0]))
            .collect();
        if !missing.is_empty() {
            let titles = titles.join(", ");
            let titles = &titles[..titles.floor_char_boundary(MAX_SHOWN)];
            return Err(format!("the file has no column {}; it has {titles}", missing.join(", ")));
        }
        Ok(Layout { places, width: titles.len() })
    }

    /// Of each of these one at least.
    fn needed(&self) -> Vec<&'static [Column]> {
        let mut needed: Vec<&[Column]> = match self.level {
            ReconcileLevel::Line => vec![&[Column::OrderId]],
            ReconcileLevel::Count => vec![&[Column::Count, Column::Premium]],
        };
        let is_count = self.level == ReconcileLevel::Count;
        if is_count && self.of.province.is_none() {
            needed.push(&[Column::Province]);
        }
        if is_count && self.of.industry.is_none() {
            needed.push(&[Column::Industry]);
        }
        if self.of.platform.is_none() {
            needed.push(&[Column::Platform]);
        }
        needed
    }

    /// A row of CSV.
    pub fn cells(&self, no: u64, cells: &Cells<'_>, layout: &Layout) -> (Row, Vec<Unreadable>) {
        let mut unreadable = Vec::new();
        let (has, width) = (cells.len(), layout.width);
        let moved = has > width;
        if has != width {
            let behind = |column: &Column| layout.places[*column as usize].is_some_and(|place| place >= has);
            let column = Column::ALL.into_iter().find(behind);
            unreadable.push((column, format!("the row has {has} cells, the header {width}")));
        }
        let row = self.row(no, &mut unreadable, |column| {
            // Where there is one cell too many, those behind it stand under others' names.
            let cell = layout.places[column as usize].filter(|_| !moved).and_then(|place| cells.get(place));
            cell.map(|cell| self.text(cell)).transpose()
        });
        (row, unreadable)
    }

    /// A line of NDJSON.
    pub fn line(&self, no: u64, line: &[u8]) -> (Row, Vec<Unreadable>) {
        let mut unreadable = Vec::new();
        let parsed = self.text(line).and_then(|text| {
            serde_json::from_str::<Map<String, Value>>(&text)
                .map_err(|e| format!("the line is no JSON object: {e}"))
        });
        let object = parsed.unwrap_or_else(|why| {
            unreadable.push((None, why));
            Map::new()
        });
        if !unreadable.is_empty() {
            let row = Row { no, platform: None, order: None, side: Side::NONE, whole: false };
            return (row, unreadable);
        }
        let value = |column| object.get(self.headers.of_level(column, self.level)?);
        let row = self.row(no, &mut unreadable, |column| match value(column) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(Cow::Borrowed(""))),
            Some(Value::String(text)) => Ok(Some(Cow::Borrowed(text.as_str()))),
            Some(Value::Number(number)) => match column {
                Column::OrderId | Column::Worker => {
                    Err("is a number, which loses digits; ids must be strings".to_owned())
                }
                _ => Ok(Some(Cow::Owned(number.to_string()))),
            },
            Some(_) => Err("must be a string or a number".to_owned()),
        });
        (row, unreadable)
    }

    fn text<'a>(&self, cell: &'a [u8]) -> Result<Cow<'a, str>, String> {
        if let (true, Ok(text)) = (cell.is_ascii(), std::str::from_utf8(cell)) {
            return Ok(Cow::Borrowed(text));
        }
        match self.encoding {
            FileEncoding::Utf8 => std::str::from_utf8(cell)
                .map(Cow::Borrowed)
                .map_err(|_| "is not UTF-8; is the file GBK?".to_owned()),
            FileEncoding::Gbk => encoding_rs::GB18030
                .decode_without_bom_handling_and_without_replacement(cell)
                .ok_or_else(|| "is not GBK; is the file UTF-8?".to_owned()),
        }
    }

    fn row<'a>(
        &self,
        no: u64,
        unreadable: &mut Vec<Unreadable>,
        cell: impl Fn(Column) -> Result<Option<Cow<'a, str>>, String>,
    ) -> Row {
        let mut take = Taking { cell, unreadable };
        let names = &self.names;
        let platform = take.read(Column::Platform, |text| match known(&names.platforms, text, "platform")? {
            code if self.of.platform.as_ref().is_none_or(|asked| *asked == code) => Ok(code),
            _ => Err("is not the platform that was asked for".to_owned()),
        });
        let assignment = take.read(Column::AssignmentNo, assignment);
        let order_id = match self.level {
            ReconcileLevel::Line => take.read(Column::OrderId, order_id),
            ReconcileLevel::Count => None,
        };
        let mut side = Side {
            province: take.read(Column::Province, |text| known(&names.provinces, text, "province")),
            industry: take.read(Column::Industry, |text| known(&names.industries, text, "industry")),
            period: take.read(Column::Period, period),
            service_period: take.read(Column::ServicePeriod, period),
            worker: take.read(Column::Worker, worker),
            rate: take.read(Column::Rate, |text| self.amount(text)),
            premium: take.read(Column::Premium, |text| self.amount(text)),
            count: take.read(Column::Count, |text| self.count(text)),
            state: None,
        };
        let platform_is_wrong = take.is_unreadable(Column::Platform);
        let platform = platform.or_else(|| self.of.platform.clone().filter(|_| !platform_is_wrong));
        take.require(Column::Platform, platform.is_some());
        match self.level {
            ReconcileLevel::Line => {
                take.require(Column::OrderId, order_id.is_some());
                // No amount is told: the order is not charged.
                if take.is_empty(Column::Premium) {
                    side.premium = Some(Money::ZERO);
                }
            }
            ReconcileLevel::Count => {
                if side.premium.is_none() && !take.is_unreadable(Column::Premium) {
                    take.require(Column::Count, side.count.is_some());
                }
                take.require(Column::Province, side.province.is_some() || self.of.province.is_some());
                take.require(Column::Industry, side.industry.is_some() || self.of.industry.is_some());
            }
        }
        let order = order_id.filter(|_| !take.is_unreadable(Column::AssignmentNo));
        let order = order.map(|id| (id, assignment.unwrap_or(1)));
        Row { no, platform, order, side, whole: unreadable.is_empty() }
    }

    fn amount(&self, text: &str) -> Result<Money, String> {
        let amount = Money::parse(text).map_err(|wrong| match is_scientific(text) {
            true => format!("{SCIENTIFIC}: {wrong}"),
            false => wrong.to_string(),
        })?;
        match amount < Money::ZERO && !self.negative {
            true => Err("is negative, and the file was not said to hold refunds".to_owned()),
            false => Ok(amount),
        }
    }

    fn count(&self, text: &str) -> Result<i64, String> {
        let count: i64 = text.parse().map_err(|_| "must be a whole number".to_owned())?;
        match count < 0 && !self.negative {
            true => Err("is negative, and the file was not said to hold refunds".to_owned()),
            false => Ok(count),
        }
    }
}

/// The cells of one row on their way to values.
struct Taking<'t, C> {
    cell: C,
    unreadable: &'t mut Vec<Unreadable>,
}

impl<'a, C: Fn(Column) -> Result<Option<Cow<'a, str>>, String>> Taking<'_, C> {
    /// The value of a cell; nothing where it is empty, or wrong: then it is noted.
    fn read<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let parsed = (self.cell)(column).and_then(|text| match text.as_deref().unwrap_or_default().trim() {
            "" => Ok(None),
            text => parse(text).map(Some).map_err(|why| format!("{:?} {why}", shown(text))),
        });
        parsed.unwrap_or_else(|why| {
            self.unreadable.push((Some(column), why));
            None
        })
    }

    /// The file has the column, with nothing in it.
    fn is_empty(&self, column: Column) -> bool {
        (self.cell)(column).is_ok_and(|text| text.is_some_and(|text| text.trim().is_empty()))
    }

    fn is_unreadable(&self, column: Column) -> bool {
        self.unreadable.iter().any(|(of, _)| *of == Some(column))
    }

    /// Notes a value that the row must have, unless it is noted why it has none.
    fn require(&mut self, column: Column, has: bool) {
        let told = self.unreadable.iter().any(|(of, _)| of.is_none_or(|of| of == column));
        if !has && !told {
            self.unreadable.push((Some(column), "is empty".to_owned()));
        }
    }
}

/// What a spreadsheet made of a long number.
const SCIENTIFIC: &str =
    "was turned into a number by a spreadsheet and lost its digits (format the column as text before the export)";
/// What it made of a month.
const SERIAL: &str =
    "was turned into a date by a spreadsheet (format the column as text before the export); must be YYYY-MM";

/// Bytes of a file's header that a message shows.
const MAX_SHOWN: usize = 300;

/// Cut for a message.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(40)]
}

fn known<T: Clone>(names: &HashMap<String, T>, text: &str, what: &str) -> Result<T, String> {
    names.get(text).cloned().ok_or_else(|| format!("is no {what} of the registry"))
}

/// 1.23E+17: one digit, decimals perhaps, an exponent.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1 && digits(whole) && digits(decimals) && digits(exponent)
}

fn order_id(text: &str) -> Result<Code, String> {
    match is_scientific(text) {
        true => Err(SCIENTIFIC.to_owned()),
        false => Code::parse(text.to_owned()).map_err(|wrong| wrong.to_string()),
    }
}

fn assignment(text: &str) -> Result<u8, String> {
    let number: u32 = text.parse().map_err(|_| "must be a whole number from 1 to 99".to_owned())?;
    OrderKey::parse_assignment(number).map_err(|wrong| wrong.to_string())
}

fn worker(text: &str) -> Result<WorkerId, String> {
    WorkerId::parse(text).map_err(|wrong| match is_scientific(text) {
        true => SCIENTIFIC.to_owned(),
        false => wrong.to_string(),
    })
}

/// YYYY-MM, or YYYYMM as tax files have it.
fn period(text: &str) -> Result<Period, String> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let dashed = match (text.len(), all_digits) {
        (6, true) => format!("{}-{}", &text[..4], &text[4..]),
        _ => text.to_owned(),
    };
    Period::parse(&dashed).map_err(|wrong| {
        let serial = text.len() == 5 && all_digits;
        let date = text.contains('/') || text.matches('-').count() == 2 || text.contains(['年', '月']);
        let worded = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if serial || date || worded { SERIAL.to_owned() } else { wrong.to_string() }
    })
}
