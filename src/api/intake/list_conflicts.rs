//! ListConflicts: distinct conflicting versions received from one platform on one day.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, encode, page, status};
use crate::types::{Code, Violations};
use tonic::Status;

impl IntakeApi {
    pub(super) async fn list_conflicts(
        &self,
        request: pb::ListConflictsRequest,
    ) -> Result<pb::ListConflictsResponse, Status> {
        let mut wrong = Violations::default();
        let platform = wrong.take("platform_code", Code::parse(request.platform_code));
        let day = wrong.take("date", decode::day(&request.date));
        let size = wrong.take("page_size", page::size(request.page_size));
        let after = wrong.take(
            "page_token",
            platform.as_ref().map_or(Ok(None), |p| page::after_conflict(p, &request.page_token)),
        );
        let (Some(platform), Some(day), Some(size), Some(after)) = (platform, day, size, after) else {
            return Err(status::invalid("", &wrong));
        };
        let found = self.intake.store().conflicts(&platform, day, after.as_ref(), size + 1).await;
        let mut found = found.map_err(status::store_status)?;
        let more = found.rows.len() > size as usize;
        found.rows.truncate(size as usize);
        let last = found.rows.last().filter(|_| more).map(|kept| &kept.conflict);
        let token = last.map(|conflict| page::conflict_token(&(conflict.order.key.clone(), conflict.digest)));
        let ledger = self.intake.store().ledger_id();
        Ok(pb::ListConflictsResponse {
            next_page_token: token.unwrap_or_default(),
            conflicts: found.rows.iter().map(|kept| encode::conflict(kept, ledger)).collect(),
            truncated: found.past_limit > 0,
            uncounted_repeats: found.past_limit,
        })
    }
}
