//! The engines: started, killed, frozen and asked to end, and what they show.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::broker::signal;
use crate::engine::{BODY, Engine, Env, reading};
use crate::log::{Log, say};

/// What one engine shows at a scrape.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Partitions that it reads.
    pub partitions: BTreeSet<String>,
    /// Rows of queues.
    pub queues: usize,
    /// Records not applied yet.
    pub lag: f64,
    pub ready: bool,
}

impl Shown {
    /// The partitions whose figures it shows: all that it reads, or none while it shows no figures.
    pub fn of(self) -> BTreeSet<String> {
        if self.queues > 0 {
            self.partitions
        } else {
            BTreeSet::new()
        }
    }
}

/// Where the running engines serve, for whoever scrapes.
pub type Board = Arc<Mutex<Vec<(String, String)>>>;

/// How long it took until something held; none if it did not in time.
pub fn until(limit: Duration, holds: impl Fn() -> bool) -> Option<Duration> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if holds() {
            return Some(begun.elapsed());
        }
        sleep(Duration::from_millis(20));
    }
    None
}

/// Scrapes one engine; none if it does not answer in time.
pub fn scrape(address: &str) -> Option<Shown> {
    scrape_within(address, Duration::from_millis(1500))
}

pub fn scrape_within(address: &str, limit: Duration) -> Option<Shown> {
    let get = |path: &str| {
        let url = format!("{address}{path}");
        let timeout = Some(limit);
        let request = ureq::get(url).config().timeout_global(timeout).build();
        let mut answer = request.call().ok()?;
        let body = answer.body_mut().with_config();
        body.limit(BODY).read_to_string().ok()
    };
    let text = get("/metrics")?;
    let mut shown = Shown {
        ready: get("/readyz").is_some(),
        ..Shown::default()
    };
    for line in text.lines() {
        if line.starts_with("queuepulse_waiting{") {
            shown.queues += 1;
        } else if let Some(rest) = line.strip_prefix("queuepulse_lag_records{") {
            let (labels, value) = rest.split_once("} ").unwrap_or_default();
            shown.partitions.insert(labels.to_owned());
            shown.lag += value.parse().unwrap_or(0.0);
        }
    }
    Some(shown)
}

/// The engine whose link to the broker can be disturbed.
pub const PROXIED: usize = 2;

pub struct Member {
    pub name: String,
    env: Env,
    engine: Option<Engine>,
    back_at: Option<Instant>,
    frozen_until: Option<Instant>,
}

pub struct Fleet {
    pub members: Vec<Member>,
    pub board: Board,
    log: Arc<Log>,
}

impl Fleet {
    /// So many engines of one group, not started yet. One of them reaches the broker at `proxied`.
    pub fn new(brokers: &str, proxied: &str, topics: &str, count: usize, log: &Arc<Log>) -> Self {
        let member = |number: usize| {
            let name = format!("engine-{number}");
            let through = if number == PROXIED { proxied } else { brokers };
            let mut env = reading(through, topics, topics);
            env.push(("QUEUEPULSE__KAFKA__INSTANCE", name.clone()));
            env.push(("QUEUEPULSE__KAFKA__SESSION_TIMEOUT", "6s".to_owned()));
            Member {
                name,
                env,
                engine: None,
                back_at: None,
                frozen_until: None,
            }
        };
        Self {
            members: (0..count).map(member).collect(),
            board: Board::default(),
            log: Arc::clone(log),
        }
    }

    /// How a member is set up.
    pub fn env(&self, place: usize) -> Env {
        self.members[place].env.clone()
    }

    pub fn start(&mut self, place: usize) {
        let member = &mut self.members[place];
        let engine = Engine::start(&member.env);
        let entry = (member.name.clone(), engine.address.clone());
        self.board.lock().unwrap().push(entry);
        member.engine = Some(engine);
        member.back_at = None;
        member.frozen_until = None;
    }

    pub fn start_all(&mut self) {
        (0..self.members.len()).for_each(|place| self.start(place));
    }

    /// Engines that run and are not frozen.
    pub fn running(&self) -> Vec<usize> {
        let runs = |place: &usize| {
            let member = &self.members[*place];
            member.engine.is_some() && member.frozen_until.is_none()
        };
        (0..self.members.len()).filter(runs).collect()
    }

    fn take(&mut self, place: usize) -> Option<Engine> {
        let name = self.members[place].name.clone();
        self.board
            .lock()
            .unwrap()
            .retain(|(other, _)| *other != name);
        self.members[place].frozen_until = None;
        self.members[place].engine.take()
    }

    /// Keeps what an ended engine logged, and looks for what must not be there.
    fn bury(&self, name: &str, mut engine: Engine) {
        let _reaped = engine.child.wait();
        engine.seen.extend(engine.lines.iter());
        for line in &engine.seen {
            self.log.note(name, line);
            if line.contains("panicked") {
                self.log.fault(format!("{name}: {line}"));
            }
        }
    }

    /// kill -9; it comes back after `away`.
    pub fn kill(&mut self, place: usize, away: Duration) {
        if let Some(mut engine) = self.take(place) {
            let _ended_already = engine.child.kill();
            let name = self.members[place].name.clone();
            self.bury(&name, engine);
        }
        self.members[place].back_at = Some(Instant::now() + away);
    }

    /// SIGSTOP for `time`.
    pub fn freeze(&mut self, place: usize, time: Duration) {
        let member = &mut self.members[place];
        if let Some(engine) = &member.engine {
            signal(&engine.child.id().to_string(), "STOP");
            member.frozen_until = Some(Instant::now() + time);
        }
    }

    /// SIGTERM: its status must be 0, within `limit`; it comes back after `away`.
    pub fn end(&mut self, place: usize, limit: Duration, away: Option<Duration>) {
        let name = self.members[place].name.clone();
        if let Some(mut engine) = self.take(place) {
            let asked = Instant::now();
            signal(&engine.child.id().to_string(), "TERM");
            let status = engine.child.wait().unwrap();
            let took = asked.elapsed();
            if status.code() != Some(0) || took > limit {
                self.log
                    .fault(format!("{name}: SIGTERM took {took:?}, {status}"));
            }
            self.log.ended(took);
            self.bury(&name, engine);
        }
        self.members[place].back_at = away.map(|away| Instant::now() + away);
    }

    /// Ends whoever still runs.
    pub fn end_all(&mut self, limit: Duration) {
        for place in 0..self.members.len() {
            self.thaw(place);
            if self.members[place].engine.is_some() {
                self.end(place, limit, None);
            }
            self.members[place].back_at = None;
        }
    }

    /// Wakes those whose time is over, starts those that are due, and starts again those that ended
    /// by themselves: a supervisor does. Whoever ends by itself must say that it failed.
    pub fn supervise(&mut self) {
        let now = Instant::now();
        for place in 0..self.members.len() {
            let member = &mut self.members[place];
            if member.frozen_until.is_some_and(|until| until <= now) {
                self.thaw(place);
            }
            let member = &mut self.members[place];
            let ended = member
                .engine
                .as_mut()
                .and_then(|engine| engine.child.try_wait().unwrap());
            if let Some(status) = ended {
                let name = member.name.clone();
                say(&format!("{name} ended by itself: {status}"));
                if status.success() {
                    self.log
                        .fault(format!("{name} ended by itself with status 0"));
                }
                if let Some(engine) = self.take(place) {
                    self.bury(&name, engine);
                }
                self.members[place].back_at = Some(now + Duration::from_secs(1));
            }
            if self.members[place].back_at.is_some_and(|at| at <= now) {
                self.start(place);
            }
        }
    }

    /// SIGCONT. On its first scrape after that it must show nothing that another shows: what others
    /// had taken over before it woke.
    fn thaw(&mut self, place: usize) {
        let member = &mut self.members[place];
        if member.frozen_until.take().is_none() {
            return;
        }
        let (name, engine) = (member.name.clone(), member.engine.as_ref());
        let Some(engine) = engine else { return };
        let board = self.board.lock().unwrap().clone();
        let others = board.iter().filter(|(other, _)| *other != name);
        let taken: Vec<(String, BTreeSet<String>)> = others
            .filter_map(|(other, address)| Some((other.clone(), scrape(address)?.of())))
            .collect();
        signal(&engine.child.id().to_string(), "CONT");
        let Some(first) = scrape(&engine.address) else {
            return;
        };
        let first = first.of();
        for (other, shown) in taken {
            self.log.zombie();
            let both: Vec<&String> = first.intersection(&shown).collect();
            if !both.is_empty() {
                self.log
                    .fault(format!("I3: {name} woke and showed {both:?} of {other}"));
            }
        }
    }

    /// A second process with a member's name: the one that joined the group first must end, and not with
    /// status 0.
    pub fn twin(&mut self, place: usize) {
        let env = self.members[place].env.clone();
        let Some(mut older) = self.take(place) else {
            return;
        };
        let name = self.members[place].name.clone();
        let mut younger = Engine::start(&env);
        let begun = Instant::now();
        let status = loop {
            let ended = older.child.try_wait().unwrap();
            if let Some(status) = ended.or(younger.child.try_wait().unwrap()) {
                break Some(status);
            }
            if begun.elapsed() > Duration::from_secs(20) {
                break None;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        match status {
            Some(status) if !status.success() => {
                say(&format!("{name}: one of two ended with {status}"));
            }
            other => self
                .log
                .fault(format!("{name}: one of two ended as {other:?}")),
        }
        let (stays, mut goes) = if younger.child.try_wait().unwrap().is_some() {
            (older, younger)
        } else {
            (younger, older)
        };
        let _ended_already = goes.child.kill();
        self.bury(&name, goes);
        let entry = (name, stays.address.clone());
        self.board.lock().unwrap().push(entry);
        self.members[place].engine = Some(stays);
    }

    /// What every running engine shows.
    pub fn shown(&self) -> Vec<(String, Shown)> {
        let board = self.board.lock().unwrap().clone();
        board
            .into_iter()
            .filter_map(|(name, address)| Some((name, scrape(&address)?)))
            .collect()
    }
}
