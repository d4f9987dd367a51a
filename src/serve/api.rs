//! `/api/v1/snapshot` and the detail of one queue.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::live::{
    Look, Minutes, NoHistory, OneWindow, QueueKey, Row, RowName, Snapshot, minute_edges, rfc3339,
    row_figures,
};

use super::Served;
use super::query::{Asked, AskedQuery, AskedQueue, check_rung, check_rungs};
use super::refusal::{Refusal, brief};

/// Everything, at one instant.
pub(super) async fn snapshot(
    State(served): State<Arc<Served>>,
    query: AskedQuery,
) -> Result<Response, Refusal> {
    let asked = Asked::of(query)?;
    let look = look(&served, &asked)?;
    let snapshot = Snapshot {
        merged: &look.merged,
        data_age_seconds: look.data_age_seconds(),
        source_silence_seconds: look.source_silence_seconds(),
    };
    match asked.window(&served.live)? {
        None => json(&snapshot),
        Some(window) => json(&OneWindow {
            snapshot,
            window,
            brief: asked.brief(),
        }),
    }
}

/// One queue, with its last hour minute by minute.
pub(super) async fn queue(
    State(served): State<Arc<Served>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    query: AskedQuery,
) -> Result<Response, Refusal> {
    let Ok(Path((client, queue, channel))) = path else {
        return Err(Refusal::bad("the path is not UTF-8"));
    };
    let key = QueueKey {
        client,
        queue,
        channel,
    };
    detail(&served, key, &Asked::of(query)?).await
}

/// The same, named in the query.
pub(super) async fn queue_by_query(
    State(served): State<Arc<Served>>,
    query: Result<Query<AskedQueue>, QueryRejection>,
) -> Result<Response, Refusal> {
    let (key, asked) = AskedQueue::of(query)?;
    detail(&served, key, &asked).await
}

async fn detail(served: &Served, key: QueueKey, asked: &Asked) -> Result<Response, Refusal> {
    let window = asked.window(&served.live)?;
    let look = look_at_queue(served, asked, &key)?;
    let name = RowName::Queue(key.clone());
    let row = find(&look, &name).ok_or_else(|| unknown(&key))?;
    let edges = minute_edges(look.merged.to);
    let live = Arc::clone(&served.live);
    let edges_asked = edges.clone();
    let columns = tokio::task::spawn_blocking(move || live.history(&key, &edges_asked)).await;
    let columns = columns.unwrap_or(Err(NoHistory::NoAnswer));
    json(&Detail {
        at: rfc3339(look.merged.now),
        data_age_seconds: look.data_age_seconds(),
        source_silence_seconds: look.source_silence_seconds(),
        figures: row_figures(row, &look.merged, window),
        last_hour: columns.as_deref().ok().map(|columns| Minutes {
            row,
            edges: &edges,
            columns,
        }),
        last_hour_absent: columns.as_ref().err().map(ToString::to_string),
    })
}

/// The answer about one queue.
#[derive(Serialize)]
struct Detail<'a, F: Serialize> {
    at: String,
    data_age_seconds: Option<f64>,
    source_silence_seconds: Option<f64>,
    #[serde(flatten)]
    figures: F,
    /// `null` when it is not known.
    last_hour: Option<Minutes<'a>>,
    /// Why `last_hour` is `null`, in words; `null` otherwise.
    last_hour_absent: Option<String>,
}

/// The figures, with the threshold asked for.
fn look(served: &Served, asked: &Asked) -> Result<Look, Refusal> {
    let look = served.live.look()?;
    let Some(threshold) = asked.threshold()? else {
        return Ok(look);
    };
    check_rungs(threshold, &look.merged)?;
    Ok(served.live.look_at_threshold(threshold)?)
}

/// The same for one queue: the threshold must be a rung of its channel only.
fn look_at_queue(served: &Served, asked: &Asked, key: &QueueKey) -> Result<Look, Refusal> {
    let entry = served
        .live
        .registry()
        .find(key)
        .ok_or_else(|| unknown(key))?;
    let Some(threshold) = asked.threshold()? else {
        return Ok(served.live.look()?);
    };
    check_rung(threshold, &entry)?;
    Ok(served.live.look_at_threshold(threshold)?)
}

fn find<'a>(look: &'a Look, name: &RowName) -> Option<&'a Row> {
    let queues = &look.merged.queues;
    let place = queues.binary_search_by(|row| (*row.name).cmp(name)).ok()?;
    queues.get(place)
}

fn unknown(key: &QueueKey) -> Refusal {
    Refusal::not_found(format!(
        "there is no queue {}/{}/{}",
        brief(&key.client),
        brief(&key.queue),
        brief(&key.channel)
    ))
}

/// Any value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Refusal> {
    let text = serde_json::to_vec(value)
        .map_err(|_| Refusal::failed("the figures could not be written as JSON"))?;
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, text).into_response())
}
