//! What is told of the service while it runs: metrics for Prometheus and over OTLP, traces over OTLP, probes. Knows the words (`types`), the clock and nobody else, so that
//! every room may speak to it. Nothing here waits: a collector that is slow or gone costs spans, never an order.
//!
//! Names are those of OpenTelemetry's semantic conventions (rpc, db), as Prometheus spells them; ours begin with `premium_ledger_`. No span,
//! label or log line names a person or an order: an order is named by a keyed hash.

mod endpoint;
mod export;
mod metrics;
mod process;
mod push;
mod rpc;
mod span;

pub use endpoint::{EndpointError, Probes, serve};
pub use export::{ExportError, OrderKeyHash, Tracer, TracerConfig, system_time};
pub use metrics::{
    Appended, HourLabels, LaneRoom, Lanes, Metrics, OrderLabels, PlatformLabel, PoolLabels, StateLabel,
    TraceLabel, Watched,
};
pub use push::{Push, PushConfig};
pub use rpc::RpcLayer;
pub use span::{RequestSpan, Spans};

/// Metrics, and traces where somebody collects them. Clones are of one.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// Counted always.
    pub metrics: Metrics,
    /// Nothing: no collector is configured, and no span is made.
    pub tracer: Option<Tracer>,
}
