//! A statement as a message.

use super::{Known, StatementApi};
use crate::api::{proto as pb, status};
use crate::rating::Snapshot;
use crate::statement::{LineSums, RateSums, Section, Standing, Statement, StatementKey};
use crate::store::StoreError;
use crate::types::{EndKind, RowId, StatementState};
use tonic::Status;

impl StatementApi {
    /// `account`: of the statement's month, where it is frozen.
    pub(super) fn statement(
        &self,
        statement: &Statement,
        account: Option<&pb::PeriodAccount>,
        known: &Known,
    ) -> Result<pb::Statement, Status> {
        // Rates and rules never change: those of now hold the earlier ones.
        let snapshot = self.registry.snapshot();
        let (exact, rounded, residual) = statement.amounts().map_err(status::store_status)?;
        let corrupt =
            |error: crate::rating::CorruptRegistry| status::store_status(StoreError::Corrupt(error.to_string()));
        let rules = statement.rules(&snapshot).map_err(corrupt)?;
        let sections = statement.sections();
        let period = statement.key.period;
        let (prior, current): (Vec<_>, Vec<_>) = sections.iter().partition(|s| s.service_period != period);
        Ok(pb::Statement {
            key: Some(key(&statement.key)),
            state: account.map_or(StatementState::Open.code().into(), |account| account.state),
            current: current.first().map(|current| section(current, &snapshot)),
            prior: prior.into_iter().map(|prior| section(prior, &snapshot)).collect(),
            exact: exact.to_string(),
            rounded: rounded.to_string(),
            residual: residual.to_string(),
            registry_revisions: statement.revisions().into_iter().map(|row| row.get().into()).collect(),
            rule_ids: rules.into_iter().map(|row| row.get().into()).collect(),
            seal: account.map_or(known.seal.get(), |account| account.frozen_seal),
            digest: statement.digest().to_vec(),
        })
    }
}

fn key(key: &StatementKey) -> pb::StatementKey {
    pb::StatementKey {
        platform_code: key.platform.to_string(),
        province_code: key.province.as_str().to_owned(),
        industry_code: key.industry.to_string(),
        period: key.period.to_string(),
    }
}

fn section(section: &Section, snapshot: &Snapshot) -> pb::StatementSection {
    pb::StatementSection {
        service_period: section.service_period.to_string(),
        standing: Some(standing(&section.standing)),
        opens: Some(lines(&section.opens)),
        charges: Some(lines(&section.charges)),
        reversals: Some(lines(&section.reversals)),
        adjustments: Some(lines(&section.adjustments)),
        rates: section.rates.iter().map(|(row, sums)| rate(*row, sums, snapshot)).collect(),
        amount: section.amount().to_string(),
    }
}

fn standing(standing: &Standing) -> pb::StandingCounts {
    let of_kind =
        |(kind, count): (&EndKind, &i64)| pb::EndKindCount { end_kind: kind.code().into(), count: *count };
    pb::StandingCounts {
        charged: standing.charged,
        not_charged: standing.not_charged.iter().map(of_kind).collect(),
        rate_pending: standing.rate_pending,
        out_of_scope: standing.out_of_scope,
        open: standing.open,
    }
}

fn lines(sums: &LineSums) -> pb::LineTotals {
    pb::LineTotals { count: sums.count.unsigned_abs(), amount: sums.amount.to_string() }
}

fn rate(row: Option<RowId>, sums: &RateSums, snapshot: &Snapshot) -> pb::RateTotals {
    pb::RateTotals {
        rate_id: row.map_or(0, |row| row.get().into()),
        rate: row
            .and_then(|row| snapshot.row(row)?.draft.price())
            .map(|price| price.to_string())
            .unwrap_or_default(),
        charges: Some(lines(&sums.charges)),
        reversals: Some(lines(&sums.reversals)),
        adjustments: Some(lines(&sums.adjustments)),
    }
}
