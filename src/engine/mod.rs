//! The core: one partition's state is a pure function of its log. No clock, no I/O, no randomness.

pub mod agent;
pub mod columns;
pub mod deadlines;
pub mod difference;
pub mod facts;
pub mod ids;
pub mod losses;
pub mod names;
pub mod prints;
pub mod settings;
pub mod timeline;
pub mod waiting;
