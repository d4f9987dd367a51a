//! The storm: for minutes, every one to three seconds one fault by the dice, under load. Then the input
//! stops, the engines read to the end, and every partition must be exact.

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::check;
use crate::dice::Dice;
use crate::engine::{Engine, reading};
use crate::expected::leave_out_what_only_a_live_engine_knows;
use crate::fleet::{Fleet, PROXIED};
use crate::load::{Load, centre};
use crate::log::{Log, say};
use crate::oracle::compare::differences;
use crate::oracle::record::time;
use crate::proxy::Proxy;
use crate::topics::{create, now};
use serde_json::Value;

/// What is asked for.
pub struct Plan {
    pub seed: u64,
    pub length: Duration,
    /// Events a second.
    pub rate: u32,
    pub engines: usize,
    pub partitions: i32,
}

/// How the broker is.
#[derive(Clone, Copy, PartialEq)]
enum Down {
    No,
    Since(Instant),
    Starting,
}

pub struct Storm<'a> {
    plan: Plan,
    topics: String,
    broker: &'a mut Broker,
    proxy: &'a Proxy,
    log: Arc<Log>,
    fleet: Fleet,
    load: Load,
    dice: Dice,
    counts: std::collections::BTreeMap<&'static str, usize>,
    down: Down,
}

/// The oracle takes some seconds for so many records, and its memory.
const FOR_THE_ORACLE: u64 = 1_000_000;

/// The share of each fault, in hundredths; numbers are those of docs/chaos.md.
const FAULTS: [(&str, usize); 12] = [
    ("1 kill -9", 45),
    ("2 SIGSTOP", 15),
    ("3 SIGTERM", 12),
    ("4, 37 broker kill -9", 8),
    ("5 network cut", 3),
    ("6 slow link", 3),
    ("7 one more engine, or one less", 4),
    ("11, 12 too late, and clocks off", 2),
    ("20 garbage", 2),
    ("31 ten times the load", 1),
    ("33 the same instance twice", 3),
    ("38 an aborted transaction", 2),
];

impl<'a> Storm<'a> {
    pub fn begin(
        plan: Plan,
        name: &str,
        broker: &'a mut Broker,
        proxy: &'a Proxy,
        log: &Arc<Log>,
    ) -> Self {
        let topics = name.to_owned();
        create(&broker.address, &topics, plan.partitions);
        let load = Load::begin(
            &broker.address,
            &topics,
            plan.partitions,
            centre(plan.seed, plan.rate, now()),
        );
        // One more than asked for comes and goes.
        let count = plan.engines + 1;
        let fleet = Fleet::new(&broker.address, &proxy.address, &topics, count, log);
        let dice = Dice::new(plan.seed);
        Self {
            plan,
            topics,
            broker,
            proxy,
            log: Arc::clone(log),
            fleet,
            load,
            dice,
            counts: std::collections::BTreeMap::new(),
            down: Down::No,
        }
    }

    /// Runs it and says how many partitions are exact, of how many.
    pub fn run(mut self) -> (usize, usize) {
        (0..self.plan.engines).for_each(|place| self.fleet.start(place));
        let watch = crate::watch::Watch::begin(&self.fleet.board, &self.log);
        let until = Instant::now() + self.plan.length;
        let mut next = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            self.fleet.supervise();
            self.mend();
            if Instant::now() >= next {
                self.strike();
                next = Instant::now()
                    + Duration::from_millis(self.dice.millis(1000, 2999).unsigned_abs());
            }
            sleep(Duration::from_millis(50));
        }
        let sent = self.calm();
        watch.end();
        for (fault, count) in &self.counts {
            say(&format!("{count:4} x {fault}"));
        }
        say(&format!("{sent} events sent, about"));
        self.verdict()
    }

    /// The broker comes back after a while, and the link is mended.
    fn mend(&mut self) {
        match self.down {
            Down::Since(since) if since.elapsed() > Duration::from_secs(1) => {
                self.broker.start();
                self.down = Down::Starting;
            }
            Down::Starting if self.broker.answers() => {
                self.down = Down::No;
                say("the broker answers again");
            }
            _ => {}
        }
        self.proxy.mend();
    }

    fn strike(&mut self) {
        let mut hit = self.dice.below(100);
        let mut fault = FAULTS[0].0;
        for (name, share) in FAULTS {
            if hit < share {
                fault = name;
                break;
            }
            hit -= share;
        }
        let running = self.fleet.running();
        let Some(place) = (!running.is_empty()).then(|| self.dice.pick(&running)) else {
            return;
        };
        let whose = match fault {
            "5 network cut" | "6 slow link" => PROXIED,
            _ => place,
        };
        say(&format!("{fault} ({})", self.fleet.members[whose].name));
        *self.counts.entry(fault).or_default() += 1;
        self.carry_out(fault, place);
    }

    fn carry_out(&mut self, fault: &str, place: usize) {
        let away = Duration::from_millis(self.dice.millis(0, 2999).unsigned_abs());
        let extra = self.plan.engines;
        match fault {
            "1 kill -9" => self.fleet.kill(place, away),
            "2 SIGSTOP" => {
                let seconds = self.dice.pick(&[3, 8, 10]);
                self.fleet.freeze(place, Duration::from_secs(seconds));
            }
            "3 SIGTERM" => self.fleet.end(place, self.patience(), Some(away)),
            "4, 37 broker kill -9" if self.down == Down::No => {
                self.broker.kill();
                self.down = Down::Since(Instant::now());
            }
            "5 network cut" if !self.proxy.disturbed() => self.proxy.cut(Duration::from_secs(15)),
            "6 slow link" if !self.proxy.disturbed() => self.proxy.slow(Duration::from_secs(8)),
            "7 one more engine, or one less" => {
                if self.fleet.running().contains(&extra) {
                    self.fleet.end(extra, self.patience(), None);
                } else {
                    self.fleet.kill(extra, Duration::ZERO);
                }
            }
            "11, 12 too late, and clocks off" => {
                for minutes in [-300, -120, -10, 10] {
                    self.load.skewed(minutes * 60_000);
                }
            }
            "20 garbage" => self.load.garbage(),
            "31 ten times the load" => self.load.spike(Duration::from_secs(5)),
            // Whoever cannot reach the broker cannot learn that it was replaced.
            "33 the same instance twice"
                if self.down == Down::No && (place != PROXIED || !self.proxy.disturbed()) =>
            {
                self.fleet.twin(place);
            }
            "38 an aborted transaction" if self.down == Down::No => {
                if let Err(error) = self.load.transactions() {
                    say(&format!("no transaction: {error}"));
                }
            }
            _ => {}
        }
    }

    /// How long an engine may take to end: it writes what it holds for 3 s at most, and the machine may
    /// have more to do. Without a broker it cannot, and gives up later.
    fn patience(&self) -> Duration {
        let reached = self.down == Down::No && !self.proxy.disturbed();
        Duration::from_secs(if reached { 6 } else { 15 })
    }

    /// Everything runs again, the input stops, and the engines read to the end.
    fn calm(&mut self) -> u64 {
        say("calm");
        self.proxy.heal();
        if let Down::Since(_) = self.down {
            self.broker.start();
        }
        self.broker.wait();
        self.down = Down::No;
        let sent = self.load.sent();
        self.load.stop();
        let begun = Instant::now();
        let wanted = usize::try_from(2 * self.plan.partitions).unwrap();
        loop {
            self.fleet.supervise();
            let shown = self.fleet.shown();
            let owned: usize = shown.iter().map(|(_, shown)| shown.partitions.len()).sum();
            let lag: f64 = shown.iter().map(|(_, shown)| shown.lag).sum();
            let ready = shown.iter().all(|(_, shown)| shown.ready);
            if owned == wanted && lag == 0.0 && ready && begun.elapsed() > Duration::from_secs(5) {
                say(&format!("read to the end after {:?}", begun.elapsed()));
                break;
            }
            if begun.elapsed() > Duration::from_mins(3) {
                self.log.fault(format!(
                    "not read to the end: {owned} partitions, lag {lag}, ready {ready}"
                ));
                break;
            }
            sleep(Duration::from_millis(500));
        }
        sent
    }

    fn verdict(mut self) -> (usize, usize) {
        self.fleet.end_all(Duration::from_secs(5));
        let folder = tempfile::tempdir().unwrap();
        let (brokers, topics) = (self.broker.address.clone(), self.topics.clone());
        let of = (topics.as_str(), check::SNAPSHOTS);
        let verdicts =
            check::partitions(&brokers, &topics, of, self.plan.partitions, folder.path());
        let exact = check::tell(&verdicts);
        let read: u64 = verdicts.iter().map(|verdict| verdict.records).sum();
        say(&format!("{read} records in {} partitions", verdicts.len()));
        self.in_total(folder.path(), read);
        exact
    }

    /// An engine begun from the snapshots shows what `replay` makes of the whole log, and the oracle too
    /// if it is not too long for it.
    fn in_total(&self, folder: &Path, records: u64) {
        let mut env = reading(&self.broker.address, &self.topics, &self.topics);
        env.push(("QUEUEPULSE__KAFKA__INSTANCE", "last".to_owned()));
        let engine = Engine::start(&env);
        let begun = Instant::now();
        while let Err(reason) = engine.get("/readyz") {
            if begun.elapsed() > Duration::from_mins(3) {
                return self
                    .log
                    .fault(format!("begun from the snapshots, not ready: {reason:?}"));
            }
            sleep(Duration::from_millis(10));
        }
        let begun = Instant::now();
        // Windows end at a whole second, figures of now at any tick: where both are one.
        let whole = |found: &Value| time(&found["at"]).is_some_and(|at| at % 1000 == 0);
        let found = loop {
            if let Some(found) = engine.snapshot().filter(whole) {
                break found;
            }
            assert!(begun.elapsed() < Duration::from_mins(2), "no whole second");
            sleep(Duration::from_millis(30));
        };
        let at = time(&found["at"]).unwrap();
        assert_eq!(engine.end_within(self.patience()), 0);
        self.compare("replay", check::replayed(folder, at), &found);
        if records <= FOR_THE_ORACLE {
            self.compare("the oracle", check::by_oracle(folder, at), &found);
        }
    }

    fn compare(&self, with: &str, mut expected: Value, found: &Value) {
        leave_out_what_only_a_live_engine_knows(&mut expected);
        let faults = differences(&expected, found, 1e-6);
        say(&format!(
            "in total: {} offered today; {} figures differ from {with}",
            found["total"]["windows"]["today"]["offered"],
            faults.len()
        ));
        for fault in faults.iter().take(20) {
            self.log.fault(format!("{with}:{fault}"));
        }
    }
}
