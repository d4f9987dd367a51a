//! The thread that reads every instance's rows, and shows the whole centre that they make.
//!
//! Outside any group: every instance and every viewer reads all. Nothing is read before it is needed:
//! a process that has all partitions to itself is the whole centre.
//!
//! A client that has read a topic does not take it up again once it was deleted and made anew. So now and
//! then the topic is looked at, and if it is another one, or owes records that do not come, reading begins
//! anew with another client. Instances that are silent owe nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::event::{Family, Millis, Span};
use crate::live::{Centre, InstanceSeen, Whole};

use super::sender::Wait;
use super::topic::RowsTopic;
use super::{Inbox, REFRESH, Together, Told};

/// What the thread is given.
pub struct Reader {
    /// How to reach the broker.
    pub client: ClientConfig,
    /// Where from.
    pub topic: RowsTopic,
    /// Adds up what comes.
    pub inbox: Inbox,
    /// This instance's name; none of a viewer.
    pub instance: Option<String>,
    /// Where to show it.
    pub centre: Arc<Centre>,
    /// Whether it is needed: others have partitions too.
    pub needed: Box<dyn Fn() -> bool + Send>,
    /// The wall clock.
    pub clock: fn() -> Millis,
    /// Ends it.
    pub wait: Wait,
    /// Hears what became of each record.
    pub tell: Box<dyn Fn(Told) + Send>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// Laid over the client's settings. Assigning by hand needs a group's name, but no group is joined.
const SETTINGS: [(&str, &str); 3] = [
    ("fetch.wait.max.ms", "20"),
    ("group.id", "queuepulse-rows"),
    ("queued.max.messages.kbytes", "65536"),
];
/// What the client says when what it reads is not there any more.
const ENDS: [RDKafkaErrorCode; 5] = [
    RDKafkaErrorCode::AutoOffsetReset,
    RDKafkaErrorCode::OffsetOutOfRange,
    RDKafkaErrorCode::UnknownPartition,
    RDKafkaErrorCode::UnknownTopic,
    RDKafkaErrorCode::UnknownTopicOrPartition,
];
/// How far back reading begins: every row is sent whole within a refresh.
const BACK: Span = Span(REFRESH + 15_000);
const POLL: Duration = Duration::from_millis(20);
const QUESTION: Duration = Duration::from_secs(5);
/// How often the topic is looked at, and how long an answer may take.
const LOOK: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(1);
/// How long it takes before reading begins anew.
const RETRY: Duration = Duration::from_secs(1);
/// How often what is known of the instances is told.
const TELL: Duration = Duration::from_millis(200);
/// How often it is looked whether reading is needed; how long reading goes on when it is not.
const PAUSE: Duration = Duration::from_millis(200);
const LINGER: Duration = Duration::from_mins(1);

/// The offset to be read next, of each partition.
type Next = BTreeMap<i32, i64>;

impl Reader {
    /// Reads until the process is to end.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn run(mut self) -> KafkaResult<()> {
        let mut config = self.client.clone();
        for (key, value) in SETTINGS {
            config.set(key, value);
        }
        let mut told = String::new();
        while let Some(partitions) = self.wait_for_topic()? {
            let consumer: BaseConsumer = config.create()?;
            let begun = Instant::now();
            let Some(why) = self.read(&consumer, partitions)? else {
                break;
            };
            if told != why || begun.elapsed() >= LINGER {
                let topic = &self.topic.name;
                tracing::warn!("kafka: the rows topic {topic} is read anew: {why}");
                told = why;
            }
            if (self.wait)(RETRY) {
                break;
            }
        }
        Ok(())
    }

    /// How many partitions the topic has; none if the process is to end before there is one.
    fn wait_for_topic(&self) -> KafkaResult<Option<i32>> {
        self.topic.wait_for(&self.client, &|pause| {
            self.centre.polled((self.clock)());
            (self.wait)(pause)
        })
    }

    /// Reads whenever it is needed, until the process is to end, or reading has to begin anew: why.
    fn read(&mut self, consumer: &BaseConsumer, partitions: i32) -> KafkaResult<Option<String>> {
        while !(self.wait)(PAUSE) {
            if !(self.needed)() {
                continue;
            }
            self.inbox.clear();
            let why = match self.begin(consumer, partitions) {
                Ok(next) => self.follow(consumer, next),
                Err(error) => Some(format!("where to begin cannot be looked up ({error})")),
            };
            if why.is_some() {
                return Ok(why);
            }
            self.inbox.clear();
            self.tell_instances();
            consumer.unassign()?;
        }
        Ok(None)
    }

    /// Reads as long as it is needed, and some time more: partitions move to and fro. Why reading has
    /// to begin anew, if it has.
    fn follow(&mut self, consumer: &BaseConsumer, mut next: Next) -> Option<String> {
        let (mut told, mut needed) = (Instant::now(), Instant::now());
        let (mut looked, mut owed) = (Instant::now(), false);
        while !(self.wait)(Duration::ZERO) && needed.elapsed() < LINGER {
            match consumer.poll(POLL) {
                Some(Ok(record)) => {
                    next.insert(record.partition(), record.offset() + 1);
                    owed = false;
                    self.take(&record);
                }
                Some(Err(KafkaError::MessageConsumption(code))) if ENDS.contains(&code) => {
                    return Some(code.to_string());
                }
                Some(Err(_)) | None => {}
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.centre.polled((self.clock)());
                self.tell_instances();
                if (self.needed)() {
                    needed = Instant::now();
                }
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                // What cannot be looked at now is looked at later.
                if let Ok(ends) = self.ends(consumer) {
                    match judge(&next, &ends, owed) {
                        Ok(behind) => owed = behind,
                        Err(why) => return Some(why),
                    }
                }
            }
        }
        None
    }

    /// Begins far enough back for every row to come whole.
    fn begin(&self, consumer: &BaseConsumer, partitions: i32) -> KafkaResult<Next> {
        let since = (self.clock)() - BACK;
        let mut wanted = TopicPartitionList::new();
        for partition in 0..partitions {
            let at = Offset::Offset(since.0.max(0));
            wanted.add_partition_offset(&self.topic.name, partition, at)?;
        }
        let found = consumer.offsets_for_times(wanted, QUESTION)?;
        let mut next = Next::new();
        let mut begins = TopicPartitionList::new();
        for element in found.elements() {
            element.error()?;
            let partition = element.partition();
            let offset = match element.offset() {
                Offset::Offset(offset) => offset,
                // nothing has been sent for so long
                _ => self.end(consumer, partition, QUESTION)?,
            };
            next.insert(partition, offset);
            begins.add_partition_offset(&self.topic.name, partition, Offset::Offset(offset))?;
        }
        consumer.assign(&begins)?;
        Ok(next)
    }

    /// Where each partition ends; none if there is no such topic any more.
    fn ends(&self, consumer: &BaseConsumer) -> KafkaResult<Next> {
        let partitions = self.topic.partitions(consumer, ANSWER)?.unwrap_or(0);
        let end = |partition| Ok((partition, self.end(consumer, partition, ANSWER)?));
        (0..partitions).map(end).collect()
    }

    fn end(&self, consumer: &BaseConsumer, partition: i32, within: Duration) -> KafkaResult<i64> {
        let (_, end) = consumer.fetch_watermarks(&self.topic.name, partition, within)?;
        Ok(end)
    }

    fn take(&mut self, record: &impl Message) {
        let told = self
            .inbox
            .take(record.key().unwrap_or_default(), record.payload());
        (self.tell)(told);
        if told == Told::Beat
            && let Some(together) = self.inbox.together()
        {
            let whole = whole(together, self.instance.as_deref());
            self.centre.show(whole);
        }
    }

    fn tell_instances(&self) {
        let seen = self.inbox.seen().into_iter().map(|seen| InstanceSeen {
            instance: seen.instance,
            beat: seen.beat,
            rows: seen.rows,
        });
        let missing = self.inbox.missing().iter().map(|(family, partition)| {
            let topic = match family {
                Family::Contact => "contact",
                Family::Agent => "agent",
                Family::Queue => "queue",
            };
            format!("{topic}/{partition}")
        });
        self.centre.tell(seen.collect(), missing.collect());
    }
}

/// Whether the topic owes records, by what is read next and where its partitions end; why reading has to
/// begin anew, if it is another topic, or owed records at the last look too and none has come since.
fn judge(next: &Next, ends: &Next, owed: bool) -> Result<bool, String> {
    if ends.is_empty() {
        return Err("it does not exist any more".to_owned());
    }
    if next.len() != ends.len() {
        let (were, are) = (next.len(), ends.len());
        return Err(format!("its partitions were {were} and are {are}"));
    }
    let mut behind = false;
    for (partition, next) in next {
        let end = ends.get(partition).unwrap_or(next);
        if end < next {
            return Err(format!(
                "it was made anew: partition {partition} was read to {next} and ends at {end}"
            ));
        }
        if owed && end > next {
            return Err(format!(
                "partition {partition} has records from {next} to {end}, and they do not come"
            ));
        }
        behind |= end > next;
    }
    Ok(behind)
}

fn whole(together: Together, own: Option<&str>) -> Whole {
    let owners = together.owners.iter();
    Whole {
        to: together.to,
        frames: together.frames,
        known_to: together.known_to,
        since: together.since,
        own: owners.map(|owner| Some(owner.as_str()) == own).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_begins_anew_when_it_is_another_topic_or_what_is_there_does_not_come() {
        // what is read next, where the partitions end, whether records were owed before
        let judged = |next: &[i64], ends: &[i64], owed| {
            let of = |offsets: &[i64]| (0..).zip(offsets.iter().copied()).collect::<Next>();
            judge(&of(next), &of(ends), owed).map_err(|why| {
                let known = ["not exist", "partitions were", "made anew", "do not come"];
                known.into_iter().find(|part| why.contains(part)).unwrap()
            })
        };
        for (next, ends, owed, expected) in [
            (&[7_i64][..], &[7_i64][..], false, Ok(false)),
            // Everyone is silent: nothing is owed, for however long.
            (&[7], &[7], true, Ok(false)),
            (&[7], &[9], false, Ok(true)),
            (&[7], &[9], true, Err("do not come")),
            (&[7, 3], &[7, 4], true, Err("do not come")),
            (&[7], &[6], false, Err("made anew")),
            (&[0], &[0], false, Ok(false)),
            (&[7], &[], false, Err("not exist")),
            (&[7], &[7, 0], false, Err("partitions were")),
            (&[7, 0], &[7], false, Err("partitions were")),
        ] {
            assert_eq!(
                judged(next, ends, owed),
                expected,
                "{next:?} {ends:?} {owed}"
            );
        }
    }
}
