//! HTTP: `/metrics`, the JSON API, the event stream, health, and the first page. Everything is read
//! from the merged figures of the latest tick; nothing here waits for a worker, the history of one
//! queue excepted.
//!
//! GET and HEAD only. Every error is JSON with one sentence.

mod agents;
mod api;
mod gzip;
mod health;
mod limits;
mod metrics;
mod page;
mod query;
mod refusal;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::routing::get;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::live::Live;
use crate::telemetry::{EngineMetrics, ExportOptions};

use metrics::Scrape;
use refusal::Refusal;
use stream::Events;

/// How long an answer may take before it begins.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What every request is answered from.
#[derive(Debug)]
struct Served {
    live: Arc<Live>,
    metrics: Arc<EngineMetrics>,
    scrape: Scrape,
    events: Events,
}

/// The routes over an engine.
pub fn router(live: Arc<Live>, metrics: Arc<EngineMetrics>, export: ExportOptions) -> Router {
    let served = Arc::new(Served {
        live,
        metrics,
        scrape: Scrape::new(export),
        events: Events::default(),
    });
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/", get(page::page))
        .route("/wallboard/{file}", get(page::file))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/v1/snapshot", get(api::snapshot))
        .route("/api/v1/queues/{client}/{queue}/{channel}", get(api::queue))
        .route("/api/v1/queue", get(api::queue_by_query))
        .route("/api/v1/agents", get(agents::agents))
        .route("/api/v1/stream", get(stream::stream))
        .fallback(async || Refusal::not_found("there is nothing at this path"))
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(RequestBodyLimitLayer::new(limits::BODY))
        .layer(from_fn(limits::hold))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_WITHIN,
        ))
        .with_state(served)
}

#[cfg(test)]
mod tests;
