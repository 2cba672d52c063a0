//! GetCoverage: one worker, one instant.

use super::{CoverageApi, coverage};
use crate::api::{decode, proto as pb, status};
use crate::coverage::{DEFAULT_WINDOW_SECONDS, Question, ask};
use crate::types::Violations;
use tonic::Status;

impl CoverageApi {
    pub(super) async fn get_coverage(
        &self,
        request: pb::GetCoverageRequest,
    ) -> Result<pb::GetCoverageResponse, Status> {
        let mut wrong = Violations::default();
        let worker = decode::reader(&request.worker_id, request.purpose, request.case_no, &mut wrong);
        let at = wrong.take("at", decode::past(request.at.as_ref(), self.clock.now()));
        let (Some(worker), Some(at), true) = (worker, at, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let known = self.known(request.known_at).await?;
        let question = Question { worker, at, window_seconds: DEFAULT_WINDOW_SECONDS };
        let found = ask(&self.store, &known, question).await.map_err(status::store_status)?;
        Ok(pb::GetCoverageResponse { coverage: Some(coverage(&found, &known, at, None, self.store.ledger_id())) })
    }
}
