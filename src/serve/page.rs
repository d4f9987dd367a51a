//! The wallboard: every queue, live. A page, its style and its modules, all in the binary; nothing from
//! outside, no build step.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;

const PAGE: &str = include_str!("wallboard/board.html");
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// What the page loads from `/wallboard/`: name, type, text.
pub(super) const FILES: [(&str, &str, &str); 11] = [
    ("agents.js", SCRIPT, include_str!("wallboard/agents.js")),
    ("board.css", STYLE, include_str!("wallboard/board.css")),
    ("board.js", SCRIPT, include_str!("wallboard/board.js")),
    ("detail.js", SCRIPT, include_str!("wallboard/detail.js")),
    ("figures.js", SCRIPT, include_str!("wallboard/figures.js")),
    ("hours.js", SCRIPT, include_str!("wallboard/hours.js")),
    ("list.js", SCRIPT, include_str!("wallboard/list.js")),
    ("plot.js", SCRIPT, include_str!("wallboard/plot.js")),
    ("queue.js", SCRIPT, include_str!("wallboard/queue.js")),
    ("stream.js", SCRIPT, include_str!("wallboard/stream.js")),
    ("view.js", SCRIPT, include_str!("wallboard/view.js")),
];
/// Only files of our own; names of customers' queues that look like markup stay text.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; style-src 'self'; \
     script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The page.
pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, PAGE).into_response()
}

/// One of the files that it loads.
pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Refusal> {
    FILES
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(_, kind, text)| ([(header::CONTENT_TYPE, *kind)], *text).into_response())
        .ok_or_else(|| Refusal::not_found("there is no such file"))
}
