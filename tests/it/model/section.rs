//! The model's statement written out: its sections, the one rounding, the rules behind it, the digest.

use super::{
    State,
    statement::{Entries, Place, SumKey},
};
use premium_ledger::{
    api::proto as pb,
    types::{Day, Money, Period, RowKind},
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// 0.01 yuan.
const FEN_MICROS: i64 = 10_000;

impl State {
    /// One statement out of its entries; zeros where there are none.
    pub fn statement(&self, place: &Place, entries: &Entries) -> pb::Statement {
        let mut sections: BTreeMap<Period, Entries> = BTreeMap::new();
        for (key, sums) in entries {
            sections.entry(key.service_period).or_default().insert(*key, *sums);
        }
        let month = &place.month;
        let current = sections.remove(&month.period).map(|entries| self.section(month.period, &entries));
        let prior = sections.iter().map(|(service_period, entries)| self.section(*service_period, entries));
        let exact: i64 = entries.values().map(|sums| sums.amount).sum();
        let rounded = in_whole_fen(exact);
        let revisions: BTreeSet<u64> = entries.keys().map(|key| key.revision).collect();
        pb::Statement {
            key: Some(pb::StatementKey {
                platform_code: month.platform.clone(),
                province_code: month.province.clone(),
                industry_code: place.industry.clone(),
                period: month.period.to_string(),
            }),
            state: self.month_state(month) as i32,
            current,
            prior: prior.collect(),
            exact: money(exact),
            rounded: money(rounded),
            residual: money(exact - rounded),
            registry_revisions: revisions.into_iter().collect(),
            rule_ids: self.rule_ids(place, entries),
            seal: 0,
            digest: digest(place, entries),
        }
    }

    /// What the lines of one service period say together.
    fn section(&self, service_period: Period, entries: &Entries) -> pb::StatementSection {
        let of_kind = |kind: pb::LineKind| Some(totals(entries, |key| key.kind == kind));
        // An OPEN has no rate and never will; it is not one of the lines without a rate.
        let priced = entries.iter().filter(|(key, sums)| key.kind != pb::LineKind::Open && sums.lines != 0);
        let rates: BTreeSet<Option<u64>> = priced.map(|(key, _)| key.rate).collect();
        pb::StatementSection {
            service_period: service_period.to_string(),
            standing: Some(standing_counts(entries)),
            opens: of_kind(pb::LineKind::Open),
            charges: of_kind(pb::LineKind::Charge),
            reversals: of_kind(pb::LineKind::Reversal),
            adjustments: of_kind(pb::LineKind::Adjustment),
            rates: rates.into_iter().map(|rate| self.rate_totals(rate, entries)).collect(),
            amount: money(entries.values().map(|sums| sums.amount).sum()),
        }
    }

    /// What was booked at one rate row, or at none.
    fn rate_totals(&self, rate: Option<u64>, entries: &Entries) -> pb::RateTotals {
        let of_kind = |kind: pb::LineKind| Some(totals(entries, |key| key.rate == rate && key.kind == kind));
        pb::RateTotals {
            rate_id: rate.unwrap_or(0),
            rate: rate.map_or(String::new(), |id| self.effective_rate(id)),
            charges: of_kind(pb::LineKind::Charge),
            reversals: of_kind(pb::LineKind::Reversal),
            adjustments: of_kind(pb::LineKind::Adjustment),
        }
    }

    /// Base x factor of a rate row.
    fn effective_rate(&self, id: u64) -> String {
        let row = &self.rows[id as usize - 1];
        let base = row.base.expect("a rate has a base");
        let rate = base.checked_times(row.factor.expect("a rate has a factor"));
        rate.expect("a rate that is not exact is refused").to_string()
    }

    /// The rules by which the orders of the entries' service periods were judged, in the registry of each entry's revision.
    fn rule_ids(&self, place: &Place, entries: &Entries) -> Vec<u64> {
        let asked: BTreeSet<(u64, Period)> =
            entries.keys().map(|key| (key.revision, key.service_period)).collect();
        let mut ids: BTreeSet<u64> = BTreeSet::new();
        for (revision, service_period) in asked {
            // Scopes and rates are many, and no rule is found through them.
            let of_rules = |kind: RowKind| kind == RowKind::Rule || kind == RowKind::Province;
            let rows = self.rows.iter().filter(|row| row.id <= revision && of_rules(row.kind));
            let then = Self { rows: rows.cloned().collect(), ..Self::default() };
            ids.extend(then.rules_in(place, service_period));
        }
        ids.into_iter().collect()
    }

    /// The rules that hold on some day of a month for the orders of a statement.
    fn rules_in(&self, place: &Place, service_period: Period) -> BTreeSet<u64> {
        let (platform, province) = (place.month.platform.as_str(), place.month.province.as_str());
        let mut ids: BTreeSet<u64> = BTreeSet::new();
        for day in self.turning_days(service_period) {
            for name in ["period_of", "count_rule"] {
                let rule = self.find(RowKind::Rule, name, [platform, province, &place.industry], day);
                ids.extend(rule.map(|rule| rule.id));
            }
            // The rule for areas is asked with the province of the area's first digits, which may lose the area to another.
            for nominal in self.provinces() {
                let key = [platform, nominal.as_str(), place.industry.as_str()];
                let rule = self.find(RowKind::Rule, "area_to_province", key, day);
                let leads_here = |value: &str| nominal == province || maps_to(value, province);
                ids.extend(rule.filter(|rule| leads_here(&rule.value)).map(|rule| rule.id));
            }
        }
        ids
    }

    /// The days of a month on which another rule may hold than on the day before, and its first.
    fn turning_days(&self, period: Period) -> BTreeSet<Day> {
        let rules = self.rows.iter().filter(|row| row.kind == RowKind::Rule);
        let turns = rules.flat_map(|row| [Some(row.valid_from), row.valid_to]).flatten();
        turns.filter(|day| day.period() == period).chain([period.first_day()]).collect()
    }

    /// All provinces that the registry has.
    fn provinces(&self) -> BTreeSet<String> {
        let rows = self.rows.iter().filter(|row| row.kind == RowKind::Province && self.in_force(row));
        rows.map(|row| row.province.clone()).collect()
    }
}

/// The value of a rule `area_to_province` moves some area to the province.
fn maps_to(value: &str, province: &str) -> bool {
    value.split(',').filter_map(|pair| pair.split_once('=')).any(|(_, to)| to == province)
}

/// How many lines, and their exact sum.
fn totals(entries: &Entries, wanted: impl Fn(&SumKey) -> bool) -> pb::LineTotals {
    let (mut count, mut amount) = (0, 0);
    for (_, sums) in entries.iter().filter(|(key, _)| wanted(key)) {
        count += sums.lines;
        amount += sums.amount;
    }
    pb::LineTotals { count, amount: money(amount) }
}

/// How many keys stand how, or by how much that has changed.
fn standing_counts(entries: &Entries) -> pb::StandingCounts {
    let mut counts = pb::StandingCounts::default();
    let mut not_charged: BTreeMap<pb::EndKind, i64> = BTreeMap::new();
    for (key, sums) in entries {
        match (key.state, key.end_kind) {
            (pb::PremiumState::Charged, _) => counts.charged += sums.standing,
            (pb::PremiumState::RatePending, _) => counts.rate_pending += sums.standing,
            (pb::PremiumState::OutOfScope, _) => counts.out_of_scope += sums.standing,
            (pb::PremiumState::NotCharged, None) => counts.open += sums.standing,
            (pb::PremiumState::NotCharged, Some(kind)) => *not_charged.entry(kind).or_default() += sums.standing,
            (pb::PremiumState::Unspecified, _) => unreachable!("every line has a state"),
        }
    }
    let told = not_charged.into_iter().filter(|(_, count)| *count != 0);
    counts.not_charged = told.map(|(kind, count)| pb::EndKindCount { end_kind: kind as i32, count }).collect();
    counts
}

/// Half a fen goes away from zero.
fn in_whole_fen(micros: i64) -> i64 {
    micros.signum() * ((micros.abs() + FEN_MICROS / 2) / FEN_MICROS) * FEN_MICROS
}

fn money(micros: i64) -> String {
    Money::from_micros(micros).to_string()
}

/// "Digest of a statement" of proto/ENCODING.md.
fn digest(place: &Place, entries: &Entries) -> Vec<u8> {
    let period = |period: Period| (period.number() as u32).to_be_bytes();
    let mut bytes = vec![1u8];
    for text in [&place.month.platform, &place.month.province, &place.industry] {
        bytes.extend((text.len() as u16).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(period(place.month.period));
    bytes.extend((entries.len() as u32).to_be_bytes());
    for (key, sums) in entries {
        bytes.extend(period(key.service_period));
        bytes.extend([key.kind as u8, key.state as u8]);
        match key.end_kind {
            None => bytes.push(0),
            Some(kind) => bytes.extend([1, kind as u8]),
        }
        match key.rate {
            None => bytes.push(0),
            Some(rate) => {
                bytes.push(1);
                bytes.extend((rate as u32).to_be_bytes());
            }
        }
        bytes.extend((key.revision as u32).to_be_bytes());
        bytes.extend((sums.lines as i64).to_be_bytes());
        bytes.extend(sums.amount.to_be_bytes());
        bytes.extend(sums.standing.to_be_bytes());
    }
    Sha256::digest(&bytes).to_vec()
}
