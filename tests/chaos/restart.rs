//! kill -9 of a single engine under load, again and again: how long from the start of the next one
//! until it is ready, and whether it is exact.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::check;
use crate::fleet::{Fleet, until};
use crate::load::{Load, centre};
use crate::log::{Log, say};
use crate::topics::{create, now};

const KILLS: usize = 20;

/// Says p50 and the longest; how many partitions are exact, of how many.
pub fn run(
    (seed, rate, partitions): (u64, u32, i32),
    broker: &Broker,
    log: &Arc<Log>,
) -> (usize, usize) {
    let (brokers, topics) = (broker.address.as_str(), "restart");
    create(brokers, topics, partitions);
    let mut load = Load::begin(brokers, topics, partitions, centre(seed, rate, now()));
    let mut fleet = Fleet::new(brokers, brokers, topics, 1, log);
    fleet.start(0);
    until_ready(&fleet);
    sleep(Duration::from_secs(20));
    let mut times = Vec::new();
    for kill in 1..=KILLS {
        sleep(Duration::from_millis(
            3000 + 250 * u64::try_from(kill).unwrap(),
        ));
        fleet.kill(0, Duration::ZERO);
        let begun = Instant::now();
        fleet.start(0);
        until_ready(&fleet);
        let took = begun.elapsed();
        say(&format!("kill {kill}: ready {took:?} after its start"));
        times.push(took);
    }
    load.stop();
    sleep(Duration::from_secs(2));
    until_ready(&fleet);
    fleet.end_all(Duration::from_secs(4));
    times.sort();
    say(&format!(
        "{KILLS} kills: ready after p50 {:?}, max {:?}",
        times[KILLS / 2],
        times[KILLS - 1]
    ));
    check::exact(brokers, topics, topics, partitions)
}

/// Waits until the engine is ready and has nothing left to read.
fn until_ready(fleet: &Fleet) {
    let settled = || {
        let mut shown = fleet.shown().into_iter();
        shown.any(|(_, shown)| shown.ready && shown.lag < 3000.0)
    };
    until(Duration::from_mins(2), settled).expect("never ready");
}
