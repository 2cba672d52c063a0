//! ListRefusals: distinct refused orders of one platform and day.

use super::IntakeApi;
use crate::api::proto as pb;
use crate::api::{decode, encode, page, status};
use crate::store::KeptRefusal;
use crate::types::{Code, Digest, Malformed, ViolationCode, Violations};
use tonic::Status;

impl IntakeApi {
    pub(super) async fn list_refusals(
        &self,
        request: pb::ListRefusalsRequest,
    ) -> Result<pb::ListRefusalsResponse, Status> {
        let mut wrong = Violations::default();
        let platform = wrong.take("platform_code", Code::parse_optional(request.platform_code));
        let day = wrong.take("date", decode::day(&request.date));
        let size = wrong.take("page_size", page::size(request.page_size));
        let after = wrong.take("page_token", after(&request.page_token));
        let (Some(platform), Some(day), Some(size), Some(after)) = (platform, day, size, after) else {
            return Err(status::invalid("", &wrong));
        };
        let found = self.intake.store().refusals(platform.as_ref(), day, after, size + 1).await;
        let mut found = found.map_err(status::store_status)?;
        let more = found.rows.len() > size as usize;
        found.rows.truncate(size as usize);
        let last = found.rows.last().filter(|_| more).map(|kept| &kept.refusal);
        Ok(pb::ListRefusalsResponse {
            next_page_token: last.map(|r| page::token(&[&r.digest, &[r.code.code()]])).unwrap_or_default(),
            refusals: found.rows.iter().map(refusal).collect(),
            truncated: found.past_limit > 0,
            uncounted_repeats: found.past_limit,
        })
    }
}

fn after(token: &str) -> Result<Option<(Digest, ViolationCode)>, Malformed> {
    let Some([digest, code]) = page::parts(token)? else { return Ok(None) };
    let code = code.first().copied().and_then(ViolationCode::from_code);
    let key = Digest::try_from(digest).ok().zip(code);
    key.map(Some).ok_or_else(|| {
        Malformed::new(ViolationCode::Malformed, "must be the next_page_token of the answer before")
    })
}

fn refusal(kept: &KeptRefusal) -> pb::Refusal {
    let refusal = &kept.refusal;
    pb::Refusal {
        code: refusal.code.code().into(),
        field: refusal.field.clone(),
        payload_digest: refusal.digest.to_vec(),
        payload: refusal.payload.clone(),
        payload_size: refusal.payload_size,
        received_at: Some(encode::timestamp(kept.received_at)),
        repeats: kept.repeats,
    }
}
