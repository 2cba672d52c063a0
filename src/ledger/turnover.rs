//! How booking a line changes which order keys stand how: what a statement counts. A key stands as its newest standing ended line says, else as its
//! standing OPEN; an adjustment changes the state of the line that it names. The change counts in the month in which a line would be booked then that
//! stands so: mostly that of the line that brought it; another where the two name different provinces or service periods, for a frozen month
//! must not change.
//!
//! Most keys hold an OPEN, an ended line, or both, and are counted by the database in one go (`plain`): a line adds its key, and an ended line that meets
//! an OPEN takes the OPEN's away. Keys with corrections are gone through here, line by line; what `plain` counted of them is taken back.

use super::standing::{adjusted, standing};
use crate::types::{LineKind, Period, Posted, SealNo, Sort, TotalKey};

/// A line and its journal's seal.
pub type Sealed = (SealNo, Posted);

/// Lines of a key name different provinces or service periods.
pub fn is_apart(lines: &[Sealed]) -> bool {
    let place = |(_, posted): &Sealed| (posted.line.priced.province, posted.line.priced.service_period);
    lines.windows(2).any(|pair| place(&pair[0]) != place(&pair[1]))
}

/// What the lines of one key after a seal change, beyond what `plain` counts of them. `lines`: all of the key up to some later seal. `booked_in`: the month
/// in which a line of that key would have been booked before the journal with a seal; asked only where the lines are apart.
pub fn turnover(
    mut lines: Vec<Sealed>,
    after: SealNo,
    booked_in: impl Fn(&TotalKey, SealNo) -> Period,
    mut count: impl FnMut(TotalKey, i64),
) {
    lines.sort_by_key(|(seal, posted)| (*seal, posted.line.position.line_no));
    let mut booked: Vec<Posted> = Vec::with_capacity(lines.len());
    for (seal, posted) in &lines {
        let before = if *seal > after { stands(&booked) } else { None };
        let place = booked.partition_point(|other| other.line.slot < posted.line.slot);
        booked.insert(place, posted.clone());
        if *seal <= after {
            continue;
        }
        let priced = &posted.line.priced;
        for (key, by) in [(before, -1), (stands(&booked), 1)] {
            let Some(key) = key else { continue };
            let own = (key.province, key.service_period) == (priced.province, priced.service_period);
            let period = if own { priced.period } else { booked_in(&key, *seal) };
            count(TotalKey { period, ..key }, by);
        }
        plain(&lines, after, posted, |key, by| count(key, -by));
    }
}

/// What the database counts of a line of slot 0 or 1: the twin of `totals_of_lines.sql` and `pairs_of_lines.sql`.
fn plain(lines: &[Sealed], after: SealNo, posted: &Posted, mut count: impl FnMut(TotalKey, i64)) {
    let line = &posted.line;
    if line.corrects.is_some() {
        return;
    }
    count(key_of(posted), 1);
    let other = lines.iter().find(|(_, other)| other.line.corrects.is_none() && other.line.slot != line.slot);
    let Some((seal, other)) = other else { return };
    let both_here = *seal > after;
    let (one, two) = (&line.priced, &other.line.priced);
    let apart = (one.province, one.service_period) != (two.province, two.service_period)
        || both_here && one.period != two.period;
    if apart || both_here && line.kind == LineKind::Open {
        return;
    }
    let open = if line.kind == LineKind::Open { posted } else { other };
    count(TotalKey { period: line.priced.period, ..key_of(open) }, -1);
}

/// How a key with these lines, in slot order, stands.
fn stands(lines: &[Posted]) -> Option<TotalKey> {
    let stands = standing(lines, Sort::Ended).or_else(|| standing(lines, Sort::Open))?;
    let mut key = key_of(stands);
    let priced = adjusted(lines, &stands.line);
    (key.state, key.rate, key.revision) = (priced.state, priced.rate, priced.revision);
    Some(key)
}

fn key_of(posted: &Posted) -> TotalKey {
    let (order, priced) = (&posted.line.order, &posted.line.priced);
    TotalKey {
        platform: order.key.platform.clone(),
        period: priced.period,
        province: priced.province,
        industry: order.industry.clone(),
        service_period: priced.service_period,
        kind: posted.line.kind,
        state: priced.state,
        end_kind: order.end.map(|end| end.kind),
        rate: priced.rate,
        revision: priced.revision,
    }
}
