//! One group of order events: ask for the slots that may be taken, decide, append, answer. What fails because another writer was first
//! is decided again, with every slot asked for; what fails because a month was frozen meanwhile, with the new calendar.

use super::answer::{Answer, Current, Facts, IntakeError, Item};
use super::doubt::{Doubtful, Settled, settle};
use super::observe::{Noted, Observer};
use super::recent::{Recent, Trace};
use super::registry::Registry;
use crate::ledger::{Comparison, Journal, adjusted, compare, net};
use crate::rating::Snapshot;
use crate::store::{Asker, Store, StoreError, StoreResult};
use crate::types::{Differing, JournalId, Line, Money, Order, OrderKey, Posted, PremiumState, Priced};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a lane tries a database that does not answer before it tells its callers.
const RETRY_FOR: Duration = Duration::from_secs(10);
/// First pause between tries; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How often a group is decided again because the calendar has moved on.
const CALENDAR_TRIES: usize = 100;
/// Longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Books a group; one answer for each item, in their order.
pub async fn book(
    store: &Store,
    registry: &Registry,
    recent: &mut Recent,
    (observer, noted): (&Observer, &mut Noted),
    items: Vec<Item>,
) -> Result<Vec<Answer>, IntakeError> {
    let mut patience = Patience::new();
    // One for what the lane's memory did not know, one for each slot that another writer can take, some for months frozen meanwhile.
    let tries = items.len() + 2 + CALENDAR_TRIES;
    let mut items: Vec<Option<Item>> = items.into_iter().map(Some).collect();
    for _ in 0..tries {
        let snapshot = registry.snapshot();
        let plan = loop {
            match Plan::make(store, &snapshot, recent, &items).await {
                Ok(plan) => break plan,
                Err(error) => patience.wait(error).await?,
            }
        };
        let (mut journal, plan) = plan.into_journal(&mut items);
        journal.epoch = snapshot.calendar().fence();
        let lost = loop {
            let began = Instant::now();
            let written = write(store, &journal).await;
            observer.appended(noted, &journal, began, &written);
            match written {
                Ok(_) => {
                    recent.learn(&plan.traces, plan.strangers);
                    observer.booked(noted, &journal, &items, &plan.decisions);
                    return Ok(plan.answers(items));
                }
                Err(lost @ (StoreError::Taken(_) | StoreError::CalendarMoved)) => break lost,
                Err(error) => patience.wait(error).await?,
            }
        };
        tracing::debug!(%lost, "the group is decided again");
        give_back(journal, &plan.booked, &mut items);
        match lost {
            StoreError::CalendarMoved => {
                while let Err(error) = registry.refresh().await {
                    patience.wait(error).await?;
                }
            }
            _ => recent.surprised(),
        }
    }
    Err(IntakeError::Contended)
}

/// Waits out a database that does not answer, in growing pauses, until a deadline.
struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    fn new() -> Self {
        Self { deadline: Instant::now() + RETRY_FOR, pause: FIRST_PAUSE }
    }

    /// Returns when it is time to try again; gives the error back when trying again is of no use.
    async fn wait(&mut self, error: StoreError) -> StoreResult<()> {
        let StoreError::Unavailable(cause) = &error else { return Err(error) };
        if Instant::now() + self.pause > self.deadline {
            return Err(error);
        }
        tracing::warn!(%cause, pause = ?self.pause, "the database does not answer; trying again");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// How long the commit took, where that is known.
async fn write(store: &Store, journal: &Journal) -> StoreResult<Option<Duration>> {
    match journal.count() {
        0 if journal.repeats.is_empty() => Ok(None),
        0 => store.raise(&journal.repeats).await.map(|()| None),
        _ => store.append(journal).await.map(|written| written.commit),
    }
}

/// Puts the orders of a journal that was not written back into their places.
fn give_back(journal: Journal, booked: &[(usize, Priced)], items: &mut [Option<Item>]) {
    for (line, (place, _)) in journal.lines.into_iter().zip(booked) {
        items[*place] = Some(Item::Order(line.order));
    }
}

/// What becomes of one item.
pub enum Decision {
    /// The first of its key and sort: the line with this index.
    Book,
    Replayed(Facts, Option<Current>),
    Conflict(Facts, Option<Current>, Differing),
    Refused,
}

/// What becomes of a group, and what is written for it.
struct Plan {
    journal: JournalId,
    decisions: Vec<Decision>,
    /// Items to book, sorted by key and slot, with their prices: the lines of the journal.
    booked: Vec<(usize, Priced)>,
    settled: Settled,
    /// All slots that the group is about.
    traces: Vec<Trace>,
    /// Some of them were booked before, and the lane did not know.
    strangers: bool,
}

impl Plan {
    async fn make(
        store: &Store,
        snapshot: &Snapshot,
        recent: &Recent,
        items: &[Option<Item>],
    ) -> StoreResult<Self> {
        let journal = store.next_journal_id().await?;
        let sorted = sorted_orders(items);
        let runs: Vec<&[(usize, &Order)]> =
            sorted.chunk_by(|(_, a), (_, b)| a.key == b.key && a.sort() == b.sort()).collect();
        let slot = |run: &[(usize, &Order)]| run[0].1.sort().slot();
        let traces: Vec<Trace> = runs.iter().map(|run| Trace::of(&run[0].1.key, slot(run))).collect();
        let all = !recent.is_trusted();
        let mut suspected: Vec<bool> = traces.iter().map(|trace| all || recent.knows(*trace)).collect();
        // What is read of a key tells of both its slots, and they are neighbours.
        for (i, pair) in runs.windows(2).enumerate() {
            if pair[0][0].1.key == pair[1][0].1.key {
                let either = suspected[i] || suspected[i + 1];
                suspected[i..=i + 1].fill(either);
            }
        }
        let suspects = runs.iter().zip(&suspected).filter(|(_, suspected)| **suspected);
        let mut keys: Vec<&OrderKey> = suspects.map(|(run, _)| &run[0].1.key).collect();
        keys.dedup();
        let standing = store.all_orders(&keys, Asker::Intake).await?;
        let is_taken = |(run, suspected): (&&[(usize, &Order)], &bool)| {
            let lines = suspected.then(|| standing.get(&run[0].1.key)).flatten();
            lines.is_some_and(|lines| lines.iter().any(|posted| posted.line.slot == slot(run)))
        };
        let taken: Vec<bool> = runs.iter().zip(&suspected).map(is_taken).collect();
        let strangers = taken.iter().zip(&traces).any(|(taken, trace)| *taken && !recent.knows(*trace));

        let mut plan = Self {
            journal,
            decisions: items.iter().map(|_| Decision::Refused).collect(),
            booked: Vec::with_capacity(runs.len()),
            settled: Settled::default(),
            traces,
            strangers,
        };
        for (i, (run, is_taken)) in runs.iter().zip(&taken).enumerate() {
            if !is_taken {
                plan.book_first(snapshot, run);
                continue;
            }
            // The runs of one key are neighbours: its ended event may be booked with this group.
            let beside = runs.get(i + 1).filter(|next| next[0].1.key == run[0].1.key && !taken[i + 1]);
            let beside = beside.map(|next| (next[0].0, snapshot.price(next[0].1).amount.unwrap_or_default()));
            plan.compare_all(standing.get(&run[0].1.key).map_or(&[], Vec::as_slice), run, beside)?;
        }
        plan.settled = settle(store, plan.doubtful(items)).await?;
        Ok(plan)
    }

    /// A key and sort that nobody booked: the first event is booked, the others are measured with it.
    fn book_first(&mut self, snapshot: &Snapshot, run: &[(usize, &Order)]) {
        let (place, first) = run[0];
        let facts =
            Facts { position: Journal::new(self.journal).place(self.booked.len()), priced: snapshot.price(first) };
        self.booked.push((place, facts.priced));
        self.decisions[place] = Decision::Book;
        for (place, order) in &run[1..] {
            let differing = first.differing(order);
            self.decisions[*place] = match differing.is_empty() {
                true => Decision::Replayed(facts, None),
                false => Decision::Conflict(facts, None, differing),
            };
        }
    }

    /// `beside`: the place and the amount of the key's ended event, where this group books it.
    fn compare_all(
        &mut self,
        lines: &[Posted],
        run: &[(usize, &Order)],
        beside: Option<(usize, Money)>,
    ) -> StoreResult<()> {
        for (place, order) in run {
            let missing = || StoreError::Corrupt("line: a slot is taken by no line".to_owned());
            let Comparison { line, differing, current } = compare(lines, order).ok_or_else(missing)?;
            let facts = Facts { position: line.line.position, priced: line.line.priced };
            // What was sent before this event has taken effect before it.
            let before = beside.filter(|(sent, _)| sent < place).map_or(Money::ZERO, |(_, amount)| amount);
            let current = current.map(|now| stands(lines, now, before)).transpose()?;
            self.decisions[*place] = match differing.is_empty() {
                true => Decision::Replayed(facts, current),
                false => Decision::Conflict(facts, current, differing),
            };
        }
        Ok(())
    }

    fn doubtful<'a>(&self, items: &'a [Option<Item>]) -> Doubtful<'a> {
        let mut doubtful = Doubtful::default();
        for (item, decision) in items.iter().zip(&self.decisions) {
            match (item, decision) {
                (Some(Item::Order(order)), Decision::Conflict(facts, _, differing)) => {
                    doubtful.conflicts.push((order, *differing, facts.position));
                }
                (Some(Item::Refused(refused)), _) => doubtful.refusals.push(refused),
                _ => {}
            }
        }
        doubtful
    }

    /// Moves the orders to book out of the items and into lines.
    fn into_journal(mut self, items: &mut [Option<Item>]) -> (Journal, Self) {
        let mut journal = Journal::new(self.journal);
        journal.lines.reserve_exact(self.booked.len());
        for (place, priced) in &self.booked {
            let Some(Item::Order(order)) = items[*place].take() else { unreachable!("only orders are booked") };
            let sort = order.sort();
            let position = journal.place(journal.lines.len());
            journal.lines.push(Line {
                position,
                slot: sort.slot(),
                kind: sort.kind(),
                order,
                priced: *priced,
                corrects: None,
                reversal_reason: None,
            });
        }
        let settled = std::mem::take(&mut self.settled);
        journal.conflicts = settled.conflicts;
        journal.refusals = settled.refusals;
        journal.repeats = settled.repeats;
        (journal, self)
    }

    fn answers(self, items: Vec<Option<Item>>) -> Vec<Answer> {
        let mut line_of = vec![usize::MAX; items.len()];
        for (line, (place, _)) in self.booked.iter().enumerate() {
            line_of[*place] = line;
        }
        let journal = Journal::new(self.journal);
        let answer = |(place, (item, decision))| match (item, decision) {
            (_, Decision::Book) => {
                let line = line_of[place];
                Answer::Recorded(Facts { position: journal.place(line), priced: self.booked[line].1 })
            }
            (_, Decision::Replayed(facts, current)) => Answer::Replayed { facts, current },
            (_, Decision::Conflict(facts, current, differing)) => Answer::Conflict { facts, current, differing },
            (Some(Item::Refused(refused)), Decision::Refused) => Answer::Refused(refused.violations),
            _ => unreachable!("every order was decided"),
        };
        items.into_iter().zip(self.decisions).enumerate().map(answer).collect()
    }
}

/// The orders among the items by key (the id first) and sort; equal ones in the order sent.
fn sorted_orders(items: &[Option<Item>]) -> Vec<(usize, &Order)> {
    let mut sorted: Vec<(usize, &Order)> = items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| match item {
            Some(Item::Order(order)) => Some((place, order)),
            _ => None,
        })
        .collect();
    sorted.sort_by(|(_, a), (_, b)| a.key.by_id(&b.key).then_with(|| a.sort().cmp(&b.sort())));
    sorted
}

/// How a key stands, told by the line that stands now or by the reversal; `more` was booked with this group.
fn stands(lines: &[Posted], now: &Posted, more: Money) -> StoreResult<Current> {
    let standing = now.line.kind != crate::types::LineKind::Reversal;
    let net = net(lines).and_then(|net| net.checked_add(more));
    let net = net.ok_or_else(|| StoreError::Corrupt("line: a sum cannot be held".to_owned()))?;
    let state = if standing { adjusted(lines, &now.line).state } else { PremiumState::NotCharged };
    Ok(Current { position: now.line.position, net, state })
}
