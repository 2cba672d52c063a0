//! The instruments, by name. Each is counted where the thing happens, or set by `watch` for what has to be looked for.

use super::process::Process;
use opentelemetry::trace::SpanContext;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// Seconds of a call, from a quarter of a millisecond on.
const CALL_SECONDS: [f64; 15] =
    [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Orders of a group.
const GROUP_ORDERS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 32.0, 100.0, 316.0, 1_000.0, 3_162.0, 10_000.0, 20_000.0];

/// A gauge of seconds.
type Seconds = Gauge<f64, AtomicU64>;
/// A histogram that points to a trace.
type Traced = HistogramWithExemplars<TraceLabel>;

/// Points to a trace that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TraceLabel {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
}

impl TraceLabel {
    /// Of a span that is kept.
    pub fn of(span: &SpanContext) -> Self {
        Self { trace_id: span.trace_id().to_string(), span_id: span.span_id().to_string() }
    }
}

/// A call of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RpcLabels {
    /// "package.Service/Method".
    pub rpc_method: String,
    /// As gRPC spells it.
    pub rpc_status_code: &'static str,
    /// Always grpc.
    pub rpc_system_name: &'static str,
}

/// What became of orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OrderLabels {
    /// A platform of the registry; empty: one that it does not know.
    pub platform_code: String,
    /// RECORDED, REPLAYED, CONFLICT or REFUSED.
    pub outcome: &'static str,
    /// Of RECORDED and REPLAYED the PremiumReason, of REFUSED the first ViolationCode, of CONFLICT nothing.
    pub reason: &'static str,
}

/// One platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PlatformLabel {
    /// Of the registry.
    pub platform_code: String,
}

/// A platform's hours in a state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HourLabels {
    /// Of the registry.
    pub platform_code: String,
    /// HourState.
    pub state: &'static str,
}

/// Months in a state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabel {
    /// StatementState.
    pub state: &'static str,
}

/// Which lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Lanes {
    /// batch: streams and batches; single: calls of one order.
    pub lanes: &'static str,
}

/// A question or a write of the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Appended {
    /// postgresql or sqlite.
    pub db_system_name: &'static str,
    /// What was asked.
    pub db_operation_name: &'static str,
    /// Empty: done. taken: another writer was first; calendar_moved: a month was frozen meanwhile; unavailable, failed.
    pub error_type: &'static str,
}

/// Connections of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PoolLabels {
    /// writer, reader or background.
    pub db_client_connection_pool_name: &'static str,
    /// idle or used.
    pub db_client_connection_state: &'static str,
}

/// All instruments, behind one count: each call holds them. Clones are of one.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Instruments>);

impl Deref for Metrics {
    type Target = Instruments;

    fn deref(&self) -> &Instruments {
        &self.0
    }
}

/// What is counted, and how it is told.
#[derive(Debug)]
pub struct Instruments {
    registry: Registry,
    rooms: LaneRooms,
    /// Calls of the wire.
    pub calls: Family<RpcLabels, Traced, fn() -> Traced>,
    /// Orders that were answered.
    pub orders: Family<OrderLabels, Counter>,
    /// Events that were received long after they happened.
    pub late: Family<PlatformLabel, Counter>,
    /// From a request's part in a lane's queue to its answer.
    pub answers: Family<PlatformLabel, Histogram, fn() -> Histogram>,
    /// From the lane's queue to its group.
    pub lane_wait: Family<Lanes, Histogram, fn() -> Histogram>,
    /// Orders of a group.
    pub group_orders: Family<Lanes, Histogram, fn() -> Histogram>,
    /// Journals' way into the database, flush included; and their commits.
    pub appends: Family<Appended, Traced, fn() -> Traced>,
    /// Spans of what is kept.
    pub spans: Counter,
    /// Spans that the collector took.
    pub sent_spans: Counter,
    /// What watch sets.
    pub watched: Watched,
}

/// What is looked for every few seconds.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// 1: ready to serve.
    pub ready: Gauge,
    /// 1: durability settings are weak and were let pass.
    pub weak_durability: Gauge,
    /// Age of the registry's snapshot.
    pub registry_age: Seconds,
    /// Its newest row.
    pub registry_revision: Gauge,
    /// Up to when a platform says that it has sent everything.
    pub watermark: Family<PlatformLabel, Seconds>,
    /// A platform's hours of the last day that differ from its own counts.
    pub hours: Family<HourLabels, Gauge>,
    /// Newest seal.
    pub seal: Gauge,
    /// Journals that wait for a seal.
    pub unsealed: Gauge,
    /// Age of the one that waits longest.
    pub seal_lag: Seconds,
    /// Sealed journals that are not folded.
    pub unfolded: Gauge,
    /// Platforms' and provinces' months by state.
    pub periods: Family<StateLabel, Gauge>,
    /// Connections of the pools.
    pub connections: Family<PoolLabels, Gauge>,
    /// Looks that failed.
    pub failures: Counter,
}

impl Default for Instruments {
    fn default() -> Self {
        let calls: fn() -> Traced = || HistogramWithExemplars::new(CALL_SECONDS.into_iter());
        let seconds: fn() -> Histogram = || Histogram::new(CALL_SECONDS);
        let counts: fn() -> Histogram = || Histogram::new(GROUP_ORDERS);
        let mut metrics = Self {
            registry: Registry::default(),
            rooms: LaneRooms::default(),
            calls: Family::new_with_constructor(calls),
            orders: Family::default(),
            late: Family::default(),
            answers: Family::new_with_constructor(seconds),
            lane_wait: Family::new_with_constructor(seconds),
            group_orders: Family::new_with_constructor(counts),
            appends: Family::new_with_constructor(calls),
            spans: Counter::default(),
            sent_spans: Counter::default(),
            watched: Watched::default(),
        };
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        metrics.watched.register(&mut registry);
        metrics.registry = registry;
        metrics
    }
}

impl Instruments {
    fn register(&self, registry: &mut Registry) {
        let info = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("premium_ledger_build", "The program", info);
        registry.register_collector(Box::new(Process));
        registry.register_collector(Box::new(self.rooms.clone()));
        let name = "rpc_server_call_duration";
        registry.register_with_unit(
            name,
            "Calls, from the request to the last byte",
            Unit::Seconds,
            self.calls.clone(),
        );
        registry.register("premium_ledger_orders", "Order events that were answered", self.orders.clone());
        let text = "Order events received more than an hour after they happened";
        registry.register("premium_ledger_late_orders", text, self.late.clone());
        let text = "Requests with orders, or their parts, from the lane's queue to the answer, by the platform of the first order";
        registry.register_with_unit("premium_ledger_answer_duration", text, Unit::Seconds, self.answers.clone());
        let text = "How long a part of a request waited for its lane";
        registry.register_with_unit("premium_ledger_lane_wait", text, Unit::Seconds, self.lane_wait.clone());
        registry.register("premium_ledger_group_orders", "Order events of a group", self.group_orders.clone());
        let text = "Journals, from the first byte to the answer after the flush; and, of those that are more than one statement, the commit alone";
        registry.register_with_unit("db_client_operation_duration", text, Unit::Seconds, self.appends.clone());
        registry.register("premium_ledger_spans", "Spans that were made for the collector", self.spans.clone());
        let text = "Spans that the collector took; the rest waits, or was dropped";
        registry.register("premium_ledger_sent_spans", text, self.sent_spans.clone());
    }

    /// A lane's room, told of from now on.
    pub fn watch_lane(&self, lane: LaneRoom) {
        self.rooms.0.lock().expect("no panic while held").push(lane);
    }

    /// OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing to a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

impl Watched {
    fn register(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, text: &str, gauge: &Gauge| registry.register(name, text, gauge.clone());
        gauge("premium_ledger_ready", "1: migrated, guarded, priced: ready to serve", &self.ready);
        let text = "1: durability settings are weak, and were let pass by --allow-data-loss";
        gauge("premium_ledger_weak_durability", text, &self.weak_durability);
        gauge("premium_ledger_registry_revision", "Number of the registry's newest row", &self.registry_revision);
        gauge("premium_ledger_seal", "Number of the newest sealed journal", &self.seal);
        gauge("premium_ledger_unsealed_journals", "Committed journals without a seal", &self.unsealed);
        gauge("premium_ledger_unfolded_journals", "Sealed journals that no fold of totals holds", &self.unfolded);
        let mut age = |name: &str, text: &str, gauge: &Seconds| {
            registry.register_with_unit(name, text, Unit::Seconds, gauge.clone());
        };
        age("premium_ledger_registry_age", "Since the registry was read last", &self.registry_age);
        age("premium_ledger_seal_lag", "Age of the journal that waits longest for its seal", &self.seal_lag);
        let text = "Up to when a platform says that it has sent everything, since 1970";
        let watermark = self.watermark.clone();
        registry.register_with_unit("premium_ledger_watermark_timestamp", text, Unit::Seconds, watermark);
        let text = "A platform's hours of the last day, by how its own count stands to the ledger's; complete ones are left out";
        registry.register("premium_ledger_hours", text, self.hours.clone());
        let text = "Months of platforms and provinces, by state; open ones are not counted";
        registry.register("premium_ledger_periods", text, self.periods.clone());
        registry.register("db_client_connection_count", "Database connections", self.connections.clone());
        let text = "Looks at the database for these metrics that failed";
        registry.register("premium_ledger_watch_failures", text, self.failures.clone());
    }
}

/// A lane, and what its queue has room for.
#[derive(Clone, Debug)]
pub struct LaneRoom {
    /// Which lanes.
    pub lanes: Lanes,
    /// Number of the lane among those.
    pub lane: usize,
    /// Room left.
    pub room: Arc<Semaphore>,
    /// Room of an empty lane.
    pub whole: usize,
}

#[derive(Clone, Debug, Default)]
struct LaneRooms(Arc<Mutex<Vec<LaneRoom>>>);

impl Collector for LaneRooms {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let text = "Order events that a lane holds, from submit to answer";
        let kind = ConstGauge::new(0_i64).metric_type();
        let mut family = encoder.encode_descriptor("premium_ledger_lane_orders", text, None, kind)?;
        for lane in self.0.lock().expect("no panic while held").iter() {
            let held = lane.whole.saturating_sub(lane.room.available_permits());
            let labels = [("lanes", lane.lanes.lanes.to_owned()), ("lane", lane.lane.to_string())];
            ConstGauge::new(held as i64).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
