//! Agents: each one's facts in order, folded into a list of spans of time in which nothing changed.

mod run;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::record::{AGENT_TYPES, Record, STATES, time};
use super::{Row, Settings};

/// What an agent declares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    Offline,
    Available,
    Aux(String),
}

/// A contact at an agent, from its first fact to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    pub client: String,
    pub queue: Option<String>,
    pub channel: String,
    pub state: String,
    /// When its ACW is over by itself.
    timer: Option<i64>,
    /// Its last fact.
    fact_at: i64,
}

/// Everything about an agent at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    pub presence: Presence,
    pub not_responding: bool,
    pub queues: Vec<Row>,
    pub slots: BTreeMap<String, i64>,
    pub shared: bool,
    /// By (client, contact).
    pub turns: BTreeMap<(String, String), Turn>,
    /// Every client that his events so far named.
    pub named: BTreeSet<String>,
}

impl State {
    /// The rows that he serves: those of his queues whose channel has slots.
    pub fn serves(&self) -> Vec<&Row> {
        let has_slots = |row: &&Row| self.slots.get(&row.channel).is_some_and(|slots| *slots > 0);
        self.queues.iter().filter(has_slots).collect()
    }

    /// The clients in whose rows he counts.
    pub fn clients(&self) -> BTreeSet<String> {
        let served: BTreeSet<String> = self.serves().iter().map(|row| row.client.clone()).collect();
        if served.is_empty() {
            self.named.clone()
        } else {
            served
        }
    }

    /// The state without what no figure depends on: which contacts they are, when their last facts
    /// came and when they are over. Agents in the same situation are equal.
    pub fn situation(&self) -> Self {
        let mut turns: Vec<Turn> = self.turns.values().cloned().collect();
        for turn in &mut turns {
            (turn.timer, turn.fact_at) = (None, 0);
        }
        turns.sort();
        let numbered = turns.into_iter().enumerate();
        Self {
            turns: numbered
                .map(|(number, turn)| ((String::new(), format!("{number:04}")), turn))
                .collect(),
            ..self.clone()
        }
    }

    pub fn is_online(&self) -> bool {
        self.presence != Presence::Offline
    }

    fn any(&self, states: &[&str]) -> bool {
        self.turns
            .values()
            .any(|turn| states.contains(&turn.state.as_str()))
    }

    pub fn is_busy(&self) -> bool {
        self.any(&["connected", "held", "acw"])
    }

    /// The first that holds; an offline agent has only the two that come from contacts.
    pub fn activity(&self) -> &'static str {
        if self.not_responding && self.is_online() {
            "not_responding"
        } else if self.any(&["connected", "held"]) {
            "on_contact"
        } else if self.any(&["acw"]) {
            "acw"
        } else if !self.is_online() {
            "offline"
        } else if self.turns.is_empty() {
            "idle"
        } else {
            "alerting"
        }
    }

    pub fn is_available(&self) -> bool {
        self.presence == Presence::Available && self.activity() == "idle"
    }

    pub fn usable_slots(&self) -> i64 {
        let worked: BTreeSet<&str> = self
            .turns
            .values()
            .map(|turn| turn.channel.as_str())
            .collect();
        if self.shared {
            self.slots.values().sum()
        } else if worked.is_empty() {
            self.slots.values().copied().max().unwrap_or(0)
        } else {
            worked
                .iter()
                .filter_map(|channel| self.slots.get(*channel))
                .sum()
        }
    }
}

/// A time in which nothing about an agent changed: from `from`, before `until`.
#[derive(Clone, Debug)]
pub struct Span {
    pub from: i64,
    pub until: i64,
    pub state: State,
}

/// One agent: his spans up to the instant asked for, and his state at it.
#[derive(Clone, Debug)]
pub struct Agent {
    pub spans: Vec<Span>,
    pub now: Option<State>,
}

/// One thing that happens to an agent at a stamp.
#[derive(Clone, Debug)]
struct Op {
    at: i64,
    rank: usize,
    state_rank: usize,
    id: String,
    client: String,
    /// Too late to be put in its place: it holds from `at` on and leaves `not_responding` alone.
    old: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Event,
    Login,
    Logout,
    Presence(Presence),
    Queues(Vec<Row>),
    Slots(BTreeMap<String, i64>, bool),
    Contact(ContactFact),
    /// Only the contacts listed remain; each has the state listed.
    Contacts(Vec<ContactFact>),
    ClearNotResponding,
}

#[derive(Clone, Debug)]
struct ContactFact {
    client: String,
    contact: String,
    queue: Option<String>,
    channel: Option<String>,
    state: String,
    timer: Option<i64>,
    /// From a snapshot: its `since`.
    since: Option<i64>,
    listed: bool,
}

/// A fact in the place where it counts.
#[derive(Clone, Debug)]
struct Placed<'a> {
    /// Its own time.
    time: i64,
    /// Where it counts: its own time, or the stream time of its arrival when it was too late.
    at: i64,
    old: bool,
    /// Of an old fact, the kinds that hold.
    holds: Vec<String>,
    record: &'a Record,
}

/// What happens to one agent, in order, whatever instant is asked for.
#[derive(Clone, Debug)]
pub struct Course(Vec<Op>);

/// The agents of a partition. An agent's facts lie in one partition.
pub fn courses(applied: &[&Record], settings: &Settings) -> Vec<Course> {
    let mut by_agent: BTreeMap<String, Vec<Placed<'_>>> = BTreeMap::new();
    let mut stream = i64::MIN;
    for record in applied {
        stream = stream.max(record.time);
        if record.is_agent() {
            let mine = by_agent
                .entry(record.text("agent_id").expect("checked"))
                .or_default();
            place(mine, record, stream, settings);
        }
    }
    by_agent
        .values()
        .map(|placed| Course(ops(placed, settings)))
        .collect()
}

/// The agents of a partition at an instant.
pub fn agents(applied: &[&Record], settings: &Settings, at: i64) -> Vec<Agent> {
    let courses = courses(applied, settings);
    courses
        .iter()
        .map(|course| course.until(at, settings))
        .collect()
}

/// The kinds of an event: an old fact counts only where no fact of its kind is newer.
fn kinds(record: &Record) -> Vec<String> {
    let contact = |value: &Value| {
        let client = value["client_id"]
            .as_str()
            .map_or_else(|| record.client(), str::to_owned);
        format!(
            "contact {client} {}",
            value["contact_id"].as_str().unwrap_or_default()
        )
    };
    let mut kinds = Vec::new();
    match record.kind.as_str() {
        "agent.queues" => kinds.push("queues".to_owned()),
        "agent.capacity" => kinds.push("slots".to_owned()),
        "agent.contact" => kinds.push(contact(&record.value)),
        "agent.snapshot" => {
            let fields = [
                ("presence", "presence"),
                ("queues", "queues"),
                ("slots", "slots"),
                ("contacts", "contacts"),
            ];
            for (field, kind) in fields {
                if record.value.get(field).is_some() {
                    kinds.push(kind.to_owned());
                }
            }
            let listed = record.value["contacts"].as_array().into_iter().flatten();
            kinds.extend(listed.map(contact));
        }
        _ => kinds.push("presence".to_owned()),
    }
    kinds
}

fn place<'a>(mine: &mut Vec<Placed<'a>>, record: &'a Record, stream: i64, settings: &Settings) {
    let old = stream - record.time > settings.settle_after;
    let id = &record.value["id"];
    if let Some(known) = mine
        .iter()
        .position(|placed| placed.record.value["id"] == *id)
    {
        if old || mine[known].old || mine[known].time <= record.time {
            return;
        }
        mine.remove(known);
    }
    let newer = |kind: &String| {
        let same = |placed: &Placed<'_>| {
            let have = kinds(placed.record);
            have.contains(kind)
                || (kind.starts_with("contact ") && have.iter().any(|have| have == "contacts"))
        };
        mine.iter()
            .any(|placed| placed.at > record.time && same(placed))
    };
    let holds = kinds(record)
        .into_iter()
        .filter(|kind| !newer(kind))
        .collect();
    let at = if old { stream } else { record.time };
    mine.push(Placed {
        time: record.time,
        at,
        old,
        holds,
        record,
    });
}

fn rows(record: &Record, value: &Value) -> Vec<Row> {
    let row = |entry: &Value| Row {
        client: entry["client_id"]
            .as_str()
            .map_or_else(|| record.client(), str::to_owned),
        queue: entry["queue_id"].as_str().unwrap_or_default().to_owned(),
        channel: entry["channel"].as_str().unwrap_or("voice").to_owned(),
    };
    let mut rows: Vec<Row> = value.as_array().into_iter().flatten().map(row).collect();
    rows.sort();
    rows.dedup();
    rows
}

fn slots(value: &Value) -> BTreeMap<String, i64> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(channel, slots)| (channel.clone(), slots.as_i64().unwrap_or(0)))
        .collect()
}

fn presence(value: &Value, reason: &Value) -> Presence {
    match value.as_str() {
        Some("available") => Presence::Available,
        Some("aux") => Presence::Aux(reason.as_str().unwrap_or("unspecified").to_owned()),
        _ => Presence::Offline,
    }
}

fn contact_fact(record: &Record, value: &Value, listed: bool) -> ContactFact {
    let text = |field: &str| value[field].as_str().map(str::to_owned);
    ContactFact {
        client: text("client_id").unwrap_or_else(|| record.client()),
        contact: text("contact_id").unwrap_or_default(),
        queue: text("queue_id"),
        channel: text("channel"),
        state: text("state").unwrap_or_default(),
        timer: if listed {
            None
        } else {
            value["for_ms"].as_i64()
        },
        since: value.get("since").and_then(time),
        listed,
    }
}

/// What a placed fact does, as single steps.
fn steps(placed: &Placed<'_>) -> Vec<What> {
    let value = &placed.record.value;
    let whats = match placed.record.kind.as_str() {
        "agent.logged_in" => vec![What::Login],
        "agent.logged_out" => vec![What::Logout],
        "agent.state" => vec![
            What::Presence(presence(&value["state"], &value["reason"])),
            What::ClearNotResponding,
        ],
        "agent.queues" => vec![What::Queues(rows(placed.record, &value["queues"]))],
        "agent.capacity" => vec![What::Slots(slots(&value["slots"]), value["shared"] == true)],
        "agent.contact" => vec![What::Contact(contact_fact(placed.record, value, false))],
        _ => {
            let mut whats = vec![What::ClearNotResponding];
            if value.get("presence").is_some() {
                whats.push(What::Presence(presence(
                    &value["presence"],
                    &value["reason"],
                )));
            }
            if let Some(queues) = value.get("queues") {
                whats.push(What::Queues(rows(placed.record, queues)));
            }
            if let Some(of) = value.get("slots") {
                whats.push(What::Slots(slots(of), value["shared"] == true));
            }
            if let Some(contacts) = value["contacts"].as_array() {
                let facts = contacts
                    .iter()
                    .map(|entry| contact_fact(placed.record, entry, true))
                    .collect();
                whats.push(What::Contacts(facts));
            }
            whats
        }
    };
    let holds = |kind: &str| !placed.old || placed.holds.iter().any(|held| held == kind);
    let holds_contact =
        |fact: &ContactFact| holds(&format!("contact {} {}", fact.client, fact.contact));
    let kept = |what: &What| match what {
        What::Login | What::Logout | What::Presence(_) => holds("presence"),
        What::Queues(_) => holds("queues"),
        What::Slots(..) => holds("slots"),
        What::Contact(fact) => holds_contact(fact),
        What::Contacts(_) => holds("contacts"),
        What::Event => true,
        What::ClearNotResponding => !placed.old,
    };
    // The contacts of an old snapshot that are not listed stay; those listed count one by one.
    let single = |what: What| match what {
        What::Contacts(facts) if placed.old => facts
            .into_iter()
            .filter(holds_contact)
            .map(What::Contact)
            .collect(),
        what if kept(&what) => vec![what],
        _ => Vec::new(),
    };
    [What::Event]
        .into_iter()
        .chain(whats.into_iter().flat_map(single))
        .collect()
}

/// Every step of an agent in order, the facts that snapshots imply before their time included.
fn ops(placed: &[Placed<'_>], settings: &Settings) -> Vec<Op> {
    let mut ops = Vec::new();
    for fact in placed {
        let record = fact.record;
        let rank = AGENT_TYPES
            .iter()
            .position(|kind| *kind == record.kind)
            .expect("an agent event");
        let state_rank = |state: &str| STATES.iter().position(|known| *known == state).unwrap_or(0);
        for what in steps(fact) {
            let own = if let What::Contact(contact) = &what {
                state_rank(&contact.state)
            } else {
                0
            };
            let op = Op {
                at: fact.at,
                rank,
                state_rank: if record.kind == "agent.contact" {
                    state_rank(record.value["state"].as_str().unwrap_or_default())
                } else {
                    own
                },
                id: record.text("id").expect("checked"),
                client: record.client(),
                old: fact.old,
                what,
            };
            if let What::Contacts(contacts) = &op.what {
                for contact in contacts {
                    let at = since(placed, fact, contact, settings);
                    if at < fact.at {
                        ops.push(Op {
                            at,
                            // After every other fact of that instant, as its snapshot is.
                            what: What::Contact(contact.clone()),
                            ..op.clone()
                        });
                    }
                }
            }
            ops.push(op);
        }
    }
    ops.sort_by(|a, b| {
        (a.at, a.rank, a.state_rank, &a.id).cmp(&(b.at, b.rank, b.state_rank, &b.id))
    });
    ops
}

/// Where a listed contact's state begins.
fn since(
    placed: &[Placed<'_>],
    snapshot: &Placed<'_>,
    contact: &ContactFact,
    settings: &Settings,
) -> i64 {
    let Some(since) = contact.since.filter(|since| *since <= snapshot.at) else {
        return snapshot.at;
    };
    let kind = format!("contact {} {}", contact.client, contact.contact);
    let between = |fact: &&Placed<'_>| {
        let order = |placed: &Placed<'_>| {
            let snapshot = placed.record.kind == "agent.snapshot";
            (placed.at, snapshot, placed.record.text("id"))
        };
        let earlier = order(fact) < order(snapshot);
        fact.at > since && earlier
    };
    let known = placed.iter().filter(between).any(|fact| {
        let kinds = kinds(fact.record);
        kinds.contains(&kind) || kinds.iter().any(|kind| kind == "contacts")
    });
    if known {
        snapshot.at
    } else {
        since.max(snapshot.at - settings.settle_after)
    }
}

/// The clients that have a contact feed, by the facts applied.
pub fn feeds(applied: &[Vec<&Record>]) -> BTreeSet<String> {
    let mut feeds = BTreeSet::new();
    for record in applied.iter().flatten() {
        let contacts = record.value.get("contacts").and_then(Value::as_array);
        if record.kind == "agent.contact" || (record.kind == "agent.snapshot" && contacts.is_some())
        {
            feeds.insert(record.client());
            let listed = contacts.into_iter().flatten();
            feeds.extend(
                listed.filter_map(|contact| contact["client_id"].as_str().map(str::to_owned)),
            );
        }
    }
    feeds
}
