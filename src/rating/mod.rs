//! What an order costs and whether it is in scope: an immutable snapshot of the registry, and pure functions over it. A row holds
//! from its day until the next of its key begins; the most specific row wins (DESIGN §3 "Registry rows").

mod admit;
mod calendar;
mod late_fee;
mod price;
mod rule;
mod seed;
mod snapshot;
mod table;

pub use admit::{PutRefused, admit};
pub use calendar::{Calendar, PeriodAccount, PeriodRefused, round_to_fen};
pub use late_fee::Late;
pub use price::Explained;
pub use rule::{CountRule, MAX_ORDER_LENGTH_SECONDS, PeriodOf, RULE_NAMES};
pub use seed::seed_drafts;
pub use snapshot::{CorruptRegistry, Snapshot};
