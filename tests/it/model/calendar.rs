//! The model's calendar: which months are frozen, what was declared and paid for them, and in which month a line is booked.

use super::{State, event::code, invalid, line::Line, now};
use premium_ledger::{
    api::proto as pb,
    types::{Day, Money, Period, RowKind},
};
use tonic::Status;

/// 0.01 yuan.
const FEN_MICROS: i64 = 10_000;

/// A month of a platform and province.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    pub platform: String,
    pub province: String,
    pub period: Period,
}

/// What was done with a month.
#[derive(Clone)]
pub enum Step {
    /// So many lines were booked before: what they say is in the month's statements, and nothing else.
    Freeze {
        booked: u64,
    },
    Declaration(pb::Declaration, Money),
    Payment(pb::Payment, Money),
}

impl State {
    pub fn freeze_period(&mut self, request: pb::FreezePeriodRequest) -> Result<pb::FreezePeriodResponse, Status> {
        let month = self.month(&request.platform_code, &request.province_code, &request.period)?;
        let content = format!("FreezePeriod {month:?}");
        self.once(&request.request_id, content, |state| {
            if month.period.next().first_day() > now().day() {
                return Err(Status::failed_precondition("the month is not over"));
            }
            let last = state.last_frozen(&month.platform, &month.province);
            if last.is_some_and(|last| month.period != last.next()) {
                return Err(Status::failed_precondition("the month is frozen, or one before it is open"));
            }
            state.calendar.push((month.clone(), Step::Freeze { booked: state.booked }));
            Ok(pb::FreezePeriodResponse { account: Some(state.account(&month)) })
        })
    }

    pub fn record_declaration(
        &mut self,
        request: pb::RecordDeclarationRequest,
    ) -> Result<pb::RecordDeclarationResponse, Status> {
        let month = self.month(&request.platform_code, &request.province_code, &request.period)?;
        let sent = request.declaration.ok_or_else(|| invalid("declaration"))?;
        let declaration_no = code(&sent.declaration_no).map_err(|_| invalid("declaration.declaration_no"))?;
        let declared_on = past_day("declaration.declared_on", &sent.declared_on)?;
        let amount = whole_fen("declaration.amount", &sent.amount)?;
        if amount < Money::ZERO {
            return Err(invalid("declaration.amount"));
        }
        let declaration = pb::Declaration { declaration_no, declared_on, amount: amount.to_string() };
        let content = format!("RecordDeclaration {month:?} {declaration:?}");
        self.once(&request.request_id, content, |state| {
            state.must_have_been_frozen(&month)?;
            state.calendar.push((month.clone(), Step::Declaration(declaration, amount)));
            Ok(pb::RecordDeclarationResponse { account: Some(state.account(&month)) })
        })
    }

    pub fn record_payment(
        &mut self,
        request: pb::RecordPaymentRequest,
    ) -> Result<pb::RecordPaymentResponse, Status> {
        let month = self.month(&request.platform_code, &request.province_code, &request.period)?;
        let sent = request.payment.ok_or_else(|| invalid("payment"))?;
        let receipt_no = code(&sent.receipt_no).map_err(|_| invalid("payment.receipt_no"))?;
        let paid_on = past_day("payment.paid_on", &sent.paid_on)?;
        let amount = whole_fen("payment.amount", &sent.amount)?;
        if amount == Money::ZERO {
            return Err(invalid("payment.amount"));
        }
        let payment = pb::Payment { receipt_no, paid_on, amount: amount.to_string() };
        let content = format!("RecordPayment {month:?} {payment:?}");
        self.once(&request.request_id, content, |state| {
            state.must_have_been_frozen(&month)?;
            if state.declaration(&month).is_none() {
                return Err(Status::failed_precondition("nothing was declared for the month"));
            }
            let mut payments = state.payments(&month);
            if payments.iter().any(|(other, _)| other.receipt_no == payment.receipt_no) {
                return Err(Status::already_exists("the receipt was recorded for the month"));
            }
            payments.push((&payment, amount));
            if sum(&payments).is_none_or(|paid| paid < Money::ZERO) {
                return Err(Status::failed_precondition("the payments would be less than nothing, or too much"));
            }
            state.calendar.push((month.clone(), Step::Payment(payment, amount)));
            Ok(pb::RecordPaymentResponse { account: Some(state.account(&month)) })
        })
    }

    /// The month that a request names, frozen or not.
    fn month(&self, platform: &str, province: &str, period: &str) -> Result<Month, Status> {
        let platform = self.known_code(RowKind::Platform, platform).map_err(|_| invalid("platform_code"))?;
        if !self.knows(RowKind::Province, province) {
            return Err(invalid("province_code"));
        }
        let period = Period::parse(period).map_err(|_| invalid("period"))?;
        Ok(Month { platform, province: province.to_owned(), period })
    }

    /// The latest month of a platform and province that was frozen.
    fn last_frozen(&self, platform: &str, province: &str) -> Option<Period> {
        let freezes = self.calendar.iter().filter(|(_, step)| matches!(step, Step::Freeze { .. }));
        let of_both = freezes.filter(|(month, _)| month.platform == platform && month.province == province);
        of_both.map(|(month, _)| month.period).max()
    }

    /// In which month a line is booked now: its own, or the first one that is open.
    pub fn booking_month(&self, platform: &str, province: &str, service_period: Period) -> Period {
        let first_open = self.last_frozen(platform, province).map(Period::next);
        first_open.map_or(service_period, |open| open.max(service_period))
    }

    /// In which month a change of how a line stands was booked that another line brought, the one with a number: freezes after it came too late.
    pub fn booking_month_then(&self, of: &Line, number: u64) -> Period {
        let (platform, province) = (&of.event.platform, &of.priced.province);
        let freezes = self.calendar.iter().filter_map(|(month, step)| match step {
            Step::Freeze { booked } if *booked < number => Some(month),
            _ => None,
        });
        let of_both = freezes.filter(|month| month.platform == *platform && month.province == *province);
        let first_open = of_both.map(|month| month.period.next()).max();
        first_open.map_or(of.priced.service_period, |open| open.max(of.priced.service_period))
    }

    /// What was done with a month, in that order.
    fn steps<'a>(&'a self, month: &'a Month) -> impl Iterator<Item = &'a Step> {
        self.calendar.iter().filter(move |(other, _)| other == month).map(|(_, step)| step)
    }

    /// A month before the first one that was frozen has statements, but no account to write in.
    fn must_have_been_frozen(&self, month: &Month) -> Result<(), Status> {
        if self.steps(month).any(|step| matches!(step, Step::Freeze { .. })) {
            return Ok(());
        }
        Err(Status::failed_precondition("the month was not frozen"))
    }

    /// The newest declaration of a month.
    fn declaration<'a>(&'a self, month: &'a Month) -> Option<(&'a pb::Declaration, Money)> {
        let declared = self.steps(month).filter_map(|step| match step {
            Step::Declaration(declaration, amount) => Some((declaration, *amount)),
            _ => None,
        });
        declared.last()
    }

    /// The payments for a month, in the order in which they were recorded.
    fn payments<'a>(&'a self, month: &'a Month) -> Vec<(&'a pb::Payment, Money)> {
        let paid = self.steps(month).filter_map(|step| match step {
            Step::Payment(payment, amount) => Some((payment, *amount)),
            _ => None,
        });
        paid.collect()
    }

    /// How far a month has come.
    pub fn month_state(&self, month: &Month) -> pb::StatementState {
        let last = self.last_frozen(&month.platform, &month.province);
        if last.is_none_or(|last| month.period > last) {
            return pb::StatementState::Open;
        }
        let Some((_, declared)) = self.declaration(month) else { return pb::StatementState::Frozen };
        let payments = self.payments(month);
        if sum(&payments).is_some_and(|paid| paid >= declared) {
            pb::StatementState::Paid
        } else if payments.is_empty() {
            pb::StatementState::Declared
        } else {
            pb::StatementState::PartPaid
        }
    }

    /// The account of a frozen month.
    pub fn account(&self, month: &Month) -> pb::PeriodAccount {
        let payments = self.payments(month);
        let paid = sum(&payments).expect("a payment that is too much is not recorded");
        pb::PeriodAccount {
            platform_code: month.platform.clone(),
            province_code: month.province.clone(),
            period: month.period.to_string(),
            state: self.month_state(month) as i32,
            frozen_seal: 0,
            declaration: self.declaration(month).map(|(declaration, _)| declaration.clone()),
            payments: payments.into_iter().map(|(payment, _)| payment.clone()).collect(),
            paid: paid.to_string(),
            // Where no rule says how: scripts put none.
            late_fee: None,
        }
    }
}

/// What was paid, where it can be held.
fn sum(payments: &[(&pb::Payment, Money)]) -> Option<Money> {
    payments.iter().try_fold(Money::ZERO, |sum, (_, amount)| sum.checked_add(*amount))
}

/// A day that has begun in Asia/Shanghai, as it is written.
fn past_day(field: &str, text: &str) -> Result<String, Status> {
    let day = Day::parse(text).map_err(|_| invalid(field))?;
    if day > now().day() { Err(invalid(field)) } else { Ok(day.to_string()) }
}

/// An amount that the tax office can take: nothing below the fen.
fn whole_fen(field: &str, text: &str) -> Result<Money, Status> {
    let amount = Money::parse(text).map_err(|_| invalid(field))?;
    if amount.micros() % FEN_MICROS == 0 { Ok(amount) } else { Err(invalid(field)) }
}
