//! Asks a broker to create topics and to give them more partitions, and what their settings are.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigEntry, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::topics::{Settings, alter_command, lacks};

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

    /// What a topic's settings fall short of, with the command that sets them; none if nothing, or if
    /// the broker does not say: that is told, and is no fault.
    pub(crate) fn shortfall(&self, topic: &str, wanted: Settings) -> Option<String> {
        let settings = match self.settings(topic) {
            Ok(settings) => settings,
            Err(error) => {
                tracing::info!(%error, "kafka: the settings of topic {topic} are not checked");
                return None;
            }
        };
        let has = |key: &str| {
            let entry = settings.iter().find(|entry| entry.name == key)?;
            entry.value.clone()
        };
        let lacks = lacks(wanted, has);
        let found = lacks.iter().map(|(key, wanted)| {
            let is = has(key).unwrap_or_default();
            format!("{key} is {is}, {wanted} is needed")
        });
        let found: Vec<String> = found.collect();
        let brokers = self.client.get("bootstrap.servers").unwrap_or_default();
        let command = alter_command(brokers, topic, &lacks);
        (!lacks.is_empty()).then(|| {
            format!(
                "kafka: topic {topic} is not set as it should be: {}; set it with: {command}",
                found.join(", ")
            )
        })
    }

    fn settings(&self, topic: &str) -> Result<Vec<ConfigEntry>, KafkaError> {
        let client = self.client()?;
        let asked = [ResourceSpecifier::Topic(topic)];
        let answers = answer(client.describe_configs(&asked, &self.options()))?;
        match answers.into_iter().next() {
            Some(Ok(resource)) => Ok(resource.entries),
            Some(Err(code)) => Err(KafkaError::AdminOp(code)),
            None => Err(KafkaError::Canceled),
        }
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

/// Waits for the broker's answer.
fn answer<T>(asked: impl Future<Output = Result<T, KafkaError>>) -> Result<T, KafkaError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.map_err(|_| KafkaError::Canceled)?.block_on(asked)
}

/// The broker's refusal of what was asked about one topic, if it refuses.
fn done(
    asked: impl Future<Output = Result<Vec<TopicResult>, KafkaError>>,
) -> Result<Option<RDKafkaErrorCode>, KafkaError> {
    let answers = answer(asked)?.into_iter();
    let mut refused = answers.filter_map(|answer| answer.err().map(|(_, code)| code));
    Ok(refused.next())
}
