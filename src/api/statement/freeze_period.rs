//! FreezePeriod: fixes a month's statements for good.

use super::{StatementApi, Step};
use crate::api::proto as pb;
use crate::types::{PeriodStep, Violations};
use tonic::Status;

impl StatementApi {
    pub(super) async fn freeze_period(
        &self,
        request: pb::FreezePeriodRequest,
    ) -> Result<pb::FreezePeriodResponse, Status> {
        let step = Step {
            step: PeriodStep::Freeze,
            platform_code: request.platform_code,
            province_code: request.province_code,
            period: request.period,
            amount: None,
            document: String::new(),
            dated_on: None,
        };
        let account = self.step(request.request_id, step, Violations::default()).await?;
        Ok(pb::FreezePeriodResponse { account: Some(account) })
    }
}
