//! What the ledger holds of each hour of a platform, and what the platform itself counted: folded with the totals, by the same tree (`totals`).

use super::rows::{self, Columns};
use super::totals::{FOLD_ENTRIES, TotalsOf, nodes};
use super::{Store, StoreError, StoreResult};
use crate::types::{Code, HourCounts, Hourly, Instant, SealNo};
use std::collections::BTreeMap;
use std::ops::Range;

/// Counts by platform and hour.
pub type Hours = BTreeMap<(Code, Instant), HourCounts>;

/// A platform's own count of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedHour {
    /// The count.
    pub counts: Hourly,
    /// The report that told it, the platform's newest of the hour.
    pub report_no: u64,
}

/// Adds to the counts.
pub fn add_hour(hours: &mut Hours, platform: &Code, hour: Instant, counts: HourCounts) -> StoreResult<()> {
    let held = hours.entry((platform.clone(), hour)).or_default();
    let too_many = || StoreError::Corrupt("hour_total: a count cannot be held".to_owned());
    held.accepted = held.accepted.checked_add(counts.accepted).ok_or_else(too_many)?;
    held.ended = held.ended.checked_add(counts.ended).ok_or_else(too_many)?;
    Ok(())
}

/// Adds first lines of keys: their hours, and how many.
pub fn add_lines(hours: &mut Hours, row: &impl Columns) -> StoreResult<()> {
    let (platform, lines) = (rows::platform(row)?, row.int("lines")?);
    add_hour(hours, &platform, row.instant("accepted_hour")?, HourCounts { accepted: lines, ended: 0 })?;
    match row.instant_opt("ended_hour")? {
        Some(hour) => add_hour(hours, &platform, hour, HourCounts { accepted: 0, ended: lines }),
        None => Ok(()),
    }
}

/// Takes away the OPENs whose keys were told by an ended line too. False: the row is not of those.
pub fn take_pairs(hours: &mut Hours, row: &impl Columns) -> StoreResult<bool> {
    let Some(hour) = row.instant_opt("hour")? else { return Ok(false) };
    let counts = HourCounts { accepted: -row.int("pairs")?, ended: 0 };
    add_hour(hours, &rows::platform(row)?, hour, counts).map(|()| true)
}

/// Counts of an hour from folds.
pub fn folded_hour(row: &impl Columns) -> StoreResult<(Instant, HourCounts)> {
    let counts = HourCounts { accepted: row.int("accepted")?, ended: row.int("ended")? };
    Ok((row.instant("hour")?, counts))
}

/// A platform's own count of an hour.
pub fn reported_hour(row: &impl Columns) -> StoreResult<ReportedHour> {
    let count = |column| row.int(column).map(|count| count as u64); // were taken in as such
    let counts = Hourly { hour: row.instant("hour")?, accepted: count("accepted")?, ended: count("ended")? };
    Ok(ReportedHour { counts, report_no: count("report_no")? })
}

impl Store {
    /// What the ledger holds of a platform's hours, as known after the journal with a seal. Hours without an order may be left out.
    pub async fn booked_hours(&self, platform: &Code, hours: &Range<Instant>, seal: SealNo) -> StoreResult<Hours> {
        let mut counts = Hours::new();
        let folded = ask!(self.folded_by(seal))?;
        if let Some(folded) = folded {
            for (hour, held) in ask!(self.folded_hours(&nodes(folded.fold_no + 1), platform, hours))? {
                add_hour(&mut counts, platform, hour, held)?;
            }
        }
        let of = TotalsOf { platform: Some(platform), hours: true, ..TotalsOf::default() };
        let mut after = folded.map_or(SealNo::NONE, |folded| folded.seal);
        while after < seal {
            let to = self.stretch_end(after, FOLD_ENTRIES, seal).await?;
            for ((platform, hour), held) in ask!(self.stretch(after, to, of))?.hours {
                if hours.contains(&hour) {
                    add_hour(&mut counts, &platform, hour, held)?;
                }
            }
            after = to;
        }
        Ok(counts)
    }

    /// A platform's own counts of these hours, in order; those that it told nothing of are left out.
    pub async fn reported_hours(&self, platform: &Code, hours: &Range<Instant>) -> StoreResult<Vec<ReportedHour>> {
        ask!(self.reported_hours(platform, hours))
    }
}
