//! Which rows may be put into the registry.

use super::rule::{AreaMap, CountRule, LateFee, PeriodOf, RULE_NAMES, parse_order_length};
use super::snapshot::Snapshot;
use crate::types::{
    ANY, Code, Factor, Malformed, Money, Province, RowDraft, RowId, RowKind, ViolationCode, Violations,
};

/// Longest name or document number, bytes.
const MAX_TEXT_BYTES: usize = 200;
/// Longest value of a rule, bytes.
const MAX_VALUE_BYTES: usize = 2_000;

/// Why a row is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutRefused {
    /// Fields are wrong.
    #[error("{} fields of the row are wrong", .0.as_slice().len())]
    Invalid(Violations),
    /// A row of the same key and day stands, and this one does not name it as the one it supersedes.
    #[error("row {} has the same key and valid_from; name it in supersedes to take its place", .0.get())]
    Exists(RowId),
    /// The registry has as many rows as it may have.
    #[error("the registry is full")]
    Full,
}

/// Checks a row against the rows that stand. Fields are named as in the contract's message of the row.
pub fn admit(snapshot: &Snapshot, draft: &RowDraft) -> Result<(), PutRefused> {
    const MAX_ROWS: u32 = 1_000_000;
    let mut wrong = Violations::default();
    check_header(draft, &mut wrong);
    check_key(snapshot, draft, &mut wrong);
    match draft.kind {
        RowKind::Rate => check_price(draft, &mut wrong),
        RowKind::Rule => check_rule(snapshot, draft, &mut wrong),
        RowKind::Industry | RowKind::Province | RowKind::Platform => check_named(draft, &mut wrong),
        RowKind::Scope => {}
    }
    check_superseded(snapshot, draft, &mut wrong);
    if !wrong.is_empty() {
        return Err(PutRefused::Invalid(wrong));
    }
    let (platforms, industries) = snapshot.codes();
    let full = match draft.kind {
        RowKind::Platform => platforms >= Snapshot::MAX_CODES && !snapshot.knows_platform(&draft.platform),
        RowKind::Industry => industries >= Snapshot::MAX_CODES && !snapshot.knows_industry(&draft.industry),
        _ => false,
    };
    if full || snapshot.revision().get() >= MAX_ROWS {
        return Err(PutRefused::Full);
    }
    let twin = snapshot.rows().iter().find(|row| {
        !snapshot.is_superseded(row.id)
            && row.draft.valid_from == draft.valid_from
            && row.draft.key() == draft.key()
    });
    match twin {
        Some(row) if draft.supersedes != Some(row.id) => Err(PutRefused::Exists(row.id)),
        _ => Ok(()),
    }
}

fn malformed(text: &'static str) -> Malformed {
    Malformed::new(ViolationCode::Malformed, text)
}

fn check_header(draft: &RowDraft, wrong: &mut Violations) {
    let from = draft.valid_from;
    match draft.valid_to {
        Some(to) if to < from || (to == from && draft.supersedes.is_none()) => {
            wrong.add("header.valid_to", malformed("must lie after valid_from"));
        }
        Some(_) if draft.kind == RowKind::Rule && is_national(draft) => {
            let text = "a national rule has no end: put the row that follows it";
            wrong.add("header.valid_to", Malformed::new(ViolationCode::NotAllowed, text));
        }
        _ => {}
    }
    check_text("header.document", &draft.document, MAX_TEXT_BYTES, wrong);
    if !["", "law", "press", "open"].contains(&draft.confidence.as_str()) {
        wrong.add("header.confidence", malformed("must be law, press, open or empty"));
    }
}

fn is_national(draft: &RowDraft) -> bool {
    draft.platform == ANY && draft.province == ANY && draft.industry == ANY
}

fn check_text(field: &'static str, text: &str, max: usize, wrong: &mut Violations) {
    if text.trim().is_empty() {
        wrong.add(field, Malformed::new(ViolationCode::Required, "must be set"));
    } else if text.len() > max {
        wrong.add(field, Malformed::new(ViolationCode::TooLong, format!("must be at most {max} bytes")));
    } else if text.chars().any(char::is_control) {
        wrong.add(field, malformed("must not hold control characters"));
    }
}

fn check_key(snapshot: &Snapshot, draft: &RowDraft, wrong: &mut Violations) {
    let unknown = |what: &'static str| Malformed::new(ViolationCode::NotInRegistry, what);
    let own = |kind: RowKind| draft.kind == kind;
    let any = |code: &str, allowed: bool| code == ANY && allowed;
    let dated = own(RowKind::Scope) || own(RowKind::Rate) || own(RowKind::Rule);
    if (own(RowKind::Platform) || dated) && !any(&draft.platform, dated) {
        let code = wrong.take("platform_code", Code::parse(draft.platform.clone()));
        let reserved = code.as_ref().is_some_and(|c| c.as_str() == ANY);
        if reserved {
            wrong.add("platform_code", malformed("\"*\" is no code of a platform"));
        } else if code.is_some_and(|c| dated && !snapshot.knows_platform(c.as_str())) {
            wrong.add("platform_code", unknown("no platform of the registry"));
        }
    }
    if (own(RowKind::Province) || dated) && !any(&draft.province, dated) {
        let code = wrong.take("province_code", Province::parse(&draft.province));
        if code.is_some_and(|c| dated && !snapshot.knows_province(c)) {
            wrong.add("province_code", unknown("no province of the registry"));
        }
    }
    if (own(RowKind::Industry) || dated) && !any(&draft.industry, own(RowKind::Rule)) {
        let code = wrong.take("industry_code", Code::parse(draft.industry.clone()));
        let reserved = code.as_ref().is_some_and(|c| c.as_str() == ANY);
        if reserved {
            wrong.add("industry_code", malformed("\"*\" is no code of an industry"));
        } else if code.is_some_and(|c| dated && !snapshot.knows_industry(c.as_str())) {
            wrong.add("industry_code", unknown("no industry of the registry"));
        }
    }
}

fn check_named(draft: &RowDraft, wrong: &mut Violations) {
    check_text("name", &draft.name, MAX_TEXT_BYTES, wrong);
    let uscc = draft.value.as_str();
    let shape = uscc.len() == 18 && uscc.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    if draft.kind == RowKind::Platform && !uscc.is_empty() && !shape {
        wrong.add("uscc", malformed("must be 18 digits and capital letters (GB 32100)"));
    }
}

fn check_price(draft: &RowDraft, wrong: &mut Violations) {
    let range = |text: &'static str| Malformed::new(ViolationCode::OutOfRange, text);
    let base = draft.base.unwrap_or_default();
    let factor = draft.factor.unwrap_or(Factor::ONE);
    let base_fits = base > Money::ZERO && base <= Money::MAX_BASE;
    if !base_fits {
        wrong.add("base", range("must be above 0 and at most 1000"));
    }
    let factor_fits = factor.millionths() > 0 && factor <= Factor::MAX;
    if !factor_fits {
        wrong.add("factor", range("must be above 0 and at most 100"));
    }
    if base_fits && factor_fits && base.checked_times(factor).is_none() {
        wrong.add("factor", range("base x factor must have at most 6 decimals"));
    }
}

fn check_rule(snapshot: &Snapshot, draft: &RowDraft, wrong: &mut Violations) {
    if draft.value.len() > MAX_VALUE_BYTES {
        wrong.add("value", Malformed::new(ViolationCode::TooLong, "must be at most 2000 bytes"));
        return;
    }
    let value = draft.value.as_str();
    let checked = match draft.name.as_str() {
        "count_rule" => CountRule::parse(value).map(|_| ()),
        "order_length" => parse_order_length(value).map(|_| ()),
        "period_of" => PeriodOf::parse(value).map(|_| ()),
        "late_fee" => {
            if draft.industry != ANY {
                let text = "must be \"*\": a month is paid for all industries at once";
                wrong.add("industry_code", Malformed::new(ViolationCode::NotAllowed, text));
            }
            LateFee::parse(value).map(|_| ())
        }
        "area_to_province" => {
            AreaMap::parse(value).and_then(|map| match map.provinces().all(|p| snapshot.knows_province(p)) {
                true => Ok(()),
                false => Err(Malformed::new(
                    ViolationCode::NotInRegistry,
                    "maps to a province the registry does not know",
                )),
            })
        }
        _ => {
            let names = format!("must be one of {}", RULE_NAMES.join(", "));
            wrong.add("name", Malformed::new(ViolationCode::UnknownValue, names));
            return;
        }
    };
    wrong.take("value", checked);
}

fn check_superseded(snapshot: &Snapshot, draft: &RowDraft, wrong: &mut Violations) {
    let Some(id) = draft.supersedes else { return };
    let field = "header.supersedes";
    match snapshot.row(id) {
        None => wrong.add(field, Malformed::new(ViolationCode::NotInRegistry, "no row of the registry")),
        Some(_) if snapshot.is_superseded(id) => {
            wrong.add(field, Malformed::new(ViolationCode::Mismatch, "the row was superseded before"));
        }
        Some(row) if row.draft.key() != draft.key() || row.draft.valid_from != draft.valid_from => {
            let text = "the row has another key or valid_from";
            wrong.add(field, Malformed::new(ViolationCode::Mismatch, text));
        }
        Some(_) => {}
    }
}
