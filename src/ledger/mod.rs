//! What the ledger is, as pure rules: entries and their canonical encoding, journals and their roots, and what an event or a
//! correction means next to the lines that stand. No clock, no I/O.

mod compare;
mod correct;
mod encode;
mod journal;
mod root;
mod standing;
mod turnover;

pub use compare::{Comparison, compare};
pub use correct::{Correction, CorrectionRefused, Repriced, adjustment, correct, reprice, reverse};
pub use encode::{ENCODING_VERSION, content_digest, request_digest, statement_digest};
pub use journal::{Journal, RequestRecord, RequestedBy};
pub use root::{leaf_hash, node_hash, root};
pub use standing::{adjusted, net, reversal_of, standing};
pub use turnover::{Sealed, is_apart, turnover};
