//! The last hour of a queue, asked of real workers over the router.

use std::sync::mpsc::Receiver;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::app::engine::{Channels, share, start_workers};
use crate::app::kafka_settings;
use crate::app::threads::Threads;
use crate::config::Config;
use crate::event::Span;
use crate::ingest::batch::Batch;
use crate::ingest::source::Source;
use crate::ingest::start::{Reach, Start};

const START: Start = Start {
    offset: 0,
    end: 0,
    reach: Reach::Everything,
};

/// Hands a partition with contacts queued at these instants to a worker.
fn feed(shared: &Shared, worker: &SyncSender<Order>, source: Source, queued: &[Millis]) {
    let progress = shared.progress.take(source, &START, clock::now());
    let mut batch = Batch::new(source);
    for (offset, at) in (0..).zip(queued) {
        let id = format!("{source} {offset}");
        let record = format!(
            r#"{{"id":"{id}","type":"contact.queued","time":{},"contact_id":"{id}","client_id":"acme","queue_id":"sales","channel":"voice"}}"#,
            at.0
        );
        batch.push(offset, Some(record.as_bytes()), Some(*at));
    }
    let orders = [
        Order::Take {
            source,
            start: START,
            progress,
            restored: None,
        },
        Order::Records(batch),
        Order::CaughtUp(source),
    ];
    for order in orders {
        worker.send(order).unwrap();
    }
}

/// The group gives this process its partitions.
fn give(shared: &Shared) {
    let (mut lease, moment) = shared.progress.lease(clock::now());
    lease.given(moment);
}

/// Returns when a worker has done all that it was told.
fn wait_for(worker: &SyncSender<Order>) {
    let (done, waits) = sync_channel(1);
    let question = Question(Box::new(move |_: &Shard| done.send(()).unwrap()));
    worker.send(Order::Ask(question)).unwrap();
    waits.recv().unwrap();
}

#[test]
fn a_source_far_ahead_of_the_clock_is_told_and_no_window_is_complete() {
    let mut config = Config::defaults().unwrap();
    config.workers = 1;
    let shared = share(&config, kafka_settings(&config.kafka)).unwrap();
    let mut threads = Threads::default();
    let Channels { inboxes, .. } = start_workers(&shared, &mut threads).unwrap();
    shared.ticks.advance(clock::now());
    let most = config.state.ahead_most();
    let now = clock::now();
    for (partition, ahead) in [(0, most), (1, Span::hours(2))] {
        let topic = Topic::Contact;
        let source = Source { topic, partition };
        feed(&shared, &inboxes[0], source, &[now + ahead]);
        wait_for(&inboxes[0]);
        let about = condition(&shared.progress, &shared.kafka, &shared.centre, now);
        assert_eq!(about.ahead, [("contact-events".to_owned(), ahead)]);
        let complete = coverage(&shared).complete("voice", now - Span::minutes(30));
        assert_eq!(complete, ahead == most, "{partition}");
        assert!(about.data_age.is_some_and(|age| age < Span::minutes(1)));
    }
    // When the clock has come so far, it is over.
    let then = now + Span::hours(2) - most;
    assert_eq!(known_since(&shared, Topic::Contact, then), Millis::MIN);
}

#[tokio::test]
async fn the_last_hour_adds_up_what_all_workers_know() {
    let mut config = Config::defaults().unwrap();
    config.workers = 2;
    let shared = share(&config, kafka_settings(&config.kafka)).unwrap();
    let mut threads = Threads::default();
    let Channels { inboxes, .. } = start_workers(&shared, &mut threads).unwrap();
    let now = clock::now();
    let ago = |minutes: i64| now - Span::minutes(minutes);
    let past: [&[Millis]; 2] = [&[ago(90), ago(20)], &[ago(20), ago(19), ago(3)]];
    for ((partition, queued), worker) in (0..).zip(past).zip(&inboxes) {
        let topic = Topic::Contact;
        feed(&shared, worker, Source { topic, partition }, queued);
    }
    inboxes.iter().for_each(wait_for);
    shared.progress.set_queues_read();
    give(&shared);
    shared.progress.polled(clock::now());
    shared.ticks.advance(clock::now());
    for worker in &inboxes {
        worker.send(Order::Wake).unwrap();
        wait_for(worker);
    }
    let request = Request::get("/api/v1/queues/acme/sales/voice");
    let request = request.body(Body::empty()).unwrap();
    let router = router(&shared, inboxes);
    let answer = router.oneshot(request).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let detail: Value = serde_json::from_slice(&body).unwrap();
    let minutes = detail["last_hour"].as_array().unwrap();
    let offered = minutes
        .iter()
        .filter_map(|minute| minute["offered"].as_i64());
    let offered: Vec<i64> = offered.filter(|count| *count > 0).collect();
    assert_eq!((minutes.len(), offered), (60, vec![2, 1, 1]));
}

#[test]
fn a_worker_that_does_not_answer_in_time_leaves_no_hour() {
    let key = QueueKey::new("acme", "sales", "voice");
    let edges = [Millis(0), Millis(60_000)];
    let ask =
        |workers: &[SyncSender<Order>]| history(workers, &key, &edges, Duration::from_millis(20));
    let (deaf, _inbox): (_, Receiver<Order>) = sync_channel(1);
    assert_eq!(ask(std::slice::from_ref(&deaf)), None);
    // its inbox is full now
    assert_eq!(ask(&[deaf]), None);
    let (gone, _) = sync_channel(1);
    assert_eq!(ask(&[gone]), None);
}

#[test]
fn while_the_group_changes_the_assignment_what_was_shown_stands_and_without_partitions_nobody_catches_up()
 {
    let config = Config::defaults().unwrap();
    let shared = share(&config, kafka_settings(&config.kafka)).unwrap();
    give(&shared);
    let alone = || cluster::standing(&shared) == Standing::Alone;
    let catching_up = || {
        let told = condition(
            &shared.progress,
            &shared.kafka,
            &shared.centre,
            clock::now(),
        );
        told.catching_up
    };
    // as a member of a full group, or between two assignments
    assert!(!alone() && !catching_up());
    let topic = Topic::Contact;
    let source = Source {
        topic,
        partition: 0,
    };
    let progress = shared.progress.take(source, &START, clock::now());
    assert!(alone() && catching_up());
    progress.caught_up();
    assert!(alone() && !catching_up());
    // another member joins: this one has its partitions until it has let go of them
    shared.progress.set_changing(true);
    assert!(!alone() && shared.progress.shows(clock::now()));
    shared.progress.set_changing(false);
    assert!(alone());
}
