//! A served ledger with clients, and the orders that tests of files book.

use crate::cluster::Cluster;
use crate::ledger::{channel, config, sqlite};
use pb::intake_service_client::IntakeServiceClient;
use pb::registry_service_client::RegistryServiceClient;
use pb::statement_service_client::StatementServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Database;
use premium_ledger::types::Instant;
use tonic::transport::Channel;

/// The worker of all orders.
pub const WORKER: &str = "4d8590b9-b1d4-48c3-875e-efeb47f0b79b";

/// A service on loopback.
pub struct Served {
    pub app: App,
    pub channel: Channel,
    _held: Box<dyn std::any::Any>,
}

impl Served {
    async fn over(database: Database, held: impl std::any::Any) -> Self {
        let app = App::start(&config(database), Clock::system()).await.unwrap();
        let channel = channel(&app).await;
        Self { app, channel, _held: Box::new(held) }
    }

    pub async fn sqlite() -> Self {
        let (folder, database) = sqlite();
        Self::over(database, folder).await
    }

    pub async fn postgres() -> Self {
        let cluster = Cluster::shared();
        let url = cluster.database().await;
        Self::over(Database::Postgres(url), cluster).await
    }

    pub fn intake(&self) -> IntakeServiceClient<Channel> {
        IntakeServiceClient::new(self.channel.clone())
    }

    pub fn statements(&self) -> StatementServiceClient<Channel> {
        StatementServiceClient::new(self.channel.clone())
    }

    pub async fn book(&self, orders: Vec<pb::Order>) {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
        let results = self.intake().record_orders(request).await.unwrap().into_inner().results;
        assert!(results.iter().all(|result| result.outcome == pb::Outcome::Recorded as i32), "{results:?}");
    }
}

/// An instant on the wire.
pub fn time(text: &str) -> Option<prost_types::Timestamp> {
    let (seconds, nanos) = Instant::parse(text).unwrap().parts();
    Some(prost_types::Timestamp { seconds, nanos })
}

/// Completed within half an hour from noon.
pub fn order(id: &str, day: &str, area: &str) -> pb::Order {
    pb::Order {
        platform_code: "MEITUAN".to_owned(),
        order_id: id.to_owned(),
        worker_id: WORKER.to_owned(),
        industry_code: "instant_delivery".to_owned(),
        accept_area: area.to_owned(),
        accepted_at: time(&format!("{day}T12:00:00+08:00")),
        ended_at: time(&format!("{day}T12:30:00+08:00")),
        end_kind: pb::EndKind::Completed.into(),
        ..Default::default()
    }
}

/// A rate with four decimals for province 44, so that there is something to round.
pub async fn put_rate(served: &Served) {
    let header = pb::RowHeader {
        valid_from: "2026-07-01".to_owned(),
        document: "测试1号".to_owned(),
        ..Default::default()
    };
    let rate = pb::Rate {
        header: Some(header),
        platform_code: "MEITUAN".to_owned(),
        province_code: "44".to_owned(),
        industry_code: "instant_delivery".to_owned(),
        base: "0.07".to_owned(),
        factor: "1.2".to_owned(),
    };
    let request = pb::PutRateRequest { request_id: "rate".to_owned(), rate: Some(rate) };
    RegistryServiceClient::new(served.channel.clone()).put_rate(request).await.unwrap();
}
