//! AuditService: each call in a file of its own.

mod get_extent;
mod list_anomalies;
mod list_completeness;

use super::proto as pb;
use super::proto::audit_service_server::AuditService;
use crate::clock::Clock;
use crate::intake::Registry;
use crate::store::Store;
use tonic::{Request, Response, Status};

/// The service on the wire.
#[derive(Clone, Debug)]
pub struct AuditApi {
    store: Store,
    registry: Registry,
    clock: Clock,
}

impl AuditApi {
    /// Over a store; the clock decides what is overdue.
    pub const fn new(store: Store, registry: Registry, clock: Clock) -> Self {
        Self { store, registry, clock }
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    async fn list_anomalies(
        &self,
        request: Request<pb::ListAnomaliesRequest>,
    ) -> Result<Response<pb::ListAnomaliesResponse>, Status> {
        self.list_anomalies(request.into_inner()).await.map(Response::new)
    }

    async fn get_extent(
        &self,
        _request: Request<pb::GetExtentRequest>,
    ) -> Result<Response<pb::GetExtentResponse>, Status> {
        self.get_extent().await.map(Response::new)
    }

    async fn list_completeness(
        &self,
        request: Request<pb::ListCompletenessRequest>,
    ) -> Result<Response<pb::ListCompletenessResponse>, Status> {
        self.list_completeness(request.into_inner()).await.map(Response::new)
    }
}
