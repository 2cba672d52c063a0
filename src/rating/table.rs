//! Dated rows of one kind: which one holds at a place on a day.

use crate::types::{Day, RowId};
use foldhash::HashMap;

/// A place in a table, with small numbers for the codes: [`Place::ANY`] stands for "*".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the platform.
    pub platform: u16,
    /// The two digits of the province, as a number.
    pub province: u16,
    /// Number of the industry.
    pub industry: u16,
}

impl Place {
    /// Any platform, province or industry.
    pub const ANY: u16 = u16::MAX;

    fn level(self, level: u8) -> Self {
        let part = |bit: u8, value: u16| if level & bit == 0 { value } else { Self::ANY };
        Self {
            platform: part(4, self.platform),
            province: part(2, self.province),
            industry: part(1, self.industry),
        }
    }

    /// 0 is the most specific: bit 4 any platform, bit 2 any province, bit 1 any industry.
    fn own_level(self) -> u8 {
        let bit = |any: u16, bit: u8| if any == Self::ANY { bit } else { 0 };
        bit(self.platform, 4) | bit(self.province, 2) | bit(self.industry, 1)
    }
}

/// A row, from its day until the next one of its key begins or its own end.
#[derive(Clone, Debug)]
pub struct Span<T> {
    /// First day it holds.
    pub from: Day,
    /// First day it no longer holds.
    pub to: Option<Day>,
    /// The row.
    pub row: RowId,
    /// What it says.
    pub value: T,
}

/// All rows of one kind (of rules: of one name).
#[derive(Clone, Debug)]
pub struct Table<T> {
    spans: HashMap<Place, Vec<Span<T>>>,
    /// Bit n is set where a row of level n exists: most levels are empty, and are not looked up.
    levels: u8,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { spans: HashMap::default(), levels: 0 }
    }
}

impl<T> Table<T> {
    /// Adds a row. One that ends when it begins was voided and is left out.
    pub fn add(&mut self, place: Place, span: Span<T>) {
        if span.to == Some(span.from) {
            return;
        }
        self.levels |= 1 << place.own_level();
        self.spans.entry(place).or_default().push(span);
    }

    /// Puts the rows of each key into succession; to be called once after the last [`Table::add`].
    pub fn settle(&mut self) {
        for spans in self.spans.values_mut() {
            spans.sort_by_key(|span| span.from);
            for i in 1..spans.len() {
                let next = spans[i].from;
                let before = &mut spans[i - 1];
                before.to = Some(before.to.map_or(next, |own| own.min(next)));
            }
        }
    }

    /// The most specific row that holds at this place on this day.
    pub fn find(&self, place: Place, day: Day) -> Option<&Span<T>> {
        (0..8).filter(|level| self.levels & (1 << level) != 0).find_map(|level| {
            let spans = self.spans.get(&place.level(level))?;
            let after = spans.partition_point(|span| span.from <= day);
            let span = &spans[after.checked_sub(1)?];
            span.to.is_none_or(|to| day < to).then_some(span)
        })
    }
}
