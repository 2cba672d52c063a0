//! What goes into a lane, and what comes out: one answer for each order event.

use crate::store::StoreError;
use crate::types::{Code, Differing, Digest, Money, Order, Position, PremiumState, Priced, Violations};
use std::sync::Arc;

/// One order event on its way in.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every item is an order: a box would cost each of them an allocation"
)]
pub enum Item {
    /// Well-formed.
    Order(Order),
    /// Not; kept all the same.
    Refused(Box<RefusedOrder>),
}

impl Item {
    /// Whose it is; nothing where the registry does not know the platform.
    pub const fn platform(&self) -> Option<&Code> {
        match self {
            Self::Order(order) => Some(&order.key.platform),
            Self::Refused(refused) => refused.platform.as_ref(),
        }
    }
}

/// An order event that is refused.
#[derive(Clone, Debug)]
pub struct RefusedOrder {
    /// A platform the registry knows; nothing for all others.
    pub platform: Option<Code>,
    /// What is wrong; at least one.
    pub violations: Violations,
    /// SHA-256 of the event as received.
    pub digest: Digest,
    /// The event as received, cut to [`crate::types::PAYLOAD_LIMIT`].
    pub payload: Vec<u8>,
    /// Its whole size, bytes.
    pub payload_size: u32,
}

/// The facts of a booked line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where it stands.
    pub position: Position,
    /// Its price.
    pub priced: Priced,
}

/// How an order stands after a later line changed what was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The line that stands, or the reversal.
    pub position: Position,
    /// Sum of the key's lines.
    pub net: Money,
    /// State of that line; NOT_CHARGED where none stands.
    pub state: PremiumState,
}

/// What became of one order event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Booked now.
    Recorded(Facts),
    /// Booked before with the same content.
    Replayed { facts: Facts, current: Option<Current> },
    /// Booked before with other content.
    Conflict { facts: Facts, current: Option<Current>, differing: Differing },
    /// Not booked.
    Refused(Violations),
}

/// Why a call as a whole failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IntakeError {
    /// The lane's queue is full; nothing was booked.
    #[error("the queue is full; nothing was booked")]
    Busy,
    /// The database did not answer within the limit; what was booked shows itself as replayed when it is sent again.
    #[error("the database does not answer; send the same again")]
    Unavailable,
    /// The service is stopping.
    #[error("the service is stopping; send the same again")]
    Stopping,
    /// A named thing is not there.
    #[error("{0}")]
    NotFound(&'static str),
    /// The correction cannot be booked.
    #[error(transparent)]
    Correction(#[from] crate::ledger::CorrectionRefused),
    /// The row cannot be put.
    #[error(transparent)]
    Put(#[from] crate::rating::PutRefused),
    /// The step of the calendar cannot be taken.
    #[error(transparent)]
    Period(#[from] crate::rating::PeriodRefused),
    /// A later run prices by a newer registry.
    #[error("a later run prices by a newer revision of the registry: begin a new one")]
    Superseded,
    /// Fields are wrong.
    #[error("{} fields are wrong", .0.as_slice().len())]
    Invalid(Violations),
    /// The request id was used for something else.
    #[error("request_id was used before, for another request")]
    RequestIdUsed,
    /// Others kept changing the same order.
    #[error("too many concurrent changes of the same thing; try again")]
    Contended,
    /// More than the service answers with.
    #[error("more than the limit: {0}")]
    TooMuch(&'static str),
    /// A defect, or a database that holds what it should not; in the log, not in the answer.
    #[error("internal error")]
    Internal(Arc<StoreError>),
}

impl From<StoreError> for IntakeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database does not answer");
                Self::Unavailable
            }
            StoreError::Taken(_) | StoreError::CalendarMoved => Self::Contended,
            StoreError::TooMuch(what) => Self::TooMuch(what),
            StoreError::Corrupt(_) | StoreError::Failed(_) => {
                tracing::error!(%error, "the store failed");
                Self::Internal(Arc::new(error))
            }
        }
    }
}
