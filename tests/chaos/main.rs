//! The chaos suite: engines under load on a real Kafka, disturbed for minutes, must end exact. Run by
//! `tests/kafka/chaos`; `docs/chaos.md` says what it does and what came out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::float_cmp,
    dead_code,
    reason = "test code: a failure here is a failed test, and real processes take real time"
)]

mod broker;
mod check;
#[path = "../simulation/dice.rs"]
#[allow(dead_code, reason = "tests/simulation.rs uses the rest")]
mod dice;
#[path = "../kafka/engine.rs"]
mod engine;
#[path = "../kafka/expected.rs"]
mod expected;
mod fleet;
mod load;
mod log;
mod measure;
#[path = "../oracle/mod.rs"]
mod oracle;
mod outage;
mod proxy;
mod restart;
mod steps;
mod storm;
#[path = "../kafka/topics.rs"]
mod topics;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use clap::Parser;
use log::{Log, say};
use proxy::Proxy;
use storm::{Plan, Storm};

/// Disturbs engines on a real Kafka and checks that every partition ends exact.
#[derive(Parser)]
#[command(name = "tests/kafka/chaos")]
struct Args {
    /// How long the storm lasts.
    #[arg(long, default_value_t = 1.5)]
    minutes: f64,
    /// The same seed picks the same faults; without one, the clock does.
    #[arg(long)]
    seed: Option<u64>,
    /// Events a second.
    #[arg(long, default_value_t = 3000)]
    rate: u32,
    #[arg(long, default_value_t = 3)]
    engines: usize,
    #[arg(long, default_value_t = 6)]
    partitions: i32,
    /// Only one part: `storm`, `steps`, `restart`, `outage`, `freshness`, `snapshots`, or the number of
    /// a step.
    #[arg(long)]
    only: Option<String>,
    /// Where the engines' logs go.
    #[arg(long, default_value = "target/chaos.log")]
    log: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args
        .seed
        .unwrap_or_else(|| topics::now().unsigned_abs() % 1_000_000);
    say(&format!("seed {seed}"));
    let log = Arc::new(Log::new(&args.log));
    let mut broker = Broker::running();
    let proxy = Proxy::begin();
    let plan = Plan {
        seed,
        length: Duration::from_secs_f64(args.minutes * 60.0),
        rate: args.rate,
        engines: args.engines,
        partitions: args.partitions,
    };
    let (mut exact, mut of) = (0, 0);
    let mut add = |(these, all): (usize, usize)| {
        exact += these;
        of += all;
    };
    let wanted = |part: &str| args.only.as_deref().is_none_or(|only| only == part);
    let step = args
        .only
        .as_deref()
        .filter(|only| only.parse::<u8>().is_ok());
    if wanted("steps") || step.is_some() {
        let steps = steps::Steps {
            broker: &broker,
            proxy: &proxy,
            log: &log,
            seed,
        };
        add(steps.run(step));
    }
    let load = (seed, args.rate, args.partitions);
    match args.only.as_deref() {
        Some("restart") => add(restart::run(load, &broker, &log)),
        Some("outage") => add(outage::run(load, &mut broker, &log)),
        Some("freshness") => measure::freshness(load, &broker.address, &log),
        Some("snapshots") => measure::snapshots(load, &broker.address),
        _ => {}
    }
    if wanted("storm") {
        add(Storm::begin(plan, "storm", &mut broker, &proxy, &log).run());
    }
    log.sum_up();
    println!("exact on {exact} of {of} partitions");
    if exact == of && log.faults() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
