//! RecordDeclaration: what was declared to the tax office for a frozen month.

use super::{StatementApi, Step, past_day, whole_fen};
use crate::api::{decode, proto as pb};
use crate::types::{Code, Malformed, Money, PeriodStep, ViolationCode, Violations};
use tonic::Status;

impl StatementApi {
    pub(super) async fn record_declaration(
        &self,
        request: pb::RecordDeclarationRequest,
    ) -> Result<pb::RecordDeclarationResponse, Status> {
        let mut wrong = Violations::default();
        let told = wrong.take("declaration", decode::required(request.declaration)).unwrap_or_default();
        let no = wrong.take("declaration.declaration_no", Code::parse(told.declaration_no));
        let dated_on = wrong.take("declaration.declared_on", past_day(&told.declared_on, self.clock.now().day()));
        let amount = wrong.take("declaration.amount", due(&told.amount));
        let step = Step {
            step: PeriodStep::Declaration,
            platform_code: request.platform_code,
            province_code: request.province_code,
            period: request.period,
            amount,
            document: no.map(|no| no.to_string()).unwrap_or_default(),
            dated_on,
        };
        let account = self.step(request.request_id, step, wrong).await?;
        Ok(pb::RecordDeclarationResponse { account: Some(account) })
    }
}

/// Not negative.
fn due(text: &str) -> Result<Money, Malformed> {
    match whole_fen(text)? {
        amount if amount >= Money::ZERO => Ok(amount),
        _ => Err(Malformed::new(ViolationCode::OutOfRange, "must not be negative")),
    }
}
