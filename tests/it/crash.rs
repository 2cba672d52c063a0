//! kill -9 of the service and of every Postgres process in the middle of a stream: after restart and resend every acknowledged line is
//! there, once.

use crate::cluster::Cluster;
use crate::program::Served;
use premium_ledger::api::proto as pb;
use premium_ledger::command::client::{Answered, stream};
use premium_ledger::command::simulate::day::Simulated;
use premium_ledger::types::{Day, LineId, Outcome};
use sqlx::Row;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;

/// What a run sends.
#[derive(Clone, Copy)]
struct Sent {
    events: u64,
    batch: usize,
}

/// Batches small enough that a kill finds many of them under way.
const BATCHES: Sent = Sent { events: 40_000, batch: 100 };
/// One by one: journals of few lines, which Postgres takes in one statement.
const SINGLES: Sent = Sent { events: 6_000, batch: 1 };
/// Kills in a run.
const KILLS: u32 = 10;

type LineKey = (String, String, u32, bool);

/// What the client was told: the line of each key and sort.
#[derive(Default)]
struct Acknowledged {
    lines: HashMap<LineKey, String>,
    answers: u64,
}

impl Acknowledged {
    fn add(&mut self, answered: &Answered) {
        for (order, result) in answered.orders.iter().zip(&answered.results) {
            self.answers += 1;
            let outcome = u8::try_from(result.outcome).ok().and_then(Outcome::from_code).unwrap();
            if outcome == Outcome::Refused {
                continue;
            }
            let assignment = order.assignment_no.max(1);
            let ended = order.ended_at.is_some();
            let key = (order.platform_code.clone(), order.order_id.clone(), assignment, ended);
            let before = self.lines.insert(key, result.line_id.clone());
            assert!(before.is_none_or(|line| line == result.line_id), "a key was told two lines");
        }
    }
}

/// Streams a day while `kill` does its work every now and then; what was acknowledged.
async fn stream_through(server: String, sent: Sent, mut kill: impl FnMut(u32) + Send + 'static) -> Acknowledged {
    let (batches, to_send) = mpsc::channel(2);
    let (answers, mut answered) = mpsc::channel(64);
    let day = Simulated::new(11, Day::parse("2026-07-15").unwrap(), sent.events, 2_000);
    let orders: Vec<pb::Order> = day.map(|event| event.order).collect();
    let sender = tokio::spawn(async move { stream(&server, to_send, answers).await });
    let feeder = tokio::spawn(async move {
        for batch in orders.chunks(sent.batch) {
            batches.send(batch.to_vec()).await.unwrap();
        }
    });
    let mut acknowledged = Acknowledged::default();
    let mut kills = 0;
    while let Some(answer) = answered.recv().await {
        acknowledged.add(&answer);
        if kills < KILLS && acknowledged.answers > u64::from(kills + 1) * sent.events / u64::from(KILLS + 1) {
            kill(kills);
            kills += 1;
        }
    }
    sender.await.unwrap().unwrap();
    feeder.await.unwrap();
    assert_eq!(kills, KILLS);
    assert_eq!(acknowledged.answers, sent.events, "every event was answered");
    acknowledged
}

/// The rows (platform, order, assignment, slot, journal, line) against what the client was told.
fn check(acknowledged: &Acknowledged, rows: Vec<(String, String, i64, i64, i64, i64)>) {
    let mut stored: HashMap<LineKey, (i64, i64)> = HashMap::new();
    for (platform, order_id, assignment, slot, journal, line_no) in rows {
        let key = (platform, order_id, assignment as u32, slot == 1);
        assert!(stored.insert(key, (journal, line_no)).is_none(), "a slot is there twice");
    }
    assert_eq!(
        stored.len(),
        acknowledged.lines.len(),
        "as many lines as were acknowledged: none lost, none made up"
    );
    for (key, line_id) in &acknowledged.lines {
        let position = LineId::parse(line_id).unwrap().position;
        let told = (position.journal.get() as i64, i64::from(position.line_no.get()));
        assert_eq!(stored.get(key), Some(&told), "{key:?}");
    }
}

const LINES: &str = "select platform_code, order_id, cast(assignment_no as bigint) as assignment_no, \
    cast(slot as bigint) as slot, journal_id, cast(line_no as bigint) as line_no from ";

fn row<R: Row>(row: &R) -> (String, String, i64, i64, i64, i64)
where
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    usize: sqlx::ColumnIndex<R>,
{
    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5))
}

async fn postgres_lines(url: &str) -> Vec<(String, String, i64, i64, i64, i64)> {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let rows = sqlx::query(&format!("{LINES} ledger.line")).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_on_sqlite_is_killed_ten_times() {
    use sqlx::Connection;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut served = Served::start(format!("sqlite:{}", path.display()));
    let acknowledged = stream_through(served.url(), BATCHES, move |_| {
        served.kill();
        served.restart();
    })
    .await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let rows = sqlx::query(&format!("{LINES} line")).fetch_all(&mut connection).await.unwrap();
    check(&acknowledged, rows.iter().map(row).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_on_postgres_is_killed_ten_times() {
    kill_service_on_postgres(BATCHES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_on_postgres_is_killed_ten_times_among_single_orders() {
    kill_service_on_postgres(SINGLES).await;
}

async fn kill_service_on_postgres(sent: Sent) {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    let mut served = Served::start(url.clone());
    let acknowledged = stream_through(served.url(), sent, move |_| {
        served.kill();
        served.restart();
    })
    .await;
    check(&acknowledged, postgres_lines(&url).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_postgres_process_is_killed_ten_times() {
    kill_postgres(BATCHES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_postgres_process_is_killed_ten_times_among_single_orders() {
    kill_postgres(SINGLES).await;
}

async fn kill_postgres(sent: Sent) {
    let cluster = std::sync::Arc::new(Cluster::start(&[]));
    let url = cluster.database().await;
    let served = Served::start(url.clone());
    let killed = cluster.clone();
    let acknowledged = stream_through(served.url(), sent, move |_| {
        killed.kill();
        std::thread::sleep(Duration::from_millis(300));
        killed.run(&[]);
    })
    .await;
    check(&acknowledged, postgres_lines(&url).await);
}
