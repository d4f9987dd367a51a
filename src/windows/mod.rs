//! One worker's tables: totals, the tails of windows, distributions, and the view of an instant.

pub use crate::engine::columns;
pub mod frame;
pub use crate::engine::losses;
pub mod numbering;
