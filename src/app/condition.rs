//! The condition of the engine at an instant, from how far reading has come.

use crate::event::{Millis, Span};
use crate::ingest::client::KafkaSettings;
use crate::ingest::progress::Progress;
use crate::ingest::source::Topic;
use crate::live::{Centre, Condition, Lag};

/// What readiness and the engine's own metrics are told from. An age is never negative.
pub fn condition(
    progress: &Progress,
    kafka: &KafkaSettings,
    centre: &Centre,
    now: Millis,
) -> Condition {
    let age = |since: Millis| age(since, now);
    let silence = Topic::ALL.into_iter().filter_map(|topic| {
        let last = progress.last_record(topic)?;
        Some((kafka.topic(topic).to_owned(), age(last)))
    });
    let ahead = Topic::ALL.into_iter().filter_map(|topic| {
        let ahead = progress.ahead(topic, now)?;
        Some((kafka.topic(topic).to_owned(), ahead))
    });
    let owned = progress.owned();
    let partitions = Topic::ALL.into_iter().map(|topic| {
        let of_topic = owned.iter().filter(|source| source.topic == topic);
        (kafka.topic(topic).to_owned(), of_topic.count())
    });
    let lags = progress.lags().into_iter().map(|(source, records)| Lag {
        topic: kafka.topic(source.topic).to_owned(),
        partition: source.partition,
        records,
    });
    Condition {
        unready: progress.unready().map(str::to_owned),
        ending: progress.is_ending(),
        lease_ended: !progress.shows(now),
        shown_from: progress.shown_from(),
        catching_up: !owned.is_empty() && progress.catching_up(),
        shared: progress.is_shared(),
        data_age: progress.known_to().map(age),
        poll_age: progress.last_poll().map(age),
        broker_silence: Some(progress.broker_silence()),
        partitions: partitions.collect(),
        silence: silence.collect(),
        ahead: ahead.collect(),
        lags: lags.collect(),
        instances: instances(centre, now),
        stale_after: Span::ZERO,
    }
}

/// The condition of a viewer: how its reading of the rows stands.
pub fn condition_of_viewer(progress: &Progress, centre: &Centre, now: Millis) -> Condition {
    Condition {
        ending: progress.is_ending(),
        poll_age: centre.last_poll().map(|polled| age(polled, now)),
        broker_silence: Some(progress.broker_silence()),
        instances: instances(centre, now),
        ..Condition::default()
    }
}

fn instances(centre: &Centre, now: Millis) -> Vec<(String, Span, usize)> {
    let seen = &centre.instances().seen;
    let seen = seen
        .iter()
        .map(|seen| (seen.instance.clone(), age(seen.beat, now), seen.rows));
    seen.collect()
}

/// Never negative.
fn age(since: Millis, now: Millis) -> Span {
    (now - since).max(Span::ZERO)
}
