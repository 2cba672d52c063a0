//! Sums over the lines up to a seal: what statements are made of. Exact at any instant: the stretches of journals that are folded are read as sums, the
//! journals after them line by line.
//!
//! Folds stand in a tree, so that any number of them is read as a few: eight folds of a level make one of the next. They are only ever added. Folding
//! goes on beside the intake, in bites of some milliseconds with rests between: a ninth of one connection's time while anything is booked, a third where it
//! lags; while it lags, a question reads more lines.

use super::hours::{self, Hours};
use super::rows::{self, Columns};
use super::{Asker, Store, StoreError, StoreResult};
use crate::ledger::{Sealed, is_apart, turnover};
use crate::types::{
    CalendarDraft, CalendarEntry, Code, Epoch, JournalId, OrderKey, Period, PeriodStep, Posted, Province, SealNo,
    Sums, TotalKey,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Entries of journals that are summed at once, unless one journal holds more.
pub const FOLD_ENTRIES: u32 = 65_536;
/// Folds of a level that make one of the next.
pub const FAN_IN: u32 = 8;
/// Entries that are read at once while a fold is made, unless one journal holds more: calls wait for a core as long as these take (of 4,096: calls at half of what two cores bear had a p99
/// of 57 flushes of the disk; of 512: 40).
const BITE_ENTRIES: u32 = 512;
/// How often less than so many entries are folded.
const FOLD_EVERY: Duration = Duration::from_secs(5);
/// Time that folding leaves free, as a multiple of the time that it takes.
const REST: u32 = 8;
/// The same where another fold is due already.
const REST_LAGGING: u32 = 2;
/// Longest rest after a bite: whoever folds keeps the others from it meanwhile.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// Keys with corrections that are read at once.
const KEYS_PER_READ: usize = 1_000;

/// No seal is higher: what databases hold.
pub const LATEST: SealNo = SealNo::new(i64::MAX as u64);

/// Sums by what they are of.
pub type Totals = BTreeMap<TotalKey, Sums>;

/// Which lines are summed.
#[derive(Clone, Copy, Debug, Default)]
pub struct TotalsOf<'a> {
    /// Of one platform, or of all.
    pub platform: Option<&'a Code>,
    /// Of one province and industry, or of all.
    pub place: Option<(Province, &'a Code)>,
    /// Booked in one month, or in all.
    pub period: Option<Period>,
    /// Hours are counted too, of all months.
    pub hours: bool,
}

impl<'a> TotalsOf<'a> {
    /// Province and industry, where all are lines of one statement: the index of folds leads to them.
    pub fn one_statement(&self) -> Option<(Province, &'a Code)> {
        self.place.filter(|_| self.platform.is_some() && self.period.is_some())
    }

    fn holds(&self, key: &TotalKey) -> bool {
        self.platform.is_none_or(|platform| *platform == key.platform)
            && self.place.is_none_or(|place| place == (key.province, &key.industry))
            && self.period.is_none_or(|period| period == key.period)
    }
}

/// The last fold of journals by some seal.
#[derive(Clone, Copy, Debug)]
pub struct Folded {
    /// Its number.
    pub fold_no: u32,
    /// The last seal in it.
    pub seal: SealNo,
}

/// What a database sums of a stretch of journals.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Sums, and what they are of; not yet one for each.
    pub sums: Vec<(TotalKey, Sums)>,
    /// Orders whose lines have to be gone through one by one.
    pub special: BTreeSet<OrderKey>,
    /// Counts by hour, where they were asked for.
    pub hours: Hours,
}

impl Stretch {
    /// From sums over lines, from the lines that met another of their key, and from first lines by hour.
    pub fn of(sums: &[impl Columns], pairs: &[impl Columns], firsts: &[impl Columns]) -> StoreResult<Self> {
        let mut stretch = Self::default();
        for row in sums {
            stretch.sums.push(rows::total(row)?);
        }
        for row in firsts {
            hours::add_lines(&mut stretch.hours, row)?;
        }
        for row in pairs {
            if hours::take_pairs(&mut stretch.hours, row)? {
                continue;
            }
            match rows::special(row)? {
                Some(key) => drop(stretch.special.insert(key)),
                None => stretch.sums.push(rows::pairs(row)?),
            }
        }
        Ok(stretch)
    }
}

/// What a fold holds.
#[derive(Debug, Default)]
pub struct FoldSums {
    /// What statements are made of.
    pub totals: Totals,
    /// What hours are counted by.
    pub hours: Hours,
}

impl FoldSums {
    /// Adds those of the journals after these.
    fn add(&mut self, next: Self) -> StoreResult<()> {
        for (key, sums) in next.totals {
            add(&mut self.totals, key, sums)?;
        }
        for ((platform, hour), counts) in next.hours {
            hours::add_hour(&mut self.hours, &platform, hour, counts)?;
        }
        Ok(())
    }
}

/// Adds to the sums.
pub fn add(totals: &mut Totals, key: TotalKey, sums: Sums) -> StoreResult<()> {
    let sum = totals.entry(key).or_default();
    *sum = sum.checked_add(sums).ok_or(StoreError::Corrupt("total: a sum cannot be held".to_owned()))?;
    Ok(())
}

/// Level and number of the folds that hold the first `folds` folds of journals.
pub fn nodes(folds: u32) -> Vec<(u32, u32)> {
    let (mut nodes, mut level, mut rest) = (Vec::new(), 0, folds);
    while rest > 0 {
        nodes.extend((rest - rest % FAN_IN..rest).map(|fold_no| (level, fold_no)));
        (level, rest) = (level + 1, rest / FAN_IN);
    }
    nodes
}

/// Level and number of a fold of journals, and of the higher folds that it completes.
pub fn completed(fold_no: u32) -> Vec<(u32, u32)> {
    let mut folds = vec![(0, fold_no)];
    let (mut level, mut fold_no) = (0, fold_no);
    while fold_no % FAN_IN == FAN_IN - 1 {
        (level, fold_no) = (level + 1, fold_no / FAN_IN);
        folds.push((level, fold_no));
    }
    folds
}

impl Store {
    /// Sums of these lines, as known after the journal with a seal.
    pub async fn totals(&self, of: TotalsOf<'_>, seal: SealNo) -> StoreResult<Totals> {
        let folded = ask!(self.folded_by(seal))?;
        let mut totals = Totals::new();
        if let Some(folded) = folded {
            let sums = ask!(self.folded_totals(&nodes(folded.fold_no + 1), of))?;
            for (key, sums) in sums.into_iter().filter(|(key, _)| of.holds(key)) {
                add(&mut totals, key, sums)?;
            }
        }
        let mut after = folded.map_or(SealNo::NONE, |folded| folded.seal);
        while after < seal {
            let to = self.stretch_end(after, FOLD_ENTRIES, seal).await?;
            for (key, sums) in self.sums_of(after, to, of).await?.totals {
                add(&mut totals, key, sums)?;
            }
            after = to;
        }
        totals.retain(|_, sums| *sums != Sums::ZERO);
        Ok(totals)
    }

    /// Makes the next fold, of at most so many entries unless one journal holds more. False: there was none to make, or another was at it.
    pub async fn fold_totals(&self, entries: u32) -> StoreResult<bool> {
        self.fold_resting(entries, 0).await
    }

    /// The same, with rests so many times as long as the work before each.
    async fn fold_resting(&self, entries: u32, rest: u32) -> StoreResult<bool> {
        match self {
            Self::Sqlite(store) => {
                let Some((fold, sums)) = self.next_fold(entries, rest).await? else { return Ok(false) };
                store.insert_fold(fold, &sums).await?;
            }
            Self::Postgres(store) => {
                let Some(turn) = store.fold_turn().await? else { return Ok(false) };
                let Some((fold, sums)) = self.next_fold(entries, rest).await? else { return Ok(false) };
                turn.insert_fold(fold, &sums).await?;
            }
        }
        Ok(true)
    }

    /// How far a stretch of journals after a seal reaches that hold so many entries, at most up to another.
    pub(super) async fn stretch_end(&self, after: SealNo, entries: u32, to: SealNo) -> StoreResult<SealNo> {
        Ok(ask!(self.fold_cut(after, entries))?.map_or(to, |cut| cut.min(to)))
    }

    /// The last seal that folds of totals hold.
    pub async fn folded_seal(&self) -> StoreResult<SealNo> {
        self.folds().await.map(|(_, seal)| seal)
    }

    /// How many folds of journals there are, and the last seal in them.
    async fn folds(&self) -> StoreResult<(u32, SealNo)> {
        let last = ask!(self.folded_by(LATEST))?;
        Ok(last.map_or((0, SealNo::NONE), |last| (last.fold_no + 1, last.seal)))
    }

    /// There are sealed journals that are not folded yet.
    pub async fn folds_wait(&self) -> StoreResult<bool> {
        let (_, after) = self.folds().await?;
        Ok(ask!(self.fold_cut(after, 1))?.is_some())
    }

    /// More than so many entries wait to be folded.
    async fn fold_is_full(&self, entries: u32) -> StoreResult<bool> {
        let (_, after) = self.folds().await?;
        Ok(match ask!(self.fold_cut(after, entries))? {
            Some(cut) => cut < self.last_seal().await?,
            None => false,
        })
    }

    async fn next_fold(&self, entries: u32, rest: u32) -> StoreResult<Option<(Folded, FoldSums)>> {
        let (fold_no, mut after) = self.folds().await?;
        let Some(seal) = ask!(self.fold_cut(after, entries))? else { return Ok(None) };
        let mut fold = FoldSums::default();
        while after < seal {
            let began = Instant::now();
            let to = self.stretch_end(after, BITE_ENTRIES, seal).await?;
            fold.add(self.sums_of(after, to, TotalsOf { hours: true, ..TotalsOf::default() }).await?)?;
            after = to;
            sleep((began.elapsed() * rest).min(LONGEST_REST)).await;
        }
        Ok(Some((Folded { fold_no, seal }, fold)))
    }

    /// Sums of the lines of the journals after a seal up to another.
    async fn sums_of(&self, after: SealNo, to: SealNo, of: TotalsOf<'_>) -> StoreResult<FoldSums> {
        let stretch = ask!(self.stretch(after, to, of))?;
        let mut totals = Totals::new();
        for (key, sums) in stretch.sums.into_iter().filter(|(key, _)| of.holds(key)) {
            add(&mut totals, key, sums)?;
        }
        let special: Vec<&OrderKey> = stretch.special.iter().collect();
        let (mut rest, mut chunk) = (special.as_slice(), KEYS_PER_READ);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(chunk.min(rest.len()));
            match self.go_through(now, after, to, of, &mut totals).await {
                Ok(()) => rest = later,
                // Orders with very many corrections; one alone always fits.
                Err(StoreError::TooMuch(_)) if chunk > 1 => chunk /= 2,
                Err(error) => return Err(error),
            }
        }
        Ok(FoldSums { totals, hours: stretch.hours })
    }

    /// Counts what corrections change about how these keys stand.
    async fn go_through(
        &self,
        keys: &[&OrderKey],
        after: SealNo,
        to: SealNo,
        of: TotalsOf<'_>,
        totals: &mut Totals,
    ) -> StoreResult<()> {
        let orders = self.orders(keys, Asker::Question).await?;
        let journals: BTreeSet<JournalId> =
            orders.values().flatten().map(|posted| posted.line.position.journal).collect();
        let seals = self.seals_of(&journals.into_iter().collect::<Vec<_>>()).await?;
        let mut of_keys: Vec<Vec<Sealed>> = Vec::with_capacity(orders.len());
        for lines in orders.into_values() {
            let sealed = |posted: Posted| Some((*seals.get(&posted.line.position.journal)?, posted));
            of_keys.push(lines.into_iter().filter_map(sealed).filter(|(seal, _)| *seal <= to).collect());
        }
        let freezes = match of_keys.iter().any(|lines| is_apart(lines)) {
            true => self.freezes().await?,
            false => Vec::new(),
        };
        let booked_in = |key: &TotalKey, before: SealNo| {
            let own = freezes.iter().filter(|(seal, freeze)| {
                *seal < before && freeze.platform == key.platform && freeze.province == key.province
            });
            let first_open = own.map(|(_, freeze)| freeze.period.next()).max();
            first_open.map_or(key.service_period, |open| open.max(key.service_period))
        };
        let mut held = Ok(());
        for lines in of_keys {
            turnover(lines, after, booked_in, |key, standing| {
                if of.holds(&key) && held.is_ok() {
                    held = add(totals, key, Sums { standing, ..Sums::ZERO });
                }
            });
        }
        held
    }

    /// The freezes of months, each with its seal.
    async fn freezes(&self) -> StoreResult<Vec<(SealNo, CalendarDraft)>> {
        let entries = ask!(self.calendar_after(Epoch::NONE))?;
        let freezes: Vec<_> = entries.into_iter().filter(|entry| entry.draft.step == PeriodStep::Freeze).collect();
        let journals: Vec<JournalId> = freezes.iter().map(|entry| entry.position.journal).collect();
        let seals = self.seals_of(&journals).await?;
        let sealed = |entry: CalendarEntry| Some((*seals.get(&entry.position.journal)?, entry.draft));
        Ok(freezes.into_iter().filter_map(sealed).collect())
    }
}

/// Folds until it is aborted.
pub async fn keep_folding(store: Store) {
    let (mut failing, mut idle, mut newest) = (false, false, SealNo::NONE);
    loop {
        let full = store.fold_is_full(FOLD_ENTRIES).await.unwrap_or(false);
        // Folds of a few lines each would be as many rows as lines; and another instance may be at it.
        if idle || !full {
            sleep(FOLD_EVERY).await;
        }
        let before = newest;
        newest = store.last_seal().await.unwrap_or(before);
        let rest = match full && store.fold_is_full(2 * FOLD_ENTRIES).await.unwrap_or(false) {
            // Nobody is kept from booking where nothing is booked.
            _ if newest == before => 0,
            true => REST_LAGGING,
            false => REST,
        };
        let folded = store.fold_resting(FOLD_ENTRIES, rest).await;
        // Told once, until it works again.
        if let Err(error) = &folded
            && !failing
        {
            tracing::warn!(%error, "totals cannot be folded; statements read more lines");
        }
        failing = folded.is_err();
        idle = !matches!(folded, Ok(true));
    }
}

#[cfg(test)]
mod tests {
    use super::{FAN_IN, completed, nodes};

    #[test]
    fn the_nodes_of_so_many_folds_hold_each_once() {
        for folds in [0, 1, 7, 8, 9, 63, 64, 65, 600, 5_000] {
            let mut held: Vec<u32> = Vec::new();
            for (level, fold_no) in nodes(folds) {
                let width = FAN_IN.pow(level);
                held.extend(fold_no * width..(fold_no + 1) * width);
            }
            held.sort_unstable();
            assert_eq!(held, (0..folds).collect::<Vec<_>>(), "{folds} folds");
            assert!(nodes(folds).len() <= 40, "few are read");
        }
    }

    #[test]
    fn a_node_is_made_by_the_last_fold_in_it() {
        assert_eq!(completed(0), [(0, 0)]);
        assert_eq!(completed(7), [(0, 7), (1, 0)]);
        assert_eq!(completed(63), [(0, 63), (1, 7), (2, 0)]);
        let made: Vec<_> = (0..600).flat_map(completed).collect();
        assert!(nodes(600).iter().all(|node| made.contains(node)), "what is read was made");
    }
}
