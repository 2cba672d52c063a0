//! ListConflicts: distinct conflicting versions received from one platform on one day.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, encode, page, status};
use crate::store::ConflictKey;
use crate::types::{Code, Digest, Malformed, OrderKey, ViolationCode, Violations};
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
        let after =
            wrong.take("page_token", platform.as_ref().map_or(Ok(None), |p| after(p, &request.page_token)));
        let (Some(platform), Some(day), Some(size), Some(after)) = (platform, day, size, after) else {
            return Err(status::invalid("", &wrong));
        };
        let found = self.intake.store().conflicts(&platform, day, after.as_ref(), size + 1).await;
        let mut found = found.map_err(status::store_status)?;
        let more = found.rows.len() > size as usize;
        found.rows.truncate(size as usize);
        let last = found.rows.last().filter(|_| more).map(|kept| &kept.conflict);
        let token = last.map(|c| {
            let key = &c.order.key;
            page::token(&[key.order_id.as_str().as_bytes(), &[key.assignment_no], &c.digest])
        });
        let ledger = self.intake.store().ledger_id();
        Ok(pb::ListConflictsResponse {
            next_page_token: token.unwrap_or_default(),
            conflicts: found.rows.iter().map(|kept| encode::conflict(kept, ledger)).collect(),
            truncated: found.past_limit > 0,
            uncounted_repeats: found.past_limit,
        })
    }
}

fn after(platform: &Code, token: &str) -> Result<Option<ConflictKey>, Malformed> {
    let Some([order_id, assignment, digest]) = page::parts(token)? else { return Ok(None) };
    let order_id = String::from_utf8(order_id).ok().and_then(|text| Code::parse(text).ok());
    let key = order_id.zip(assignment.first().copied()).map(|(order_id, assignment_no)| OrderKey {
        platform: platform.clone(),
        order_id,
        assignment_no,
    });
    let after = key.zip(Digest::try_from(digest).ok());
    after.map(Some).ok_or_else(|| {
        Malformed::new(ViolationCode::Malformed, "must be the next_page_token of the answer before")
    })
}
