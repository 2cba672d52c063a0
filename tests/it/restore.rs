//! A ledger is put back from a copy: it tells how far it reaches, what is sent again heals it, and what was frozen before the copy is the same.

use crate::cluster::Cluster;
use crate::ledger::{channel, config};
use crate::served::{order, time};
use pb::audit_service_client::AuditServiceClient;
use pb::intake_service_client::IntakeServiceClient;
use pb::statement_service_client::StatementServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Database;
use premium_ledger::store::sqlite::Place;
use prost::Message;
use sqlx::{Connection, Executor};

fn orders(numbers: std::ops::Range<u32>, day: &str) -> Vec<pb::Order> {
    numbers.map(|n| order(&format!("o{n}"), day, "310101")).collect()
}

async fn send(app: &App, orders: Vec<pb::Order>) -> Vec<(pb::Outcome, String)> {
    let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
    let response = IntakeServiceClient::new(channel(app).await).record_orders(request).await.unwrap();
    response.into_inner().results.into_iter().map(|result| (result.outcome(), result.line_id)).collect()
}

async fn statement(app: &App, period: &str) -> pb::Statement {
    let key = pb::StatementKey {
        platform_code: "MEITUAN".to_owned(),
        province_code: "31".to_owned(),
        industry_code: "instant_delivery".to_owned(),
        period: period.to_owned(),
    };
    let request = pb::GetStatementRequest { key: Some(key), known_at: None };
    let response = StatementServiceClient::new(channel(app).await).get_statement(request).await.unwrap();
    response.into_inner().statement.unwrap()
}

async fn extent(app: &App) -> pb::GetExtentResponse {
    AuditServiceClient::new(channel(app).await).get_extent(pb::GetExtentRequest {}).await.unwrap().into_inner()
}

/// What stands before the copy is made: a frozen month, an open one, a watermark.
async fn before(app: &App) -> Vec<(pb::Outcome, String)> {
    send(app, orders(0..5, "2026-07-15")).await;
    let freeze = pb::FreezePeriodRequest {
        request_id: "freeze".to_owned(),
        platform_code: "MEITUAN".to_owned(),
        province_code: "31".to_owned(),
        period: "2026-07".to_owned(),
    };
    StatementServiceClient::new(channel(app).await).freeze_period(freeze).await.unwrap();
    let told = send(app, orders(10..20, "2026-08-15")).await;
    let report = pb::ReportWatermarkRequest {
        request_id: "mark".to_owned(),
        platform_code: "MEITUAN".to_owned(),
        watermark: time("2026-08-15T13:00:00+08:00"),
        hourly: Vec::new(),
    };
    IntakeServiceClient::new(channel(app).await).report_watermark(report).await.unwrap();
    told
}

/// `lost`: as it stood when it was lost, ten orders after the copy.
async fn heals(
    copy: &App,
    told: Vec<(pb::Outcome, String)>,
    lost: (pb::Statement, pb::Statement),
    reached: pb::GetExtentResponse,
) {
    assert_eq!(extent(copy).await, reached, "it reaches up to where it was copied");
    assert_eq!(reached.platforms[0].watermark, time("2026-08-15T13:00:00+08:00"));
    // All of August again: what is there is told with its own line.
    let again = send(copy, orders(10..30, "2026-08-15")).await;
    for (again, told) in again.iter().zip(&told) {
        assert_eq!((again.0, &again.1), (pb::Outcome::Replayed, &told.1));
    }
    assert!(again[10..].iter().all(|(outcome, _)| *outcome == pb::Outcome::Recorded));
    let (frozen, open) = lost;
    assert_eq!(statement(copy, "2026-07").await.encode_to_vec(), frozen.encode_to_vec(), "frozen: byte for byte");
    let healed = statement(copy, "2026-08").await;
    assert_eq!((&healed.exact, &healed.current), (&open.exact, &open.current), "open: in every count and amount");
    assert!(extent(copy).await.seal > reached.seal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_file_heals() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let serve = async |name: &str| {
        let database = Database::Sqlite(Place::durable(at(name)));
        App::start(&config(database), Clock::system()).await.unwrap()
    };
    let app = serve("ledger.sqlite").await;
    let told = before(&app).await;
    let reached = extent(&app).await;
    // An online copy, as deploy/BACKUP.md says.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(at("ledger.sqlite"));
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(format!("vacuum into '{}'", at("copy.sqlite").display()).as_str()).await.unwrap();
    connection.close().await.unwrap();
    send(&app, orders(20..30, "2026-08-15")).await;
    let lost = (statement(&app, "2026-07").await, statement(&app, "2026-08").await);
    app.stop().await.unwrap();

    let copy = serve("copy.sqlite").await;
    heals(&copy, told, lost, reached).await;
    copy.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_backup_heals() {
    let primary = Cluster::start(&[]);
    let url = primary.database().await;
    let app = App::start(&config(Database::Postgres(url.clone())), Clock::system()).await.unwrap();
    let told = before(&app).await;
    let reached = extent(&app).await;
    let backup = Cluster::copy_of(&primary, &[]);
    backup.execute("postgres", "select pg_promote()").await;
    send(&app, orders(20..30, "2026-08-15")).await;
    let lost = (statement(&app, "2026-07").await, statement(&app, "2026-08").await);
    app.stop().await.unwrap();

    let name = url.rsplit('/').next().unwrap();
    let copy = Database::Postgres(backup.url("postgres", name));
    let copy = App::start(&config(copy), Clock::system()).await.unwrap();
    heals(&copy, told, lost, reached).await;
    copy.stop().await.unwrap();
}
