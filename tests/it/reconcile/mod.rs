//! Somebody's file against the ledger, over the wire: every kind of difference planted and found, files that are broken, uploads that are broken off.

use crate::cluster::Cluster;
use crate::ledger::{channel, config, sqlite};
use pb::intake_service_client::IntakeServiceClient;
use pb::reconcile_request::Part as Sent;
use pb::reconcile_response::Part;
use pb::registry_service_client::RegistryServiceClient;
use pb::statement_service_client::StatementServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Database;
use premium_ledger::types::{DifferenceType as Kind, Instant};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use tokio_stream::iter;
use tonic::Status;
use tonic::transport::Channel;

const WORKER: &str = "4d8590b9-b1d4-48c3-875e-efeb47f0b79b";
const OTHER_WORKER: &str = "00000000-0000-4000-8000-000000000001";

mod broken;
mod planted;

struct Served {
    app: App,
    channel: Channel,
    _held: Box<dyn std::any::Any>,
}

impl Served {
    async fn over(database: Database, held: impl std::any::Any) -> Self {
        let app = App::start(&config(database), Clock::system()).await.unwrap();
        let channel = channel(&app).await;
        Self { app, channel, _held: Box::new(held) }
    }

    async fn sqlite() -> Self {
        let (folder, database) = sqlite();
        Self::over(database, folder).await
    }

    async fn postgres() -> Self {
        let cluster = Cluster::shared();
        let url = cluster.database().await;
        Self::over(Database::Postgres(url), cluster).await
    }

    fn intake(&self) -> IntakeServiceClient<Channel> {
        IntakeServiceClient::new(self.channel.clone())
    }

    fn statements(&self) -> StatementServiceClient<Channel> {
        StatementServiceClient::new(self.channel.clone())
    }

    async fn book(&self, orders: Vec<pb::Order>) {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
        let results = self.intake().record_orders(request).await.unwrap().into_inner().results;
        assert!(results.iter().all(|result| result.outcome == pb::Outcome::Recorded as i32), "{results:?}");
    }

    /// Sends the file in small pieces.
    async fn reconcile(&self, start: pb::ReconcileStart, file: &[u8]) -> Result<Answer, Status> {
        let first = pb::ReconcileRequest { part: Some(Sent::Start(start)) };
        let pieces =
            file.chunks(1_000).map(|piece| pb::ReconcileRequest { part: Some(Sent::Data(piece.to_vec())) });
        let requests: Vec<_> = std::iter::once(first).chain(pieces).collect();
        let mut answers = self.statements().reconcile(iter(requests)).await?.into_inner();
        let mut answer = Answer::default();
        while let Some(response) = answers.message().await? {
            match response.part.unwrap() {
                Part::SendFrom(from) => answer.send_from = from,
                Part::Progress(_) => {}
                Part::Differences(some) => answer.differences.extend(some.differences),
                Part::Result(result) => answer.result = result,
            }
        }
        Ok(answer)
    }
}

#[derive(Debug, Default)]
struct Answer {
    send_from: u64,
    differences: Vec<pb::Difference>,
    result: pb::Reconciliation,
}

impl Answer {
    /// (type, row, order id, column) of each.
    fn told(&self) -> BTreeSet<(&'static str, u64, String, String)> {
        let one = |d: &pb::Difference| (name(d.r#type), d.row, d.order_id.clone(), d.column.clone());
        let told: BTreeSet<_> = self.differences.iter().map(one).collect();
        assert_eq!(told.len(), self.differences.len(), "each once");
        told
    }

    fn count(&self, kind: Kind) -> u64 {
        let of = |count: &&pb::DifferenceCount| count.r#type == i32::from(kind.code());
        self.result.counts.iter().find(of).map_or(0, |count| count.count)
    }
}

fn name(kind: i32) -> &'static str {
    Kind::from_code(u8::try_from(kind).unwrap()).unwrap().name()
}

fn start(request_id: &str, file: &[u8]) -> pb::ReconcileStart {
    pb::ReconcileStart {
        request_id: request_id.to_owned(),
        level: pb::ReconcileLevel::Line.into(),
        source: "tax".to_owned(),
        period: "2026-07".to_owned(),
        format: pb::FileFormat::Csv.into(),
        file_bytes: file.len() as u64,
        file_sha256: Sha256::digest(file).to_vec(),
        ..Default::default()
    }
}

fn time(text: &str) -> Option<prost_types::Timestamp> {
    let (seconds, nanos) = Instant::parse(text).unwrap().parts();
    Some(prost_types::Timestamp { seconds, nanos })
}

fn order(id: &str, day: &str, area: &str) -> pb::Order {
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
async fn put_rate(served: &Served) {
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
