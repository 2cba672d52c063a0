//! Lists of lines as they were booked, a stretch of journals at a time.

use super::totals::LATEST;
use super::{Store, StoreResult};
use crate::ledger::Sealed;
use crate::types::{
    Code, Instant, LineKind, LineNo, Money, OrderKey, Period, PremiumState, Province, RowId, SealNo, Slot,
    WorkerId,
};

/// Entries of journals whose lines are listed at once.
const ENTRIES_PER_READ: u32 = 16_384;
/// Seconds before a month in which lines of it may be booked: what the clocks of those who book may be apart, and more.
const BEFORE_MONTH: i64 = 24 * 3_600;

/// A place in the order of the lines: after the line with this number of the journal with this seal; without one after the whole journal.
pub type Place = (SealNo, Option<LineNo>);

/// Some of the lines of a month.
#[derive(Debug)]
pub struct StatementLines {
    /// In the order in which they were booked, each with its seal.
    pub lines: Vec<Sealed>,
    /// All lines up to this seal are told.
    pub through: SealNo,
}

impl Store {
    /// The next lines of a platform that are booked in a month, after a place, up to a seal.
    pub async fn statement_lines(
        &self,
        platform: &Code,
        period: Period,
        after: Place,
        to: SealNo,
    ) -> StoreResult<StatementLines> {
        let (seal, line_no) = after;
        // A journal of which some lines were told is read again.
        let whole = line_no.map_or(seal, |_| SealNo::new(seal.get().saturating_sub(1)));
        let through = self.stretch_end(whole, ENTRIES_PER_READ, to).await?;
        let mut lines = ask!(self.lines_between(platform, period, whole, through))?;
        lines.retain(|(at, posted)| *at != seal || Some(posted.line.position.line_no) > line_no);
        Ok(StatementLines { lines, through })
    }
}

/// Which CHARGE lines are looked for.
#[derive(Clone, Debug)]
pub struct Charges {
    /// Of one platform, or of all.
    pub platform: Option<Code>,
    /// Of one province, or of all.
    pub province: Option<Province>,
    /// Of one industry, or of all.
    pub industry: Option<Code>,
    /// Accepted from here on.
    pub from: Instant,
    /// Accepted before.
    pub before: Option<Instant>,
    /// Priced before this revision of the registry.
    pub revision: RowId,
}

impl Store {
    /// The next of such lines, in the journals after a seal up to another; and the seal up to which they are told.
    pub async fn charges(
        &self,
        charges: &Charges,
        after: SealNo,
        to: SealNo,
    ) -> StoreResult<(Vec<(OrderKey, Slot)>, SealNo)> {
        let through = self.stretch_end(after, ENTRIES_PER_READ, to).await?;
        Ok((ask!(self.charges_between(charges, after, through))?, through))
    }
}

/// Which lines are compared with others' files: those of ended orders that are booked in a month.
#[derive(Clone, Debug)]
pub struct BookedOf {
    /// Of one platform, or of all.
    pub platform: Option<Code>,
    /// Of one province, or of all.
    pub province: Option<Province>,
    /// Of one industry, or of all.
    pub industry: Option<Code>,
    /// The month in which they are booked.
    pub period: Period,
}

/// What is compared of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The order.
    pub key: OrderKey,
    /// Its slot: the order of the lines of an order.
    pub slot: Slot,
    /// What the line does.
    pub kind: LineKind,
    /// Who is covered.
    pub worker: WorkerId,
    /// The province that counts.
    pub province: Province,
    /// The industry.
    pub industry: Code,
    /// Month that the order belongs to.
    pub service_period: Period,
    /// Whether a premium is due.
    pub state: PremiumState,
    /// The rate row that priced it.
    pub rate: Option<RowId>,
    /// Zero where it has none.
    pub amount: Money,
}

impl Store {
    /// How far the journals after a seal may be asked for [`Store::booked`] at once, at most up to another.
    pub async fn booked_through(&self, after: SealNo, to: SealNo) -> StoreResult<SealNo> {
        self.stretch_end(after, ENTRIES_PER_READ, to).await
    }

    /// Such lines in the journals after a seal up to another, in no order.
    pub async fn booked(&self, of: &BookedOf, after: SealNo, to: SealNo) -> StoreResult<Vec<Booked>> {
        ask!(self.booked_between(of, after, to))
    }

    /// A seal before that of any journal with lines of a month: no order is booked long before it is accepted.
    pub async fn seal_before(&self, period: Period) -> StoreResult<SealNo> {
        let instant = period.first_day().start().plus_seconds(-BEFORE_MONTH);
        // No journal has lines of a month that is yet to come.
        Ok(self.seal_by(instant).await?.unwrap_or(LATEST))
    }
}
