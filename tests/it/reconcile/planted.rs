//! Every kind of difference planted and found, of orders and of sums.

use super::{Answer, OTHER_WORKER, name, start};
use crate::served::{Served, WORKER, order, put_rate};
use premium_ledger::api::proto as pb;
use premium_ledger::types::DifferenceType as Kind;
use std::collections::BTreeSet;
use tonic::Code;

/// Orders that agree, and those that something will be planted for.
async fn book(served: &Served, agree: usize) {
    let mut orders: Vec<pb::Order> = (0..agree).map(|n| order(&format!("a{n}"), "2026-07-15", "310101")).collect();
    for id in ["amount", "rate", "province", "month", "worker", "twice", "missing", "both", "blank"] {
        orders.push(order(id, "2026-07-15", "310101"));
    }
    orders.push(order("rounding", "2026-07-15", "440106"));
    orders.extend(["august", "of-august"].map(|id| order(id, "2026-08-01", "310101")));
    let cancelled =
        |id| pb::Order { end_kind: pb::EndKind::CancelledByCustomer.into(), ..order(id, "2026-07-15", "310101") };
    orders.extend([
        cancelled("cancelled"),
        cancelled("cancelled-charged"),
        cancelled("cancelled-unlisted"),
        cancelled("cancelled-at-rate"),
    ]);
    let open = |id| pb::Order { ended_at: None, end_kind: 0, ..order(id, "2026-07-15", "310101") };
    orders.extend([open("open"), open("open-unlisted")]);
    let reversed = ["reversed", "reversed-unlisted"].map(|id| order(id, "2026-07-15", "310101"));
    orders.extend(reversed.clone());
    served.book(orders).await;
    for order in reversed {
        let key = pb::OrderKey {
            platform_code: order.platform_code,
            order_id: order.order_id.clone(),
            assignment_no: 1,
        };
        let request = pb::ReverseOrderRequest {
            request_id: format!("r-{}", order.order_id),
            key: Some(key),
            reversal_reason: pb::ReversalReason::WrongData.into(),
            ..Default::default()
        };
        served.intake().reverse_order(request).await.unwrap();
    }
}

/// The file, and what is to be found.
fn file(agree: usize) -> (String, BTreeSet<(&'static str, u64, String, String)>) {
    let mut file = "平台,订单号,骑手,省份,月份,单价,保费,备注\n".to_owned();
    let mut expected = BTreeSet::new();
    let mut row = 1;
    let mut put = |id: &str, change: &dyn Fn(&mut Vec<String>), kinds: &[&'static str]| {
        let cells = ["MEITUAN", id, WORKER, "31", "2026-07", "0.07", "0.07", "x"];
        let mut cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        change(&mut cells);
        file.push_str(&(cells.join(",") + "\n"));
        row += 1;
        expected.extend(kinds.iter().map(|kind| (*kind, row, id.to_owned(), String::new())));
    };
    let set = |place: usize, text: &'static str| move |cells: &mut Vec<String>| cells[place] = text.to_owned();
    let same = |_: &mut Vec<String>| {};
    put("a0", &set(3, "上海市"), &[]);
    for n in 1..agree {
        put(&format!("a{n}"), &same, &[]);
    }
    put("amount", &set(6, "0.08"), &["AMOUNT_DIFF"]);
    put("rate", &set(5, "0.25"), &["RATE_DIFF"]);
    put("province", &set(3, "32"), &["PROVINCE_DIFF"]);
    put("month", &set(4, "2026-08"), &["MONTH_DIFF"]);
    put("worker", &set(2, OTHER_WORKER), &["WORKER_DIFF"]);
    put("twice", &same, &[]);
    put(
        "both",
        &|cells| (cells[2], cells[6]) = (OTHER_WORKER.to_owned(), "0.10".to_owned()),
        &["AMOUNT_DIFF", "WORKER_DIFF"],
    );
    put(
        "rounding",
        &|cells| (cells[3], cells[5], cells[6]) = ("44".to_owned(), "0.084".to_owned(), "0.08".to_owned()),
        &["ROUNDING_ONLY"],
    );
    put("august", &same, &["MONTH_DIFF"]);
    put("cancelled", &|cells| (cells[5], cells[6]) = (String::new(), "0.00".to_owned()), &[]);
    put("cancelled-charged", &set(5, ""), &["AMOUNT_DIFF"]);
    put("open", &set(5, ""), &["AMOUNT_DIFF"]);
    put("reversed", &set(5, ""), &["AMOUNT_DIFF"]);
    put("blank", &set(6, ""), &["AMOUNT_DIFF"]);
    put("cancelled-at-rate", &set(6, "0.00"), &[]);
    put("nowhere", &same, &["MISSING_IN_LEDGER"]);
    put("twice", &same, &["DUPLICATE_AT_SOURCE"]);
    put("nowhere", &same, &["DUPLICATE_AT_SOURCE"]);
    put("of-august", &set(4, "2026-08"), &[]);
    expected.insert(("UNREADABLE_AT_SOURCE", row, "of-august".to_owned(), "月份".to_owned()));
    expected.insert(("MISSING_AT_SOURCE", 0, "missing".to_owned(), String::new()));
    (file, expected)
}

/// Each kind of difference once or several times among a few thousand rows that agree; nothing else is found, and nothing is missed.
async fn find_what_was_planted(served: Served) {
    put_rate(&served).await;
    let agree = 2_500;
    book(&served, agree).await;

    let (file, expected) = file(agree);
    let names = [
        ("platform_code", "平台"),
        ("order_id", "订单号"),
        ("worker_id", "骑手"),
        ("province_code", "省份"),
        ("period", "月份"),
        ("rate", "单价"),
        ("premium", "保费"),
    ];
    let columns =
        names.map(|(column, header)| pb::ColumnName { column: column.to_owned(), header: header.to_owned() });
    let (gbk, _, _) = encoding_rs::GBK.encode(&file);
    let start = pb::ReconcileStart {
        encoding: pb::FileEncoding::Gbk.into(),
        columns: columns.to_vec(),
        ..start("planted", &gbk)
    };
    let answer = served.reconcile(start.clone(), &gbk).await.unwrap();
    assert_eq!(answer.told(), expected);
    assert_eq!(answer.count(Kind::Match), agree as u64 + 3, "those that agree, twice's first, the cancelled ones");
    assert_eq!(answer.result.rows, file.lines().count() as u64 - 1);
    let of = |id: &str| answer.differences.iter().find(|d| d.order_id == id).unwrap();
    let ledger = of("august").ledger.clone().unwrap();
    assert_eq!((ledger.period.as_str(), ledger.premium.as_str()), ("2026-08", "0.07"));
    let duplicate =
        answer.differences.iter().find(|d| name(d.r#type) == "DUPLICATE_AT_SOURCE" && d.order_id == "twice");
    assert_eq!(duplicate.unwrap().first_row, agree as u64 + 7);
    assert_eq!(answer.result.ledger_amount, "175.714", "2,509 × 0.07 and 0.084");

    told_again(&served, start, &answer).await;
    kept(&served, &answer).await;
    served.app.stop().await.unwrap();
}

async fn told_again(served: &Served, start: pb::ReconcileStart, answer: &Answer) {
    // Asked again, it is told again, without the file.
    let again = served.reconcile(start.clone(), &[]).await.unwrap();
    assert_eq!(again.send_from, start.file_bytes);
    assert_eq!((&again.differences, &again.result), (&answer.differences, &answer.result));
    let other = pb::ReconcileStart { source: "insurer".to_owned(), ..start };
    let refused = served.reconcile(other, &[]).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists, "the id was used for something else");
}

/// The run is listed, and what it found; the digest is that of the list.
async fn kept(served: &Served, answer: &Answer) {
    let request = pb::ListReconciliationsRequest::default();
    let listed = served.statements().list_reconciliations(request).await.unwrap().into_inner();
    assert_eq!(listed.reconciliations, std::slice::from_ref(&answer.result));
    let run_no = answer.result.run_no;
    let mut request = pb::ListDifferencesRequest { run_no, ..Default::default() };
    let found = served.statements().list_differences(request.clone()).await.unwrap().into_inner();
    assert_eq!(found.differences, answer.differences);
    assert!(found.next_page_token.is_empty());
    request.r#type = pb::DifferenceType::WorkerDiff.into();
    let found = served.statements().list_differences(request).await.unwrap().into_inner();
    assert_eq!(found.differences.len(), 2);
    let unknown = pb::ListDifferencesRequest { run_no: 99, ..Default::default() };
    assert_eq!(served.statements().list_differences(unknown).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planted_is_found_on_sqlite() {
    find_what_was_planted(Served::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planted_is_found_on_postgres() {
    find_what_was_planted(Served::postgres().await).await;
}

/// Sums by platform, province and industry.
#[tokio::test(flavor = "multi_thread")]
async fn sums_are_compared_with_statements() {
    let served = Served::sqlite().await;
    put_rate(&served).await;
    let mut orders = Vec::new();
    for (area, count) in [("310101", 3), ("320101", 2), ("440106", 4), ("500101", 1)] {
        orders.extend((0..count).map(|n| order(&format!("{area}-{n}"), "2026-07-15", area)));
    }
    orders.push(pb::Order {
        end_kind: pb::EndKind::CancelledByCustomer.into(),
        ..order("cancelled", "2026-07-15", "310101")
    });
    served.book(orders).await;
    let file = "province_code,industry_code,count,premium,rate\n\
                31,instant_delivery,3,0.21,0.07\n\
                江苏省,即时配送,3,0.14,0.25\n\
                44,instant_delivery,4,0.34,0.084\n\
                51,instant_delivery,1,0.07,0.07\n\
                31,instant_delivery,3,0.21,0.07\n\
                99,instant_delivery,3,0.21,0.07\n";
    let start = pb::ReconcileStart {
        level: pb::ReconcileLevel::Count.into(),
        platform_code: "MEITUAN".to_owned(),
        ..start("count", file.as_bytes())
    };
    let answer = served.reconcile(start, file.as_bytes()).await.unwrap();
    let told = |kind, row, column: &str| (kind, row, String::new(), column.to_owned());
    let expected = BTreeSet::from([
        told("MATCH", 2, ""),
        told("COUNT_DIFF", 3, ""),
        told("RATE_DIFF", 3, ""),
        told("ROUNDING_ONLY", 4, ""),
        told("MISSING_IN_LEDGER", 5, ""),
        told("DUPLICATE_AT_SOURCE", 6, ""),
        told("UNREADABLE_AT_SOURCE", 7, "province_code"),
        told("MISSING_AT_SOURCE", 0, ""),
    ]);
    assert_eq!(answer.told(), expected);
    let missing = answer.differences.iter().find(|d| d.row == 0).unwrap().ledger.clone().unwrap();
    assert_eq!((missing.province_code.as_str(), missing.count.as_str()), ("50", "1"));
    served.app.stop().await.unwrap();
}
