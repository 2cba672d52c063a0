//! Whether the ledger holds what a platform says that it sent, hour by hour.

use crate::store::{ReportedHour, Store, StoreResult};
use crate::types::{Code, HourCounts, HourState, Hourly, Instant, SealNo};
use std::ops::Range;

/// An hour of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// Its begin.
    pub hour: Instant,
    /// The platform's own count.
    pub reported: Option<ReportedHour>,
    /// The ledger's.
    pub booked: HourCounts,
    /// How they stand to each other.
    pub state: HourState,
}

/// Hours of a platform.
#[derive(Debug)]
pub struct Completeness {
    /// In order.
    pub hours: Vec<Hour>,
    /// The ledger's counts are as of this seal.
    pub seal: SealNo,
    /// Up to when the platform says that it has sent everything.
    pub watermark: Option<Instant>,
}

/// The hours that begin in a span, on full hours; only those that are not complete, or all that are due. The ledger's counts are of all that is booked, or as of
/// a seal: what is folded costs nothing to count.
pub async fn completeness(
    store: &Store,
    platform: &Code,
    span: &Range<Instant>,
    all: bool,
    seal: Option<SealNo>,
) -> StoreResult<Completeness> {
    // First what was promised, then what was booked by then: nothing looks short that was sent before it was counted.
    let newest = store.watermarks(&[platform.as_str()], None).await?;
    let watermark = newest.first().map(|newest| newest.watermark.at);
    let reported = store.reported_hours(platform, span).await?;
    let seal = match seal {
        Some(seal) => seal,
        None => store.seal_booked().await?,
    };
    let booked = store.booked_hours(platform, span, seal).await?;
    let mut reported = reported.into_iter().peekable();
    let mut hours = Vec::new();
    let begins = (span.start.micros()..span.end.micros()).step_by(Hourly::MICROS as usize);
    for hour in begins.filter_map(Instant::from_micros) {
        let own = reported.next_if(|own| own.counts.hour == hour);
        let booked = booked.get(&(platform.clone(), hour)).copied().unwrap_or_default();
        let is_due = watermark.is_some_and(|watermark| watermark.micros() >= hour.micros() + Hourly::MICROS);
        let state = state(own.map(|own| own.counts), booked, is_due);
        if let Some(state) = state.filter(|state| all || *state != HourState::Complete) {
            hours.push(Hour { hour, reported: own, booked, state });
        }
    }
    Ok(Completeness { hours, seal, watermark })
}

/// Nothing: no count and no order, and the platform has not said yet that it has sent all of that hour.
fn state(reported: Option<Hourly>, booked: HourCounts, is_due: bool) -> Option<HourState> {
    let Some(reported) = reported else {
        return (is_due || booked != HourCounts::default()).then_some(HourState::NotReported);
    };
    // Counts are at most 2^53.
    let (accepted, ended) = (reported.accepted as i64, reported.ended as i64);
    Some(if booked == HourCounts::default() && (accepted, ended) != (0, 0) {
        HourState::Missing
    } else if booked.accepted < accepted || booked.ended < ended {
        HourState::Short
    } else if booked.accepted > accepted || booked.ended > ended {
        HourState::Excess
    } else {
        HourState::Complete
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_short_before_it_is_anything_else() {
        let stands = |reported: Option<(u64, u64)>, (accepted, ended), is_due| {
            let hour = Instant::SCHEME_BEGAN;
            let reported = reported.map(|(accepted, ended)| Hourly { hour, accepted, ended });
            state(reported, HourCounts { accepted, ended }, is_due)
        };
        assert_eq!(stands(Some((2, 1)), (2, 1), true), Some(HourState::Complete));
        assert_eq!(stands(Some((0, 0)), (0, 0), false), Some(HourState::Complete));
        assert_eq!(stands(Some((2, 1)), (1, 5), true), Some(HourState::Short));
        assert_eq!(stands(Some((2, 1)), (2, 0), true), Some(HourState::Short));
        assert_eq!(stands(Some((0, 1)), (0, 0), true), Some(HourState::Missing));
        assert_eq!(stands(Some((2, 1)), (3, 1), false), Some(HourState::Excess));
        assert_eq!(stands(None, (1, 0), false), Some(HourState::NotReported));
        assert_eq!(stands(None, (0, 0), true), Some(HourState::NotReported));
        assert_eq!(stands(None, (0, 0), false), None);
    }
}
