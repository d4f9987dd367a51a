//! A worker thread: applies the batches of the partitions that it owns, and publishes a frame at
//! every tick.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use crate::decode::{Limits, decode};
use crate::engine::settings::StateSettings;
use crate::event::{Correction, Discard, Millis};
use crate::ingest::batch::{Batch, Record, is_ahead};
use crate::ingest::client::KafkaSettings;
use crate::ingest::kafka::Order;
use crate::ingest::progress::{Progress, SourceProgress};
use crate::ingest::restore::Restored;
use crate::ingest::shard::Shard;
use crate::ingest::snapshots::SnapshotOrder;
use crate::ingest::source::{Source, Topic};
use crate::ingest::tally::Tally;
use crate::kpi::seconds;
use crate::live::Publisher;
use crate::recovery::encoding;
use crate::recovery::header::{Fingerprint, Header};
use crate::recovery::writer::Encoded;
use crate::telemetry::EngineMetrics;
use crate::windows::frame::Part;

use super::tick::{Tick, Ticks};

/// A worker, before its thread is started.
#[derive(Debug)]
pub struct Worker {
    /// What it is told to do.
    pub inbox: Receiver<Order>,
    /// Batches that are done with go back to the poll thread.
    pub used: SyncSender<Batch>,
    /// Its partitions and tables.
    pub shard: Shard,
    /// What counts.
    pub settings: Arc<StateSettings>,
    /// What is refused before it is decoded.
    pub limits: Limits,
    /// When to publish.
    pub ticks: Arc<Ticks>,
    /// Where to publish.
    pub publisher: Publisher,
    /// Whether all partitions have caught up; nothing is published before.
    pub progress: Arc<Progress>,
    /// For the topics' names.
    pub kafka: Arc<KafkaSettings>,
    /// Where to count.
    pub metrics: Arc<EngineMetrics>,
    /// The partitions that it owns.
    pub owned: BTreeMap<Source, Owned>,
    /// Where its windows end; [`Millis::MIN`] when they have to be built.
    pub shown_to: Millis,
    /// Partitions given or taken away since the last frame.
    pub changes: i64,
    /// Where snapshots go; none if there are none.
    pub snapshots: Option<SyncSender<Encoded>>,
    /// Hash of what counts.
    pub state_hash: u64,
}

/// A partition that the worker owns.
#[derive(Debug)]
pub struct Owned {
    /// Stands for it in the shard.
    number: u32,
    progress: Arc<SourceProgress>,
    /// Oddities that have been counted.
    irregular: [u64; Correction::ALL.len()],
    /// It was told that stream time runs ahead.
    ahead: bool,
    /// The offset after the last record applied.
    next: i64,
    /// The last record applied.
    last: Option<Fingerprint>,
    /// Records applied, those before the restart included.
    records: u64,
    /// How long its latest snapshot was, in bytes.
    encoded: usize,
}

impl Worker {
    /// Works until told to finish, or until nobody is left to tell.
    pub fn run(mut self) {
        let mut published = self.ticks.latest().number;
        while let Ok(order) = self.inbox.recv() {
            let last = matches!(order, Order::Finish);
            self.carry_out(order);
            let tick = self.ticks.latest();
            if tick.number > published && !self.progress.catching_up() {
                self.publish(tick);
                published = tick.number;
            }
            if last {
                break;
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Take {
                source,
                start,
                progress,
                restored,
            } => self.take(source, start.offset, progress, restored),
            Order::Snapshot(order) => self.snapshot(order),
            Order::Records(batch) => self.apply(batch),
            Order::CaughtUp(source) => {
                if let Some(owned) = self.owned.get(&source) {
                    owned.progress.caught_up();
                    tracing::info!(%source, "caught up");
                }
            }
            Order::Drop(source) => {
                if let Some(owned) = self.owned.remove(&source) {
                    self.shard.lose(owned.number);
                    self.shown_to = Millis::MIN;
                }
                self.changes += 1;
            }
            Order::Ask(question) => (question.0)(&self.shard),
            Order::Wake | Order::Finish => {}
        }
    }

    fn take(
        &mut self,
        source: Source,
        next: i64,
        progress: Arc<SourceProgress>,
        restored: Option<Restored>,
    ) {
        let free = |number: &u32| self.owned.values().all(|owned| owned.number != *number);
        let number = (0..u32::MAX).find(free).unwrap_or(u32::MAX);
        let mut owned = Owned {
            number,
            progress,
            irregular: [0; Correction::ALL.len()],
            ahead: false,
            next,
            last: None,
            records: 0,
            encoded: 0,
        };
        match restored {
            Some(restored) => {
                let Restored { partition, header } = restored;
                // They were counted by whoever saw them.
                owned.irregular = *partition.irregular();
                owned.last = header.last;
                owned.records = header.records;
                owned.progress.streamed(partition.stream());
                self.shard.restore(number, *partition);
            }
            None => self.shard.take(number, Arc::clone(&self.settings)),
        }
        self.owned.insert(source, owned);
        self.changes += 1;
        self.shown_to = Millis::MIN;
    }

    /// Encodes a partition's state for the writing thread.
    fn snapshot(&mut self, order: SnapshotOrder) {
        let source = order.source;
        let (Some(snapshots), Some(owned)) = (&self.snapshots, self.owned.get_mut(&source)) else {
            return;
        };
        let Some(partition) = self.shard.partition(owned.number) else {
            return;
        };
        // About as long as the one before: growing by doubling would take twice as much.
        let mut state = Vec::with_capacity(owned.encoded + owned.encoded / 8);
        encoding::encode(partition, &mut state);
        owned.encoded = state.len();
        let header = Header {
            format: u32::from(encoding::FORMAT),
            of: self.kafka.of(source),
            settings: self.state_hash,
            next_offset: owned.next,
            last: owned.last,
            records: owned.records,
            since: owned.progress.since().map(|since| since.0),
            partitions: order.partitions,
            written: order.now.0,
            size: state.len() as u64,
        };
        let encoded = Encoded {
            header,
            state,
            turn: order.turn,
            slot: order.slot,
            ordered: order.ordered,
        };
        // Waits while the writing thread is busy; if it is gone, so is the process.
        let _ = snapshots.send(encoded);
    }

    fn apply(&mut self, batch: Batch) {
        let Some(owned) = self.owned.get_mut(&batch.source) else {
            return;
        };
        owned.progress.first_record(batch.first_timestamp());
        let mut tally = Tally::default();
        for record in batch.records() {
            let limits = &self.limits;
            let result = apply(
                &mut self.shard,
                (batch.source.topic, owned.number),
                &record,
                &self.settings,
                limits,
            );
            tally.note(result);
        }
        owned.next = batch.next;
        owned.last = batch.last().or(owned.last);
        owned.records += tally.records();
        let now = self.ticks.latest().clock();
        owned
            .progress
            .applied(batch.next, batch.last_timestamp(), now);
        self.count(batch.source, &tally);
        self.look_ahead(&batch, now);
        // The poll thread may have all that it needs.
        let _full = self.used.try_send(batch);
    }

    /// Notes stream time; tells of the record by which it has come to lie too far ahead of the clock.
    fn look_ahead(&mut self, batch: &Batch, now: Millis) {
        let Some(owned) = self.owned.get_mut(&batch.source) else {
            return;
        };
        let Some(partition) = self.shard.partition(owned.number) else {
            return;
        };
        owned.progress.streamed(partition.stream());
        let most = self.settings.ahead_most();
        let ahead = owned.progress.ahead(now);
        let was = std::mem::replace(&mut owned.ahead, ahead > most);
        if was || !owned.ahead {
            return;
        }
        let from = batch.source;
        let offset = first_after(batch, now + most, &self.limits);
        tracing::warn!(
            topic = self.kafka.topic(from.topic),
            partition = from.partition,
            offset,
            "an event lies {} s ahead of the clock, and so does its record: until then this \
             partition's events count as late and no window is complete",
            seconds(ahead.0)
        );
    }

    fn count(&mut self, source: Source, tally: &Tally) {
        let topic = self.kafka.topic(source.topic);
        self.metrics.records(topic, tally.records());
        for (reason, count) in tally.discarded() {
            self.metrics.discarded(reason, count);
        }
        let Some(owned) = self.owned.get_mut(&source) else {
            return;
        };
        let Some(partition) = self.shard.partition(owned.number) else {
            return;
        };
        let counted = std::mem::replace(&mut owned.irregular, *partition.irregular());
        let grown = owned.irregular.iter().zip(counted);
        for (correction, (now, before)) in Correction::ALL.into_iter().zip(grown) {
            if *now > before {
                self.metrics.irregular(correction, now - before);
            }
        }
    }

    /// Publishes the figures of a tick; windows move with the whole second.
    fn publish(&mut self, tick: Tick) {
        let mut frame = self.publisher.spare();
        if tick.to > self.shown_to {
            self.shard.view(tick.now, tick.to, &mut frame);
            self.shown_to = tick.to;
        } else {
            self.shard.view_now(tick.now, &mut frame);
        }
        frame.tick = tick.number;
        frame.parts.clear();
        let owned = self.owned.iter();
        frame.parts.extend(owned.map(|(source, owned)| Part {
            family: source.topic.family(),
            partition: source.partition,
            since: owned.progress.taken(),
        }));
        self.publisher.publish(frame);
        let changes = std::mem::take(&mut self.changes);
        if changes > 0 {
            self.progress.published(changes, tick.number);
        }
    }
}

/// The offset of the first event of a batch after this instant. Decodes again, which is rare.
fn first_after(batch: &Batch, instant: Millis, limits: &Limits) -> Option<i64> {
    let mut records = batch.records();
    let found = records.find(|record| {
        let event = record.value.and_then(|value| decode(value, limits).ok());
        event.is_some_and(|event| event.time() > instant)
    });
    found.map(|record| record.offset)
}

/// Decodes one record of a topic in place and applies it to a partition.
fn apply(
    shard: &mut Shard,
    (topic, number): (Topic, u32),
    record: &Record<'_>,
    settings: &StateSettings,
    limits: &Limits,
) -> Result<(), Discard> {
    let value = record.value.ok_or(Discard::Tombstone)?;
    let event = decode(value, limits)?;
    if event.family() != topic.family() {
        return Err(Discard::WrongTopic);
    }
    if is_ahead(event.time(), record.timestamp, settings.max_ahead) {
        return Err(Discard::FutureTime);
    }
    shard.apply(number, &event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kpi::QueueView;
    use crate::live::Registry;

    /// What becomes of a record of this age relative to its own timestamp.
    fn applied(topic: Topic, kind: &str, ahead: i64) -> Result<(), Discard> {
        let settings = Arc::new(StateSettings::default());
        let view = |_: &str, _: &str, _: &str| QueueView::default();
        let registry = Arc::new(Registry::new(Arc::clone(&settings), Box::new(view)));
        let mut shard = Shard::new(registry, &settings, &[]);
        shard.take(0, Arc::clone(&settings));
        let time = 1_767_603_600_000_i64;
        let value = format!(
            r#"{{"id":"e","type":"{kind}","time":{time},"contact_id":"c","agent_id":"a","queue_id":"q"}}"#
        );
        let record = Record {
            offset: 0,
            value: Some(value.as_bytes()),
            timestamp: Some(Millis(time - ahead)),
        };
        apply(
            &mut shard,
            (topic, 0),
            &record,
            &settings,
            &Limits::default(),
        )
    }

    #[test]
    fn the_first_event_ahead_is_found_among_others() {
        let mut batch = Batch::new(Source {
            topic: Topic::Contact,
            partition: 0,
        });
        let event = |time: i64| {
            format!(
                r#"{{"id":"e{time}","type":"contact.queued","time":{time},"contact_id":"c","queue_id":"q"}}"#
            )
        };
        let start = 1_767_603_600_000_i64;
        for (offset, time) in [(7, 0), (8, 100), (9, 90_000), (12, 200_000)] {
            batch.push(offset, Some(event(start + time).as_bytes()), None);
        }
        batch.push(13, Some(b"no event"), None);
        let limits = Limits::default();
        for (after, offset) in [(0, Some(8)), (100, Some(9)), (200_000, None)] {
            assert_eq!(first_after(&batch, Millis(start + after), &limits), offset);
        }
    }

    #[test]
    fn events_of_another_topic_or_ahead_of_their_record_are_refused() {
        let wrong = Err(Discard::WrongTopic);
        for (topic, kind, ahead, expected) in [
            (Topic::Contact, "contact.queued", 0, Ok(())),
            (Topic::Contact, "agent.logged_in", 0, wrong),
            (Topic::Contact, "queue.removed", 0, wrong),
            (Topic::Agent, "agent.logged_in", 0, Ok(())),
            (Topic::Agent, "contact.queued", 0, wrong),
            (Topic::Contact, "contact.queued", 60_000, Ok(())),
            (
                Topic::Contact,
                "contact.queued",
                60_001,
                Err(Discard::FutureTime),
            ),
        ] {
            assert_eq!(applied(topic, kind, ahead), expected, "{kind} {ahead}");
        }
    }
}
