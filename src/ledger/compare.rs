//! What an event means where lines of its sort are booked already: a replay, or a conflict (DESIGN §2.2).

use super::standing::standing;
use crate::types::{Differing, LineKind, Order, Posted, Slot, Sort};

/// The event against the booked line it was measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// The line that the event equals or, in a conflict, differs from.
    pub line: &'a Posted,
    /// Empty: the same content, a replay.
    pub differing: Differing,
    /// The line that stands now where a later one changed `line`: the newest standing one, else the newest reversal.
    pub current: Option<&'a Posted>,
}

/// Compares an event with the lines of its key: the newest standing line of its sort first, then the first one of its sort.
/// Nothing where no line of its sort is booked. `lines` in slot order.
pub fn compare<'a>(lines: &'a [Posted], order: &Order) -> Option<Comparison<'a>> {
    let sort = order.sort();
    let first = first_of(lines, sort)?;
    let newest = standing(lines, sort);
    let compared = [newest, Some(first)];
    let equal = compared.into_iter().flatten().find(|p| p.line.order.differing(order).is_empty());
    let line = equal.or(newest).unwrap_or(first);
    Some(Comparison {
        line,
        differing: line.line.order.differing(order),
        current: superseding(lines, line, newest),
    })
}

fn first_of(lines: &[Posted], sort: Sort) -> Option<&Posted> {
    let slot: Slot = sort.slot();
    lines.iter().find(|p| p.line.slot == slot)
}

/// What stands in place of `line`, if a later line changed it.
fn superseding<'a>(lines: &'a [Posted], line: &Posted, newest: Option<&'a Posted>) -> Option<&'a Posted> {
    let changed = lines.iter().any(|p| p.line.corrects == Some(line.line.slot));
    if !changed {
        return None;
    }
    let of_sort = |p: &&Posted| p.line.kind == LineKind::Reversal && p.line.order.sort() == line.line.order.sort();
    newest.or_else(|| lines.iter().rev().find(of_sort))
}
