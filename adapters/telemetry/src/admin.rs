//! The admin port: probes and metrics, on a plain socket of its own, because a kubelet has no client certificate.

use std::io;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Metrics, Readiness, Status, Summary};

/// Prometheus' name for its text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers on `listener` until `shutdown`, then finishes the calls in flight.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(readiness, metrics)).with_graceful_shutdown(shutdown).await
}

/// `/livez`: the runtime turns, no more. `/readyz`: 200 if the server should be sent work, 503 if not; the body says
/// why. `/metrics`: for Prometheus.
pub fn router(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics))
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let summary = readiness.summary();
    let code = match summary.status {
        Status::Ready | Status::Degraded => StatusCode::OK,
        Status::NotReady => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], format!("{}\n", body(&summary)))
}

async fn scrape(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], metrics.render())
}

fn body(summary: &Summary) -> Value {
    let checks: Vec<Value> = summary
        .checks
        .iter()
        .map(|(name, check)| json!({ "name": name, "status": check.as_str(), "detail": check.detail() }))
        .collect();
    json!({ "status": summary.status.as_str(), "checks": checks })
}
