//! The composition root: builds every part, wires them in the order of the data path, and is the
//! only one to start threads.
//!
//! ```text
//! Kafka ─▶ poll thread ──(8 orders a worker)──▶ workers ──(one frame a tick)──▶ HTTP
//!          queue table ──▶ registry              ▲
//!                                   ticker ──────┘
//! ```

pub mod clock;
pub mod demo;
pub mod threads;
pub mod tick;

use std::net::SocketAddr;

use crate::ingest::kafka::IngestError;

/// Why the process ends with a failure.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The address is taken, or not ours.
    #[error("http.listen: cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The system refuses what it takes to run.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// Reading ended.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A client of Kafka could not be made.
    #[error("kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// A thread has panicked.
    #[error("thread {0} has panicked")]
    ThreadPanicked(String),
}
