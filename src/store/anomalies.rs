//! Doubtful orders: found beside the intake, once, when an order has had the time that it may take. A pass takes a stretch of journals; what it
//! finds and how far it came are written in one transaction.

use super::{Store, StoreError, StoreResult};
use crate::types::{Anomaly, AnomalyType, Code, Day, Instant, SealNo};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of journals that are looked through at once.
pub const PASS_ENTRIES: u32 = 65_536;

/// How far journals were looked through.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Its number, from 1.
    pub pass_no: u32,
    /// All up to this seal.
    pub seal: SealNo,
}

/// One page of a platform's anomalies of a type and day.
#[derive(Debug)]
pub struct AnomalyPage {
    /// By order, ascending.
    pub rows: Vec<Anomaly>,
    /// As many as are kept of a day; there may have been more.
    pub is_full: bool,
}

impl Store {
    /// Looks through the next journals that were sealed before an instant, and keeps what is found under a day. False: there was none, or another
    /// was at it.
    pub async fn find_anomalies(&self, entries: u32, sealed_before: Instant, today: Day) -> StoreResult<bool> {
        let last = ask!(self.last_anomaly_pass())?;
        let after = last.map_or(SealNo::NONE, |pass| pass.seal);
        let settled = self.seal_by(sealed_before).await?.unwrap_or(SealNo::NONE);
        if settled <= after {
            return Ok(false);
        }
        let to = self.stretch_end(after, entries, settled).await?;
        let found: BTreeSet<Anomaly> = ask!(self.doubtful_orders(after, to))?.into_iter().collect();
        let found = self.within_limit(found, today).await?;
        let pass = Pass { pass_no: last.map_or(1, |pass| pass.pass_no + 1), seal: to };
        match ask!(self.insert_anomalies(pass, today, &found)) {
            Err(StoreError::Taken(_)) => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// Those that may be kept of this day.
    async fn within_limit(&self, found: BTreeSet<Anomaly>, today: Day) -> StoreResult<Vec<Anomaly>> {
        let mut kept: BTreeMap<(Code, AnomalyType), u32> = BTreeMap::new();
        let mut within = Vec::with_capacity(found.len());
        for anomaly in found {
            let of = (anomaly.key.platform.clone(), anomaly.kind);
            if !kept.contains_key(&of) {
                let count = ask!(self.count_anomalies(&of.0, of.1, today))?;
                kept.insert(of.clone(), count);
            }
            let count = kept.get_mut(&of).expect("it was put there");
            if *count < Anomaly::DAILY_LIMIT {
                *count += 1;
                within.push(anomaly);
            }
        }
        Ok(within)
    }

    /// Anomalies of a platform, type and day, after one.
    pub async fn anomalies(
        &self,
        (platform, kind, day): (&Code, AnomalyType, Day),
        after: Option<&Anomaly>,
        limit: u32,
    ) -> StoreResult<AnomalyPage> {
        let rows = ask!(self.anomalies(platform, kind, day, after, limit))?;
        let is_full = ask!(self.count_anomalies(platform, kind, day))? >= Anomaly::DAILY_LIMIT;
        Ok(AnomalyPage { rows, is_full })
    }
}
