//! CoverageService: each call in a file of its own.

mod check_eligibility;
mod get_coverage;
mod interval;
mod list_worker_day;

use super::proto as pb;
use super::proto::coverage_service_server::CoverageService;
use crate::clock::Clock;
use crate::coverage::{Coverage, PlatformWatermark};
use crate::intake::Registry;
use crate::store::Store;
use crate::types::{Instant, LedgerId};
use tonic::{Request, Response, Status};

/// The service on the wire.
#[derive(Clone, Debug)]
pub struct CoverageApi {
    store: Store,
    registry: Registry,
    clock: Clock,
}

impl CoverageApi {
    /// Over a store; the clock decides what lies in the future.
    pub const fn new(store: Store, registry: Registry, clock: Clock) -> Self {
        Self { store, registry, clock }
    }
}

/// Until journals are sealed there is no earlier state to ask for.
fn known_at(asked: Option<pb::KnownAt>) -> Result<(), Status> {
    match asked {
        None => Ok(()),
        Some(_) => Err(Status::unimplemented("known_at needs sealed journals, which this version does not have")),
    }
}

fn coverage(coverage: &Coverage, at: Instant, reported_at: Option<Instant>, ledger: LedgerId) -> pb::Coverage {
    let intervals = coverage.intervals.iter();
    pb::Coverage {
        reason_code: coverage.reason.code().into(),
        intervals: intervals.map(|i| interval::encode(i, at, reported_at, ledger)).collect(),
        gap_before: coverage.gap_before,
        gap_after: coverage.gap_after,
        watermarks: coverage.watermarks.iter().map(watermark).collect(),
    }
}

fn watermark(watermark: &PlatformWatermark) -> pb::PlatformWatermark {
    let newest = watermark.newest.as_ref();
    pb::PlatformWatermark {
        platform_code: watermark.platform.to_string(),
        watermark: newest.map(|n| super::encode::timestamp(n.watermark.at)),
        received_at: newest.map(|n| super::encode::timestamp(n.received_at)),
        relevant: watermark.relevant,
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CoverageService for CoverageApi {
    async fn get_coverage(&self, request: Request<pb::GetCoverageRequest>) -> Answered<pb::GetCoverageResponse> {
        self.get_coverage(request.into_inner()).await.map(Response::new)
    }

    async fn check_eligibility(
        &self,
        request: Request<pb::CheckEligibilityRequest>,
    ) -> Answered<pb::CheckEligibilityResponse> {
        self.check_eligibility(request.into_inner()).await.map(Response::new)
    }

    async fn list_worker_day(
        &self,
        request: Request<pb::ListWorkerDayRequest>,
    ) -> Answered<pb::ListWorkerDayResponse> {
        self.list_worker_day(request.into_inner()).await.map(Response::new)
    }
}
