//! A run: the orders of many lines, sorted by worker and acceptance; what an index by worker is made of. Each journal brings one of its own,
//! and runs are merged into longer ones beside the intake: short ones in memory, longer ones in parts, each a row. A B-tree that is given each line at once changes a page for each, and the log takes
//! pages whole: that was half of an order's price.
//!
//! A run is a row of records, each a length byte and then: worker (16 bytes), accepted_at (microseconds since 1970, sign bit turned; 8
//! bytes, big-endian), assignment_no (1), length of the platform's code (1), the platform's code, the order id. Records sort as bytes.
//! It is an index: derived from the lines, no part of the ledger, and no answer rests on it before the lines it names were read.

use super::rows::corrupt;
use super::{LINES_PER_QUESTION, OrdersOfWorker, StoreError, StoreResult};
use crate::types::{Code, Instant, OrderKey, WorkerId};
use std::ops::RangeInclusive;

/// Bytes of worker and acceptance, by which records are found.
const FOUND_BY: usize = 24;
/// Turned, so that earlier instants sort first as bytes too.
const SIGN: u64 = 1 << 63;
/// Longest part of a run that is stored as a row: four rows fill a page of 8 KiB (Postgres moves longer values out of the row).
const PART_BYTES: usize = 1_960;
/// A worker with more orders than a question takes.
pub const TOO_MANY: StoreError = StoreError::TooMuch("orders of the worker");
/// Most records that a question takes, an order's open and ended event and its corrections apart; past them it has too many.
const RECORDS_PER_QUESTION: usize = 3 * LINES_PER_QUESTION as usize;

/// An order of a worker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerOrder {
    /// When it was accepted, by the line or the kept conflict that was found.
    pub accepted_at: Instant,
    /// Which.
    pub key: OrderKey,
}

/// Whose orders are asked for, and when they were accepted.
#[derive(Clone, Debug)]
pub struct Search {
    /// Whose.
    pub worker: WorkerId,
    /// Of these the orders.
    pub accepted: RangeInclusive<Instant>,
    /// Of these only the platforms.
    pub relevant: RangeInclusive<Instant>,
}

impl Search {
    /// From the first to the last instant that is looked at.
    pub fn span(&self) -> (Instant, Instant) {
        let (accepted, relevant) = (&self.accepted, &self.relevant);
        (*accepted.start().min(relevant.start()), *accepted.end().max(relevant.end()))
    }

    /// Takes what it asks for of a booked order.
    pub fn take(&self, order: WorkerOrder, found: &mut OrdersOfWorker) {
        if self.relevant.contains(&order.accepted_at) && !found.platforms.contains(&order.key.platform) {
            found.platforms.insert(order.key.platform.clone());
        }
        found.booked.extend(self.accepted.contains(&order.accepted_at).then_some(order));
    }
}

/// Sorted records, none twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Run {
    bytes: Vec<u8>,
    /// Where each record's length byte stands.
    starts: Vec<u32>,
}

/// Some neighbouring records of a run, at most [`PART_BYTES`] of them, and what stands at their begin.
#[derive(Debug)]
pub struct Part<'a> {
    /// Worker of the first.
    pub worker: WorkerId,
    /// Acceptance of the first.
    pub accepted_at: Instant,
    /// The records.
    pub bytes: &'a [u8],
}

impl Run {
    /// These orders, each of a worker and accepted then.
    pub fn of_orders<'a>(orders: impl ExactSizeIterator<Item = (WorkerId, Instant, &'a OrderKey)>) -> Self {
        let mut bytes = Vec::with_capacity(orders.len() * 64);
        let mut records = Vec::with_capacity(orders.len());
        for (worker, accepted_at, key) in orders {
            let start = bytes.len();
            write(&mut bytes, worker, accepted_at, key);
            records.push(start..bytes.len());
        }
        let mut records: Vec<Sortable<'_>> =
            records.into_iter().map(|range| sortable(&bytes[range][1..])).collect();
        records.sort_unstable();
        Self::of_sorted(&records)
    }

    /// Reads stored bytes.
    pub fn parse(bytes: Vec<u8>) -> StoreResult<Self> {
        let mut starts = Vec::with_capacity(bytes.len() / 48);
        let mut at = 0;
        while let Some(length) = bytes.get(at) {
            starts.push(at as u32);
            at += 1 + usize::from(*length);
            if at > bytes.len() || usize::from(*length) < FOUND_BY + 2 {
                return Err(corrupt("entries", "a record is cut off"));
            }
        }
        Ok(Self { bytes, starts })
    }

    /// One run of all of these, each order once; of the workers whose first byte lies in a range.
    pub fn merge<'a>(runs: impl IntoIterator<Item = &'a Self>, workers: RangeInclusive<u8>) -> Self {
        let mut records: Vec<Sortable<'a>> = Vec::new();
        for run in runs {
            let first = run.first_where(|record| record[0] >= *workers.start());
            let end = run.first_where(|record| record[0] > *workers.end());
            records.extend((first..end).map(|i| sortable(run.record(i))));
        }
        // Stable: finds out that its input is made of sorted pieces.
        records.sort();
        Self::of_sorted(&records)
    }

    fn of_sorted(records: &[Sortable<'_>]) -> Self {
        let mut run = Self {
            bytes: Vec::with_capacity(records.iter().map(|(_, record)| record.len() + 1).sum()),
            starts: Vec::with_capacity(records.len()),
        };
        for (i, (_, record)) in records.iter().enumerate() {
            if i == 0 || *record != records[i - 1].1 {
                run.starts.push(run.bytes.len() as u32);
                run.bytes.push(record.len() as u8);
                run.bytes.extend_from_slice(record);
            }
        }
        run
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes of memory that the records take.
    pub fn size(&self) -> usize {
        self.bytes.len() + size_of_val(&self.starts[..])
    }

    fn record(&self, i: usize) -> &[u8] {
        let start = self.starts[i] as usize;
        &self.bytes[start + 1..][..usize::from(self.bytes[start])]
    }

    /// The last record, by which runs that are read piece by piece are merged.
    pub fn last(&self) -> Option<&[u8]> {
        Some(self.record(self.len().checked_sub(1)?))
    }

    /// Cuts off the records up to this one, which is included.
    pub fn take_through(&mut self, record: &[u8]) -> Self {
        let count = self.first_where(|r| r > record);
        let rest = self.starts.split_off(count);
        let cut = rest.first().map_or(self.bytes.len(), |start| *start as usize);
        let bytes = self.bytes.split_off(cut);
        let taken =
            Self { bytes: std::mem::replace(&mut self.bytes, bytes), starts: std::mem::take(&mut self.starts) };
        self.starts = rest.into_iter().map(|start| start - cut as u32).collect();
        taken
    }

    /// Records are sorted: index of the first that is past a border.
    fn first_where(&self, is_past: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if is_past(self.record(middle)) { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// What it holds of a search.
    pub fn find(&self, search: &Search, found: &mut OrdersOfWorker) -> StoreResult<()> {
        let (from, to) = search.span();
        let (from, to) = (found_by(search.worker, from), found_by(search.worker, to));
        let first = self.first_where(|record| record[..FOUND_BY] >= from[..]);
        for i in first..self.len() {
            let record = self.record(i);
            if record[..FOUND_BY] > to[..] {
                break;
            }
            if found.booked.len() > RECORDS_PER_QUESTION {
                return Err(TOO_MANY);
            }
            search.take(read(record)?, found);
        }
        Ok(())
    }

    /// The whole run in parts.
    pub fn parts(&self) -> StoreResult<Vec<Part<'_>>> {
        let mut parts = Vec::with_capacity(self.bytes.len() / (PART_BYTES - 100) + 1);
        let mut first = 0;
        for i in 1..=self.len() {
            let (from, end) =
                (self.starts[first] as usize, self.starts.get(i + 1).map_or(self.bytes.len(), |s| *s as usize));
            if i == self.len() || end - from > PART_BYTES {
                let end = self.starts.get(i).map_or(self.bytes.len(), |s| *s as usize);
                let record = self.record(first);
                let worker = record[..16].try_into().expect("sixteen bytes");
                parts.push(Part {
                    worker: WorkerId::from_uuid(uuid::Uuid::from_bytes(worker)),
                    accepted_at: instant(accepted_bits(record))?,
                    bytes: &self.bytes[from..end],
                });
                first = i;
            }
        }
        Ok(parts)
    }
}

/// A record behind its first eight bytes as a number, which decide nearly every comparison without a look into memory.
type Sortable<'a> = (u64, &'a [u8]);

fn sortable(record: &[u8]) -> Sortable<'_> {
    (u64::from_be_bytes(record[..8].try_into().expect("eight bytes")), record)
}

fn write(bytes: &mut Vec<u8>, worker: WorkerId, accepted_at: Instant, key: &OrderKey) {
    let (platform, id) = (key.platform.as_str().as_bytes(), key.order_id.as_str().as_bytes());
    // Codes and ids have at most 64 bytes.
    bytes.push((FOUND_BY + 2 + platform.len() + id.len()) as u8);
    bytes.extend_from_slice(&found_by(worker, accepted_at));
    bytes.push(key.assignment_no);
    bytes.push(platform.len() as u8);
    bytes.extend_from_slice(platform);
    bytes.extend_from_slice(id);
}

fn found_by(worker: WorkerId, accepted_at: Instant) -> [u8; FOUND_BY] {
    let mut bytes = [0; FOUND_BY];
    bytes[..16].copy_from_slice(worker.uuid().as_bytes());
    bytes[16..].copy_from_slice(&(accepted_at.micros() as u64 ^ SIGN).to_be_bytes());
    bytes
}

fn accepted_bits(record: &[u8]) -> u64 {
    u64::from_be_bytes(record[16..FOUND_BY].try_into().expect("eight bytes"))
}

fn instant(bits: u64) -> StoreResult<Instant> {
    Instant::from_micros((bits ^ SIGN) as i64).ok_or_else(|| corrupt("entries", "accepted_at is out of range"))
}

fn read(record: &[u8]) -> StoreResult<WorkerOrder> {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).ok().and_then(|text| Code::parse(text).ok());
        text.ok_or_else(|| corrupt("entries", "is no code"))
    };
    let rest = &record[FOUND_BY + 2..];
    let (platform, id) = rest
        .split_at_checked(usize::from(record[FOUND_BY + 1]))
        .ok_or_else(|| corrupt("entries", "a record is cut off"))?;
    let key = OrderKey { platform: text(platform)?, order_id: text(id)?, assignment_no: record[FOUND_BY] };
    Ok(WorkerOrder { accepted_at: instant(accepted_bits(record))?, key })
}
