//! Many tasks, two instances, the same keys and slots: one charge for each key, no slot twice, every net right.

use crate::cluster::Cluster;
use crate::fixture::{completed, key, open};
use crate::ledger::{Ledger, config, sqlite};
use premium_ledger::api::proto as pb;
use premium_ledger::app::open_store;
use premium_ledger::clock::Clock;
use premium_ledger::command::simulate::day::Simulated;
use premium_ledger::config::Database;
use premium_ledger::types::{Day, LineId, Money};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::{Code, Request};

/// Two instances on one Postgres.
pub async fn two_instances(cluster: &Cluster) -> (String, [Arc<Ledger>; 2]) {
    let url = cluster.database().await;
    let config = config(Database::Postgres(url.clone()));
    let mut instances = Vec::new();
    // Both at once, on an empty database: one of them migrates and seeds.
    let (one, two) = tokio::join!(open_store(&config, Clock::system()), open_store(&config, Clock::system()));
    for store in [one.unwrap(), two.unwrap()] {
        let (face, stop) = Ledger::over(store, 2).await;
        // The sender lives as long as the test: nobody stops the streams.
        std::mem::forget(stop);
        instances.push(Arc::new(face));
    }
    (url, instances.try_into().unwrap_or_else(|_| unreachable!()))
}

fn events(count: u64) -> Vec<pb::Order> {
    Simulated::new(3, Day::parse("2026-07-15").unwrap(), count, 500).map(|event| event.order).collect()
}

pub async fn count(url: &str, sql: &str) -> i64 {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_fed_the_same_book_every_event_once() {
    // Before anything waits: to make them takes seconds, in which a thread of the runtime would serve nobody else.
    let events = Arc::new(events(20_000));
    let cluster = Cluster::shared();
    let (url, instances) = two_instances(&cluster).await;
    let mut tasks = JoinSet::new();
    for instance in instances {
        let events = events.clone();
        tasks.spawn(async move {
            let mut outcomes = [0_u64; 5];
            for batch in events.chunks(700) {
                let request = pb::RecordOrdersRequest { batch_id: String::new(), orders: batch.to_vec() };
                let response = instance.intake.record_orders(Request::new(request)).await.unwrap().into_inner();
                response.results.iter().for_each(|result| outcomes[result.outcome as usize] += 1);
            }
            outcomes
        });
    }
    let mut sum = [0_u64; 5];
    while let Some(outcomes) = tasks.join_next().await {
        outcomes.unwrap().iter().zip(&mut sum).for_each(|(n, sum)| *sum += n);
    }
    assert_eq!(sum.iter().sum::<u64>(), 40_000, "each event has one outcome from each instance");
    let lines = count(&url, "select count(*) from ledger.line").await;
    assert_eq!(lines as u64, sum[1], "each line was recorded once, and told so once");
    let keys =
        "select count(*) from (select distinct platform_code, order_id, assignment_no, slot from ledger.line) k";
    assert_eq!(count(&url, keys).await, lines);
    let charges = "select count(*) from (select from ledger.line where kind = 2 group by platform_code, order_id, assignment_no having count(*) > 1) k";
    assert_eq!(count(&url, charges).await, 0, "one standing charge a key");
    let kept = "select (select count(*) from ledger.conflict) + (select coalesce(sum(repeats), 0)::bigint from ledger.conflict_repeat)";
    assert_eq!(count(&url, kept).await as u64, sum[3], "conflicts: entries and repeats");
    let kept = "select (select count(*) from ledger.refusal) + (select coalesce(sum(repeats), 0)::bigint from ledger.refusal_repeat)";
    assert_eq!(count(&url, kept).await as u64, sum[4], "refusals: entries and repeats");
    let entries = "select sum(entry_count)::bigint - (select count(*) from ledger.line) - (select count(*) from ledger.conflict) - (select count(*) from ledger.refusal) - (select count(*) from ledger.registry_row) from ledger.journal";
    assert_eq!(count(&url, entries).await, 0, "journals hold what the tables hold");
}

/// The i-th correction: three in four put another line in its place, the others take it back. True when it was booked; each line can
/// be won once, and the losers are told so.
async fn correct(instance: &Ledger, i: u32, line_id: String) -> bool {
    let n = i % 100;
    let told = if i.is_multiple_of(2) || (i / 100).is_multiple_of(2) {
        let request = pb::CorrectOrderRequest {
            request_id: format!("c{i}"),
            line_id,
            order: Some(completed(n as usize, 31 + i64::from(i / 100))),
            reversal_reason: pb::ReversalReason::WrongData.into(),
        };
        instance.intake.correct_order(Request::new(request)).await.map(|_| ())
    } else {
        let request = pb::ReverseOrderRequest {
            request_id: format!("r{i}"),
            key: key(n as usize),
            line_id: String::new(),
            reversal_reason: pb::ReversalReason::Other.into(),
        };
        instance.intake.reverse_order(Request::new(request)).await.map(|_| ())
    };
    if let Err(status) = &told {
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    }
    told.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_corrections_of_a_hundred_orders() {
    let cluster = Cluster::shared();
    let (url, instances) = two_instances(&cluster).await;
    let orders = (0..100).map(|n| completed(n, 30)).collect();
    let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
    let booked = instances[0].intake.record_orders(Request::new(request)).await.unwrap().into_inner().results;

    let mut tasks = JoinSet::new();
    for i in 0..1_000_u32 {
        let instance = instances[(i / 100 % 2) as usize].clone();
        let line_id = booked[(i % 100) as usize].line_id.clone();
        tasks.spawn(async move { correct(&instance, i, line_id).await });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        won += i64::from(done.unwrap());
    }
    assert!(won >= 100, "every order was corrected at least once: {won}");
    assert_eq!(count(&url, "select count(*) from ledger.request").await, won);
    let twice = "select count(*) from (select from ledger.line group by platform_code, order_id, assignment_no, slot having count(*) > 1) s";
    assert_eq!(count(&url, twice).await, 0);
    let reversed_twice = "select count(*) from (select from ledger.line where kind = 3 group by order_id, corrects_slot having count(*) > 1) s";
    assert_eq!(count(&url, reversed_twice).await, 0);
    for n in 0..100 {
        check_order(&instances[0], n).await;
    }
}

/// No slot left out, at most one charge stands, and the net is that of what stands.
async fn check_order(instance: &Ledger, n: u32) {
    let told = instance
        .intake
        .get_order(Request::new(pb::GetOrderRequest { key: key(n as usize) }))
        .await
        .unwrap()
        .into_inner();
    let slots: Vec<u32> = told.lines.iter().map(|line| line.slot).collect();
    assert_eq!(slots, (1..=slots.len() as u32).collect::<Vec<_>>());
    let of_kind = |kind: pb::LineKind| told.lines.iter().filter(move |line| line.kind == kind as i32);
    let reversed: Vec<&str> = of_kind(pb::LineKind::Reversal).map(|line| line.corrects_line_id.as_str()).collect();
    let standing = of_kind(pb::LineKind::Charge).filter(|line| !reversed.contains(&line.line_id.as_str())).count();
    assert!(standing <= 1);
    let net = Money::parse(&told.net_premium).unwrap();
    assert_eq!(net, Money::from_micros(70_000 * standing as i64), "o{n}");
}

/// An instance whose lanes have come to trust their memory, and another that books behind its back: the database's constraint finds it, and
/// the group is decided again.
#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_trusts_its_memory_is_put_right_by_the_database() {
    let cluster = Cluster::shared();
    let (url, [one, other]) = two_instances(&cluster).await;
    let record = async |instance: &Ledger, orders: Vec<pb::Order>| {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
        instance.intake.record_orders(Request::new(request)).await.unwrap().into_inner().results
    };
    for n in 0..100 {
        // Two: a call of one order has other lanes.
        record(&one, vec![completed(n, 30), completed(n + 5_000, 30)]).await;
    }
    let booked = record(&other, (1_000..1_100).map(|n| completed(n, 30)).collect()).await;
    // Half of them as they were booked, half otherwise, and new ones between them.
    let orders =
        (1_000..1_100).flat_map(|n| [completed(n, 30 + n as i64 % 2), completed(n + 1_000, 30)]).collect();
    let told = record(&one, orders).await;
    for (n, pair) in told.chunks(2).enumerate() {
        let expected = if n % 2 == 0 { pb::Outcome::Replayed } else { pb::Outcome::Conflict };
        assert_eq!((pair[0].outcome, &pair[0].line_id), (expected as i32, &booked[n].line_id));
        assert_eq!(pair[1].outcome, pb::Outcome::Recorded as i32);
    }
    assert_eq!(count(&url, "select count(*) from ledger.line").await, 400);
    // It was believed, and refused: Postgres counts the rows that it took back too, a little later.
    let inserted = "select n_tup_ins from pg_stat_user_tables where relid = 'ledger.line'::regclass";
    for _ in 0..200 {
        if count(&url, inserted).await > 400 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no append was refused");
}

/// What a trusting lane reads of a key for one slot's sake tells it of the other too: no append is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_read_for_one_slot_is_known_in_the_other() {
    let cluster = Cluster::shared();
    let (_, [one, other]) = two_instances(&cluster).await;
    let record = async |instance: &Ledger, orders: Vec<pb::Order>| {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
        instance.intake.record_orders(Request::new(request)).await.unwrap().into_inner().results
    };
    let journals = |told: Vec<pb::OrderResult>| -> Vec<u64> {
        told.iter().map(|result| LineId::parse(&result.line_id).unwrap().position.journal.get()).collect()
    };
    let mut last = 0;
    for from in (0..200).step_by(20) {
        let booked = record(&one, (from..from + 20).map(open).collect()).await;
        last = *journals(booked).iter().max().unwrap();
    }
    record(&other, (0..20).map(|n| completed(n, 30)).collect()).await;
    let told = record(&one, (0..20).flat_map(|n| [open(n), completed(n, 30)]).collect()).await;
    assert!(told.iter().all(|result| result.outcome == pb::Outcome::Replayed as i32), "{told:?}");
    // Each try takes a number: the two lanes took one each for the replays, and again one each for these.
    let next = record(&one, (200..220).map(open).collect()).await;
    let (first, lanes) = (*journals(next).iter().min().unwrap(), 2);
    assert_eq!(first, last + lanes + 1, "no group was decided twice");
}

/// SQLite, opened again: the lane's memory is empty, comes to be trusted, and is wrong. What the refused append had written is undone.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_opened_again_is_put_right_by_the_database() {
    let (folder, database) = sqlite();
    let config = config(database);
    let record = async |face: &Ledger, orders: Vec<pb::Order>| {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
        face.intake.record_orders(Request::new(request)).await.unwrap().into_inner().results
    };
    let store = open_store(&config, Clock::system()).await.unwrap();
    let (face, _stop) = Ledger::over(store.clone(), 1).await;
    let booked = record(&face, vec![completed(150, 30)]).await;
    drop(face);
    store.close().await;
    drop(store);

    let store = open_store(&config, Clock::system()).await.unwrap();
    let (face, _stop) = Ledger::over(store, 1).await;
    for n in 1_000..1_020 {
        record(&face, vec![completed(n, 30)]).await;
    }
    let told = record(&face, (0..300).map(|n| completed(n, 30)).collect()).await;
    for (n, result) in told.iter().enumerate() {
        let expected = if n == 150 { pb::Outcome::Replayed } else { pb::Outcome::Recorded };
        assert_eq!(result.outcome, expected as i32, "o{n}");
    }
    assert_eq!(told[150].line_id, booked[0].line_id);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("ledger.sqlite"));
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    let counts = "select (select count(*) from line), (select sum(entry_count) from journal) - (select count(*) from registry_row)";
    let counts: (i64, i64) = sqlx::query_as(counts).fetch_one(&mut connection).await.unwrap();
    assert_eq!(counts, (320, 320), "lines, and what the journals say");
}
