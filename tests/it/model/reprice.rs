//! The model prices booked orders anew: every order looked at, one after the other.

use super::{
    State,
    event::Key,
    invalid,
    line::{Line, adjusted, standing},
    now,
};
use premium_ledger::{
    api::proto as pb,
    types::{Code, Day, Money, RowKind},
};
use std::collections::BTreeMap;
use tonic::Status;

/// Platform, province, industry, month of the CHARGE.
type Place = (String, String, String, String);
/// Unchanged, adjusted, before, after.
type Sums = (u64, u64, i64, i64);
type Totals = BTreeMap<Place, Sums>;

impl State {
    pub fn reprice_orders(
        &mut self,
        request: pb::RepriceOrdersRequest,
    ) -> Result<pb::RepriceOrdersResponse, Status> {
        let known = |kind, code: &str| code.is_empty() || self.knows(kind, code);
        let fields = [
            (known(RowKind::Platform, &request.platform_code), "platform_code"),
            (known(RowKind::Province, &request.province_code), "province_code"),
            (known(RowKind::Industry, &request.industry_code), "industry_code"),
            (Day::parse(&request.accepted_from).is_ok(), "accepted_from"),
            (
                request.accepted_before.is_empty() || Day::parse(&request.accepted_before).is_ok(),
                "accepted_before",
            ),
            (request.dry_run || Code::check(&request.request_id).is_ok(), "request_id"),
        ];
        if let Some((_, field)) = fields.iter().find(|(right, _)| !right) {
            return Err(invalid(field));
        }
        if request.dry_run {
            return Ok(self.clone().price_anew(&request));
        }
        let content = format!(
            "RepriceOrders {:?}",
            pb::RepriceOrdersRequest { request_id: String::new(), ..request.clone() }
        );
        self.once(&request.request_id.clone(), content, |state| Ok(state.price_anew(&request)))
    }

    fn price_anew(&mut self, request: &pb::RepriceOrdersRequest) -> pb::RepriceOrdersResponse {
        let (mut totals, mut other_province) = (Totals::new(), 0);
        let keys: Vec<Key> = self.orders.keys().cloned().collect();
        for key in keys {
            let lines = self.orders[&key].clone();
            let Some(charge) = standing(&lines, pb::LineKind::Charge) else { continue };
            if charge.priced.revision >= self.revision() || !wanted(request, charge) {
                continue;
            }
            let priced = self.price(&charge.event);
            if priced.province != charge.priced.province {
                other_province += 1;
                continue;
            }
            // What this revision has adjusted already is counted as it was before, and not adjusted again.
            let (done, earlier): (Vec<Line>, Vec<Line>) = lines
                .iter()
                .filter(|line| line.kind == pb::LineKind::Adjustment && line.corrects.as_ref() == Some(&charge.id))
                .cloned()
                .partition(|line| line.priced.revision >= self.revision());
            let micros = |line: &Line| line.priced.amount.map_or(0, Money::micros);
            let before: i64 = micros(charge) + earlier.iter().map(micros).sum::<i64>();
            let after = priced.amount.map_or(0, Money::micros);
            let place = (
                key.0.clone(),
                charge.priced.province.clone(),
                charge.event.industry.clone(),
                charge.priced.period.to_string(),
            );
            let sums = totals.entry(place).or_default();
            if before == after && adjusted(&earlier, charge).state == priced.state {
                sums.0 += 1;
                continue;
            }
            *sums = (sums.0, sums.1 + 1, sums.2 + before, sums.3 + after);
            if !done.is_empty() {
                continue;
            }
            let mut adjustment = charge.clone();
            adjustment.id = self.next_line_id();
            adjustment.slot = lines.iter().map(|line| line.slot).max().unwrap_or(1).max(1) + 1;
            adjustment.kind = pb::LineKind::Adjustment;
            adjustment.corrects = Some(charge.id.clone());
            adjustment.received_at = now();
            adjustment.reversal_reason = 0;
            adjustment.priced.period =
                self.booking_month(&key.0, &charge.priced.province, charge.priced.service_period);
            adjustment.priced.amount = Some(Money::from_micros(after - before));
            (adjustment.priced.state, adjustment.priced.reason) = (priced.state, priced.reason);
            (adjustment.priced.rate, adjustment.priced.revision) = (priced.rate, priced.revision);
            self.book(adjustment);
        }
        pb::RepriceOrdersResponse {
            registry_revision: self.revision(),
            totals: totals.into_iter().map(wire).collect(),
            other_province,
            done: true,
            ..Default::default()
        }
    }
}

fn wanted(request: &pb::RepriceOrdersRequest, charge: &Line) -> bool {
    let is = |asked: &str, has: &str| asked.is_empty() || asked == has;
    let day = charge.event.accepted_at.day();
    is(&request.platform_code, &charge.event.platform)
        && is(&request.province_code, &charge.priced.province)
        && is(&request.industry_code, &charge.event.industry)
        && Day::parse(&request.accepted_from).is_ok_and(|from| from <= day)
        && Day::parse(&request.accepted_before).map_or(true, |before| day < before)
}

fn wire((place, sums): (Place, Sums)) -> pb::RepriceTotals {
    let (platform, province, industry, period) = place;
    pb::RepriceTotals {
        platform_code: platform,
        province_code: province,
        industry_code: industry,
        period,
        unchanged: sums.0,
        adjusted: sums.1,
        before: Money::from_micros(sums.2).to_string(),
        after: Money::from_micros(sums.3).to_string(),
    }
}
