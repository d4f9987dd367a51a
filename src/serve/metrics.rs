//! `/metrics`: the queues' families, written once a tick, packed at most once, and shared by all
//! scrapers; then the engine's own. While there are no figures the queues' families are absent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::iter;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::live::{Look, Share};
use crate::telemetry::{ExportOptions, Exposition, resident_bytes};

use super::Served;
use super::gzip::{self, Beginning};
use super::refusal::Refusal;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The latest text of the queues' families.
#[derive(Debug)]
pub(super) struct Scrape(Mutex<Written>);

#[derive(Debug)]
struct Written {
    exposition: Exposition,
    /// What the text is of: the tick, and what of it is this process's.
    of: Option<(u64, Share)>,
    text: Arc<Text>,
}

/// A text, and the same packed once somebody has asked for it.
#[derive(Debug, Default)]
struct Text {
    plain: Bytes,
    packed: OnceCell<Beginning>,
}

impl Text {
    /// Packed beside the threads that answer: some 75 MB take half a second.
    async fn packed(&self) -> Result<&Beginning, Refusal> {
        let pack = || async {
            let plain = self.plain.clone();
            spawn_blocking(move || Beginning::new(&plain)).await?
        };
        self.packed.get_or_try_init(pack).await.map_err(unpacked)
    }
}

impl Scrape {
    pub(super) fn new(options: ExportOptions) -> Self {
        Self(Mutex::new(Written {
            exposition: Exposition::new(options),
            of: None,
            text: Arc::default(),
        }))
    }

    /// The text of what is shown: written by the first who asks.
    fn text(&self, served: &Served, look: &Look) -> Arc<Text> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (look.merged.tick, look.share.clone());
        if written.of.as_ref() != Some(&of) {
            let registry = served.live.registry();
            let exposition = &mut written.exposition;
            let text = exposition.write(&look.merged, registry, &look.share);
            let plain = Bytes::copy_from_slice(text.as_bytes());
            written.text = Arc::new(Text {
                plain,
                ..Text::default()
            });
            written.of = Some(of);
        }
        Arc::clone(&written.text)
    }
}

/// The scrape.
pub(super) async fn metrics(
    State(served): State<Arc<Served>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let look = served.live.look();
    let condition = match &look {
        Ok(look) => look.condition.clone(),
        Err(_) => served.live.condition(),
    };
    let queues = match &look {
        Ok(look) if !look.stale => served.scrape.text(&served, look),
        Ok(_) | Err(_) => Arc::default(),
    };
    // what was merged need not live as long as the client reads
    drop(look);
    let engine = served
        .metrics
        .text(&condition, served.live.queues(), resident_bytes())
        .map_err(|_| Refusal::failed("the engine's own metrics could not be written"))?;
    if !gzip::is_taken(&headers) {
        return Ok(answer(queues.plain.clone(), engine.into()));
    }
    let packed = queues.packed().await?;
    let end = packed.end(engine.as_bytes()).map_err(unpacked)?;
    let mut response = answer(packed.packed.clone(), end);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(response)
}

fn unpacked(_: std::io::Error) -> Refusal {
    Refusal::failed("the metrics could not be packed")
}

/// Both parts as they are: the first is shared, not copied.
fn answer(queues: Bytes, engine: Bytes) -> Response {
    let parts = iter([queues, engine].map(Ok::<_, Infallible>));
    (
        [(header::CONTENT_TYPE, CONTENT_TYPE)],
        Body::from_stream(parts),
    )
        .into_response()
}
