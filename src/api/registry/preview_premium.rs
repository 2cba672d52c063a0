//! PreviewPremium: prices an order without booking it, and names the rows that decided.

use super::RegistryApi;
use super::rows::message;
use crate::api::{decode, decode_order, encode, proto as pb, status};
use crate::types::Violations;
use tonic::Status;

impl RegistryApi {
    pub(super) fn preview_premium(
        &self,
        request: pb::PreviewPremiumRequest,
    ) -> Result<pb::PreviewPremiumResponse, Status> {
        let mut wrong = Violations::default();
        let Some(order) = wrong.take("order", decode::required(request.order)) else {
            return Err(status::invalid("", &wrong));
        };
        let snapshot = self.registry.snapshot();
        let order = decode_order::decode(order, &snapshot, self.clock.now());
        let order = order.map_err(|refused| status::invalid("order.", &refused.violations))?;
        let explained = snapshot.explain(&order);
        let priced = explained.priced;
        let row = |id| snapshot.row(id);
        Ok(pb::PreviewPremiumResponse {
            premium: encode::money(priced.amount),
            premium_state: priced.state.code().into(),
            reason_code: priced.reason.code().into(),
            period: priced.period.to_string(),
            service_period: priced.service_period.to_string(),
            province_code: priced.province.as_str().to_owned(),
            scope: explained.scope.and_then(row).map(|row| message(row)),
            rate: priced.rate.and_then(row).map(|row| message(row)),
            rules: explained.rules.into_iter().flatten().filter_map(row).map(|row| message(row)).collect(),
            registry_revision: priced.revision.get().into(),
        })
    }
}
