//! The registry as it stood at one revision, and the calendar at one epoch. Built off the hot path, then only read.

use super::calendar::Calendar;
use super::rule::{AreaMap, CountRule, LateFee, MAX_ORDER_LENGTH_SECONDS, PeriodOf, parse_order_length};
use super::table::{Place, Span, Table};
use crate::types::{ANY, Area, CalendarEntry, Day, Money, Period, Province, RegistryRow, RowId, RowKind};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A stored row that this version cannot read: the store holds something that no put would have let in.
#[derive(Debug, thiserror::Error)]
#[error("registry row {row}: {what}")]
pub struct CorruptRegistry {
    /// Its number.
    pub row: u32,
    /// What is wrong with it.
    pub what: String,
}

/// All rows up to a revision and the calendar up to an epoch, ready to price with.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    rows: Vec<Arc<RegistryRow>>,
    superseded: HashSet<RowId>,
    platforms: HashMap<String, u16>,
    industries: HashMap<String, u16>,
    provinces: HashSet<Province>,
    pub(super) scopes: Table<()>,
    pub(super) rates: Table<Money>,
    pub(super) count_rules: Table<CountRule>,
    pub(super) order_lengths: Table<i64>,
    pub(super) periods_of: Table<PeriodOf>,
    pub(super) area_maps: Table<AreaMap>,
    pub(super) late_fees: Table<LateFee>,
    calendar: Calendar,
    /// First open month by the numbers of platform and province, where one is frozen.
    first_open: HashMap<(u16, u16), Period>,
}

impl Snapshot {
    /// Most platforms, and most industries: what a place's numbers hold beside "any" and "unknown".
    pub const MAX_CODES: usize = Place::ANY as usize - 1;

    /// From all rows and all entries of the calendar, in the order of their numbers.
    pub fn build(rows: Vec<Arc<RegistryRow>>, entries: Vec<Arc<CalendarEntry>>) -> Result<Self, CorruptRegistry> {
        let superseded: HashSet<RowId> = rows.iter().filter_map(|row| row.draft.supersedes).collect();
        let mut snapshot = Self::default();
        for (i, row) in rows.iter().enumerate() {
            if row.id.get() as usize != i + 1 {
                let what = format!("stands where row {} should", i + 1);
                return Err(CorruptRegistry { row: row.id.get(), what });
            }
        }
        let standing = || rows.iter().filter(|row| !superseded.contains(&row.id));
        for row in standing() {
            snapshot.name(row).map_err(|what| CorruptRegistry { row: row.id.get(), what })?;
        }
        for row in standing() {
            snapshot.tabulate(row).map_err(|what| CorruptRegistry { row: row.id.get(), what })?;
        }
        snapshot.scopes.settle();
        snapshot.rates.settle();
        snapshot.count_rules.settle();
        snapshot.order_lengths.settle();
        snapshot.periods_of.settle();
        snapshot.area_maps.settle();
        snapshot.late_fees.settle();
        snapshot.superseded = superseded;
        snapshot.rows = rows;
        snapshot.calendar = Calendar::build(entries).map_err(|(epoch, what)| {
            let row = epoch.get();
            CorruptRegistry { row, what: format!("of the calendar: {what}") }
        })?;
        for (platform, province, period) in snapshot.calendar.first_open() {
            let platform = number_of(&snapshot.platforms, platform.as_str());
            let platform = platform.map_err(|what| CorruptRegistry { row: 0, what })?;
            snapshot.first_open.insert((platform, province_number(province)), period);
        }
        Ok(snapshot)
    }

    /// First the codes get their numbers...
    fn name(&mut self, row: &RegistryRow) -> Result<(), String> {
        let draft = &row.draft;
        let number = |known: usize| u16::try_from(known).ok().filter(|n| *n != Place::ANY);
        match draft.kind {
            RowKind::Industry => {
                let next = number(self.industries.len()).ok_or("too many industries")?;
                self.industries.entry(draft.industry.clone()).or_insert(next);
            }
            RowKind::Platform => {
                let next = number(self.platforms.len()).ok_or("too many platforms")?;
                self.platforms.entry(draft.platform.clone()).or_insert(next);
            }
            RowKind::Province => {
                self.provinces.insert(Province::parse(&draft.province).map_err(|e| e.to_string())?);
            }
            RowKind::Scope | RowKind::Rate | RowKind::Rule => {}
        }
        Ok(())
    }

    /// ... then the dated rows stand at places made of them.
    fn tabulate(&mut self, row: &RegistryRow) -> Result<(), String> {
        let draft = &row.draft;
        if matches!(draft.kind, RowKind::Industry | RowKind::Province | RowKind::Platform) {
            return Ok(());
        }
        let place = Place {
            platform: number_of(&self.platforms, &draft.platform)?,
            province: match draft.province.as_str() {
                ANY => Place::ANY,
                code => province_number(Province::parse(code).map_err(|e| e.to_string())?),
            },
            industry: number_of(&self.industries, &draft.industry)?,
        };
        fn span<T>(row: &RegistryRow, value: T) -> Span<T> {
            Span { from: row.draft.valid_from, to: row.draft.valid_to, row: row.id, value }
        }
        match (draft.kind, draft.name.as_str()) {
            (RowKind::Rate, _) => {
                let price = draft.price().ok_or("a rate without a price of six decimals")?;
                self.rates.add(place, span(row, price));
            }
            (RowKind::Rule, "count_rule") => {
                let value = CountRule::parse(&draft.value).map_err(|e| e.to_string())?;
                self.count_rules.add(place, span(row, value));
            }
            (RowKind::Rule, "order_length") => {
                let value = parse_order_length(&draft.value).map_err(|e| e.to_string())?;
                self.order_lengths.add(place, span(row, value));
            }
            (RowKind::Rule, "period_of") => {
                let value = PeriodOf::parse(&draft.value).map_err(|e| e.to_string())?;
                self.periods_of.add(place, span(row, value));
            }
            (RowKind::Rule, "area_to_province") => {
                let value = AreaMap::parse(&draft.value).map_err(|e| e.to_string())?;
                self.area_maps.add(place, span(row, value));
            }
            (RowKind::Rule, "late_fee") => {
                let value = LateFee::parse(&draft.value).map_err(|e| e.to_string())?;
                self.late_fees.add(place, span(row, value));
            }
            (RowKind::Rule, name) => return Err(format!("a rule named {name:?}")),
            _ => self.scopes.add(place, span(row, ())),
        }
        Ok(())
    }

    /// Number of the newest row; [`RowId::NONE`] where there is none.
    pub fn revision(&self) -> RowId {
        self.rows.last().map_or(RowId::NONE, |row| row.id)
    }

    /// Which months are frozen.
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The month in which a line is booked that belongs to a service period: that one, or the first that is open.
    pub fn period(&self, platform: &str, province: Province, service_period: Period) -> Period {
        let platform = self.platforms.get(platform).copied().unwrap_or(Place::ANY - 1);
        self.period_at(Place { platform, province: province_number(province), industry: 0 }, service_period)
    }

    pub(super) fn period_at(&self, place: Place, service_period: Period) -> Period {
        if self.first_open.is_empty() {
            return service_period;
        }
        let open = self.first_open.get(&(place.platform, place.province));
        open.map_or(service_period, |open| service_period.max(*open))
    }

    /// All rows, in the order of their numbers.
    pub fn rows(&self) -> &[Arc<RegistryRow>] {
        &self.rows
    }

    /// The row with this number.
    pub fn row(&self, id: RowId) -> Option<&Arc<RegistryRow>> {
        self.rows.get((id.get() as usize).checked_sub(1)?)
    }

    /// Another row took its place.
    pub fn is_superseded(&self, id: RowId) -> bool {
        self.superseded.contains(&id)
    }

    /// The registry has this platform.
    pub fn knows_platform(&self, code: &str) -> bool {
        self.platforms.contains_key(code)
    }

    /// All platforms that the registry ever knew.
    pub fn platforms(&self) -> Vec<&str> {
        self.platforms.keys().map(String::as_str).collect()
    }

    /// How many codes of platforms and of industries are known; both are bounded by [`Self::MAX_CODES`].
    pub fn codes(&self) -> (usize, usize) {
        (self.platforms.len(), self.industries.len())
    }

    /// The registry has this industry.
    pub fn knows_industry(&self, code: &str) -> bool {
        self.industries.contains_key(code)
    }

    /// The registry has this province.
    pub fn knows_province(&self, province: Province) -> bool {
        self.provinces.contains(&province)
    }

    /// The province that counts for an area of an order: its first two digits, unless a rule maps it.
    pub fn province_of(&self, platform: &str, industry: &str, area: Area, day: Day) -> Province {
        self.mapped_province(self.place(platform, area.nominal_province(), industry), area, day).0
    }

    /// The longest an order may take, seconds. Without a rule row the highest that a row may say.
    pub fn order_length(&self, platform: &str, province: Province, industry: &str, day: Day) -> i64 {
        let row = self.order_lengths.find(self.place(platform, province, industry), day);
        row.map_or(MAX_ORDER_LENGTH_SECONDS, |span| span.value)
    }

    /// A scope row holds.
    pub fn in_scope(&self, platform: &str, province: Province, industry: &str, day: Day) -> bool {
        self.scopes.find(self.place(platform, province, industry), day).is_some()
    }

    /// Codes of the platforms with a scope row of any province and industry that holds on this day.
    pub fn platforms_in_scope(&self, day: Day) -> Vec<&str> {
        let holds = |row: &&Arc<RegistryRow>| {
            let draft = &row.draft;
            draft.kind == RowKind::Scope
                && !self.is_superseded(row.id)
                && draft.valid_from <= day
                && draft.valid_to.is_none_or(|to| day < to)
        };
        let named: HashSet<&str> = self.rows.iter().filter(holds).map(|r| r.draft.platform.as_str()).collect();
        let any = named.contains(ANY);
        let mut codes: Vec<&str> = self.platforms.keys().map(String::as_str).collect();
        codes.retain(|code| any || named.contains(code));
        codes.sort_unstable();
        codes
    }

    /// Rows of rules that decided about orders of a place in a month: how they were counted, which month and which province they belong to.
    pub fn rules_of_month(
        &self,
        platform: &str,
        province: Province,
        industry: &str,
        month: Period,
    ) -> BTreeSet<RowId> {
        let place = self.place(platform, province, industry);
        let (first, end) = (month.first_day().epoch_days(), month.next().first_day().epoch_days());
        let mut rows = BTreeSet::new();
        for day in (first..end).filter_map(Day::from_epoch_days) {
            rows.extend(self.periods_of.find(place, day).map(|span| span.row));
            rows.extend(self.count_rules.find(place, day).map(|span| span.row));
            for from in &self.provinces {
                let from_place = Place { province: province_number(*from), ..place };
                let map = self.area_maps.find(from_place, day);
                let leads_here =
                    |map: &&Span<AreaMap>| *from == province || map.value.provinces().any(|to| to == province);
                rows.extend(map.filter(leads_here).map(|span| span.row));
            }
        }
        rows
    }

    /// The same registry as it stood at an earlier revision, with no calendar.
    pub fn at_revision(&self, revision: RowId) -> Result<Self, CorruptRegistry> {
        let rows = self.rows.iter().take(revision.get() as usize).cloned().collect();
        Self::build(rows, Vec::new())
    }

    /// Codes nobody knows stand at a place of their own, where only "*" rows hold.
    pub(super) fn place(&self, platform: &str, province: Province, industry: &str) -> Place {
        let unknown = Place::ANY - 1;
        Place {
            platform: self.platforms.get(platform).copied().unwrap_or(unknown),
            province: province_number(province),
            industry: self.industries.get(industry).copied().unwrap_or(unknown),
        }
    }

    /// The province and the row that mapped it, if one did.
    pub(super) fn mapped_province(&self, nominal: Place, area: Area, day: Day) -> (Province, Option<RowId>) {
        let rule = self.area_maps.find(nominal, day);
        let mapped = rule.and_then(|span| span.value.province(area));
        (mapped.unwrap_or_else(|| area.nominal_province()), rule.map(|span| span.row))
    }
}

fn number_of(known: &HashMap<String, u16>, code: &str) -> Result<u16, String> {
    match code {
        ANY => Ok(Place::ANY),
        code => known.get(code).copied().ok_or_else(|| format!("names {code:?}, which no row made known")),
    }
}

pub(super) fn province_number(province: Province) -> u16 {
    province.as_str().parse().expect("a province is two digits")
}
