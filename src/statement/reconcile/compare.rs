//! How two sides differ. Pure.

use super::columns::Column;
use super::difference::Side;
use super::spool::SpooledLine;
use crate::ledger::{adjusted, net, standing};
use crate::rating::{Snapshot, round_to_fen};
use crate::store::{BookedOf, StoreError, StoreResult};
use crate::types::{DifferenceType, LineKind, Money, Period, Posted, PremiumState, RowId, Sort};

/// What the lines of an order that are booked in a month come to.
#[derive(Clone, Debug)]
pub struct Booking {
    side: Side,
    rate: Option<RowId>,
    net: Money,
    charges: i64,
    /// The line that says what the order is: not a reversal, which repeats what was, and the newest.
    newest: (bool, u16),
}

impl Booking {
    /// Of the first line; the month is the same of all.
    pub fn of(line: &SpooledLine<'_>, period: Period) -> StoreResult<Self> {
        let mut booking = Self {
            side: Side { period: Some(period), ..Side::NONE },
            rate: None,
            net: Money::ZERO,
            charges: 0,
            newest: (false, 0),
        };
        booking.add(line)?;
        Ok(booking)
    }

    /// A further line, in any order.
    pub fn add(&mut self, line: &SpooledLine<'_>) -> StoreResult<()> {
        let unheld = || StoreError::Corrupt("line: a sum cannot be held".to_owned());
        self.net = self.net.checked_add(line.amount).ok_or_else(unheld)?;
        self.charges += match line.kind {
            LineKind::Charge => 1,
            LineKind::Reversal => -1,
            LineKind::Open | LineKind::Adjustment => 0,
        };
        let newest = (line.kind != LineKind::Reversal, line.slot);
        if newest > self.newest {
            self.newest = newest;
            self.rate = line.rate;
            self.side = Side {
                province: Some(line.province),
                industry: Some(line.industry.clone()),
                period: self.side.period,
                service_period: Some(line.service_period),
                worker: Some(line.worker),
                state: Some(line.state),
                ..Side::NONE
            };
        }
        Ok(())
    }

    /// Their sum.
    pub const fn net(&self) -> Money {
        self.net
    }

    /// A file of the month must have it: there is an amount, or one will be.
    pub fn is_due(&self) -> bool {
        self.net != Money::ZERO || self.charges > 0 && self.side.state == Some(PremiumState::RatePending)
    }

    /// As a side.
    pub fn side(&self, rates: &Snapshot) -> Side {
        let mut side = self.side.clone();
        if self.charges <= 0 && self.net == Money::ZERO {
            side.state = Some(PremiumState::NotCharged);
        }
        side.premium = (self.net != Money::ZERO || side.state == Some(PremiumState::Charged)).then_some(self.net);
        side.rate = self.rate.and_then(|row| rates.row(row)?.draft.price());
        side
    }
}

/// An order that has no line in the month: as its ended line that stands says, else its newest, with the sum of that one's month. Nothing without lines.
pub fn elsewhere(lines: &[Posted], rates: &Snapshot) -> StoreResult<Option<Side>> {
    let charge = standing(lines, Sort::Ended);
    let Some(posted) = charge.or(lines.last()) else { return Ok(None) };
    let unheld = || StoreError::Corrupt("line: a sum cannot be held".to_owned());
    let month = |other: &&Posted| other.line.priced.period == posted.line.priced.period;
    let of_month: Vec<Posted> = lines.iter().filter(month).cloned().collect();
    let net = net(&of_month).ok_or_else(unheld)?;
    let priced = adjusted(lines, &posted.line);
    let state = if charge.is_some() { priced.state } else { PremiumState::NotCharged };
    let order = &posted.line.order;
    Ok(Some(Side {
        province: Some(priced.province),
        industry: Some(order.industry.clone()),
        period: Some(priced.period),
        service_period: Some(priced.service_period),
        worker: Some(order.worker),
        rate: priced.rate.and_then(|row| rates.row(row)?.draft.price()),
        premium: (net != Money::ZERO || state == PremiumState::Charged).then_some(net),
        state: Some(state),
        count: None,
    }))
}

/// In what they differ. What the source does not say is as it was asked for, or not compared.
pub fn differing(source: &Side, ledger: &Side, asked: &BookedOf) -> Vec<DifferenceType> {
    let mut found = Vec::new();
    let mut note = |differs: bool, kind| found.extend(differs.then_some(kind));
    note(differ(source.province.or(asked.province), ledger.province), DifferenceType::ProvinceDiff);
    let industry = source.industry.as_ref().or(asked.industry.as_ref());
    note(differ(industry, ledger.industry.as_ref()), DifferenceType::IndustryDiff);
    let month = differ(source.period.or(Some(asked.period)), ledger.period);
    note(month || differ(source.service_period, ledger.service_period), DifferenceType::MonthDiff);
    note(differ(source.worker, ledger.worker), DifferenceType::WorkerDiff);
    note(differ(source.rate, ledger.rate), DifferenceType::RateDiff);
    found.extend(source.premium.and_then(|told| of_amounts(told, ledger.premium.unwrap_or_default())));
    found
}

/// Both are told, and not the same.
pub fn differ<T: PartialEq>(source: Option<T>, ledger: Option<T>) -> bool {
    source.is_some() && ledger.is_some() && source != ledger
}

/// In what two amounts differ, if they do.
pub fn of_amounts(source: Money, ledger: Money) -> Option<DifferenceType> {
    match source {
        _ if source == ledger => None,
        _ if source == round_to_fen(ledger).0 => Some(DifferenceType::RoundingOnly),
        _ => Some(DifferenceType::AmountDiff),
    }
}

/// The column of a row that says that it is of something else than was asked for.
pub fn not_asked(row: &Side, asked: &BookedOf) -> Option<Column> {
    let industry = row.industry.as_ref().zip(asked.industry.as_ref());
    match () {
        () if row.period.is_some_and(|period| period != asked.period) => Some(Column::Period),
        () if differ(row.province, asked.province) => Some(Column::Province),
        () if industry.is_some_and(|(has, asked)| has != asked) => Some(Column::Industry),
        () => None,
    }
}
