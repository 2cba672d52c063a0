//! What was known after an earlier journal: of all that is read now, what stands in a journal with its seal or a lower one. Journals that
//! are not sealed yet come later.

use super::{Lines, lines_now};
use crate::store::{Search, Store, StoreResult};
use crate::types::{Instant, Order, SealNo};
use std::ops::RangeInclusive;

/// What was known then of a worker's orders. Looks through all of them, also those of which only the platforms are asked for.
pub(super) async fn lines_then(
    store: &Store,
    search: &Search,
    reports_of: &[&str],
    seal: SealNo,
) -> StoreResult<Lines> {
    let newest = store.watermarks(reports_of, Some(seal)).await?;
    let (from, to) = search.span();
    let now = lines_now(store, &Search { accepted: from..=to, ..search.clone() }, &[]).await?;
    let mut then = Lines { newest, ..now };
    let of_lines = then.orders.values().flatten().map(|posted| posted.line.position.journal);
    let journals = of_lines.chain(then.conflicts.values().flatten().map(|kept| kept.journal)).collect();
    let sealed = store.sealed_by(journals, seal).await?;
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
