//! Runs of RepriceOrders next to one another.

use crate::fixture::{completed, key};
use crate::ledger::Ledger;
use premium_ledger::api::proto as pb;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status};

async fn put_rate(ledger: &Ledger, request_id: &str, base: &str, supersedes: u64) -> u64 {
    let header = pb::RowHeader {
        valid_from: "2026-09-01".to_owned(),
        document: "测试1号".to_owned(),
        supersedes,
        ..Default::default()
    };
    let rate = pb::Rate {
        header: Some(header),
        platform_code: "MEITUAN".to_owned(),
        province_code: "31".to_owned(),
        industry_code: "instant_delivery".to_owned(),
        base: base.to_owned(),
        factor: "1".to_owned(),
    };
    let request = pb::PutRateRequest { request_id: request_id.to_owned(), rate: Some(rate) };
    let row = ledger.registry.put_rate(Request::new(request)).await.unwrap().into_inner().rate.unwrap();
    row.header.unwrap().row_id
}

async fn reprice(ledger: &Ledger, request_id: &str) -> Result<pb::RepriceOrdersResponse, Status> {
    let request = pb::RepriceOrdersRequest {
        request_id: request_id.to_owned(),
        accepted_from: "2026-09-01".to_owned(),
        ..Default::default()
    };
    let mut answers = ledger.registry.reprice_orders(Request::new(request)).await?.into_inner();
    let mut last = Err(Status::unknown("no answer"));
    while let Some(answer) = answers.next().await {
        last = Ok(answer?);
    }
    last
}

/// What a newer run left alone bears no mark: an older one that is taken up again must not come behind it.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_run_stops_where_a_newer_one_was_begun() {
    let ledger = Ledger::sqlite().await;
    let order = completed(1, 30);
    let request = pb::RecordOrderRequest { order: Some(order) };
    ledger.intake.record_order(Request::new(request)).await.unwrap();
    let row = put_rate(&ledger, "up", "0.25", 0).await;
    // Begun, and broken off before it came to the order: the stream is never read.
    let begun = pb::RepriceOrdersRequest {
        request_id: "older".to_owned(),
        accepted_from: "2026-09-01".to_owned(),
        ..Default::default()
    };
    drop(ledger.registry.reprice_orders(Request::new(begun)).await.unwrap());
    put_rate(&ledger, "down", "0.07", row).await;
    let newer = reprice(&ledger, "newer").await.unwrap();
    assert_eq!(newer.totals.len(), 1);
    let older = reprice(&ledger, "older").await.unwrap_err();
    assert_eq!(older.code(), Code::FailedPrecondition, "{older:?}");
    let request = Request::new(pb::GetOrderRequest { key: key(1) });
    assert_eq!(ledger.intake.get_order(request).await.unwrap().into_inner().net_premium, "0.07");
}
