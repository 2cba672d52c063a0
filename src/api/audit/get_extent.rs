//! GetExtent: how far the ledger reaches.

use super::AuditApi;
use crate::api::{encode, proto as pb, status};
use crate::audit::extent;
use crate::store::NewestWatermark;
use tonic::Status;

impl AuditApi {
    pub(super) async fn get_extent(&self) -> Result<pb::GetExtentResponse, Status> {
        let registry = self.registry.snapshot();
        let found = extent(&self.store, &registry.platforms()).await.map_err(status::store_status)?;
        Ok(pb::GetExtentResponse {
            seal: found.newest.map_or(0, |(seal, _)| seal.get()),
            received_at: found.newest.map(|(_, at)| encode::timestamp(at)),
            platforms: found.watermarks.iter().map(platform).collect(),
        })
    }
}

fn platform(newest: &NewestWatermark) -> pb::PlatformExtent {
    pb::PlatformExtent {
        platform_code: newest.watermark.platform.to_string(),
        watermark: Some(encode::timestamp(newest.watermark.at)),
        reported_at: Some(encode::timestamp(newest.received_at)),
        report_no: newest.watermark.report_no,
    }
}
