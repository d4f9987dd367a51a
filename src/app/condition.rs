//! The condition of the engine at an instant, from how far reading has come.

use crate::event::{Millis, Span};
use crate::ingest::client::KafkaSettings;
use crate::ingest::progress::Progress;
use crate::ingest::source::Topic;
use crate::live::{Condition, Lag};

/// What readiness and the engine's own metrics are told from. An age is never negative.
pub fn condition(progress: &Progress, kafka: &KafkaSettings, now: Millis) -> Condition {
    let age = |since: Millis| (now - since).max(Span::ZERO);
    let silence = Topic::ALL.into_iter().filter_map(|topic| {
        let last = progress.last_record(topic)?;
        Some((kafka.topic(topic).to_owned(), age(last)))
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
        catching_up: progress.catching_up(),
        shared: progress.is_shared(),
        data_age: progress.known_to().map(age),
        poll_age: progress.last_poll().map(age),
        silence: silence.collect(),
        lags: lags.collect(),
    }
}
