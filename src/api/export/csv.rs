//! Statements and lines as CSV: columns are the fields of the contract, instants RFC 3339 in Asia/Shanghai, words without their enum's prefix.

use super::super::proto as pb;
use crate::types::{EndKind, Instant, LineKind, PremiumReason, PremiumState, ReversalReason, StatementState};

/// A row for each service period of a statement. What is of the whole statement stands in its first row.
const STATEMENT_TITLES: [&str; 24] = [
    "platform_code",
    "province_code",
    "industry_code",
    "period",
    "service_period",
    "charged",
    "not_charged",
    "rate_pending",
    "out_of_scope",
    "open",
    "opens",
    "charges",
    "charges_amount",
    "reversals",
    "reversals_amount",
    "adjustments",
    "adjustments_amount",
    "amount",
    "state",
    "exact",
    "rounded",
    "residual",
    "seal",
    "digest",
];

const LINE_TITLES: [&str; 25] = [
    "line_id",
    "slot",
    "kind",
    "platform_code",
    "order_id",
    "assignment_no",
    "worker_id",
    "industry_code",
    "accept_area",
    "accepted_at",
    "ended_at",
    "end_kind",
    "service_agency_code",
    "source_platform_code",
    "source_order_id",
    "premium",
    "premium_state",
    "reason_code",
    "period",
    "service_period",
    "rate_id",
    "registry_revision",
    "corrects_line_id",
    "reversal_reason",
    "received_at",
];

fn written(rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut csv = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.write_record(&row).expect("memory takes all, and all rows are alike");
    }
    csv.into_inner().expect("memory takes all")
}

/// All statements, with a header.
pub fn statements(statements: &[pb::Statement]) -> Vec<u8> {
    let titles = STATEMENT_TITLES.iter().map(|title| (*title).to_owned()).collect();
    written(std::iter::once(titles).chain(statements.iter().flat_map(statement)))
}

fn statement(statement: &pb::Statement) -> Vec<Vec<String>> {
    let key = statement.key.clone().unwrap_or_default();
    let digest: String = statement.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut whole = vec![
        word(statement.state, StatementState::from_code, StatementState::name),
        statement.exact.clone(),
        statement.rounded.clone(),
        statement.residual.clone(),
        statement.seal.to_string(),
        digest,
    ];
    let mut rows = Vec::new();
    for section in statement.current.iter().chain(&statement.prior) {
        let standing = section.standing.clone().unwrap_or_default();
        let not_charged: i64 = standing.not_charged.iter().map(|of_kind| of_kind.count).sum();
        let totals = |totals: &Option<pb::LineTotals>| totals.clone().unwrap_or_default();
        let (charges, reversals, adjustments) =
            (totals(&section.charges), totals(&section.reversals), totals(&section.adjustments));
        let mut row = vec![
            key.platform_code.clone(),
            key.province_code.clone(),
            key.industry_code.clone(),
            key.period.clone(),
            section.service_period.clone(),
            standing.charged.to_string(),
            not_charged.to_string(),
            standing.rate_pending.to_string(),
            standing.out_of_scope.to_string(),
            standing.open.to_string(),
            totals(&section.opens).count.to_string(),
            charges.count.to_string(),
            charges.amount,
            reversals.count.to_string(),
            reversals.amount,
            adjustments.count.to_string(),
            adjustments.amount,
            section.amount.clone(),
        ];
        row.append(&mut whole);
        row.resize(STATEMENT_TITLES.len(), String::new());
        rows.push(row);
    }
    rows
}

/// The header of lines.
pub fn line_titles() -> Vec<u8> {
    written(std::iter::once(LINE_TITLES.iter().map(|title| (*title).to_owned()).collect()))
}

/// Some lines, without a header.
pub fn lines(lines: &[pb::Line]) -> Vec<u8> {
    written(lines.iter().map(line))
}

fn line(line: &pb::Line) -> Vec<String> {
    let order = line.order.clone().unwrap_or_default();
    vec![
        line.line_id.clone(),
        line.slot.to_string(),
        word(line.kind, LineKind::from_code, LineKind::name),
        order.platform_code,
        order.order_id,
        order.assignment_no.to_string(),
        order.worker_id,
        order.industry_code,
        order.accept_area,
        instant(order.accepted_at),
        instant(order.ended_at),
        word(order.end_kind, EndKind::from_code, EndKind::name),
        order.service_agency_code,
        order.source_platform_code,
        order.source_order_id,
        line.premium.clone(),
        word(line.premium_state, PremiumState::from_code, PremiumState::name),
        word(line.reason_code, PremiumReason::from_code, PremiumReason::name),
        line.period.clone(),
        line.service_period.clone(),
        if line.rate_id == 0 { String::new() } else { line.rate_id.to_string() },
        line.registry_revision.to_string(),
        line.corrects_line_id.clone(),
        word(line.reversal_reason, ReversalReason::from_code, ReversalReason::name),
        instant(line.received_at),
    ]
}

/// A word of an enum; empty where it is not set.
pub(super) fn word<T>(number: i32, from: impl Fn(u8) -> Option<T>, name: impl Fn(T) -> &'static str) -> String {
    u8::try_from(number).ok().and_then(from).map_or("", name).to_owned()
}

fn instant(timestamp: Option<prost_types::Timestamp>) -> String {
    let at = timestamp.and_then(|timestamp| Instant::from_parts(timestamp.seconds, timestamp.nanos).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}
