//! Compares a file of orders with the lines that are booked in a month. Rows and lines are read side by side and parted by order id; then part by part
//! they meet in memory. Rows whose order has no line in the month are looked up by their keys.

use super::compare::{Booking, differing, elsewhere};
use super::difference::{Difference, Side};
use super::findings::{Findings, PART, Progress};
use super::read_file::read_rows;
use super::spool::{Key, PARTS, Spool};
use super::{ReconcileError, Sums, Work};
use crate::store::{Asker, Booked, StoreResult};
use crate::types::{Code, DifferenceType, JournalId, Money, OrderKey, Posted, SealNo};
use foldhash::{HashMap, HashMapExt};
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Most lines that are compared. With so many a part still fits into a few ten megabytes.
pub const MAX_LINES: u64 = 200_000_000;
/// Batches between those who read and those who keep.
const AHEAD: usize = 2;
/// Stretches of lines that are read at once.
const READS: usize = 2;
/// Threads that let rows and lines meet.
const JOINING: u32 = 2;
/// How often it is told how far reading is.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// How far reading is.
#[derive(Default)]
struct Reading {
    file_bytes: AtomicU64,
    journals: AtomicU64,
}

pub async fn compare(work: &Arc<Work>, file: File, findings: &mut Findings) -> Result<Sums, ReconcileError> {
    let reading = Arc::new(Reading::default());
    let (found, mut unreadable) = mpsc::channel::<Vec<Difference>>(AHEAD);
    let rows = {
        let (work, reading) = (work.clone(), reading.clone());
        tokio::task::spawn_blocking(move || rows(&work, file, &found, &reading))
    };
    let first = work.store.seal_before(work.ask.of.period).await?.min(work.seal);
    let told = async {
        let mut tick = tokio::time::interval(TELL_EVERY);
        loop {
            tokio::select! {
                some = unreadable.recv() => match some {
                    None => return Ok(()),
                    Some(differences) => for difference in differences {
                        findings.add(difference).await?;
                    },
                },
                _ = tick.tick() => findings.progress(progress(work, &reading, first)).await?,
            }
        }
    };
    let read = async { rows.await.map_err(|_| ReconcileError::Gone)? };
    let ((rows, mut sums), lines, ()) = tokio::try_join!(read, lines(work, first, &reading), told)?;
    let base = progress(work, &reading, first);
    let sides = Arc::new((rows, lines));
    // Each thread takes every other part; they are told in their order.
    let mut threads: Vec<_> = (0..JOINING)
        .map(|first| {
            let (parts, joined) = mpsc::channel(AHEAD);
            let (work, sides) = (work.clone(), sides.clone());
            (joined, tokio::task::spawn_blocking(move || join(&work, &sides, first, &parts)))
        })
        .collect();
    for part_no in 0..PARTS {
        let Some(part) = threads[(part_no % JOINING) as usize].0.recv().await else { break };
        let Joined { found, matches, strangers, ledger_amount } = part;
        sums.add_ledger(ledger_amount);
        findings.count(DifferenceType::Match, matches);
        for difference in found {
            findings.add(difference).await?;
        }
        for some in strangers.chunks(PART) {
            look_up(work, some, findings).await?;
        }
        if part_no % 16 == 0 {
            findings.progress(Progress { parts: part_no, ..base }).await?;
        }
    }
    for (_, joining) in threads {
        joining.await.map_err(|_| ReconcileError::Gone)??;
    }
    Ok(sums)
}

fn progress(work: &Work, reading: &Reading, first: SealNo) -> Progress {
    Progress {
        file_bytes: reading.file_bytes.load(Ordering::Relaxed),
        journals: reading.journals.load(Ordering::Relaxed),
        journals_total: work.seal.get() - first.get(),
        parts: 0,
        parts_total: PARTS,
    }
}

/// Parts the rows of the file; what cannot be read is handed on.
fn rows(
    work: &Work,
    file: File,
    found: &mpsc::Sender<Vec<Difference>>,
    reading: &Reading,
) -> Result<(Spool, Sums), ReconcileError> {
    let mut spool = Spool::new(&work.folder)?;
    let mut sums = Sums::default();
    read_rows(file, work.ask.format, &work.reader, |row, unreadable, passed| {
        sums.rows += 1;
        if sums.rows.is_multiple_of(1 << 14) {
            reading.file_bytes.store(passed, Ordering::Relaxed);
            if found.is_closed() {
                return Err(ReconcileError::Gone);
            }
        }
        if !unreadable.is_empty() {
            found.blocking_send(unreadable).map_err(|_| ReconcileError::Gone)?;
        }
        let Some(row) = row else { return Ok(()) };
        sums.add_source(row.side.premium.unwrap_or_default());
        if let (Some(platform), Some(order)) = (&row.platform, &row.order) {
            spool.add_row(platform, order, &row)?;
        }
        Ok(())
    })?;
    reading.file_bytes.store(work.ask.file_bytes, Ordering::Relaxed);
    Ok((spool, sums))
}

/// Parts the lines of the month. While some are parted, the next are read.
async fn lines(work: &Arc<Work>, first: SealNo, reading: &Reading) -> Result<Spool, ReconcileError> {
    let (read, mut to_part) = mpsc::channel::<Vec<Booked>>(AHEAD);
    let mut spool = Spool::new(&work.folder)?;
    let parting = tokio::task::spawn_blocking(move || {
        while let Some(lines) = to_part.blocking_recv() {
            lines.iter().try_for_each(|line| spool.add_line(line))?;
        }
        Ok::<_, ReconcileError>(spool)
    });
    let (mut after, mut count) = (first, 0);
    let mut under_way: VecDeque<(SealNo, JoinHandle<StoreResult<Vec<Booked>>>)> = VecDeque::new();
    loop {
        while after < work.seal && under_way.len() < READS {
            let through = work.store.booked_through(after, work.seal).await?;
            let reader = work.clone();
            let read = async move { reader.store.booked(&reader.ask.of, after, through).await };
            under_way.push_back((through, tokio::spawn(read)));
            after = through;
        }
        let Some((through, lines)) = under_way.pop_front() else { break };
        let lines = lines.await.map_err(|_| ReconcileError::Gone)??;
        count += lines.len() as u64;
        if count > MAX_LINES {
            return Err(ReconcileError::TooManyLines);
        }
        if read.send(lines).await.is_err() {
            break; // parting failed, and says why itself
        }
        reading.journals.store(through.get() - first.get(), Ordering::Relaxed);
    }
    drop(read);
    parting.await.map_err(|_| ReconcileError::Gone)?
}

/// A row whose order has no line in the month.
struct Stranger {
    no: u64,
    whole: bool,
    platform: Code,
    order: (Code, u8),
    side: Side,
}

/// What the two sides of a part come to.
#[derive(Default)]
struct Joined {
    found: Vec<Difference>,
    matches: u64,
    strangers: Vec<Stranger>,
    ledger_amount: Money,
}

/// Lets rows and lines meet: those of every other part, from one on.
fn join(
    work: &Work,
    (rows, lines): &(Spool, Spool),
    first: u32,
    parts: &mpsc::Sender<Joined>,
) -> Result<(), ReconcileError> {
    for part in (first..PARTS).step_by(JOINING as usize) {
        let (row_bytes, line_bytes) = (rows.part(part)?, lines.part(part)?);
        let mut bookings: HashMap<Key<'_>, Booking> = HashMap::new();
        for line in lines.lines(&line_bytes) {
            let (key, line) = line?;
            match bookings.get_mut(&key) {
                Some(booking) => booking.add(&line)?,
                None => drop(bookings.insert(key, Booking::of(&line, work.ask.of.period)?)),
            }
        }
        let mut joined = Joined::default();
        let mut seen: HashMap<Key<'_>, u64> = HashMap::with_capacity(bookings.len());
        for row in rows.rows(&row_bytes) {
            let (key, row) = row?;
            let booking = bookings.get(&key);
            if let Some(first_row) = seen.get(&key).copied() {
                let ledger = booking.map(|booking| booking.side(&work.rates)).unwrap_or_default();
                let kinds = [DifferenceType::DuplicateAtSource];
                joined.found.extend(told(&kinds, key.platform, key.order(), row.no, first_row, row.side, ledger));
                continue;
            }
            seen.insert(key, row.no);
            let Some(booking) = booking else {
                let (no, whole, platform, order) = (row.no, row.whole, key.platform.clone(), key.order());
                joined.strangers.push(Stranger { no, whole, platform, order, side: row.side });
                continue;
            };
            let ledger = booking.side(&work.rates);
            let kinds = differing(&row.side, &ledger, &work.ask.of);
            if kinds.is_empty() {
                joined.matches += u64::from(row.whole);
            } else {
                joined.found.extend(told(&kinds, key.platform, key.order(), row.no, 0, row.side, ledger));
            }
        }
        joined.miss(work, &bookings, &seen)?;
        if parts.blocking_send(joined).is_err() {
            return Err(ReconcileError::Gone);
        }
    }
    Ok(())
}

impl Joined {
    /// Adds what the file does not have.
    fn miss(
        &mut self,
        work: &Work,
        bookings: &HashMap<Key<'_>, Booking>,
        seen: &HashMap<Key<'_>, u64>,
    ) -> Result<(), ReconcileError> {
        let mut missing = Vec::new();
        for (key, booking) in bookings {
            let sum = self.ledger_amount.checked_add(booking.net());
            self.ledger_amount = sum.ok_or(ReconcileError::SumTooLarge)?;
            if booking.is_due() && !seen.contains_key(key) {
                missing.push((key, booking));
            }
        }
        missing.sort_unstable_by_key(|(key, _)| **key);
        let kinds = [DifferenceType::MissingAtSource];
        for (key, booking) in missing {
            let ledger = booking.side(&work.rates);
            self.found.extend(told(&kinds, key.platform, key.order(), 0, 0, Side::NONE, ledger));
        }
        Ok(())
    }
}

/// One difference for each of these.
fn told(
    kinds: &[DifferenceType],
    platform: &Code,
    order: (Code, u8),
    row: u64,
    first_row: u64,
    source: Side,
    ledger: Side,
) -> Vec<Difference> {
    let difference = Difference {
        platform: Some(platform.clone()),
        order: Some(order),
        first_row,
        source,
        ledger,
        ..Difference::of(DifferenceType::Match, row)
    };
    kinds.iter().map(|kind| Difference { kind: *kind, ..difference.clone() }).collect()
}

/// Rows whose orders stand elsewhere, or nowhere.
async fn look_up(work: &Work, strangers: &[Stranger], findings: &mut Findings) -> Result<(), ReconcileError> {
    let key = |stranger: &Stranger| OrderKey {
        platform: stranger.platform.clone(),
        order_id: stranger.order.0.clone(),
        assignment_no: stranger.order.1,
    };
    let keys: Vec<OrderKey> = strangers.iter().map(key).collect();
    let mut orders = work.store.all_orders(&keys.iter().collect::<Vec<_>>(), Asker::Question).await?;
    let journals: BTreeSet<JournalId> =
        orders.values().flatten().map(|posted: &Posted| posted.line.position.journal).collect();
    let sealed = work.store.sealed_by(journals, work.seal).await?;
    for (stranger, key) in strangers.iter().zip(&keys) {
        let mut lines = orders.remove(key).unwrap_or_default();
        lines.retain(|posted| sealed.contains(&posted.line.position.journal));
        let ledger = elsewhere(&lines, &work.rates)?;
        let kinds = match &ledger {
            None => vec![DifferenceType::MissingInLedger],
            Some(ledger) => differing(&stranger.side, ledger, &work.ask.of),
        };
        findings.count(DifferenceType::Match, u64::from(kinds.is_empty() && stranger.whole));
        let (order, source) = (stranger.order.clone(), stranger.side.clone());
        let ledger = ledger.unwrap_or_default();
        for difference in told(&kinds, &stranger.platform, order, stranger.no, 0, source, ledger) {
            findings.add(difference).await?;
        }
    }
    Ok(())
}
