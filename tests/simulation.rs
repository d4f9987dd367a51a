//! The core under faults, simulated: a log, a snapshot topic and their readers without any I/O, every
//! step by a seed. Decoding, counting, the encoding of state and the choice of a snapshot are the
//! engine's own.
//!
//! Readers come and go, two at a time think that they own the partition, snapshots arrive late,
//! damaged, of another release or not at all, the log is cut off or made anew, records come late,
//! twice and as nonsense. After each step holds:
//!
//! - I1: every record was counted once;
//! - I2: the state is, to the byte, that of a reader who never stopped;
//! - I5: every record that was not counted has the reason that it has for that reader;
//!
//! and at the end: that reader counted what happened, as a log does in which everything came in
//! order and once. `QUEUEPULSE_SCHEDULES` sets how many schedules are tried, `QUEUEPULSE_SEED` one
//! to be tried again. `simulation/planted.sh` shows that it finds what it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code: a failure here is a failed test"
)]

#[path = "simulation/dice.rs"]
mod dice;
#[path = "simulation/figures.rs"]
mod figures;
#[path = "simulation/lives.rs"]
mod lives;
#[path = "simulation/log.rs"]
mod log;
#[path = "simulation/owner.rs"]
mod owner;
#[path = "simulation/store.rs"]
mod store;

use std::sync::atomic::{AtomicU64, Ordering};

use dice::Dice;
use lives::{Kind, Sent};
use log::Log;
use owner::{Owner, Ranges, Violation};
use queuepulse::event::Discard;
use store::Store;

/// Near the middle of a day, of a half hour's end, of midnight in Auckland, and where clocks change.
const STARTS: [i64; 4] = [
    1_767_603_600_000,
    1_767_606_900_000,
    1_767_610_500_000,
    1_775_311_000_000,
];

/// One partition and everybody who has to do with it.
struct World {
    dice: Dice,
    coming: Vec<Sent>,
    came: usize,
    log: Log,
    store: Store,
    owners: Vec<Owner>,
    /// What each snapshot was of.
    written: Vec<Ranges>,
    /// The log was made anew: it does not hold all that happened.
    is_anew: bool,
    steps: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let start = dice.pick(&STARTS);
        let coming = lives::of_log(&mut dice, start, 0);
        Self {
            dice,
            coming,
            came: 0,
            log: Log::new(),
            store: Store::default(),
            owners: Vec::new(),
            written: Vec::new(),
            is_anew: false,
            steps: 0,
        }
    }

    fn run(&mut self) -> Result<(), Violation> {
        while self.came < self.coming.len() {
            self.steps += 1;
            self.step()?;
        }
        self.finish()
    }

    fn step(&mut self) -> Result<(), Violation> {
        match self.dice.below(100) {
            0..=29 => self.append(),
            30..=59 => return self.read(),
            60..=72 => self.write(),
            73..=76 => self.store.arrive(&mut self.dice),
            77..=82 => self.crash(),
            83..=87 => return self.begin(),
            88..=90 => self.store.damage(&mut self.dice),
            91..=92 => self.write_otherwise(),
            93..=97 => self.view(),
            98 => self.cut_off(),
            _ => self.make_anew(),
        }
        Ok(())
    }

    fn append(&mut self) {
        let end = self.coming.len().min(self.came + 1 + self.dice.below(8));
        for sent in &self.coming[self.came..end] {
            self.log.append(&sent.value, sent.at);
        }
        self.came = end;
    }

    /// One of the owners, if there is one.
    fn owner(&mut self) -> Option<&mut Owner> {
        let which = self.dice.below(self.owners.len());
        self.owners.get_mut(which)
    }

    fn read(&mut self) -> Result<(), Violation> {
        if self.owners.is_empty() {
            self.begin()?;
        }
        let most = 1 + self.dice.below(12);
        let which = self.dice.below(self.owners.len());
        self.owners[which].read(&self.log, most)
    }

    fn write(&mut self) {
        let late = self.dice.percent(25);
        let which = self.dice.below(self.owners.len());
        if let Some(owner) = self.owners.get_mut(which) {
            owner.write(&mut self.store, &self.log, &mut self.written, late);
        }
    }

    fn write_otherwise(&mut self) {
        let format = self.dice.percent(50);
        let number = self.written.len();
        let which = self.dice.below(self.owners.len());
        if let Some(owner) = self.owners.get_mut(which) {
            owner.write_otherwise(&mut self.store, format, number);
            self.written.push(Ranges::new());
        }
    }

    fn crash(&mut self) {
        if !self.owners.is_empty() {
            let which = self.dice.below(self.owners.len());
            self.owners.swap_remove(which);
        }
    }

    /// Another owner; the ones before go on.
    fn begin(&mut self) -> Result<(), Violation> {
        if self.owners.len() < 3 {
            let owner = Owner::begin(&self.store, &self.log, &self.written)?;
            self.owners.push(owner);
        }
        Ok(())
    }

    fn view(&mut self) {
        let ahead = self.dice.pick(&[-60_000, 0, 999, 25_000, 700_000]);
        if let Some(owner) = self.owner() {
            owner.view(ahead);
        }
    }

    /// Old records are dropped, read or not.
    fn cut_off(&mut self) {
        // In a log made anew nobody could tell any more that a snapshot is not of it.
        if !self.is_anew {
            let more = self.dice.below(self.log.high() - self.log.low + 1);
            self.log.low += more;
        }
    }

    /// Somebody deletes the topic and makes it anew. Its readers begin anew too.
    fn make_anew(&mut self) {
        if self.log.low == 0 && self.dice.percent(30) {
            self.log = Log::new();
            self.owners.clear();
            self.is_anew = true;
        }
    }

    /// An owner reads to the end.
    fn finish(&mut self) -> Result<(), Violation> {
        self.owners.truncate(2);
        self.begin()?;
        for mut owner in std::mem::take(&mut self.owners) {
            while !owner.is_at_end(&self.log) {
                owner.read(&self.log, 20)?;
            }
        }
        if self.is_anew {
            return Ok(());
        }
        self.every_reason_is_right()?;
        self.what_happened_was_counted()
    }

    fn every_reason_is_right(&self) -> Result<(), Violation> {
        for (sent, outcome) in self.coming.iter().zip(self.log.outcomes()) {
            let is_right = match sent.kind {
                Kind::True => outcome.is_ok(),
                Kind::Copy => matches!(
                    outcome,
                    Err(Discard::Duplicate | Discard::LateDuplicate | Discard::TooLate)
                ),
                Kind::Ancient => *outcome == Err(Discard::TooLate),
                Kind::Bad => matches!(outcome, Err(Discard::JsonEof | Discard::NotObject)),
            };
            if !is_right {
                let Sent { kind, value, .. } = sent;
                return Err(format!("I5: {outcome:?} of {kind:?} {value}"));
            }
        }
        Ok(())
    }

    /// What came late and twice comes to the same as what happened, in order.
    fn what_happened_was_counted(&self) -> Result<(), Violation> {
        let mut happened: Vec<&Sent> = self.coming.iter().collect();
        happened.retain(|sent| sent.kind == Kind::True);
        happened.sort_by_key(|sent| sent.time);
        let mut log = Log::new();
        for sent in happened {
            log.append(&sent.value, sent.time);
        }
        match log.figures().differing(self.log.figures()) {
            0 => Ok(()),
            figures => Err(format!("{figures} figures are not those of what happened")),
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn trial(seed: u64) -> Result<usize, Violation> {
    let run = || {
        let mut world = World::new(seed);
        world.run().map(|()| world.steps)
    };
    let ended = std::panic::catch_unwind(run).unwrap_or_else(|_| Err("a panic".to_owned()));
    ended.map_err(|violation| format!("{violation}\nQUEUEPULSE_SEED={seed} tries it again"))
}

#[test]
fn no_schedule_of_faults_changes_what_is_counted() {
    if let Some(seed) = number("QUEUEPULSE_SEED") {
        trial(seed).unwrap_or_else(|violation| panic!("{violation}"));
        return;
    }
    let schedules = number("QUEUEPULSE_SCHEDULES").unwrap_or(2000);
    let (next, steps) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed = std::thread::scope(|scope| {
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= schedules {
                    return None;
                }
                match trial(seed) {
                    Ok(done) => steps.fetch_add(done as u64, Ordering::Relaxed),
                    Err(violation) => {
                        next.store(schedules, Ordering::Relaxed);
                        return Some(violation);
                    }
                };
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        results.find_map(|result| result.unwrap_or_else(|_| Some("a panic".to_owned())))
    });
    if let Some(violation) = failed {
        panic!("{violation}");
    }
    eprintln!("{schedules} schedules, {} steps", steps.into_inner());
}
