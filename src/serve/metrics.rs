//! `/metrics`: the queues' families, written once a tick and shared by all scrapers, then the
//! engine's own. While there are no figures the queues' families are absent.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::live::{Look, Share};
use crate::telemetry::{ExportOptions, Exposition, resident_bytes};

use super::Served;
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
    text: Arc<str>,
}

impl Scrape {
    pub(super) fn new(options: ExportOptions) -> Self {
        Self(Mutex::new(Written {
            exposition: Exposition::new(options),
            of: None,
            text: Arc::from(""),
        }))
    }

    /// The text of what is shown: written by the first who asks.
    fn text(&self, served: &Served, look: &Look) -> Arc<str> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (look.merged.tick, look.share.clone());
        if written.of.as_ref() != Some(&of) {
            let registry = served.live.registry();
            let exposition = &mut written.exposition;
            let text = exposition.write(&look.merged, registry, &look.share);
            let text: Arc<str> = text.into();
            written.text = text;
            written.of = Some(of);
        }
        Arc::clone(&written.text)
    }
}

/// The scrape.
pub(super) async fn metrics(State(served): State<Arc<Served>>) -> Result<Response, Refusal> {
    let look = served.live.look();
    let condition = match &look {
        Ok(look) => look.condition.clone(),
        Err(_) => served.live.condition(),
    };
    let queues = match &look {
        Ok(look) if !look.stale => served.scrape.text(&served, look),
        Ok(_) | Err(_) => Arc::from(""),
    };
    let engine = served
        .metrics
        .text(&condition, served.live.queues(), resident_bytes())
        .map_err(|_| Refusal::failed("the engine's own metrics could not be written"))?;
    let mut text = String::with_capacity(queues.len() + engine.len());
    text.push_str(&queues);
    text.push_str(&engine);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
