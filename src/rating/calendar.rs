//! Which months are open, and how far the others have come: OPEN → FROZEN → DECLARED → PART_PAID → PAID, per platform and province, in the
//! order of the months, each only after its end (Asia/Shanghai).

use crate::types::{
    CalendarDraft, CalendarEntry, Code, Day, Epoch, Money, Period, PeriodStep, Province, StatementState,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One 分 in micro-yuan.
const FEN_MICROS: i64 = 10_000;

/// How far a frozen month has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodAccount {
    /// The entry that froze it.
    pub frozen: Arc<CalendarEntry>,
    /// The newest declaration.
    pub declaration: Option<Arc<CalendarEntry>>,
    /// All payments, as they came.
    pub payments: Vec<Arc<CalendarEntry>>,
    /// Their sum.
    pub paid: Money,
}

impl PeriodAccount {
    /// Where its money stands.
    pub fn state(&self) -> StatementState {
        let declared = self.declaration.as_ref().and_then(|entry| entry.draft.amount);
        match declared {
            None => StatementState::Frozen,
            Some(declared) if self.paid >= declared => StatementState::Paid,
            Some(_) if self.payments.is_empty() => StatementState::Declared,
            Some(_) => StatementState::PartPaid,
        }
    }
}

/// Why a step cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodRefused {
    /// The month is not over.
    #[error("the period is not over yet (Asia/Shanghai)")]
    NotOver,
    /// It was frozen before.
    #[error("the period is frozen already")]
    AlreadyFrozen,
    /// An earlier one is open.
    #[error("an earlier period is open and comes first: {0}")]
    EarlierOpen(Period),
    /// It is open.
    #[error("the period is open: freeze it first")]
    NotFrozen,
    /// Nothing was declared.
    #[error("nothing was declared for the period")]
    NotDeclared,
    /// The receipt was recorded before.
    #[error("this receipt was recorded for the period before")]
    ReceiptUsed,
    /// More would be paid back than was paid, or the sum cannot be held.
    #[error("the sum of the payments would be negative, or too large to be held")]
    BadSum,
}

/// All steps up to an epoch.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    entries: Vec<Arc<CalendarEntry>>,
    months: BTreeMap<(Code, Province), BTreeMap<Period, PeriodAccount>>,
}

impl Calendar {
    /// From all entries, in the order of their numbers; says what is wrong with one that no step would have let in.
    pub fn build(entries: Vec<Arc<CalendarEntry>>) -> Result<Self, (Epoch, String)> {
        let mut calendar = Self::default();
        for (i, entry) in entries.iter().enumerate() {
            if entry.epoch.get() as usize != i + 1 {
                return Err((entry.epoch, format!("stands where entry {} should", i + 1)));
            }
            calendar.take(entry).map_err(|refused| (entry.epoch, refused.to_string()))?;
        }
        calendar.entries = entries;
        Ok(calendar)
    }

    fn take(&mut self, entry: &Arc<CalendarEntry>) -> Result<(), PeriodRefused> {
        let draft = &entry.draft;
        let months = self.months.entry((draft.platform.clone(), draft.province)).or_default();
        if draft.step == PeriodStep::Freeze {
            let account = PeriodAccount {
                frozen: entry.clone(),
                declaration: None,
                payments: Vec::new(),
                paid: Money::ZERO,
            };
            return match months.insert(draft.period, account) {
                None => Ok(()),
                Some(_) => Err(PeriodRefused::AlreadyFrozen),
            };
        }
        let account = months.get_mut(&draft.period).ok_or(PeriodRefused::NotFrozen)?;
        if draft.step == PeriodStep::Declaration {
            account.declaration = Some(entry.clone());
            return Ok(());
        }
        account.paid = account.paid.checked_add(draft.amount.unwrap_or_default()).ok_or(PeriodRefused::BadSum)?;
        account.payments.push(entry.clone());
        Ok(())
    }

    /// Number of the newest entry.
    pub fn epoch(&self) -> Epoch {
        self.entries.last().map_or(Epoch::NONE, |entry| entry.epoch)
    }

    /// Number of the newest freeze: what lines are priced by. It stands in the fence.
    pub fn fence(&self) -> Epoch {
        let freezes = self.entries.iter().rev().find(|entry| entry.draft.step == PeriodStep::Freeze);
        freezes.map_or(Epoch::NONE, |entry| entry.epoch)
    }

    /// All entries, in the order of their numbers.
    pub fn entries(&self) -> &[Arc<CalendarEntry>] {
        &self.entries
    }

    /// The first month that is open, of every platform and province with a frozen one.
    pub fn first_open(&self) -> impl Iterator<Item = (&Code, Province, Period)> {
        let last = |months: &BTreeMap<Period, PeriodAccount>| months.last_key_value().map(|(month, _)| *month);
        self.months
            .iter()
            .filter_map(move |((platform, province), months)| Some((platform, *province, last(months)?.next())))
    }

    /// Where the money of each frozen month stands.
    pub fn states(&self) -> impl Iterator<Item = StatementState> {
        self.months.values().flat_map(BTreeMap::values).map(PeriodAccount::state)
    }

    /// The account of a month; nothing while it is open. A month that was skipped when the first one was frozen has that one's
    /// freeze, and no money.
    pub fn account(&self, platform: &Code, province: Province, period: Period) -> Option<&PeriodAccount> {
        self.months.get(&(platform.clone(), province))?.range(period..).next().map(|(_, account)| account)
    }

    /// Where the money of a month stands.
    pub fn state(&self, platform: &Code, province: Province, period: Period) -> StatementState {
        match self.account(platform, province, period) {
            None => StatementState::Open,
            Some(account) if account.frozen.draft.period == period => account.state(),
            Some(_) => StatementState::Frozen,
        }
    }

    /// Whether a step may be taken today.
    pub fn admit(&self, draft: &CalendarDraft, today: Day) -> Result<(), PeriodRefused> {
        let months = self.months.get(&(draft.platform.clone(), draft.province));
        if draft.step == PeriodStep::Freeze {
            if draft.period.next().first_day() > today {
                return Err(PeriodRefused::NotOver);
            }
            return match months.and_then(|months| months.last_key_value()) {
                Some((last, _)) if draft.period <= *last => Err(PeriodRefused::AlreadyFrozen),
                Some((last, _)) if draft.period > last.next() => Err(PeriodRefused::EarlierOpen(last.next())),
                _ => Ok(()),
            };
        }
        let account = months.and_then(|months| months.get(&draft.period)).ok_or(PeriodRefused::NotFrozen)?;
        if draft.step == PeriodStep::Declaration {
            return Ok(());
        }
        if account.declaration.is_none() {
            return Err(PeriodRefused::NotDeclared);
        }
        if account.payments.iter().any(|payment| payment.draft.document == draft.document) {
            return Err(PeriodRefused::ReceiptUsed);
        }
        let sum = account.paid.checked_add(draft.amount.unwrap_or_default());
        match sum {
            Some(sum) if sum >= Money::ZERO => Ok(()),
            _ => Err(PeriodRefused::BadSum),
        }
    }
}

/// A sum as it is declared: rounded to whole 分, half away from zero, once; and the residual, exact minus rounded.
pub fn round_to_fen(exact: Money) -> (Money, Money) {
    let micros = exact.micros();
    let (whole, rest) = (micros / FEN_MICROS, micros % FEN_MICROS);
    let up = if rest.abs() * 2 >= FEN_MICROS { rest.signum() } else { 0 };
    let rounded = (whole + up) * FEN_MICROS;
    (Money::from_micros(rounded), Money::from_micros(micros - rounded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{JournalId, LineNo, Position};

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn draft(step: PeriodStep, period: &str, amount: &str, document: &str) -> CalendarDraft {
        CalendarDraft {
            step,
            platform: Code::parse("MEITUAN".to_owned()).unwrap(),
            province: Province::parse("31").unwrap(),
            period: Period::parse(period).unwrap(),
            amount: Money::parse(amount).ok(),
            document: document.to_owned(),
            dated_on: None,
        }
    }

    /// A calendar that took these steps, each admitted in May 2026.
    fn calendar(steps: &[(PeriodStep, &str, &str, &str)]) -> Result<Calendar, PeriodRefused> {
        let today = Day::parse("2026-05-03").unwrap();
        let mut calendar = Calendar::default();
        for (i, (step, period, amount, document)) in steps.iter().enumerate() {
            let draft = draft(*step, period, amount, document);
            calendar.admit(&draft, today)?;
            let position = Position { journal: JournalId::new(1).unwrap(), line_no: LineNo::new(0).unwrap() };
            let entry = Arc::new(CalendarEntry { epoch: Epoch::new(i as u32 + 1), position, draft });
            calendar = Calendar::build(calendar.entries.into_iter().chain([entry]).collect()).unwrap();
        }
        Ok(calendar)
    }

    #[test]
    fn months_are_frozen_in_order_and_after_their_end() {
        use PeriodStep::Freeze;
        let refused = |steps: &[(PeriodStep, &str, &str, &str)]| calendar(steps).unwrap_err();
        assert_eq!(refused(&[(Freeze, "2026-05", "", "")]), PeriodRefused::NotOver);
        assert_eq!(
            refused(&[(Freeze, "2026-03", "", ""), (Freeze, "2026-03", "", "")]),
            PeriodRefused::AlreadyFrozen
        );
        assert_eq!(
            refused(&[(Freeze, "2026-03", "", ""), (Freeze, "2026-02", "", "")]),
            PeriodRefused::AlreadyFrozen
        );
        let march = Period::parse("2026-03").unwrap();
        let steps = [(Freeze, "2026-02", "", ""), (Freeze, "2026-04", "", "")];
        assert_eq!(refused(&steps), PeriodRefused::EarlierOpen(march));
        let two = calendar(&[(Freeze, "2026-03", "", ""), (Freeze, "2026-04", "", "")]).unwrap();
        let open: Vec<_> = two.first_open().map(|(_, _, period)| period.to_string()).collect();
        assert_eq!(open, ["2026-05"]);
    }

    #[test]
    fn a_month_goes_from_frozen_to_paid() {
        use PeriodStep::{Declaration, Freeze, Payment};
        let state = |steps: &[(PeriodStep, &str, &str, &str)]| {
            let calendar = calendar(steps).unwrap();
            let draft = draft(Freeze, "2026-03", "", "");
            calendar.state(&draft.platform, draft.province, draft.period)
        };
        let steps = [
            (Freeze, "2026-03", "", ""),
            (Declaration, "2026-03", "10.00", "d1"),
            (Payment, "2026-03", "9.99", "r1"),
            (Payment, "2026-03", "0.01", "r2"),
            (Payment, "2026-03", "-0.01", "r3"),
            (Declaration, "2026-03", "9.99", "d2"),
        ];
        let states: Vec<StatementState> = (0..=steps.len()).map(|taken| state(&steps[..taken])).collect();
        use StatementState::{Declared, Frozen, Open, Paid, PartPaid};
        assert_eq!(states, [Open, Frozen, Declared, PartPaid, Paid, PartPaid, Paid]);
        assert_eq!(calendar(&steps[1..]).unwrap_err(), PeriodRefused::NotFrozen);
        assert_eq!(calendar(&[steps[0], steps[2]]).unwrap_err(), PeriodRefused::NotDeclared);
        assert_eq!(calendar(&[&steps[..3], &steps[2..3]].concat()).unwrap_err(), PeriodRefused::ReceiptUsed);
        let too_much_back = (Payment, "2026-03", "-10.00", "r4");
        assert_eq!(calendar(&[&steps[..3], &[too_much_back]].concat()).unwrap_err(), PeriodRefused::BadSum);
    }

    #[test]
    fn sums_are_rounded_half_away_from_zero() {
        for (exact, rounded, residual) in [
            ("0.084", "0.08", "0.004"),
            ("0.085", "0.09", "-0.005"),
            ("0.084999", "0.08", "0.004999"),
            ("-0.085", "-0.09", "0.005"),
            ("-0.084", "-0.08", "-0.004"),
            ("12.00", "12.00", "0.00"),
        ] {
            assert_eq!(round_to_fen(money(exact)), (money(rounded), money(residual)), "{exact}");
        }
    }

    proptest::proptest! {
        /// Whatever the parts of a statement are: what is declared and the residual make the exact sum, and the residual is at most half a 分.
        #[test]
        fn nothing_is_lost_in_rounding(parts in proptest::collection::vec(-1_000_000_000_i64..1_000_000_000, 0..40)) {
            let exact: i64 = parts.iter().sum();
            let (rounded, residual) = round_to_fen(Money::from_micros(exact));
            proptest::prop_assert_eq!(rounded.micros() + residual.micros(), exact);
            proptest::prop_assert_eq!(rounded.micros() % FEN_MICROS, 0);
            proptest::prop_assert!(residual.micros().abs() * 2 <= FEN_MICROS);
            let (mirrored, _) = round_to_fen(Money::from_micros(-exact));
            proptest::prop_assert_eq!(mirrored.micros(), -rounded.micros());
        }
    }
}
