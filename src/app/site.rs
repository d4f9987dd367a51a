//! What HTTP serves, from what the engine's threads share.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use axum::Router;

use crate::engine::columns::contact;
use crate::event::Millis;
use crate::ingest::kafka::{Order, Question};
use crate::ingest::shard::Shard;
use crate::ingest::source::Topic;
use crate::live::{Coverage, Live, LiveParts, QueueKey, Reading};
use crate::serve;
use crate::telemetry::ExportOptions;
use crate::windows::history::Columns;

use super::clock;
use super::condition::condition;
use super::engine::Shared;
use super::worker::hand_over;

/// How long the workers may take to look into their logs.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Every route.
pub fn router(shared: &Shared, workers: Vec<SyncSender<Order>>) -> Router {
    let (about, covered) = (shared.clone(), shared.clone());
    let live = Live::new(LiveParts {
        registry: Arc::clone(&shared.registry),
        frames: Arc::clone(&shared.frames),
        specs: shared.config.windows.clone().into(),
        coverage: Box::new(move || coverage(&covered)),
        condition: Box::new(move |now| condition(&about.progress, &about.kafka, now)),
        clock: clock::now,
        session_timeout: shared.config.kafka.session_timeout,
        history: Box::new(move |queue, edges| history(&workers, queue, edges, ANSWER_WITHIN)),
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
    Coverage::Live(Reading {
        contacts_since: shared.progress.since(Topic::Contact),
        agents_since: shared.progress.since(Topic::Agent),
        ghost_after: state.ghost_after.clone(),
        ghost_after_other: state.ghost_after_other,
        agent_ttl: state.agent_ttl,
    })
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
