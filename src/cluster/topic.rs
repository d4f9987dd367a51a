//! The rows topic: what it must be, and how it comes to be.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use crate::admin::Admin;
use crate::topics::{ROWS, create_command};

const WITHIN: Duration = Duration::from_secs(5);
/// How long the answer may take whether it is there: shorter than an orderly end.
const ANSWER: Duration = Duration::from_secs(2);
/// How often a topic that is missing, and may not be created, is looked for again.
const RETRY: Duration = Duration::from_secs(2);

/// The topic that instances publish their rows to. Clones tell that it is missing once, not each.
#[derive(Clone, Debug)]
pub struct RowsTopic {
    /// Its name.
    pub name: String,
    may_create: bool,
    told: Arc<Mutex<String>>,
}

impl RowsTopic {
    /// A topic of this name, which may be created if it is missing.
    pub fn new(name: String, may_create: bool) -> Self {
        Self {
            name,
            may_create,
            told: Arc::default(),
        }
    }

    /// Waits until the topic is there, creating it if that is allowed; how many partitions it has,
    /// or none if the process is to end before.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn wait_for(
        &self,
        client: &ClientConfig,
        wait: &dyn Fn(Duration) -> bool,
    ) -> KafkaResult<Option<i32>> {
        let asking: BaseConsumer = BaseConsumer::from_config(client)?;
        let mut pause = Duration::ZERO;
        while !wait(pause) {
            pause = Duration::from_millis(500);
            match self.partitions(&asking, ANSWER) {
                Ok(Some(partitions)) => {
                    let shortfall = Self::admin(client).shortfall(&self.name, ROWS);
                    self.tell(shortfall.unwrap_or_default());
                    return Ok(Some(partitions));
                }
                Ok(None) => {
                    if let Err(why) = self.create(client) {
                        self.tell(why);
                        pause = RETRY;
                    }
                }
                // reading tells that no broker answers
                Err(error) => tracing::debug!(%error, "kafka: the rows topic cannot be looked up"),
            }
        }
        Ok(None)
    }

    /// How many partitions it has; none if there is no such topic.
    ///
    /// # Errors
    /// The broker does not say.
    pub(super) fn partitions(
        &self,
        asking: &BaseConsumer,
        within: Duration,
    ) -> KafkaResult<Option<i32>> {
        let metadata = asking.fetch_metadata(Some(&self.name), within)?;
        let mut topics = metadata.topics().iter();
        let found = topics.find(|topic| topic.name() == self.name);
        let count = match found.map(|topic| (topic, topic.error().map(RDKafkaErrorCode::from))) {
            None
            | Some((
                _,
                Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic),
            )) => 0,
            Some((_, Some(code))) => return Err(KafkaError::MetadataFetch(code)),
            Some((topic, None)) => topic.partitions().len(),
        };
        Ok(i32::try_from(count).ok().filter(|count| *count > 0))
    }

    /// Says why there is no topic, or what is wrong with it, unless that is what was said last.
    fn tell(&self, why: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != why && !why.is_empty() {
            tracing::warn!("{why}");
        }
        *told = why;
    }

    /// Creates it, or says what would.
    fn create(&self, client: &ClientConfig) -> Result<(), String> {
        let refused = |why: &str| {
            format!(
                "kafka.rows_topic: topic {} does not exist{why}; create it with: {} (or allow \
                 kafka.create_topics; or, with one instance and no viewer, set cluster.enabled = \
                 false)",
                self.name,
                self.command(client)
            )
        };
        if !self.may_create {
            return Err(refused(""));
        }
        match Self::admin(client).create(&self.name, 1, ROWS) {
            Ok(None) => {
                tracing::info!("kafka: the rows topic {} did not exist: created", self.name);
                Ok(())
            }
            // Another instance was faster.
            Ok(Some(RDKafkaErrorCode::TopicAlreadyExists)) => Ok(()),
            Ok(Some(code)) => Err(refused(&format!(" and the broker refuses it ({code})"))),
            Err(error) => Err(refused(&format!(" and cannot be created ({error})"))),
        }
    }

    fn admin(client: &ClientConfig) -> Admin<'_> {
        let within = WITHIN;
        Admin { client, within }
    }

    /// The command that creates it.
    fn command(&self, client: &ClientConfig) -> String {
        let brokers = client.get("bootstrap.servers").unwrap_or_default();
        create_command(brokers, &self.name, 1, ROWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_topic_is_refused_with_the_command_that_makes_it() {
        let topic = RowsTopic::new("rows".to_owned(), false);
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", "broker:9092");
        let refusal = topic.create(&client).err().unwrap_or_default();
        let command = "kafka-topics.sh --bootstrap-server broker:9092 --create --if-not-exists --topic rows \
                       --partitions 1 --config cleanup.policy=compact,delete";
        assert!(refusal.contains(command), "{refusal}");
    }
}
