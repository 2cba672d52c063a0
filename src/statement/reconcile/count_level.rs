//! Compares a file of sums with statements: a row a platform, province, industry and month.

use super::compare::of_amounts;
use super::difference::{Difference, Side};
use super::findings::Findings;
use super::read_file::read_rows;
use super::{ReconcileError, Sums, Work};
use crate::rating::Snapshot;
use crate::statement::{Statement, StatementKey, list};
use crate::store::StoreError;
use crate::types::{DifferenceType, Money};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;

/// Most rows of such a file: far more than there are statements of a month.
pub const MAX_ROWS: u64 = 100_000;

/// A row, by what it is of.
type Told = (StatementKey, u64, Side, bool);

pub async fn compare(work: &Arc<Work>, file: File, findings: &mut Findings) -> Result<Sums, ReconcileError> {
    let reading = work.clone();
    let read = tokio::task::spawn_blocking(move || rows(&reading, file)).await;
    let (rows, unreadable, count) = read.map_err(|_| ReconcileError::Gone)??;
    for difference in unreadable {
        findings.add(difference).await?;
    }
    let of = &work.ask.of;
    let mut statements = list(&work.store, of.platform.as_ref(), of.period, work.seal).await?;
    statements.retain(|statement| {
        let key = &statement.key;
        of.province.is_none_or(|province| province == key.province)
            && of.industry.as_ref().is_none_or(|industry| *industry == key.industry)
    });
    let mut sums = Sums { rows: count, ..Sums::default() };
    let mut sides = BTreeMap::new();
    for statement in statements {
        let side = side(&statement, &work.rates)?;
        sums.add_ledger(side.premium.unwrap_or_default());
        sides.insert(statement.key, side);
    }
    let mut seen: BTreeMap<StatementKey, u64> = BTreeMap::new();
    for (key, no, source, whole) in rows {
        sums.add_source(source.premium.unwrap_or_default());
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

fn rows(work: &Work, file: File) -> Result<(Vec<Told>, Vec<Difference>, u64), ReconcileError> {
    let (mut rows, mut unreadable, mut count) = (Vec::new(), Vec::new(), 0);
    let of = &work.ask.of;
    read_rows(file, work.ask.format, &work.reader, |row, differences, _| {
        count += 1;
        unreadable.extend(differences);
        if count > MAX_ROWS {
            return Err(ReconcileError::TooManyRows);
        }
        let Some(row) = row else { return Ok(()) };
        let other = |column: &str, what: &str| Difference {
            platform: row.platform.clone(),
            source: row.side.clone(),
            column: column.to_owned(),
            description: format!("is not the {what} that was asked for"),
            ..Difference::of(DifferenceType::UnreadableAtSource, row.no)
        };
        let side = &row.side;
        let apart = [
            (side.period.is_some_and(|period| period != of.period), "period", "month"),
            (side.province.zip(of.province).is_some_and(|(has, asked)| has != asked), "province_code", "province"),
            (
                side.industry.as_ref().zip(of.industry.as_ref()).is_some_and(|(has, asked)| has != asked),
                "industry_code",
                "industry",
            ),
        ];
        let (province, industry) = (side.province.or(of.province), side.industry.clone().or(of.industry.clone()));
        let elsewhere =
            apart.into_iter().filter(|(apart, ..)| *apart).map(|(_, column, what)| other(column, what));
        let elsewhere: Vec<Difference> = elsewhere.collect();
        if let (Some(platform), Some(province), Some(industry), true) =
            (row.platform.clone(), province, industry, elsewhere.is_empty())
        {
            let key = StatementKey { platform, province, industry, period: of.period };
            rows.push((key, row.no, row.side, row.whole));
        }
        unreadable.extend(elsewhere);
        Ok(())
    })?;
    Ok((rows, unreadable, count))
}

/// What a statement comes to.
fn side(statement: &Statement, rates: &Snapshot) -> Result<Side, ReconcileError> {
    let exact =
        statement.exact().ok_or_else(|| StoreError::Corrupt("statement: a sum cannot be held".to_owned()))?;
    let sections = statement.sections();
    let at = sections.iter().flat_map(|section| &section.rates).filter(|(_, sums)| sums.charges.count > 0);
    let rates: BTreeSet<Option<Money>> = at.map(|(row, _)| rates.row((*row)?)?.draft.price()).collect();
    Ok(Side {
        // Where there are several, none is the statement's.
        rate: if rates.len() == 1 { rates.into_iter().next().flatten() } else { None },
        province: Some(statement.key.province),
        industry: Some(statement.key.industry.clone()),
        period: Some(statement.key.period),
        premium: Some(exact),
        count: Some(sections.iter().map(|section| section.standing.charged).sum()),
        ..Side::NONE
    })
}

fn says_nothing(side: &Side) -> bool {
    side.premium.unwrap_or_default() == Money::ZERO && side.count.unwrap_or_default() == 0
}

fn differing(source: &Side, ledger: &Side) -> Vec<DifferenceType> {
    let mut found = Vec::new();
    if source.count.is_some() && source.count != ledger.count {
        found.push(DifferenceType::CountDiff);
    }
    if source.rate.is_some() && source.rate != ledger.rate {
        found.push(DifferenceType::RateDiff);
    }
    found.extend(source.premium.and_then(|told| of_amounts(told, ledger.premium.unwrap_or_default())));
    found
}
