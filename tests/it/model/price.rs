//! The model's rules: which province, which month, in scope or not, counted or not, and at what rate.

use super::{
    State,
    event::Event,
    put::{wire_rate, wire_rule, wire_scope},
};
use premium_ledger::{
    api::proto as pb,
    types::{Day, Instant, Money, Period, RowKind},
};

/// What an event costs, and the rows that decided.
#[derive(Clone)]
pub struct Priced {
    pub amount: Option<Money>,
    pub state: pb::PremiumState,
    pub reason: pb::PremiumReason,
    /// The month in which it is booked: the service period, or where that is frozen the first open one after it.
    pub period: Period,
    /// The month to which the order belongs, by the rule `period_of`.
    pub service_period: Period,
    pub province: String,
    pub scope: Option<u64>,
    pub rate: Option<u64>,
    /// The rules that were asked, in the order of asking.
    pub rules: Vec<u64>,
    pub revision: u64,
}

impl State {
    /// The province that counts for an area, and the rule that was asked.
    pub fn province_of(&self, platform: &str, area: &str, industry: &str, day: Day) -> (String, Option<u64>) {
        let nominal = &area[..2];
        let rule = self.find(RowKind::Rule, "area_to_province", [platform, nominal, industry], day);
        let pairs = rule.iter().flat_map(|rule| rule.value.split(',')).filter_map(|pair| pair.split_once('='));
        let longest = pairs.filter(|(begin, _)| area.starts_with(begin)).max_by_key(|(begin, _)| begin.len());
        let province = longest.map_or(nominal, |(_, province)| province);
        (province.to_owned(), rule.map(|rule| rule.id))
    }

    /// The longest an order may take, seconds, by the rule of its day of acceptance.
    pub fn order_length(&self, platform: &str, area: &str, industry: &str, accepted_at: Instant) -> i64 {
        let day = accepted_at.day();
        let (province, _) = self.province_of(platform, area, industry, day);
        let rule = self.find(RowKind::Rule, "order_length", [platform, &province, industry], day);
        rule.and_then(|rule| hours(&rule.value)).unwrap_or(72) * 3_600
    }

    /// The scope row of an event's day of acceptance.
    pub fn scope_of(&self, event: &Event, province: &str) -> Option<u64> {
        let key = [event.platform.as_str(), province, event.industry.as_str()];
        self.find(RowKind::Scope, "", key, event.accepted_at.day()).map(|row| row.id)
    }

    /// Prices an event by the rows of its day of acceptance.
    pub fn price(&self, event: &Event) -> Priced {
        let day = event.accepted_at.day();
        let (province, area_rule) = self.province_of(&event.platform, &event.area, &event.industry, day);
        let key = [event.platform.as_str(), province.as_str(), event.industry.as_str()];
        let period_rule = self.find(RowKind::Rule, "period_of", key, day);
        let by_end = period_rule.is_some_and(|rule| rule.value == "ENDED_AT");
        let decisive = if by_end { event.ended_at() } else { None };
        let service_period = decisive.unwrap_or(event.accepted_at).period();
        let mut priced = Priced {
            amount: None,
            state: pb::PremiumState::OutOfScope,
            reason: pb::PremiumReason::OutOfScope,
            period: self.booking_month(&event.platform, &province, service_period),
            service_period,
            province: province.clone(),
            scope: self.scope_of(event, &province),
            rate: None,
            rules: area_rule.into_iter().chain(period_rule.map(|rule| rule.id)).collect(),
            revision: self.revision(),
        };
        if priced.scope.is_none() {
            return priced;
        }
        let Some((_, end_kind)) = event.end else {
            (priced.state, priced.reason) = (pb::PremiumState::NotCharged, pb::PremiumReason::Open);
            return priced;
        };
        let count_rule = self.find(RowKind::Rule, "count_rule", key, day);
        priced.rules.extend(count_rule.map(|rule| rule.id));
        let counted = count_rule.map_or("COMPLETED", |rule| rule.value.as_str());
        if !counted.split(',').any(|name| format!("END_KIND_{name}") == end_kind.as_str_name()) {
            priced.state = pb::PremiumState::NotCharged;
            priced.reason = pb::PremiumReason::EndKindNotCounted;
            return priced;
        }
        match self.find(RowKind::Rate, "", key, day) {
            None => (priced.state, priced.reason) = (pb::PremiumState::RatePending, pb::PremiumReason::NoRate),
            Some(row) => {
                (priced.state, priced.reason) = (pb::PremiumState::Charged, pb::PremiumReason::Priced);
                let base = row.base.expect("a rate has a base");
                priced.amount = base.checked_times(row.factor.expect("a rate has a factor"));
                priced.rate = Some(row.id);
            }
        }
        priced
    }

    /// What an order would cost.
    pub fn preview(
        &self,
        request: &pb::PreviewPremiumRequest,
    ) -> Result<pb::PreviewPremiumResponse, tonic::Status> {
        let order = request.order.as_ref().ok_or_else(|| super::invalid("order"))?;
        let event = self.check(order, super::now()).map_err(|wrong| super::invalid(&format!("{wrong:?}")))?;
        let priced = self.price(&event);
        let row = |id: u64| &self.rows[id as usize - 1];
        Ok(pb::PreviewPremiumResponse {
            premium: priced.amount.map_or(String::new(), |amount| amount.to_string()),
            premium_state: priced.state as i32,
            reason_code: priced.reason as i32,
            period: priced.period.to_string(),
            service_period: priced.service_period.to_string(),
            province_code: priced.province,
            scope: priced.scope.map(|id| wire_scope(row(id))),
            rate: priced.rate.map(|id| wire_rate(row(id))),
            rules: priced.rules.into_iter().map(|id| wire_rule(row(id))).collect(),
            registry_revision: priced.revision,
        })
    }
}

/// "PT72H": 72. Nothing but whole hours from 1 to 168.
pub fn hours(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("PT")?.strip_suffix('H')?;
    let hours = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    (1..=168).contains(&hours).then_some(hours)
}
