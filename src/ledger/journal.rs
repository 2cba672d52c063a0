//! A journal: one atomic, durable group of entries, and its root.

use super::encode::Encoder;
use super::root::{leaf_hash, root};
use crate::types::{
    CalendarEntry, Conflict, Digest, Epoch, JournalId, Line, LineNo, PeriodStep, Position, Refusal, RegistryRow,
    Repeats, RequestId, Run, Watermark,
};

/// Which call a request id belongs to. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RequestedBy {
    /// ReverseOrder.
    ReverseOrder = 1,
    /// CorrectOrder.
    CorrectOrder = 2,
    /// ReportWatermark.
    ReportWatermark = 3,
    /// A put of the registry.
    PutRow = 4,
    /// FreezePeriod.
    FreezePeriod = 5,
    /// RecordDeclaration.
    RecordDeclaration = 6,
    /// RecordPayment.
    RecordPayment = 7,
    /// RepriceOrders.
    RepriceOrders = 8,
    /// Reconcile.
    Reconcile = 9,
}

impl RequestedBy {
    const ALL: [Self; 9] = [
        Self::ReverseOrder,
        Self::CorrectOrder,
        Self::ReportWatermark,
        Self::PutRow,
        Self::FreezePeriod,
        Self::RecordDeclaration,
        Self::RecordPayment,
        Self::RepriceOrders,
        Self::Reconcile,
    ];

    /// The call with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|call| *call as u8 == code)
    }
}

/// A request id that was used: its answer is made again from the journal's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The id.
    pub id: RequestId,
    /// By which call.
    pub call: RequestedBy,
    /// Of what content.
    pub digest: Digest,
    /// The journal that its answer stands in.
    pub journal: JournalId,
}

/// Entries in the order of their places: lines, conflicts, refusals, watermarks, registry rows, steps of the calendar, runs. The counters and the request id
/// ride in the same transaction but are no entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Taken before anything is encoded.
    pub id: JournalId,
    /// LINE entries, from place 0.
    pub lines: Vec<Line>,
    /// CONFLICT entries, behind the lines.
    pub conflicts: Vec<Conflict>,
    /// REFUSAL entries, behind the conflicts.
    pub refusals: Vec<Refusal>,
    /// WATERMARK entries, behind the refusals.
    pub watermarks: Vec<Watermark>,
    /// REGISTRY entries, behind the watermarks.
    pub registry: Vec<RegistryRow>,
    /// PERIOD, DECLARATION and PAYMENT entries, behind the registry rows.
    pub calendar: Vec<CalendarEntry>,
    /// RUN entries, behind the steps.
    pub runs: Vec<Run>,
    /// The newest freeze by which its lines got their periods, where it has lines.
    pub epoch: Epoch,
    /// Counters raised with it.
    pub repeats: Repeats,
    /// The call that it answers.
    pub request: Option<RequestRecord>,
}

impl Journal {
    /// An empty one.
    pub fn new(id: JournalId) -> Self {
        Self {
            id,
            lines: Vec::new(),
            conflicts: Vec::new(),
            refusals: Vec::new(),
            watermarks: Vec::new(),
            registry: Vec::new(),
            calendar: Vec::new(),
            runs: Vec::new(),
            epoch: Epoch::NONE,
            repeats: Repeats::default(),
            request: None,
        }
    }

    /// How many entries.
    pub fn count(&self) -> usize {
        let rows = self.registry.len() + self.calendar.len() + self.runs.len();
        self.lines.len() + self.conflicts.len() + self.refusals.len() + self.watermarks.len() + rows
    }

    /// It freezes a month: no journal with lines may be under way meanwhile.
    pub fn freezes(&self) -> bool {
        self.calendar.iter().any(|entry| entry.draft.step == PeriodStep::Freeze)
    }

    /// A place in this journal.
    ///
    /// # Panics
    /// Past [`LineNo::MAX`]; the limit of a group keeps far below it.
    pub fn place(&self, index: usize) -> Position {
        let line_no = u32::try_from(index).ok().and_then(LineNo::new);
        Position { journal: self.id, line_no: line_no.expect("groups are bounded far below") }
    }

    /// The conflicts, each with its place.
    pub fn placed_conflicts(&self) -> impl ExactSizeIterator<Item = (Position, &Conflict)> {
        self.placed(self.lines.len(), &self.conflicts)
    }

    /// The refusals, each with its place.
    pub fn placed_refusals(&self) -> impl ExactSizeIterator<Item = (Position, &Refusal)> {
        self.placed(self.lines.len() + self.conflicts.len(), &self.refusals)
    }

    /// The watermarks, each with its place.
    pub fn placed_watermarks(&self) -> impl ExactSizeIterator<Item = (Position, &Watermark)> {
        self.placed(self.lines.len() + self.conflicts.len() + self.refusals.len(), &self.watermarks)
    }

    fn placed<'j, T>(
        &'j self,
        first: usize,
        entries: &'j [T],
    ) -> impl ExactSizeIterator<Item = (Position, &'j T)> {
        entries.iter().enumerate().map(move |(i, entry)| (self.place(first + i), entry))
    }

    /// Root over all entries by their places.
    pub fn root(&self) -> Digest {
        let mut leaves = Vec::with_capacity(self.count());
        let mut encoder = Encoder::default();
        let mut leaf = |write: &mut dyn FnMut(&mut Encoder)| {
            write(&mut encoder);
            leaves.push(leaf_hash(encoder.bytes()));
        };
        for line in &self.lines {
            leaf(&mut |e| e.line(line));
        }
        for (at, conflict) in self.placed_conflicts() {
            leaf(&mut |e| e.conflict(at, conflict));
        }
        for (at, refusal) in self.placed_refusals() {
            leaf(&mut |e| e.refusal(at, refusal));
        }
        for (at, watermark) in self.placed_watermarks() {
            leaf(&mut |e| e.watermark(at, watermark));
        }
        for row in &self.registry {
            leaf(&mut |e| e.registry(row));
        }
        for entry in &self.calendar {
            leaf(&mut |e| e.calendar(entry));
        }
        for run in &self.runs {
            leaf(&mut |e| e.run(run));
        }
        root(leaves)
    }
}
