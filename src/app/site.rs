//! What HTTP serves, from what the engine's threads share.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use axum::Router;

use crate::engine::columns::contact;
use crate::event::Millis;
use crate::ingest::kafka::{Order, Question, hand_over};
use crate::ingest::shard::Shard;
use crate::ingest::source::Topic;
use crate::live::{Condition, Coverage, History, Live, LiveParts, QueueKey, Reading, Standing};
use crate::serve;
use crate::telemetry::ExportOptions;
use crate::windows::history::Columns;

use super::clock;
use super::cluster;
use super::condition::{condition, condition_of_viewer};
use super::engine::Shared;

/// How long the workers may take to look into their logs.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Every route of an instance that ingests.
pub fn router(shared: &Shared, workers: Vec<SyncSender<Order>>) -> Router {
    let (about, stands) = (shared.clone(), shared.clone());
    let condition = move |now| Condition {
        stale_after: about.config.cluster.stale_after,
        ..condition(&about.progress, &about.kafka, &about.centre, now)
    };
    let standing = move || cluster::standing(&stands);
    let history =
        move |queue: &QueueKey, edges: &[Millis]| history(&workers, queue, edges, ANSWER_WITHIN);
    let ways = Ways {
        condition: Box::new(condition),
        standing: Box::new(standing),
        history: Box::new(history),
    };
    routes(shared, ways)
}

/// Every route of a viewer.
pub fn router_of_viewer(shared: &Shared) -> Router {
    let (about, stands) = (shared.clone(), shared.clone());
    let condition = move |now| Condition {
        stale_after: about.config.cluster.stale_after,
        ..condition_of_viewer(&about.progress, &about.centre, now)
    };
    let ways = Ways {
        condition: Box::new(condition),
        standing: Box::new(move || cluster::standing_of_viewer(&stands)),
        history: Box::new(|_, _| None),
    };
    routes(shared, ways)
}

/// What an instance that ingests and a viewer find out in ways of their own.
struct Ways {
    condition: Box<dyn Fn(Millis) -> Condition + Send + Sync>,
    standing: Box<dyn Fn() -> Standing + Send + Sync>,
    history: History,
}

fn routes(shared: &Shared, ways: Ways) -> Router {
    let covered = shared.clone();
    let live = Live::new(LiveParts {
        registry: Arc::clone(&shared.registry),
        frames: Arc::clone(&shared.frames),
        specs: shared.config.windows.clone().into(),
        coverage: Box::new(move || coverage(&covered)),
        condition: ways.condition,
        clock: clock::now,
        session_timeout: shared.config.kafka.session_timeout,
        history: ways.history,
        standing: ways.standing,
        centre: Arc::clone(&shared.centre),
        stale_after: shared.config.cluster.stale_after,
    });
    let export = shared.config.export.clone();
    let export = ExportOptions {
        windows: export.windows,
        families: export.families,
        all_rungs: export.all_rungs,
    };
    serve::router(Arc::new(live), Arc::clone(&shared.metrics), export)
}

fn coverage(shared: &Shared) -> Coverage {
    let state = &shared.config.state;
    let now = clock::now();
    Coverage::Live(Reading {
        contacts_since: known_since(shared, Topic::Contact, now),
        agents_since: known_since(shared, Topic::Agent, now),
        ghost_after: state.ghost_after.clone(),
        ghost_after_other: state.ghost_after_other,
        agent_ttl: state.agent_ttl,
    })
}

/// Since when a topic's records are all counted. Nothing is whole while stream time runs so far ahead
/// that facts of now are lost.
pub(super) fn known_since(shared: &Shared, topic: Topic, now: Millis) -> Millis {
    let ahead = shared.progress.ahead(topic, now);
    if ahead.is_some_and(|ahead| ahead > shared.config.state.ahead_most()) {
        return now;
    }
    shared.progress.since(topic)
}

/// Asks every worker for the past of a queue, and adds up the answers; none if one does not answer
/// in time.
fn history(
    workers: &[SyncSender<Order>],
    queue: &QueueKey,
    edges: &[Millis],
    within: Duration,
) -> Option<Vec<Columns>> {
    let deadline = Instant::now() + within;
    let (answer, answers) = sync_channel(workers.len());
    for worker in workers {
        let (queue, edges, answer) = (queue.clone(), edges.to_vec(), answer.clone());
        let ask = move |shard: &Shard| {
            // Whoever asked may have given up.
            let _ = answer.try_send(shard.history(&queue, &edges));
        };
        let order = Order::Ask(Question(Box::new(ask)));
        if !hand_over(worker, order, deadline) {
            return None;
        }
    }
    let mut sum = vec![[0; contact::WIDTH]; edges.len().saturating_sub(1)];
    for _ in workers {
        let left = deadline.saturating_duration_since(Instant::now());
        for (row, more) in sum.iter_mut().zip(answers.recv_timeout(left).ok()?) {
            for (cell, amount) in row.iter_mut().zip(more) {
                *cell += amount;
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
