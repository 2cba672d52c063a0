//! The model's premium line, and what a key's lines say together.

use super::{State, event::Event, price::Priced, timestamp};
use premium_ledger::{
    api::proto as pb,
    types::{Instant, JournalId, LedgerId, LineId, LineNo, Money, Position},
};

/// One line. A reversal repeats all but kind, slot and amount of the line it takes back.
#[derive(Clone)]
pub struct Line {
    pub id: String,
    pub slot: u32,
    pub kind: pb::LineKind,
    pub event: Event,
    pub priced: Priced,
    /// Id of the line that this one corrects.
    pub corrects: Option<String>,
    pub received_at: Instant,
    pub reversal_reason: i32,
}

impl Line {
    pub fn premium(&self) -> String {
        self.priced.amount.map_or(String::new(), |amount| amount.to_string())
    }

    pub fn wire(&self) -> pb::Line {
        pb::Line {
            line_id: self.id.clone(),
            slot: self.slot,
            kind: self.kind as i32,
            order: Some(self.event.wire()),
            premium: self.premium(),
            premium_state: self.priced.state as i32,
            reason_code: self.priced.reason as i32,
            corrects_line_id: self.corrects.clone().unwrap_or_default(),
            period: self.priced.period.to_string(),
            service_period: self.priced.service_period.to_string(),
            rate_id: self.priced.rate.unwrap_or(0),
            registry_revision: self.priced.revision,
            received_at: Some(timestamp(self.received_at)),
            reversal_reason: self.reversal_reason,
        }
    }
}

/// The reversal of a line, if it was taken back.
pub fn reversal_of<'a>(lines: &'a [Line], line: &Line) -> Option<&'a Line> {
    lines.iter().find(|l| l.kind == pb::LineKind::Reversal && l.corrects.as_ref() == Some(&line.id))
}

/// An OPEN or a CHARGE that was not taken back.
pub fn stands(lines: &[Line], line: &Line) -> bool {
    matches!(line.kind, pb::LineKind::Open | pb::LineKind::Charge) && reversal_of(lines, line).is_none()
}

/// The newest standing line of a kind.
pub fn standing(lines: &[Line], kind: pb::LineKind) -> Option<&Line> {
    lines.iter().rev().find(|line| line.kind == kind && stands(lines, line))
}

/// What a line is priced as since its newest adjustment, if it has one; the amount stays its own.
pub fn adjusted(lines: &[Line], line: &Line) -> Priced {
    let mut priced = line.priced.clone();
    for other in lines {
        if other.kind == pb::LineKind::Adjustment && other.corrects.as_ref() == Some(&line.id) {
            let now = &other.priced;
            (priced.state, priced.reason, priced.rate, priced.revision) =
                (now.state, now.reason, now.rate, now.revision);
        }
    }
    priced
}

/// The sum of all lines.
pub fn net(lines: &[Line]) -> Money {
    Money::from_micros(lines.iter().filter_map(|line| line.priced.amount).map(Money::micros).sum())
}

impl State {
    /// A line that states an event, priced now; not yet booked.
    pub fn new_line(&mut self, event: Event, slot: u32, now: Instant) -> Line {
        let (kind, priced) = (event.kind(), self.price(&event));
        let id = self.next_line_id();
        Line { id, slot, kind, event, priced, corrects: None, received_at: now, reversal_reason: 0 }
    }

    /// A unique id of the right form.
    pub fn next_line_id(&mut self) -> String {
        self.booked += 1;
        let journal = JournalId::new(self.booked).expect("the model is small");
        let line_no = LineNo::new(0).expect("0 is a place");
        let ledger = LedgerId::new(0).expect("0 is a ledger");
        LineId { position: Position { journal, line_no }, ledger }.to_string()
    }

    /// Puts a line in its place.
    pub fn book(&mut self, line: Line) {
        let lines = self.orders.entry(line.event.key()).or_default();
        lines.push(line);
        lines.sort_by_key(|line| line.slot);
    }
}
