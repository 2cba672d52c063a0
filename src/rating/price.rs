//! Prices one order: out of scope, not charged, rate pending or charged, decided in this order.

use super::rule::PeriodOf;
use super::snapshot::{Snapshot, province_number};
use super::table::Place;
use crate::types::{Order, PremiumReason, PremiumState, Priced, RowId};

/// An order's price and the rows that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The price.
    pub priced: Priced,
    /// The scope row.
    pub scope: Option<RowId>,
    /// The rule rows, in the order asked: area_to_province, period_of, count_rule.
    pub rules: [Option<RowId>; 3],
}

impl Snapshot {
    /// The price of an order by the rows that hold on its day of acceptance (Asia/Shanghai).
    pub fn price(&self, order: &Order) -> Priced {
        self.explain(order).priced
    }

    /// The same, naming the rows.
    pub fn explain(&self, order: &Order) -> Explained {
        let day = order.accepted_at.day();
        let nominal =
            self.place(order.key.platform.as_str(), order.area.nominal_province(), order.industry.as_str());
        let (province, map_rule) = self.mapped_province(nominal, order.area, day);
        let place = Place { province: province_number(province), ..nominal };

        let period_of = self.periods_of.find(place, day);
        let service_period = match (period_of.map(|span| span.value), order.end) {
            (Some(PeriodOf::EndedAt), Some(end)) => end.at.period(),
            _ => order.accepted_at.period(),
        };
        let scope = self.scopes.find(place, day);
        let count_rule = self.count_rules.find(place, day);
        let rate = self.rates.find(place, day);
        let charged = order.end.map(|end| count_rule.is_some_and(|r| r.value.charges(end.kind)));

        let (state, reason) = match (scope, charged, rate) {
            (None, _, _) => (PremiumState::OutOfScope, PremiumReason::OutOfScope),
            (_, None, _) => (PremiumState::NotCharged, PremiumReason::Open),
            (_, Some(false), _) => (PremiumState::NotCharged, PremiumReason::EndKindNotCounted),
            (_, _, None) => (PremiumState::RatePending, PremiumReason::NoRate),
            (_, _, Some(_)) => (PremiumState::Charged, PremiumReason::Priced),
        };
        let rate = rate.filter(|_| state == PremiumState::Charged);
        Explained {
            priced: Priced {
                amount: rate.map(|span| span.value),
                state,
                reason,
                province,
                period: self.period_at(place, service_period),
                service_period,
                rate: rate.map(|span| span.row),
                revision: self.revision(),
            },
            scope: scope.map(|span| span.row),
            rules: [map_rule, period_of.map(|s| s.row), count_rule.map(|s| s.row)],
        }
    }
}
