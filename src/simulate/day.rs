//! How much arrives when: the time of day, waves, spikes.

use super::plan::{SHIFT_MINUTES, SHIFTS};

const DAY: f64 = 24.0 * 60.0;

/// Share of the agents on duty at a minute of the day.
pub(super) fn on_duty(minute: f64) -> f64 {
    let started = |ago: f64| (ago / 60.0).clamp(0.0, 1.0);
    let present = |start: f64| {
        let ago = (minute - start).rem_euclid(DAY);
        let second_day = ago + DAY;
        let here = |ago: f64| started(ago) - started(ago - SHIFT_MINUTES as f64);
        here(ago) + here(second_day)
    };
    SHIFTS
        .iter()
        .map(|hour| present((hour * 60) as f64))
        .sum::<f64>()
        / SHIFTS.len() as f64
}

/// How hard the agents on duty are pressed at a minute of the day, around 1: two rush hours, and
/// waves of twenty minutes.
pub(super) fn rush(minute: f64) -> f64 {
    let hill = |centre: f64, width: f64| (-((minute - centre) / width).powi(2)).exp();
    let hours = 0.82 + 0.26 * hill(10.5 * 60.0, 75.0) + 0.22 * hill(16.0 * 60.0, 90.0);
    let waves = 1.0 + 0.12 * (minute / 20.0 * std::f64::consts::TAU).sin();
    hours * waves
}
