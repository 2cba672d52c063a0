//! The columns of each table in COPY order: the twin of the column lists in `sql/copy_*.sql`.

use super::copy::CopyBuffer;
use crate::types::{CalendarEntry, Conflict, Hourly, Line, Order, Position, Refusal, RegistryRow, Run, Watermark};

fn place(copy: &mut CopyBuffer, at: Position) {
    copy.int8(at.journal.get() as i64);
    copy.int4(at.line_no.get() as i32);
}

fn key(copy: &mut CopyBuffer, order: &Order) {
    copy.text(order.key.platform.as_str());
    copy.text(order.key.order_id.as_str());
    copy.int2(order.key.assignment_no.into());
}

/// worker_id to sent_at.
fn content(copy: &mut CopyBuffer, order: &Order) {
    copy.bytes(order.worker.uuid().as_bytes());
    copy.text(order.industry.as_str());
    copy.text(order.area.as_str());
    copy.instant(order.accepted_at);
    copy.optional(order.end, |c, end| c.instant(end.at));
    copy.optional(order.end, |c, end| c.int2(end.kind.code().into()));
    for code in [&order.agency, &order.source_platform, &order.source_order] {
        copy.optional(code.as_ref(), |c, code| c.text(code.as_str()));
    }
    copy.optional(order.sent_at, CopyBuffer::instant);
}

/// Types of a line's columns, in the same order: int8 is 20, int2 21, int4 23, text 25, timestamptz 1184, numeric 1700, uuid 2950.
pub const LINE_TYPES: [u32; 27] = [
    20, 23, 25, 25, 21, 21, 21, 2950, 25, 25, 1184, 1184, 21, 25, 25, 25, 1184, 1700, 21, 21, 25, 23, 23, 23, 23,
    21, 21,
];

pub fn line(copy: &mut CopyBuffer, line: &Line) {
    copy.row(LINE_TYPES.len() as i16);
    place(copy, line.position);
    key(copy, &line.order);
    copy.int2(line.slot.get() as i16);
    copy.int2(line.kind.code().into());
    content(copy, &line.order);
    let priced = &line.priced;
    copy.optional(priced.amount, |c, amount| c.numeric(amount.micros()));
    copy.int2(priced.state.code().into());
    copy.int2(priced.reason.code().into());
    copy.text(priced.province.as_str());
    copy.int4(priced.period.number());
    copy.int4(priced.service_period.number());
    copy.optional(priced.rate, |c, rate| c.int4(rate.get() as i32));
    copy.int4(priced.revision.get() as i32);
    copy.optional(line.corrects, |c, slot| c.int2(slot.get() as i16));
    copy.optional(line.reversal_reason, |c, reason| c.int2(reason.code().into()));
}

pub fn conflict(copy: &mut CopyBuffer, (at, conflict): (Position, &Conflict)) {
    copy.row(20);
    place(copy, at);
    key(copy, &conflict.order);
    content(copy, &conflict.order);
    copy.bytes(&conflict.digest);
    copy.int4(conflict.differing.bits().into());
    place(copy, conflict.compared_with);
    copy.day(conflict.received_on);
}

pub fn refusal(copy: &mut CopyBuffer, (at, refusal): (Position, &Refusal)) {
    copy.row(9);
    place(copy, at);
    copy.text(refusal.platform.as_ref().map_or("", |p| p.as_str()));
    copy.bytes(&refusal.digest);
    copy.int2(refusal.code.code().into());
    copy.text(&refusal.field);
    copy.bytes(&refusal.payload);
    copy.int4(refusal.payload_size as i32);
    copy.day(refusal.received_on);
}

pub fn watermark(copy: &mut CopyBuffer, (at, watermark): (Position, &Watermark)) {
    copy.row(5);
    place(copy, at);
    copy.text(watermark.platform.as_str());
    copy.int8(watermark.report_no as i64);
    copy.instant(watermark.at);
}

pub fn hour(copy: &mut CopyBuffer, (watermark, hourly): (&Watermark, &Hourly)) {
    copy.row(5);
    copy.text(watermark.platform.as_str());
    copy.int8(watermark.report_no as i64);
    copy.instant(hourly.hour);
    copy.int8(hourly.accepted as i64);
    copy.int8(hourly.ended as i64);
}

pub fn registry_row(copy: &mut CopyBuffer, row: &RegistryRow) {
    let draft = &row.draft;
    copy.row(16);
    copy.int4(row.id.get() as i32);
    place(copy, row.position);
    copy.int2(draft.kind.code().into());
    for text in [&draft.name, &draft.platform, &draft.province, &draft.industry, &draft.value] {
        copy.text(text);
    }
    copy.optional(draft.base, |c, base| c.numeric(base.micros()));
    copy.optional(draft.factor, |c, factor| c.numeric(factor.millionths()));
    copy.day(draft.valid_from);
    copy.optional(draft.valid_to, CopyBuffer::day);
    copy.text(&draft.document);
    copy.text(&draft.confidence);
    copy.optional(draft.supersedes, |c, row| c.int4(row.get() as i32));
}

pub fn calendar_entry(copy: &mut CopyBuffer, entry: &CalendarEntry) {
    let draft = &entry.draft;
    copy.row(10);
    copy.int4(entry.epoch.get() as i32);
    place(copy, entry.position);
    copy.int2(draft.step.code().into());
    copy.text(draft.platform.as_str());
    copy.text(draft.province.as_str());
    copy.int4(draft.period.number());
    copy.optional(draft.amount, |c, amount| c.numeric(amount.micros()));
    copy.text(&draft.document);
    copy.optional(draft.dated_on, CopyBuffer::day);
}

pub fn run(copy: &mut CopyBuffer, run: &Run) {
    copy.row(8);
    copy.int4(run.run_no as i32);
    place(copy, run.position);
    copy.int2(run.kind.code().into());
    copy.int4(run.revision.get() as i32);
    copy.int8(run.seal.get() as i64);
    copy.text(&run.asked);
    copy.text(&run.outcome);
}
