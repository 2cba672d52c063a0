//! Connections of callers that grow old: they are told to open another, and callers that send again what is not answered lose nothing by it.

use crate::fixture::completed;
use crate::ledger::{config, sqlite};
use crate::proxy::Proxy;
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Config;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code::{Cancelled, Internal, Unavailable, Unknown};

/// Connections that the caller is seen to open.
const CONNECTIONS: usize = 4;
/// Calls until then, at most.
const CALLS: usize = 60_000;
/// Calls that meet the end of a connection and are sent again, at most, for each: this client fails one, and perhaps the next.
const LOST: usize = 10;

fn batch(n: usize) -> pb::RecordOrdersRequest {
    pb::RecordOrdersRequest { batch_id: String::new(), orders: vec![completed(n, 30)] }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_connection_is_followed_by_another_and_neither_calls_nor_streams_are_lost() {
    let (_folder, database) = sqlite();
    let config = Config { connection_age: Duration::from_secs(1), ..config(database) };
    let app = App::start(&config, Clock::system()).await.unwrap();
    let proxy = Proxy::start(app.address().port()).await;
    let mut client = IntakeServiceClient::connect(format!("http://127.0.0.1:{}", proxy.port)).await.unwrap();

    let (sender, requests) = mpsc::channel(1);
    let mut answers = client.stream_orders(ReceiverStream::new(requests)).await.unwrap().into_inner();
    let (mut n, mut lost) = (0, 0);
    while proxy.taken() < CONNECTIONS {
        assert!(n < CALLS, "the caller is told to open another connection");
        match client.record_orders(batch(n)).await {
            Ok(_) => n += 1,
            // Sent again, as the contract says.
            Err(status) => {
                assert!(matches!(status.code(), Cancelled | Internal | Unavailable | Unknown), "{status}");
                lost += 1;
                assert!(lost <= LOST * proxy.taken(), "{status}: {lost} calls were lost");
            }
        }
        sleep(Duration::from_millis(1)).await;
    }
    sender.send(batch(CALLS)).await.unwrap();
    let answer = answers.message().await.unwrap().expect("the first connection's stream goes on");
    assert_eq!(answer.results[0].outcome, pb::Outcome::Recorded as i32);
    drop((sender, client));
    assert!(answers.message().await.unwrap().is_none(), "the stream ends as always");
    app.stop().await.unwrap();
}
