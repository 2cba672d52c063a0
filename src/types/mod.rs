//! The words of the ledger: orders, lines, money, instants, registry rows. Knows nobody; no I/O, no clock, no wire.

mod anomaly;
mod area;
mod calendar;
mod code;
mod doubt;
mod enums;
mod id;
mod money;
mod order;
mod registry;
mod report;
mod run;
mod time;
mod total;
mod violation;

pub use anomaly::Anomaly;
pub use area::{Area, Province};
pub use calendar::{CalendarDraft, CalendarEntry};
pub use code::{ANY, Code, RequestId};
pub use doubt::{
    Conflict, DAILY_LIMIT, Digest, ENTRY_CONFLICT, ENTRY_REFUSAL, Overflow, PAYLOAD_LIMIT, PastLimit, Refusal,
    Repeats,
};
pub use enums::{
    AnomalyType, CoverageReason, DifferenceType, EndKind, ExportFormat, ExportLevel, FileEncoding, FileFormat,
    HourState, LineKind, Outcome, PeriodStep, PremiumReason, PremiumState, Purpose, ReconcileLevel,
    ReversalReason, StatementState, ViolationCode,
};
pub use id::{Epoch, JournalId, LedgerId, LineId, LineNo, Position, RowId, SealNo, Slot, WorkerId};
pub use money::{Factor, Money};
pub use order::{Differing, End, Line, Order, OrderKey, Posted, Priced, Sort};
pub use registry::{RegistryRow, RowDraft, RowKind};
pub use report::{HourCounts, Hourly, Watermark};
pub use run::{Run, RunKind};
pub use time::{Day, Instant, Period};
pub use total::{Sums, TotalKey};
pub use violation::{MAX_DESCRIPTION_BYTES, MAX_VIOLATIONS, Malformed, Violation, Violations};
