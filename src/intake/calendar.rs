//! Steps of the calendar: a month is frozen, declared, paid. A freeze is fenced in the store: no journal with lines of an older calendar comes after
//! it, so what has a seal up to the freeze's own is all that the month's statements will ever hold.

use super::answer::IntakeError;
use super::registry::Registry;
use super::request::Asked;
use crate::ledger::{Journal, RequestedBy};
use crate::store::StoreError;
use crate::types::{CalendarDraft, CalendarEntry, Day, Epoch, JournalId, PeriodStep, SealNo};
use std::sync::Arc;

/// How often a step is tried against others' steps.
const STEP_TRIES: usize = 100;
impl Registry {
    /// Takes a step; gives it back once it is sealed. The same request again is answered with the step it took.
    pub async fn step(
        &self,
        asked: Asked,
        draft: CalendarDraft,
        today: Day,
    ) -> Result<Arc<CalendarEntry>, IntakeError> {
        let registry = self.clone();
        super::to_the_end(async move {
            let entry = registry.book_step(&asked, &draft, today).await?;
            registry.sealed(entry.position.journal).await?;
            Ok(entry)
        })
        .await
    }

    async fn book_step(
        &self,
        asked: &Asked,
        draft: &CalendarDraft,
        today: Day,
    ) -> Result<Arc<CalendarEntry>, IntakeError> {
        let call = match draft.step {
            PeriodStep::Freeze => RequestedBy::FreezePeriod,
            PeriodStep::Declaration => RequestedBy::RecordDeclaration,
            PeriodStep::Payment => RequestedBy::RecordPayment,
        };
        for _ in 0..STEP_TRIES {
            if let Some(journal) = asked.answered(&self.store, call).await? {
                return self.step_in(journal).await;
            }
            self.refresh().await?;
            let snapshot = self.snapshot();
            let calendar = snapshot.calendar();
            calendar.admit(draft, today)?;
            let mut journal = Journal::new(self.store.next_journal_id().await?);
            let epoch = Epoch::new(calendar.epoch().get() + 1);
            journal.calendar.push(CalendarEntry { epoch, position: journal.place(0), draft: draft.clone() });
            journal.request = Some(asked.record(call, journal.id));
            match self.store.append(&journal).await {
                Ok(_) => return self.step_in(journal.id).await,
                Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(IntakeError::Contended)
    }

    async fn step_in(&self, journal: JournalId) -> Result<Arc<CalendarEntry>, IntakeError> {
        self.refresh().await?;
        let snapshot = self.snapshot();
        let mut entries = snapshot.calendar().entries().iter();
        let entry = entries.find(|entry| entry.position.journal == journal).cloned();
        entry.ok_or(IntakeError::NotFound("the step that this request took"))
    }

    /// The seal of a journal that is booked.
    pub async fn sealed(&self, journal: JournalId) -> Result<SealNo, IntakeError> {
        let seals = self.store.seals_of(&[journal]).await?;
        if let Some(seal) = seals.get(&journal) {
            return Ok(*seal);
        }
        self.store.seal_booked().await?;
        let seals = self.store.seals_of(&[journal]).await?;
        seals.get(&journal).copied().ok_or(IntakeError::Unavailable)
    }
}
