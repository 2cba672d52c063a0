//! Statements and accounts of months as text. Seals are no part of it: the model gives none.

use super::tell::name;
use premium_ledger::api::proto as pb;
use premium_ledger::types::{EndKind, StatementState};

pub fn statement(statement: &pb::Statement) -> String {
    let key = statement.key.as_ref().unwrap();
    let state = name!(StatementState, statement.state);
    let mut told = format!(
        "{} {} {} {} {state} exact={} rounded={} residual={} digest={}\n",
        key.platform_code,
        key.province_code,
        key.industry_code,
        key.period,
        statement.exact,
        statement.rounded,
        statement.residual,
        statement.digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>(),
    );
    assert_eq!(statement.digest.len(), 32);
    told.extend(statement.current.iter().map(section));
    told.extend(statement.prior.iter().map(section));
    let list = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    if !statement.registry_revisions.is_empty() {
        told.push_str(&format!(
            "  revisions {} rules {}\n",
            list(&statement.registry_revisions),
            list(&statement.rule_ids)
        ));
    }
    told
}

fn section(section: &pb::StatementSection) -> String {
    let standing = section.standing.as_ref().unwrap();
    let mut told = format!("  {}:", section.service_period);
    for (name, count) in [
        ("charged", standing.charged),
        ("pending", standing.rate_pending),
        ("out_of_scope", standing.out_of_scope),
        ("open", standing.open),
    ] {
        if count != 0 {
            told.push_str(&format!(" {name}={count}"));
        }
    }
    for of_kind in &standing.not_charged {
        told.push_str(&format!(" {}={}", name!(EndKind, of_kind.end_kind), of_kind.count));
    }
    told.push_str(&format!(
        " | OPEN {} CHARGE {} REVERSAL {} ADJUSTMENT {} = {}\n",
        lines(&section.opens),
        lines(&section.charges),
        lines(&section.reversals),
        lines(&section.adjustments),
        section.amount
    ));
    for rate in &section.rates {
        told.push_str(&format!(
            "    rate {} at {:?}: CHARGE {} REVERSAL {} ADJUSTMENT {}\n",
            rate.rate_id,
            rate.rate,
            lines(&rate.charges),
            lines(&rate.reversals),
            lines(&rate.adjustments)
        ));
    }
    told
}

fn lines(totals: &Option<pb::LineTotals>) -> String {
    let totals = totals.as_ref().unwrap();
    format!("{}/{}", totals.count, totals.amount)
}

pub fn account(account: &pb::PeriodAccount) -> String {
    let state = name!(StatementState, account.state);
    let mut told = format!("{} {} {} {state}", account.platform_code, account.province_code, account.period);
    if let Some(declared) = &account.declaration {
        told.push_str(&format!(
            " declared {} on {} by {}",
            declared.amount, declared.declared_on, declared.declaration_no
        ));
    }
    for payment in &account.payments {
        told.push_str(&format!(" paid {} on {} by {}", payment.amount, payment.paid_on, payment.receipt_no));
    }
    told + &format!(" sum={}\n", account.paid)
}

pub fn repriced(last: &pb::RepriceOrdersResponse) -> String {
    assert!(last.done);
    let total = |of: &pb::RepriceTotals| {
        format!(
            "  {} {} {} {}: unchanged={} adjusted={} {} -> {}\n",
            of.platform_code,
            of.province_code,
            of.industry_code,
            of.period,
            of.unchanged,
            of.adjusted,
            of.before,
            of.after
        )
    };
    let totals: String = last.totals.iter().map(total).collect();
    format!("by revision {}, other_province={}\n{totals}", last.registry_revision, last.other_province)
}
