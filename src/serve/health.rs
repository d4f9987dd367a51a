//! `/healthz`: the process answers. `/readyz`: its figures can be relied on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Served;

/// Always 200.
pub(super) async fn alive() -> Response {
    Json(json!({ "alive": true })).into_response()
}

/// 200, or 503 with the reason.
pub(super) async fn ready(State(served): State<Arc<Served>>) -> Response {
    match served.live.look() {
        Ok(look) if !look.stale => Json(json!({ "ready": true })).into_response(),
        Ok(look) => unready(&look.condition.unready.unwrap_or_default()),
        Err(absent) => unready(&absent.to_string()),
    }
}

fn unready(why: &str) -> Response {
    let body = json!({ "ready": false, "error": why });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
