//! What a month that is paid late costs: only where a rule row says how (no text found).

use super::calendar::PeriodAccount;
use super::rule::LateFee;
use super::snapshot::Snapshot;
use super::table::Span;
use crate::types::{ANY, Day, Money, Period, Province, RowId};

/// A late fee as of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The rule row.
    pub rule: RowId,
    /// The day by which the month had to be paid.
    pub due_on: Day,
    /// Exact.
    pub amount: Money,
}

impl Snapshot {
    /// The late fee of a declared month as of a day; nothing where no rule holds on the first day of the month after, or nothing was declared.
    pub fn late_fee(&self, account: &PeriodAccount, on: Day) -> Option<Late> {
        let draft = &account.frozen.draft;
        let rule = self.late_fee_rule(draft.platform.as_str(), draft.province, draft.period.next().first_day())?;
        let due_on = due_on(draft.period, rule.value)?;
        Some(Late { rule: rule.row, due_on, amount: amount(account, rule.value, due_on, on)? })
    }

    fn late_fee_rule(&self, platform: &str, province: Province, day: Day) -> Option<&Span<LateFee>> {
        self.late_fees.find(self.place(platform, province, ANY), day)
    }
}

fn due_on(period: Period, rule: LateFee) -> Option<Day> {
    Day::from_epoch_days(period.next().first_day().epoch_days() + rule.due - 1)
}

/// Day by day, of what was declared and not paid by its begin. What was paid on the due day is not late.
fn amount(account: &PeriodAccount, rule: LateFee, due_on: Day, on: Day) -> Option<Money> {
    let declared = account.declaration.as_ref()?.draft.amount?;
    let mut payments: Vec<(Day, i64)> = Vec::with_capacity(account.payments.len());
    for payment in &account.payments {
        payments.push((payment.draft.dated_on?, payment.draft.amount?.micros()));
    }
    payments.sort_unstable();
    let (mut owed, mut since, mut days_of_micros) = (i128::from(declared.micros()), due_on, 0_i128);
    let mut pass = |owed: i128, to: Day| {
        let days = i128::from(to.epoch_days() - since.epoch_days()).max(0);
        days_of_micros += owed.max(0) * days;
        since = since.max(to);
    };
    for (day, micros) in payments.into_iter().filter(|(day, _)| *day <= on) {
        pass(owed, day);
        owed -= i128::from(micros);
    }
    pass(owed, on);
    // Whole 分 are ten thousand micro-yuan.
    i64::try_from(days_of_micros * i128::from(rule.rate) / 10_000).ok().map(Money::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CalendarDraft, CalendarEntry, Code, Epoch, JournalId, LineNo, PeriodStep, Position};
    use std::sync::Arc;

    fn entry(step: PeriodStep, amount: Option<&str>, dated_on: Option<&str>) -> Arc<CalendarEntry> {
        let position = Position { journal: JournalId::new(1).unwrap(), line_no: LineNo::new(0).unwrap() };
        let draft = CalendarDraft {
            step,
            platform: Code::parse("MEITUAN".to_owned()).unwrap(),
            province: Province::parse("31").unwrap(),
            period: Period::parse("2026-07").unwrap(),
            amount: amount.map(|text| Money::parse(text).unwrap()),
            document: "1".to_owned(),
            dated_on: dated_on.map(|text| Day::parse(text).unwrap()),
        };
        Arc::new(CalendarEntry { epoch: Epoch::new(1), position, draft })
    }

    fn fee(payments: &[(&str, &str)], on: &str) -> String {
        let account = PeriodAccount {
            frozen: entry(PeriodStep::Freeze, None, None),
            declaration: Some(entry(PeriodStep::Declaration, Some("1000.01"), Some("2026-08-05"))),
            payments: payments.iter().map(|(day, sum)| entry(PeriodStep::Payment, Some(sum), Some(day))).collect(),
            paid: Money::ZERO,
        };
        let rule = LateFee::parse("rate=0.0005,due=15").unwrap();
        let due_on = due_on(Period::parse("2026-07").unwrap(), rule).unwrap();
        assert_eq!(due_on.to_string(), "2026-08-15");
        amount(&account, rule, due_on, Day::parse(on).unwrap()).unwrap().to_string()
    }

    #[test]
    fn it_is_owed_for_each_day_after_the_due_day() {
        assert_eq!(fee(&[], "2026-08-15"), "0.00");
        assert_eq!(fee(&[], "2026-08-16"), "0.500005");
        assert_eq!(fee(&[], "2026-08-25"), "5.00005");
        assert_eq!(fee(&[("2026-08-15", "1000.01")], "2026-12-31"), "0.00");
        assert_eq!(fee(&[("2026-08-17", "1000.01")], "2026-12-31"), "1.00001");
        // Half before, some late and paid back, the rest later; what is to come does not count yet.
        let payments =
            [("2026-08-10", "500.01"), ("2026-08-20", "300"), ("2026-08-22", "-100"), ("2026-08-30", "300")];
        assert_eq!(fee(&payments, "2026-09-30"), "2.65");
        assert_eq!(fee(&payments, "2026-08-21"), "1.35");
        assert_eq!(fee(&[("2026-08-10", "2000")], "2026-12-31"), "0.00", "too much is not lent");
    }

    #[test]
    fn the_rule_is_a_rate_and_a_day() {
        for wrong in [
            "",
            "rate=0.0005",
            "rate=0.00005,due=15",
            "rate=0,due=15",
            "rate=0.02,due=15",
            "rate=0.0005,due=29",
            "due=15,rate=0.0005",
            "rate=-0.0005,due=15",
        ] {
            assert!(LateFee::parse(wrong).is_err(), "{wrong}");
        }
    }
}
