//! Reversals and corrected orders. Two at once collide on the slot; the loser reads again and decides again.

use super::answer::IntakeError;
use super::request::Asked;
use super::{Intake, to_the_end};
use crate::ledger::{Correction, CorrectionRefused, Journal, RequestedBy, correct, reverse};
use crate::rating::Snapshot;
use crate::store::{Asker, StoreError, Written};
use crate::types::{JournalId, Line, Order, OrderKey, Period, Position, Posted, ReversalReason, Slot};

/// Take one line back.
#[derive(Clone, Debug)]
pub struct ReverseAsk {
    /// The request.
    pub asked: Asked,
    /// Of this order.
    pub key: OrderKey,
    /// This line; without one the newest standing ended line, else the OPEN.
    pub line: Option<Position>,
    /// Why.
    pub reason: ReversalReason,
}

/// Take one line back and book another in its place.
#[derive(Clone, Debug)]
pub struct CorrectAsk {
    /// The request.
    pub asked: Asked,
    /// This line.
    pub line: Position,
    /// What is right.
    pub order: Order,
    /// Why.
    pub reason: ReversalReason,
}

impl Intake {
    /// Books a reversal; gives it back as booked.
    pub async fn reverse(&self, ask: ReverseAsk) -> Result<Vec<Posted>, IntakeError> {
        let intake = self.clone();
        to_the_end(async move { intake.book_reversal(&ask).await }).await
    }

    /// Books a reversal and a replacement, priced by the rules of the replacement's own date; gives back what it booked.
    pub async fn correct(&self, ask: CorrectAsk) -> Result<Vec<Posted>, IntakeError> {
        let intake = self.clone();
        to_the_end(async move { intake.book_replacement(&ask).await }).await
    }

    async fn book_reversal(&self, ask: &ReverseAsk) -> Result<Vec<Posted>, IntakeError> {
        let decide = |lines: &[Posted], at: [Position; 2], snapshot: &Snapshot| {
            let slot = ask.line.map(|line| slot_of(lines, line)).transpose()?;
            reverse(lines, slot, ask.reason, at[0], open_period(snapshot))
        };
        self.book_correction(&ask.asked, RequestedBy::ReverseOrder, &ask.key, decide).await
    }

    async fn book_replacement(&self, ask: &CorrectAsk) -> Result<Vec<Posted>, IntakeError> {
        let decide = |lines: &[Posted], at: [Position; 2], snapshot: &Snapshot| {
            let slot = slot_of(lines, ask.line)?;
            let priced = snapshot.price(&ask.order);
            correct(lines, slot, ask.order.clone(), priced, ask.reason, at, open_period(snapshot))
        };
        self.book_correction(&ask.asked, RequestedBy::CorrectOrder, &ask.order.key, decide).await
    }

    /// Reads, decides and appends until the slot is won: each lost try means that somebody else took one of the key's slots,
    /// and there are [`Slot::LIMIT`] of them; or that a month was frozen.
    async fn book_correction(
        &self,
        asked: &Asked,
        call: RequestedBy,
        key: &OrderKey,
        decide: impl Fn(&[Posted], [Position; 2], &Snapshot) -> Result<Correction, CorrectionRefused>,
    ) -> Result<Vec<Posted>, IntakeError> {
        for _ in 0..=Slot::LIMIT {
            if let Some(journal) = asked.answered(&self.store, call).await? {
                return self.lines_in(key, journal).await;
            }
            let orders = self.store.orders(&[key], Asker::Intake).await?;
            let lines = orders.get(key).ok_or(IntakeError::NotFound("no such order"))?;
            let mut journal = Journal::new(self.store.next_journal_id().await?);
            let snapshot = self.registry.snapshot();
            let correction = decide(lines, [journal.place(0), journal.place(1)], &snapshot)?;
            journal.epoch = snapshot.calendar().fence();
            journal.lines = correction.reversal.into_iter().chain(correction.replacement).collect();
            journal.request = Some(asked.record(call, journal.id));
            match self.store.append(&journal).await {
                Ok(Written { recorded_at: received_at, .. }) => {
                    return Ok(journal.lines.into_iter().map(|line| Posted { line, received_at }).collect());
                }
                Err(StoreError::Taken(_)) => {}
                Err(StoreError::CalendarMoved) => self.registry.refresh().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(IntakeError::Contended)
    }

    /// Lines of a key that one journal booked, in slot order.
    async fn lines_in(&self, key: &OrderKey, journal: JournalId) -> Result<Vec<Posted>, IntakeError> {
        let mut orders = self.store.orders(&[key], Asker::Intake).await?;
        let mut lines = orders.remove(key).unwrap_or_default();
        lines.retain(|posted| posted.line.position.journal == journal);
        Ok(lines)
    }
}

fn slot_of(lines: &[Posted], line: Position) -> Result<Slot, CorrectionRefused> {
    let found = lines.iter().find(|posted| posted.line.position == line);
    found.map(|posted| posted.line.slot).ok_or(CorrectionRefused::NoSuchLine)
}

/// The month in which a line is booked now that takes back another.
pub(super) fn open_period(snapshot: &Snapshot) -> impl Fn(&Line) -> Period {
    |line| {
        let priced = &line.priced;
        snapshot.period(line.order.key.platform.as_str(), priced.province, priced.service_period)
    }
}
