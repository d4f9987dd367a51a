//! Figures from totals: one KPI one file. Pure functions of a row's columns and a queue's view
//! settings; an empty denominator gives no figure, never 0 or 100 %.
//!
//! Everything that can be added up ([`Counts`], [`Level`], [`Staff`]) is an integer and adds up, so
//! that subtotals are sums of numerators and denominators; ratios are made last.

mod abandon_time;
mod abandonment;
mod aht;
mod asa;
mod concurrency;
mod counts;
mod expected_wait;
mod occupancy;
mod percentiles;
mod ratio;
mod service_level;
mod slot_load;
mod staff;
mod view;

pub use abandon_time::abandon_time_average;
pub use abandonment::{Abandonment, abandonment};
pub use aht::handle_time_average;
pub use asa::answer_speed_average;
pub use concurrency::concurrency_average;
pub use counts::{Counts, rung_index};
pub use expected_wait::{ExpectedWait, expected_wait, expected_wait_window};
pub use occupancy::{occupancy, occupancy_connect};
pub use percentiles::{Distribution, Percentiles};
pub use ratio::{average_seconds, ratio, seconds};
pub use service_level::{Level, service_level, service_level_now};
pub use slot_load::slot_load;
pub use staff::{PRESENCE_ACTIVITY, Staff, WORK_STATES};
pub use view::{AbandonsWithin, QueueView, SwitchSettings, Variant};

#[cfg(test)]
mod tests;
