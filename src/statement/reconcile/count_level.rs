//! Compares a file of sums with statements: a row a platform, province, industry and month.

use super::compare::{differ, not_asked, of_amounts};
use super::difference::{Difference, Side};
use super::findings::Findings;
use super::read_file::read_rows;
use super::{ReconcileError, Sums, Work};
use crate::rating::Snapshot;
use crate::statement::{Statement, StatementKey, list};
use crate::store::StoreError;
use crate::types::{DifferenceType, Money, PremiumState, RowId};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Most rows of such a file: far more than there are statements of a month.
pub const MAX_ROWS: u64 = 100_000;

/// Batches between who reads and who tells.
const AHEAD: usize = 2;

/// A row, by what it is of.
type Told = (StatementKey, u64, Side, bool);

pub async fn compare(work: &Arc<Work>, file: File, findings: &mut Findings) -> Result<Sums, ReconcileError> {
    let (send, mut unreadable) = mpsc::channel::<Vec<Difference>>(AHEAD);
    let reading = work.clone();
    let read = tokio::task::spawn_blocking(move || rows(&reading, file, &send));
    while let Some(differences) = unreadable.recv().await {
        for difference in differences {
            findings.add(difference).await?;
        }
    }
    let (rows, mut sums) = read.await.map_err(|_| ReconcileError::Panicked)??;
    let of = &work.ask.of;
    let mut statements = list(&work.store, of.platform.as_ref(), of.period, work.seal).await?;
    statements.retain(|statement| {
        let key = &statement.key;
        of.province.is_none_or(|province| province == key.province)
            && of.industry.as_ref().is_none_or(|industry| *industry == key.industry)
    });
    let mut sides = BTreeMap::new();
    for statement in statements {
        let side = side(&statement, &work.rates)?;
        sums.add_ledger(side.premium.unwrap_or_default());
        sides.insert(statement.key, side);
    }
    let mut seen: BTreeMap<StatementKey, u64> = BTreeMap::new();
    for (key, no, source, whole) in rows {
        let ledger = sides.get(&key);
        let difference = Difference {
            platform: Some(key.platform.clone()),
            source: Side { province: Some(key.province), industry: Some(key.industry.clone()), ..source.clone() },
            ledger: ledger.cloned().unwrap_or_default(),
            ..Difference::of(DifferenceType::Match, no)
        };
        let kinds = match (seen.get(&key), ledger) {
            (Some(_), _) => vec![DifferenceType::DuplicateAtSource],
            (None, None) if says_nothing(&source) => vec![],
            (None, None) => vec![DifferenceType::MissingInLedger],
            (None, Some(ledger)) => differing(&source, ledger),
        };
        let first_row = seen.get(&key).copied().unwrap_or_default();
        let matches = kinds.is_empty() && whole;
        for kind in kinds.into_iter().chain(matches.then_some(DifferenceType::Match)) {
            findings.add(Difference { kind, first_row, ..difference.clone() }).await?;
        }
        seen.entry(key).or_insert(no);
    }
    for (key, ledger) in sides {
        if !seen.contains_key(&key) && !says_nothing(&ledger) {
            let missing = Difference::of(DifferenceType::MissingAtSource, 0);
            findings.add(Difference { platform: Some(key.platform), ledger, ..missing }).await?;
        }
    }
    Ok(sums)
}

fn rows(
    work: &Work,
    file: File,
    found: &mpsc::Sender<Vec<Difference>>,
) -> Result<(Vec<Told>, Sums), ReconcileError> {
    let (mut rows, mut sums) = (Vec::new(), Sums::default());
    let of = &work.ask.of;
    read_rows(file, work.ask.format, &work.reader, |row, mut differences, _| {
        sums.rows += 1;
        if sums.rows > MAX_ROWS {
            return Err(ReconcileError::TooManyRows);
        }
        if let Some(row) = row {
            let side = &row.side;
            let (province, industry) =
                (side.province.or(of.province), side.industry.clone().or(of.industry.clone()));
            if let Some(column) = not_asked(side, of) {
                differences.push(Difference {
                    platform: row.platform,
                    source: row.side,
                    column: work.reader.headers.name(column).to_owned(),
                    description: "is not what was asked for".to_owned(),
                    ..Difference::of(DifferenceType::UnreadableAtSource, row.no)
                });
            } else if let (Some(platform), Some(province), Some(industry)) = (row.platform, province, industry) {
                sums.add_source(side.premium.unwrap_or_default());
                let key = StatementKey { platform, province, industry, period: of.period };
                rows.push((key, row.no, row.side, row.whole));
            }
        }
        match differences.is_empty() {
            true => sums.check(),
            false => found.blocking_send(differences).map_err(|_| ReconcileError::Gone),
        }
    })?;
    Ok((rows, sums))
}

/// What a statement comes to.
fn side(statement: &Statement, rates: &Snapshot) -> Result<Side, ReconcileError> {
    let exact =
        statement.exact().ok_or_else(|| StoreError::Corrupt("statement: a sum cannot be held".to_owned()))?;
    let sections = statement.sections();
    let mut at: BTreeMap<Option<RowId>, i64> = BTreeMap::new();
    for (key, sums) in statement.sums.iter().filter(|(key, _)| key.state == PremiumState::Charged) {
        *at.entry(key.rate).or_default() += sums.standing;
    }
    let charged = at.iter().filter(|(_, orders)| **orders != 0);
    let rates: BTreeSet<Money> = charged.filter_map(|(row, _)| rates.row((*row)?)?.draft.price()).collect();
    let pending = sections.iter().any(|section| section.standing.rate_pending != 0);
    Ok(Side {
        // Where there are several, none is the statement's.
        rate: if rates.len() == 1 { rates.first().copied() } else { None },
        state: pending.then_some(PremiumState::RatePending),
        province: Some(statement.key.province),
        industry: Some(statement.key.industry.clone()),
        period: Some(statement.key.period),
        premium: Some(exact),
        count: Some(sections.iter().map(|section| section.standing.charged).sum()),
        ..Side::NONE
    })
}

fn says_nothing(side: &Side) -> bool {
    side.premium.unwrap_or_default() == Money::ZERO && side.count.unwrap_or_default() == 0 && side.state.is_none()
}

fn differing(source: &Side, ledger: &Side) -> Vec<DifferenceType> {
    let mut found = Vec::new();
    if source.count.is_some() && source.count != ledger.count {
        found.push(DifferenceType::CountDiff);
    }
    if differ(source.rate, ledger.rate) {
        found.push(DifferenceType::RateDiff);
    }
    found.extend(source.premium.and_then(|told| of_amounts(told, ledger.premium.unwrap_or_default())));
    found
}
