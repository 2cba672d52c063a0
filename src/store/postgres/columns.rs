//! The columns of each table in COPY order: the twin of the column lists in `sql/copy_*.sql`.

use super::copy::CopyBuffer;
use crate::ledger::Journal;
use crate::types::{Line, Order, Position};

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

pub fn lines(journal: &Journal) -> CopyBuffer {
    let mut copy = CopyBuffer::new(journal.lines.len(), 320);
    for line in &journal.lines {
        copy.row(27);
        one_line(&mut copy, line);
    }
    copy
}

fn one_line(copy: &mut CopyBuffer, line: &Line) {
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

pub fn conflicts(journal: &Journal) -> CopyBuffer {
    let mut copy = CopyBuffer::new(journal.conflicts.len(), 360);
    for (i, conflict) in journal.conflicts.iter().enumerate() {
        copy.row(20);
        place(&mut copy, journal.conflict_place(i));
        key(&mut copy, &conflict.order);
        content(&mut copy, &conflict.order);
        copy.bytes(&conflict.digest);
        copy.int4(conflict.differing.bits().into());
        place(&mut copy, conflict.compared_with);
        copy.day(conflict.received_on);
    }
    copy
}

pub fn refusals(journal: &Journal) -> CopyBuffer {
    let mut copy = CopyBuffer::new(journal.refusals.len(), 320);
    for (i, refusal) in journal.refusals.iter().enumerate() {
        copy.row(9);
        place(&mut copy, journal.refusal_place(i));
        copy.text(refusal.platform.as_ref().map_or("", |p| p.as_str()));
        copy.bytes(&refusal.digest);
        copy.int2(refusal.code.code().into());
        copy.text(&refusal.field);
        copy.bytes(&refusal.payload);
        copy.int4(refusal.payload_size as i32);
        copy.day(refusal.received_on);
    }
    copy
}

pub fn watermarks(journal: &Journal) -> CopyBuffer {
    let mut copy = CopyBuffer::new(journal.watermarks.len(), 96);
    for (i, watermark) in journal.watermarks.iter().enumerate() {
        copy.row(5);
        place(&mut copy, journal.watermark_place(i));
        copy.text(watermark.platform.as_str());
        copy.int8(watermark.report_no as i64);
        copy.instant(watermark.at);
    }
    copy
}

pub fn hours(journal: &Journal) -> CopyBuffer {
    let mut copy = CopyBuffer::new(journal.watermarks.iter().map(|w| w.hourly.len()).sum(), 80);
    for watermark in &journal.watermarks {
        for hourly in &watermark.hourly {
            copy.row(5);
            copy.text(watermark.platform.as_str());
            copy.int8(watermark.report_no as i64);
            copy.instant(hourly.hour);
            copy.int8(hourly.accepted as i64);
            copy.int8(hourly.ended as i64);
        }
    }
    copy
}

pub fn registry(journal: &Journal) -> CopyBuffer {
    let mut copy = CopyBuffer::new(journal.registry.len(), 320);
    for row in &journal.registry {
        let draft = &row.draft;
        copy.row(16);
        copy.int4(row.id.get() as i32);
        place(&mut copy, row.position);
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
    copy
}
