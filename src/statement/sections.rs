//! A statement's sums as people read them. Pure.

use crate::types::{EndKind, LineKind, Money, Period, PremiumState, RowId, Sums, TotalKey};
use std::collections::BTreeMap;

/// Lines of one service period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The month that the orders belong to.
    pub service_period: Period,
    /// How order keys stand.
    pub standing: Standing,
    /// OPEN lines.
    pub opens: LineSums,
    /// CHARGE lines.
    pub charges: LineSums,
    /// REVERSAL lines.
    pub reversals: LineSums,
    /// ADJUSTMENT lines.
    pub adjustments: LineSums,
    /// By rate row; those without one first.
    pub rates: BTreeMap<Option<RowId>, RateSums>,
}

/// By how much the numbers of order keys grew that stand so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Ended and charged.
    pub charged: i64,
    /// Ended in a way that is not counted.
    pub not_charged: BTreeMap<EndKind, i64>,
    /// Ended and due, without a rate.
    pub rate_pending: i64,
    /// Out of scope, open or ended.
    pub out_of_scope: i64,
    /// Accepted, no end told.
    pub open: i64,
}

/// Lines of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineSums {
    /// How many.
    pub count: i64,
    /// Their exact sum.
    pub amount: Money,
}

/// What was booked at one rate row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateSums {
    /// CHARGE lines.
    pub charges: LineSums,
    /// REVERSAL lines.
    pub reversals: LineSums,
    /// ADJUSTMENT lines.
    pub adjustments: LineSums,
}

impl LineSums {
    /// Every part of a statement is bounded by the statement's sum of absolute amounts, which the store has held.
    fn add(&mut self, sums: &Sums) {
        self.count += sums.lines;
        self.amount = Money::from_micros(self.amount.micros() + sums.amount.micros());
    }
}

impl Section {
    /// From sums of one service period; at least one.
    pub(super) fn of(sums: &[(TotalKey, Sums)]) -> Self {
        let mut section = Self {
            service_period: sums[0].0.service_period,
            standing: Standing::default(),
            opens: LineSums::default(),
            charges: LineSums::default(),
            reversals: LineSums::default(),
            adjustments: LineSums::default(),
            rates: BTreeMap::new(),
        };
        for (key, sums) in sums {
            section.take(key, sums);
        }
        section.standing.not_charged.retain(|_, count| *count != 0);
        section
    }

    fn take(&mut self, key: &TotalKey, sums: &Sums) {
        let standing = &mut self.standing;
        let count = match (key.state, key.end_kind) {
            (PremiumState::Charged, _) => &mut standing.charged,
            (PremiumState::RatePending, _) => &mut standing.rate_pending,
            (PremiumState::OutOfScope, _) => &mut standing.out_of_scope,
            (PremiumState::NotCharged, None) => &mut standing.open,
            (PremiumState::NotCharged, Some(kind)) => standing.not_charged.entry(kind).or_default(),
        };
        *count += sums.standing;
        if sums.lines == 0 {
            return;
        }
        let (of_kind, of_rate): (_, fn(&mut RateSums) -> &mut LineSums) = match key.kind {
            LineKind::Open => return self.opens.add(sums),
            LineKind::Charge => (&mut self.charges, |rate| &mut rate.charges),
            LineKind::Reversal => (&mut self.reversals, |rate| &mut rate.reversals),
            LineKind::Adjustment => (&mut self.adjustments, |rate| &mut rate.adjustments),
        };
        of_kind.add(sums);
        of_rate(self.rates.entry(key.rate).or_default()).add(sums);
    }

    /// Exact sum of all lines.
    pub fn amount(&self) -> Money {
        let parts = [&self.opens, &self.charges, &self.reversals, &self.adjustments];
        Money::from_micros(parts.iter().map(|part| part.amount.micros()).sum())
    }
}
