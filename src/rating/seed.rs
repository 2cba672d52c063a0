//! The rows that every ledger starts with, read from the CSV files compiled in. Rates that are not public are never seeded.

use crate::types::{ANY, Day, Factor, Money, RowDraft, RowKind};

const INDUSTRIES: &str = include_str!("../../migrations/seeds/industries.csv");
const PROVINCES: &str = include_str!("../../migrations/seeds/provinces.csv");
const PLATFORMS: &str = include_str!("../../migrations/seeds/platforms.csv");
const SCOPES: &str = include_str!("../../migrations/seeds/scopes.csv");
const RATES: &str = include_str!("../../migrations/seeds/rates.csv");
const RULES: &str = include_str!("../../migrations/seeds/rules.csv");

/// All of them, in an order in which each names only rows before it.
///
/// # Panics
/// Where a seed file is malformed; a test reads them all.
pub fn seed_drafts() -> Vec<RowDraft> {
    let mut drafts = Vec::new();
    read(INDUSTRIES, RowKind::Industry, &mut drafts);
    read(PROVINCES, RowKind::Province, &mut drafts);
    read(PLATFORMS, RowKind::Platform, &mut drafts);
    read(SCOPES, RowKind::Scope, &mut drafts);
    read(RATES, RowKind::Rate, &mut drafts);
    read(RULES, RowKind::Rule, &mut drafts);
    drafts
}

fn read(file: &str, kind: RowKind, drafts: &mut Vec<RowDraft>) {
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let headers = reader.headers().expect("a seed file has headers").clone();
    for record in reader.records() {
        let record = record.expect("a seed file is CSV");
        let column = |names: &[&str]| {
            let found = headers.iter().position(|h| names.contains(&h));
            found.and_then(|i| record.get(i)).unwrap_or("").to_owned()
        };
        let day = |text: String| Day::parse(&text).expect("a seed's date");
        let dates = column(&["valid_from", "scheme_from", "enrolled_from"]);
        drafts.push(RowDraft {
            kind,
            name: column(&["name"]),
            platform: column(&["platform_code"]),
            province: column(&["province_code"]),
            industry: column(&["industry_code"]),
            value: column(&["value", "uscc"]),
            base: Some(column(&["base_yuan"]))
                .filter(|t| !t.is_empty())
                .map(|t| Money::parse(&t).expect("a seed's base")),
            factor: Some(column(&["factor"]))
                .filter(|t| !t.is_empty())
                .map(|t| Factor::parse(&t).expect("a seed's factor")),
            valid_from: day(dates),
            valid_to: Some(column(&["valid_to"])).filter(|t| !t.is_empty()).map(day),
            document: Some(column(&["document"])).filter(|t| !t.is_empty()).unwrap_or_else(|| document(kind)),
            confidence: column(&["confidence"]),
            supersedes: None,
        });
    }
    debug_assert!(drafts.iter().all(|d| d.platform != ANY || d.kind >= RowKind::Scope));
}

/// Provinces and platforms were named by the steps of the scheme, not by a document each.
fn document(kind: RowKind) -> String {
    debug_assert!(matches!(kind, RowKind::Province | RowKind::Platform));
    "人社部发〔2021〕110号; 人社部发〔2025〕24号".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Snapshot, admit};
    use super::*;
    use crate::types::{JournalId, LineNo, Position, RegistryRow, RowId};
    use std::sync::Arc;

    #[test]
    fn every_seed_row_would_be_let_in() {
        let mut rows = Vec::new();
        let drafts = seed_drafts();
        // Checked in steps: building a snapshot for each of the rows would make the test slow for nothing.
        for (i, draft) in drafts.iter().enumerate() {
            if i % 100 == 0 || draft.kind != drafts[i.saturating_sub(1)].kind {
                let snapshot = Snapshot::build(rows.clone(), Vec::new()).unwrap();
                assert_eq!(admit(&snapshot, draft), Ok(()), "{draft:?}");
            }
            rows.push(Arc::new(RegistryRow {
                id: RowId::new(i as u32 + 1),
                position: Position {
                    journal: JournalId::new(1).unwrap(),
                    line_no: LineNo::new(i as u32).unwrap(),
                },
                draft: draft.clone(),
            }));
        }
        assert_eq!(Snapshot::build(rows, Vec::new()).unwrap().revision().get() as usize, drafts.len());
    }
}
