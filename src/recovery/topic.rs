//! The snapshot topic: what it must be, and how it comes to be.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::admin::Admin;
use crate::topics::{SNAPSHOTS, create_command, grow_command};

const WITHIN: Duration = Duration::from_secs(10);

/// Why there is no snapshot topic as it must be.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// It is missing, or too small, and may not be changed.
    #[error(
        "kafka.snapshot_topic: topic {topic} {what}; create it with: {command} (or allow \
         kafka.create_topics, or switch snapshots off with an empty kafka.snapshot_topic)"
    )]
    Refused {
        /// Its name.
        topic: String,
        /// What is wrong with it.
        what: String,
        /// What would put it right.
        command: String,
    },
    /// The broker does not answer.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

/// What the topic must be.
#[derive(Clone, Debug)]
pub struct SnapshotTopic {
    /// How to reach the broker.
    pub client: ClientConfig,
    /// The topic's name.
    pub name: String,
    /// It may be created, and given more partitions.
    pub may_create: bool,
}

impl SnapshotTopic {
    /// Sees to it that the topic, which has so many partitions (none if it does not exist), has at
    /// least as many as `wanted`.
    ///
    /// # Errors
    /// It has not, and may not or cannot be changed.
    pub fn ensure(&self, has: Option<i32>, wanted: i32) -> Result<(), TopicError> {
        match has {
            Some(has) if has >= wanted => Ok(()),
            Some(has) => self.change(
                &format!("has {has} partitions, and {wanted} are needed"),
                &grow_command(self.brokers(), &self.name, wanted),
                |admin| admin.grow(&self.name, wanted),
            ),
            None => self.change(
                "does not exist",
                &create_command(self.brokers(), &self.name, wanted, SNAPSHOTS),
                |admin| admin.create(&self.name, wanted, SNAPSHOTS),
            ),
        }
    }

    /// Says what the topic's settings fall short of, if they do. Snapshots are written and read all the
    /// same: what comes of it is disk, or an outage that they do not outlast.
    pub fn check(&self) {
        if let Some(shortfall) = self.admin().shortfall(&self.name, SNAPSHOTS) {
            tracing::warn!("{shortfall}");
        }
    }

    fn admin(&self) -> Admin<'_> {
        Admin {
            client: &self.client,
            within: WITHIN,
        }
    }

    fn change(
        &self,
        what: &str,
        command: &str,
        make: impl FnOnce(Admin<'_>) -> Result<Option<RDKafkaErrorCode>, KafkaError>,
    ) -> Result<(), TopicError> {
        let refused = |why: &str| TopicError::Refused {
            topic: self.name.clone(),
            what: format!("{what}{why}"),
            command: command.to_owned(),
        };
        if !self.may_create {
            return Err(refused(""));
        }
        match make(self.admin())? {
            // Another instance was faster.
            None
            | Some(RDKafkaErrorCode::TopicAlreadyExists | RDKafkaErrorCode::InvalidPartitions) => {
                tracing::info!("kafka: snapshot topic {} {what}: done", self.name);
                Ok(())
            }
            Some(code) => Err(refused(&format!(
                ", and the broker refuses to change that ({code})"
            ))),
        }
    }

    fn brokers(&self) -> &str {
        self.client.get("bootstrap.servers").unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(has: Option<i32>) -> String {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", "broker:9092");
        let topic = SnapshotTopic {
            client,
            name: "snapshots".to_owned(),
            may_create: false,
        };
        topic
            .ensure(has, 6)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn what_is_missing_is_refused_with_the_command_that_makes_it() {
        assert_eq!(refusal(Some(6)), "");
        assert_eq!(refusal(Some(7)), "");
        let grow = refusal(Some(4));
        assert!(
            grow.contains("topic snapshots has 4 partitions, and 6 are needed")
                && grow.contains(
                    "--bootstrap-server broker:9092 --alter --topic snapshots --partitions 6"
                ),
            "{grow}"
        );
        let create = refusal(None);
        assert!(
            create.contains("does not exist")
                && create.contains("--create --if-not-exists --topic snapshots --partitions 6")
                && create.contains("--config cleanup.policy=compact,delete"),
            "{create}"
        );
    }
}
