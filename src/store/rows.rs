//! Turns stored rows back into the ledger's words, the same way for both databases. What cannot be read is named by its column.

use super::anomalies::Pass;
use super::lines::Booked;
use super::run::WorkerOrder;
use super::totals::Folded;
use super::{KeptConflict, KeptRefusal, NewestWatermark, StoreError, StoreResult, position};
use crate::ledger::{RequestRecord, RequestedBy};
use crate::types::{
    Anomaly, AnomalyType, Area, CalendarDraft, CalendarEntry, Code, Conflict, Day, Differing, Digest, End,
    EndKind, Epoch, Factor, Instant, JournalId, Line, LineKind, Money, Order, OrderKey, Period, PeriodStep,
    Position, Posted, PremiumReason, PremiumState, Priced, Province, Refusal, RegistryRow, RequestId,
    ReversalReason, RowDraft, RowId, RowKind, Run, RunKind, SealNo, Slot, Sums, TotalKey, ViolationCode,
    Watermark, WorkerId,
};

/// A row of either database, by column name. Errors name the column.
pub trait Columns {
    /// A text.
    fn text(&self, column: &'static str) -> StoreResult<String>;
    /// A text or null.
    fn text_opt(&self, column: &'static str) -> StoreResult<Option<String>>;
    /// An integer of any width.
    fn int(&self, column: &'static str) -> StoreResult<i64>;
    /// An integer or null.
    fn int_opt(&self, column: &'static str) -> StoreResult<Option<i64>>;
    /// Bytes.
    fn bytes(&self, column: &'static str) -> StoreResult<Vec<u8>>;
    /// Bytes or null.
    fn bytes_opt(&self, column: &'static str) -> StoreResult<Option<Vec<u8>>>;
    /// A UUID.
    fn uuid(&self, column: &'static str) -> StoreResult<uuid::Uuid>;
    /// An instant or null.
    fn instant_opt(&self, column: &'static str) -> StoreResult<Option<Instant>>;
    /// Six decimals as millionths, or null.
    fn micros_opt(&self, column: &'static str) -> StoreResult<Option<i64>>;
    /// A day or null.
    fn day_opt(&self, column: &'static str) -> StoreResult<Option<Day>>;

    /// An instant.
    fn instant(&self, column: &'static str) -> StoreResult<Instant> {
        self.instant_opt(column)?.ok_or_else(|| corrupt(column, "is null"))
    }

    /// A day.
    fn day(&self, column: &'static str) -> StoreResult<Day> {
        self.day_opt(column)?.ok_or_else(|| corrupt(column, "is null"))
    }
}

/// The typed error of a value that no constructor takes.
pub fn corrupt(column: &'static str, what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("column {column}: {what}"))
}

fn code(row: &impl Columns, column: &'static str) -> StoreResult<Code> {
    Code::parse(row.text(column)?).map_err(|e| corrupt(column, e))
}

fn code_opt(row: &impl Columns, column: &'static str) -> StoreResult<Option<Code>> {
    row.text_opt(column)?.map(|text| Code::parse(text).map_err(|e| corrupt(column, e))).transpose()
}

fn number<T: TryFrom<i64>>(row: &impl Columns, column: &'static str) -> StoreResult<T> {
    T::try_from(row.int(column)?).map_err(|_| corrupt(column, "is out of range"))
}

fn number_opt<T: TryFrom<i64>>(row: &impl Columns, column: &'static str) -> StoreResult<Option<T>> {
    let value = row.int_opt(column)?;
    value.map(|v| T::try_from(v).map_err(|_| corrupt(column, "is out of range"))).transpose()
}

fn word<T>(row: &impl Columns, column: &'static str, from: impl Fn(u8) -> Option<T>) -> StoreResult<T> {
    from(number(row, column)?).ok_or_else(|| corrupt(column, "is no known value"))
}

fn word_opt<T>(
    row: &impl Columns,
    column: &'static str,
    from: impl Fn(u8) -> Option<T>,
) -> StoreResult<Option<T>> {
    let value = number_opt(row, column)?;
    value.map(|v| from(v).ok_or_else(|| corrupt(column, "is no known value"))).transpose()
}

fn slot(column: &'static str, value: u16) -> StoreResult<Slot> {
    Slot::new(value).ok_or_else(|| corrupt(column, "is out of range"))
}

fn period(row: &impl Columns, column: &'static str) -> StoreResult<Period> {
    Period::from_number(number(row, column)?).ok_or_else(|| corrupt(column, "is no month"))
}

fn digest(row: &impl Columns, column: &'static str) -> StoreResult<Digest> {
    Digest::try_from(row.bytes(column)?).map_err(|_| corrupt(column, "is not 32 bytes"))
}

fn place(row: &impl Columns, journal: &'static str, line_no: &'static str) -> StoreResult<Position> {
    position(row.int(journal)?, row.int(line_no)?).ok_or_else(|| corrupt(line_no, "is no place"))
}

/// Columns platform_code, order_id, assignment_no.
pub fn order_key(row: &impl Columns) -> StoreResult<OrderKey> {
    Ok(OrderKey {
        platform: code(row, "platform_code")?,
        order_id: code(row, "order_id")?,
        assignment_no: number(row, "assignment_no")?,
    })
}

fn order(row: &impl Columns) -> StoreResult<Order> {
    let area = row.text("accept_area")?;
    let end = match (row.instant_opt("ended_at")?, word_opt(row, "end_kind", EndKind::from_code)?) {
        (Some(at), Some(kind)) => Some(End { at, kind }),
        (None, None) => None,
        _ => return Err(corrupt("end_kind", "does not go with ended_at")),
    };
    Ok(Order {
        key: order_key(row)?,
        worker: WorkerId::from_uuid(row.uuid("worker_id")?),
        industry: code(row, "industry_code")?,
        area: Area::parse(&area).map_err(|e| corrupt("accept_area", e))?,
        accepted_at: row.instant("accepted_at")?,
        end,
        agency: code_opt(row, "service_agency_code")?,
        source_platform: code_opt(row, "source_platform_code")?,
        source_order: code_opt(row, "source_order_id")?,
        sent_at: row.instant_opt("sent_at")?,
    })
}

/// A premium line with its journal's recorded_at.
pub fn posted(row: &impl Columns) -> StoreResult<Posted> {
    let province = row.text("province_code")?;
    let line = Line {
        position: place(row, "journal_id", "line_no")?,
        slot: slot("slot", number(row, "slot")?)?,
        kind: word(row, "kind", LineKind::from_code)?,
        order: order(row)?,
        priced: Priced {
            amount: row.micros_opt("amount")?.map(Money::from_micros),
            state: word(row, "premium_state", PremiumState::from_code)?,
            reason: word(row, "premium_reason", PremiumReason::from_code)?,
            province: Province::parse(&province).map_err(|e| corrupt("province_code", e))?,
            period: period(row, "period")?,
            service_period: period(row, "service_period")?,
            rate: number_opt(row, "rate_id")?.map(RowId::new),
            revision: RowId::new(number(row, "registry_revision")?),
        },
        corrects: number_opt(row, "corrects_slot")?.map(|s| slot("corrects_slot", s)).transpose()?,
        reversal_reason: word_opt(row, "reversal_reason", ReversalReason::from_code)?,
    };
    Ok(Posted { line, received_at: row.instant("recorded_at")? })
}

/// A kept conflict with recorded_at and repeats.
pub fn conflict(row: &impl Columns) -> StoreResult<KeptConflict> {
    let bits = number(row, "differing")?;
    let conflict = Conflict {
        order: order(row)?,
        digest: digest(row, "content_digest")?,
        differing: Differing::from_bits(bits).ok_or_else(|| corrupt("differing", "has an unknown bit"))?,
        compared_with: place(row, "compared_journal_id", "compared_line_no")?,
        received_on: row.day("received_on")?,
    };
    let received_at = row.instant("recorded_at")?;
    Ok(KeptConflict { conflict, journal: journal(row)?, received_at, repeats: number(row, "repeats")? })
}

/// A kept refusal with recorded_at and repeats.
pub fn refusal(row: &impl Columns) -> StoreResult<KeptRefusal> {
    let platform = row.text("platform_code")?;
    let refusal = Refusal {
        platform: match platform.is_empty() {
            true => None,
            false => Some(Code::parse(platform).map_err(|e| corrupt("platform_code", e))?),
        },
        digest: digest(row, "payload_digest")?,
        code: word(row, "violation_code", ViolationCode::from_code)?,
        field: row.text("field")?,
        payload: row.bytes("payload")?,
        payload_size: number(row, "payload_size")?,
        received_on: row.day("received_on")?,
    };
    Ok(KeptRefusal { refusal, received_at: row.instant("recorded_at")?, repeats: number(row, "repeats")? })
}

/// A watermark report, without its hours.
pub fn watermark(row: &impl Columns) -> StoreResult<NewestWatermark> {
    let watermark = Watermark {
        platform: code(row, "platform_code")?,
        report_no: number(row, "report_no")?,
        at: row.instant("watermark")?,
        hourly: Vec::new(),
    };
    Ok(NewestWatermark { watermark, received_at: row.instant("recorded_at")? })
}

/// A row of the registry.
pub fn registry_row(row: &impl Columns) -> StoreResult<RegistryRow> {
    let draft = RowDraft {
        kind: word(row, "kind", RowKind::from_code)?,
        name: row.text("name")?,
        platform: row.text("platform_code")?,
        province: row.text("province_code")?,
        industry: row.text("industry_code")?,
        value: row.text("value")?,
        base: row.micros_opt("base")?.map(Money::from_micros),
        factor: row.micros_opt("factor")?.map(Factor::from_millionths),
        valid_from: row.day("valid_from")?,
        valid_to: row.day_opt("valid_to")?,
        document: row.text("document")?,
        confidence: row.text("confidence")?,
        supersedes: number_opt(row, "supersedes")?.map(RowId::new),
    };
    Ok(RegistryRow {
        id: RowId::new(number(row, "row_id")?),
        position: place(row, "journal_id", "line_no")?,
        draft,
    })
}

/// An entry of the calendar.
pub fn calendar_entry(row: &impl Columns) -> StoreResult<CalendarEntry> {
    let province = row.text("province_code")?;
    let draft = CalendarDraft {
        step: word(row, "step", PeriodStep::from_code)?,
        platform: code(row, "platform_code")?,
        province: Province::parse(&province).map_err(|e| corrupt("province_code", e))?,
        period: period(row, "period")?,
        amount: row.micros_opt("amount")?.map(Money::from_micros),
        document: row.text("document")?,
        dated_on: row.day_opt("dated_on")?,
    };
    Ok(CalendarEntry {
        epoch: Epoch::new(number(row, "epoch")?),
        position: place(row, "journal_id", "line_no")?,
        draft,
    })
}

/// A run.
pub fn run(row: &impl Columns) -> StoreResult<Run> {
    Ok(Run {
        run_no: number(row, "run_no")?,
        position: place(row, "journal_id", "line_no")?,
        kind: word(row, "kind", RunKind::from_code)?,
        revision: RowId::new(number(row, "registry_revision")?),
        seal: seal_no(row)?,
        asked: row.text("asked")?,
        outcome: row.text("outcome")?,
    })
}

/// Who used a request id.
pub fn request(row: &impl Columns, id: &RequestId) -> StoreResult<RequestRecord> {
    Ok(RequestRecord {
        id: id.clone(),
        call: word(row, "call", RequestedBy::from_code)?,
        digest: digest(row, "digest")?,
        journal: journal(row)?,
    })
}

/// What a total is of, and its sums.
pub fn total(row: &impl Columns) -> StoreResult<(TotalKey, Sums)> {
    let key = TotalKey {
        kind: word(row, "kind", LineKind::from_code)?,
        end_kind: word_opt(row, "end_kind", EndKind::from_code)?,
        rate: number_opt(row, "rate_id")?.map(RowId::new),
        ..total_of_open(row)?
    };
    let amount = row.micros_opt("amount")?.map(Money::from_micros).unwrap_or_default();
    Ok((key, Sums { lines: row.int("lines")?, amount, standing: row.int("standing")? }))
}

/// What the keys were counted by whose OPEN met an ended line, and how many they are.
pub fn pairs(row: &impl Columns) -> StoreResult<(TotalKey, Sums)> {
    Ok((total_of_open(row)?, Sums { standing: -row.int("pairs")?, ..Sums::ZERO }))
}

fn total_of_open(row: &impl Columns) -> StoreResult<TotalKey> {
    let province = row.text("province_code")?;
    Ok(TotalKey {
        platform: code(row, "platform_code")?,
        period: period(row, "period")?,
        province: Province::parse(&province).map_err(|e| corrupt("province_code", e))?,
        industry: code(row, "industry_code")?,
        service_period: period(row, "service_period")?,
        kind: LineKind::Open,
        state: word(row, "premium_state", PremiumState::from_code)?,
        end_kind: None,
        rate: None,
        revision: RowId::new(number(row, "registry_revision")?),
    })
}

/// The order of a row of pairs that has to be gone through line by line.
pub fn special(row: &impl Columns) -> StoreResult<Option<OrderKey>> {
    row.text_opt("order_id")?.map(|_| order_key(row)).transpose()
}

/// An order's line by its slot.
pub fn slot_of_order(row: &impl Columns) -> StoreResult<(OrderKey, Slot)> {
    Ok((order_key(row)?, slot("slot", number(row, "slot")?)?))
}

/// What is compared of a line.
pub fn booked(row: &impl Columns) -> StoreResult<Booked> {
    let province = row.text("province_code")?;
    Ok(Booked {
        key: order_key(row)?,
        slot: slot("slot", number(row, "slot")?)?,
        kind: word(row, "kind", LineKind::from_code)?,
        worker: WorkerId::from_uuid(row.uuid("worker_id")?),
        province: Province::parse(&province).map_err(|e| corrupt("province_code", e))?,
        industry: code(row, "industry_code")?,
        service_period: period(row, "service_period")?,
        state: word(row, "premium_state", PremiumState::from_code)?,
        rate: number_opt(row, "rate_id")?.map(RowId::new),
        amount: row.micros_opt("amount")?.map(Money::from_micros).unwrap_or_default(),
    })
}

/// A doubtful order.
pub fn anomaly(row: &impl Columns) -> StoreResult<Anomaly> {
    let other = match row.text("other_order_id")?.is_empty() {
        true => None,
        false => Some(OrderKey {
            platform: code(row, "other_platform_code")?,
            order_id: code(row, "other_order_id")?,
            assignment_no: number(row, "other_assignment_no")?,
        }),
    };
    Ok(Anomaly { kind: word(row, "kind", AnomalyType::from_code)?, key: order_key(row)?, other })
}

/// How far journals were looked through.
pub fn anomaly_pass(row: &impl Columns) -> StoreResult<Pass> {
    Ok(Pass { pass_no: number(row, "pass_no")?, seal: seal_no(row)? })
}

/// A fold of journals.
pub fn folded(row: &impl Columns) -> StoreResult<Folded> {
    Ok(Folded { fold_no: number(row, "fold_no")?, seal: seal_no(row)? })
}

/// A platform's code.
pub fn platform(row: &impl Columns) -> StoreResult<Code> {
    code(row, "platform_code")
}

/// Column seal_no.
pub fn seal_no(row: &impl Columns) -> StoreResult<SealNo> {
    number(row, "seal_no").map(SealNo::new)
}

/// A journal and its seal.
pub fn seal(row: &impl Columns) -> StoreResult<(JournalId, SealNo)> {
    Ok((journal(row)?, seal_no(row)?))
}

fn journal(row: &impl Columns) -> StoreResult<JournalId> {
    let id = u64::try_from(row.int("journal_id")?).ok().and_then(JournalId::new);
    id.ok_or_else(|| corrupt("journal_id", "is out of range"))
}

/// Columns accepted_at, platform_code, order_id, assignment_no.
pub fn worker_order(row: &impl Columns) -> StoreResult<WorkerOrder> {
    Ok(WorkerOrder { accepted_at: row.instant("accepted_at")?, key: order_key(row)? })
}
