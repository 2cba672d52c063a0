//! Metrics on their way to a collector: what `/metrics` tells, every so often, as OTLP's cumulative sums, gauges and histograms, under the names of OpenTelemetry's
//! conventions. Exemplars stay with `/metrics`. A collector that is slow or gone misses a round; the next one holds all the counts.

use super::Metrics;
use super::export::{ExportError, resource};
use crate::clock::Clock;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// How long a collector may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of the service waits for the last round.
const LAST_ROUND: Duration = Duration::from_secs(2);

/// As Prometheus spells it, and as the conventions do.
const SPELLED: [(&str, &str); 11] = [
    ("rpc_server_call_duration", "rpc.server.call.duration"),
    ("db_client_operation_duration", "db.client.operation.duration"),
    ("db_client_connection_count", "db.client.connection.count"),
    ("rpc_method", "rpc.method"),
    ("rpc_status_code", "rpc.status_code"),
    ("rpc_system_name", "rpc.system.name"),
    ("db_system_name", "db.system.name"),
    ("db_operation_name", "db.operation.name"),
    ("db_client_connection_pool_name", "db.client.connection.pool.name"),
    ("db_client_connection_state", "db.client.connection.state"),
    ("error_type", "error.type"),
];

/// Where metrics go.
#[derive(Clone, Debug)]
pub struct PushConfig {
    /// The collector: OTLP over gRPC, as http://127.0.0.1:4317.
    pub endpoint: String,
    /// From one round to the next.
    pub every: Duration,
}

/// Sends metrics until it is stopped.
#[derive(Debug)]
pub struct Push {
    sender: Arc<Sender>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Sender {
    client: MetricsServiceClient<Channel>,
    metrics: Metrics,
    resource: Resource,
    clock: Clock,
    began: u64,
}

impl Push {
    /// Connects when there is something to send.
    ///
    /// # Errors
    /// The endpoint is no address.
    pub fn start(config: PushConfig, metrics: Metrics, clock: Clock) -> Result<Self, ExportError> {
        let endpoint = Endpoint::from_shared(config.endpoint).map_err(|error| ExportError(error.to_string()))?;
        let channel = endpoint.timeout(SEND_TIMEOUT).connect_timeout(SEND_TIMEOUT).connect_lazy();
        let attribute =
            |(key, value): (&opentelemetry::Key, &opentelemetry::Value)| text(key.as_str(), &value.as_str());
        let resource = Resource { attributes: resource().iter().map(attribute).collect(), ..Resource::default() };
        let client = MetricsServiceClient::new(channel);
        let sender = Arc::new(Sender { client, metrics, resource, clock, began: nanos(clock) });
        let task = tokio::spawn(run(sender.clone(), config.every));
        Ok(Self { sender, task })
    }

    /// Sends the last counts, for a moment.
    pub async fn stop(self) {
        self.task.abort();
        // Counts that are lost are no reason to end badly.
        let _ = timeout(LAST_ROUND, self.sender.send()).await;
    }
}

async fn run(sender: Arc<Sender>, every: Duration) {
    let mut rounds = interval_at(Instant::now() + every, every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match sender.send().await {
            Err(status) if status.code() == Code::Unimplemented => {
                tracing::info!("the collector takes no metrics: none are sent to it");
                return;
            }
            Err(status) => tracing::debug!(%status, "the collector did not take the metrics"),
            Ok(()) => {}
        }
    }
}

impl Sender {
    async fn send(&self) -> Result<(), Status> {
        let told = self.metrics.text();
        let metrics =
            families(&told).into_iter().map(|family| family.metric(self.began, nanos(self.clock))).collect();
        let scope = InstrumentationScope {
            name: "premium-ledger".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Default::default()
        };
        let of_scope = ScopeMetrics { scope: Some(scope), metrics, ..Default::default() };
        let of_resource = ResourceMetrics {
            resource: Some(self.resource.clone()),
            scope_metrics: vec![of_scope],
            ..Default::default()
        };
        let request = ExportMetricsServiceRequest { resource_metrics: vec![of_resource] };
        self.client.clone().export(request).await.map(drop)
    }
}

/// One metric of the OpenMetrics text.
#[derive(Debug, Default)]
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    unit: &'a str,
    help: &'a str,
    samples: Vec<Sample<'a>>,
}

type Labels<'a> = Vec<(&'a str, String)>;

#[derive(Debug)]
struct Sample<'a> {
    /// What follows the family's name: "_total", "_bucket", "_sum", "_count", "_info" or nothing.
    suffix: &'a str,
    labels: Labels<'a>,
    value: f64,
}

/// Our own text: as `prometheus-client` writes it.
fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(told) = line.strip_prefix("# ") {
            let mut words = told.splitn(3, ' ');
            let (Some(what), Some(name), Some(rest)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            if families.last().is_none_or(|family| family.name != name) {
                families.push(Family { name, ..Family::default() });
            }
            let Some(family) = families.last_mut() else { continue };
            match what {
                "TYPE" => family.kind = rest,
                "UNIT" => family.unit = rest,
                _ => family.help = rest,
            }
        } else if let Some(family) = families.last_mut()
            && let Some(sample) = sample(line, family.name)
        {
            family.samples.push(sample);
        }
    }
    families
}

fn sample<'a>(line: &'a str, family: &str) -> Option<Sample<'a>> {
    let rest = line.strip_prefix(family)?;
    let (suffix, rest) = rest.split_at(rest.find(['{', ' '])?);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    // Behind the value an exemplar may follow.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { suffix, labels, value })
}

/// `a="b",c="d"}` and what follows.
fn labels(mut rest: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, quoted) = rest.strip_prefix(',').unwrap_or(rest).split_once("=\"")?;
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        let end = loop {
            match chars.next()? {
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (at, '"') => break at + 1,
                (_, other) => value.push(other),
            }
        };
        labels.push((name, value));
        rest = &quoted[end..];
    }
}

impl Family<'_> {
    fn metric(self, began: u64, now: u64) -> Metric {
        let bare = self
            .name
            .strip_suffix(self.unit)
            .and_then(|name| name.strip_suffix('_'))
            .filter(|_| !self.unit.is_empty());
        let data = match self.kind {
            "counter" => metric::Data::Sum(Sum {
                data_points: self.points(began, now),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: true,
            }),
            "histogram" => metric::Data::Histogram(Histogram {
                data_points: self.distributions(began, now),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
            }),
            _ => metric::Data::Gauge(Gauge { data_points: self.points(0, now) }),
        };
        Metric {
            name: spelled(bare.unwrap_or(self.name)).to_owned(),
            description: self.help.to_owned(),
            unit: if self.unit == "seconds" { "s".to_owned() } else { self.unit.to_owned() },
            data: Some(data),
            ..Metric::default()
        }
    }

    fn points(&self, began: u64, now: u64) -> Vec<NumberDataPoint> {
        let point = |sample: &Sample<'_>| NumberDataPoint {
            attributes: attributes(&sample.labels),
            start_time_unix_nano: began,
            time_unix_nano: now,
            value: Some(number_data_point::Value::AsDouble(sample.value)),
            ..NumberDataPoint::default()
        };
        self.samples.iter().map(point).collect()
    }

    /// The samples of one distribution follow each other; its buckets count all that is below their bound.
    fn distributions(&self, began: u64, now: u64) -> Vec<HistogramDataPoint> {
        let mut points: Vec<(Labels<'_>, HistogramDataPoint, u64)> = Vec::new();
        for sample in &self.samples {
            let (bound, of): (Vec<_>, Vec<_>) = sample.labels.iter().cloned().partition(|(name, _)| *name == "le");
            if points.last().is_none_or(|(labels, ..)| *labels != of) {
                let point = HistogramDataPoint {
                    attributes: attributes(&of),
                    start_time_unix_nano: began,
                    time_unix_nano: now,
                    ..HistogramDataPoint::default()
                };
                points.push((of, point, 0));
            }
            let Some((_, point, below)) = points.last_mut() else { continue };
            match (sample.suffix, bound.first().map(|(_, bound)| bound.parse::<f64>())) {
                ("_sum", _) => point.sum = Some(sample.value),
                ("_count", _) => point.count = sample.value as u64,
                (_, Some(Ok(bound))) => {
                    point.bucket_counts.push((sample.value as u64).saturating_sub(*below));
                    *below = sample.value as u64;
                    // The last bucket has no bound.
                    point.explicit_bounds.extend(bound.is_finite().then_some(bound));
                }
                _ => {}
            }
        }
        points.into_iter().map(|(_, point, _)| point).collect()
    }
}

fn attributes(labels: &[(&str, String)]) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| text(spelled(name), value)).collect()
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn spelled(name: &str) -> &str {
    SPELLED.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, theirs)| theirs)
}

fn nanos(clock: Clock) -> u64 {
    u64::try_from(clock.now().micros()).unwrap_or_default() * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_becomes_sums_gauges_and_histograms() {
        let text = "# HELP call_duration_seconds How long.\n# TYPE call_duration_seconds histogram\n# UNIT call_duration_seconds seconds\n\
            call_duration_seconds_sum{a=\"x\\\"y\"} 3.5\ncall_duration_seconds_count{a=\"x\\\"y\"} 4\n\
            call_duration_seconds_bucket{le=\"0.5\",a=\"x\\\"y\"} 1 # {trace_id=\"ab\"} 0.4\n\
            call_duration_seconds_bucket{le=\"1.0\",a=\"x\\\"y\"} 3\ncall_duration_seconds_bucket{le=\"+Inf\",a=\"x\\\"y\"} 4\n\
            # HELP orders Orders.\n# TYPE orders counter\norders_total{error_type=\"\"} 7\n# EOF\n";
        let metrics: Vec<Metric> = families(text).into_iter().map(|family| family.metric(1, 2)).collect();
        let [calls, orders] = &metrics[..] else { panic!("{metrics:?}") };
        assert_eq!((&*calls.name, &*calls.unit, &*calls.description), ("call_duration", "s", "How long."));
        let Some(metric::Data::Histogram(histogram)) = &calls.data else { panic!("{calls:?}") };
        let [point] = &histogram.data_points[..] else { panic!("{histogram:?}") };
        assert_eq!((point.count, point.sum), (4, Some(3.5)));
        assert_eq!((&point.bucket_counts[..], &point.explicit_bounds[..]), (&[1, 2, 1][..], &[0.5, 1.0][..]));
        assert_eq!(point.attributes, [super::text("a", "x\"y")]);
        let Some(metric::Data::Sum(sum)) = &orders.data else { panic!("{orders:?}") };
        assert!(sum.is_monotonic);
        assert_eq!(sum.data_points[0].value, Some(number_data_point::Value::AsDouble(7.0)));
        assert_eq!(sum.data_points[0].attributes, [super::text("error.type", "")]);
    }
}
