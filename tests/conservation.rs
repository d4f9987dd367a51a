//! One simulated hour through one partition: nothing is lost, whatever happens.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use queuepulse::decode::{Limits, decode};
use queuepulse::engine::columns::gauge;
use queuepulse::engine::facts::{Count, Fact};
use queuepulse::engine::names::RowNo;
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::StateSettings;
use queuepulse::event::{Discard, Millis, Span};
use queuepulse::simulate::{Faults, Options, Simulation, Topic};

/// Every visit that began has ended, in one way, or waits.
#[test]
fn offered_equals_exits_plus_waiting() {
    for faults in [
        Faults::default(),
        Faults {
            duplicates: 0.1,
            disorder: 0.2,
            within: Span::seconds(90),
        },
    ] {
        let partition = run(faults);
        let rows = partition.names().rows().len();
        let mut visits: BTreeMap<RowNo, i64> = BTreeMap::new();
        partition
            .ledger()
            .log()
            .for_each(Millis::MIN, Millis::MAX, |post| {
                if let Fact::Count(row, count) = post.fact {
                    *visits.entry(row).or_default() +=
                        i64::from(post.sign) * begun_less_ended(&count);
                }
            });
        assert!(rows >= 12, "{rows} rows");
        for (row, still_there) in visits {
            let gauges = &partition.ledger().gauges()[row.index() * gauge::WIDTH..];
            let waiting = gauges[gauge::WAITING] + gauges[gauge::ALERTING];
            assert_eq!(still_there, waiting, "{row:?}");
        }
    }
}

fn begun_less_ended(count: &Count) -> i64 {
    match count {
        Count::Offered => 1,
        Count::Answered { .. }
        | Count::Abandoned { .. }
        | Count::FlowedOut { .. }
        | Count::Callback { .. } => -1,
        _ => 0,
    }
}

fn run(faults: Faults) -> Partition {
    let begin = Millis(1_767_603_600_000);
    let mut simulation = Simulation::new(&Options {
        faults,
        ..Options::demo(7, begin)
    });
    let mut partition = Partition::new(Arc::new(StateSettings::default()));
    loop {
        let event = simulation.next_event();
        if event.sent > begin + Span::minutes(50) {
            return partition;
        }
        if event.topic == Topic::Queues {
            continue;
        }
        let event =
            decode(event.json, &Limits::default()).expect("the simulator's events are valid");
        match partition.apply(&event) {
            Ok(()) | Err(Discard::Duplicate | Discard::LateDuplicate | Discard::TooLate) => {}
            Err(reason) => panic!("{reason:?}: {event:?}"),
        }
        partition.clear_outbox();
    }
}
