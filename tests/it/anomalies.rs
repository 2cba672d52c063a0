//! Doubtful orders: each kind is found once, others are not, and what is settled is told as such.

use crate::served::{Served, order};
use pb::audit_service_client::AuditServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::clock::Clock;
use premium_ledger::types::Day;
use tonic::Code;

/// Type, order, assignment, the other's platform and order, settled.
type Told = (pb::AnomalyType, String, u32, String, bool);

async fn list(served: &Served, platform: &str, kind: pb::AnomalyType, date: Day) -> Vec<Told> {
    let mut client = AuditServiceClient::new(served.channel.clone());
    let mut request = pb::ListAnomaliesRequest {
        platform_code: platform.to_owned(),
        r#type: kind.into(),
        date: date.to_string(),
        page_size: 1,
        page_token: String::new(),
    };
    let mut told = Vec::new();
    loop {
        let page = client.list_anomalies(request.clone()).await.unwrap().into_inner();
        assert!(!page.truncated);
        for anomaly in page.anomalies {
            assert!(anomaly.accepted_at.is_some());
            let key = anomaly.key.clone().unwrap();
            let other = anomaly.other.clone().map_or(String::new(), |other| {
                format!("{} {} {}", other.platform_code, other.order_id, other.assignment_no)
            });
            told.push((anomaly.r#type(), key.order_id, key.assignment_no, other, anomaly.settled));
        }
        if page.next_page_token.is_empty() {
            return told;
        }
        request.page_token = page.next_page_token;
    }
}

async fn reverse(served: &Served, order_id: &str, assignment_no: u32) {
    let key = pb::OrderKey { platform_code: "MEITUAN".to_owned(), order_id: order_id.to_owned(), assignment_no };
    let request = pb::ReverseOrderRequest {
        request_id: format!("r-{order_id}-{assignment_no}"),
        key: Some(key),
        reversal_reason: pb::ReversalReason::DuplicateTrip.into(),
        ..Default::default()
    };
    served.intake().reverse_order(request).await.unwrap();
}

/// All that is booked by now is looked through.
async fn look(served: &Served, today: Day) {
    let store = served.app.store();
    store.seal_booked().await.unwrap();
    while store.find_anomalies(3, Clock::system().now(), today).await.unwrap() {}
}

fn orders() -> Vec<pb::Order> {
    let of = |id: &str| order(id, "2026-07-15", "310101");
    let open = |id: &str| pb::Order { ended_at: None, end_kind: 0, ..of(id) };
    let assigned = |id: &str, assignment_no, end_kind: pb::EndKind| pb::Order {
        assignment_no,
        end_kind: end_kind.into(),
        ..of(id)
    };
    let sourced = |id: &str, platform: &str, source: &str| pb::Order {
        source_platform_code: platform.to_owned(),
        source_order_id: source.to_owned(),
        ..of(id)
    };
    let carrier = pb::Order { platform_code: "SFCITY".to_owned(), ..of("carried") };
    vec![
        of("plain"),
        // The carrier tells its own order too.
        carrier,
        sourced("trip", "SFCITY", "carried"),
        sourced("trip-alone", "SFCITY", "not-told"),
        // A fresh id for one that was used twice is linked to it, and is no second trip.
        sourced("fresh", "MEITUAN", "plain"),
        assigned("handed-on", 1, pb::EndKind::Reassigned),
        assigned("handed-on", 2, pb::EndKind::Completed),
        assigned("twice", 1, pb::EndKind::Completed),
        assigned("twice", 2, pb::EndKind::Completed),
        assigned("twice", 3, pb::EndKind::Completed),
        open("open"),
        open("open-too"),
        open("open-and-ended"),
        of("open-and-ended"),
    ]
}

async fn find_what_is_doubtful(served: Served) {
    use pb::AnomalyType::{DuplicateTrip, OpenOverdue, OrderIdReused, TwoCompletedAssignments};
    served.book(orders()).await;
    let again = pb::Order { platform_code: "MEITUAN".to_owned(), ..order("plain", "2026-08-15", "310101") };
    let soon = pb::Order {
        worker_id: "00000000-0000-4000-8000-000000000001".to_owned(),
        ..order("fresh", "2026-07-15", "310101")
    };
    let request = pb::RecordOrdersRequest { batch_id: String::new(), orders: vec![again, soon] };
    let results = served.intake().record_orders(request).await.unwrap().into_inner().results;
    assert!(results.iter().all(|result| result.outcome == pb::Outcome::Conflict as i32), "{results:?}");

    let today = Clock::system().now().day();
    look(&served, today).await;
    // Once is enough.
    look(&served, today).await;
    let told = |kind, id: &str, no, other: &str, settled| (kind, id.to_owned(), no, other.to_owned(), settled);
    let trips = [told(DuplicateTrip, "trip", 1, "SFCITY carried 1", false)];
    assert_eq!(list(&served, "MEITUAN", DuplicateTrip, today).await, trips);
    let assignments = |settled| {
        [
            told(TwoCompletedAssignments, "twice", 2, "MEITUAN twice 1", false),
            told(TwoCompletedAssignments, "twice", 3, "MEITUAN twice 1", settled),
            told(TwoCompletedAssignments, "twice", 3, "MEITUAN twice 2", settled),
        ]
    };
    assert_eq!(list(&served, "MEITUAN", TwoCompletedAssignments, today).await, assignments(false));
    let opens = |settled| [told(OpenOverdue, "open", 1, "", settled), told(OpenOverdue, "open-too", 1, "", false)];
    assert_eq!(list(&served, "MEITUAN", OpenOverdue, today).await, opens(false));
    assert_eq!(list(&served, "MEITUAN", OrderIdReused, today).await, [told(OrderIdReused, "plain", 1, "", false)]);
    assert!(list(&served, "SFCITY", DuplicateTrip, today).await.is_empty());

    // A human decides; an end comes late.
    for (id, assignment_no) in [("trip", 1), ("twice", 3), ("plain", 1)] {
        reverse(&served, id, assignment_no).await;
    }
    served.book(vec![order("open", "2026-07-15", "310101")]).await;
    let trips = [told(DuplicateTrip, "trip", 1, "SFCITY carried 1", true)];
    assert_eq!(list(&served, "MEITUAN", DuplicateTrip, today).await, trips);
    assert_eq!(list(&served, "MEITUAN", TwoCompletedAssignments, today).await, assignments(true));
    assert_eq!(list(&served, "MEITUAN", OpenOverdue, today).await, opens(true));
    assert_eq!(list(&served, "MEITUAN", OrderIdReused, today).await, [told(OrderIdReused, "plain", 1, "", true)]);

    let wrong = pb::ListAnomaliesRequest { date: "today".to_owned(), ..Default::default() };
    let refused = AuditServiceClient::new(served.channel.clone()).list_anomalies(wrong).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    served.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn doubtful_orders_on_sqlite() {
    find_what_is_doubtful(Served::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doubtful_orders_on_postgres() {
    find_what_is_doubtful(Served::postgres().await).await;
}
