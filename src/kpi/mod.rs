//! Figures from totals: one KPI one file. Pure functions of a row's columns and a queue's view
//! settings; an empty denominator gives no figure, never 0 or 100 %.

mod view;

pub use view::{AbandonsWithin, QueueView, SwitchSettings, Variant};
