//! What a client meets on the wire: limits, refusals of whole calls, streams, the way down.

use crate::cluster::Cluster;
use crate::fixture::{key, open};
use crate::ledger::{channel, config, sqlite};
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Database;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;

fn batch(from: usize, orders: usize) -> pb::RecordOrdersRequest {
    pb::RecordOrdersRequest { batch_id: format!("b{from}"), orders: (from..from + orders).map(open).collect() }
}

async fn served() -> (App, tempfile::TempDir, IntakeServiceClient<Channel>) {
    let (folder, database) = sqlite();
    let app = App::start(&config(database), Clock::system()).await.unwrap();
    let client = IntakeServiceClient::new(channel(&app).await);
    (app, folder, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_limits() {
    let (app, _folder, mut client) = served().await;
    for (request, field) in [
        (batch(0, 10_001), "orders"),
        (batch(0, 0), "orders"),
        (pb::RecordOrdersRequest { batch_id: "x".repeat(65), ..batch(0, 1) }, "batch_id"),
    ] {
        let status = client.record_orders(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let fields = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    let mut large = batch(0, 100);
    large.orders[0].order_id = "x".repeat(5 * 1024 * 1024);
    assert_eq!(client.record_orders(large).await.unwrap_err().code(), Code::OutOfRange);
    let status = client.record_order(pb::RecordOrderRequest { order: None }).await.unwrap_err();
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "order");
    let full = client.record_orders(batch(0, 10_000)).await.unwrap().into_inner();
    assert_eq!((full.results.len(), full.batch_id.as_str()), (10_000, "b0"));
    drop(client);
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_unary_calls_with_retry_info_and_books_nothing_of_them() {
    let (app, _folder, client) = served().await;
    let mut calls = JoinSet::new();
    for n in 0..12 {
        let mut client = client.clone();
        calls.spawn(async move { (n, client.record_orders(batch(n * 10_000, 10_000)).await) });
    }
    let mut refused = Vec::new();
    while let Some(done) = calls.join_next().await {
        match done.unwrap() {
            (_, Ok(response)) => assert_eq!(response.into_inner().results.len(), 10_000),
            (n, Err(status)) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
                refused.push(n);
            }
        }
    }
    assert!(!refused.is_empty(), "120,000 orders do not fit into a lane at once");
    let mut client = client;
    for n in refused {
        let results = client.record_orders(batch(n * 10_000, 10_000)).await.unwrap().into_inner().results;
        assert!(
            results.iter().all(|r| r.outcome == pb::Outcome::Recorded as i32),
            "nothing of it had been booked"
        );
    }
    drop(client);
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_was_accepted_and_tells_streams() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    let app = App::start(&config(Database::Postgres(url.clone())), Clock::system()).await.unwrap();
    let mut client = IntakeServiceClient::new(channel(&app).await);
    let (requests, outgoing) = mpsc::channel(1);
    let feeder = tokio::spawn(async move {
        for n in 0.. {
            if requests.send(batch(n * 100, 100)).await.is_err() {
                return;
            }
        }
    });
    let mut responses = client.stream_orders(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
    let mut answered = 0;
    for _ in 0..5 {
        answered += responses.message().await.unwrap().unwrap().results.len();
    }
    let stopping = tokio::spawn(app.stop());
    let ended = loop {
        match responses.message().await {
            Ok(Some(response)) => answered += response.results.len(),
            Ok(None) => panic!("the stream ends with a status, for the sender has more"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
    drop((client, responses));
    stopping.await.unwrap().unwrap();
    feeder.abort();

    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let lines: i64 =
        sqlx::query_scalar("select count(*) from ledger.line").fetch_one(&mut connection).await.unwrap();
    assert_eq!(lines as usize, answered, "what was booked was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_ends_a_stream_after_the_answers_before_it() {
    let (app, _folder, mut client) = served().await;
    let requests = tokio_stream::iter(vec![batch(0, 10), batch(10, 10), batch(20, 0), batch(30, 10)]);
    let mut responses = client.stream_orders(requests).await.unwrap().into_inner();
    for expected in ["b0", "b10"] {
        assert_eq!(responses.message().await.unwrap().unwrap().batch_id, expected);
    }
    assert_eq!(responses.message().await.unwrap_err().code(), Code::InvalidArgument);
    let told = client.get_order(pb::GetOrderRequest { key: key(30) }).await.unwrap_err();
    assert_eq!(told.code(), Code::NotFound, "nothing after it was booked");
    drop(client);
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_kept_once_counted_and_bounded() {
    let (app, _folder, mut client) = served().await;
    let bad = |n: usize| pb::Order { worker_id: format!("w{n}"), ..open(n) };
    let request = |from: usize| pb::RecordOrdersRequest {
        batch_id: String::new(),
        orders: (from..from + 6_000).map(bad).collect(),
    };
    for from in [0, 6_000, 6_000] {
        let response = client.record_orders(request(from)).await.unwrap().into_inner();
        assert!(response.results.iter().all(|r| r.outcome == pb::Outcome::Refused as i32));
    }
    let mut listed = Vec::new();
    let mut token = String::new();
    let list = loop {
        let request = pb::ListRefusalsRequest {
            platform_code: "MEITUAN".to_owned(),
            date: Clock::system().now().day().to_string(),
            page_size: 1_000,
            page_token: token.clone(),
        };
        let mut list = client.list_refusals(request).await.unwrap().into_inner();
        listed.append(&mut list.refusals);
        token.clone_from(&list.next_page_token);
        if token.is_empty() {
            break list;
        }
    };
    assert_eq!(listed.len(), 10_000, "as many distinct ones as are kept of a platform and day");
    let repeats: u64 = listed.iter().map(|refusal| refusal.repeats).sum();
    assert!(list.truncated);
    assert_eq!(10_000 + repeats + list.uncounted_repeats, 18_000, "each one sent is kept or counted");
    drop(client);
    app.stop().await.unwrap();
}
