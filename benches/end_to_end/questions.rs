//! Questions of cover: workers of the load drawn at random, one question at a time, alone and beside the stream; and beside them the same
//! pool's `select 1`. And statements of the largest platform's month.

use crate::Figures;
use crate::fixture::config;
use crate::load::Load;
use hdrhistogram::Histogram;
use pb::coverage_service_client::CoverageServiceClient;
use pb::statement_service_client::StatementServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::open_store;
use premium_ledger::clock::Clock;
use premium_ledger::command::client::connect;
use premium_ledger::config::Database;
use premium_ledger::store::{FOLD_ENTRIES, Store};
use premium_ledger::types;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tonic::transport::Channel;

/// Latencies in microseconds.
pub struct Asked {
    pub ping: Histogram<u64>,
    pub get_coverage: Histogram<u64>,
    pub check_eligibility: Histogram<u64>,
    /// Questions that found an interval.
    pub found: u64,
}

/// Latencies in microseconds of questions about the largest platform's month.
pub struct Summed {
    /// One statement while its lines are not folded yet.
    pub unfolded: u64,
    /// One statement.
    pub get_statement: Histogram<u64>,
    /// Those of all its provinces.
    pub list_statements: Histogram<u64>,
}

/// The platform with the most orders of the load.
const LARGEST: &str = "MEITUAN";
/// Its statements are asked for in turn.
const PROVINCES: [&str; 4] = ["11", "31", "32", "44"];

/// Who asks.
pub struct Questions {
    client: CoverageServiceClient<Channel>,
    statements: StatementServiceClient<Channel>,
    store: Option<Store>,
    load: Load,
    /// Events sent so far.
    sent: u64,
}

impl Questions {
    /// So many questions for statements of the month of the load, once all of it is folded.
    pub async fn sum(&mut self, questions: u64) -> Summed {
        let at = self.load.question(0, self.sent).1;
        let period = types::Instant::from_parts(at.seconds, at.nanos).unwrap().period().to_string();
        let statement = |n: u64| pb::GetStatementRequest {
            key: Some(pb::StatementKey {
                platform_code: LARGEST.to_owned(),
                province_code: PROVINCES[n as usize % PROVINCES.len()].to_owned(),
                industry_code: "instant_delivery".to_owned(),
                period: period.clone(),
            }),
            known_at: None,
        };
        let began = Instant::now();
        let answer = self.statements.get_statement(statement(0)).await.unwrap().into_inner();
        let unfolded = began.elapsed().as_micros() as u64;
        assert!(answer.statement.unwrap().current.is_some(), "there are lines");
        let store = self.store.as_ref().expect("an embedded database is folded by its one process");
        while store.folds_wait().await.unwrap() {
            // Whose turn it is, the service's or this one's.
            if !store.fold_totals(FOLD_ENTRIES).await.unwrap() {
                sleep(Duration::from_millis(100)).await;
            }
        }
        let none = || Histogram::new(3).unwrap();
        let mut summed = Summed { unfolded, get_statement: none(), list_statements: none() };
        for n in 0..questions {
            let began = Instant::now();
            self.statements.get_statement(statement(n)).await.unwrap();
            summed.get_statement.record(began.elapsed().as_micros() as u64).unwrap();
            let request = pb::ListStatementsRequest {
                period: period.clone(),
                platform_code: LARGEST.to_owned(),
                ..Default::default()
            };
            let began = Instant::now();
            self.statements.list_statements(request).await.unwrap();
            summed.list_statements.record(began.elapsed().as_micros() as u64).unwrap();
        }
        summed
    }

    /// `url`: of the database, for `select 1`; an embedded one has one process, and no such question.
    pub async fn new(server: &str, url: Option<String>, load: &Load, sent: u64) -> Self {
        let client = CoverageServiceClient::new(connect(server).await.unwrap());
        let statements = StatementServiceClient::new(connect(server).await.unwrap());
        let store = match url {
            Some(url) => {
                let config = config(Database::Postgres(url));
                Some(open_store(&config, Clock::system()).await.unwrap())
            }
            None => None,
        };
        Self { client, statements, store, load: load.clone(), sent }
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

/// A distribution's figures.
pub fn quantiles(figures: &mut Figures, place: &str, name: &str, latency: &Histogram<u64>) {
    for (quantile, value) in [("p50", 0.5), ("p99", 0.99)] {
        let milliseconds = latency.value_at_quantile(value) as f64 / 1_000.0;
        figures.add(place, &format!("{name}, {quantile} ms"), milliseconds);
    }
}

/// What was asked, as figures.
pub fn asked(figures: &mut Figures, place: &str, when: &str, asked: &Asked) {
    figures.add(place, &format!("{when}: questions of each kind"), asked.get_coverage.len() as f64);
    figures.add(place, &format!("{when}: of these found an interval"), asked.found as f64);
    let kinds = [
        ("select 1", &asked.ping),
        ("GetCoverage", &asked.get_coverage),
        ("CheckEligibility", &asked.check_eligibility),
    ];
    for (name, latency) in kinds.into_iter().filter(|(_, latency)| !latency.is_empty()) {
        quantiles(figures, place, &format!("{when}: {name}"), latency);
    }
}
