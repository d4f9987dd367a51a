//! No broker for longer than the session, with two members of the group and a viewer: each must say
//! so, and all must be ready again soon after the broker is.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::check;
use crate::engine::Engine;
use crate::fleet::{Fleet, scrape, until};
use crate::load::{Load, centre};
use crate::log::{Log, say};
use crate::topics::{create, now};

/// How long each time, from seconds to what lets every client's pauses grow to their longest.
const OUTAGES: [u64; 4] = [20, 30, 60, 30];
/// Most of it is the group's: the rest of a session, and a round of joining.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// Says how long each took; how many partitions are exact, of how many.
pub fn run(
    (seed, rate, partitions): (u64, u32, i32),
    broker: &mut Broker,
    log: &Arc<Log>,
) -> (usize, usize) {
    let brokers = broker.address.clone();
    let topics = "outage";
    create(&brokers, topics, partitions);
    let mut load = Load::begin(&brokers, topics, partitions, centre(seed, rate, now()));
    let mut fleet = Fleet::new(&brokers, &brokers, topics, 2, log);
    fleet.start_all();
    let viewer = Engine::start_viewer(&fleet.env(0));
    let all = |fleet: &Fleet| {
        let ready = |address: &str| scrape(address).is_some_and(|shown| shown.ready);
        let members = fleet.board.lock().unwrap().clone();
        members.iter().all(|(_, address)| ready(address)) && ready(&viewer.address)
    };
    until(Duration::from_mins(2), || all(&fleet)).expect("never ready");
    for seconds in OUTAGES {
        sleep(Duration::from_secs(10));
        broker.kill();
        sleep(Duration::from_secs(seconds));
        let members = fleet.board.lock().unwrap().clone();
        for (name, address) in members {
            away(log, &name, &address, seconds, true);
        }
        away(log, "viewer", &viewer.address, seconds, false);
        let begun = Instant::now();
        broker.start();
        broker.wait();
        let up = begun.elapsed();
        match until(Duration::from_mins(1), || all(&fleet)) {
            Some(ready) => {
                say(&format!(
                    "{seconds} s away: the broker listened {up:?} after its start, all were ready {ready:?} later"
                ));
                if ready > READY_WITHIN {
                    log.fault(format!("ready {ready:?} after the broker"));
                }
            }
            None => log.fault("not ready a minute after the broker".to_owned()),
        }
    }
    load.stop();
    sleep(Duration::from_secs(2));
    until(Duration::from_mins(1), || all(&fleet));
    drop(viewer);
    fleet.end_all(Duration::from_secs(4));
    check::exact(&brokers, topics, topics, partitions)
}

/// What a process must export when no broker has answered it for so long.
fn away(log: &Log, name: &str, address: &str, seconds: u64, member: bool) {
    let text = ureq::get(format!("{address}/metrics")).call();
    let text = text.unwrap().body_mut().read_to_string().unwrap();
    let value = |metric: &str| {
        let line = text.lines().find(|line| line.starts_with(metric));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
    };
    let silence = value("queuepulse_broker_silence_seconds").unwrap_or(-1.0);
    let lease = value("queuepulse_lease ");
    let read = value("queuepulse_partitions{");
    let age = value("queuepulse_data_age_seconds");
    say(&format!(
        "{name}: silence {silence} s, lease {lease:?}, partitions {read:?}, data age {age:?}"
    ));
    let far = f64::from(u32::try_from(seconds).unwrap_or(0)) - 6.0;
    let says = silence > far;
    let plainly = if member {
        lease == Some(0.0) && read == Some(0.0)
    } else {
        age.is_some_and(|age| age > far)
    };
    if !says || !plainly {
        log.fault(format!("{name} does not say that the brokers are away"));
    }
}
