//! The rows topic: what it must be, and how it comes to be.

use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::sender::Wait;
use crate::admin::Admin;
use crate::topics::{ROWS, create_command};

const WITHIN: Duration = Duration::from_secs(5);

/// The topic that instances publish their rows to.
#[derive(Clone, Debug)]
pub struct RowsTopic {
    /// Its name.
    pub name: String,
    /// It may be created.
    pub may_create: bool,
    /// That it is missing is told. Whoever publishes and reads waits for it twice, and tells it once.
    pub tells: bool,
}

impl RowsTopic {
    /// Waits until the topic is there, creating it if that is allowed; how many partitions it has,
    /// or none if the process is to end before.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn wait_for(
        &self,
        client: &ClientConfig,
        retry: Duration,
        wait: &Wait,
    ) -> KafkaResult<Option<i32>> {
        let asking: BaseConsumer = BaseConsumer::from_config(client)?;
        let mut told = String::new();
        loop {
            match self.partitions(&asking) {
                Ok(Some(partitions)) => return Ok(Some(partitions)),
                Ok(None) => {
                    if let Err(why) = self.create(client)
                        && why != told
                    {
                        if self.tells {
                            tracing::warn!("{why}");
                        }
                        told = why;
                    }
                }
                // reading tells that no broker answers
                Err(error) => tracing::debug!(%error, "kafka: the rows topic cannot be looked up"),
            }
            let pause = if told.is_empty() {
                Duration::from_millis(500)
            } else {
                retry
            };
            if wait(pause) {
                return Ok(None);
            }
        }
    }

    /// How many partitions it has; none if there is no such topic.
    fn partitions(&self, asking: &BaseConsumer) -> KafkaResult<Option<i32>> {
        let metadata = asking.fetch_metadata(Some(&self.name), WITHIN)?;
        let topics = metadata.topics().iter();
        let found = topics.filter(|topic| topic.name() == self.name && topic.error().is_none());
        let count = found
            .map(|topic| topic.partitions().len())
            .find(|count| *count > 0);
        Ok(count.and_then(|count| i32::try_from(count).ok()))
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
        let admin = Admin {
            client,
            within: WITHIN,
        };
        match admin.create(&self.name, 1, ROWS) {
            Ok(None | Some(RDKafkaErrorCode::TopicAlreadyExists)) => Ok(()),
            Ok(Some(code)) => Err(refused(&format!(" and the broker refuses it ({code})"))),
            Err(error) => Err(refused(&format!(" and cannot be created ({error})"))),
        }
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
        let topic = RowsTopic {
            name: "rows".to_owned(),
            may_create: false,
            tells: true,
        };
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", "broker:9092");
        let refusal = topic.create(&client).err().unwrap_or_default();
        let command = "kafka-topics.sh --bootstrap-server broker:9092 --create --if-not-exists --topic rows \
                       --partitions 1 --config cleanup.policy=compact,delete";
        assert!(refusal.contains(command), "{refusal}");
    }
}
