//! One worker's tables: totals, the tails of windows, distributions, and the view of an instant.

pub mod columns;
pub mod frame;
pub mod losses;
pub mod numbering;
