//! The address for operators: `/metrics`, `/livez`, `/readyz`. Plain HTTP, apart from the ledger's own address.

use super::Metrics;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What OpenMetrics text is called.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the address is not served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {0}: {1}")]
pub struct EndpointError(pub SocketAddr, pub std::io::Error);

/// What the probes tell.
#[derive(Clone, Debug)]
pub struct Probes {
    /// Ready to serve. Alive is who answers.
    pub ready: watch::Receiver<bool>,
    /// True: the service is stopping.
    pub stopping: watch::Receiver<bool>,
}

/// Opens the address, and serves until the service has stopped; where it is served.
pub async fn serve(listen: SocketAddr, metrics: Metrics, probes: Probes) -> Result<SocketAddr, EndpointError> {
    let failed = |error| EndpointError(listen, error);
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let Probes { ready, mut stopping } = probes;
    let router = Router::new()
        .route("/metrics", get(async move || ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text())))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move || readiness(*ready.borrow())));
    // Serves through a drain: an operator watches it too. Its owner is gone when the sender is.
    let stopped = async move { while stopping.changed().await.is_ok() {} };
    tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
    Ok(address)
}

fn readiness(ready: bool) -> impl IntoResponse {
    if ready { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}
