//! The primary is killed under load and its synchronous standby takes over: nothing that was acknowledged is lost.

use crate::cluster::Cluster;
use crate::program::Served;
use crate::proxy::Proxy;
use premium_ledger::api::proto as pb;
use premium_ledger::command::client::{Answered, stream};
use premium_ledger::types::LineId;
use sqlx::{Connection, PgConnection, Row};
use std::collections::HashMap;
use tokio::sync::mpsc;

/// Orders in all; the primary is killed after a third of the answers.
const ORDERS: usize = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_and_holds_all_that_was_acknowledged() {
    let primary = Cluster::start(&[]);
    let url = primary.database().await;
    let name = url.rsplit('/').next().unwrap().to_owned();
    let standby = Cluster::copy_of(&primary, &[]);
    primary.execute("postgres", "alter system set synchronous_standby_names = '*'").await;
    primary.execute("postgres", "select pg_reload_conf()").await;
    let proxy = Proxy::start(primary.port()).await;
    let served = Served::start(format!("postgres://postgres@127.0.0.1:{}/{name}", proxy.port));

    let (batches, to_send) = mpsc::channel(2);
    let (answers, mut answered) = mpsc::channel::<Answered>(64);
    let server = served.url();
    let sender = tokio::spawn(async move { stream(&server, to_send, answers).await });
    let feeder = tokio::spawn(async move {
        let orders: Vec<pb::Order> =
            (0..ORDERS).map(|n| crate::served::order(&format!("o{n}"), "2026-07-15", "310101")).collect();
        for batch in orders.chunks(10) {
            batches.send(batch.to_vec()).await.unwrap();
        }
    });
    let mut acknowledged: HashMap<String, String> = HashMap::new();
    let mut promoted = false;
    while let Some(answer) = answered.recv().await {
        for (order, result) in answer.orders.iter().zip(&answer.results) {
            acknowledged.insert(order.order_id.clone(), result.line_id.clone());
        }
        if !promoted && acknowledged.len() > ORDERS / 3 {
            primary.kill();
            standby.execute("postgres", "select pg_promote()").await;
            proxy.leads_to(standby.port());
            promoted = true;
        }
    }
    sender.await.unwrap().unwrap();
    feeder.await.unwrap();
    assert!(promoted);
    let mut connection = PgConnection::connect(&standby.url("postgres", &name)).await.unwrap();
    let sql = "select order_id, journal_id, line_no::bigint from ledger.line";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    assert_eq!((rows.len(), acknowledged.len()), (ORDERS, ORDERS));
    for row in rows {
        let position = LineId::parse(&acknowledged[row.get::<&str, _>(0)]).unwrap().position;
        let told = (position.journal.get() as i64, i64::from(position.line_no.get()));
        assert_eq!((row.get::<i64, _>(1), row.get::<i64, _>(2)), told);
    }
}
