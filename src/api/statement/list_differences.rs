//! ListDifferences: what a reconciliation found, a kept part a page.

use super::StatementApi;
use super::reconciliation::{differences, parts, reconciliation};
use crate::api::{decode, page, proto as pb, status};
use crate::store::RunsOf;
use crate::types::{DifferenceType, Malformed, RunKind, ViolationCode, Violations};
use tonic::Status;

/// Parts that are looked through for one page.
const PARTS_PER_PAGE: u32 = 16;

impl StatementApi {
    pub(super) async fn list_differences(
        &self,
        request: pb::ListDifferencesRequest,
    ) -> Result<pb::ListDifferencesResponse, Status> {
        let mut wrong = Violations::default();
        let kind = match request.r#type {
            0 => Some(None),
            number => wrong.take("type", decode::word(number, DifferenceType::from_code)).map(Some),
        };
        let first = wrong.take("page_token", first(&request.page_token));
        if request.run_no == 0 {
            wrong.add("run_no", Malformed::new(ViolationCode::Required, "must be set"));
        }
        let (Some(kind), Some(first), true) = (kind, first, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let before = request.run_no.checked_add(1);
        let of = RunsOf { kind: Some(RunKind::Reconcile), before, ..RunsOf::default() };
        let run = self.store.run(of).await.map_err(status::store_status)?;
        let run = run.filter(|run| run.run_no == request.run_no);
        let run = run.ok_or_else(|| Status::not_found("no reconciliation has this number"))?;
        let end = parts(reconciliation(&run)?.kept);
        let mut found = Vec::new();
        let mut next = first;
        while next < end && next - first < PARTS_PER_PAGE && found.is_empty() {
            found = differences(&self.store, &run, next).await?.differences;
            found.retain(|difference| kind.is_none_or(|kind| difference.r#type == i32::from(kind.code())));
            next += 1;
        }
        let next_page_token = if next < end { page::token(&[&next.to_be_bytes()]) } else { String::new() };
        Ok(pb::ListDifferencesResponse { differences: found, next_page_token })
    }
}

fn first(token: &str) -> Result<u32, Malformed> {
    let Some([part_no]) = page::parts(token)? else { return Ok(0) };
    part_no.try_into().map(u32::from_be_bytes).map_err(|_| page::wrong_token())
}
