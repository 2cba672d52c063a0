//! How far a month has come, as a message.

use super::StatementApi;
use crate::api::{proto as pb, status};
use crate::rating::{PeriodAccount, Snapshot};
use crate::types::{CalendarEntry, Code, Period, Province};
use tonic::Status;

impl StatementApi {
    /// Nothing while the month is open. One that was skipped when the first was frozen is frozen with that one, and has no money.
    pub(super) async fn account(
        &self,
        platform: &Code,
        province: Province,
        period: Period,
        snapshot: &Snapshot,
    ) -> Result<Option<pb::PeriodAccount>, Status> {
        let Some(account) = snapshot.calendar().account(platform, province, period) else { return Ok(None) };
        let seal = self.registry.sealed(account.frozen.position.journal).await.map_err(status::intake_status)?;
        let own = account.frozen.draft.period == period;
        let declared = account.declaration.as_ref().filter(|_| own);
        let payments = if own { account.payments.as_slice() } else { &[] };
        Ok(Some(pb::PeriodAccount {
            platform_code: platform.to_string(),
            province_code: province.as_str().to_owned(),
            period: period.to_string(),
            state: snapshot.calendar().state(platform, province, period).code().into(),
            frozen_seal: seal.get(),
            declaration: declared.map(|entry| pb::Declaration {
                declaration_no: entry.draft.document.clone(),
                declared_on: day(entry),
                amount: amount(entry),
            }),
            payments: payments.iter().map(|entry| payment(entry)).collect(),
            paid: if own { account.paid.to_string() } else { "0.00".to_owned() },
            late_fee: if own { self.late_fee(account, snapshot) } else { None },
        }))
    }
}

impl StatementApi {
    fn late_fee(&self, account: &PeriodAccount, snapshot: &Snapshot) -> Option<pb::LateFee> {
        let today = self.clock.now().day();
        let late = snapshot.late_fee(account, today)?;
        Some(pb::LateFee {
            rule_id: late.rule.get().into(),
            due_on: late.due_on.to_string(),
            as_of: today.to_string(),
            amount: late.amount.to_string(),
        })
    }
}

fn payment(entry: &CalendarEntry) -> pb::Payment {
    pb::Payment { receipt_no: entry.draft.document.clone(), paid_on: day(entry), amount: amount(entry) }
}

fn day(entry: &CalendarEntry) -> String {
    entry.draft.dated_on.map(|day| day.to_string()).unwrap_or_default()
}

fn amount(entry: &CalendarEntry) -> String {
    entry.draft.amount.map(|amount| amount.to_string()).unwrap_or_default()
}
