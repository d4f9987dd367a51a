//! The core: one partition's state is a pure function of its log. No clock, no I/O, no randomness.

pub mod agent;
pub mod base;
pub mod cells;
pub mod columns;
pub mod contact;
pub mod deadlines;
pub mod difference;
pub mod facts;
pub mod histogram;
pub mod ids;
pub mod image;
pub mod ledger;
pub mod losses;
pub mod names;
pub mod packing;
pub mod panes;
pub mod partition;
pub mod prints;
pub(crate) mod room;
pub mod settings;
pub mod timeline;
pub mod waiting;
