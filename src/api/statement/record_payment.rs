//! RecordPayment: what was paid, or paid back, for a declared month.

use super::{StatementApi, Step, past_day, whole_fen};
use crate::api::{decode, proto as pb};
use crate::types::{Code, Malformed, Money, PeriodStep, ViolationCode, Violations};
use tonic::Status;

impl StatementApi {
    pub(super) async fn record_payment(
        &self,
        request: pb::RecordPaymentRequest,
    ) -> Result<pb::RecordPaymentResponse, Status> {
        let mut wrong = Violations::default();
        let told = wrong.take("payment", decode::required(request.payment)).unwrap_or_default();
        let no = wrong.take("payment.receipt_no", Code::parse(told.receipt_no));
        let dated_on = wrong.take("payment.paid_on", past_day(&told.paid_on, self.clock.now().day()));
        let amount = wrong.take("payment.amount", moved(&told.amount));
        let step = Step {
            step: PeriodStep::Payment,
            platform_code: request.platform_code,
            province_code: request.province_code,
            period: request.period,
            amount,
            document: no.map(|no| no.to_string()).unwrap_or_default(),
            dated_on,
        };
        let account = self.step(request.request_id, step, wrong).await?;
        Ok(pb::RecordPaymentResponse { account: Some(account) })
    }
}

/// Not zero.
fn moved(text: &str) -> Result<Money, Malformed> {
    match whole_fen(text)? {
        Money::ZERO => Err(Malformed::new(ViolationCode::OutOfRange, "must not be zero")),
        amount => Ok(amount),
    }
}
