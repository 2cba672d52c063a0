//! Rows and lines on their way to each other: parted by order id and put into a file, so that those of an order meet in a part that fits into
//! memory.

use super::codec::{Get, Put};
use super::columns::Row;
use super::difference::Side;
use crate::store::Booked;
use crate::types::{Code, LineKind, Money, Period, PremiumState, Province, RowId, WorkerId};
use foldhash::HashMap;
use foldhash::quality::FixedState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;

/// Parts.
pub const PARTS: u32 = 512;
/// Most bytes of a part; twice what the parts of the largest file have.
pub const PART_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a part that are written at once.
const BLOCK_BYTES: usize = 16 * 1024;
/// Longest record, bytes.
const RECORD_BYTES: usize = 512;

/// Records in parts, those of a part in the order in which they came. The file has no name, and goes with the process.
pub struct Spool {
    file: Mutex<File>,
    end: u64,
    parts: Vec<Part>,
    codes: Codes,
}

#[derive(Default)]
struct Part {
    blocks: Vec<(u64, usize)>,
    rest: Vec<u8>,
}

/// Codes of platforms and industries as small numbers.
#[derive(Default)]
struct Codes {
    numbers: HashMap<Code, u16>,
    codes: Vec<Code>,
}

impl Codes {
    fn number(&mut self, code: &Code) -> u16 {
        if let Some(number) = self.numbers.get(code) {
            return *number;
        }
        let number = u16::try_from(self.codes.len()).expect("codes are the registry's, which are few");
        self.codes.push(code.clone());
        self.numbers.insert(code.clone(), number);
        number
    }
}

/// Key of an order; the same of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<'p> {
    /// The platform.
    pub platform: &'p Code,
    /// The order's id.
    pub order_id: &'p str,
    /// Its assignment.
    pub assignment_no: u8,
}

impl Key<'_> {
    /// The id and the assignment.
    pub fn order(&self) -> (Code, u8) {
        (Code::parse(self.order_id.to_owned()).expect("it was one when it was put here"), self.assignment_no)
    }
}

/// A row as it is read back.
pub struct SpooledRow {
    /// In the file.
    pub no: u64,
    /// All of it could be read.
    pub whole: bool,
    /// What it says.
    pub side: Side,
}

/// A line as it is read back.
pub struct SpooledLine<'p> {
    /// The order of the lines of an order.
    pub slot: u16,
    /// What it does.
    pub kind: LineKind,
    /// Whether a premium is due.
    pub state: PremiumState,
    /// The province that counts.
    pub province: Province,
    /// The industry.
    pub industry: &'p Code,
    /// Month that the order belongs to.
    pub service_period: Period,
    /// Who is covered.
    pub worker: WorkerId,
    /// The rate row that priced it.
    pub rate: Option<RowId>,
    /// Zero where it has none.
    pub amount: Money,
}

impl Spool {
    /// Empty, in a folder.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let parts = std::iter::repeat_with(Part::default).take(PARTS as usize).collect();
        Ok(Self { file: Mutex::new(tempfile::tempfile_in(folder)?), end: 0, parts, codes: Codes::default() })
    }

    /// Adds a row whose key was read.
    pub fn add_row(
        &mut self,
        platform: &Code,
        (order_id, assignment_no): &(Code, u8),
        row: &Row,
    ) -> io::Result<()> {
        let side = &row.side;
        let platform = self.codes.number(platform);
        let industry = side.industry.as_ref().map(|code| self.codes.number(code));
        self.add(platform, order_id, *assignment_no, |put| {
            put.u64(row.no);
            put.u8(row.whole.into());
            put.option(side.province, Put::province);
            put.option(industry, Put::u16);
            put.option(side.period, Put::period);
            put.option(side.service_period, Put::period);
            put.option(side.worker, Put::worker);
            put.option(side.rate, Put::money);
            put.option(side.premium, Put::money);
        })
    }

    /// Adds a line.
    pub fn add_line(&mut self, line: &Booked) -> io::Result<()> {
        let (platform, industry) = (self.codes.number(&line.key.platform), self.codes.number(&line.industry));
        self.add(platform, &line.key.order_id, line.key.assignment_no, |put| {
            put.u16(line.slot.get());
            put.u8(line.kind.code());
            put.u8(line.state.code());
            put.province(line.province);
            put.u16(industry);
            put.period(line.service_period);
            put.worker(line.worker);
            put.option(line.rate, |put, row| put.u64(row.get().into()));
            put.money(line.amount);
        })
    }

    fn add(
        &mut self,
        platform: u16,
        order_id: &Code,
        assignment_no: u8,
        rest: impl FnOnce(&mut Put<'_>),
    ) -> io::Result<()> {
        // The same part on both sides, in every process.
        let hash = FixedState::with_seed(0).hash_one(order_id.as_str());
        let part = &mut self.parts[(hash % u64::from(PARTS)) as usize];
        if part.rest.capacity() == 0 {
            part.rest.reserve_exact(BLOCK_BYTES);
        }
        let mut put = Put(&mut part.rest);
        put.u16(platform);
        put.text(order_id.as_str());
        put.u8(assignment_no);
        rest(&mut put);
        if part.rest.len() + RECORD_BYTES < BLOCK_BYTES {
            return Ok(());
        }
        self.file.get_mut().expect("no panic while held").write_all(&part.rest)?;
        part.blocks.push((self.end, part.rest.len()));
        self.end += part.rest.len() as u64;
        part.rest.clear();
        Ok(())
    }

    /// The bytes of a part. Nothing where they are too many for memory: very many records of one order id.
    pub fn part(&self, part: u32) -> io::Result<Option<Vec<u8>>> {
        let part = &self.parts[part as usize];
        let length = part.blocks.iter().map(|(_, length)| length).sum::<usize>() + part.rest.len();
        if length > PART_BYTES {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(length);
        let mut file = self.file.lock().expect("no panic while held");
        for (offset, length) in &part.blocks {
            file.seek(SeekFrom::Start(*offset))?;
            (&mut *file).take(*length as u64).read_to_end(&mut bytes)?;
        }
        bytes.extend_from_slice(&part.rest);
        Ok(Some(bytes))
    }

    /// The rows of a part.
    pub fn rows<'p>(&'p self, bytes: &'p [u8]) -> impl Iterator<Item = io::Result<(Key<'p>, SpooledRow)>> {
        self.records(bytes, |get| {
            let (no, whole) = (get.u64()?, get.u8()? == 1);
            let side = Side {
                province: get.option(Get::province)?,
                industry: get.option(|get| self.code(get))?.cloned(),
                period: get.option(Get::period)?,
                service_period: get.option(Get::period)?,
                worker: get.option(Get::worker)?,
                rate: get.option(Get::money)?,
                premium: get.option(Get::money)?,
                ..Side::NONE
            };
            Ok(SpooledRow { no, whole, side })
        })
    }

    /// The lines of a part.
    pub fn lines<'p>(&'p self, bytes: &'p [u8]) -> impl Iterator<Item = io::Result<(Key<'p>, SpooledLine<'p>)>> {
        self.records(bytes, |get| {
            Ok(SpooledLine {
                slot: get.u16()?,
                kind: Get::known(LineKind::from_code(get.u8()?))?,
                state: Get::known(PremiumState::from_code(get.u8()?))?,
                province: get.province()?,
                industry: self.code(get)?,
                service_period: get.period()?,
                worker: get.worker()?,
                rate: get.option(Get::u64)?.map(|row| RowId::new(row as u32)),
                amount: get.money()?,
            })
        })
    }

    fn records<'p, T>(
        &'p self,
        bytes: &'p [u8],
        rest: impl Fn(&mut Get<'p>) -> io::Result<T>,
    ) -> impl Iterator<Item = io::Result<(Key<'p>, T)>> {
        let mut get = Get(bytes);
        std::iter::from_fn(move || {
            if get.0.is_empty() {
                return None;
            }
            let mut record = || {
                let platform = self.code(&mut get)?;
                let key = Key { platform, order_id: get.text()?, assignment_no: get.u8()? };
                Ok((key, rest(&mut get)?))
            };
            Some(record())
        })
    }

    fn code<'p>(&'p self, get: &mut Get<'_>) -> io::Result<&'p Code> {
        Get::known(self.codes.codes.get(usize::from(get.u16()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(no: u64) -> Row {
        Row { no, platform: None, order: None, side: Side::NONE, whole: true }
    }

    #[test]
    fn rows_come_back_as_they_went_in_until_they_are_too_many_for_a_part() {
        let platform = Code::parse("MEITUAN".to_owned()).unwrap();
        let order = |id: &str| (Code::parse(id.to_owned()).unwrap(), 7);
        let mut spool = Spool::new(&std::env::temp_dir()).unwrap();
        for no in 1..=30_000 {
            spool.add_row(&platform, &order(&format!("o{}", no % 10_000)), &row(no)).unwrap();
        }
        let mut read = Vec::new();
        for part in 0..PARTS {
            let bytes = spool.part(part).unwrap().unwrap();
            for record in spool.rows(&bytes) {
                let (key, row) = record.unwrap();
                assert_eq!((key.platform, key.order()), (&platform, order(&format!("o{}", row.no % 10_000))));
                read.push(row.no);
            }
        }
        read.sort_unstable();
        assert_eq!(read, (1..=30_000).collect::<Vec<_>>());
        let id = order(&"x".repeat(64));
        for no in 0..400_000 {
            spool.add_row(&platform, &id, &row(no)).unwrap();
        }
        assert_eq!((0..PARTS).filter(|part| spool.part(*part).unwrap().is_none()).count(), 1);
    }
}
