//! A ledger is put back from a copy: it tells how far it reaches, what is sent again heals it, and what was frozen before the copy is the same.

use crate::cluster::Cluster;
use crate::ledger::{channel, config};
use crate::served::time;
use pb::audit_service_client::AuditServiceClient;
use pb::intake_service_client::IntakeServiceClient;
use pb::statement_service_client::StatementServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::command::simulate::day::Simulated;
use premium_ledger::config::Database;
use premium_ledger::store::sqlite::Place;
use premium_ledger::types::Day;
use prost::Message;
use sqlx::{Connection, Executor};
use std::time::Duration;

/// Of August before the copy; the others come after it, and are lost.
const BEFORE: usize = 700;

/// A day of all platforms, with repeats, conflicts and bad events.
fn events(day: &str, seed: u64) -> Vec<pb::Order> {
    Simulated::new(seed, Day::parse(day).unwrap(), 1_000, 150).map(|event| event.order).collect()
}

fn august() -> Vec<pb::Order> {
    events("2026-08-15", 2)
}

async fn send(app: &App, orders: Vec<pb::Order>) -> Vec<(pb::Outcome, String)> {
    let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
    let response = IntakeServiceClient::new(channel(app).await).record_orders(request).await.unwrap();
    response.into_inner().results.into_iter().map(|result| (result.outcome(), result.line_id)).collect()
}

async fn statements(app: &App, period: &str) -> Vec<pb::Statement> {
    let request = pb::ListStatementsRequest { period: period.to_owned(), page_size: 1_000, ..Default::default() };
    let response = StatementServiceClient::new(channel(app).await).list_statements(request).await.unwrap();
    response.into_inner().statements
}

fn frozen(statements: &[pb::Statement]) -> Vec<Vec<u8>> {
    let frozen = statements.iter().filter(|statement| statement.state() == pb::StatementState::Frozen);
    frozen.map(Message::encode_to_vec).collect()
}

/// Every count and amount: all but as of which seal they were asked for.
fn sums(statements: &[pb::Statement]) -> Vec<pb::Statement> {
    let sums = |statement: &pb::Statement| pb::Statement { seal: 0, digest: Vec::new(), ..statement.clone() };
    statements.iter().map(sums).collect()
}

async fn extent(app: &App) -> pb::GetExtentResponse {
    AuditServiceClient::new(channel(app).await).get_extent(pb::GetExtentRequest {}).await.unwrap().into_inner()
}

/// What stands before the copy is made: some months frozen, an open one, a watermark. What was told of the open month's events.
async fn before(app: &App) -> Vec<(pb::Outcome, String)> {
    send(app, events("2026-07-15", 1)).await;
    for province in ["31", "44", "11"] {
        let freeze = pb::FreezePeriodRequest {
            request_id: format!("freeze-{province}"),
            platform_code: "MEITUAN".to_owned(),
            province_code: province.to_owned(),
            period: "2026-07".to_owned(),
        };
        StatementServiceClient::new(channel(app).await).freeze_period(freeze).await.unwrap();
    }
    let told = send(app, august()[..BEFORE].to_vec()).await;
    let report = pb::ReportWatermarkRequest {
        request_id: "mark".to_owned(),
        platform_code: "MEITUAN".to_owned(),
        watermark: time("2026-08-15T13:00:00+08:00"),
        hourly: Vec::new(),
    };
    IntakeServiceClient::new(channel(app).await).report_watermark(report).await.unwrap();
    told
}

/// What comes after the copy; July's and August's statements as they stand when all is lost.
async fn after(app: App) -> [Vec<pb::Statement>; 2] {
    send(&app, august()[BEFORE..].to_vec()).await;
    let lost = [statements(&app, "2026-07").await, statements(&app, "2026-08").await];
    app.stop().await.unwrap();
    lost
}

async fn heals(
    copy: &App,
    told: Vec<(pb::Outcome, String)>,
    lost: [Vec<pb::Statement>; 2],
    reached: pb::GetExtentResponse,
) {
    assert_eq!(extent(copy).await, reached, "it reaches up to where it was copied");
    assert_eq!(reached.platforms[0].watermark, time("2026-08-15T13:00:00+08:00"));
    assert_ne!(sums(&statements(copy, "2026-08").await), sums(&lost[1]), "something was lost");
    // All of August again: what is there is told with its own line.
    let again = send(copy, august()).await;
    for (again, told) in again.iter().zip(&told) {
        let expected = if told.0 == pb::Outcome::Recorded { pb::Outcome::Replayed } else { told.0 };
        assert_eq!((again.0, &again.1), (expected, &told.1));
    }
    assert!(again[BEFORE..].iter().filter(|(outcome, _)| *outcome == pb::Outcome::Recorded).count() > 200);
    let healed = [statements(copy, "2026-07").await, statements(copy, "2026-08").await];
    assert!(frozen(&lost[0]).len() >= 3);
    assert_eq!(frozen(&healed[0]), frozen(&lost[0]), "frozen before: byte for byte");
    for (healed, lost) in healed.iter().zip(&lost) {
        assert!(lost.len() > 30);
        assert_eq!(sums(healed), sums(lost), "all others: in every count and amount");
    }
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
    let lost = after(app).await;

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
    let lost = after(app).await;

    let name = url.rsplit('/').next().unwrap();
    let copy = Database::Postgres(backup.url("postgres", name));
    let copy = App::start(&config(copy), Clock::system()).await.unwrap();
    heals(&copy, told, lost, reached).await;
    copy.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_backup_and_the_log_heal_up_to_a_point_in_time() {
    // As deploy/BACKUP.md says: a base backup from before everything, and the log since.
    let archive = tempfile::Builder::new().prefix("premium-ledger-wal-").tempdir().unwrap();
    std::fs::set_permissions(archive.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let place = archive.path().display();
    let keep = format!("archive_command=test ! -f {place}/%f && cp %p {place}/%f");
    let primary = Cluster::start(&["archive_mode=on", &keep]);
    let url = primary.database().await;
    let restored = Cluster::backup_of(&primary);
    let app = App::start(&config(Database::Postgres(url.clone())), Clock::system()).await.unwrap();
    let told = before(&app).await;
    let reached = extent(&app).await;
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let point: String =
        sqlx::query_scalar("select clock_timestamp()::text").fetch_one(&mut connection).await.unwrap();
    let lost = after(app).await;
    let sql = "select pg_walfile_name(pg_switch_wal())";
    let last: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    until(&url, &format!("coalesce(max(last_archived_wal), '') >= '{last}' from pg_stat_archiver")).await;
    drop(primary);

    let bring = format!("restore_command=cp {place}/%f %p");
    let target = format!("recovery_target_time={point}");
    restored.recover(&[&bring, &target, "recovery_target_action=promote"]);
    let name = url.rsplit('/').next().unwrap();
    let restored_url = restored.url("postgres", name);
    until(&restored_url, "not pg_is_in_recovery()").await;
    let copy = App::start(&config(Database::Postgres(restored_url)), Clock::system()).await.unwrap();
    heals(&copy, told, lost, reached).await;
    copy.stop().await.unwrap();
}

/// Waits until a condition is true. The connection is a new one each time: a server that recovers takes some only for reading.
async fn until(url: &str, condition: &str) {
    for _ in 0..600 {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        let sql = format!("select {condition}");
        if sqlx::query_scalar::<_, bool>(&sql).fetch_one(&mut connection).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not yet: {condition}");
}
