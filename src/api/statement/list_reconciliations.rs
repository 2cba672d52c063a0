//! ListReconciliations: what was reconciled.

use super::StatementApi;
use super::reconciliation::reconciliation;
use crate::api::{page, proto as pb, status};
use crate::store::RunsOf;
use crate::types::{Malformed, RunKind, Violations};
use tonic::Status;

impl StatementApi {
    pub(super) async fn list_reconciliations(
        &self,
        request: pb::ListReconciliationsRequest,
    ) -> Result<pb::ListReconciliationsResponse, Status> {
        let mut wrong = Violations::default();
        let size = wrong.take("page_size", page::size(request.page_size));
        let before = wrong.take("page_token", before(&request.page_token));
        let (Some(size), Some(before)) = (size, before) else { return Err(status::invalid("", &wrong)) };
        let of = RunsOf { kind: Some(RunKind::Reconcile), before, ..RunsOf::default() };
        let mut runs = self.store.runs(of, size + 1).await.map_err(status::store_status)?;
        let more = runs.len() > size as usize;
        runs.truncate(size as usize);
        let last = runs.last().filter(|_| more);
        let next_page_token = last.map(|run| page::token(&[&run.run_no.to_be_bytes()])).unwrap_or_default();
        let reconciliations = runs.iter().map(reconciliation).collect::<Result<_, _>>()?;
        Ok(pb::ListReconciliationsResponse { reconciliations, next_page_token })
    }
}

fn before(token: &str) -> Result<Option<u32>, Malformed> {
    let Some([run_no]) = page::parts(token)? else { return Ok(None) };
    run_no.try_into().map(u32::from_be_bytes).map(Some).map_err(|_| page::wrong_token())
}
