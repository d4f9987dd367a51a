//! Seeded input that the benches share: the largest simulated centre.

#![allow(dead_code, reason = "each bench uses a part of it")]

pub mod engine;

use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, OwnedEvent, Scale, Simulation, Topic};

/// When the simulated events begin: 2026-01-05 09:00 UTC.
pub const FROM: Millis = Millis(1_767_603_600_000);

/// 10,000 queues and 100,000 agents; 200,000 contacts in flight after a quarter of an hour.
pub fn largest() -> Simulation {
    centre(Scale::LARGEST)
}

/// A centre in its rush hour.
pub fn centre(scale: Scale) -> Simulation {
    Simulation::new(&Options {
        seed: 1,
        from: FROM,
        time_of_day: Some(Span::hours(10)),
        scale,
        faults: Faults::default(),
    })
}

/// Events of one topic after the centre's first `warm_up` events of any.
pub fn sample(warm_up: usize, count: usize, topic: Topic) -> Vec<OwnedEvent> {
    let mut simulation = largest();
    for _ in 0..warm_up {
        simulation.next_event();
    }
    simulation
        .filter(|event| event.topic == topic)
        .take(count)
        .collect()
}
