//! Request ids: the same id and content is answered as the first time, other content is refused.

use super::answer::IntakeError;
use crate::ledger::{RequestRecord, RequestedBy};
use crate::store::Store;
use crate::types::{Digest, JournalId, RequestId};

/// A mutating call: its id and the digest of what it asks.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Unique per caller, for ever.
    pub id: RequestId,
    /// Of what is asked.
    pub digest: Digest,
}

impl Asked {
    /// The journal with this request's answer, if it was answered before.
    pub async fn answered(&self, store: &Store, call: RequestedBy) -> Result<Option<JournalId>, IntakeError> {
        match store.request(&self.id).await? {
            None => Ok(None),
            Some(used) if used.call == call && used.digest == self.digest => Ok(Some(used.journal)),
            Some(_) => Err(IntakeError::RequestIdUsed),
        }
    }

    /// What to write down with the answer.
    pub fn record(&self, call: RequestedBy, journal: JournalId) -> RequestRecord {
        RequestRecord { id: self.id.clone(), call, digest: self.digest, journal }
    }
}
