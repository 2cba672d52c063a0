//! What is told of the service: traces reach a real collector's interface, metrics count what happened, and nothing of it can hold an order up.

use crate::cluster::Cluster;
use crate::fixture::config;
use crate::ledger::{channel, sqlite};
use crate::served::{WORKER, order};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use pb::intake_service_client::IntakeServiceClient;
use premium_ledger::api::proto as pb;
use premium_ledger::app::App;
use premium_ledger::clock::Clock;
use premium_ledger::config::{Config, Database};
use premium_ledger::telemetry::{OrderKeyHash, PushConfig, TracerConfig};
use premium_ledger::types::{Code, OrderKey};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// The caller's trace, sampled and not.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>, Arc<Mutex<Vec<Vec<Metric>>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_resource in request.into_inner().resource_spans {
            let named = of_resource.resource.unwrap();
            assert_eq!(text(&named.attributes, "service.name"), Some("premium-ledger".to_owned()));
            for of_scope in of_resource.scope_spans {
                self.0.lock().unwrap().extend(of_scope.spans);
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let [of_resource] = &request.into_inner().resource_metrics[..] else { panic!("one service") };
        let named = of_resource.resource.clone().unwrap();
        assert_eq!(text(&named.attributes, "service.name"), Some("premium-ledger".to_owned()));
        let metrics = of_resource.scope_metrics.iter().flat_map(|of_scope| of_scope.metrics.clone()).collect();
        self.1.lock().unwrap().push(metrics);
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (collector, endpoint)
    }

    fn spans(&self, name: &str) -> Vec<Span> {
        self.0.lock().unwrap().iter().filter(|span| span.name == name).cloned().collect()
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    Some(match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash() -> OrderKeyHash {
    OrderKeyHash::new("secret")
}

fn told(endpoint: String, ratio: f64) -> (Config, impl Sized) {
    let (folder, database) = sqlite();
    (told_over(database, endpoint, ratio), folder)
}

fn told_over(database: Database, endpoint: String, ratio: f64) -> Config {
    let traces = Some(TracerConfig { endpoint, ratio, order_hash: Some(hash()) });
    Config { metrics_listen: Some("127.0.0.1:0".parse().unwrap()), traces, ..config(database) }
}

async fn record(app: &App, order: pb::Order, sampled: Option<bool>) -> (pb::Outcome, Option<String>) {
    let mut request = Request::new(pb::RecordOrderRequest { order: Some(order) });
    if let Some(sampled) = sampled {
        let parent = format!("00-{TRACE}-{PARENT}-{:02x}", u8::from(sampled));
        request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    }
    let response = IntakeServiceClient::new(channel(app).await).record_order(request).await.unwrap();
    let given_back = response.metadata().get("traceresponse").map(|value| value.to_str().unwrap().to_owned());
    (response.into_inner().result.unwrap().outcome(), given_back)
}

/// The whole answer of the operators' address.
pub async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_is_followed_from_its_caller_to_sqlite() {
    let (collector, endpoint) = Collector::start().await;
    let (config, _folder) = told(endpoint, 0.0);
    follow(config, collector, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_is_followed_from_its_caller_to_postgres() {
    let (collector, endpoint) = Collector::start().await;
    let cluster = Cluster::shared();
    let database = Database::Postgres(cluster.database().await);
    follow(told_over(database, endpoint, 0.0), collector, "postgresql").await;
}

async fn follow(config: Config, collector: Collector, system: &str) {
    let app = App::start(&config, Clock::system()).await.unwrap();
    let (outcome, given_back) = record(&app, order("followed", "2026-07-15", "310101"), Some(true)).await;
    assert_eq!(outcome, pb::Outcome::Recorded);
    app.stop().await.unwrap();

    let [call] = &collector.spans("premium.ledger.v1.IntakeService/RecordOrder")[..] else { panic!("one call") };
    assert_eq!((hex(&call.trace_id), hex(&call.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(given_back, Some(format!("00-{TRACE}-{}-01", hex(&call.span_id))));
    assert_eq!(text(&call.attributes, "rpc.status_code").as_deref(), Some("OK"));
    let code = |text: &str| Code::parse(text.to_owned()).unwrap();
    let key = OrderKey { platform: code("MEITUAN"), order_id: code("followed"), assignment_no: 1 };
    assert_eq!(text(&call.attributes, "premium_ledger.order.hash"), Some(hash().of(&key)));

    let [lane] = &collector.spans("lane")[..] else { panic!("one lane") };
    assert_eq!((&lane.trace_id, &lane.parent_span_id), (&call.trace_id, &call.span_id));
    let [commit] = &collector.spans("journal commit")[..] else { panic!("one commit") };
    assert_eq!((&lane.links[0].trace_id, &lane.links[0].span_id), (&commit.trace_id, &commit.span_id));
    assert_eq!((&commit.links[0].trace_id, &commit.links[0].span_id), (&lane.trace_id, &lane.span_id));
    assert_eq!(text(&commit.attributes, "premium_ledger.group.orders").as_deref(), Some("1"));
    let [append] = &collector.spans("append journal")[..] else { panic!("one append") };
    assert_eq!((&append.trace_id, &append.parent_span_id), (&commit.trace_id, &commit.span_id));
    assert_eq!(text(&append.attributes, "db.system.name").as_deref(), Some(system));
    let [wait] = &collector.spans("lane wait")[..] else { panic!("one wait") };
    assert_eq!((&wait.trace_id, &wait.parent_span_id), (&lane.trace_id, &lane.span_id));
    for (inner, outer) in [(lane, call), (wait, lane), (append, commit)] {
        let within = outer.start_time_unix_nano <= inner.start_time_unix_nano + 1_000_000
            && inner.end_time_unix_nano <= outer.end_time_unix_nano + 1_000_000;
        assert!(within, "{} lies within {}", inner.name, outer.name);
    }
    assert_eq!(collector.0.lock().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_doubtful_is_kept_and_nobody_is_named() {
    let (collector, endpoint) = Collector::start().await;
    let (config, _folder) = told(endpoint, 0.0);
    let app = App::start(&config, Clock::system()).await.unwrap();
    let sound = order("secret-order", "2026-07-15", "310101");
    let other = pb::Order { accept_area: "440101".to_owned(), ..sound.clone() };
    let refused =
        pb::Order { worker_id: "no-worker".to_owned(), ..order("refused-order", "2026-07-15", "310101") };
    assert_eq!(record(&app, sound.clone(), None).await.0, pb::Outcome::Recorded);
    assert_eq!(record(&app, sound.clone(), Some(false)).await.0, pb::Outcome::Replayed);
    assert_eq!(record(&app, other.clone(), None).await.0, pb::Outcome::Conflict);
    assert_eq!(record(&app, refused.clone(), Some(false)).await.0, pb::Outcome::Refused);
    // In a stream: one message of two.
    let batch = |orders: Vec<pb::Order>| pb::RecordOrdersRequest { batch_id: String::new(), orders };
    let messages = vec![
        batch(vec![order("a", "2026-07-15", "310101")]),
        batch(vec![order("b", "2026-07-15", "310101"), refused]),
    ];
    let mut client = IntakeServiceClient::new(channel(&app).await);
    let mut answers = client.stream_orders(tokio_stream::iter(messages)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    app.stop().await.unwrap();

    let calls = collector.spans("premium.ledger.v1.IntakeService/RecordOrder");
    assert_eq!(calls.len(), 2, "the conflict and the refusal");
    assert_eq!(collector.spans("message").len(), 1);
    let events: Vec<_> = collector.spans("lane").into_iter().flat_map(|span| span.events).collect();
    let outcomes: Vec<_> = events
        .iter()
        .map(|event| {
            let told = |key| text(&event.attributes, key).unwrap_or_default();
            (told("premium_ledger.order.outcome"), told("premium_ledger.order.reason"))
        })
        .collect();
    let pair = |outcome: &str, reason: &str| (outcome.to_owned(), reason.to_owned());
    assert_eq!(outcomes, [pair("CONFLICT", ""), pair("REFUSED", "MALFORMED"), pair("REFUSED", "MALFORMED")]);
    let all = format!("{:?}", collector.0.lock().unwrap());
    for named in [WORKER, "no-worker", "secret-order", "refused-order", "310101"] {
        assert!(!all.contains(named), "{named}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happened() {
    let (_collector, endpoint) = Collector::start().await;
    let (config, _folder) = told(endpoint, 1.0);
    let app = App::start(&config, Clock::system()).await.unwrap();
    let operators = app.metrics_address().unwrap();
    let sound = order("counted", "2026-07-15", "310101");
    for _ in 0..3 {
        record(&app, sound.clone(), None).await;
    }
    record(&app, pb::Order { worker_id: String::new(), ..sound }, None).await;
    let missing = pb::GetOrderRequest::default();
    IntakeServiceClient::new(channel(&app).await).get_order(missing).await.unwrap_err();

    // A method that nobody serves has no name of its own.
    let other = tonic::codegen::http::uri::PathAndQuery::from_static("/no.Service/Method");
    let mut grpc = tonic::client::Grpc::new(channel(&app).await);
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<pb::GetOrderRequest, pb::GetOrderResponse>::default();
    let refused = grpc.unary(Request::new(pb::GetOrderRequest::default()), other, codec).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
    // A call is counted with its last byte, which the caller may have a moment before.
    let mut told = String::new();
    for _ in 0..100 {
        told = get(operators, "/metrics").await;
        if told.contains("rpc_status_code=\"INVALID_ARGUMENT\"") && told.contains("_count{rpc_method=\"premium.ledger.v1.IntakeService/RecordOrder\",rpc_status_code=\"OK\",rpc_system_name=\"grpc\"} 4") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(told.starts_with("HTTP/1.1 200 OK"), "{told}");
    assert!(told.contains("application/openmetrics-text; version=1.0.0"), "{told}");
    for line in [
        "rpc_server_call_duration_seconds_count{rpc_method=\"premium.ledger.v1.IntakeService/RecordOrder\",rpc_status_code=\"OK\",rpc_system_name=\"grpc\"} 4",
        "rpc_server_call_duration_seconds_count{rpc_method=\"premium.ledger.v1.IntakeService/GetOrder\",rpc_status_code=\"INVALID_ARGUMENT\",rpc_system_name=\"grpc\"} 1",
        "rpc_server_call_duration_seconds_count{rpc_method=\"_OTHER\",rpc_status_code=\"UNIMPLEMENTED\",rpc_system_name=\"grpc\"} 1",
        "premium_ledger_orders_total{platform_code=\"MEITUAN\",outcome=\"RECORDED\",reason=\"PRICED\"} 1",
        "premium_ledger_orders_total{platform_code=\"MEITUAN\",outcome=\"REPLAYED\",reason=\"PRICED\"} 2",
        "premium_ledger_orders_total{platform_code=\"MEITUAN\",outcome=\"REFUSED\",reason=\"REQUIRED\"} 1",
        "premium_ledger_late_orders_total{platform_code=\"MEITUAN\"} 1",
        "premium_ledger_answer_duration_seconds_count{platform_code=\"MEITUAN\"} 4",
        "premium_ledger_lane_orders{lanes=\"batch\",lane=\"0\"} 0",
        "premium_ledger_lane_wait_seconds_count{lanes=\"batch\"} 4",
        "premium_ledger_group_orders_sum{lanes=\"batch\"} 4.0",
        "db_client_operation_duration_seconds_count{db_system_name=\"sqlite\",db_operation_name=\"append journal\",error_type=\"\"} 2",
        "db_client_operation_duration_seconds_count{db_system_name=\"sqlite\",db_operation_name=\"commit\",error_type=\"\"} 2",
        "premium_ledger_ready 1",
        "premium_ledger_weak_durability 0",
        "# EOF",
    ] {
        assert!(
            told.lines().any(|own| own == line || own.starts_with(&format!("{line} "))),
            "{line} is not in\n{told}"
        );
    }
    assert!(told.contains("# {trace_id=\""), "an exemplar: {told}");
    assert!(get(operators, "/readyz").await.ends_with("\r\n\r\nready\n"));
    assert!(get(operators, "/livez").await.starts_with("HTTP/1.1 200 OK"));
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_sent_to_a_collector_and_the_last_counts_with_the_stop() {
    let (collector, endpoint) = Collector::start().await;
    let (config, _folder) = told(endpoint.clone(), 0.0);
    let push = Some(PushConfig { endpoint, every: Duration::from_millis(100) });
    let app = App::start(&Config { push, ..config }, Clock::system()).await.unwrap();
    record(&app, order("early", "2026-07-15", "310101"), None).await;
    for _ in 0..100 {
        if collector.1.lock().unwrap().len() > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(collector.1.lock().unwrap().len() > 1, "sent again and again");
    record(&app, order("last", "2026-07-15", "310101"), None).await;
    app.stop().await.unwrap();

    let rounds = collector.1.lock().unwrap();
    let last = rounds.last().unwrap();
    let data = |name: &str| last.iter().find(|metric| metric.name == name).unwrap().data.clone().unwrap();
    let metric::Data::Sum(orders) = data("premium_ledger_orders") else { panic!("a counter") };
    let booked = orders.data_points.iter().find(|point| {
        text(&point.attributes, "platform_code").as_deref() == Some("MEITUAN")
            && text(&point.attributes, "reason").as_deref() == Some("PRICED")
    });
    assert_eq!(booked.unwrap().value, Some(number_data_point::Value::AsDouble(2.0)));
    let metric::Data::Histogram(calls) = data("rpc.server.call.duration") else { panic!("a histogram") };
    let [calls] = &calls.data_points[..] else { panic!("one method, one code: {calls:?}") };
    assert_eq!((calls.count, calls.bucket_counts.iter().sum::<u64>()), (2, 2));
    assert_eq!(calls.bucket_counts.len(), calls.explicit_bounds.len() + 1);
    let method = text(&calls.attributes, "rpc.method");
    assert_eq!(method.as_deref(), Some("premium.ledger.v1.IntakeService/RecordOrder"));
    let metric::Data::Gauge(ready) = data("premium_ledger_ready") else { panic!("a gauge") };
    assert_eq!(ready.data_points.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_costs_nobody_an_order() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (config, _folder) = told(format!("http://{closed}"), 1.0);
    let push = Some(PushConfig { endpoint: format!("http://{closed}"), every: Duration::from_millis(100) });
    let config = Config { push, ..config };
    let app = App::start(&config, Clock::system()).await.unwrap();
    for n in 0..200 {
        assert_eq!(
            record(&app, order(&format!("o{n}"), "2026-07-15", "310101"), None).await.0,
            pb::Outcome::Recorded
        );
    }
    app.stop().await.unwrap();
}
