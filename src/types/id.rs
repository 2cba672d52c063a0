//! Places in the ledger and the ids computed from them.

use super::{Malformed, ViolationCode};
use std::fmt;
use uuid::Uuid;

/// Id of a journal: 1 to 2^48 − 1. Gives no order: ids are taken before journals commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct JournalId(u64);

impl JournalId {
    /// The highest id: 48 bits.
    pub const MAX: u64 = (1 << 48) - 1;

    /// Nothing outside 1 to [`Self::MAX`].
    pub const fn new(id: u64) -> Option<Self> {
        if id == 0 || id > Self::MAX {
            return None;
        }
        Some(Self(id))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Number of a sealed journal, from 1, gap-free: the order of the journals. A journal that was acknowledged before another began has the
/// lower number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SealNo(u64);

impl SealNo {
    /// Before the first journal.
    pub const NONE: Self = Self(0);

    /// From the number.
    pub const fn new(seal: u64) -> Self {
        Self(seal)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Place of an entry within its journal: 0 to 2^22 − 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LineNo(u32);

impl LineNo {
    /// The highest place: 22 bits.
    pub const MAX: u32 = (1 << 22) - 1;

    /// Nothing above [`Self::MAX`].
    pub const fn new(line_no: u32) -> Option<Self> {
        if line_no > Self::MAX {
            return None;
        }
        Some(Self(line_no))
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The journal.
    pub journal: JournalId,
    /// The place in it.
    pub line_no: LineNo,
}

/// Random 40 bits, made by the first migration: tells ledgers apart in a line id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LedgerId(u64);

impl LedgerId {
    /// The highest id: 40 bits.
    pub const MAX: u64 = (1 << 40) - 1;

    /// Nothing above [`Self::MAX`].
    pub const fn new(id: u64) -> Option<Self> {
        if id > Self::MAX {
            return None;
        }
        Some(Self(id))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// UUIDv8, computed and not stored: 48 bits journal, 12 bits layout version, 22 bits place, 40 bits ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineId {
    /// Where the line stands.
    pub position: Position,
    /// In which ledger.
    pub ledger: LedgerId,
}

impl LineId {
    const LAYOUT: u64 = 1;

    /// The id as a UUID.
    pub fn uuid(self) -> Uuid {
        let high = (self.position.journal.0 << 16) | (8 << 12) | Self::LAYOUT;
        let low = (0b10 << 62) | (u64::from(self.position.line_no.0) << 40) | self.ledger.0;
        Uuid::from_u64_pair(high, low)
    }

    /// Reads the text of an id back into the place it names.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        let wrong = || Malformed::new(ViolationCode::Malformed, "must be a line id: a UUID of version 8");
        let (high, low) = Uuid::try_parse(text).map_err(|_| wrong())?.as_u64_pair();
        if high & 0xFFFF != (8 << 12) | Self::LAYOUT || low >> 62 != 0b10 {
            return Err(wrong());
        }
        let line_no = ((low >> 40) & u64::from(LineNo::MAX)) as u32;
        Ok(Self {
            position: Position {
                journal: JournalId::new(high >> 16).ok_or_else(wrong)?,
                line_no: LineNo(line_no),
            },
            ledger: LedgerId(low & LedgerId::MAX),
        })
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid().hyphenated(), f)
    }
}

/// Place of a line within its order key: 0 the OPEN, 1 the first ended event, 2 and up corrections.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Slot(u16);

impl Slot {
    /// The first OPEN's.
    pub const OPEN: Self = Self(0);
    /// The first ended event's.
    pub const ENDED: Self = Self(1);
    /// Most lines of one order key.
    pub const LIMIT: u16 = 1_000;

    /// Nothing at or above [`Self::LIMIT`].
    pub const fn new(slot: u16) -> Option<Self> {
        if slot >= Self::LIMIT {
            return None;
        }
        Some(Self(slot))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A worker: an opaque UUID, issued outside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct WorkerId(Uuid);

impl WorkerId {
    /// Any UUID in its text form.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Err(Malformed::new(ViolationCode::Required, "must be set"));
        }
        if text.len() != 36 {
            return Err(Malformed::new(ViolationCode::Malformed, "must be a UUID of 36 characters"));
        }
        match Uuid::try_parse(text) {
            Ok(uuid) => Ok(Self(uuid)),
            Err(_) => Err(Malformed::new(ViolationCode::Malformed, "must be a UUID of 36 characters")),
        }
    }

    /// From a UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

/// Number of a registry row, from 1, gap-free. The registry's revision is the number of its newest row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RowId(u32);

impl RowId {
    /// Before the first row.
    pub const NONE: Self = Self(0);

    /// From the number.
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How far the calendar of periods has come: number of its newest entry, from 1, gap-free.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Epoch(u32);

impl Epoch {
    /// Before the first entry.
    pub const NONE: Self = Self(0);

    /// From the number.
    pub const fn new(epoch: u32) -> Self {
        Self(epoch)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_id_reads_back() {
        let id = LineId {
            position: Position {
                journal: JournalId::new(JournalId::MAX).unwrap(),
                line_no: LineNo::new(LineNo::MAX).unwrap(),
            },
            ledger: LedgerId::new(0x12_3456_789A).unwrap(),
        };
        assert_eq!(id.to_string(), "ffffffff-ffff-8001-bfff-ff123456789a");
        assert_eq!(LineId::parse(&id.to_string()), Ok(id));
        assert!(LineId::parse("ffffffff-ffff-4001-bfff-ff123456789a").is_err());
        assert!(LineId::parse("00000000-0000-8001-8000-00123456789a").is_err());
    }
}
