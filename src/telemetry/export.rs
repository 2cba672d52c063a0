//! Spans on their way to a collector: SDK's bounded queue and batches, from a thread of its own. A full queue, a slow or an absent collector drops
//! spans and is counted; nobody waits.

use crate::clock::Clock;
use crate::types::{Instant, OrderKey};
use hmac::{Hmac, KeyInit, Mac};
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator, RandomIdGenerator, SpanData, SpanEvents, SpanExporter,
    SpanLinks, SpanProcessor,
};
use prometheus_client::metrics::counter::Counter;
use sha2::Sha256;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Spans that wait for the collector; further ones are dropped.
const QUEUE_SPANS: usize = 32_768;
/// Spans in a message.
const BATCH_SPANS: usize = 2_048;
/// How often what waits is sent.
const SEND_EVERY: Duration = Duration::from_secs(1);
/// How long a collector may take for a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the end of the service waits for the last spans.
const LAST_SPANS: Duration = Duration::from_secs(3);
/// Links of a span; the others are only counted.
const MOST_LINKS: usize = 128;
/// Bytes of an order's keyed hash.
const HASH_BYTES: usize = 16;

/// Names an order to those who hold the key: HMAC-SHA256 over platform, order id and assignment, cut to 16 bytes, in hex.
#[derive(Clone)]
pub struct OrderKeyHash(Hmac<Sha256>);

impl OrderKeyHash {
    /// With a secret of any length.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("a key of any length"))
    }

    /// The name of an order.
    pub fn of(&self, key: &OrderKey) -> String {
        let mut mac = self.0.clone();
        // Codes hold no line's end.
        for part in [key.platform.as_str(), key.order_id.as_str(), &key.assignment_no.to_string()] {
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        let digest = mac.finalize().into_bytes();
        digest[..HASH_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for OrderKeyHash {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderKeyHash")
    }
}

/// Where spans go, and which.
#[derive(Clone, Debug)]
pub struct TracerConfig {
    /// The collector: OTLP over gRPC, as http://127.0.0.1:4317.
    pub endpoint: String,
    /// Share of the requests without a caller's decision whose spans are kept, 0 to 1. Beside it all that are refused, conflicting, slow or failed.
    pub ratio: f64,
    /// Names orders in spans.
    pub order_hash: Option<OrderKeyHash>,
}

/// Spans cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("the collector's address cannot be used: {0}")]
pub struct ExportError(pub(super) String);

/// Makes spans and sends them. Clones are of one.
#[derive(Clone, Debug)]
pub struct Tracer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    ids: RandomIdGenerator,
    /// Ids below it are sampled.
    bound: AtomicU64,
    order_hash: Option<OrderKeyHash>,
    clock: Clock,
    made: Counter,
}

/// A span, as it is put together.
#[derive(Debug)]
pub struct Made {
    pub name: Cow<'static, str>,
    pub kind: SpanKind,
    pub context: SpanContext,
    pub parent: SpanId,
    pub parent_is_remote: bool,
    pub started: Instant,
    pub ended: Instant,
    pub attributes: Vec<KeyValue>,
    pub links: Vec<SpanContext>,
    pub events: Vec<Event>,
    pub status: Status,
}

impl Tracer {
    /// Connects when there is something to send. `made` and `sent` count spans: their difference is what waits or was lost.
    ///
    /// # Errors
    /// The endpoint is no address.
    pub fn start(config: TracerConfig, clock: Clock, made: Counter, sent: Counter) -> Result<Self, ExportError> {
        let exporter =
            OtlpExporter::builder().with_tonic().with_endpoint(config.endpoint).with_timeout(SEND_TIMEOUT);
        let exporter = exporter.build().map_err(|error| ExportError(error.to_string()))?;
        let queue = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_SPANS)
            .with_max_export_batch_size(BATCH_SPANS)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let mut processor =
            BatchSpanProcessor::builder(Counted { exporter, sent }).with_batch_config(queue).build();
        processor.set_resource(&resource());
        Ok(Self(Arc::new(Inner {
            processor,
            scope: InstrumentationScope::builder("premium-ledger").with_version(env!("CARGO_PKG_VERSION")).build(),
            ids: RandomIdGenerator::default(),
            bound: bound(config.ratio).into(),
            order_hash: config.order_hash,
            clock,
            made,
        })))
    }

    /// Another share from now on; see [`TracerConfig::ratio`].
    pub fn set_ratio(&self, ratio: f64) {
        self.0.bound.store(bound(ratio), Ordering::Relaxed);
    }

    /// Now, by the clock of the service.
    pub fn now(&self) -> Instant {
        self.0.clock.now()
    }

    /// A context of its own: in a trace, or in a new one.
    pub fn context(&self, trace: Option<TraceId>, sampled: bool) -> SpanContext {
        let trace = trace.unwrap_or_else(|| self.0.ids.new_trace_id());
        let flags = TraceFlags::default().with_sampled(sampled);
        SpanContext::new(trace, self.0.ids.new_span_id(), flags, false, TraceState::NONE)
    }

    /// Whether a trace is sampled that no caller has decided about; the same for all services that go by its id.
    pub fn samples(&self, trace: TraceId) -> bool {
        let bytes = trace.to_bytes();
        let low = u64::from_be_bytes(bytes[8..].try_into().expect("eight bytes"));
        low >> 1 < self.0.bound.load(Ordering::Relaxed)
    }

    /// The same of one message among the many of a stream.
    pub fn samples_message(&self, span: SpanId) -> bool {
        u64::from_be_bytes(span.to_bytes()) >> 1 < self.0.bound.load(Ordering::Relaxed)
    }

    /// Orders have names in spans.
    pub fn names_orders(&self) -> bool {
        self.0.order_hash.is_some()
    }

    /// The name of an order in spans.
    pub fn order_hash(&self, key: &OrderKey) -> Option<String> {
        self.0.order_hash.as_ref().map(|hash| hash.of(key))
    }

    /// Sends a span, when there is time; never waits.
    pub fn send(&self, made: Made) {
        self.0.made.inc();
        let sampled = made.context.trace_flags().with_sampled(true);
        let (trace, span) = (made.context.trace_id(), made.context.span_id());
        let mut links = SpanLinks::default();
        links.dropped_count = made.links.len().saturating_sub(MOST_LINKS) as u32;
        links.links = made.links.into_iter().take(MOST_LINKS).map(Link::with_context).collect();
        let mut events = SpanEvents::default();
        events.events = made.events;
        self.0.processor.on_end(SpanData {
            span_context: SpanContext::new(trace, span, sampled, false, TraceState::NONE),
            parent_span_id: made.parent,
            parent_span_is_remote: made.parent_is_remote,
            span_kind: made.kind,
            name: made.name,
            start_time: system_time(made.started),
            end_time: system_time(made.ended),
            attributes: made.attributes,
            dropped_attributes_count: 0,
            events,
            links,
            status: made.status,
            instrumentation_scope: self.0.scope.clone(),
        });
    }

    /// Sends what waits, for a moment.
    pub async fn stop(self) {
        // Lost spans are no reason to end badly.
        let _ = tokio::task::spawn_blocking(move || self.0.processor.shutdown_with_timeout(LAST_SPANS)).await;
    }
}

/// Of 63 bits, below which a share of all ids is.
fn bound(ratio: f64) -> u64 {
    (ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64
}

/// As whom the service sends. What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say wins.
pub fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let named =
        Resource::builder_empty().with_attributes([KeyValue::new("service.name", "premium-ledger"), version]);
    let own = Resource::builder().build();
    let known = own
        .iter()
        .filter(|(key, value)| key.as_str() != "service.name" || !value.as_str().starts_with("unknown_service"));
    let known: Vec<_> = known.map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    named.with_attributes(known).build()
}

/// As the SDK has it.
pub fn system_time(instant: Instant) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(instant.micros()).unwrap_or_default())
}

/// Counts what the collector took.
#[derive(Debug)]
struct Counted {
    exporter: OtlpExporter,
    sent: Counter,
}

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let exported = self.exporter.export(batch).await;
        match &exported {
            Ok(()) => drop(self.sent.inc_by(spans)),
            Err(error) => tracing::debug!(%error, spans, "the collector did not take spans"),
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Code;

    #[test]
    fn an_order_has_one_name_for_those_who_hold_the_key() {
        let code = |text: &str| Code::parse(text.to_owned()).unwrap();
        let key = |platform, order_id, assignment_no| OrderKey {
            platform: code(platform),
            order_id: code(order_id),
            assignment_no,
        };
        let hash = OrderKeyHash::new("secret");
        // printf 'MEITUAN\nmy-first\n1\n' | openssl dgst -sha256 -hmac secret
        assert_eq!(hash.of(&key("MEITUAN", "my-first", 1)), "cd991f6b16f7a37a1476412960152b0b");
        assert_ne!(hash.of(&key("MEITUAN", "my-first", 2)), hash.of(&key("MEITUAN", "my-first", 1)));
        assert_ne!(OrderKeyHash::new("other").of(&key("A", "b", 1)), hash.of(&key("A", "b", 1)));
        assert_eq!(format!("{hash:?}"), "OrderKeyHash");
    }
}
