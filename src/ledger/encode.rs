//! Canonical encoding of entries, version 1. The specification is `proto/ENCODING.md`; a second implementation in `tests/` follows
//! it. A version never changes once it has been written: another needs another number.

use crate::types::{
    CalendarEntry, Code, Conflict, Day, Digest, Instant, JournalId, Line, LineNo, Money, Order, Period, Position,
    Province, Refusal, RegistryRow, Run, Sums, TotalKey, Watermark,
};
use sha2::{Digest as _, Sha256};

/// The version written by this code.
pub const ENCODING_VERSION: u8 = 1;

const TYPE_LINE: u8 = 1;
const TYPE_CONFLICT: u8 = 2;
const TYPE_REFUSAL: u8 = 3;
const TYPE_WATERMARK: u8 = 4;
const TYPE_REGISTRY: u8 = 5;
/// PERIOD is this and the code of its step; DECLARATION and PAYMENT are the next two.
const TYPE_CALENDAR: u8 = 5;
const TYPE_RUN: u8 = 9;

/// A buffer that is filled with one entry after another.
#[derive(Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// The bytes of the entry written last.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A LINE entry.
    pub fn line(&mut self, line: &Line) {
        self.header(TYPE_LINE, line.position);
        self.u16(line.slot.get());
        self.u8(line.kind.code());
        self.order(&line.order);
        self.optional(line.order.sent_at, Self::instant);
        let priced = &line.priced;
        self.optional(priced.amount, Self::money);
        self.u8(priced.state.code());
        self.u8(priced.reason.code());
        self.text(priced.province.as_str());
        self.u32(priced.period.number() as u32);
        self.u32(priced.service_period.number() as u32);
        self.optional(priced.rate, |e, rate| e.u32(rate.get()));
        self.u32(priced.revision.get());
        self.optional(line.corrects, |e, slot| e.u16(slot.get()));
        self.optional(line.reversal_reason, |e, reason| e.u8(reason.code()));
    }

    /// A CONFLICT entry.
    pub fn conflict(&mut self, at: Position, conflict: &Conflict) {
        self.header(TYPE_CONFLICT, at);
        self.order(&conflict.order);
        self.optional(conflict.order.sent_at, Self::instant);
        self.0.extend_from_slice(&conflict.digest);
        self.u16(conflict.differing.bits());
        self.position(conflict.compared_with);
        self.day(conflict.received_on);
    }

    /// A REFUSAL entry.
    pub fn refusal(&mut self, at: Position, refusal: &Refusal) {
        self.header(TYPE_REFUSAL, at);
        self.text(refusal.platform.as_ref().map_or("", |p| p.as_str()));
        self.0.extend_from_slice(&refusal.digest);
        self.u8(refusal.code.code());
        self.text(&refusal.field);
        self.u16(refusal.payload.len() as u16);
        self.0.extend_from_slice(&refusal.payload);
        self.u32(refusal.payload_size);
        self.day(refusal.received_on);
    }

    /// A WATERMARK entry.
    pub fn watermark(&mut self, at: Position, watermark: &Watermark) {
        self.header(TYPE_WATERMARK, at);
        self.text(watermark.platform.as_str());
        self.u64(watermark.report_no);
        self.instant(watermark.at);
        self.u16(watermark.hourly.len() as u16);
        for hourly in &watermark.hourly {
            self.instant(hourly.hour);
            self.u64(hourly.accepted);
            self.u64(hourly.ended);
        }
    }

    /// A REGISTRY entry.
    pub fn registry(&mut self, row: &RegistryRow) {
        self.header(TYPE_REGISTRY, row.position);
        let draft = &row.draft;
        self.u32(row.id.get());
        self.u8(draft.kind.code());
        self.text(&draft.name);
        self.text(&draft.platform);
        self.text(&draft.province);
        self.text(&draft.industry);
        self.text(&draft.value);
        self.optional(draft.base, Self::money);
        self.optional(draft.factor, |e, factor| e.u64(factor.millionths() as u64));
        self.day(draft.valid_from);
        self.optional(draft.valid_to, Self::day);
        self.text(&draft.document);
        self.text(&draft.confidence);
        self.optional(draft.supersedes, |e, row| e.u32(row.get()));
    }

    /// A PERIOD, DECLARATION or PAYMENT entry.
    pub fn calendar(&mut self, entry: &CalendarEntry) {
        let draft = &entry.draft;
        self.header(TYPE_CALENDAR + draft.step.code(), entry.position);
        self.u32(entry.epoch.get());
        self.text(draft.platform.as_str());
        self.text(draft.province.as_str());
        self.u32(draft.period.number() as u32);
        self.optional(draft.amount, Self::money);
        self.text(&draft.document);
        self.optional(draft.dated_on, Self::day);
    }

    /// A RUN entry.
    pub fn run(&mut self, run: &Run) {
        self.header(TYPE_RUN, run.position);
        self.u32(run.run_no);
        self.u8(run.kind.code());
        self.u32(run.revision.get());
        self.u64(run.seal.get());
        self.text(&run.asked);
        self.text(&run.outcome);
    }

    fn header(&mut self, entry_type: u8, at: Position) {
        self.0.clear();
        self.u8(ENCODING_VERSION);
        self.u8(entry_type);
        self.position(at);
    }

    fn position(&mut self, at: Position) {
        let (journal, line_no): (JournalId, LineNo) = (at.journal, at.line_no);
        self.u64(journal.get());
        self.u32(line_no.get());
    }

    /// An order's content: everything but `sent_at`.
    fn order(&mut self, order: &Order) {
        self.text(order.key.platform.as_str());
        self.text(order.key.order_id.as_str());
        self.u8(order.key.assignment_no);
        self.0.extend_from_slice(order.worker.uuid().as_bytes());
        self.text(order.industry.as_str());
        self.text(order.area.as_str());
        self.instant(order.accepted_at);
        self.optional(order.end, |e, end| {
            e.instant(end.at);
            e.u8(end.kind.code());
        });
        for code in [&order.agency, &order.source_platform, &order.source_order] {
            self.optional(code.as_ref(), |e, code| e.text(code.as_str()));
        }
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Every text of an entry is bounded far below 64 KiB by its constructor.
    fn text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("texts of entries are bounded");
        self.u16(length);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn instant(&mut self, instant: Instant) {
        self.0.extend_from_slice(&instant.micros().to_be_bytes());
    }

    fn money(&mut self, money: Money) {
        self.0.extend_from_slice(&money.micros().to_be_bytes());
    }

    fn day(&mut self, day: Day) {
        self.0.extend_from_slice(&day.epoch_days().to_be_bytes());
    }

    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }
}

/// SHA-256 of the version and an order's content: the same for every resend of the same content.
pub fn content_digest(order: &Order) -> Digest {
    let mut encoder = Encoder::default();
    encoder.u8(ENCODING_VERSION);
    encoder.order(order);
    Sha256::digest(encoder.bytes()).into()
}

/// SHA-256 of a statement's content: what it is of, and its sums in the order of what they are of.
pub fn statement_digest(
    (platform, province, industry, period): (&Code, Province, &Code, Period),
    sums: &[(TotalKey, Sums)],
) -> Digest {
    let mut encoder = Encoder::default();
    encoder.u8(ENCODING_VERSION);
    encoder.text(platform.as_str());
    encoder.text(province.as_str());
    encoder.text(industry.as_str());
    encoder.u32(period.number() as u32);
    encoder.u32(sums.len() as u32);
    for (key, sums) in sums {
        encoder.u32(key.service_period.number() as u32);
        encoder.u8(key.kind.code());
        encoder.u8(key.state.code());
        encoder.optional(key.end_kind, |e, kind| e.u8(kind.code()));
        encoder.optional(key.rate, |e, rate| e.u32(rate.get()));
        encoder.u32(key.revision.get());
        encoder.i64(sums.lines);
        encoder.money(sums.amount);
        encoder.i64(sums.standing);
    }
    Sha256::digest(encoder.bytes()).into()
}

/// SHA-256 of what a mutating call asked for: its fields as text, an order as its content. Not part of any journal.
pub fn request_digest(fields: &[&str], order: Option<&Order>) -> Digest {
    let mut encoder = Encoder::default();
    encoder.u8(ENCODING_VERSION);
    for field in fields {
        encoder.u32(field.len() as u32);
        encoder.0.extend_from_slice(field.as_bytes());
    }
    encoder.optional(order, Encoder::order);
    Sha256::digest(encoder.bytes()).into()
}
