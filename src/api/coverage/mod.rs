//! CoverageService: each call in a file of its own.

mod check_eligibility;
mod get_coverage;
mod interval;
mod list_worker_day;

use super::known_at::known_at;
use super::proto as pb;
use super::proto::coverage_service_server::CoverageService;
use super::status;
use crate::clock::Clock;
use crate::coverage::{Coverage, Known, PlatformWatermark};
use crate::intake::Registry;
use crate::store::Store;
use crate::types::{Instant, LedgerId, SealNo};
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

impl CoverageApi {
    /// The ledger as it is now, or was at the point that is asked for.
    async fn known(&self, asked: Option<pb::KnownAt>) -> Result<Known, Status> {
        let seal = known_at(&self.store, asked).await?;
        let snapshot = match seal {
            None => self.registry.snapshot(),
            Some(seal) => self.registry.as_of(seal).await.map_err(status::store_status)?,
        };
        Ok(Known { seal, snapshot })
    }
}

fn coverage(
    coverage: &Coverage,
    known: &Known,
    at: Instant,
    reported_at: Option<Instant>,
    ledger: LedgerId,
) -> pb::Coverage {
    let intervals = coverage.intervals.iter();
    pb::Coverage {
        reason_code: coverage.reason.code().into(),
        intervals: intervals.map(|i| interval::encode(i, at, reported_at, ledger)).collect(),
        gap_before: coverage.gap_before,
        gap_after: coverage.gap_after,
        watermarks: coverage.watermarks.iter().map(watermark).collect(),
        known_at_seal: seal(known),
    }
}

fn seal(known: &Known) -> u64 {
    known.seal.map_or(0, SealNo::get)
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
