//! How doubtful orders stand when they are listed.

use crate::ledger::standing;
use crate::rating::Snapshot;
use crate::store::{Asker, ConflictKey, KeptConflict, LinesOfKeys, Store, StoreResult};
use crate::types::{Anomaly, AnomalyType, Code, Day, EndKind, Instant, OrderKey, Posted, Sort};
use std::collections::BTreeSet;

/// A doubtful order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The order, and what it meets.
    pub anomaly: Anomaly,
    /// When it was accepted.
    pub accepted_at: Option<Instant>,
    /// And the other.
    pub other_accepted_at: Option<Instant>,
    /// Nothing is left to decide.
    pub settled: bool,
}

/// Some of a list.
#[derive(Debug)]
pub struct Page<Place> {
    /// In the order of the list.
    pub doubts: Vec<Doubt>,
    /// The place to go on after, where there is more.
    pub next: Option<Place>,
    /// Not all were kept.
    pub truncated: bool,
}

/// Doubtful orders of a platform and type, found on a day, after one.
pub async fn list(
    store: &Store,
    rules: &Snapshot,
    of: (&Code, AnomalyType, Day),
    after: Option<&Anomaly>,
    (limit, now): (u32, Instant),
) -> StoreResult<Page<Anomaly>> {
    let mut page = store.anomalies(of, after, limit + 1).await?;
    let more = page.rows.len() > limit as usize;
    page.rows.truncate(limit as usize);
    let keys: BTreeSet<&OrderKey> =
        page.rows.iter().flat_map(|anomaly| [Some(&anomaly.key), anomaly.other.as_ref()]).flatten().collect();
    let orders = store.all_orders(&keys.into_iter().collect::<Vec<_>>(), Asker::Question).await?;
    let next = page.rows.last().filter(|_| more).cloned();
    let doubts = page.rows.into_iter().filter_map(|anomaly| doubt(anomaly, &orders, rules, now)).collect();
    Ok(Page { doubts, next, truncated: page.is_full })
}

/// Nothing where the rule gives the order more time than it has had.
fn doubt(anomaly: Anomaly, orders: &LinesOfKeys, rules: &Snapshot, now: Instant) -> Option<Doubt> {
    let lines = |key: &OrderKey| orders.get(key).map_or(&[][..], Vec::as_slice);
    let (own, other) = (lines(&anomaly.key), anomaly.other.as_ref().map_or(&[][..], lines));
    let settled = match anomaly.kind {
        AnomalyType::OpenOverdue => {
            let open = standing(own, Sort::Open).filter(|_| standing(own, Sort::Ended).is_none());
            if open.is_some_and(|open| now <= overdue_after(open, rules)) {
                return None;
            }
            open.is_none()
        }
        AnomalyType::TwoCompletedAssignments => !(is_completed(own) && is_completed(other)),
        AnomalyType::DuplicateTrip | AnomalyType::OrderIdReused => !(stands(own) && stands(other)),
    };
    let (accepted_at, other_accepted_at) = (accepted_at(own), accepted_at(other));
    Some(Doubt { anomaly, accepted_at, other_accepted_at, settled })
}

fn overdue_after(open: &Posted, rules: &Snapshot) -> Instant {
    let order = &open.line.order;
    let (platform, industry) = (order.key.platform.as_str(), order.industry.as_str());
    let length = rules.order_length(platform, open.line.priced.province, industry, order.accepted_at.day());
    order.accepted_at.plus_seconds(length)
}

fn is_completed(lines: &[Posted]) -> bool {
    let end = standing(lines, Sort::Ended).and_then(|posted| posted.line.order.end);
    end.is_some_and(|end| end.kind == EndKind::Completed)
}

/// Its end stands, or its OPEN where none was ever told.
fn stands(lines: &[Posted]) -> bool {
    let ended = lines.iter().any(|posted| posted.line.kind == Sort::Ended.kind());
    standing(lines, if ended { Sort::Ended } else { Sort::Open }).is_some()
}

fn accepted_at(lines: &[Posted]) -> Option<Instant> {
    let newest = standing(lines, Sort::Ended).or(standing(lines, Sort::Open)).or(lines.last());
    newest.map(|posted| posted.line.order.accepted_at)
}

/// Reused ids among the conflicts that were received from a platform on a day, after one.
pub async fn list_reused(
    store: &Store,
    rules: &Snapshot,
    (platform, day): (&Code, Day),
    after: Option<&ConflictKey>,
    limit: u32,
) -> StoreResult<Page<ConflictKey>> {
    let mut page = store.conflicts(platform, day, after, limit + 1).await?;
    let more = page.rows.len() > limit as usize;
    page.rows.truncate(limit as usize);
    let keys: BTreeSet<&OrderKey> = page.rows.iter().map(|kept| &kept.conflict.order.key).collect();
    let orders = store.all_orders(&keys.into_iter().collect::<Vec<_>>(), Asker::Question).await?;
    let last = page.rows.last().filter(|_| more);
    let next = last.map(|kept| (kept.conflict.order.key.clone(), kept.conflict.digest));
    let doubts = page.rows.iter().filter_map(|kept| reused(kept, &orders, rules)).collect();
    Ok(Page { doubts, next, truncated: page.past_limit > 0 })
}

fn reused(kept: &KeptConflict, orders: &LinesOfKeys, rules: &Snapshot) -> Option<Doubt> {
    let conflict = &kept.conflict;
    let lines = orders.get(&conflict.order.key)?;
    let booked = lines.iter().find(|posted| posted.line.position == conflict.compared_with)?;
    let order = &booked.line.order;
    let (platform, industry) = (order.key.platform.as_str(), order.industry.as_str());
    let length = rules.order_length(platform, booked.line.priced.province, industry, order.accepted_at.day());
    let apart = conflict.order.accepted_at.seconds_since(order.accepted_at).abs();
    (apart > length).then(|| Doubt {
        anomaly: Anomaly { kind: AnomalyType::OrderIdReused, key: order.key.clone(), other: None },
        accepted_at: Some(order.accepted_at),
        other_accepted_at: Some(conflict.order.accepted_at),
        settled: !stands(lines),
    })
}
