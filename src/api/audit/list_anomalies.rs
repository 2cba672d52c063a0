//! ListAnomalies: doubtful orders of a platform, type and day.

use super::AuditApi;
use crate::api::{decode, encode, page, proto as pb, status};
use crate::audit::{Doubt, Page, list, list_reused};
use crate::types::{Anomaly, AnomalyType, Code, Instant, Malformed, OrderKey, Violations};
use tonic::Status;

impl AuditApi {
    pub(super) async fn list_anomalies(
        &self,
        request: pb::ListAnomaliesRequest,
    ) -> Result<pb::ListAnomaliesResponse, Status> {
        let mut wrong = Violations::default();
        let platform = wrong.take("platform_code", Code::parse(request.platform_code));
        let kind = wrong.take("type", decode::word(request.r#type, AnomalyType::from_code));
        let day = wrong.take("date", decode::day(&request.date));
        let size = wrong.take("page_size", page::size(request.page_size));
        let (Some(platform), Some(kind), Some(day), Some(size)) = (platform, kind, day, size) else {
            return Err(status::invalid("", &wrong));
        };
        let rules = self.registry.snapshot();
        let token = &request.page_token;
        let malformed = |malformed| {
            let mut wrong = Violations::default();
            wrong.add("page_token", malformed);
            status::invalid("", &wrong)
        };
        if kind == AnomalyType::OrderIdReused {
            let after = page::after_conflict(&platform, token).map_err(malformed)?;
            let found = list_reused(&self.store, &rules, (&platform, day), after.as_ref(), size).await;
            return Ok(response(found.map_err(status::store_status)?, page::conflict_token));
        }
        let after = after_anomaly(&platform, kind, token).map_err(malformed)?;
        let now = self.clock.now();
        let found = list(&self.store, &rules, (&platform, kind, day), after.as_ref(), (size, now)).await;
        Ok(response(found.map_err(status::store_status)?, anomaly_token))
    }
}

fn response<Place>(page: Page<Place>, token: impl Fn(&Place) -> String) -> pb::ListAnomaliesResponse {
    pb::ListAnomaliesResponse {
        anomalies: page.doubts.iter().map(anomaly).collect(),
        next_page_token: page.next.as_ref().map(token).unwrap_or_default(),
        truncated: page.truncated,
    }
}

fn anomaly(doubt: &Doubt) -> pb::Anomaly {
    let instant = |at: Option<Instant>| at.map(encode::timestamp);
    pb::Anomaly {
        r#type: doubt.anomaly.kind.code().into(),
        key: Some(encode::order_key(&doubt.anomaly.key)),
        other: doubt.anomaly.other.as_ref().map(encode::order_key),
        accepted_at: instant(doubt.accepted_at),
        other_accepted_at: instant(doubt.other_accepted_at),
        settled: doubt.settled,
    }
}

fn anomaly_token(last: &Anomaly) -> String {
    let other = last.other.as_ref();
    let text = |of: fn(&OrderKey) -> &Code| other.map_or("", |key| of(key).as_str()).as_bytes();
    page::token(&[
        last.key.order_id.as_str().as_bytes(),
        &[last.key.assignment_no],
        text(|key| &key.platform),
        text(|key| &key.order_id),
        &[other.map_or(0, |key| key.assignment_no)],
    ])
}

fn after_anomaly(platform: &Code, kind: AnomalyType, token: &str) -> Result<Option<Anomaly>, Malformed> {
    let Some([order_id, assignment_no, other_platform, other_id, other_no]) = page::parts(token)? else {
        return Ok(None);
    };
    let own = page::key(platform.clone(), order_id, &assignment_no).ok_or_else(page::wrong_token)?;
    let other = match other_id.is_empty() {
        true => None,
        false => {
            let platform = String::from_utf8(other_platform).ok().and_then(|text| Code::parse(text).ok());
            Some(
                platform
                    .and_then(|platform| page::key(platform, other_id, &other_no))
                    .ok_or_else(page::wrong_token)?,
            )
        }
    };
    Ok(Some(Anomaly { kind, key: own, other }))
}
