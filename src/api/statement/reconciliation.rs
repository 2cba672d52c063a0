//! Runs of Reconcile and what they found, as messages.

use crate::api::{proto as pb, status};
use crate::statement::reconcile::{Ask, Difference, Outcome, PART, Side};
use crate::store::{Store, StoreError};
use crate::types::{Code, Run};
use tonic::Status;

/// A run of Reconcile.
pub fn reconciliation(run: &Run) -> Result<pb::Reconciliation, Status> {
    let corrupt = || status::store_status(StoreError::Corrupt(format!("run {}: its texts", run.run_no)));
    let ask = Ask::from_text(&run.asked).ok_or_else(corrupt)?;
    let outcome = Outcome::from_text(&run.outcome).ok_or_else(corrupt)?;
    let count = |(kind, count): (&crate::types::DifferenceType, &u64)| pb::DifferenceCount {
        r#type: kind.code().into(),
        count: *count,
    };
    Ok(pb::Reconciliation {
        run_no: run.run_no,
        asked: Some(start(ask)),
        seal: run.seal.get(),
        rows: outcome.rows,
        counts: outcome.counts.iter().map(count).collect(),
        source_amount: outcome.source_amount.to_string(),
        ledger_amount: outcome.ledger_amount.to_string(),
        kept: outcome.kept,
        differences_sha256: outcome.digest.to_vec(),
    })
}

/// What was asked; as known when is told by the run's seal.
fn start(ask: Ask) -> pb::ReconcileStart {
    let column = |(column, header): (crate::statement::reconcile::Column, String)| pb::ColumnName {
        column: column.name().to_owned(),
        header,
    };
    pb::ReconcileStart {
        request_id: ask.request_id,
        level: ask.level.code().into(),
        source: ask.source.to_string(),
        period: ask.of.period.to_string(),
        platform_code: ask.of.platform.map(|code| code.to_string()).unwrap_or_default(),
        province_code: ask.of.province.map(|province| province.as_str().to_owned()).unwrap_or_default(),
        industry_code: ask.of.industry.map(|code| code.to_string()).unwrap_or_default(),
        known_at: None,
        format: ask.format.code().into(),
        encoding: ask.encoding.code().into(),
        columns: ask.columns.into_iter().map(column).collect(),
        negative_amounts: ask.negative,
        file_bytes: ask.file_bytes,
        file_sha256: ask.file_sha256.to_vec(),
    }
}

/// How many parts so many differences are kept in.
pub fn parts(kept: u64) -> u32 {
    u32::try_from(kept.div_ceil(PART as u64)).unwrap_or(u32::MAX)
}

/// A kept part of what a run found.
pub async fn differences(store: &Store, run: &Run, part_no: u32) -> Result<pb::Differences, Status> {
    let corrupt = || status::store_status(StoreError::Corrupt(format!("run {}: part {part_no}", run.run_no)));
    let kept = store.differences(run.position.journal, part_no).await.map_err(status::store_status)?;
    let read = |line: &str| Difference::from_json(line).as_ref().map(difference);
    let differences: Option<Vec<_>> = kept.ok_or_else(corrupt)?.lines().map(read).collect();
    Ok(pb::Differences { differences: differences.ok_or_else(corrupt)? })
}

/// A difference.
pub fn difference(difference: &Difference) -> pb::Difference {
    let (order_id, assignment_no) = match &difference.order {
        Some((id, number)) => (id.to_string(), u32::from(*number)),
        None => Default::default(),
    };
    pb::Difference {
        r#type: difference.kind.code().into(),
        row: difference.row,
        first_row: difference.first_row,
        platform_code: difference.platform.as_ref().map(Code::to_string).unwrap_or_default(),
        order_id,
        assignment_no,
        source: side(&difference.source),
        ledger: side(&difference.ledger),
        column: difference.column.clone(),
        description: difference.description.clone(),
    }
}

fn side(side: &Side) -> Option<pb::DifferenceSide> {
    if *side == Side::NONE {
        return None;
    }
    let [province_code, industry_code, period, service_period, worker_id, rate, premium, count, _] =
        side.texts().map(|(_, text)| text.unwrap_or_default());
    Some(pb::DifferenceSide {
        province_code,
        industry_code,
        period,
        service_period,
        worker_id,
        rate,
        premium,
        count,
        premium_state: side.state.map_or(0, |state| state.code().into()),
    })
}
