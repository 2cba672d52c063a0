//! Notes what is found, and tells it, in parts of a thousand; what is to be kept is kept when all is found.

use super::ReconcileError;
use super::difference::Difference;
use crate::store::Store;
use crate::types::{DifferenceType, Digest, JournalId};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
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
    tell: mpsc::Sender<Told>,
    part: Vec<Difference>,
    kept: Kept,
    hash: Sha256,
    counts: BTreeMap<DifferenceType, u64>,
}

/// What is to be kept, in a file until the run is done: one that is broken off leaves nothing in the ledger.
pub struct Kept {
    file: File,
    /// Where the parts end.
    ends: Vec<u64>,
    count: u64,
}

impl Kept {
    fn add(&mut self, part: &[u8], count: usize) -> io::Result<()> {
        self.file.write_all(part)?;
        self.ends.push(self.ends.last().copied().unwrap_or_default() + part.len() as u64);
        self.count += count as u64;
        Ok(())
    }

    /// How many differences.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Keeps them for the run that a journal will hold.
    pub async fn keep(mut self, store: &Store, journal: JournalId) -> Result<(), ReconcileError> {
        self.file.rewind()?;
        let mut begin = 0;
        for (part_no, end) in (0..).zip(std::mem::take(&mut self.ends)) {
            let mut text = String::new();
            (&mut self.file).take(end - begin).read_to_string(&mut text)?;
            store.keep_differences(journal, part_no, &text).await?;
            begin = end;
        }
        Ok(())
    }
}

impl Findings {
    /// Nothing yet; what is found waits in a folder.
    pub fn new(folder: &Path, tell: mpsc::Sender<Told>) -> io::Result<Self> {
        let kept = Kept { file: tempfile::tempfile_in(folder)?, ends: Vec::new(), count: 0 };
        let (hash, counts) = (Sha256::new(), BTreeMap::new());
        Ok(Self { tell, part: Vec::with_capacity(PART), kept, hash, counts })
    }

    /// Counts without telling.
    pub fn count(&mut self, kind: DifferenceType, count: u64) {
        if count > 0 {
            *self.counts.entry(kind).or_default() += count;
        }
    }

    /// Counts, notes and tells.
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
        if part.is_empty() {
            return Ok(());
        }
        // Whole parts: the bound is a multiple of theirs.
        if self.kept.count < MAX_KEPT {
            let mut text = String::new();
            for difference in &part {
                text.push_str(&difference.to_json());
                text.push('\n');
            }
            self.hash.update(text.as_bytes());
            self.kept.add(text.as_bytes(), part.len())?;
        }
        self.tell.send(Told::Differences(part)).await.map_err(|_| ReconcileError::Gone)
    }

    /// All is found: the counts, what is to be kept, and its digest.
    pub async fn end(mut self) -> Result<(BTreeMap<DifferenceType, u64>, Kept, Digest), ReconcileError> {
        self.flush().await?;
        Ok((self.counts, self.kept, self.hash.finalize().into()))
    }
}
