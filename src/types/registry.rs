//! Rows of the registry: dated, each with the number of the document that ordered it, append-only.

use super::{Day, Factor, Money, Position, RowId};

/// The six tables of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RowKind {
    /// 行业.
    Industry = 1,
    /// 省, and the Xinjiang corps.
    Province = 2,
    /// 平台.
    Platform = 3,
    /// Orders of a platform, province and industry belong to the scheme.
    Scope = 4,
    /// 缴费基准额 and its floating factor.
    Rate = 5,
    /// How something is counted.
    Rule = 6,
}

impl RowKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Industry, Self::Province, Self::Platform, Self::Scope, Self::Rate, Self::Rule];

    /// The number that stands for it in the database and the canonical encoding.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A row as put, before it has a number. Which fields are used depends on the kind; the others are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDraft {
    /// Which table.
    pub kind: RowKind,
    /// Name of an industry, province or platform; of a rule the rule's name.
    pub name: String,
    /// Platform: the code; scope, rate, rule: a code or "*".
    pub platform: String,
    /// Province: the code; scope, rate, rule: a code or "*".
    pub province: String,
    /// Industry: the code; scope, rate: a code; rule: a code or "*".
    pub industry: String,
    /// Rule: the value; platform: the unified social credit code.
    pub value: String,
    /// Rate: yuan an order.
    pub base: Option<Money>,
    /// Rate: the floating factor.
    pub factor: Option<Factor>,
    /// First day it holds.
    pub valid_from: Day,
    /// First day it no longer holds.
    pub valid_to: Option<Day>,
    /// Number of the document that ordered it.
    pub document: String,
    /// "law", "press", "open" or empty.
    pub confidence: String,
    /// The row it takes the place of.
    pub supersedes: Option<RowId>,
}

impl RowDraft {
    /// Of a rate: yuan an order, base × factor; nothing where it has no exact six decimals, or the row is no rate.
    pub fn price(&self) -> Option<Money> {
        self.base?.checked_times(self.factor?)
    }

    /// What a row is keyed by, within its kind: (rule name, platform, province, industry).
    pub fn key(&self) -> (RowKind, &str, &str, &str, &str) {
        let rule = if self.kind == RowKind::Rule { self.name.as_str() } else { "" };
        (self.kind, rule, &self.platform, &self.province, &self.industry)
    }
}

/// A row as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryRow {
    /// Its number.
    pub id: RowId,
    /// Where its entry stands.
    pub position: Position,
    /// What was put.
    pub draft: RowDraft,
}
