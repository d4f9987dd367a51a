//! Posts of the largest centre at its peak, made without folding events: what the log, the tables
//! and the views have to take. Per contact some 4 counts, 8 staff, 6 work and 2 here posts.

#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers are small"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use queuepulse::engine::facts::{ContactState, Count, Fact, Post, WorkState};
use queuepulse::engine::ledger::Ledger;
use queuepulse::engine::names::{
    Activity, ChannelNo, ClientNo, Names, Profile, ProfileNo, QueueIdNo, RowNo, SetInfo, SetNo,
};
use queuepulse::engine::settings::{StateSettings, ZoneNo};
use queuepulse::event::{Millis, Presence, Span};
use queuepulse::windows::frame::{WindowKind, WindowSpec};
use queuepulse::windows::numbering::{
    AgentRow, AgentRowNo, ClientId, Numbering, QueueNo, ReasonId,
};

pub const QUEUES: usize = 10_000;
pub const CLIENTS: usize = 20;
pub const AGENTS: usize = 100_000;
pub const PARTITIONS: usize = 16;
/// Contacts that end in a second: 15,000 events/s.
pub const CONTACTS: usize = 1_050;
pub const START: Millis = Millis(1_767_603_600_000);

/// xorshift64*: cheap and seeded.
pub struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end
    }

    /// Zipf-like: small numbers are likely.
    fn skewed(&mut self, end: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((end as f64).powf(unit) - 1.0) as usize % end
    }

    /// Exponential with this mean.
    fn duration(&mut self, mean: f64) -> Span {
        let unit = ((self.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        Span((-mean * unit.ln()) as i64)
    }
}

/// One partition and what it does.
pub struct Part {
    pub names: Names,
    pub ledger: Ledger,
    sets: Vec<SetNo>,
    here: HashMap<RowNo, SetNo>,
    profiles: [ProfileNo; 4],
}

pub fn settings() -> Arc<StateSettings> {
    Arc::new(StateSettings {
        log_keep: Span::minutes(7),
        ..StateSettings::default()
    })
}

/// As many windows as a live engine has; the sliding ones shorter, so that the bench is warm soon.
pub fn windows() -> Vec<WindowSpec> {
    let sliding = |minutes| WindowKind::Sliding(Span::minutes(minutes));
    let kinds = [1, 2, 3, 4, 5].map(sliding);
    let calendar = [WindowKind::Interval(Span::minutes(30)), WindowKind::Today];
    let kinds = kinds.into_iter().chain(calendar);
    kinds
        .map(|kind| WindowSpec {
            key: format!("{kind:?}"),
            kind,
        })
        .collect()
}

impl Part {
    pub fn new(settings: &Arc<StateSettings>, number: usize) -> Self {
        let mut names = Names::new(Arc::clone(settings));
        let mut random = Random(77);
        let rows: Vec<RowNo> = (0..QUEUES)
            .map(|queue| {
                let client = names.clients.number(&format!("client{}", queue % CLIENTS));
                let queue_id = names.queues.number(&format!("queue{queue}"));
                let channel = names
                    .channels
                    .number(["voice", "chat"][queue / CLIENTS % 2]);
                names.row(
                    ClientNo(client),
                    Some(QueueIdNo(queue_id)),
                    ChannelNo(channel),
                )
            })
            .collect();
        let here = rows
            .iter()
            .map(|&row| {
                let clients = vec![names.row_info(row).client];
                (
                    row,
                    names.set(&SetInfo {
                        rows: vec![row],
                        clients,
                    }),
                )
            })
            .collect();
        let mut sets = Vec::new();
        for team in 0..20_000 / PARTITIONS {
            let client = (team * PARTITIONS + number) % CLIENTS;
            let mut served: Vec<RowNo> = (0..6)
                .map(|_| rows[random.skewed(QUEUES / CLIENTS) * CLIENTS + client])
                .collect();
            served.sort_unstable();
            served.dedup();
            let clients = vec![names.row_info(served[0]).client];
            sets.push(names.set(&SetInfo {
                rows: served,
                clients,
            }));
        }
        let mut profile = |activity, busy_contacts, used| {
            names.profile(Profile {
                presence: Presence::Available,
                reason: None,
                activity,
                busy_contacts,
                used,
                usable: 1,
            })
        };
        let profiles = [
            profile(Activity::Idle, 0, 0),
            profile(Activity::Alerting, 0, 1),
            profile(Activity::OnContact, 1, 1),
            profile(Activity::Acw, 1, 1),
        ];
        let mut ledger = Ledger::new(settings);
        ledger.advance(START, &names);
        let mut part = Self {
            names,
            ledger,
            sets,
            here,
            profiles,
        };
        for agent in 0..AGENTS / PARTITIONS {
            let set = part.sets[agent % part.sets.len()];
            part.make(START.0 + 1, Fact::Staff(set, part.profiles[0]), 1);
        }
        part
    }

    fn make(&mut self, stamp: i64, fact: Fact, sign: i8) {
        let stamp = Millis(stamp);
        self.ledger.make(&Post { stamp, fact, sign }, &self.names);
    }

    /// Makes the posts of one contact, each with a stamp in the second that ends at `end`.
    pub fn contact(&mut self, random: &mut Random, end: Millis) {
        let at = |random: &mut Random| end.0 - random.below(1000) as i64;
        let set = self.sets[random.below(self.sets.len())];
        let served = &self.names.set_info(set).rows;
        let row = served[random.below(served.len())];
        let wait = random.duration(15_000.0);
        let (talk, hold) = (random.duration(240_000.0), random.duration(9_000.0));
        let acw = random.duration(30_000.0);
        let stamp = at(random);
        let state = |state| Fact::State(row, state);
        self.make(stamp, Fact::Count(row, Count::Offered), 1);
        self.make(stamp, state(ContactState::Waiting), 1);
        let rungs = Arc::clone(&self.names.row_info(row).rungs);
        for (rung, _) in (0_u8..).zip(rungs.iter().filter(|&&rung| wait > rung)) {
            self.make(at(random), Fact::Count(row, Count::Passed { rung }), 1);
            self.make(stamp, Fact::WaitingPast(row, rung), 1);
            self.make(stamp, Fact::WaitingPast(row, rung), -1);
            self.make(stamp, Fact::PassCounted(row, rung), 1);
        }
        let exit = at(random);
        self.make(exit, state(ContactState::Waiting), -1);
        if random.below(20) == 0 {
            return self.make(exit, Fact::Count(row, Count::Abandoned { wait }), 1);
        }
        self.make(exit, state(ContactState::Connected), 1);
        self.make(exit, Fact::Count(row, Count::Answered { wait }), 1);
        let ended = at(random);
        self.make(ended, state(ContactState::Connected), -1);
        self.make(ended, Fact::Count(row, Count::Handled { talk, hold }), 1);
        self.make(at(random), Fact::Count(row, Count::AfterContact { acw }), 1);
        let here = Fact::Here {
            serves: set,
            here: self.here[&row],
        };
        let works = [WorkState::Alerting, WorkState::Connected, WorkState::Acw];
        for turn in 0..4 {
            let stamp = at(random);
            let (before, after) = (self.profiles[turn], self.profiles[(turn + 1) % 4]);
            self.make(stamp, Fact::Staff(set, before), -1);
            self.make(stamp, Fact::Staff(set, after), 1);
            if turn > 0 {
                self.make(stamp, Fact::Work(row, works[turn - 1]), -1);
            }
            if turn < 3 {
                self.make(stamp, Fact::Work(row, works[turn]), 1);
            }
            match turn {
                1 => self.make(stamp, here, 1),
                2 => self.make(stamp, here, -1),
                _ => {}
            }
        }
    }
}

/// The largest centre.
pub struct Centre {
    pub parts: Vec<Part>,
    pub end: Millis,
    random: Random,
}

impl Centre {
    pub fn new(settings: &Arc<StateSettings>) -> Self {
        Self {
            parts: (0..PARTITIONS)
                .map(|number| Part::new(settings, number))
                .collect(),
            end: START,
            random: Random(42),
        }
    }

    /// Makes the posts of the next second.
    pub fn second(&mut self) {
        self.end = self.end + Span::seconds(1);
        for part in &mut self.parts {
            part.ledger.advance(self.end, &part.names);
        }
        for _ in 0..CONTACTS {
            let part = self.random.below(PARTITIONS);
            self.parts[part].contact(&mut self.random, self.end);
        }
    }
}

/// Numbers by order of asking.
#[derive(Default)]
pub struct Numbers {
    queues: Mutex<HashMap<String, u32>>,
    rows: Mutex<HashMap<AgentRow, u32>>,
    clients: Mutex<HashMap<String, u32>>,
}

fn number<K: std::hash::Hash + Eq>(known: &Mutex<HashMap<K, u32>>, key: K) -> u32 {
    let mut known = known
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let next = known.len() as u32;
    *known.entry(key).or_insert(next)
}

impl Numbering for Numbers {
    fn queue(&self, client: &str, queue: &str, channel: &str) -> QueueNo {
        QueueNo(number(&self.queues, format!("{client}/{queue}/{channel}")))
    }
    fn agent_row(&self, row: &AgentRow) -> AgentRowNo {
        AgentRowNo(number(&self.rows, row.clone()))
    }
    fn client(&self, client: &str) -> ClientId {
        ClientId(number(&self.clients, client.to_owned()))
    }
    fn reason(&self, _: &str) -> ReasonId {
        ReasonId(0)
    }
    fn group(&self, queue: QueueNo) -> Option<String> {
        Some(format!("group{}", queue.0 % 40))
    }
    fn group_epoch(&self) -> u64 {
        0
    }
    fn zone(&self, _: QueueNo) -> ZoneNo {
        ZoneNo(0)
    }
    fn queues(&self) -> usize {
        QUEUES
    }
    fn agent_rows(&self) -> usize {
        0
    }
}
