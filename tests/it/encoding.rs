//! A second implementation of the canonical encoding, in another language, computes the same roots for 1,000 journals of both stores.
//! Needs python3 (and psql), so it runs only when asked for: `tests/run --test it -- --ignored`.

use crate::cluster::Cluster;
use crate::ledger::{Ledger, config, sqlite};
use premium_ledger::api::proto as pb;
use premium_ledger::app::open_store;
use premium_ledger::clock::Clock;
use premium_ledger::command::simulate::day::Simulated;
use premium_ledger::config::Database;
use premium_ledger::types::Day;
use std::process::Command;
use tonic::Request;

async fn fill(database: Database) {
    let store = open_store(&config(database), Clock::system()).await.unwrap();
    let (ledger, stop) = Ledger::over(store.clone(), 2).await;
    let events = Simulated::new(5, Day::parse("2026-07-15").unwrap(), 11_000, 200);
    let orders: Vec<pb::Order> = events.map(|event| event.order).collect();
    for (i, batch) in orders.chunks(10).enumerate() {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders: batch.to_vec() };
        let results = ledger.intake.record_orders(Request::new(request)).await.unwrap().into_inner().results;
        if i % 50 == 0 {
            let line_id = results.iter().find(|r| r.outcome == 1).map(|r| r.line_id.clone()).unwrap_or_default();
            let order = batch.iter().zip(&results).find(|(_, r)| r.line_id == line_id).unwrap().0;
            let key = pb::OrderKey {
                platform_code: order.platform_code.clone(),
                order_id: order.order_id.clone(),
                assignment_no: order.assignment_no,
            };
            let request = pb::ReverseOrderRequest {
                request_id: format!("r{i}"),
                key: Some(key),
                line_id,
                reversal_reason: pb::ReversalReason::Other.into(),
            };
            ledger.intake.reverse_order(Request::new(request)).await.unwrap();
            let watermark = prost_types::Timestamp { seconds: 1_784_000_000 + i as i64 * 3_600, nanos: 0 };
            let hour = pb::HourlyCount {
                hour: Some(prost_types::Timestamp { seconds: 1_784_001_600, nanos: 0 }),
                accepted: 7,
                ended: 5,
            };
            let request = pb::ReportWatermarkRequest {
                request_id: format!("w{i}"),
                platform_code: "MEITUAN".to_owned(),
                watermark: Some(watermark),
                hourly: if i % 100 == 0 { vec![hour] } else { Vec::new() },
            };
            ledger.intake.report_watermark(Request::new(request)).await.unwrap();
        }
    }
    let rate = pb::Rate {
        header: Some(pb::RowHeader {
            valid_from: "2026-08-01".to_owned(),
            document: "测试1号".to_owned(),
            ..Default::default()
        }),
        platform_code: "MEITUAN".to_owned(),
        province_code: "31".to_owned(),
        industry_code: "instant_delivery".to_owned(),
        base: "0.07".to_owned(),
        factor: "1.2345".to_owned(),
    };
    let request = pb::PutRateRequest { request_id: "rate".to_owned(), rate: Some(rate) };
    ledger.registry.put_rate(Request::new(request)).await.unwrap();
    freeze_and_pay(&ledger).await;
    drop((ledger, stop));
    store.close().await;
}

/// A step of the calendar of each kind.
async fn freeze_and_pay(ledger: &Ledger) {
    let (platform_code, province_code) = ("MEITUAN".to_owned(), "31".to_owned());
    let period = "2026-07".to_owned();
    let request = pb::FreezePeriodRequest {
        request_id: "freeze".to_owned(),
        platform_code: platform_code.clone(),
        province_code: province_code.clone(),
        period: period.clone(),
    };
    ledger.statement.freeze_period(Request::new(request)).await.unwrap();
    let declaration = pb::Declaration {
        declaration_no: "d1".to_owned(),
        declared_on: "2026-08-10".to_owned(),
        amount: "12.30".to_owned(),
    };
    let request = pb::RecordDeclarationRequest {
        request_id: "declare".to_owned(),
        platform_code: platform_code.clone(),
        province_code: province_code.clone(),
        period: period.clone(),
        declaration: Some(declaration),
    };
    ledger.statement.record_declaration(Request::new(request)).await.unwrap();
    let payment =
        pb::Payment { receipt_no: "r1".to_owned(), paid_on: "2026-08-15".to_owned(), amount: "12.30".to_owned() };
    let request = pb::RecordPaymentRequest {
        request_id: "pay".to_owned(),
        platform_code,
        province_code,
        period,
        payment: Some(payment),
    };
    ledger.statement.record_payment(Request::new(request)).await.unwrap();
}

fn check(store: &str, place: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/encoding.py");
    let told = Command::new("python3").args([script, store, place, "--least", "1000"]).output().unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    println!("{store}: {text}");
    assert!(told.status.success() && text.contains("all roots agree"), "{store}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3 and psql; .ci/run asks for it"]
async fn a_second_implementation_computes_the_same_roots() {
    let (_folder, database) = sqlite();
    let Database::Sqlite(place) = &database else { unreachable!() };
    let path = place.path.clone();
    fill(database).await;
    check("sqlite", path.to_str().unwrap());
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    fill(Database::Postgres(url.clone())).await;
    check("postgres", &url);
}
