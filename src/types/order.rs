//! Orders as they were told, and the premium lines booked from them.

use super::{
    Area, Code, EndKind, Instant, LineKind, Malformed, Money, Period, Position, PremiumReason, PremiumState,
    Province, ReversalReason, RowId, Slot, ViolationCode, WorkerId,
};

use std::cmp::Ordering;

/// The insured unit: one order as handed to one worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderKey {
    /// The platform that took the order.
    pub platform: Code,
    /// The platform's own id of it.
    pub order_id: Code,
    /// 1 unless the order was handed on; at most [`OrderKey::MAX_ASSIGNMENT`].
    pub assignment_no: u8,
}

impl OrderKey {
    /// The highest assignment number.
    pub const MAX_ASSIGNMENT: u8 = 99;

    /// The order of the line table's unique index, which begins with the order id: neighbours in a group are neighbours there.
    pub fn by_id(&self, other: &Self) -> Ordering {
        let by_id = self.order_id.cmp(&other.order_id).then_with(|| self.platform.cmp(&other.platform));
        by_id.then_with(|| self.assignment_no.cmp(&other.assignment_no))
    }

    /// 0 means 1.
    pub fn parse_assignment(number: u32) -> Result<u8, Malformed> {
        match number {
            0 => Ok(1),
            1..=99 => Ok(number as u8),
            _ => Err(Malformed::new(ViolationCode::OutOfRange, "must be at most 99")),
        }
    }
}

/// The end of an order, whatever the end was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Instant,
    /// How.
    pub kind: EndKind,
}

/// The two sorts of event. An event is compared only with lines of its own sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// Accepted, no end known.
    Open,
    /// Ended.
    Ended,
}

impl Sort {
    /// The slot that the first event of this sort takes.
    pub const fn slot(self) -> Slot {
        match self {
            Self::Open => Slot::OPEN,
            Self::Ended => Slot::ENDED,
        }
    }

    /// The kind of line that an event of this sort makes.
    pub const fn kind(self) -> LineKind {
        match self {
            Self::Open => LineKind::Open,
            Self::Ended => LineKind::Charge,
        }
    }
}

/// One order event: a self-contained statement about an order key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which order.
    pub key: OrderKey,
    /// Who does it.
    pub worker: WorkerId,
    /// Of which industry.
    pub industry: Code,
    /// Where it was accepted (接单地).
    pub area: Area,
    /// When it was accepted; cover begins.
    pub accepted_at: Instant,
    /// Its end; nothing while it is open.
    pub end: Option<End>,
    /// The agency through which the worker serves, if any.
    pub agency: Option<Code>,
    /// The platform from which the order came, if any.
    pub source_platform: Option<Code>,
    /// The order's id there.
    pub source_order: Option<Code>,
    /// When the event was sent; no part of the content.
    pub sent_at: Option<Instant>,
}

impl Order {
    /// Open or ended.
    pub const fn sort(&self) -> Sort {
        match self.end {
            None => Sort::Open,
            Some(_) => Sort::Ended,
        }
    }

    /// The fields of content in which the two differ.
    pub fn differing(&self, other: &Self) -> Differing {
        let (end, other_end) = (self.end, other.end);
        let pairs = [
            (1, self.key.platform != other.key.platform),
            (2, self.key.order_id != other.key.order_id),
            (3, self.key.assignment_no != other.key.assignment_no),
            (4, self.worker != other.worker),
            (5, self.industry != other.industry),
            (6, self.area != other.area),
            (7, self.accepted_at != other.accepted_at),
            (8, end.map(|e| e.at) != other_end.map(|e| e.at)),
            (9, end.map(|e| e.kind) != other_end.map(|e| e.kind)),
            (10, self.agency != other.agency),
            (11, self.source_platform != other.source_platform),
            (12, self.source_order != other.source_order),
        ];
        let bits = pairs.iter().filter(|(_, differs)| *differs);
        Differing(bits.fold(0, |mask, (field, _)| mask | 1 << field))
    }
}

/// A set of fields of `Order`: bit n stands for the field with number n in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Differing(u16);

impl Differing {
    const NAMES: [&'static str; 13] = [
        "",
        "platform_code",
        "order_id",
        "assignment_no",
        "worker_id",
        "industry_code",
        "accept_area",
        "accepted_at",
        "ended_at",
        "end_kind",
        "service_agency_code",
        "source_platform_code",
        "source_order_id",
    ];

    /// From the stored bits; nothing where a bit has no field.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits & 1 != 0 || bits >= 1 << Self::NAMES.len() {
            return None;
        }
        Some(Self(bits))
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// No field differs: the same content.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Names of the fields, in the order of their numbers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (1..Self::NAMES.len()).filter(move |n| self.0 & (1 << n) != 0).map(|n| Self::NAMES[n])
    }

    /// One of worker, acceptance or end differs: what cover rests on.
    pub const fn touches_cover(self) -> bool {
        self.0 & (1 << 4 | 1 << 7 | 1 << 8) != 0
    }

    /// One of worker, industry, area or acceptance differs: OPEN and ended event should agree in them.
    pub const fn touches_acceptance(self) -> bool {
        self.0 & (1 << 4 | 1 << 5 | 1 << 6 | 1 << 7) != 0
    }
}

/// What rating found for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// Signed; nothing where none is due or known.
    pub amount: Option<Money>,
    /// Whether a premium is due.
    pub state: PremiumState,
    /// Why.
    pub reason: PremiumReason,
    /// The province that counts for the order.
    pub province: Province,
    /// Month in which the line is booked.
    pub period: Period,
    /// Month that the order belongs to.
    pub service_period: Period,
    /// The rate row that priced it.
    pub rate: Option<RowId>,
    /// Revision of the registry used.
    pub revision: RowId,
}

/// A premium line: the ledger's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub position: Position,
    /// Its place within the order key.
    pub slot: Slot,
    /// What it does.
    pub kind: LineKind,
    /// The content it was booked with; a reversal or adjustment repeats that of the line it names.
    pub order: Order,
    /// Its amount and how that came.
    pub priced: Priced,
    /// The line it corrects.
    pub corrects: Option<Slot>,
    /// Why: on a reversal and on the line booked in place of a reversed one.
    pub reversal_reason: Option<ReversalReason>,
}

/// A line as read back: with the time its journal was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The line.
    pub line: Line,
    /// The database's clock at its journal.
    pub received_at: Instant,
}
