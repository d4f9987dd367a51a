//! The snapshot of one instant: rows, their counts by scanning every contact and agent, and the
//! figures that follow from the counts.
//!
//! What no instant matters for is done once for all instants: contacts are folded when a [`Log`] is
//! read. At an instant each post is scanned once for its queue and each agent's time once for the
//! situation that he was in; rows then add up queues and weigh situations.

mod staff;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::agents::{self, Agent, Course, State};
use super::contacts::Contact;
use super::lives::{self, Alone};
use super::posts::{Post, Present, posts};
use super::record::Record;
use super::tally::{COUNTS, FLOWS, Tally, ratio, rfc3339, seconds};
use super::{Kind, MINUTE, Row, Settings, Window};

/// Which contacts and agents a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Queue(Row),
    Client(String),
    Group(String),
    Channel(String),
    Total,
}

impl Scope {
    fn holds(&self, row: &Row, settings: &Settings) -> bool {
        match self {
            Self::Queue(own) => own == row,
            Self::Client(client) => *client == row.client,
            Self::Group(group) => settings.shown(row).group.as_ref() == Some(group),
            Self::Channel(channel) => *channel == row.channel,
            Self::Total => true,
        }
    }
}

/// What was applied, folded as far as it can be before an instant is known.
pub struct Log<'a> {
    parts: Vec<Part>,
    courses: Vec<Course>,
    feeds: BTreeSet<String>,
    earliest: Option<i64>,
    settings: &'a Settings,
}

/// What one partition counted of contacts.
struct Part {
    contacts: Vec<Contact>,
    alone: Vec<Alone>,
    stream: i64,
}

impl Part {
    fn read(applied: &[&Record], settings: &Settings) -> Self {
        let times = applied.iter().map(|record| record.time);
        Self {
            contacts: lives::contacts(applied, settings),
            alone: lives::alone(applied, settings).0,
            stream: times.max().unwrap_or(i64::MIN),
        }
    }

    fn posts(&self, settings: &Settings, at: i64) -> (Vec<Post>, Vec<Present>) {
        posts(&self.contacts, &self.alone, settings, at)
    }
}

impl<'a> Log<'a> {
    /// Reads what each partition applied.
    pub fn read(applied: &[Vec<&Record>], settings: &'a Settings) -> Self {
        let partitions = || applied.iter();
        Self {
            parts: partitions()
                .map(|partition| Part::read(partition, settings))
                .collect(),
            courses: partitions()
                .flat_map(|partition| agents::courses(partition, settings))
                .collect(),
            feeds: agents::feeds(applied),
            earliest: partitions().flatten().map(|record| record.time).min(),
            settings,
        }
    }

    /// The snapshot at `at`, an instant not before anything applied.
    pub fn snapshot(&self, at: i64, windows: &[Window]) -> Value {
        let parts = self.parts.iter().map(|part| part.posts(self.settings, at));
        let (posts, present): (Vec<Vec<Post>>, Vec<Vec<Present>>) = parts.unzip();
        let agents: Vec<Agent> = self
            .courses
            .iter()
            .map(|course| course.until(at, self.settings))
            .collect();
        let mut by_row: BTreeMap<Row, Vec<Post>> = BTreeMap::new();
        for post in posts.into_iter().flatten() {
            by_row.entry(post.row.clone()).or_default().push(post);
        }
        let mut question = Question {
            posts: by_row,
            present: present.into_iter().flatten().collect(),
            now: agents
                .iter()
                .filter_map(|agent| agent.now.clone())
                .collect(),
            situations: BTreeMap::new(),
            edges: BTreeSet::new(),
            feeds: &self.feeds,
            rows: BTreeSet::new(),
            earliest: self.earliest,
            settings: self.settings,
            at,
            windows,
        };
        question.edges = question.edges();
        question.situations = question.situations(&agents);
        question.rows = question.rows();
        question.answer()
    }
}

/// Counters of a row by figure; one with an outcome as `flowed_out/timeout`. Seconds of a time.
pub type Counters = BTreeMap<(Row, String), f64>;

impl Log<'_> {
    /// The total of every counter, within each queue's own thresholds. Counters are of what was
    /// applied: what happens by time alone is counted when its partition's stream time has come to it.
    pub fn counters(&self) -> Counters {
        let of = |part: &Part| part.posts(self.settings, part.stream).0;
        let posts: Vec<Post> = self.parts.iter().flat_map(of).collect();
        let mut by_row: BTreeMap<&Row, Vec<&Post>> = BTreeMap::new();
        for post in &posts {
            by_row.entry(&post.row).or_default().push(post);
        }
        let mut counters = Counters::new();
        for (row, posts) in by_row {
            let shown = self.settings.shown(row);
            let tally = Tally::of(&posts, &shown);
            let mut put = |figure: String, total: f64| {
                counters.insert((row.clone(), figure), total);
            };
            for figure in COUNTS.into_iter().chain(["threshold_passed"]) {
                if figure != "short_abandoned" || shown.short_abandon > 0 {
                    put(figure.to_owned(), tally.get(figure) as f64);
                }
            }
            for flow in FLOWS {
                let count = tally.flowed.get(flow).copied().unwrap_or(0);
                put(format!("flowed_out/{flow}"), count as f64);
            }
            for (figure, time) in [
                ("answered_wait_seconds", tally.answered_waits.iter().sum()),
                ("abandoned_wait_seconds", tally.abandoned_waits.iter().sum()),
                ("talk_seconds", tally.talk),
                ("hold_seconds", tally.hold),
                ("after_contact_seconds", tally.after),
            ] {
                let time: i64 = time;
                put(figure.to_owned(), time as f64 / 1000.0);
            }
        }
        counters
    }
}

/// The snapshot at `at`, of what was applied.
pub fn snapshot(
    applied: &[Vec<&Record>],
    settings: &Settings,
    at: i64,
    windows: &[Window],
) -> Value {
    Log::read(applied, settings).snapshot(at, windows)
}

struct Question<'a> {
    posts: BTreeMap<Row, Vec<Post>>,
    present: Vec<Present>,
    /// The agents' states at the instant.
    now: Vec<State>,
    /// How long agents were in each situation, in all, since each lower edge.
    situations: BTreeMap<State, BTreeMap<i64, i64>>,
    /// The lower edge of every window in every zone.
    edges: BTreeSet<i64>,
    feeds: &'a BTreeSet<String>,
    rows: BTreeSet<Row>,
    earliest: Option<i64>,
    settings: &'a Settings,
    at: i64,
    windows: &'a [Window],
}

fn turn_row(turn: &agents::Turn) -> Option<Row> {
    Some(Row {
        client: turn.client.clone(),
        queue: turn.queue.clone()?,
        channel: turn.channel.clone(),
    })
}

/// A lower edge as a number: of a window without one, before everything.
fn edge(window: &Window, at: i64, zone: &str) -> i64 {
    window.from(at, zone).unwrap_or(i64::MIN)
}

impl Question<'_> {
    fn edges(&self) -> BTreeSet<i64> {
        let zones: Vec<&String> = self
            .settings
            .zone_by_queue
            .iter()
            .map(|(_, zone)| zone)
            .chain([&self.settings.zone])
            .collect();
        let of = |window| zones.iter().map(move |zone| edge(window, self.at, zone));
        self.windows.iter().flat_map(of).collect()
    }

    fn situations(&self, agents: &[Agent]) -> BTreeMap<State, BTreeMap<i64, i64>> {
        let mut situations: BTreeMap<State, BTreeMap<i64, i64>> = BTreeMap::new();
        for span in agents.iter().flat_map(|agent| &agent.spans) {
            let times = situations.entry(span.state.situation()).or_default();
            for &from in &self.edges {
                let length = span.until.min(self.at) - span.from.max(from);
                if length > 0 {
                    *times.entry(from).or_default() += length;
                }
            }
        }
        situations
    }

    /// Every state that agents were or are in.
    fn states(&self) -> impl Iterator<Item = &State> {
        self.situations.keys().chain(&self.now)
    }

    fn rows(&self) -> BTreeSet<Row> {
        let mut rows: BTreeSet<Row> = self.posts.keys().cloned().collect();
        rows.extend(self.present.iter().map(|present| present.row.clone()));
        for state in self.states() {
            rows.extend(state.queues.iter().cloned());
            rows.extend(state.turns.values().filter_map(turn_row));
        }
        rows
    }

    fn answer(&self) -> Value {
        let tallies = self.tallies();
        let queues: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let names =
                    json!({"client_id": row.client, "queue_id": row.queue, "channel": row.channel});
                self.row(&Scope::Queue(row.clone()), names, &tallies)
            })
            .collect();
        let mut clients: BTreeSet<String> =
            self.rows.iter().map(|row| row.client.clone()).collect();
        let seen = |state: &&State| state.is_online() || state.is_busy();
        clients.extend(self.states().filter(seen).flat_map(State::clients));
        let turns = self
            .situations
            .keys()
            .flat_map(|state| state.turns.values());
        let channels: BTreeSet<String> = self
            .rows
            .iter()
            .map(|row| row.channel.clone())
            .chain(turns.map(|turn| turn.channel.clone()))
            .collect();
        let groups: BTreeSet<String> = self
            .rows
            .iter()
            .filter_map(|row| self.settings.shown(row).group)
            .collect();
        let each =
            |names: BTreeSet<String>, field: &str, scope: fn(String) -> Scope| -> Vec<Value> {
                names
                    .into_iter()
                    .map(|name| self.row(&scope(name.clone()), json!({field: name}), &tallies))
                    .collect()
            };
        json!({
            "at": rfc3339(self.at),
            "queues": queues,
            "clients": each(clients, "client_id", Scope::Client),
            "groups": each(groups, "group", Scope::Group),
            "channels": each(channels, "channel", Scope::Channel),
            "total": self.row(&Scope::Total, json!({}), &tallies),
        })
    }

    fn rows_of(&self, scope: &Scope) -> Vec<&Row> {
        self.rows
            .iter()
            .filter(|row| scope.holds(row, self.settings))
            .collect()
    }

    /// What each queue's posts come to in each window.
    fn tallies(&self) -> Vec<BTreeMap<&Row, Tally>> {
        let of = |window: &Window, row: &Row, posts: &[Post]| {
            let edge = edge(window, self.at, self.settings.zone(row));
            let inside: Vec<&Post> = posts.iter().filter(|post| post.at > edge).collect();
            Tally::of(&inside, &self.settings.shown(row))
        };
        let in_window = |window| {
            let rows = self.rows.iter();
            rows.map(|row| {
                let posts = self.posts.get(row).map_or(&[][..], Vec::as_slice);
                (row, of(window, row, posts))
            })
            .collect()
        };
        self.windows.iter().map(in_window).collect()
    }

    fn row(&self, scope: &Scope, names: Value, tallies: &[BTreeMap<&Row, Tally>]) -> Value {
        let mut out = names;
        let mut now = self.contacts_now(scope);
        self.agents_now(scope, &mut now);
        let mut windows = Map::new();
        let time = self.agents_time(scope);
        for (window, tallies) in self.windows.iter().zip(tallies) {
            let mut figures = self.window(scope, window, tallies);
            self.agents_window(scope, window, &time, &mut figures);
            windows.insert(window.key.clone(), figures.into());
        }
        let wait = self.expected_wait(&now, &windows);
        now.insert("expected_wait_seconds".to_owned(), wait);
        out["now"] = now.into();
        out["windows"] = windows.into();
        out
    }

    /// AHT × (waiting − available + 1) / max(1, online), AHT of the longest sliding window of at most
    /// half an hour.
    fn expected_wait(&self, now: &Map<String, Value>, windows: &Map<String, Value>) -> Value {
        let length = |window: &&Window| match window.kind {
            Kind::Sliding(length) if length <= 30 * MINUTE => Some(length),
            _ => None,
        };
        let short = self
            .windows
            .iter()
            .filter(|window| length(window).is_some());
        let handle_time = short
            .max_by_key(length)
            .and_then(|window| windows[&window.key]["handle_time_average_seconds"].as_f64());
        let count = |key: &str| now[key].as_i64();
        let (Some(handle_time), Some(waiting), Some(available), Some(online)) = (
            handle_time,
            count("waiting"),
            count("agents_available"),
            count("agents_online"),
        ) else {
            return Value::Null;
        };
        if online == 0 {
            return Value::Null;
        }
        let ahead = (waiting - available + 1).max(0);
        json!(handle_time * ahead as f64 / online as f64)
    }

    fn contacts_now(&self, scope: &Scope) -> Map<String, Value> {
        let mut now = Map::new();
        let (mut waiting, mut past, mut longest) = (0, 0, None);
        let mut states: BTreeMap<&str, i64> = ["waiting", "alerting", "connected", "held", "acw"]
            .map(|state| (state, 0))
            .into();
        let (mut snapshot, mut met, mut due) = (false, 0, 0);
        for row in self.rows_of(scope) {
            let shown = self.settings.shown(row);
            let (mut here, mut here_past) = (0, 0);
            for present in self.present.iter().filter(|present| present.row == *row) {
                *states.entry(present.state).or_default() += 1;
                if ["waiting", "alerting"].contains(&present.state) {
                    let age = self.at - present.entry;
                    here += 1;
                    here_past += i64::from(age > shown.threshold);
                    longest = longest.max(Some(age));
                }
            }
            waiting += here;
            past += here_past;
            if shown.variant == "sl10" {
                snapshot = true;
                met += here - here_past;
                due += here;
            }
        }
        now.insert("waiting".to_owned(), json!(waiting));
        now.insert("waiting_past_threshold".to_owned(), json!(past));
        now.insert(
            "longest_wait_seconds".to_owned(),
            longest.map_or(Value::Null, seconds),
        );
        now.insert("contacts_by_state".to_owned(), json!(states));
        if snapshot {
            now.insert("service_level_ratio".to_owned(), ratio(met, due));
        }
        now
    }

    fn window(
        &self,
        scope: &Scope,
        window: &Window,
        tallies: &BTreeMap<&Row, Tally>,
    ) -> Map<String, Value> {
        let rows = self.rows_of(scope);
        let mut tally = Tally::default();
        let mut from = window.from(self.at, &self.settings.zone);
        if !rows.is_empty() {
            let edges = rows
                .iter()
                .map(|row| window.from(self.at, self.settings.zone(row)));
            from = edges.min().expect("not empty");
        }
        let mut all_without = !rows.is_empty();
        for row in &rows {
            let own = &tallies[row];
            all_without &= own.no_service_level;
            tally.add(own);
        }
        tally.no_service_level = all_without;
        let mut out = Map::new();
        out.insert(
            "from".to_owned(),
            from.map_or(Value::Null, |from| json!(rfc3339(from))),
        );
        out.insert("to".to_owned(), json!(rfc3339(self.at)));
        let complete =
            from.is_none_or(|from| self.earliest.is_some_and(|earliest| earliest <= from));
        out.insert("complete".to_owned(), json!(complete));
        tally.write(&mut out);
        out
    }
}
