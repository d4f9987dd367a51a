//! A small world: partitions that make posts at random, workers that absorb them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use queuepulse::engine::facts::{ContactState, Count, Fact, Post, WorkState};
use queuepulse::engine::ledger::Ledger;
use queuepulse::engine::names::{
    Activity, ChannelNo, ClientNo, Names, Profile, ProfileNo, QueueIdNo, ReasonNo, RowNo, SetInfo,
    SetNo,
};
use queuepulse::engine::settings::{Pattern, StateSettings, ZoneNo};
use queuepulse::event::{FlowOut, Millis, Presence, Span, Zones};
use queuepulse::windows::numbering::{
    AgentRow, AgentRowNo, ClientId, Numbering, QueueNo, ReasonId,
};
use queuepulse::windows::view::{Instant, PartitionView};

/// Numbers by order of asking, as the registry gives them.
#[derive(Default)]
pub struct Registry {
    pub inner: Mutex<Inner>,
}

#[derive(Default)]
pub struct Inner {
    queues: Vec<[String; 3]>,
    rows: Vec<AgentRow>,
    clients: Vec<String>,
    reasons: Vec<String>,
    pub groups: BTreeMap<u32, String>,
    pub epoch: u64,
}

fn number<T: PartialEq>(list: &mut Vec<T>, value: T) -> u32 {
    let place = list.iter().position(|known| *known == value);
    let place = place.unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    });
    u32::try_from(place).expect("small")
}

impl Registry {
    pub fn reason_of(&self, reason: ReasonId) -> String {
        self.inner.lock().expect("lock").reasons[reason.index()].clone()
    }
}

impl Numbering for Registry {
    fn queue(&self, client: &str, queue: &str, channel: &str) -> QueueNo {
        let key = [client, queue, channel].map(str::to_owned);
        QueueNo(number(&mut self.inner.lock().expect("lock").queues, key))
    }
    fn agent_row(&self, row: &AgentRow) -> AgentRowNo {
        AgentRowNo(number(
            &mut self.inner.lock().expect("lock").rows,
            row.clone(),
        ))
    }
    fn client(&self, client: &str) -> ClientId {
        ClientId(number(
            &mut self.inner.lock().expect("lock").clients,
            client.to_owned(),
        ))
    }
    fn reason(&self, reason: &str) -> ReasonId {
        ReasonId(number(
            &mut self.inner.lock().expect("lock").reasons,
            reason.to_owned(),
        ))
    }
    fn group(&self, queue: QueueNo) -> Option<String> {
        self.inner
            .lock()
            .expect("lock")
            .groups
            .get(&queue.0)
            .cloned()
    }
    fn group_epoch(&self) -> u64 {
        self.inner.lock().expect("lock").epoch
    }
    fn zone(&self, _: QueueNo) -> ZoneNo {
        ZoneNo(0)
    }
    fn queues(&self) -> usize {
        self.inner.lock().expect("lock").queues.len()
    }
    fn agent_rows(&self) -> usize {
        self.inner.lock().expect("lock").rows.len()
    }
}

/// Zones with a doubled midnight, a half-hour change and none; the engine's own is Berlin.
pub fn settings() -> Arc<StateSettings> {
    let zones = [
        "Europe/Berlin",
        "America/Havana",
        "Australia/Lord_Howe",
        "UTC",
    ];
    let zones = zones.map(|zone| TimeZone::get(zone).expect("zone"));
    let by_queue = |queue: &str, zone: u16| {
        let pattern = Pattern {
            queue: Some(queue.to_owned()),
            ..Pattern::default()
        };
        (pattern, ZoneNo(zone))
    };
    let chat: Arc<[Span]> = [10, 30, 120].map(Span::seconds).into();
    Arc::new(StateSettings {
        zones: Zones::new(zones.into()),
        zone_by_queue: vec![
            by_queue("havana", 1),
            by_queue("howe", 2),
            by_queue("utc", 3),
        ],
        rungs: [("chat".to_owned(), chat)].into(),
        log_keep: Span::minutes(20),
        ..StateSettings::default()
    })
}

const ROWS: [(&str, Option<&str>, &str); 6] = [
    ("acme", Some("havana"), "voice"),
    ("acme", Some("howe"), "chat"),
    ("acme", None, "voice"),
    ("bolt", Some("utc"), "voice"),
    ("bolt", Some("berlin"), "chat"),
    ("bolt", Some("havana"), "voice"),
];

/// Which rows each set serves; the last serves none but names a client.
const SETS: [&[usize]; 6] = [&[0, 1, 3], &[4], &[0, 5], &[2], &[2, 3, 4], &[]];

/// One partition, with all that it ever posted.
pub struct Partition {
    pub number: u32,
    pub names: Names,
    pub ledger: Ledger,
    pub stream: Millis,
    pub made: Vec<(Post, bool)>,
    pub due: Vec<Post>,
    rows: Vec<RowNo>,
    sets: Vec<SetNo>,
    profiles: Vec<ProfileNo>,
}

impl Partition {
    /// Rows get their numbers in another order in every partition.
    pub fn new(number: u32, settings: &Arc<StateSettings>, start: Millis) -> Self {
        let mut names = Names::new(Arc::clone(settings));
        let mut rows = vec![RowNo(0); ROWS.len()];
        for place in 0..ROWS.len() {
            let place = (place * 5 + number as usize) % ROWS.len();
            let (client, queue, channel) = ROWS[place];
            let client = ClientNo(names.clients.number(client));
            let queue = queue.map(|queue| QueueIdNo(names.queues.number(queue)));
            let channel = ChannelNo(names.channels.number(channel));
            rows[place] = names.row(client, queue, channel);
        }
        let sets = SETS.map(|set| {
            let mut numbers: Vec<RowNo> = set.iter().map(|&row| rows[row]).collect();
            numbers.sort_unstable();
            let mut clients: Vec<ClientNo> = numbers
                .iter()
                .map(|&row| names.row_info(row).client)
                .collect();
            if clients.is_empty() {
                clients.push(ClientNo(names.clients.number("bolt")));
            }
            clients.sort_unstable();
            clients.dedup();
            names.set(&SetInfo {
                rows: numbers,
                clients,
            })
        });
        let profiles = profiles(&mut names);
        let mut ledger = Ledger::new(settings);
        ledger.advance(start, &names);
        Self {
            number,
            names,
            ledger,
            stream: start,
            made: Vec::new(),
            due: Vec::new(),
            rows,
            sets: sets.into(),
            profiles,
        }
    }

    /// A fact drawn from three random numbers.
    pub fn fact(&self, kind: u8, who: u16, value: i64) -> Fact {
        let row = self.rows[usize::from(who) % self.rows.len()];
        let span = Span(value);
        let count = match kind % 22 {
            0 => Count::Offered,
            1..=3 => Count::Answered { wait: span },
            4 => Count::Abandoned {
                wait: Span((value - 5000).max(0)),
            },
            5 => Count::FlowedOut {
                how: FlowOut::ALL[usize::from(who) % 7],
                wait: Some(span),
            },
            6 => Count::FlowedOut {
                how: FlowOut::Error,
                wait: None,
            },
            7 => Count::Callback { wait: span },
            8 => Count::Passed {
                rung: (who % 3) as u8,
            },
            9 => Count::AlertFailed,
            10 | 11 => Count::Handled {
                talk: span,
                hold: Span(value / 3),
            },
            12 => Count::AfterContact { acw: span },
            13 => Count::Transferred,
            14 => return Fact::State(row, ContactState::Waiting),
            15 => return Fact::WaitingPast(row, (who % 3) as u8),
            16 => return Fact::PassCounted(row, (who % 3) as u8),
            17 => return Fact::Work(row, WorkState::Held),
            18 => {
                let here = self.sets[usize::from(who / 8) % (self.sets.len() - 1)];
                return Fact::Here {
                    serves: self.sets[usize::from(who) % self.sets.len()],
                    here,
                };
            }
            _ => {
                let profile = usize::try_from(value).expect("positive") % self.profiles.len();
                let set = self.sets[usize::from(who) % self.sets.len()];
                return Fact::Staff(set, self.profiles[profile]);
            }
        };
        Fact::Count(row, count)
    }

    pub fn make(&mut self, post: Post) {
        let too_late = post.stamp <= self.ledger.log().floor() && post.sign < 0;
        self.made.push((post, too_late));
        self.ledger.make(&post, &self.names);
    }

    /// Lets stream time pass; executes what is due.
    pub fn pass(&mut self, time: Millis) {
        self.stream = self.stream.max(time);
        let (due, later) = self.due.iter().partition(|post| post.stamp <= self.stream);
        self.due = later;
        for post in due {
            self.make(post);
        }
        self.ledger.advance(self.stream, &self.names);
    }

    pub fn view<'a>(&'a self, at: &'a Instant) -> PartitionView<'a> {
        PartitionView {
            number: self.number,
            names: &self.names,
            ledger: &self.ledger,
            at,
        }
    }
}

fn profiles(names: &mut Names) -> Vec<ProfileNo> {
    let lunch = ReasonNo(names.reasons.number("lunch"));
    let break_ = ReasonNo(names.reasons.number("break"));
    let mut profile = |presence, reason, activity, busy_contacts, used, usable| {
        names.profile(Profile {
            presence,
            reason,
            activity,
            busy_contacts,
            used,
            usable,
        })
    };
    vec![
        profile(Presence::Available, None, Activity::Idle, 0, 0, 3),
        profile(Presence::Available, None, Activity::OnContact, 2, 3, 4),
        profile(Presence::Available, None, Activity::NotResponding, 0, 0, 1),
        profile(Presence::Aux, Some(lunch), Activity::Idle, 0, 0, 0),
        profile(Presence::Aux, Some(break_), Activity::Acw, 1, 0, 0),
        profile(Presence::Offline, None, Activity::OnContact, 1, 0, 0),
    ]
}
