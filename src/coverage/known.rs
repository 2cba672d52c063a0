//! What was known after an earlier journal: of all that is read now, what stands in a journal with its seal or a lower one. Journals that
//! are not sealed yet come later.

use super::{Known, Lines, lines_now};
use crate::rating::Snapshot;
use crate::store::{Search, Store, StoreError, StoreResult};
use crate::types::{Instant, JournalId, Order, SealNo};
use std::collections::{BTreeSet, HashSet};
use std::ops::RangeInclusive;
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

/// What was known then of a worker's orders. Looks through all of them, also those of which only the platforms are asked for.
pub(super) async fn lines_then(store: &Store, search: &Search, seal: SealNo) -> StoreResult<Lines> {
    let (from, to) = search.span();
    let mut then = lines_now(store, &Search { accepted: from..=to, ..search.clone() }).await?;
    let of_lines = then.orders.values().flatten().map(|posted| posted.line.position.journal);
    let journals = of_lines.chain(then.conflicts.values().flatten().map(|kept| kept.journal)).collect();
    let sealed = sealed_by(store, journals, seal).await?;
    for lines in then.orders.values_mut() {
        lines.retain(|posted| sealed.contains(&posted.line.position.journal));
    }
    for kept in then.conflicts.values_mut() {
        kept.retain(|kept| sealed.contains(&kept.journal));
    }
    let accepted = |order: &Order, range: &RangeInclusive<Instant>| {
        order.worker == search.worker && range.contains(&order.accepted_at)
    };
    let lines = then.orders.values().flatten().map(|posted| &posted.line.order);
    let relevant = lines.filter(|order| accepted(order, &search.relevant));
    then.platforms = relevant.map(|order| order.key.platform.clone()).collect();
    // Those that were known then to be his, and accepted in the time asked for.
    then.orders.retain(|key, lines| {
        let kept = then.conflicts.get(key).map_or(&[][..], Vec::as_slice);
        lines.iter().any(|posted| accepted(&posted.line.order, &search.accepted))
            || kept.iter().any(|kept| accepted(&kept.conflict.order, &search.accepted))
    });
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
