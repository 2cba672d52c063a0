//! Corrections: what a reversal or a corrected order adds to the lines of a key (DESIGN §1, §2.8).

use super::standing::{net_of_line, reversal_of, standing};
use crate::types::{Line, LineKind, Money, Order, Period, Position, Posted, Priced, ReversalReason, Slot, Sort};

/// Why a correction cannot be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionRefused {
    /// The key has no such line.
    #[error("the order has no such line")]
    NoSuchLine,
    /// Only OPEN and CHARGE lines can be corrected.
    #[error("a reversal or an adjustment cannot be reversed or corrected")]
    NotAnOrderLine,
    /// The line was reversed before.
    #[error("the line does not stand: it was reversed before")]
    NotStanding,
    /// The replacement is open where the line is ended, or the other way round.
    #[error("the corrected order must be open where the line is open, and ended where the line is ended")]
    OtherSort,
    /// The replacement says what the line says.
    #[error("the corrected order says what the line already says")]
    NothingToCorrect,
    /// The key has no free slot.
    #[error("the order has as many lines as an order may have (1,000)")]
    TooManyLines,
    /// The key's sum cannot be held.
    #[error("the order's sum cannot be held")]
    Overflow,
}

/// Lines to book, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Takes back what stood; nothing where that had been reversed before.
    pub reversal: Option<Line>,
    /// What stands now; nothing in a plain reversal.
    pub replacement: Option<Line>,
}

/// Takes back the line in `slot`; without one the newest standing ended line, else the standing OPEN. `lines` in slot order; `booked_in`
/// tells the month that takes such a line's reversal.
pub fn reverse(
    lines: &[Posted],
    slot: Option<Slot>,
    reason: ReversalReason,
    at: Position,
    booked_in: impl Fn(&Line) -> Period,
) -> Result<Correction, CorrectionRefused> {
    let target = match slot {
        Some(slot) => find(lines, slot)?,
        None => standing(lines, Sort::Ended)
            .or_else(|| standing(lines, Sort::Open))
            .ok_or(CorrectionRefused::NotStanding)?,
    };
    if reversal_of(lines, &target.line).is_some() {
        return Err(CorrectionRefused::NotStanding);
    }
    let period = booked_in(&target.line);
    let reversal = reversal(lines, &target.line, reason, at, next_slot(lines, 0)?, period)?;
    Ok(Correction { reversal: Some(reversal), replacement: None })
}

/// Takes back the line in `slot` and books `order` in its place. Where the line was reversed before and no other of its sort
/// stands, only books `order`: a reversal made by mistake can be mended.
pub fn correct(
    lines: &[Posted],
    slot: Slot,
    order: Order,
    priced: Priced,
    reason: ReversalReason,
    at: [Position; 2],
    booked_in: impl Fn(&Line) -> Period,
) -> Result<Correction, CorrectionRefused> {
    let target = find(lines, slot)?;
    let sort = order.sort();
    if target.line.kind != sort.kind() {
        return Err(CorrectionRefused::OtherSort);
    }
    let stands = reversal_of(lines, &target.line).is_none();
    if !stands && standing(lines, sort).is_some() {
        return Err(CorrectionRefused::NotStanding);
    }
    if stands && target.line.order.differing(&order).is_empty() {
        return Err(CorrectionRefused::NothingToCorrect);
    }
    let reversal = match stands {
        true => {
            let period = booked_in(&target.line);
            Some(reversal(lines, &target.line, reason, at[0], next_slot(lines, 0)?, period)?)
        }
        false => None,
    };
    let taken = u16::from(reversal.is_some());
    let replacement = Line {
        position: at[usize::from(taken)],
        slot: next_slot(lines, taken)?,
        kind: sort.kind(),
        order,
        priced,
        corrects: Some(target.line.slot),
        reversal_reason: Some(reason),
    };
    Ok(Correction { reversal, replacement: Some(replacement) })
}

/// What the standing ended line of an order would be by another price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repriced {
    /// The line.
    pub charge: Posted,
    /// What it and its adjustments come to, up to those by the new price.
    pub before: Money,
    /// What it comes to by the new price.
    pub after: Money,
    /// It differs in premium or state.
    pub differs: bool,
    /// An adjustment by this revision stands already.
    pub done: bool,
}

/// How the order stands to a price by another revision of the registry; nothing where no ended line stands. `lines` in slot order.
pub fn reprice(lines: &[Posted], priced: &Priced) -> Option<Repriced> {
    let charge = standing(lines, Sort::Ended)?;
    let adjusts = |p: &&Posted| p.line.kind == LineKind::Adjustment && p.line.corrects == Some(charge.line.slot);
    let (done, earlier): (Vec<&Posted>, Vec<&Posted>) =
        lines.iter().filter(adjusts).partition(|p| p.line.priced.revision >= priced.revision);
    let amount = |posted: &Posted| posted.line.priced.amount.unwrap_or_default();
    let before = earlier.iter().try_fold(amount(charge), |sum, p| sum.checked_add(amount(p)))?;
    let state = earlier.last().map_or(charge.line.priced.state, |p| p.line.priced.state);
    let after = priced.amount.unwrap_or_default();
    let differs = before != after || state != priced.state;
    Some(Repriced { charge: charge.clone(), before, after, differs, done: !done.is_empty() })
}

/// The adjustment that brings the line to its new price. It keeps the line's province and service period.
pub fn adjustment(
    lines: &[Posted],
    repriced: &Repriced,
    priced: &Priced,
    at: Position,
    booked_in: impl Fn(&Line) -> Period,
) -> Result<Line, CorrectionRefused> {
    let line = &repriced.charge.line;
    let taken = repriced.before.checked_neg().and_then(|before| repriced.after.checked_add(before));
    Ok(Line {
        position: at,
        slot: next_slot(lines, 0)?,
        kind: LineKind::Adjustment,
        order: line.order.clone(),
        priced: Priced {
            amount: Some(taken.ok_or(CorrectionRefused::Overflow)?),
            province: line.priced.province,
            period: booked_in(line),
            service_period: line.priced.service_period,
            ..*priced
        },
        corrects: Some(line.slot),
        reversal_reason: None,
    })
}

fn find(lines: &[Posted], slot: Slot) -> Result<&Posted, CorrectionRefused> {
    let found = lines.iter().find(|p| p.line.slot == slot).ok_or(CorrectionRefused::NoSuchLine)?;
    match found.line.kind {
        LineKind::Open | LineKind::Charge => Ok(found),
        LineKind::Reversal | LineKind::Adjustment => Err(CorrectionRefused::NotAnOrderLine),
    }
}

/// The first free correction slot after so many more; corrections start at 2 even where 0 or 1 is free.
fn next_slot(lines: &[Posted], after: u16) -> Result<Slot, CorrectionRefused> {
    let last = lines.iter().map(|p| p.line.slot).max().unwrap_or(Slot::ENDED).max(Slot::ENDED);
    Slot::new(last.get() + 1 + after).ok_or(CorrectionRefused::TooManyLines)
}

/// Minus the net of the line and of its adjustments; says of the order what the line said. A line without an amount that was
/// never adjusted is reversed without one.
fn reversal(
    lines: &[Posted],
    line: &Line,
    reason: ReversalReason,
    position: Position,
    slot: Slot,
    period: Period,
) -> Result<Line, CorrectionRefused> {
    let adjusted = lines.iter().any(|p| p.line.kind == LineKind::Adjustment && p.line.corrects == Some(line.slot));
    let amount = match line.priced.amount.is_some() || adjusted {
        true => {
            let net = net_of_line(lines, line).and_then(|net| net.checked_neg());
            Some(net.ok_or(CorrectionRefused::Overflow)?)
        }
        false => None,
    };
    Ok(Line {
        position,
        slot,
        kind: LineKind::Reversal,
        order: line.order.clone(),
        priced: Priced { amount, period, ..line.priced },
        corrects: Some(line.slot),
        reversal_reason: Some(reason),
    })
}
