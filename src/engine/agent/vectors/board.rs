//! Agents' figures of every row at an instant, added up post by post.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::engine::columns::{agent, staff_cell, work_cell};
use crate::engine::facts::{Fact, Post, WorkState};
use crate::engine::names::{Activity, ClientNo, Names, RowNo, SetInfo};
use crate::event::{Millis, Presence};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Total,
    Client(String),
    Channel(String),
    Queue(String, String, String),
}

/// One thing that holds of a row, of the agents who count for a set of clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Column(usize),
    Aux(String),
}

/// The clients of the agents that a figure is of; `None` where it makes no difference.
type Of = Option<Vec<String>>;

/// The figures of all rows.
pub(super) struct Board {
    at: Millis,
    posts: Vec<(Name, Of, What, Millis, i64)>,
    feeds: BTreeMap<String, Millis>,
}

type Figures = BTreeMap<&'static str, Value>;

const PRESENCES: [(Presence, &str); 3] = [
    (Presence::Available, "available"),
    (Presence::Aux, "aux"),
    (Presence::Offline, "offline"),
];
const ACTIVITIES: [(Activity, &str); 5] = [
    (Activity::NotResponding, "not_responding"),
    (Activity::OnContact, "on_contact"),
    (Activity::Acw, "acw"),
    (Activity::Alerting, "alerting"),
    (Activity::Idle, "idle"),
];
const STATES: [(WorkState, &str); 4] = [
    (WorkState::Alerting, "alerting"),
    (WorkState::Connected, "connected"),
    (WorkState::Held, "held"),
    (WorkState::Acw, "acw"),
];

impl Board {
    pub(super) fn new(at: Millis) -> Self {
        Self {
            at,
            posts: Vec::new(),
            feeds: BTreeMap::new(),
        }
    }

    /// Adds a partition's posts.
    pub(super) fn add(&mut self, posts: &[Post], names: &Names) {
        for (client, since) in names.clients.texts().iter().zip(names.feeds()) {
            let feed = self.feeds.entry(client.to_string()).or_insert(*since);
            *feed = (*feed).min(*since);
        }
        for post in posts {
            self.post(post, names);
        }
    }

    fn post(&mut self, post: &Post, names: &Names) {
        let sign = i64::from(post.sign);
        match post.fact {
            Fact::Staff(set, profile) => {
                let (set, profile) = (names.set_info(set), names.profile_info(profile));
                let available = i64::from(profile.presence == Presence::Available);
                let busy = i64::from(profile.busy_contacts > 0);
                let columns = [
                    (staff_cell(profile.presence, profile.activity), 1),
                    (agent::BUSY, busy),
                    (agent::BUSY_CONTACTS, profile.busy_contacts.into()),
                    (agent::CONNECT_BUSY, available * busy),
                    (
                        agent::CONNECT_IDLE,
                        available * i64::from(profile.used == 0),
                    ),
                    (agent::SLOTS_USED, available * i64::from(profile.used)),
                    (agent::SLOTS_USABLE, available * i64::from(profile.usable)),
                ];
                let mut moves: Vec<_> = columns
                    .iter()
                    .map(|(column, amount)| (What::Column(*column), *amount))
                    .collect();
                if let Some(reason) = profile.reason {
                    moves.push((What::Aux(names.reasons.text(reason.0).to_owned()), 1));
                }
                for name in staff_rows(set, names) {
                    for (what, amount) in moves.iter().filter(|(_, amount)| *amount != 0) {
                        self.push(
                            name.clone(),
                            Some(clients(set, names)),
                            what.clone(),
                            post,
                            sign * amount,
                        );
                    }
                }
            }
            Fact::Here { serves, here } => {
                let (serves, here) = (names.set_info(serves), names.set_info(here));
                let members: BTreeSet<_> = staff_rows(serves, names).into_iter().collect();
                let rows: BTreeSet<_> = here
                    .rows
                    .iter()
                    .flat_map(|row| work_rows(*row, names))
                    .collect();
                for name in rows {
                    if members.contains(&name) {
                        let what = What::Column(agent::HERE_MEMBER);
                        self.push(name.clone(), Some(clients(serves, names)), what, post, sign);
                    }
                    let what = What::Column(agent::HERE);
                    self.push(name, Some(clients(serves, names)), what, post, sign);
                }
            }
            Fact::Work(row, state) => {
                for name in work_rows(row, names) {
                    self.push(name, None, What::Column(work_cell(state)), post, sign);
                }
            }
            _ => panic!("no agent's fact: {post:?}"),
        }
    }

    fn push(&mut self, name: Name, of: Of, what: What, post: &Post, amount: i64) {
        self.posts.push((name, of, what, post.stamp, amount));
    }

    fn fed(&self, client: &String) -> bool {
        self.feeds
            .get(client)
            .is_some_and(|since| *since <= self.at)
    }

    /// What counts in a row: its value at an instant in milliseconds, or how many there are.
    fn sums(&self, name: &Name, at: Millis, count: bool) -> BTreeMap<What, i64> {
        let mut sums = BTreeMap::new();
        let shared = matches!(name, Name::Total | Name::Channel(_));
        for (row, of, what, stamp, amount) in &self.posts {
            if row != name || *stamp > at {
                continue;
            }
            let value = if count {
                *amount
            } else {
                amount * (at.0 - stamp.0)
            };
            let blind = shared
                && of
                    .as_ref()
                    .is_some_and(|clients| !clients.iter().any(|client| self.fed(client)));
            let what = match what {
                What::Column(cell) if *cell < 15 && blind => {
                    if *cell < 10 {
                        *sums.entry(What::Column(ONLINE_ONLY)).or_insert(0) += value;
                    }
                    continue;
                }
                What::Column(_) if blind => continue,
                what => what.clone(),
            };
            *sums.entry(what).or_insert(0) += value;
        }
        sums
    }

    fn known(&self, name: &Name) -> bool {
        match name {
            Name::Client(client) | Name::Queue(client, ..) => self.fed(client),
            Name::Total | Name::Channel(_) => self.feeds.keys().any(|client| self.fed(client)),
        }
    }

    pub(super) fn now(&self, name: &Name) -> Figures {
        let sums = self.sums(name, self.at, true);
        let mut figures = Figures::new();
        let value = |value: i64| json!(value);
        for (key, amount) in staff(&sums) {
            figures.insert(key, value(amount));
        }
        let cell = |cell: usize| sums.get(&What::Column(cell)).copied().unwrap_or(0);
        figures.insert("agents_on_contact_here", value(cell(agent::HERE)));
        let on_contact = staff(&sums)["agents_on_contact"];
        figures.insert(
            "agents_on_contact_elsewhere",
            value(on_contact - cell(agent::HERE_MEMBER)),
        );
        figures.insert("agent_contacts", labels(&sums, value).1);
        figures.insert("agents_aux", labels(&sums, value).0);
        self.hide(name, figures)
    }

    pub(super) fn window(&self, name: &Name, from: Option<Millis>) -> Figures {
        let mut sums = self.sums(name, self.at, false);
        if let Some(from) = from {
            for (what, value) in self.sums(name, from, false) {
                *sums.entry(what.clone()).or_insert(0) -= value;
            }
        }
        let seconds = |millis: i64| json!(millis as f64 / 1000.0);
        let cell = |cell: usize| sums.get(&What::Column(cell)).copied().unwrap_or(0);
        let mut figures = Figures::new();
        for (key, amount) in staff(&sums) {
            figures.insert(seconds_key(key), seconds(amount));
        }
        let (busy, contacts) = (cell(agent::BUSY), cell(agent::BUSY_CONTACTS));
        let (used, usable) = (cell(agent::SLOTS_USED), cell(agent::SLOTS_USABLE));
        let (connect, idle) = (cell(agent::CONNECT_BUSY), cell(agent::CONNECT_IDLE));
        let available = staff(&sums)["agents_available"];
        for (key, value) in [
            ("agents_busy_seconds", busy),
            ("busy_contacts_seconds", contacts),
            ("slots_used_seconds", used),
            ("slots_usable_seconds", usable),
            ("connect_busy_seconds", connect),
            ("connect_idle_seconds", idle),
        ] {
            figures.insert(key, seconds(value));
        }
        for (key, above, below) in [
            ("occupancy_ratio", busy, busy + available),
            ("occupancy_connect_ratio", connect, connect + idle),
            ("slot_load_ratio", used, usable),
            ("concurrency_average", contacts, busy),
        ] {
            let ratio = (below != 0).then(|| above as f64 / below as f64);
            figures.insert(key, json!(ratio));
        }
        let (aux, contacts) = labels(&sums, seconds);
        figures.insert("agents_aux_seconds", aux);
        figures.insert("agent_contacts_seconds", contacts);
        figures.insert("agents_seconds", matrix(&sums));
        self.hide(name, figures)
    }

    /// Without a contact feed all but online and aux is absent.
    fn hide(&self, name: &Name, mut figures: Figures) -> Figures {
        if !self.known(name) {
            let shown = [
                "agents_online",
                "agents_aux",
                "agents_online_seconds",
                "agents_aux_seconds",
            ];
            for (key, value) in &mut figures {
                if !shown.contains(key) {
                    *value = Value::Null;
                }
            }
        }
        figures
    }
}

/// Online agents of whom nothing else is known.
const ONLINE_ONLY: usize = 1000;

fn clients(set: &SetInfo, names: &Names) -> Vec<String> {
    let text = |client: &ClientNo| names.clients.text(client.0).to_owned();
    set.clients.iter().map(text).collect()
}

fn row_names(row: RowNo, names: &Names) -> (Option<Name>, Name, Name) {
    let info = names.row_info(row);
    let client = names.clients.text(info.client.0).to_owned();
    let channel = names.channels.text(info.channel.0).to_owned();
    let queue = info.queue.map(|queue| {
        let queue = names.queues.text(queue.0).to_owned();
        Name::Queue(client.clone(), queue, channel.clone())
    });
    (queue, Name::Client(client), Name::Channel(channel))
}

fn staff_rows(set: &SetInfo, names: &Names) -> Vec<Name> {
    let mut rows = BTreeSet::from([Name::Total]);
    for &row in &set.rows {
        let (queue, _, channel) = row_names(row, names);
        rows.extend(queue);
        rows.insert(channel);
    }
    for client in &set.clients {
        rows.insert(Name::Client(names.clients.text(client.0).to_owned()));
    }
    rows.into_iter().collect()
}

fn work_rows(row: RowNo, names: &Names) -> Vec<Name> {
    let (queue, client, channel) = row_names(row, names);
    queue
        .into_iter()
        .chain([client, channel, Name::Total])
        .collect()
}

fn staff(sums: &BTreeMap<What, i64>) -> BTreeMap<&'static str, i64> {
    let cell = |presence, activity| {
        let cell = What::Column(staff_cell(presence, activity));
        sums.get(&cell).copied().unwrap_or(0)
    };
    let everyone = |activity| {
        PRESENCES
            .iter()
            .map(|(presence, _)| cell(*presence, activity))
            .sum()
    };
    let online: i64 = ACTIVITIES
        .iter()
        .map(|(activity, _)| cell(Presence::Available, *activity) + cell(Presence::Aux, *activity))
        .sum();
    let more = sums.get(&What::Column(ONLINE_ONLY)).copied().unwrap_or(0);
    BTreeMap::from([
        ("agents_online", online + more),
        (
            "agents_available",
            cell(Presence::Available, Activity::Idle),
        ),
        ("agents_alerting", everyone(Activity::Alerting)),
        ("agents_on_contact", everyone(Activity::OnContact)),
        ("agents_acw", everyone(Activity::Acw)),
        ("agents_not_responding", everyone(Activity::NotResponding)),
    ])
}

fn seconds_key(key: &'static str) -> &'static str {
    match key {
        "agents_online" => "agents_online_seconds",
        "agents_available" => "agents_available_seconds",
        "agents_alerting" => "agents_alerting_seconds",
        "agents_on_contact" => "agents_on_contact_seconds",
        "agents_acw" => "agents_acw_seconds",
        _ => "agents_not_responding_seconds",
    }
}

/// Aux by reason, and contacts at agents by state.
fn labels(sums: &BTreeMap<What, i64>, show: impl Fn(i64) -> Value) -> (Value, Value) {
    let mut aux = serde_json::Map::new();
    for (what, value) in sums {
        if let What::Aux(reason) = what {
            aux.insert(reason.clone(), show(*value));
        }
    }
    let mut contacts = serde_json::Map::new();
    for (state, name) in STATES {
        let value = sums.get(&What::Column(work_cell(state))).copied();
        contacts.insert(name.to_owned(), show(value.unwrap_or(0)));
    }
    (aux.into(), contacts.into())
}

fn matrix(sums: &BTreeMap<What, i64>) -> Value {
    let mut cells = serde_json::Map::new();
    for (presence, presence_name) in PRESENCES {
        for (activity, activity_name) in ACTIVITIES {
            let cell = What::Column(staff_cell(presence, activity));
            let value = sums.get(&cell).copied().unwrap_or(0);
            let name = format!("{presence_name}/{activity_name}");
            cells.insert(name, json!(value as f64 / 1000.0));
        }
    }
    cells.into()
}
