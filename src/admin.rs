//! Asks a broker to create topics and to give them more partitions.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::topics::Settings;

/// How many copies the broker is set to keep.
const DEFAULT_COPIES: i32 = -1;

/// Whoever asks: how to reach the broker, and how long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin<'a> {
    /// How to reach the broker.
    pub(crate) client: &'a ClientConfig,
    /// How long an answer may take.
    pub(crate) within: Duration,
}

impl Admin<'_> {
    /// Creates a topic; the broker's refusal, if it refuses.
    ///
    /// # Errors
    /// The broker does not answer, or the settings make no client.
    pub(crate) fn create(
        &self,
        topic: &str,
        partitions: i32,
        settings: Settings,
    ) -> Result<Option<RDKafkaErrorCode>, KafkaError> {
        let copies = TopicReplication::Fixed(DEFAULT_COPIES);
        let mut topic = NewTopic::new(topic, partitions, copies);
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        done(self.client()?.create_topics(&[topic], &self.options()))
    }

    /// Gives a topic so many partitions; the broker's refusal, if it refuses.
    ///
    /// # Errors
    /// The broker does not answer, or the settings make no client.
    pub(crate) fn grow(
        &self,
        topic: &str,
        partitions: i32,
    ) -> Result<Option<RDKafkaErrorCode>, KafkaError> {
        let count = usize::try_from(partitions).unwrap_or(0);
        let more = [NewPartitions::new(topic, count)];
        done(self.client()?.create_partitions(&more, &self.options()))
    }

    fn client(&self) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
        self.client.create()
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.within))
            .operation_timeout(Some(self.within))
    }
}

/// Waits for the broker's answer about one topic.
fn done(
    asked: impl Future<Output = Result<Vec<TopicResult>, KafkaError>>,
) -> Result<Option<RDKafkaErrorCode>, KafkaError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else {
        return Err(KafkaError::Canceled);
    };
    let answers = runtime.block_on(asked)?;
    Ok(answers
        .into_iter()
        .find_map(|answer| answer.err().map(|(_, code)| code)))
}
