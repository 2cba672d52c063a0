//! What a platform owes for a month, province by province: exact sums over the lines of a period, and what is declared of them.

pub mod reconcile;
mod sections;

pub use sections::{LineSums, RateSums, Section, Standing};

use crate::ledger::statement_digest;
use crate::rating::{CorruptRegistry, Snapshot, round_to_fen};
use crate::store::{Store, StoreError, StoreResult, TotalsOf};
use crate::types::{Code, Digest, Money, Period, Province, RowId, SealNo, Sums, TotalKey};
use std::collections::{BTreeMap, BTreeSet};

/// Which statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementKey {
    /// The platform.
    pub platform: Code,
    /// The province.
    pub province: Province,
    /// The industry.
    pub industry: Code,
    /// Month in which the lines are booked.
    pub period: Period,
}

/// The sums of one platform, province, industry and month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which.
    pub key: StatementKey,
    /// By what they are of, ascending; all of this key.
    pub sums: Vec<(TotalKey, Sums)>,
}

impl Statement {
    /// Exact; nothing where it cannot be held.
    pub fn exact(&self) -> Option<Money> {
        self.sums.iter().try_fold(Money::ZERO, |sum, (_, sums)| sum.checked_add(sums.amount))
    }

    /// Exact, in whole 分, and the residual between the two.
    pub fn amounts(&self) -> StoreResult<(Money, Money, Money)> {
        let exact =
            self.exact().ok_or_else(|| StoreError::Corrupt("statement: a sum cannot be held".to_owned()))?;
        let (rounded, residual) = round_to_fen(exact);
        Ok((exact, rounded, residual))
    }

    /// By service period, ascending.
    pub fn sections(&self) -> Vec<Section> {
        let same = |a: &(TotalKey, Sums), b: &(TotalKey, Sums)| a.0.service_period == b.0.service_period;
        self.sums.chunk_by(same).map(Section::of).collect()
    }

    /// Revisions of the registry that priced the lines.
    pub fn revisions(&self) -> BTreeSet<RowId> {
        self.sums.iter().map(|(key, _)| key.revision).collect()
    }

    /// Rows of rules that decided about the orders.
    pub fn rules(&self, snapshot: &Snapshot) -> Result<BTreeSet<RowId>, CorruptRegistry> {
        let mut months: BTreeMap<RowId, BTreeSet<Period>> = BTreeMap::new();
        for (key, _) in &self.sums {
            months.entry(key.revision).or_default().insert(key.service_period);
        }
        let mut rules = BTreeSet::new();
        for (revision, months) in months {
            let then = snapshot.at_revision(revision)?;
            for month in months {
                let (platform, industry) = (self.key.platform.as_str(), self.key.industry.as_str());
                rules.extend(then.rules_of_month(platform, self.key.province, industry, month));
            }
        }
        Ok(rules)
    }

    /// SHA-256 of the content.
    pub fn digest(&self) -> Digest {
        let key = &self.key;
        statement_digest((&key.platform, key.province, &key.industry, key.period), &self.sums)
    }
}

/// The statements of a month with a line, of one platform or of all, by key; as known after the journal with a seal.
pub async fn list(
    store: &Store,
    platform: Option<&Code>,
    period: Period,
    seal: SealNo,
) -> StoreResult<Vec<Statement>> {
    let mut statements: BTreeMap<StatementKey, Vec<(TotalKey, Sums)>> = BTreeMap::new();
    let of = TotalsOf { platform, period: Some(period), ..TotalsOf::default() };
    for (key, sums) in store.totals(of, seal).await? {
        let of = StatementKey {
            platform: key.platform.clone(),
            province: key.province,
            industry: key.industry.clone(),
            period,
        };
        statements.entry(of).or_default().push((key, sums));
    }
    Ok(statements.into_iter().map(|(key, sums)| Statement { key, sums }).collect())
}

/// One statement; without sums where nothing was booked.
pub async fn find(store: &Store, key: StatementKey, seal: SealNo) -> StoreResult<Statement> {
    let (platform, place) = (Some(&key.platform), Some((key.province, &key.industry)));
    let of = TotalsOf { platform, place, period: Some(key.period), hours: false };
    let sums = store.totals(of, seal).await?.into_iter().collect();
    Ok(Statement { key, sums })
}
