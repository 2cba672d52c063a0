//! Refused orders and conflicts of a group: each distinct one is kept once, repeats are counted, both bounded (DESIGN §2.5).

use super::answer::RefusedOrder;
use crate::ledger::content_digest;
use crate::store::{ConflictKey, RefusalKey, Store, StoreResult};
use crate::types::{Conflict, DAILY_LIMIT, Differing, Order, Position, Refusal, Repeats};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The doubtful events of a group, in the order sent.
#[derive(Default)]
pub struct Doubtful<'a> {
    /// Refused events.
    pub refusals: Vec<&'a RefusedOrder>,
    /// Other versions: the order, in what it differs from which line.
    pub conflicts: Vec<(&'a Order, Differing, Position)>,
}

/// What is written of them.
#[derive(Default)]
pub struct Settled {
    /// New distinct refusals.
    pub refusals: Vec<Refusal>,
    /// New distinct conflicts.
    pub conflicts: Vec<Conflict>,
    /// Counters for the rest.
    pub repeats: Repeats,
}

/// Finds out which are new, and which of those are still within the day's bound.
pub async fn settle(store: &Store, doubtful: Doubtful<'_>) -> StoreResult<Settled> {
    let mut settled = Settled::default();
    if doubtful.refusals.is_empty() && doubtful.conflicts.is_empty() {
        return Ok(settled);
    }
    let refusals = distinct(doubtful.refusals.iter().map(|refused| (refusal_key(refused), *refused)));
    let conflicts = distinct(doubtful.conflicts.iter().map(|conflict| {
        let digest = content_digest(conflict.0);
        ((conflict.0.key.clone(), digest), *conflict)
    }));
    let refusal_keys: Vec<RefusalKey> = refusals.keys().cloned().collect();
    let conflict_keys: Vec<ConflictKey> = conflicts.keys().cloned().collect();
    let mut kept = store.doubts(&refusal_keys, &conflict_keys).await?;
    let today = kept.today;

    for (known, (key, (refused, count))) in kept.refusals.iter().zip(refusals) {
        let (platform, digest, code) = key;
        let of_day = kept.refusals_today.entry(platform.clone()).or_default();
        let repeats = match (known, *of_day < DAILY_LIMIT) {
            (true, _) => count,
            (false, true) => {
                *of_day += 1;
                settled.refusals.push(refusal(refused, today));
                count - 1
            }
            (false, false) => {
                *settled.repeats.refusals_past_limit.entry((platform, today)).or_default() += count;
                continue;
            }
        };
        if repeats > 0 {
            settled.repeats.refusals.insert((platform, digest, code, today), repeats);
        }
    }
    for (known, (key, (conflict, count))) in kept.conflicts.iter().zip(conflicts) {
        let (order, differing, compared_with) = conflict;
        let of_day = kept.conflicts_today.entry(order.key.platform.clone()).or_default();
        let repeats = match (known, *of_day < DAILY_LIMIT) {
            (true, _) => count,
            (false, true) => {
                *of_day += 1;
                let digest = key.1;
                let order = order.clone();
                settled.conflicts.push(Conflict { order, digest, differing, compared_with, received_on: today });
                count - 1
            }
            (false, false) => {
                let platform = Some(key.0.platform);
                *settled.repeats.conflicts_past_limit.entry((platform, today)).or_default() += count;
                continue;
            }
        };
        if repeats > 0 {
            settled.repeats.conflicts.insert(key, repeats);
        }
    }
    Ok(settled)
}

/// Each key once, with the first that had it and how many had it.
fn distinct<K: Ord, V>(all: impl Iterator<Item = (K, V)>) -> BTreeMap<K, (V, u64)> {
    let mut distinct = BTreeMap::new();
    for (key, value) in all {
        match distinct.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert((value, 1));
            }
            Entry::Occupied(mut entry) => entry.get_mut().1 += 1,
        }
    }
    distinct
}

fn refusal_key(refused: &RefusedOrder) -> RefusalKey {
    let first = &refused.violations.as_slice()[0];
    (refused.platform.clone(), refused.digest, first.code)
}

fn refusal(refused: &RefusedOrder, today: crate::types::Day) -> Refusal {
    let first = &refused.violations.as_slice()[0];
    Refusal {
        platform: refused.platform.clone(),
        digest: refused.digest,
        code: first.code,
        field: first.field.to_owned(),
        payload: refused.payload.clone(),
        payload_size: refused.payload_size,
        received_on: today,
    }
}
