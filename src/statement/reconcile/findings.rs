//! Keeps what is found, and tells it: parts of a thousand, each kept before it is told.

use super::ReconcileError;
use super::difference::Difference;
use crate::store::Store;
use crate::types::{DifferenceType, Digest, JournalId};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Differences of a part.
pub const PART: usize = 1_000;
/// Most differences that are kept of a run. Further ones are counted, and told once.
pub const MAX_KEPT: u64 = 1_000_000;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Told {
    /// How far it is.
    Progress(Progress),
    /// What was found.
    Differences(Vec<Difference>),
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that were read.
    pub file_bytes: u64,
    /// Journals of which the lines were read.
    pub journals: u64,
    /// Of how many.
    pub journals_total: u64,
    /// Parts that were compared.
    pub parts: u32,
    /// Of how many.
    pub parts_total: u32,
}

/// What was found so far.
pub struct Findings {
    store: Store,
    journal: JournalId,
    tell: mpsc::Sender<Told>,
    part: Vec<Difference>,
    part_no: u32,
    hash: Sha256,
    kept: u64,
    counts: BTreeMap<DifferenceType, u64>,
}

impl Findings {
    /// Nothing yet, of the run that a journal will hold.
    pub fn new(store: Store, journal: JournalId, tell: mpsc::Sender<Told>) -> Self {
        let (hash, counts) = (Sha256::new(), BTreeMap::new());
        Self { store, journal, tell, part: Vec::with_capacity(PART), part_no: 0, hash, kept: 0, counts }
    }

    /// Counts without telling.
    pub fn count(&mut self, kind: DifferenceType, count: u64) {
        if count > 0 {
            *self.counts.entry(kind).or_default() += count;
        }
    }

    /// Counts, keeps and tells.
    pub async fn add(&mut self, difference: Difference) -> Result<(), ReconcileError> {
        self.count(difference.kind, 1);
        self.part.push(difference);
        match self.part.len() == PART {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// Tells how far it is.
    pub async fn progress(&self, progress: Progress) -> Result<(), ReconcileError> {
        self.tell.send(Told::Progress(progress)).await.map_err(|_| ReconcileError::Gone)
    }

    async fn flush(&mut self) -> Result<(), ReconcileError> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        // Whole parts: the bound is a multiple of theirs.
        if !part.is_empty() && self.kept < MAX_KEPT {
            let mut text = String::new();
            for difference in &part {
                text.push_str(&difference.to_json());
                text.push('\n');
            }
            self.hash.update(text.as_bytes());
            self.store.keep_differences(self.journal, self.part_no, &text).await?;
            self.part_no += 1;
            self.kept += part.len() as u64;
        }
        match part.is_empty() {
            true => Ok(()),
            false => self.tell.send(Told::Differences(part)).await.map_err(|_| ReconcileError::Gone),
        }
    }

    /// All is found: the counts, how many are kept, and the digest of those.
    pub async fn end(mut self) -> Result<(BTreeMap<DifferenceType, u64>, u64, Digest), ReconcileError> {
        self.flush().await?;
        Ok((self.counts, self.kept, self.hash.finalize().into()))
    }
}
