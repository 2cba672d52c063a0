//! Writes down long pieces of work, each under the next number, with the request that asked for it.

use super::answer::IntakeError;
use super::registry::Registry;
use super::request::Asked;
use crate::ledger::{Journal, RequestedBy};
use crate::store::{RunsOf, StoreError};
use crate::types::{JournalId, RowId, Run, RunKind, SealNo};

/// How often a run's number is taken against others.
const TRIES: usize = 100;

/// A run without its place.
#[derive(Clone, Debug)]
pub struct RunDraft {
    /// What is done.
    pub kind: RunKind,
    /// By which revision of the registry.
    pub revision: RowId,
    /// As of which seal.
    pub seal: SealNo,
    /// What was asked.
    pub asked: String,
    /// What was found; empty where that is not known yet.
    pub outcome: String,
}

impl RunKind {
    const fn call(self) -> RequestedBy {
        match self {
            Self::Reprice => RequestedBy::RepriceOrders,
            Self::Reconcile => RequestedBy::Reconcile,
        }
    }
}

impl Registry {
    /// The run that this request wrote down before.
    pub async fn run_of(&self, asked: &Asked, kind: RunKind) -> Result<Option<Run>, IntakeError> {
        let Some(journal) = asked.answered(&self.store, kind.call()).await? else { return Ok(None) };
        let of = RunsOf { journal: Some(journal), ..RunsOf::default() };
        let run = self.store.run(of).await?;
        run.map(Some).ok_or(IntakeError::NotFound("the run that this request wrote down"))
    }

    /// Writes a run down in a journal with this id; or answers the one that the same request wrote down meanwhile.
    pub async fn write_run(&self, asked: &Asked, id: JournalId, draft: RunDraft) -> Result<Run, IntakeError> {
        for _ in 0..TRIES {
            if let Some(run) = self.run_of(asked, draft.kind).await? {
                return Ok(run);
            }
            let newest = self.store.run(RunsOf::default()).await?;
            let mut journal = Journal::new(id);
            let RunDraft { kind, revision, seal, asked: text, outcome } = draft.clone();
            let run = Run {
                run_no: newest.map_or(1, |newest| newest.run_no + 1),
                position: journal.place(0),
                kind,
                revision,
                seal,
                asked: text,
                outcome,
            };
            journal.runs.push(run.clone());
            journal.request = Some(asked.record(kind.call(), id));
            match self.store.append(&journal).await {
                Ok(_) => return Ok(run),
                Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(IntakeError::Contended)
    }
}
