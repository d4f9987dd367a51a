//! Lives written in a few words, and what they say, as text.

use std::collections::BTreeMap;

use crate::engine::agent::Inserted;
use crate::engine::agent::testing::Partition;
use crate::engine::facts::{Fact, Post};
use crate::engine::names::{Names, Profile, RowNo};
use crate::event::{
    ActivityState, AgentContact, AgentEvent, AgentKind, AgentSnapshot, Capacity, Membership,
    Millis, Presence, SnapshotContact, Span, Text,
};

/// Something that arrives: an event of agent `a`, or stream time alone.
#[derive(Clone, Debug)]
pub(in crate::engine::agent) enum Line {
    Event(AgentEvent<'static>),
    Stream(Millis),
}

pub(in crate::engine::agent) const fn instant(seconds: i64) -> Millis {
    Millis(START + seconds * 1000)
}

/// Second 0.
const START: i64 = 1_767_603_600_000;

fn line(time: i64, kind: AgentKind<'static>) -> Line {
    Line::Event(AgentEvent {
        id: "".into(),
        time: instant(time),
        client_id: "default".into(),
        agent_id: "a".into(),
        kind,
    })
}

pub(in crate::engine::agent) fn stream(time: i64) -> Line {
    Line::Stream(instant(time))
}

pub(in crate::engine::agent) fn log_in(time: i64) -> Line {
    line(time, AgentKind::LoggedIn)
}

pub(in crate::engine::agent) fn log_out(time: i64) -> Line {
    line(time, AgentKind::LoggedOut)
}

pub(in crate::engine::agent) fn presence(time: i64, state: Presence) -> Line {
    line(
        time,
        AgentKind::State {
            state,
            reason: None,
        },
    )
}

pub(in crate::engine::agent) fn aux(time: i64, reason: &'static str) -> Line {
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    line(
        time,
        AgentKind::State {
            state: Presence::Aux,
            reason: reason.map(Text::from),
        },
    )
}

/// Queues read `queue`, `queue/channel`, `client/queue` or `client/queue/channel`; a client is none
/// of the names of queues.
pub(in crate::engine::agent) fn member(time: i64, queues: &[&'static str]) -> Line {
    line(time, AgentKind::Queues(memberships(queues)))
}

fn memberships(queues: &[&'static str]) -> Vec<Membership<'static>> {
    let read = |queue: &&'static str| {
        let mut parts: Vec<_> = queue.split('/').collect();
        let client = ["beta", "gamma"]
            .contains(&parts[0])
            .then(|| parts.remove(0));
        Membership {
            client_id: client.map(Text::from),
            queue_id: parts[0].into(),
            channel: parts.get(1).map(|channel| (*channel).into()),
        }
    };
    queues.iter().map(read).collect()
}

pub(in crate::engine::agent) fn capacity(time: i64, slots: &[(&'static str, u32)]) -> Line {
    line(time, AgentKind::Capacity(capacities(slots)))
}

fn capacities(slots: &[(&'static str, u32)]) -> Capacity<'static> {
    let slots = slots
        .iter()
        .map(|(channel, slots)| ((*channel).into(), *slots));
    Capacity {
        slots: slots.collect(),
        shared: false,
    }
}

/// A contact of queue `q`, by voice.
pub(in crate::engine::agent) fn at(time: i64, contact: &'static str, state: ActivityState) -> Line {
    let contact = AgentContact {
        contact_id: contact.into(),
        state,
        queue_id: Some("q".into()),
        channel: None,
        direction: None,
        for_ms: None,
    };
    line(time, AgentKind::Contact(contact))
}

/// A snapshot that says nothing yet.
pub(in crate::engine::agent) fn snapshot(time: i64) -> Line {
    let snapshot = AgentSnapshot {
        presence: None,
        reason: None,
        queues: None,
        capacity: None,
        contacts: None,
    };
    line(time, AgentKind::Snapshot(snapshot))
}

impl Line {
    /// When it happens.
    pub(in crate::engine::agent) fn seconds(&self) -> i64 {
        let (Self::Event(AgentEvent { time, .. }) | Self::Stream(time)) = self;
        (time.0 - START) / 1000
    }

    fn event(self, change: impl FnOnce(&mut AgentEvent<'static>)) -> Self {
        match self {
            Self::Event(mut event) => {
                change(&mut event);
                Self::Event(event)
            }
            Self::Stream(_) => panic!("no event"),
        }
    }

    fn contact(self, change: impl FnOnce(&mut AgentContact<'static>)) -> Self {
        self.event(|event| match &mut event.kind {
            AgentKind::Contact(contact) => change(contact),
            _ => panic!("no contact"),
        })
    }

    fn snapshot(self, change: impl FnOnce(&mut AgentSnapshot<'static>)) -> Self {
        self.event(|event| match &mut event.kind {
            AgentKind::Snapshot(snapshot) => change(snapshot),
            _ => panic!("no snapshot"),
        })
    }

    pub(in crate::engine::agent) fn id(self, id: &'static str) -> Self {
        self.event(|event| event.id = id.into())
    }

    pub(in crate::engine::agent) fn client(self, client: &'static str) -> Self {
        self.event(|event| event.client_id = client.into())
    }

    /// No queue if it is empty.
    pub(in crate::engine::agent) fn queue(self, queue: &'static str) -> Self {
        let queue = Some(queue).filter(|queue| !queue.is_empty());
        self.contact(|contact| contact.queue_id = queue.map(Text::from))
    }

    pub(in crate::engine::agent) fn channel(self, channel: &'static str) -> Self {
        self.contact(|contact| contact.channel = Some(channel.into()))
    }

    pub(in crate::engine::agent) fn lasting(self, seconds: i64) -> Self {
        self.contact(|contact| contact.for_ms = Some(Span::seconds(seconds)))
    }

    pub(in crate::engine::agent) fn shared(self) -> Self {
        self.event(|event| match &mut event.kind {
            AgentKind::Capacity(capacity) => capacity.shared = true,
            _ => panic!("no capacity"),
        })
    }

    pub(in crate::engine::agent) fn declares(self, presence: Presence) -> Self {
        self.snapshot(|snapshot| snapshot.presence = Some(presence))
    }

    pub(in crate::engine::agent) fn declares_aux(self, reason: &'static str) -> Self {
        let aux = self.declares(Presence::Aux);
        aux.snapshot(|snapshot| snapshot.reason = Some(reason.into()))
    }

    pub(in crate::engine::agent) fn serving(
        self,
        queues: &[&'static str],
        slots: &[(&'static str, u32)],
    ) -> Self {
        self.snapshot(|snapshot| {
            snapshot.queues = Some(memberships(queues));
            snapshot.capacity = Some(capacities(slots));
        })
    }

    /// Contacts of queue `q` (a client may stand before the id), their states and since when.
    pub(in crate::engine::agent) fn lists(
        self,
        contacts: &[(&'static str, ActivityState, Option<i64>)],
    ) -> Self {
        let read = |&(contact, state, since): &(&'static str, ActivityState, Option<i64>)| {
            let (client, contact) = match contact.split_once('/') {
                Some((client, contact)) => (Some(client.into()), contact),
                None => (None, contact),
            };
            SnapshotContact {
                contact_id: contact.into(),
                client_id: client,
                queue_id: Some("q".into()),
                channel: None,
                state,
                since: since.map(instant),
            }
        };
        self.snapshot(|snapshot| snapshot.contacts = Some(contacts.iter().map(read).collect()))
    }
}

/// Applies lines in order of arrival; events without an id get one of their own.
pub(in crate::engine::agent) fn partition(lines: &[Line], checkpoints: bool) -> Partition {
    let mut partition = Partition::new(checkpoints);
    for (number, line) in lines.iter().enumerate() {
        match line {
            Line::Stream(stream) => partition.go_on(*stream),
            Line::Event(event) => {
                let mut event = event.clone();
                if event.id.is_empty() {
                    event.id = format!("e{number}").into();
                }
                partition.apply(&event);
            }
        }
    }
    partition
}

/// What became of each event.
pub(in crate::engine::agent) fn received(lines: &[Line]) -> Vec<Inserted> {
    partition(lines, true).inserted
}

/// How often each fact is posted at each stamp, net, up to an instant.
pub(in crate::engine::agent) fn net(partition: &mut Partition, until: Millis) -> Net {
    let mut net = Net::new();
    for Post { stamp, fact, sign } in partition.posts(until) {
        let fact = text(fact, &partition.names);
        *net.entry((stamp, fact)).or_insert(0) += i64::from(sign);
    }
    net.retain(|_, sign| *sign != 0);
    net
}

pub(in crate::engine::agent) type Net = BTreeMap<(Millis, Said), i64>;

/// A fact with every number replaced by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine::agent) enum Said {
    Staff {
        serves: String,
        doing: String,
        busy: u16,
        slots: String,
    },
    Here(String, String),
    Work(String, String),
}

fn text(fact: Fact, names: &Names) -> Said {
    match fact {
        Fact::Staff(set, profile) => {
            let profile = names.profile_info(profile);
            Said::Staff {
                serves: set_text(set, names),
                doing: doing(profile, names),
                busy: profile.busy_contacts,
                slots: format!("{}/{}", profile.used, profile.usable),
            }
        }
        Fact::Here { serves, here } => Said::Here(set_text(serves, names), set_text(here, names)),
        Fact::Work(row, state) => {
            Said::Work(format!("{state:?}").to_lowercase(), row_text(row, names))
        }
        _ => panic!("no agent's fact: {fact:?}"),
    }
}

fn set_text(set: crate::engine::names::SetNo, names: &Names) -> String {
    let set = names.set_info(set);
    let mut words: Vec<_> = set.rows.iter().map(|row| row_text(*row, names)).collect();
    let clients = set.clients.iter();
    let mut clients: Vec<_> = clients.map(|client| names.clients.text(client.0)).collect();
    clients.sort_unstable();
    words.sort();
    words.push(format!("[{}]", clients.join(" ")));
    words.join(" ")
}

fn row_text(row: RowNo, names: &Names) -> String {
    let info = names.row_info(row);
    let client = names.clients.text(info.client.0);
    let channel = names.channels.text(info.channel.0);
    let queue = info.queue.map_or("-", |queue| names.queues.text(queue.0));
    let part = |text: &str, default: &str, shown: String| {
        if text == default {
            String::new()
        } else {
            shown
        }
    };
    format!(
        "{}{queue}{}",
        part(client, "default", format!("{client}/")),
        part(channel, "voice", format!("/{channel}")),
    )
}

fn doing(profile: &Profile, names: &Names) -> String {
    let presence = format!("{:?}", profile.presence).to_lowercase();
    let reason = profile.reason.map_or(String::new(), |reason| {
        format!(":{}", names.reasons.text(reason.0))
    });
    let activity = match format!("{:?}", profile.activity).as_str() {
        "NotResponding" => "not_responding".to_owned(),
        "OnContact" => "on_contact".to_owned(),
        other => other.to_lowercase(),
    };
    format!("{presence}{reason} {activity}")
}

/// What holds from stamp to stamp, in the words of `show`, over the hour after the last line.
fn spans(lines: &[Line], until: Millis, show: impl Fn(&BTreeMap<Said, i64>) -> String) -> String {
    let net_of = |checkpoints| net(&mut partition(lines, checkpoints), until);
    let net = net_of(true);
    assert_eq!(net, net_of(false), "checkpoints make no difference");
    let mut holds: BTreeMap<Said, i64> = BTreeMap::new();
    let mut spans: Vec<(i64, String)> = Vec::new();
    let mut posts = net.into_iter().peekable();
    while let Some(((stamp, said), sign)) = posts.next() {
        *holds.entry(said).or_insert(0) += sign;
        holds.retain(|_, count| *count != 0);
        assert!(holds.values().all(|count| *count > 0) || posts.peek().is_some());
        let last = posts.peek().is_none_or(|((next, _), _)| *next > stamp);
        let shown = show(&holds);
        if last && spans.last().is_none_or(|(_, before)| *before != shown) {
            spans.push(((stamp.0 - START) / 1000, shown));
        }
    }
    let spans = spans.iter().map(|(from, shown)| format!("{from} {shown}"));
    spans.collect::<Vec<_>>().join("; ")
}

fn hour_after(lines: &[Line]) -> Millis {
    let time = |line: &Line| match line {
        Line::Event(event) => event.time,
        Line::Stream(stream) => *stream,
    };
    lines.iter().map(time).max().unwrap() + Span::hours(1)
}

fn doings(holds: &BTreeMap<Said, i64>) -> String {
    let mut words = vec!["-".to_owned()];
    for (said, count) in holds {
        match said {
            Said::Staff { doing, .. } => words[0].clone_from(doing),
            Said::Work(state, row) => {
                words.extend((0..*count).map(|_| format!("{row}:{state}")));
            }
            Said::Here(..) => {}
        }
    }
    let state = |word: &String| {
        let order = ["alerting", "connected", "held", "acw"];
        order
            .iter()
            .position(|state| word.ends_with(&format!(":{state}")))
    };
    words[1..].sort_by_key(|word| (state(word), word.len()));
    words.join(" ")
}

/// What the agent does from second to second, up to an hour after the last line.
pub(in crate::engine::agent) fn life(lines: &[Line]) -> String {
    spans(lines, hour_after(lines), doings)
}

/// The same up to some hours after second 0.
pub(in crate::engine::agent) fn by_hours(lines: &[Line], hours: i64) -> String {
    spans(lines, instant(hours * 3600), doings)
}

/// What he serves.
pub(in crate::engine::agent) fn serving(lines: &[Line]) -> String {
    spans(lines, hour_after(lines), |holds| staff(holds).0)
}

/// Slots used and usable.
pub(in crate::engine::agent) fn slots(lines: &[Line]) -> String {
    spans(lines, hour_after(lines), |holds| staff(holds).1)
}

fn staff(holds: &BTreeMap<Said, i64>) -> (String, String) {
    let staff = holds.keys().find_map(|said| match said {
        Said::Staff { serves, slots, .. } => Some((serves.clone(), slots.clone())),
        _ => None,
    });
    staff.unwrap_or_default()
}

/// Since when each client has a contact feed.
pub(in crate::engine::agent) fn feeds(lines: &[Line]) -> String {
    let partition = partition(lines, true);
    let feeds = partition.names.clients.texts().iter();
    let feeds = feeds.zip(partition.names.feeds());
    let feeds = feeds.filter(|(_, since)| **since < Millis::MAX);
    let mut feeds: Vec<_> = feeds
        .map(|(client, since)| format!("{client} {}", (since.0 - START) / 1000))
        .collect();
    feeds.sort();
    feeds.join("; ")
}
