//! What holds while the database keeps everybody waiting: callers that go away, lanes that fill, clients that only watch.

use crate::cluster::Cluster;
use crate::fixture::{completed, key, open};
use crate::ledger::{channel, config};
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::Database;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Orders of a request that takes a good part of a lane.
const MANY: usize = 10_000;

struct Served {
    app: App,
    client: IntakeServiceClient<Channel>,
    url: String,
    _cluster: std::sync::Arc<Cluster>,
}

async fn served() -> Served {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    let app = App::start(&config(Database::Postgres(url.clone())), Clock::system()).await.unwrap();
    let client = IntakeServiceClient::new(channel(&app).await);
    Served { app, client, url, _cluster: cluster }
}

/// A superuser's transaction that lets nobody write lines until it ends.
async fn hold_lines(url: &str) -> PgConnection {
    let mut holder = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("begin; lock table ledger.line in exclusive mode").execute(&mut holder).await.unwrap();
    holder
}

async fn let_go(mut holder: PgConnection) {
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
}

/// Waits until so many sessions of the held database wait for a lock. (`pg_stat_activity` would be read once a transaction.)
async fn until_waiting(holder: &mut PgConnection, sessions: i64) {
    let sql = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
               where not l.granted and d.datname = current_database()";
    for _ in 0..600 {
        let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut *holder).await.unwrap();
        if waiting >= sessions {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody waits for the lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_whose_callers_went_away_are_booked_whole_and_hurt_nobody() {
    let Served { app, mut client, url, _cluster } = served().await;
    let orders = (0..4).map(|n| completed(n, 30)).collect();
    client.record_orders(pb::RecordOrdersRequest { batch_id: String::new(), orders }).await.unwrap();

    let mut holder = hold_lines(&url).await;
    let mut calls = JoinSet::new();
    for n in 0..2 {
        let mut client = client.clone();
        calls.spawn(async move { client.reverse_order(reversal(n)).await });
    }
    until_waiting(&mut holder, 2).await;
    calls.shutdown().await; // resets the calls' HTTP/2 streams
    // Answers behind the resets on the same connection: the service has seen them.
    client.get_order(pb::GetOrderRequest { key: key(0) }).await.unwrap();
    let_go(holder).await;

    let mut lines = 0;
    for _ in 0..200 {
        lines = 0;
        for n in 0..2 {
            let told = client.get_order(pb::GetOrderRequest { key: key(n) }).await.unwrap();
            lines += told.into_inner().lines.len();
        }
        if lines == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(lines, 4, "both reversals are booked, though nobody waits for them any more");
    // The same requests again, as the callers will, and two new ones.
    for n in 0..4 {
        client.reverse_order(reversal(n)).await.unwrap();
        let told = client.get_order(pb::GetOrderRequest { key: key(n) }).await.unwrap().into_inner();
        assert_eq!((told.lines.len(), told.net_premium.as_str()), (2, "0.00"), "o{n}");
    }
    drop(client);
    app.stop().await.unwrap();
}

fn reversal(n: usize) -> pb::ReverseOrderRequest {
    pb::ReverseOrderRequest {
        request_id: format!("r{n}"),
        key: key(n),
        line_id: String::new(),
        reversal_reason: pb::ReversalReason::Other.into(),
    }
}

type Calls = JoinSet<(usize, Result<(), Status>)>;

/// Fills the lane of an order's key, to its last place but one (a call of one order has other lanes); the calls that are answered once the lines are let go.
async fn fill_lane(client: &IntakeServiceClient<Channel>, n: usize) -> Calls {
    let mut calls = Calls::new();
    let mut size = MANY;
    loop {
        let mut client = client.clone();
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders: vec![open(n); size] };
        calls.spawn(async move { (request.orders.len(), client.record_orders(request).await.map(|_| ())) });
        // What is taken in is not answered; what is refused is refused at once.
        let answered = tokio::time::timeout(Duration::from_millis(200), calls.join_next()).await;
        if let Ok(Some(Ok((orders, told)))) = answered {
            assert_eq!(told.unwrap_err().code(), Code::ResourceExhausted);
            if orders == 2 {
                return calls;
            }
            size = orders / 2;
        }
    }
}

/// Two lanes, one of them full: a call that needs both is refused, and the lane with room books nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_finds_one_of_its_lanes_full_is_booked_in_none() {
    let Served { app, mut client, url, _cluster } = served().await;
    // Keys that fill one lane each; among four of them both lanes are found.
    for filler in 0..4 {
        let holder = hold_lines(&url).await;
        let mut calls = fill_lane(&client, filler).await;
        let from = 1_000 * (filler + 1);
        let request =
            pb::RecordOrdersRequest { batch_id: String::new(), orders: (from..from + 100).map(open).collect() };
        let refused = client.record_orders(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
        let_go(holder).await;
        while let Some(done) = calls.join_next().await {
            let (_, told) = done.unwrap();
            assert!(told.is_ok() || told.unwrap_err().code() == Code::ResourceExhausted);
        }
    }
    let mut database = PgConnection::connect(&url).await.unwrap();
    let lines: i64 =
        sqlx::query_scalar("select count(*) from ledger.line").fetch_one(&mut database).await.unwrap();
    assert_eq!(lines, 4, "one line of each filler");
    drop(client);
    app.stop().await.unwrap();
}

/// More lines than one question reads: 50 orders of 999 lines each, on two lanes, put there by the
/// superuser.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_orders_with_very_many_corrections_is_compared_all_the_same() {
    let Served { app, mut client, url, _cluster } = served().await;
    let request =
        pb::RecordOrdersRequest { batch_id: String::new(), orders: (0..50).map(|n| completed(n, 30)).collect() };
    let booked = client.record_orders(request.clone()).await.unwrap().into_inner().results;
    let corrected = "insert into ledger.line (journal_id, worker_id, accepted_at, ended_at, line_no, period, service_period,
            registry_revision, rate_id, assignment_no, slot, kind, end_kind, premium_state, premium_reason, corrects_slot,
            reversal_reason, platform_code, order_id, industry_code, accept_area, province_code, amount)
        select journal_id, worker_id, accepted_at, ended_at, line_no + 50 * slots.n, period, service_period, registry_revision,
            rate_id, assignment_no, slots.n, case slots.n % 2 when 0 then 3 else 2 end, end_kind, premium_state, premium_reason,
            case slots.n % 2 when 0 then slots.n - 1 else slots.n - 2 end, 5, platform_code, order_id, industry_code,
            accept_area, province_code, case slots.n % 2 when 0 then -amount else amount end
        from ledger.line cross join generate_series(2, 999) as slots (n)";
    let mut database = PgConnection::connect(&url).await.unwrap();
    sqlx::query(corrected).execute(&mut database).await.unwrap();

    let again = client.record_orders(request).await.unwrap().into_inner().results;
    for (first, again) in booked.iter().zip(&again) {
        assert_eq!(again.outcome, pb::Outcome::Replayed as i32);
        assert_ne!(again.line_id, first.line_id, "the newest standing line is the one it equals");
        assert_eq!(again.premium, "0.07");
    }
    drop(client);
    app.stop().await.unwrap();
}

/// A client that watches health for ever is told the service's end, and does not hold it up.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_watches_of_health() {
    use tonic_health::pb::health_client::HealthClient;
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
    let Served { app, client, url: _, _cluster } = served().await;
    let mut health = HealthClient::new(channel(&app).await);
    let service = "premium.ledger.v1.IntakeService".to_owned();
    let mut watch = health.watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    drop(client);
    app.stop().await.expect("within the drain's limit, though the client still watches");
    let mut last = Some(first);
    while let Ok(Some(told)) = watch.message().await {
        last = Some(told);
    }
    assert_eq!(last.unwrap().status(), ServingStatus::NotServing, "told before the end");
}
