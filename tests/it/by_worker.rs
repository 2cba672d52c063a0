//! The index by worker: whatever was merged, by whom, and broken off when, each worker's orders are found, each once.

use crate::cluster::Cluster;
use premium_ledger::ledger::Journal;
use premium_ledger::store::postgres::{self, Connections, Folding, Postgres};
use premium_ledger::store::{Leniency, OrdersOfWorker, Search, Store, StoreError, WorkerOrder};
use premium_ledger::types::{
    Area, Code, Instant, JournalId, Line, LineKind, Order, OrderKey, Period, PremiumReason, PremiumState, Priced,
    Province, RowId, Slot, WorkerId,
};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const WORKERS: u128 = 11;
/// Small enough that every kind of merge comes often.
const FOLDING: Folding = Folding { orders: 60, runs: 5, short: 12, fan_in: 2 };

fn worker(n: u64) -> WorkerId {
    WorkerId::from_uuid(uuid::Uuid::from_u128((u128::from(n) * 31 % WORKERS) << 64))
}

fn instant(micros: i64) -> Instant {
    Instant::from_micros(micros).unwrap()
}

fn order(n: u64) -> Order {
    Order {
        key: OrderKey {
            platform: Code::parse(["MEITUAN", "ELEME"][(n / 5 % 2) as usize].to_owned()).unwrap(),
            order_id: Code::parse(format!("o{n}")).unwrap(),
            assignment_no: 1,
        },
        worker: worker(n),
        industry: Code::parse("instant_delivery".to_owned()).unwrap(),
        area: Area::parse("310101").unwrap(),
        accepted_at: instant((n * 7_919 % 1_000) as i64 - 300),
        end: None,
        agency: None,
        source_platform: None,
        source_order: None,
        sent_at: None,
    }
}

/// A journal of these orders.
fn journal(id: JournalId, orders: impl IntoIterator<Item = Order>) -> Journal {
    let mut journal = Journal::new(id);
    let month = Period::from_number(202_607).unwrap();
    let priced = Priced {
        amount: None,
        state: PremiumState::NotCharged,
        reason: PremiumReason::Open,
        province: Province::parse("31").unwrap(),
        period: month,
        service_period: month,
        rate: None,
        revision: RowId::new(1),
    };
    for order in orders {
        let position = journal.place(journal.lines.len());
        let (slot, kind) = (Slot::OPEN, LineKind::Open);
        journal.lines.push(Line { position, slot, kind, order, priced, corrects: None, reversal_reason: None });
    }
    journal
}

async fn open(url: &str, folding: Folding) -> Store {
    let leniency = Leniency { allow_data_loss: false, single_login: true };
    let connections = Connections { writers: 4, readers: 4 };
    Store::Postgres(Postgres::open(url, connections, leniency, folding).await.unwrap())
}

/// Books the orders with these numbers, a journal.
async fn book(store: &Store, orders: std::ops::Range<u64>) -> Result<(), StoreError> {
    let id = store.next_journal_id().await?;
    store.append(&journal(id, orders.map(order))).await.map(|_| ())
}

/// All of `booked`, and nothing else, is found of each worker, and within a part of the time.
async fn find(store: &Store, worker: WorkerId, from: i64, to: i64) -> Result<OrdersOfWorker, StoreError> {
    let accepted = instant(from)..=instant(to);
    let search = Search { worker, relevant: accepted.clone(), accepted };
    store.orders_of_worker(&search, &[]).await
}

async fn check(store: &Store, booked: &BTreeSet<u64>) {
    for n in 0..WORKERS as u64 {
        for (from, to) in [(-300, 700), (-100, 300)] {
            let his = booked.iter().map(|n| order(*n)).filter(|order| order.worker == worker(n));
            let his = his.map(|order| WorkerOrder { accepted_at: order.accepted_at, key: order.key });
            let his: Vec<_> = his.filter(|order| (from..=to).contains(&order.accepted_at.micros())).collect();
            let OrdersOfWorker { booked: found, platforms, .. } = find(store, worker(n), from, to).await.unwrap();
            assert!(platforms.iter().eq(his.iter().map(|order| &order.key.platform).collect::<BTreeSet<_>>()));
            assert_eq!(found.len(), his.len(), "worker {n}, {} booked: none lost, none twice", booked.len());
            assert_eq!(BTreeSet::from_iter(found), BTreeSet::from_iter(his));
        }
    }
}

/// The one number that a statement tells.
async fn number(url: &str, sql: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

/// (highest level, runs, orders in them)
async fn runs(url: &str) -> (i16, i64, i64) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = "select max(level), count(*), sum(orders)::bigint from ledger.worker_run";
    sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_found_while_two_instances_write_and_merge() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    let mut stores = [open(&url, FOLDING).await, open(&url, FOLDING).await];
    let mut booked = BTreeSet::new();
    let mut next = 0;
    for turn in 0..90 {
        let lines = [1, 3, 20, 75][turn % 4];
        let range = next..next + lines;
        book(&stores[turn % 2], range.clone()).await.unwrap();
        // A journal that is refused leaves nothing in the index.
        let taken = book(&stores[turn % 2], next..next + lines + 40).await;
        assert!(matches!(taken, Err(StoreError::Taken(_))));
        booked.extend(range);
        next += lines;
        check(&stores[turn % 3 % 2], &booked).await;
        if turn % 20 == 19 {
            stores[0].close().await;
            stores[0] = open(&url, FOLDING).await;
            check(&stores[0], &booked).await;
        }
        if let (5, Store::Postgres(postgres)) = (turn % 10, &stores[0]) {
            postgres.deepen(true).await.unwrap();
        }
    }
    let Store::Postgres(postgres) = &stores[1] else { unreachable!("opened above") };
    // The tasks may be at it too: it is done when a while nothing was.
    for _ in 0..20 {
        while postgres.fold().await.unwrap() || postgres.deepen(true).await.unwrap() {}
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    check(&stores[0], &booked).await;
    let (level, count, orders) = runs(&url).await;
    assert_eq!((level, orders), (3, booked.len() as i64), "merged up to the last level, every order once");
    assert!(count < 30, "{count} runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_that_are_broken_off_lose_nothing() {
    let cluster = Arc::new(Cluster::start(&[]));
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    let mut booked = BTreeSet::new();
    let mut next = 0;
    for kill in 0..5 {
        let store = open(&url, FOLDING).await;
        check(&store, &booked).await;
        let killer = async {
            tokio::time::sleep(Duration::from_millis(150 + 37 * kill)).await;
            let cluster = cluster.clone();
            tokio::task::spawn_blocking(move || cluster.kill()).await.unwrap();
        };
        let writer = async {
            loop {
                next += 7;
                // What came of the last ones is not known.
                let _ = book(&store, next - 7..next).await;
                let Store::Postgres(postgres) = &store else { unreachable!("opened above") };
                let _ = postgres.fold().await;
                let _ = postgres.deepen(true).await;
            }
        };
        tokio::select! {
            () = killer => {}
            () = writer => {}
        }
        drop(store);
        cluster.run(&[]);
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let stands: Vec<String> =
            sqlx::query_scalar("select order_id from ledger.line").fetch_all(&mut connection).await.unwrap();
        booked = stands.iter().map(|id| id[1..].parse().unwrap()).collect();
    }
    let store = open(&url, FOLDING).await;
    check(&store, &booked).await;
    let Store::Postgres(postgres) = &store else { unreachable!("opened above") };
    clear(postgres, &url).await;
    check(&store, &booked).await;
    let (level, _, orders) = runs(&url).await;
    assert!(level > 1 && orders == booked.len() as i64, "{orders} of {}, up to level {level}", booked.len());
}

/// Parts that belong to no run.
async fn left_over(url: &str) -> i64 {
    let sql =
        "select count(*) from ledger.worker_run_part where run_id not in (select run_id from ledger.worker_run)";
    number(url, sql).await
}

/// Merges until nothing is left over; the lock may be somebody else's for a while.
async fn clear(postgres: &Postgres, url: &str) {
    for _ in 0..500 {
        postgres.deepen(true).await.unwrap();
        if left_over(url).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} parts are left over", left_over(url).await);
}

/// Parts that no run's row tells of are seen by no question. Whoever merges next clears them away; while another merges they are his.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_merge_left_is_cleared_away() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    // No merge of long runs is due.
    let store = open(&url, Folding { fan_in: 100, ..FOLDING }).await;
    let Store::Postgres(postgres) = &store else { unreachable!("opened above") };
    for part in 0..8 {
        book(&store, part * 75..part * 75 + 75).await.unwrap();
        while postgres.fold().await.unwrap() {}
    }
    let mut other = PgConnection::connect(&url).await.unwrap();
    let locked: bool =
        sqlx::query_scalar("select pg_try_advisory_lock(hashtext('premium-ledger'), hashtext('deepen'))")
            .fetch_one(&mut other)
            .await
            .unwrap();
    assert!(locked, "it was free");
    cluster
        .execute(
            &url,
            "insert into ledger.worker_run_part select nextval('ledger.journal_id_seq'), first_worker, first_accepted, part_no, entries
             from ledger.worker_run_part",
        )
        .await;
    let booked = (0..600).collect();
    check(&store, &booked).await;
    let parts = left_over(&url).await;
    assert!(parts > 8, "some are there");
    postgres.deepen(true).await.unwrap();
    assert_eq!(left_over(&url).await, parts, "another was at it");
    other.close().await.unwrap();
    clear(postgres, &url).await;
    check(&store, &booked).await;
}

/// Merges that end in the middle, while the database lives on: what they had written is cleared away by the next, and every order is found.
#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_is_dropped_is_done_by_the_next() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    // Two instances: the other has no merge of its own to be dropped.
    let stores = [open(&url, FOLDING).await, open(&url, FOLDING).await];
    let [Store::Postgres(dropped), Store::Postgres(whole)] = &stores else { unreachable!("opened above") };
    let mut next = 0;
    for part in 0..40 {
        book(&stores[0], next..next + 75).await.unwrap();
        next += 75;
        dropped.fold().await.unwrap();
        let micros = 500 + part * 397 % 9_000;
        let _ = tokio::time::timeout(Duration::from_micros(micros), dropped.deepen(true)).await;
        if part % 8 == 7 {
            check(&stores[1], &(0..next).collect()).await;
        }
    }
    clear(whole, &url).await;
    check(&stores[1], &(0..next).collect()).await;
    let (level, _, orders) = runs(&url).await;
    assert_eq!((level, orders), (3, next as i64), "merged up to the last level");
    let id = number(&url, "select max(run_id) from ledger.worker_run where level > 1").await;
    assert!(id < 0, "no id that a journal or a run of whole ones may be given");
}

/// An index that lost rows, as by a hand that meant well, is made anew beside the intake.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_in_doubt_is_made_anew() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    let store = open(&url, FOLDING).await;
    let mut next = 0;
    for lines in [75, 3, 40, 20, 1, 75, 8] {
        book(&store, next..next + lines).await.unwrap();
        next += lines;
    }
    let Store::Postgres(postgres) = &store else { unreachable!("opened above") };
    while postgres.fold().await.unwrap() || postgres.deepen(true).await.unwrap() {}
    cluster.execute(&url, "delete from ledger.worker_run_part where part_no % 2 = 0; delete from ledger.worker_run where level = 0").await;
    let broken = open(&url, FOLDING).await;
    let lost = find(&broken, worker(0), -300, 700).await.unwrap().booked.len();
    assert!(lost < (0..next).filter(|n| worker(*n) == worker(0)).count(), "the damage shows");
    let writer = async {
        for _ in 0..20 {
            book(&store, next..next + 5).await.unwrap();
            next += 5;
        }
    };
    let (made, ()) = tokio::join!(broken.reindex(|_| {}), writer);
    made.unwrap();
    check(&broken, &(0..next).collect()).await;
    check(&store, &(0..next).collect()).await;
}

/// One worker for all orders, as a platform without ids would send: the index stays sound, and the question is refused by name.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_too_many_orders_costs_no_other() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    postgres::migrate(&url).await.unwrap();
    let store = open(&url, Folding { orders: 9_000, ..FOLDING }).await;
    for part in 0..5 {
        let orders = (0..5_000).map(|n| Order {
            worker: worker(0),
            // Many at one instant: parts that begin alike.
            accepted_at: instant(n as i64 / 1_000),
            ..order(part * 5_000 + n)
        });
        let id = store.next_journal_id().await.unwrap();
        store.append(&journal(id, orders)).await.unwrap();
        book(&store, 1_000_000 + part * 100..1_000_000 + part * 100 + 10).await.unwrap();
    }
    let Store::Postgres(postgres) = &store else { unreachable!("opened above") };
    while postgres.fold().await.unwrap() || postgres.deepen(true).await.unwrap() {}
    let asked = find(&store, worker(0), 0, 10).await;
    assert!(matches!(asked, Err(StoreError::TooMuch(_))), "{asked:?}");
    let part = find(&store, worker(0), 1, 1).await.unwrap();
    let others = (0..5).flat_map(|part| 1_000_000 + part * 100..1_000_000 + part * 100 + 10).map(order);
    let others: Vec<_> = others.collect();
    let his = |n, at: i64| others.iter().filter(|o| o.worker == worker(n) && o.accepted_at == instant(at)).count();
    assert_eq!(part.booked.len(), 5_000 + his(0, 1));
    let other = find(&store, worker(1), -300, 700).await.unwrap();
    assert_eq!(other.booked.len(), others.iter().filter(|order| order.worker == worker(1)).count());
}
