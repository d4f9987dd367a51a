//! What the engine tells Prometheus: one catalogue of every metric, the exposition written straight
//! from merged figures, and the engine's own metrics.

pub mod catalogue;
mod cluster;
mod doc;
mod engine;
mod exposition;
mod labels;
mod process;
mod recovery;

pub use cluster::ClusterMetrics;
pub use doc::metrics_doc;
pub use engine::EngineMetrics;
pub use exposition::{ExportOptions, Exposition};
pub use labels::label_value;
pub use process::resident_bytes;
pub use recovery::RecoveryMetrics;

#[cfg(test)]
mod tests;
