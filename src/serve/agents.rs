//! `/api/v1/agents`: who is where. Only where `agents.list` says so.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::live::{AgentsOf, NoAgents};

use super::Served;
use super::api::json;
use super::refusal::Refusal;

/// `?client=`, `?queue=` and `?channel=`, each at most once; what is left out stands for all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedAgents {
    client: Option<String>,
    queue: Option<String>,
    channel: Option<String>,
}

/// The agents who are online or busy, by id.
pub(super) async fn agents(
    State(served): State<Arc<Served>>,
    query: Result<Query<AskedAgents>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Ok(Query(asked)) = query else {
        return Err(Refusal::bad(
            "the query may hold client, queue and channel, each at most once",
        ));
    };
    let of = AgentsOf {
        client: asked.client.as_deref(),
        queue: asked.queue.as_deref(),
        channel: asked.channel.as_deref(),
    };
    json(&served.live.agents(of)?)
}

impl From<NoAgents> for Refusal {
    fn from(none: NoAgents) -> Self {
        match none {
            NoAgents::Off => Self::forbidden(none.to_string()),
            NoAgents::Unknown => Self::not_found(none.to_string()),
            NoAgents::Absent(absent) => absent.into(),
        }
    }
}
