//! The snapshot of registry and calendar that an instance prices with, its refresh, and puts.

use super::answer::IntakeError;
use super::request::Asked;
use crate::ledger::{Journal, RequestedBy};
use crate::rating::{Snapshot, admit, seed_drafts};
use crate::store::{Store, StoreError, StoreResult};
use crate::types::{RegistryRow, RowDraft, RowId, SealNo};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How often an instance looks for rows that others put.
pub const SNAPSHOT_REFRESH: Duration = Duration::from_secs(2);
/// An instance whose snapshot is older than this is not ready.
pub const SNAPSHOT_STALE: Duration = Duration::from_secs(30);
/// How often a put is tried against others' puts.
const PUT_TRIES: usize = 100;

/// The snapshot, shared by all who price.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(super) store: Store,
    current: Arc<RwLock<(Arc<Snapshot>, Instant)>>,
    /// Held by who reads it anew: one after the other, so that none puts an older one in the place of a newer.
    refreshing: Arc<Mutex<()>>,
}

impl Registry {
    /// Reads the registry; the first one to start fills it with the seeds.
    pub async fn load(store: Store) -> Result<Self, StoreError> {
        let current = Arc::new(RwLock::new((Arc::new(Snapshot::default()), Instant::now())));
        let registry = Self { store, current, refreshing: Arc::default() };
        registry.refresh().await?;
        if registry.snapshot().revision() == RowId::NONE {
            match registry.store.append(&seeds(&registry.store).await?).await {
                Ok(_) | Err(StoreError::Taken(_)) => registry.refresh().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(registry)
    }

    /// As it stands now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().expect("no panic while held").0.clone()
    }

    /// How long ago the database was asked last.
    pub fn age(&self) -> Duration {
        self.current.read().expect("no panic while held").1.elapsed()
    }

    /// Takes in the rows that were put since, and the steps that were taken.
    pub async fn refresh(&self) -> StoreResult<()> {
        let _alone = self.refreshing.lock().await;
        let asked = Instant::now();
        let before = self.snapshot();
        // The calendar first: what it names is in the registry by then.
        let entries = self.store.calendar_after(before.calendar().epoch()).await?;
        let rows = self.store.registry_after(before.revision()).await?;
        let snapshot = match rows.is_empty() && entries.is_empty() {
            true => before,
            false => {
                let rows = before.rows().iter().cloned().chain(rows.into_iter().map(Arc::new)).collect();
                let steps = before.calendar().entries().iter().cloned();
                let steps = steps.chain(entries.into_iter().map(Arc::new)).collect();
                Arc::new(Snapshot::build(rows, steps).map_err(|e| StoreError::Corrupt(e.to_string()))?)
            }
        };
        *self.current.write().expect("no panic while held") = (snapshot, asked);
        Ok(())
    }

    /// As it stood after the journal with a seal.
    pub async fn as_of(&self, seal: SealNo) -> StoreResult<Arc<Snapshot>> {
        // What another instance put, and is sealed by then.
        self.refresh().await?;
        let now = self.snapshot();
        let (rows, steps) = (now.rows(), now.calendar().entries());
        let journals = rows.iter().map(|row| row.position.journal);
        let journals = journals.chain(steps.iter().map(|entry| entry.position.journal)).collect();
        let sealed = self.store.sealed_by(journals, seal).await?;
        let rows = rows.iter().filter(|row| sealed.contains(&row.position.journal)).cloned().collect();
        let steps = steps.iter().filter(|entry| sealed.contains(&entry.position.journal)).cloned().collect();
        let then = Snapshot::build(rows, steps).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Arc::new(then))
    }

    /// Puts a row. The same request again is answered with the row it put.
    pub async fn put(&self, asked: Asked, draft: RowDraft) -> Result<Arc<RegistryRow>, IntakeError> {
        let registry = self.clone();
        super::to_the_end(async move { registry.book_row(&asked, &draft).await }).await
    }

    async fn book_row(&self, asked: &Asked, draft: &RowDraft) -> Result<Arc<RegistryRow>, IntakeError> {
        for _ in 0..PUT_TRIES {
            if let Some(journal) = asked.answered(&self.store, RequestedBy::PutRow).await? {
                self.refresh().await?;
                let snapshot = self.snapshot();
                let row = snapshot.rows().iter().find(|row| row.position.journal == journal);
                return row.cloned().ok_or(IntakeError::NotFound("the row that this request put"));
            }
            self.refresh().await?;
            let snapshot = self.snapshot();
            admit(&snapshot, draft)?;
            let mut journal = Journal::new(self.store.next_journal_id().await?);
            let id = RowId::new(snapshot.revision().get() + 1);
            let position = journal.place(0);
            journal.registry.push(RegistryRow { id, position, draft: draft.clone() });
            journal.request = Some(asked.record(RequestedBy::PutRow, journal.id));
            match self.store.append(&journal).await {
                Ok(_) => {
                    self.refresh().await?;
                    let row = self.snapshot().row(id).cloned();
                    return row.ok_or(IntakeError::NotFound("the row that was put"));
                }
                Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(IntakeError::Contended)
    }
}

/// All seed rows, in one journal.
async fn seeds(store: &Store) -> StoreResult<Journal> {
    let mut journal = Journal::new(store.next_journal_id().await?);
    for (i, draft) in seed_drafts().into_iter().enumerate() {
        let position = journal.place(i);
        journal.registry.push(RegistryRow { id: RowId::new(i as u32 + 1), position, draft });
    }
    Ok(journal)
}
