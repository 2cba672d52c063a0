//! Questions of cover: workers of the load drawn at random, one question at a time, alone and beside the stream; and beside them the same
//! pool's `select 1`.

use crate::fixture::config;
use crate::load::Load;
use hdrhistogram::Histogram;
use pb::coverage_service_client::CoverageServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::open_store;
use premium_ledger::clock::Clock;
use premium_ledger::command::client::connect;
use premium_ledger::config::Database;
use premium_ledger::store::Store;
use std::time::Instant;
use tonic::transport::Channel;

/// Latencies in microseconds.
pub struct Asked {
    pub ping: Histogram<u64>,
    pub get_coverage: Histogram<u64>,
    pub check_eligibility: Histogram<u64>,
    /// Questions that found an interval.
    pub found: u64,
}

/// Who asks.
pub struct Questions {
    client: CoverageServiceClient<Channel>,
    store: Option<Store>,
    load: Load,
    /// Events sent so far.
    sent: u64,
}

impl Questions {
    /// `url`: of the database, for `select 1`; an embedded one has one process, and no such question.
    pub async fn new(server: &str, url: Option<String>, load: &Load, sent: u64) -> Self {
        let client = CoverageServiceClient::new(connect(server).await.unwrap());
        let store = match url {
            Some(url) => {
                let config = config(Database::Postgres(url));
                Some(open_store(&config, Clock::system()).await.unwrap())
            }
            None => None,
        };
        Self { client, store, load: load.clone(), sent }
    }

    /// So many of each kind; fewer when told to stop.
    pub async fn ask(&mut self, questions: u64, stop: impl Fn() -> bool) -> Asked {
        let none = || Histogram::new(3).unwrap();
        let mut asked = Asked { ping: none(), get_coverage: none(), check_eligibility: none(), found: 0 };
        for n in 0..questions {
            if stop() {
                break;
            }
            if let Some(store) = &self.store {
                let at = Instant::now();
                store.ping().await.unwrap();
                asked.ping.record(at.elapsed().as_micros() as u64).unwrap();
            }
            let (worker_id, at) = self.load.question(n, self.sent);
            let request = pb::GetCoverageRequest {
                worker_id: worker_id.clone(),
                at: Some(at),
                purpose: pb::Purpose::PlatformService.into(),
                ..Default::default()
            };
            let began = Instant::now();
            let answer = self.client.get_coverage(request).await.unwrap().into_inner();
            asked.get_coverage.record(began.elapsed().as_micros() as u64).unwrap();
            asked.found += u64::from(!answer.coverage.unwrap().intervals.is_empty());
            let request = pb::CheckEligibilityRequest {
                worker_id,
                injured_at: Some(at),
                purpose: pb::Purpose::PlatformService.into(),
                ..Default::default()
            };
            let began = Instant::now();
            self.client.check_eligibility(request).await.unwrap();
            asked.check_eligibility.record(began.elapsed().as_micros() as u64).unwrap();
        }
        asked
    }
}
