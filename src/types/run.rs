//! Long pieces of work that are begun once and may be taken up again.

use super::{Position, RowId, SealNo};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RunKind {
    /// RepriceOrders; the run is written down when it begins.
    Reprice = 1,
    /// Reconcile; the run is written down when it is done.
    Reconcile = 2,
}

impl RunKind {
    /// The number that stands for it in the database and the canonical encoding.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Reprice),
            2 => Some(Self::Reconcile),
            _ => None,
        }
    }
}

/// A run, as it was begun or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// From 1, gap-free.
    pub run_no: u32,
    /// Where its entry stands.
    pub position: Position,
    /// What is done.
    pub kind: RunKind,
    /// By which revision of the registry.
    pub revision: RowId,
    /// The newest seal when it was begun; of a Reconcile the seal as of which lines were compared.
    pub seal: SealNo,
    /// What was asked, as text; at most [`Run::MAX_ASKED_BYTES`].
    pub asked: String,
    /// What was found, as text; at most [`Run::MAX_OUTCOME_BYTES`]. Empty: it is not known when it begins.
    pub outcome: String,
}

impl Run {
    /// Longest text of what was asked.
    pub const MAX_ASKED_BYTES: usize = 4_000;
    /// Longest text of what was found.
    pub const MAX_OUTCOME_BYTES: usize = 4_000;
}
