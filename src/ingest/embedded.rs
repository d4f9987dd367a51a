//! An in-process Kafka broker for the demo and for tests: librdkafka's mock cluster in a thread of
//! its own (it may not move between threads).
//!
//! It keeps at most 5 MiB or 100,000 records of a partition, silently, and cannot search by time: it
//! carries a bounded rate to a reader that keeps up, and is read from its first record.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;

use super::stop::Stop;

/// A running broker on loopback; ends when it is dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: String,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts it with these topics and their numbers of partitions.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, KafkaError> {
        let stop = Arc::new(Stop::default());
        let stopped = Arc::clone(&stop);
        let topics: Vec<(String, i32)> = topics
            .iter()
            .map(|&(name, partitions)| (name.to_owned(), partitions))
            .collect();
        let (tell, told) = mpsc::sync_channel(1);
        let thread = std::thread::spawn(move || match cluster(&topics) {
            Ok(cluster) => {
                let _ = tell.send(Ok(cluster.bootstrap_servers()));
                while !stopped.wait(Duration::from_hours(1)) {}
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        });
        let address = told.recv().unwrap_or(Err(KafkaError::Canceled))?;
        Ok(Self {
            address,
            stop,
            thread: Some(thread),
        })
    }

    /// Where Kafka clients find it: `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop.raise();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn cluster(
    topics: &[(String, i32)],
) -> Result<MockCluster<'static, rdkafka::producer::DefaultProducerContext>, KafkaError> {
    let cluster = MockCluster::new(1)?;
    for (name, partitions) in topics {
        cluster.create_topic(name, *partitions, 1)?;
    }
    Ok(cluster)
}
