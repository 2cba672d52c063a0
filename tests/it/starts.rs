//! A start without its database: where both come up at once, in any order, the service waits, and tells so; what waiting cannot mend ends it.

use crate::cluster::{Cluster, free_port};
use crate::program::{Served, ended};
use crate::telemetry::get;
use premium_ledger::command::client::connect;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;
use tokio::time::sleep;

/// A service that starts over this database, and the address where operators ask it, once that is open.
async fn starting(database_url: String) -> (Served, SocketAddr) {
    let operators = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let served = Served::start_with(database_url, &["--metrics-listen".to_owned(), operators.to_string()]);
    for _ in 0..1_000 {
        if tokio::net::TcpStream::connect(operators).await.is_ok() {
            return (served, operators);
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("the operators' address was not opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_its_database() {
    let cluster = Cluster::start(&[]);
    let url = cluster.database().await;
    cluster.stop();
    let (mut served, operators) = starting(url).await;
    // For longer than one look at the database takes.
    for _ in 0..8 {
        assert!(get(operators, "/livez").await.starts_with("HTTP/1.1 200 "));
        assert!(get(operators, "/readyz").await.starts_with("HTTP/1.1 503 "));
        assert!(get(operators, "/metrics").await.contains("premium_ledger_ready 0"));
        sleep(Duration::from_millis(300)).await;
    }
    assert!(connect(&served.url()).await.is_err(), "nobody is served by half");

    cluster.run(&[]);
    for _ in 0..1_000 {
        if get(operators, "/readyz").await.starts_with("HTTP/1.1 200 ") {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(get(operators, "/readyz").await.starts_with("HTTP/1.1 200 "));
    connect(&served.url()).await.expect("it serves without a hand");
    served.signal("-TERM");
    assert_eq!(served.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_can_be_stopped() {
    let (mut served, operators) = starting(format!("postgres://nobody@127.0.0.1:{}/none", free_port())).await;
    // Settings are read when it serves; nothing ends by being told to read them.
    served.signal("-HUP");
    assert!(get(operators, "/readyz").await.starts_with("HTTP/1.1 503 "));
    served.signal("-TERM");
    assert_eq!(served.ended(), Some(0), "a stop, not a crash");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waiting_cannot_mend_ends_the_start() {
    let cluster = Cluster::shared();
    let mut served = Served::start(cluster.url("postgres", "no_such_database"));
    assert_eq!(served.ended(), Some(1));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let mut served = Served::start(format!("sqlite:{}", folder.path().join("file/ledger.sqlite").display()));
    assert_eq!(served.ended(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_ends_the_start_before_the_database_is_waited_for() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let nobody = format!("postgres://nobody@127.0.0.1:{}/none", free_port());
    let mut child = Command::new(env!("CARGO_BIN_EXE_premium-ledger"))
        .args(["serve", "--log", "off", "--listen", &listen, "--database-url", &nobody])
        .spawn()
        .unwrap();
    assert_eq!(ended(&mut child), Some(1));
}
