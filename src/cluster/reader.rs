//! The thread that reads every instance's rows, and shows the whole centre that they make.
//!
//! Outside any group: every instance and every viewer reads all. Nothing is read before it is needed:
//! a process that has all partitions to itself is the whole centre.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
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
const SETTINGS: [(&str, &str); 4] = [
    ("auto.offset.reset", "latest"),
    ("fetch.wait.max.ms", "20"),
    ("group.id", "queuepulse-rows"),
    ("queued.max.messages.kbytes", "65536"),
];
/// How far back reading begins: every row is sent whole within a refresh.
const BACK: Span = Span(REFRESH + 15_000);
const POLL: Duration = Duration::from_millis(20);
const QUESTION: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(5);
/// How often what is known of the instances is told.
const TELL: Duration = Duration::from_millis(200);
/// How often it is looked whether reading is needed; how long reading goes on when it is not.
const PAUSE: Duration = Duration::from_millis(200);
const LINGER: Duration = Duration::from_mins(1);

impl Reader {
    /// Reads until the process is to end.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn run(mut self) -> KafkaResult<()> {
        let Some(partitions) = self.topic.wait_for(&self.client, RETRY, &self.wait)? else {
            return Ok(());
        };
        let mut config = self.client.clone();
        for (key, value) in SETTINGS {
            config.set(key, value);
        }
        let consumer: BaseConsumer = config.create()?;
        while !(self.wait)(PAUSE) {
            if !(self.needed)() {
                continue;
            }
            match self.begin(&consumer, partitions) {
                Ok(()) => self.follow(&consumer),
                Err(error) => tracing::warn!(%error, "kafka: the rows topic cannot be read yet"),
            }
            consumer.unassign()?;
        }
        Ok(())
    }

    /// Reads as long as it is needed, and some time more: partitions move to and fro.
    fn follow(&mut self, consumer: &BaseConsumer) {
        let (mut told, mut needed) = (Instant::now(), Instant::now());
        while !(self.wait)(Duration::ZERO) && needed.elapsed() < LINGER {
            if let Some(Ok(record)) = consumer.poll(POLL) {
                self.take(&record);
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.centre.polled((self.clock)());
                self.tell_instances();
                if (self.needed)() {
                    needed = Instant::now();
                }
            }
        }
        self.inbox.clear();
        self.tell_instances();
    }

    /// Begins far enough back for every row to come whole.
    fn begin(&self, consumer: &BaseConsumer, partitions: i32) -> KafkaResult<()> {
        let since = (self.clock)() - BACK;
        let mut wanted = TopicPartitionList::new();
        for partition in 0..partitions {
            let at = Offset::Offset(since.0.max(0));
            wanted.add_partition_offset(&self.topic.name, partition, at)?;
        }
        let found = consumer.offsets_for_times(wanted, QUESTION)?;
        consumer.assign(&found)
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
