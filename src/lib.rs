//! queuepulse: a real-time metrics engine for contact centres.

mod admin;
pub mod app;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod decode;
pub mod engine;
pub mod event;
pub mod ingest;
pub mod kpi;
pub mod live;
pub mod recovery;
pub mod serve;
pub mod shutdown;
pub mod simulate;
pub mod telemetry;
pub mod top;
pub mod topics;
pub mod windows;
