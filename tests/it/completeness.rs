//! A platform's own counts by hour against the ledger's: what is counted is counted once, however it was told and folded.

use crate::served::{Served, order, time};
use pb::audit_service_client::AuditServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::types::Instant;
use std::collections::BTreeMap;
use tonic::Code;

const DAY: &str = "2026-07-15";

fn at(clock: &str) -> Option<prost_types::Timestamp> {
    time(&format!("{DAY}T{clock}:00+08:00"))
}

fn event(id: &str, accepted: &str, ended: Option<&str>) -> pb::Order {
    let kind = if ended.is_some() { pb::EndKind::Completed } else { pb::EndKind::Unspecified };
    let ended_at = ended.and_then(at);
    pb::Order { accepted_at: at(accepted), ended_at, end_kind: kind.into(), ..order(id, DAY, "310101") }
}

/// Counts by hour, made from the events themselves: the ended event's acceptance, else the open one's.
fn counted(events: &[pb::Order]) -> BTreeMap<i64, (u64, u64)> {
    let mut keys: BTreeMap<&str, (i64, Option<i64>)> = BTreeMap::new();
    let seconds = |at: &Option<prost_types::Timestamp>| at.as_ref().map(|at| at.seconds / 3_600);
    for event in events {
        let told = (seconds(&event.accepted_at).unwrap(), seconds(&event.ended_at));
        let held = keys.entry(&event.order_id).or_insert(told);
        if held.1.is_none() {
            *held = told;
        }
    }
    let mut hours: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for (accepted, ended) in keys.into_values() {
        hours.entry(accepted).or_default().0 += 1;
        if let Some(ended) = ended {
            hours.entry(ended).or_default().1 += 1;
        }
    }
    hours
}

async fn report(served: &Served, id: &str, hourly: &[(&str, u64, u64)]) {
    let count = |(hour, accepted, ended): &(&str, u64, u64)| pb::HourlyCount {
        hour: at(hour),
        accepted: *accepted,
        ended: *ended,
    };
    let request = pb::ReportWatermarkRequest {
        request_id: id.to_owned(),
        platform_code: "MEITUAN".to_owned(),
        watermark: at("15:00"),
        hourly: hourly.iter().map(count).collect(),
    };
    served.intake().report_watermark(request).await.unwrap();
}

async fn list(
    served: &Served,
    include_complete: bool,
) -> Vec<(String, pb::HourState, Option<u64>, u64, u64, u64)> {
    let request = pb::ListCompletenessRequest {
        platform_code: "MEITUAN".to_owned(),
        from: at("09:00"),
        to: at("18:00"),
        include_complete,
    };
    let mut client = AuditServiceClient::new(served.channel.clone());
    let response = client.list_completeness(request).await.unwrap().into_inner();
    assert_eq!(response.watermark, at("15:00"));
    let told = |hour: pb::HourCompleteness| {
        let begin = hour.hour.unwrap();
        let begin = Instant::from_parts(begin.seconds, 0).unwrap().to_string();
        let state = hour.state();
        (
            begin[11..16].to_owned(),
            state,
            hour.reported_accepted,
            hour.report_no,
            hour.booked_accepted,
            hour.booked_ended,
        )
    };
    response.hours.into_iter().map(told).collect()
}

/// Events in the order told, by batches; a key's OPEN and end fall into one batch, one fold, or far apart.
fn batches() -> Vec<Vec<pb::Order>> {
    let mut batches = Vec::new();
    let open = |n: usize| event(&format!("o{n}"), &format!("1{}:{:02}", n % 4, n), None);
    let ended =
        |n: usize| event(&format!("o{n}"), &format!("1{}:{:02}", n % 4, n), Some(&format!("1{}:59", n % 4)));
    batches.push((0..12).map(open).collect());
    batches.push((0..6).map(ended).collect());
    batches.push((12..30).flat_map(|n| [open(n), ended(n)]).collect());
    // The end first, the OPEN afterwards.
    batches.push((30..36).map(ended).collect());
    batches.push((30..34).map(open).collect());
    // The two disagree about the hour of acceptance: the ended event's counts.
    batches.push(vec![event("late", "10:59", None), event("early", "12:01", Some("12:40"))]);
    batches.push(vec![event("late", "11:01", Some("11:30")), event("early", "11:58", None)]);
    batches.push((6..9).map(ended).collect());
    batches
}

async fn compare_hours(served: Served) {
    let (mut all, store) = (Vec::new(), served.app.store().clone());
    let elsewhere = pb::Order { platform_code: "ELEME".to_owned(), ..event("o1", "10:30", Some("10:40")) };
    served.book(vec![elsewhere]).await;
    for (n, batch) in batches().into_iter().enumerate() {
        served.book(batch.clone()).await;
        all.extend(batch);
        // Some is folded, up to the second level; some is not.
        if n % 3 == 1 {
            store.seal_booked().await.unwrap();
            while store.fold_totals(7).await.unwrap() {}
        }
        // With nothing to say of hours: they are listed all the same.
        report(&served, &format!("mark-{n}"), &[]).await;
        let listed = list(&served, true).await.into_iter().filter(|hour| (hour.4, hour.5) != (0, 0));
        let booked: BTreeMap<i64, (u64, u64)> =
            listed.map(|hour| (hour_number(&hour.0), (hour.4, hour.5))).collect();
        assert_eq!(booked, counted(&all), "after batch {n}");
    }
    corrections_change_no_count(&served, &all).await;
    states(&served, &all).await;
    wrong_questions(&served).await;
    served.app.stop().await.unwrap();
}

fn hour_number(clock: &str) -> i64 {
    at(clock).unwrap().seconds / 3_600
}

async fn corrections_change_no_count(served: &Served, all: &[pb::Order]) {
    let before = list(served, true).await;
    let key =
        |id: &str| pb::OrderKey { platform_code: "MEITUAN".to_owned(), order_id: id.to_owned(), assignment_no: 1 };
    let reverse = pb::ReverseOrderRequest {
        request_id: "reverse".to_owned(),
        key: Some(key("o2")),
        reversal_reason: pb::ReversalReason::Other.into(),
        ..Default::default()
    };
    served.intake().reverse_order(reverse).await.unwrap();
    let got = served.intake().get_order(pb::GetOrderRequest { key: Some(key("o3")) }).await.unwrap().into_inner();
    let line = got.lines.iter().find(|line| line.kind() == pb::LineKind::Charge).unwrap();
    let correct = pb::CorrectOrderRequest {
        request_id: "correct".to_owned(),
        line_id: line.line_id.clone(),
        order: Some(event("o3", "11:03", Some("12:10"))),
        reversal_reason: pb::ReversalReason::WrongData.into(),
    };
    served.intake().correct_order(correct).await.unwrap();
    // A replay, and another version: neither is a further order.
    let again = vec![all[0].clone(), event("o4", "14:00", Some("14:10"))];
    let request = pb::RecordOrdersRequest { batch_id: String::new(), orders: again };
    let results = served.intake().record_orders(request).await.unwrap().into_inner().results;
    let outcomes: Vec<pb::Outcome> = results.iter().map(pb::OrderResult::outcome).collect();
    assert_eq!(outcomes, [pb::Outcome::Replayed, pb::Outcome::Conflict]);
    served.app.store().seal_booked().await.unwrap();
    while served.app.store().fold_totals(3).await.unwrap() {}
    assert_eq!(list(served, true).await, before);
}

async fn states(served: &Served, all: &[pb::Order]) {
    use pb::HourState::{Complete, Excess, Missing, NotReported, Short};
    let held = counted(all);
    let own = |clock: &str| held[&hour_number(clock)];
    let (ten, eleven, twelve, thirteen) = (own("10:00"), own("11:00"), own("12:00"), own("13:00"));
    report(served, "first", &[("10:00", 999, 999), ("12:00", twelve.0 + 1, twelve.1)]).await;
    // The newest count of an hour is compared; what a report leaves out stays as it was told before.
    let newest =
        [("10:00", ten.0, ten.1), ("13:00", thirteen.0, thirteen.1 - 1), ("14:00", 3, 0), ("16:00", 0, 0)];
    report(served, "second", &newest).await;
    let second = batches().len() as u64 + 2;
    let told = |clock: &str, state, reported: Option<u64>, report_no, (accepted, ended)| {
        (clock.to_owned(), state, reported, report_no, accepted, ended)
    };
    let differing = vec![
        told("09:00", NotReported, None, 0, (0, 0)),
        told("11:00", NotReported, None, 0, eleven),
        told("12:00", Short, Some(twelve.0 + 1), second - 1, twelve),
        told("13:00", Excess, Some(thirteen.0), second, thirteen),
        told("14:00", Missing, Some(3), second, (0, 0)),
    ];
    assert_eq!(list(served, false).await, differing);
    let mut with_complete = differing;
    with_complete.insert(1, told("10:00", Complete, Some(ten.0), second, ten));
    with_complete.push(told("16:00", Complete, Some(0), second, (0, 0)));
    assert_eq!(list(served, true).await, with_complete);
}

async fn wrong_questions(served: &Served) {
    let whole = pb::ListCompletenessRequest {
        platform_code: "MEITUAN".to_owned(),
        from: at("09:00"),
        to: at("10:00"),
        include_complete: false,
    };
    let wrong = [
        pb::ListCompletenessRequest { platform_code: String::new(), ..whole.clone() },
        pb::ListCompletenessRequest { platform_code: "NOBODY".to_owned(), ..whole.clone() },
        pb::ListCompletenessRequest { from: None, ..whole.clone() },
        pb::ListCompletenessRequest { from: at("09:01"), ..whole.clone() },
        pb::ListCompletenessRequest { to: at("09:00"), ..whole.clone() },
        pb::ListCompletenessRequest { to: time("2026-08-15T10:00:00+08:00"), ..whole.clone() },
        pb::ListCompletenessRequest { from: time("2022-06-30T23:00:00+08:00"), ..whole },
    ];
    for request in wrong {
        let mut client = AuditServiceClient::new(served.channel.clone());
        let told = format!("{request:?}");
        assert_eq!(client.list_completeness(request).await.unwrap_err().code(), Code::InvalidArgument, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_on_sqlite() {
    compare_hours(Served::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_on_postgres() {
    compare_hours(Served::postgres().await).await;
}
