//! Which lines of an order key stand, and what the key sums to.

use crate::types::{Line, LineKind, Money, Posted, Priced, Sort};

/// The newest standing line of this sort: an OPEN or CHARGE that no reversal names. `lines` in slot order.
pub fn standing(lines: &[Posted], sort: Sort) -> Option<&Posted> {
    let mut of_sort = lines.iter().rev().filter(|p| p.line.kind == sort.kind());
    of_sort.find(|p| reversal_of(lines, &p.line).is_none())
}

/// The reversal that names this line, if one does.
pub fn reversal_of<'a>(lines: &'a [Posted], line: &Line) -> Option<&'a Posted> {
    lines.iter().find(|p| p.line.kind == LineKind::Reversal && p.line.corrects == Some(line.slot))
}

/// A line's price as the newest adjustment that names it left it: its state and what decided it; the amount stays the line's own.
pub fn adjusted(lines: &[Posted], line: &Line) -> Priced {
    let adjusts = |p: &&Posted| p.line.kind == LineKind::Adjustment && p.line.corrects == Some(line.slot);
    let newest = lines.iter().rev().find(adjusts).map(|p| p.line.priced);
    newest.map_or(line.priced, |Priced { state, reason, rate, revision, .. }| Priced {
        state,
        reason,
        rate,
        revision,
        ..line.priced
    })
}

/// Sum of the lines' amounts; nothing where it cannot be held.
pub fn net(lines: &[Posted]) -> Option<Money> {
    sum(lines.iter().map(|p| &p.line))
}

/// Sum of a line and of the adjustments that name it.
pub fn net_of_line(lines: &[Posted], line: &Line) -> Option<Money> {
    let adjustments =
        lines.iter().map(|p| &p.line).filter(|l| l.kind == LineKind::Adjustment && l.corrects == Some(line.slot));
    sum(adjustments.chain([line]))
}

fn sum<'a>(mut lines: impl Iterator<Item = &'a Line>) -> Option<Money> {
    lines.try_fold(Money::ZERO, |sum, line| sum.checked_add(line.priced.amount.unwrap_or_default()))
}
