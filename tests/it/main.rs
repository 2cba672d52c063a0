//! Tests of the whole, in one binary: scripts on four drivers, properties, collisions, guards, crashes, the wire.

mod anomalies;
mod by_worker;
#[allow(dead_code, reason = "benches/faults uses more of it")]
mod cluster;
mod collisions;
mod completeness;
mod connections;
mod crash;
mod deploy;
mod encoding;
mod export;
mod failover;
mod fixture;
mod flush;
mod freeze;
mod guards;
mod late_fee;
mod ledger;
mod model;
mod output;
mod prepare;
#[allow(dead_code, reason = "benches/faults uses more of it")]
mod program;
mod property;
#[allow(dead_code, reason = "benches/faults uses more of it")]
mod proxy;
mod reconcile;
mod reload;
mod reprice;
mod restore;
mod script;
mod seals;
mod served;
mod starts;
mod statements;
mod telemetry;
mod waits;
mod wire;

use ledger::Ledger;

#[tokio::test(flavor = "multi_thread")]
async fn scripts_on_the_model() {
    script::run_all("model", async || Ledger::model()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_on_sqlite() {
    script::run_all("sqlite", Ledger::sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_on_postgres() {
    script::run_all("postgres", Ledger::postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_on_the_wire() {
    script::run_all("wire", Ledger::wire).await;
}
