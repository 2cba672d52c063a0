//! At the moment of each answer its commit was flushed: counted, not believed.

use crate::cluster::Cluster;
use crate::fixture::open;
use crate::ledger::{channel, config};
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Database;
use sqlx::Connection;

const ORDERS: usize = 200;

/// One writer, one order after the other: each commit record lies behind what had been inserted before the order was sent, so the flushed
/// WAL must have passed that point when the answer comes, and there are as many flushes as orders.
#[tokio::test]
async fn every_answer_from_postgres_lies_behind_a_flush() {
    let cluster = Cluster::start(&["autovacuum=off", "bgwriter_lru_maxpages=0", "checkpoint_timeout=1h"]);
    let url = cluster.database().await;
    let app = App::start(&config(Database::Postgres(url.clone())), Clock::system()).await.unwrap();
    let mut client = IntakeServiceClient::new(channel(&app).await);
    let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
    let inserted = "select pg_current_wal_insert_lsn()::text";
    let passed = "select pg_current_wal_flush_lsn() > $1::pg_lsn";
    let syncs = "select wal_sync from pg_stat_wal";
    let before: i64 = sqlx::query_scalar(syncs).fetch_one(&mut database).await.unwrap();
    for n in 0..ORDERS {
        let sent: String = sqlx::query_scalar(inserted).fetch_one(&mut database).await.unwrap();
        let response =
            client.record_order(pb::RecordOrderRequest { order: Some(open(n)) }).await.unwrap().into_inner();
        assert_eq!(response.result.unwrap().outcome, pb::Outcome::Recorded as i32);
        let flushed: bool = sqlx::query_scalar(passed).bind(&sent).fetch_one(&mut database).await.unwrap();
        assert!(flushed, "order {n} was answered before its commit was flushed");
    }
    drop(client);
    app.stop().await.unwrap();
    // Backends report what they did when they go.
    let mut synced = 0;
    for _ in 0..50 {
        let now: i64 = sqlx::query_scalar(syncs).fetch_one(&mut database).await.unwrap();
        synced = now - before;
        if synced >= ORDERS as i64 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(synced >= ORDERS as i64, "{ORDERS} orders, one after the other, {synced} flushes");
}
