//! The core: one partition's state is a pure function of its log. No clock, no I/O, no randomness.

pub mod facts;
pub mod names;
pub mod settings;
pub mod timeline;
