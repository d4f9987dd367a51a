//! The first page: every queue, live. One file, nothing from outside.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const PAGE: &str = include_str!("wallboard/page.html");
/// Nothing is loaded from anywhere; style and script stand in the page itself.
const POLICY: &str = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; \
     script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The page.
pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, PAGE).into_response()
}
