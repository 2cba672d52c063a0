//! The model's registry: dated rows, searched from the front.

use super::State;
use premium_ledger::types::{ANY, Day, Factor, Money, RowKind};
use std::collections::BTreeMap;

/// A row of any table; what a table does not have is empty.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: u64,
    pub kind: RowKind,
    pub name: String,
    pub platform: String,
    pub province: String,
    pub industry: String,
    /// A rule's value, a platform's social credit code.
    pub value: String,
    pub base: Option<Money>,
    pub factor: Option<Factor>,
    pub valid_from: Day,
    pub valid_to: Option<Day>,
    pub document: String,
    pub confidence: String,
    /// 0: none.
    pub supersedes: u64,
}

impl Row {
    /// What a row is found by; rows of one key follow one another.
    pub fn key(&self) -> [&str; 4] {
        let name = if self.kind == RowKind::Rule { self.name.as_str() } else { "" };
        [name, &self.platform, &self.province, &self.industry]
    }

    pub fn same_key(&self, other: &Self) -> bool {
        self.kind == other.kind && self.key() == other.key()
    }
}

/// The seeded rows, numbered from 1 in the order of the files.
pub fn seeds() -> Vec<Row> {
    macro_rules! file {
        ($name:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/seeds/", $name))
        };
    }
    let files = [
        (RowKind::Industry, file!("industries.csv")),
        (RowKind::Province, file!("provinces.csv")),
        (RowKind::Platform, file!("platforms.csv")),
        (RowKind::Scope, file!("scopes.csv")),
        (RowKind::Rate, file!("rates.csv")),
        (RowKind::Rule, file!("rules.csv")),
    ];
    let mut rows: Vec<Row> = Vec::new();
    for (kind, text) in files {
        for record in csv::Reader::from_reader(text.as_bytes()).deserialize() {
            let id = rows.len() as u64 + 1;
            rows.push(seed(id, kind, &record.expect("the seeds are well-formed")));
        }
    }
    rows
}

/// A row from a line of a seed file: column name to text.
fn seed(id: u64, kind: RowKind, columns: &BTreeMap<String, String>) -> Row {
    let column = |names: &[&str]| {
        let found = names.iter().find_map(|name| columns.get(*name));
        found.cloned().unwrap_or_default()
    };
    let valid_from = column(&["valid_from", "enrolled_from", "scheme_from"]);
    Row {
        id,
        kind,
        name: column(&["name"]),
        platform: column(&["platform_code"]),
        province: column(&["province_code"]),
        industry: column(&["industry_code"]),
        value: column(&["value", "uscc"]),
        base: Money::parse(&column(&["base_yuan"])).ok(),
        factor: Factor::parse(&column(&["factor"])).ok(),
        valid_from: Day::parse(&valid_from).expect("every seed has a first day"),
        valid_to: Day::parse(&column(&["valid_to"])).ok(),
        document: column(&["document"]),
        confidence: column(&["confidence"]),
        supersedes: 0,
    }
}

impl State {
    /// Number of the newest row.
    pub fn revision(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Neither superseded nor void.
    pub fn in_force(&self, row: &Row) -> bool {
        row.valid_to != Some(row.valid_from) && !self.rows.iter().any(|other| other.supersedes == row.id)
    }

    /// The registry has this industry, province or platform, on whatever day.
    pub fn knows(&self, kind: RowKind, code: &str) -> bool {
        self.rows.iter().any(|row| {
            let named = match kind {
                RowKind::Industry => &row.industry,
                RowKind::Province => &row.province,
                _ => &row.platform,
            };
            row.kind == kind && named == code && self.in_force(row)
        })
    }

    /// A row holds from its first day until the next of its key begins or its own last day is over.
    pub fn holds_on(&self, row: &Row, day: Day) -> bool {
        let began = row.valid_from <= day && row.valid_to.is_none_or(|to| day < to);
        let followed = |row: &Row| {
            let later = |other: &&Row| other.valid_from > row.valid_from && other.valid_from <= day;
            self.rows.iter().filter(|other| other.same_key(row)).filter(later).any(|other| self.in_force(other))
        };
        began && self.in_force(row) && !followed(row)
    }

    /// The most specific row that holds: platform and province, platform, province, national; in each a rule of the industry
    /// before one of any. `rule` is empty for scopes and rates.
    pub fn find(
        &self,
        kind: RowKind,
        rule: &str,
        [platform, province, industry]: [&str; 3],
        day: Day,
    ) -> Option<&Row> {
        let industries = if kind == RowKind::Rule { vec![industry, ANY] } else { vec![industry] };
        for (platform, province) in [(platform, province), (platform, ANY), (ANY, province), (ANY, ANY)] {
            for industry in &industries {
                let key = [rule, platform, province, industry];
                let mut rows = self.rows.iter().filter(|row| row.kind == kind && row.key() == key);
                if let Some(row) = rows.find(|row| self.holds_on(row, day)) {
                    return Some(row);
                }
            }
        }
        None
    }
}
