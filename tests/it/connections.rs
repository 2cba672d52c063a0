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
use tonic::Code;
use tonic::transport::Channel;

/// Connections that the caller is seen to open.
const CONNECTIONS: usize = 4;
/// Calls until then, at most.
const CALLS: usize = 60_000;

/// Sent again where the client's own transport lost it, as the contract says; how often it was.
async fn answered(client: &mut IntakeServiceClient<Channel>, n: usize) -> usize {
    for lost in 0.. {
        match client.record_orders(batch(n)).await {
            Ok(_) => return lost,
            Err(status) => {
                use Code::{Cancelled, Internal, Unavailable, Unknown};
                assert!(matches!(status.code(), Cancelled | Internal | Unavailable | Unknown), "{status}");
            }
        }
    }
    unreachable!()
}

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
        lost += answered(&mut client, n).await;
        n += 1;
        sleep(Duration::from_millis(1)).await;
    }
    // This client gives up a call that meets the connection's end; others send it anew by themselves.
    assert!(lost <= proxy.taken(), "{lost} calls were lost");
    sender.send(batch(n)).await.unwrap();
    let answer = answers.message().await.unwrap().expect("the first connection's stream goes on");
    assert_eq!(answer.results[0].outcome, pb::Outcome::Recorded as i32);
    drop((sender, client));
    assert!(answers.message().await.unwrap().is_none(), "the stream ends as always");
    app.stop().await.unwrap();
}
