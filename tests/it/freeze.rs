//! The period fence: while two instances book at full rate, month after month is frozen; no line is lost, and none comes into a month that was frozen
//! before it.

use crate::cluster::Cluster;
use crate::collisions::{count, two_instances};
use crate::fixture::open;
use crate::ledger::Ledger;
use premium_ledger::api::proto as pb;
use premium_ledger::types::Period;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;
use tonic::Request;

/// 2022-07-02 in Asia/Shanghai.
const FIRST: i64 = 1_656_700_000;
/// A month, about.
const MONTH: i64 = 30 * 86_400 + 36_000;
/// Months in which orders were accepted.
const MONTHS: usize = 52;
/// Of them are frozen, one after the other.
const FREEZES: usize = 50;

/// An open order of some month, in one of two provinces.
fn order(n: usize) -> pb::Order {
    let seconds = FIRST + (n * 7 % MONTHS) as i64 * MONTH;
    let area = if n.is_multiple_of(3) { "320101" } else { "310101" };
    pb::Order {
        accepted_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        accept_area: area.to_owned(),
        ..open(n)
    }
}

/// Books orders, one by one or many at once, until told to stop; how many.
async fn book(instance: Arc<Ledger>, next: Arc<AtomicUsize>, at_once: usize, stop: Arc<AtomicBool>) -> usize {
    let mut booked = 0;
    while !stop.load(Ordering::Relaxed) {
        let first = next.fetch_add(at_once, Ordering::Relaxed);
        let results = match at_once {
            1 => {
                let request = pb::RecordOrderRequest { order: Some(order(first)) };
                let answer = instance.intake.record_order(Request::new(request)).await.unwrap();
                vec![answer.into_inner().result.unwrap()]
            }
            _ => {
                let orders = (first..first + at_once).map(order).collect();
                let request = pb::RecordOrdersRequest { batch_id: String::new(), orders };
                instance.intake.record_orders(Request::new(request)).await.unwrap().into_inner().results
            }
        };
        assert!(results.iter().all(|result| result.outcome == pb::Outcome::Recorded as i32));
        booked += results.len();
    }
    booked
}

async fn freeze(instance: &Ledger, period: Period) -> pb::PeriodAccount {
    let request = pb::FreezePeriodRequest {
        request_id: format!("freeze-{period}"),
        platform_code: "MEITUAN".to_owned(),
        province_code: "31".to_owned(),
        period: period.to_string(),
    };
    let answer = instance.statement.freeze_period(Request::new(request)).await.unwrap();
    answer.into_inner().account.unwrap()
}

/// Freezes so many months under load; gives the database back, and how many lines were acknowledged.
async fn freeze_under_load(cluster: &Cluster, months: usize, before_the_fence: Option<&str>) -> (String, usize) {
    let (url, instances) = two_instances(cluster).await;
    if let Some(sql) = before_the_fence {
        let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        cluster.execute(&name, sql).await;
    }
    let (next, stop) = (Arc::<AtomicUsize>::default(), Arc::new(AtomicBool::new(false)));
    let mut load = JoinSet::new();
    for instance in &instances {
        for at_once in [1, 1, 60, 300] {
            load.spawn(book(instance.clone(), next.clone(), at_once, stop.clone()));
        }
    }
    let mut period = Period::parse("2022-07").unwrap();
    let mut last_seal = 0;
    for n in 0..months {
        let account = freeze(&instances[n % 2], period).await;
        assert!(account.frozen_seal > last_seal, "sealed, and in order");
        assert_eq!(account.state, pb::StatementState::Frozen as i32);
        last_seal = account.frozen_seal;
        period = period.next();
    }
    stop.store(true, Ordering::Relaxed);
    let mut booked = 0;
    while let Some(task) = load.join_next().await {
        booked += task.unwrap();
    }
    instances[0].store.as_ref().unwrap().seal_booked().await.unwrap();
    (url, booked)
}

/// Every line, the month it was booked in, and the month after the last one frozen before it.
const LINES: &str = "
    from (select l.period, l.service_period, l.province_code,
                 (select max(case c.period % 100 when 12 then c.period + 89 else c.period + 1 end)
                  from ledger.calendar_entry c join ledger.seal f using (journal_id)
                  where c.step = 1 and c.platform_code = l.platform_code and c.province_code = l.province_code
                    and f.seal_no < s.seal_no) as open
          from ledger.line l join ledger.seal s using (journal_id)) as booked";

async fn check(url: &str, booked: usize, months: usize) {
    assert_eq!(count(url, &format!("select count(*) {LINES}")).await as usize, booked, "none lost, none twice");
    let wrong = format!("select count(*) {LINES} where period <> greatest(service_period, coalesce(open, 0))");
    assert_eq!(count(url, &wrong).await, 0, "each in its month, or in the first that was open");
    let late = format!("select count(*) {LINES} where period > service_period");
    assert!(count(url, &late).await > 0, "some came late");
    let other = format!("select count(*) {LINES} where period > service_period and province_code <> '31'");
    assert_eq!(count(url, &other).await, 0, "another province's months stay open");
    let frozen = "select count(*) from ledger.calendar_entry where step = 1";
    assert_eq!(count(url, frozen).await as usize, months);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_comes_into_a_month_that_was_frozen_before_it() {
    let cluster = Cluster::shared();
    let (url, booked) = freeze_under_load(&cluster, FREEZES, None).await;
    check(&url, booked, FREEZES).await;
}

/// The same with a delay between pricing and appending: journals are priced by a calendar that moves on before they come to the fence.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_comes_late_to_the_fence_is_priced_anew() {
    let cluster = Cluster::shared();
    let slow = "alter function ledger.calendar_epoch() rename to calendar_epoch_at_once;
        create function ledger.calendar_epoch() returns integer language plpgsql volatile as
        $$ begin perform pg_sleep(random() * 0.1); return ledger.calendar_epoch_at_once(); end $$";
    let (url, booked) = freeze_under_load(&cluster, FREEZES, Some(slow)).await;
    check(&url, booked, FREEZES).await;
}
