//! How large a request may be. hyper has limits of its own, some 400 kB for the head and 100 headers,
//! beyond which it closes with a bare 431; these are lower and say what they are.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal::Refusal;

/// The most bytes of a path with its query.
const ADDRESS: usize = 8 * 1024;
/// The most bytes of all headers, names and values.
const HEADERS: usize = 16 * 1024;
/// The most bytes of a body; no request needs one.
pub(super) const BODY: usize = 1024;

/// Refuses what is larger.
pub(super) async fn hold(request: Request, next: Next) -> Result<Response, Refusal> {
    check(&request)?;
    Ok(next.run(request).await)
}

fn check(request: &Request) -> Result<(), Refusal> {
    let address = request.uri().path_and_query();
    let address = address.map_or(0, |address| address.as_str().len());
    let headers = request.headers();
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let limits = [
        (
            address > ADDRESS,
            StatusCode::URI_TOO_LONG,
            "path with its query",
            ADDRESS,
        ),
        (
            bytes > HEADERS,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers",
            HEADERS,
        ),
        (
            length.is_some_and(|length| length > BODY as u64),
            StatusCode::PAYLOAD_TOO_LARGE,
            "body",
            BODY,
        ),
    ];
    match limits.into_iter().find(|(beyond, ..)| *beyond) {
        None => Ok(()),
        Some((_, status, what, most)) => Err(Refusal::too_large(
            status,
            format!("the {what} may have at most {most} bytes"),
        )),
    }
}
