//! Prices booked orders anew: a rate, a scope or a rule that was put later. Goes through the journals in the order of their seals, a stretch at a time, and
//! books an ADJUSTMENT for each order that comes to something else. An order that was adjusted by this revision is counted and left alone, so the work
//! may be broken off anywhere and begun again: the end is the same, but for what was corrected meanwhile.

use super::answer::IntakeError;
use super::correct::open_period;
use super::registry::Registry;
use super::request::Asked;
use super::run::RunDraft;
use crate::ledger::{Journal, Repriced, adjustment, reprice, standing};
use crate::rating::Snapshot;
use crate::store::{Asker, Charges, RunsOf, StoreError, StoreResult};
use crate::types::{
    Code, Instant, Money, OrderKey, Period, Posted, Priced, Province, RowId, Run, RunKind, SealNo, Slot, Sort,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Orders that are read, and adjusted, at once.
const ORDERS_AT_ONCE: usize = 2_000;
/// How often a journal of adjustments is decided again against others' corrections and freezes.
const TRIES: usize = 100;

/// Which orders are priced anew.
#[derive(Clone, Debug)]
pub struct RepriceAsk {
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
    /// The request; nothing: only counted.
    pub asked: Option<Asked>,
    /// The request as text.
    pub text: String,
}

/// What was found of a statement's CHARGE lines: (platform, province, industry, period).
pub type RepriceTotals = BTreeMap<(Code, Province, Code, Period), Counts>;

/// How many orders, and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Right as they are.
    pub unchanged: u64,
    /// Adjusted.
    pub adjusted: u64,
    /// What these came to before.
    pub before: Money,
    /// What they come to.
    pub after: Money,
}

/// The work, and how far it is.
#[derive(Debug)]
pub struct Repricing {
    registry: Registry,
    rates: Arc<Snapshot>,
    charges: Charges,
    dry_run: bool,
    /// All journals up to here are gone through,
    pub through: SealNo,
    /// of those up to here.
    pub last: SealNo,
    /// What was found and done so far.
    pub totals: RepriceTotals,
    /// Orders that would come to another province; left alone.
    pub other_province: u64,
}

impl Registry {
    /// Begins, or takes up again.
    pub async fn reprice(&self, ask: RepriceAsk) -> Result<Repricing, IntakeError> {
        self.refresh().await?;
        let dry_run = ask.asked.is_none();
        let rates = match &ask.asked {
            None => self.snapshot(),
            Some(asked) => {
                let run = self.begin(asked, &ask.text).await?;
                let then = self.snapshot().at_revision(run.revision);
                Arc::new(then.map_err(|error| StoreError::Corrupt(error.to_string()))?)
            }
        };
        let RepriceAsk { platform, province, industry, from, before, .. } = ask;
        let revision = rates.revision();
        Ok(Repricing {
            registry: self.clone(),
            rates,
            charges: Charges { platform, province, industry, from, before, revision },
            dry_run,
            through: SealNo::NONE,
            last: self.store.seal_booked().await?,
            totals: RepriceTotals::new(),
            other_province: 0,
        })
    }

    /// The run of this request: its revision holds for all of it.
    async fn begin(&self, asked: &Asked, text: &str) -> Result<Run, IntakeError> {
        if let Some(run) = self.run_of(asked, RunKind::Reprice).await? {
            return Ok(run);
        }
        let draft = RunDraft {
            kind: RunKind::Reprice,
            revision: self.snapshot().revision(),
            seal: self.store.last_seal().await?,
            asked: text.to_owned(),
            outcome: String::new(),
        };
        self.write_run(asked, self.store.next_journal_id().await?, draft).await
    }
}

impl Repricing {
    /// By which revision of the registry.
    pub fn revision(&self) -> RowId {
        self.rates.revision()
    }

    /// Everything is gone through.
    pub fn is_done(&self) -> bool {
        self.through >= self.last
    }

    /// Goes through the next stretch. Runs to its end even when the caller goes away.
    pub async fn go_on(mut self) -> Result<Self, IntakeError> {
        super::to_the_end(async move {
            let (mut charges, through) =
                self.registry.store.charges(&self.charges, self.through, self.last).await?;
            // As lines must be sorted; of an order, its lines are neighbours.
            charges.sort_unstable_by(|(a, _), (b, _)| a.by_id(b));
            for some in charges.chunks(ORDERS_AT_ONCE) {
                self.adjust(some).await?;
            }
            self.through = through;
            Ok(self)
        })
        .await
    }

    /// Adjusts the orders of which these lines stand.
    async fn adjust(&mut self, charges: &[(OrderKey, Slot)]) -> Result<(), IntakeError> {
        let mut keys: Vec<&OrderKey> = charges.iter().map(|(key, _)| key).collect();
        keys.dedup();
        for _ in 0..TRIES {
            let orders = match self.registry.store.orders(&keys, Asker::Intake).await {
                // Orders with very many corrections; one alone always fits.
                Err(StoreError::TooMuch(_)) if charges.len() > 1 => {
                    let (one, other) = charges.split_at(charges.len() / 2);
                    Box::pin(self.adjust(one)).await?;
                    return Box::pin(self.adjust(other)).await;
                }
                read => read?,
            };
            let look_at = |(key, slot): &(OrderKey, Slot)| self.look_at(orders.get(key)?, *slot);
            let found: Vec<Found> = charges.iter().filter_map(look_at).collect();
            let written = match self.dry_run {
                true => Ok(()),
                false => {
                    self.must_be_newest().await?;
                    self.write(&found).await
                }
            };
            match written {
                Ok(()) => return Ok(found.iter().try_for_each(|found| self.count(found))?),
                Err(StoreError::Taken(_)) => {}
                Err(StoreError::CalendarMoved) => self.registry.refresh().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(IntakeError::Contended)
    }

    /// A run by an older revision must not come behind one by a newer: what the newer left alone bears no mark.
    async fn must_be_newest(&self) -> Result<(), IntakeError> {
        let of_repricing = RunsOf { kind: Some(RunKind::Reprice), ..RunsOf::default() };
        let newest = self.registry.store.run(of_repricing).await?;
        match newest.is_some_and(|newest| newest.revision > self.revision()) {
            true => Err(IntakeError::Superseded),
            false => Ok(()),
        }
    }

    /// Nothing where another line stands, or none.
    fn look_at<'a>(&self, lines: &'a [Posted], slot: Slot) -> Option<Found<'a>> {
        let charge = standing(lines, Sort::Ended).filter(|charge| charge.line.slot == slot)?;
        let priced = self.rates.price(&charge.line.order);
        Some(Found { lines, priced, repriced: reprice(lines, &priced)? })
    }

    async fn write(&self, found: &[Found<'_>]) -> StoreResult<()> {
        let store = &self.registry.store;
        let now = self.registry.snapshot();
        let mut journal = Journal::new(store.next_journal_id().await?);
        journal.epoch = now.calendar().fence();
        for found in found.iter().filter(|found| found.is_due()) {
            let at = journal.place(journal.lines.len());
            let line = adjustment(found.lines, &found.repriced, &found.priced, at, open_period(&now));
            journal.lines.push(line.map_err(|refused| StoreError::Corrupt(refused.to_string()))?);
        }
        match journal.lines.is_empty() {
            true => Ok(()),
            false => store.append(&journal).await.map(|_| ()),
        }
    }

    fn count(&mut self, found: &Found<'_>) -> StoreResult<()> {
        let repriced = &found.repriced;
        let order = &repriced.charge.line.order;
        if found.is_elsewhere() {
            self.other_province += 1;
            return Ok(());
        }
        let priced = &repriced.charge.line.priced;
        let of = (order.key.platform.clone(), priced.province, order.industry.clone(), priced.period);
        let counts = self.totals.entry(of).or_default();
        if !repriced.differs || found.is_full() && !repriced.done {
            counts.unchanged += 1;
            return Ok(());
        }
        counts.adjusted += 1;
        let unheld = || StoreError::Corrupt("line: a sum cannot be held".to_owned());
        counts.before = counts.before.checked_add(repriced.before).ok_or_else(unheld)?;
        counts.after = counts.after.checked_add(repriced.after).ok_or_else(unheld)?;
        Ok(())
    }
}

/// An order, and what it comes to.
struct Found<'a> {
    lines: &'a [Posted],
    priced: Priced,
    repriced: Repriced,
}

impl Found<'_> {
    /// It would count for another province: that is for CorrectOrder.
    fn is_elsewhere(&self) -> bool {
        self.priced.province != self.repriced.charge.line.priced.province
    }

    /// It has as many lines as an order may have, and stays as it is.
    fn is_full(&self) -> bool {
        self.lines.last().is_some_and(|last| Slot::new(last.line.slot.get() + 1).is_none())
    }

    fn is_due(&self) -> bool {
        self.repriced.differs && !self.repriced.done && !self.is_elsewhere() && !self.is_full()
    }
}
