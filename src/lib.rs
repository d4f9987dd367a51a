//! queuepulse: a real-time metrics engine for contact centres.

pub mod config;
pub mod decode;
pub mod engine;
pub mod event;
pub mod ingest;
pub mod kpi;
<<<<<<< HEAD
pub mod simulate;
=======
pub mod live;
>>>>>>> 70f2699 (Configuration: layers, every fault at once, fixtures named by the mistake)
pub mod windows;
