//! What was known after an earlier journal: of all that is read now, what stands in a journal with its seal or a lower one. Journals that
//! are not sealed yet come later.

use super::Known;
use crate::rating::Snapshot;
use crate::store::{
    ConflictsOfKeys, LinesOfKeys, OrdersOfWorker, Search, Store, StoreError, StoreResult, WorkerOrder,
};
use crate::types::{JournalId, Order, OrderKey, SealNo};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Journals whose seals are read at once.
const JOURNALS_PER_READ: usize = 5_000;

/// The ledger as it was after the journal with a seal; `snapshot` is the registry of now.
pub async fn known_by(store: &Store, snapshot: &Snapshot, seal: SealNo) -> StoreResult<Known> {
    let journals = snapshot.rows().iter().map(|row| row.position.journal).collect();
    let sealed = sealed_by(store, journals, seal).await?;
    let rows = snapshot.rows().iter().filter(|row| sealed.contains(&row.position.journal)).cloned().collect();
    let then = Snapshot::build(rows).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Known { seal: Some(seal), snapshot: Arc::new(then) })
}

/// All lines and kept conflicts of these keys, or those of then.
pub(super) async fn lines_and_conflicts(
    store: &Store,
    keys: &[&OrderKey],
    known: Option<SealNo>,
) -> StoreResult<(LinesOfKeys, ConflictsOfKeys)> {
    if keys.is_empty() {
        return Ok(Default::default());
    }
    let (mut lines, mut conflicts) = store.lines_and_conflicts(keys).await?;
    let Some(seal) = known else { return Ok((lines, conflicts)) };
    let of_lines = lines.values().flatten().map(|posted| posted.line.position.journal);
    let journals = of_lines.chain(conflicts.values().flatten().map(|kept| kept.journal)).collect();
    let sealed = sealed_by(store, journals, seal).await?;
    lines.values_mut().for_each(|lines| lines.retain(|posted| sealed.contains(&posted.line.position.journal)));
    conflicts.values_mut().for_each(|kept| kept.retain(|kept| sealed.contains(&kept.journal)));
    lines.retain(|_, lines| !lines.is_empty());
    Ok((lines, conflicts))
}

/// The orders that were known then to be a worker's. Looks through all of his orders, also those of which only the platforms are asked for.
pub(super) async fn orders_then(store: &Store, search: &Search, seal: SealNo) -> StoreResult<OrdersOfWorker> {
    let (from, to) = search.span();
    let now = store.orders_of_worker(&Search { accepted: from..=to, ..search.clone() }).await?;
    let keys: BTreeSet<&OrderKey> = now.booked.iter().chain(&now.kept).map(|order| &order.key).collect();
    let keys: Vec<&OrderKey> = keys.into_iter().collect();
    let (lines, conflicts) = lines_and_conflicts(store, &keys, Some(seal)).await?;
    let of = |order: &Order| {
        (order.worker == search.worker)
            .then(|| WorkerOrder { accepted_at: order.accepted_at, key: order.key.clone() })
    };
    let mut then = OrdersOfWorker::default();
    lines.values().flatten().filter_map(|posted| of(&posted.line.order)).for_each(|o| search.take(o, &mut then));
    let kept = conflicts.values().flatten().filter_map(|kept| of(&kept.conflict.order));
    then.kept = kept.filter(|order| search.accepted.contains(&order.accepted_at)).collect();
    Ok(then)
}

/// Those of the journals that have this seal or a lower one.
async fn sealed_by(store: &Store, journals: BTreeSet<JournalId>, seal: SealNo) -> StoreResult<HashSet<JournalId>> {
    let mut sealed = HashSet::new();
    for some in journals.into_iter().collect::<Vec<_>>().chunks(JOURNALS_PER_READ) {
        let seals = store.seals_of(some).await?;
        sealed.extend(seals.into_iter().filter(|(_, has)| *has <= seal).map(|(journal, _)| journal));
    }
    Ok(sealed)
}
