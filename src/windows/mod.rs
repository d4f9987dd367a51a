//! One worker's tables: totals, the tails of windows, distributions, and the view of an instant.

pub use crate::engine::columns;
pub use crate::engine::losses;

pub mod agents;
mod distribution;
pub mod frame;
pub mod history;
mod levels;
mod lose;
mod maps;
mod maxima;
mod moves;
pub mod numbering;
pub mod rows;
mod sums;
pub mod tables;
mod tails;
mod unfold;
pub mod view;
