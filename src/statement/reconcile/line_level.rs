//! Compares a file of orders with the lines that are booked in a month. Rows and lines are read side by side and parted by order id; then part by part
//! they meet in memory. Rows whose order has no line in the month are looked up by their keys.

use super::columns::Column;
use super::compare::{Booking, differing, elsewhere, not_asked};
use super::difference::{Difference, Side};
use super::findings::{Findings, PART, Progress};
use super::read_file::read_rows;
use super::spool::{Key, PARTS, Spool, SpooledRow};
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

/// Most lines that are compared: those of a part fit into some twenty megabytes.
pub const MAX_LINES: u64 = 100_000_000;
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
    let rows = async { rows.await.map_err(|_| ReconcileError::Panicked)? };
    let (rows, lines, mut sums) = {
        let both = async { tokio::try_join!(rows, lines(work, first, &reading)) };
        tokio::pin!(both);
        let mut tick = tokio::time::interval(TELL_EVERY);
        loop {
            tokio::select! {
                Some(differences) = unreadable.recv() => for difference in differences {
                    findings.add(difference).await?;
                },
                done = &mut both => {
                    let ((rows, sums), lines) = done?;
                    break (rows, lines, sums);
                }
                _ = tick.tick() => findings.progress(progress(work, &reading, first)).await?,
            }
        }
    };
    while let Some(differences) = unreadable.recv().await {
        for difference in differences {
            findings.add(difference).await?;
        }
    }
    let base = progress(work, &reading, first);
    let sides = Arc::new((rows, lines));
    // Each thread takes every other part; they are told in their order.
    let (mut joined, mut threads) = (Vec::new(), Vec::new());
    for first in 0..JOINING {
        let (parts, receive) = mpsc::channel(AHEAD);
        let (work, sides) = (work.clone(), sides.clone());
        joined.push(receive);
        threads.push(tokio::task::spawn_blocking(move || join(&work, &sides, first, &parts)));
    }
    'parts: for part_no in 0..PARTS {
        loop {
            // One that failed says why itself.
            let Some(met) = joined[(part_no % JOINING) as usize].recv().await else { break 'parts };
            let over = met.over;
            take(work, met, &mut sums, findings).await?;
            if over {
                break;
            }
        }
        if part_no % 16 == 0 {
            findings.progress(Progress { parts: part_no, ..base }).await?;
        }
    }
    // A thread that waits for its reader ends when that is gone.
    drop(joined);
    let mut ended = Ok(());
    for joining in threads {
        let how = joining.await.map_err(|_| ReconcileError::Panicked)?;
        // That another gave up for want of a reader is not the reason.
        if matches!(ended, Ok(()) | Err(ReconcileError::Gone)) && how.is_err() {
            ended = how;
        }
    }
    ended.map(|()| sums)
}

/// Takes in what met.
async fn take(work: &Work, met: Met, sums: &mut Sums, findings: &mut Findings) -> Result<(), ReconcileError> {
    sums.add_ledger(met.ledger_amount);
    findings.count(DifferenceType::Match, met.matches);
    for difference in met.found {
        findings.add(difference).await?;
    }
    for some in met.strangers.chunks(PART) {
        look_up(work, some, sums, findings).await?;
    }
    Ok(())
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
        sums.check()?;
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
        let lines = lines.await.map_err(|_| ReconcileError::Panicked)??;
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
    parting.await.map_err(|_| ReconcileError::Panicked)?
}

/// A row whose order has no line in the month.
struct Stranger {
    no: u64,
    whole: bool,
    platform: Code,
    order: (Code, u8),
    side: Side,
}

/// Some of what the two sides of a part come to: about [`PART`] findings.
#[derive(Default)]
struct Met {
    found: Vec<Difference>,
    matches: u64,
    strangers: Vec<Stranger>,
    ledger_amount: Money,
    /// The last of its part.
    over: bool,
}

impl Met {
    /// Hands on what has gathered.
    fn hand_on(&mut self, parts: &mpsc::Sender<Self>) -> Result<(), ReconcileError> {
        let full = self.found.len() + self.strangers.len() >= PART;
        match full || self.over {
            true => parts.blocking_send(std::mem::take(self)).map_err(|_| ReconcileError::Gone),
            false => Ok(()),
        }
    }
}

/// Lets rows and lines meet: those of every other part, from one on.
fn join(
    work: &Work,
    (rows, lines): &(Spool, Spool),
    first: u32,
    parts: &mpsc::Sender<Met>,
) -> Result<(), ReconcileError> {
    for part in (first..PARTS).step_by(JOINING as usize) {
        let (Some(row_bytes), Some(line_bytes)) = (rows.part(part)?, lines.part(part)?) else {
            return Err(ReconcileError::TooManyOfOne);
        };
        let mut bookings: HashMap<Key<'_>, Booking> = HashMap::new();
        for line in lines.lines(&line_bytes) {
            let (key, line) = line?;
            match bookings.get_mut(&key) {
                Some(booking) => booking.add(&line)?,
                None => drop(bookings.insert(key, Booking::of(&line, work.ask.of.period)?)),
            }
        }
        let mut met = Met::default();
        let mut seen: HashMap<Key<'_>, u64> = HashMap::with_capacity(bookings.len());
        for row in rows.rows(&row_bytes) {
            let (key, row) = row?;
            met.meet(work, key, row, bookings.get(&key), &mut seen);
            met.hand_on(parts)?;
        }
        met.miss(work, &bookings, &seen, parts)?;
        met.over = true;
        met.hand_on(parts)?;
    }
    Ok(())
}

impl Met {
    /// A row, and what is booked of its order in the month.
    fn meet<'p>(
        &mut self,
        work: &Work,
        key: Key<'p>,
        row: SpooledRow,
        booking: Option<&Booking>,
        seen: &mut HashMap<Key<'p>, u64>,
    ) {
        if let Some(first_row) = seen.get(&key).copied() {
            let ledger = booking.map(|booking| booking.side(&work.rates)).unwrap_or_default();
            let kinds = [DifferenceType::DuplicateAtSource];
            return self.found.extend(told(
                &kinds,
                key.platform,
                key.order(),
                row.no,
                first_row,
                row.side,
                ledger,
            ));
        }
        seen.insert(key, row.no);
        let Some(booking) = booking else {
            let (no, whole, platform, order) = (row.no, row.whole, key.platform.clone(), key.order());
            return self.strangers.push(Stranger { no, whole, platform, order, side: row.side });
        };
        let ledger = booking.side(&work.rates);
        let kinds = differing(&row.side, &ledger, &work.ask.of);
        if kinds.is_empty() {
            self.matches += u64::from(row.whole);
        } else {
            self.found.extend(told(&kinds, key.platform, key.order(), row.no, 0, row.side, ledger));
        }
    }

    /// Adds what the file does not have.
    fn miss(
        &mut self,
        work: &Work,
        bookings: &HashMap<Key<'_>, Booking>,
        seen: &HashMap<Key<'_>, u64>,
        parts: &mpsc::Sender<Self>,
    ) -> Result<(), ReconcileError> {
        let mut missing = Vec::new();
        let mut amount = Money::ZERO;
        for (key, booking) in bookings {
            amount = amount.checked_add(booking.net()).ok_or(ReconcileError::SumTooLarge)?;
            if booking.is_due() && !seen.contains_key(key) {
                missing.push((key, booking));
            }
        }
        self.ledger_amount = amount;
        missing.sort_unstable_by_key(|(key, _)| **key);
        let kinds = [DifferenceType::MissingAtSource];
        for (key, booking) in missing {
            let ledger = booking.side(&work.rates);
            self.found.extend(told(&kinds, key.platform, key.order(), 0, 0, Side::NONE, ledger));
            self.hand_on(parts)?;
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

/// A row of something else than was asked for.
fn other(work: &Work, stranger: &Stranger, column: Column) -> Difference {
    Difference {
        platform: Some(stranger.platform.clone()),
        order: Some(stranger.order.clone()),
        source: stranger.side.clone(),
        column: work.reader.headers.name(column).to_owned(),
        description: "is not what was asked for".to_owned(),
        ..Difference::of(DifferenceType::UnreadableAtSource, stranger.no)
    }
}

/// Rows whose orders stand elsewhere, or nowhere.
async fn look_up(
    work: &Work,
    strangers: &[Stranger],
    sums: &mut Sums,
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
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
        if let Some(column) = not_asked(&stranger.side, &work.ask.of)
            && stranger.whole
        {
            // Not of this month's sums.
            sums.take_source(stranger.side.premium.unwrap_or_default());
            findings.add(other(work, stranger, column)).await?;
            continue;
        }
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
