//! The demo: a broker in the process, a simulated contact centre that produces to it, and the engine
//! reading it as it would any other.
//!
//! The first 70 minutes of the centre's day lie before offset 0 of each partition: they are fed
//! straight in, spread as the producer would spread them, so that every window is full at once. The
//! rest comes through the broker, beside whatever any other client produces there.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::event::{Millis, Span};
use crate::ingest::batch::Batch;
use crate::ingest::kafka::Prelude;
use crate::ingest::partitioner::partition_of;
use crate::ingest::source::{self, Source};
use crate::ingest::stop::Stop;
use crate::simulate::{Options, OwnedEvent, Simulation, Topic};

/// What the demo lays over the defaults: nobody is on the line while an e-mail waits.
pub const SETTINGS: (&str, &str) = (
    "of the demo",
    "[[queue]]\nchannel = \"email\"\nthreshold = \"5m\"\n",
);

/// Partitions of the contact and agent topics.
pub const PARTITIONS: i32 = 4;
/// How much of the day has passed when the demo begins: the longest sliding window, and some.
const PAST: Span = Span::minutes(70);
/// Records of one batch of the past.
const BATCH: usize = 1000;
/// How long what is still buffered may take at the end.
const FLUSH: Duration = Duration::from_millis(500);

/// The topics of the in-process broker.
pub fn topics() -> [(&'static str, i32); 3] {
    [
        (Topic::Contacts.name(), PARTITIONS),
        (Topic::Agents.name(), PARTITIONS),
        (Topic::Queues.name(), 1),
    ]
}

/// The centre's day: what has passed, and what is to come.
#[derive(Debug)]
pub struct Day {
    past: BTreeMap<Source, Vec<Batch>>,
    /// What was said of queues in the past; produced first.
    queues: Vec<OwnedEvent>,
    simulation: Simulation,
    next: OwnedEvent,
}

impl Day {
    /// Lives through the day up to `now`.
    pub fn new(seed: u64, now: Millis) -> Self {
        let mut simulation = Simulation::new(&Options::demo(seed, now - PAST));
        let mut past: BTreeMap<Source, Vec<Batch>> = BTreeMap::new();
        let mut queues = Vec::new();
        let next = loop {
            let event = OwnedEvent::from(simulation.next_event());
            if event.sent > now {
                break event;
            }
            match source_of(&event) {
                Some(source) => keep(past.entry(source).or_default(), source, &event),
                None => queues.push(event),
            }
        };
        Self {
            past,
            queues,
            simulation,
            next,
        }
    }

    /// Takes the past, as what comes before the first offset of each partition. It is fed in once.
    pub fn take_past(&mut self) -> Prelude {
        let mut past = std::mem::take(&mut self.past);
        Box::new(move |source| past.remove(&source).unwrap_or_default())
    }

    /// Produces the rest of the day as it happens, until told to stop.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn produce(
        mut self,
        broker: &str,
        stop: &Stop,
        clock: fn() -> Millis,
    ) -> Result<(), KafkaError> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", broker);
        let producer: BaseProducer = config.create()?;
        for event in &self.queues {
            send(&producer, event, stop)?;
        }
        while !stop.is_raised() {
            let early = (self.next.sent - clock()).0;
            if early > 0 {
                producer.poll(Duration::ZERO);
                stop.wait(Duration::from_millis(early.unsigned_abs()));
            } else {
                send(&producer, &self.next, stop)?;
                self.next = OwnedEvent::from(self.simulation.next_event());
            }
        }
        // What is lost now is lost with the broker anyway.
        let _lost = producer.flush(FLUSH);
        Ok(())
    }
}

/// The partition of a counted event; none for what is said of queues.
fn source_of(event: &OwnedEvent) -> Option<Source> {
    let topic = match event.topic {
        Topic::Contacts => source::Topic::Contact,
        Topic::Agents => source::Topic::Agent,
        Topic::Queues => return None,
    };
    let partition = partition_of(&event.key, PARTITIONS);
    Some(Source { topic, partition })
}

/// Appends an event of the past: one with no offset, whose next is 0.
fn keep(batches: &mut Vec<Batch>, source: Source, event: &OwnedEvent) {
    if batches.last().is_none_or(|batch| batch.len() >= BATCH) {
        batches.push(Batch::new(source));
    }
    if let Some(batch) = batches.last_mut() {
        batch.push(-1, Some(&event.json), Some(event.time));
    }
}

fn send(producer: &BaseProducer, event: &OwnedEvent, stop: &Stop) -> Result<(), KafkaError> {
    let partition = source_of(event).map_or(0, |source| source.partition);
    let mut record = BaseRecord::to(event.topic.name())
        .key(&event.key)
        .payload(&event.json)
        .partition(partition)
        .timestamp(event.time.0);
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), returned)) => {
                record = returned;
                producer.poll(Duration::from_millis(20));
                if stop.is_raised() {
                    return Ok(());
                }
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Where an embedded broker's day is told to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    /// The same seed gives the same centre.
    pub seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};

    #[test]
    fn an_e_mail_may_wait_longer_than_a_call() {
        let config = Config::from_layers(Some(SETTINGS), [], &Overrides::default());
        let config = config.expect("right settings");
        let threshold = |channel| config.view_for("acme", "orders", channel).threshold;
        assert_eq!(threshold("email"), Span::minutes(5));
        assert_eq!(threshold("voice"), Span::seconds(20));
    }

    #[test]
    fn the_past_fills_every_partition_and_ends_now() {
        let now = Millis(1_767_603_600_000);
        let mut day = Day::new(7, now);
        assert!(day.next.sent > now);
        assert!(!day.queues.is_empty());
        let mut prelude = day.take_past();
        for topic in source::Topic::ALL {
            for partition in 0..PARTITIONS {
                let source = Source { topic, partition };
                let batches = prelude(source);
                assert!(!batches.is_empty(), "{source} has a past");
                assert!(batches.iter().all(|batch| batch.next == 0));
                let last = batches.iter().filter_map(Batch::last_timestamp).max();
                assert!(last.is_some_and(|last| last <= now));
                assert!(prelude(source).is_empty(), "fed in once");
            }
        }
    }
}
