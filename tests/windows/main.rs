//! Tables, tails, distributions and views against the plain sum over every post ever made.

#![allow(
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    missing_docs,
    reason = "test code"
)]

mod history;
mod naive;
mod world;

use proptest::prelude::*;
use queuepulse::event::{Millis, Span};
use queuepulse::windows::frame::{WindowKind, WindowSpec};

use history::{Step, World, step};

fn windows() -> Vec<WindowSpec> {
    let spec = |key: &str, kind| WindowSpec {
        key: key.to_owned(),
        kind,
    };
    vec![
        spec("10s", WindowKind::Sliding(Span::seconds(10))),
        spec("5m", WindowKind::Sliding(Span::minutes(5))),
        spec("14m", WindowKind::Sliding(Span::minutes(14))),
        spec("interval", WindowKind::Interval(Span::minutes(15))),
        spec("today", WindowKind::Today),
        spec("all", WindowKind::All),
    ]
}

/// An hour or two before: a doubled midnight in Havana, the half-hour change of Lord Howe, the
/// spring change of Berlin, a plain midnight in UTC.
const STARTS: [&str; 4] = [
    "2024-11-03T03:10:00Z",
    "2025-04-05T12:20:00Z",
    "2025-03-29T22:00:00Z",
    "2025-06-10T23:10:00Z",
];

fn start(which: usize) -> Millis {
    let start: jiff::Timestamp = STARTS[which].parse().expect("time");
    Millis(start.as_millisecond())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn frames_equal_the_plain_sum_over_every_post(
        which in 0..STARTS.len(),
        with_all in any::<bool>(),
        steps in prop::collection::vec(step(), 1..220),
    ) {
        let mut specs = windows();
        if !with_all {
            specs.pop();
        }
        let mut world = World::new(start(which), specs);
        for step in &steps {
            world.run(step);
        }
        world.run(&Step::View { after: 0, whole: true, early: 0 });
    }
}
