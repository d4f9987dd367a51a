//! An agent's facts: events with every name turned into a number, and their order.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::engine::ids::IdHasher;
use crate::engine::image::{Fault, hold};
use crate::engine::names::{ChannelNo, ClientNo, Names, QueueIdNo, ReasonNo, RowNo};
use crate::engine::room;
use crate::event::{
    ActivityState, AgentContact, AgentEvent, AgentKind, AgentSnapshot, Capacity, Membership,
    Millis, Presence, SnapshotContact, Span, Text,
};

/// The reason of who logged in and declared nothing yet.
pub(super) const NOT_READY: ReasonNo = ReasonNo(0);

/// One fact of an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AgentFact {
    /// From when it holds: the event's time, or the stream time at which it arrived too late.
    pub(super) stamp: Millis,
    pub(super) mark: Mark,
    pub(super) id: IdAt,
    /// The client that the event names.
    pub(super) client: ClientNo,
    pub(super) change: Change,
}

impl AgentFact {
    /// The event's time.
    pub(super) const fn said(&self) -> Millis {
        self.mark.said()
    }

    /// Whether it came too late to be put in its place.
    pub(super) fn late(&self) -> bool {
        self.said() < self.stamp
    }

    /// Whether this fact and another of the same instant lead to the same, whichever goes first: they
    /// are about different things, and do not both decide whether the agent responds, differently.
    pub(super) fn commutes_with(&self, other: &Self) -> bool {
        let (mine, others) = (self.change.about(), other.change.about());
        let responds = (self.change.responds(), other.change.responds());
        let agree = match responds {
            (Some(mine), Some(others)) => mine == others,
            _ => true,
        };
        let apart = mine != others && mine != About::All && others != About::All;
        apart && agree && !self.late() && !other.late()
    }
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Presence,
    Queues,
    Slots,
    Contact(u64),
    All,
}

impl Change {
    const fn about(&self) -> About {
        match self {
            Self::LoggedIn | Self::LoggedOut | Self::Presence(_) => About::Presence,
            Self::Queues(_) => About::Queues,
            Self::Slots(_) => About::Slots,
            Self::Contact(is, _) => About::Contact(is.contact),
            Self::Snapshot(_) => About::All,
        }
    }

    /// Whether the agent responds after it; none if it does not say.
    const fn responds(&self) -> Option<bool> {
        match self {
            Self::LoggedIn | Self::LoggedOut | Self::Presence(_) => Some(true),
            Self::Contact(is, _) => match is.state {
                ActivityState::Alerting | ActivityState::Connected => Some(true),
                ActivityState::Missed | ActivityState::Rejected | ActivityState::Error => {
                    Some(false)
                }
                ActivityState::Held | ActivityState::Acw | ActivityState::Released => None,
            },
            Self::Queues(_) | Self::Slots(_) | Self::Snapshot(_) => None,
        }
    }
}

/// How new something said is, by the event's time and its [`rank`]: of two facts of one kind the one
/// with the greater mark is newer. Both in one integer, for every fact has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Mark(i64);

impl Mark {
    /// Older than anything said.
    pub(super) const NONE: Self = Self(i64::MIN);
    const RANKS: i64 = 16;

    pub(super) fn new(said: Millis, rank: u8) -> Self {
        debug_assert!(i64::from(rank) < Self::RANKS, "rank {rank}");
        Self(said.0 * Self::RANKS + i64::from(rank))
    }

    /// The event's time.
    pub(super) const fn said(self) -> Millis {
        Millis(self.0.div_euclid(Self::RANKS))
    }

    /// By how much it is above another one: none if it is below, or 74 hours and more above.
    pub(super) fn above(self, other: Self) -> Option<u32> {
        u32::try_from(self.0.saturating_sub(other.0)).ok()
    }

    /// The mark so much above.
    pub(super) const fn plus(self, above: u32) -> Self {
        Self(self.0.saturating_add(above as i64))
    }
}

/// What a fact says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Change {
    LoggedIn,
    LoggedOut,
    Presence(Declared),
    Queues(Box<[RowNo]>),
    Slots(Box<Slots>),
    /// A contact's state; with acw, when it is over by itself.
    Contact(AtAgent, Timer),
    Snapshot(Box<Snapshot>),
}

/// After how long something is over by itself, if it is. [`Option`] takes twice the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timer(i64);

impl Timer {
    const NONE: Self = Self(-1);

    /// A span below zero counts as no time.
    fn new(span: Option<Span>) -> Self {
        span.map_or(Self::NONE, |span| Self(span.0.max(0)))
    }

    pub(super) fn get(self) -> Option<Span> {
        (self != Self::NONE).then_some(Span(self.0))
    }
}

/// A declared presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Declared {
    pub(super) presence: Presence,
    /// With presence aux: why.
    pub(super) reason: ReasonNo,
}

/// How many contacts at once, by channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slots {
    pub(super) by_channel: Vec<(ChannelNo, u32)>,
    /// All may be used at once.
    pub(super) shared: bool,
}

impl Default for Slots {
    /// One voice contact.
    fn default() -> Self {
        Self {
            by_channel: vec![(ChannelNo(0), 1)],
            shared: false,
        }
    }
}

impl Slots {
    /// The slots of a channel.
    pub(super) fn of(&self, channel: ChannelNo) -> u32 {
        let stated = self.by_channel.iter().find(|(other, _)| *other == channel);
        stated.map_or(0, |(_, slots)| *slots)
    }
}

/// A contact is in a state at the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AtAgent {
    /// The hash of client and contact id.
    pub(super) contact: u64,
    pub(super) state: ActivityState,
    /// The row that is named; holds if this is the first fact of the turn.
    pub(super) row: RowNo,
}

/// A complete statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) declared: Option<Declared>,
    pub(super) queues: Option<Box<[RowNo]>>,
    pub(super) slots: Option<Slots>,
    pub(super) contacts: Option<Box<[Listed]>>,
}

/// A contact that a snapshot lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) is: AtAgent,
    pub(super) client: ClientNo,
    pub(super) since: Option<Millis>,
}

/// Which of an agent's facts of one instant goes first: type, and state of an `agent.contact`.
pub(super) const fn rank(kind: &AgentKind<'_>) -> u8 {
    match kind {
        AgentKind::LoggedIn => 0,
        AgentKind::LoggedOut => 1,
        AgentKind::State { .. } => 2,
        AgentKind::Queues(_) => 3,
        AgentKind::Capacity(_) => 4,
        AgentKind::Contact(contact) => 5 + contact.state as u8,
        AgentKind::Snapshot(_) => 13,
    }
}

/// The order in which facts are executed. A fact that came too late goes before those whose own
/// time is the instant of its arrival.
pub(super) fn order(a: &AgentFact, b: &AgentFact, ids: &Ids) -> Ordering {
    (a.stamp, a.mark)
        .cmp(&(b.stamp, b.mark))
        .then_with(|| ids.of(a).cmp(ids.of(b)))
}

/// The number of the event's client.
pub(super) fn client(event: &AgentEvent<'_>, names: &mut Names) -> ClientNo {
    ClientNo(names.clients.number(&event.client_id))
}

/// What an event says, in numbers. Notes contact feeds.
pub(super) fn change(event: &AgentEvent<'_>, names: &mut Names, hasher: &IdHasher) -> Change {
    match &event.kind {
        AgentKind::LoggedIn => Change::LoggedIn,
        AgentKind::LoggedOut => Change::LoggedOut,
        AgentKind::State { state, reason } => {
            Change::Presence(declared(*state, reason.as_deref(), names))
        }
        AgentKind::Queues(queues) => Change::Queues(rows(queues, &event.client_id, names)),
        AgentKind::Capacity(capacity) => Change::Slots(Box::new(slots(capacity, names))),
        AgentKind::Contact(contact) => contact_fact(event, contact, names, hasher),
        AgentKind::Snapshot(snapshot) => {
            Change::Snapshot(Box::new(snapshot_fact(event, snapshot, names, hasher)))
        }
    }
}

fn declared(presence: Presence, reason: Option<&str>, names: &mut Names) -> Declared {
    let reason = reason.filter(|reason| !reason.is_empty());
    let reason = match presence {
        Presence::Aux => ReasonNo(names.reasons.number(reason.unwrap_or("unspecified"))),
        Presence::Available | Presence::Offline => NOT_READY,
    };
    Declared { presence, reason }
}

fn row(client: ClientNo, queue: Option<&str>, channel: Option<&str>, names: &mut Names) -> RowNo {
    let queue = queue.map(|queue| QueueIdNo(names.queues.number(queue)));
    let channel = ChannelNo(names.channels.number(channel.unwrap_or("voice")));
    names.row(client, queue, channel)
}

fn rows(queues: &[Membership<'_>], client: &str, names: &mut Names) -> Box<[RowNo]> {
    let mut rows: Vec<_> = queues
        .iter()
        .map(|queue| {
            let client = queue.client_id.as_deref().unwrap_or(client);
            let client = ClientNo(names.clients.number(client));
            row(
                client,
                Some(&queue.queue_id),
                queue.channel.as_deref(),
                names,
            )
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    rows.into()
}

fn slots(capacity: &Capacity<'_>, names: &mut Names) -> Slots {
    let number =
        |(channel, slots): &(Text<'_>, u32)| (ChannelNo(names.channels.number(channel)), *slots);
    Slots {
        by_channel: capacity.slots.iter().map(number).collect(),
        shared: capacity.shared,
    }
}

fn contact_fact(
    event: &AgentEvent<'_>,
    contact: &AgentContact<'_>,
    names: &mut Names,
    hasher: &IdHasher,
) -> Change {
    let client = client(event, names);
    names.note_feed(client, event.time);
    let is = AtAgent {
        contact: hasher.of_client(hasher.of(&event.client_id), &contact.contact_id),
        state: contact.state,
        row: row(
            client,
            contact.queue_id.as_deref(),
            contact.channel.as_deref(),
            names,
        ),
    };
    let timer = contact
        .for_ms
        .filter(|_| contact.state == ActivityState::Acw);
    Change::Contact(is, Timer::new(timer))
}

fn snapshot_fact(
    event: &AgentEvent<'_>,
    snapshot: &AgentSnapshot<'_>,
    names: &mut Names,
    hasher: &IdHasher,
) -> Snapshot {
    if snapshot.contacts.is_some() {
        let client = client(event, names);
        names.note_feed(client, event.time);
    }
    let mut list = |contact: &SnapshotContact<'_>| {
        let client_id = contact.client_id.as_deref().unwrap_or(&event.client_id);
        let client = ClientNo(names.clients.number(client_id));
        names.note_feed(client, event.time);
        let is = AtAgent {
            contact: hasher.of_client(hasher.of(client_id), &contact.contact_id),
            state: contact.state,
            row: row(
                client,
                contact.queue_id.as_deref(),
                contact.channel.as_deref(),
                names,
            ),
        };
        Listed {
            is,
            client,
            since: contact.since,
        }
    };
    let contacts = snapshot
        .contacts
        .as_ref()
        .map(|contacts| contacts.iter().map(&mut list).collect());
    Snapshot {
        declared: snapshot
            .presence
            .map(|presence| declared(presence, snapshot.reason.as_deref(), names)),
        queues: snapshot
            .queues
            .as_ref()
            .map(|queues| rows(queues, &event.client_id, names)),
        slots: snapshot
            .capacity
            .as_ref()
            .map(|capacity| slots(capacity, names)),
        contacts,
    }
}

/// Where a fact's id lies in [`Ids`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IdAt(u32);

/// The ids of an agent's facts in one block, each behind the two bytes of its length.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ids(#[serde(with = "crate::engine::image::bytes")] Vec<u8>);

impl Ids {
    /// Whether the id of a fact lies in here.
    pub(super) fn check(&self, fact: &AgentFact) -> Result<(), Fault> {
        hold(self.get(fact.id).is_some(), "a fact without its id")
    }

    /// Keeps an id; of a very long one its beginning.
    pub(super) fn keep(&mut self, id: &[u8]) -> IdAt {
        let at = IdAt(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        let len = u16::try_from(id.len()).unwrap_or(u16::MAX);
        let id = &id[..usize::from(len)];
        room::reserve(&mut self.0, 2 + id.len());
        self.0.extend_from_slice(&len.to_le_bytes());
        self.0.extend_from_slice(id);
        at
    }

    /// The id of a fact.
    pub(super) fn of(&self, fact: &AgentFact) -> &[u8] {
        self.get(fact.id).unwrap_or_default()
    }

    fn get(&self, IdAt(at): IdAt) -> Option<&[u8]> {
        let (len, rest) = self.0.get(at as usize..)?.split_first_chunk()?;
        rest.get(..usize::from(u16::from_le_bytes(*len)))
    }

    /// Drops the ids of facts that are gone. `scratch` is memory to work with.
    pub(super) fn compact(&mut self, facts: &mut [AgentFact], scratch: &mut Self) {
        scratch.0.clear();
        for fact in facts {
            fact.id = scratch.keep(self.of(fact));
        }
        self.0.clear();
        self.0.extend_from_slice(&scratch.0);
        room::trim(&mut self.0);
    }
}

/// What tells most ids apart: the last bytes, mixed, since numbers and UUIDs differ there.
pub(super) fn print(id: &[u8]) -> u32 {
    let last = id.iter().rev().take(8);
    last.fold(0_u32, |print, byte| {
        print
            .rotate_left(5)
            .wrapping_add(u32::from(*byte))
            .wrapping_mul(0x9e37_79b1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_stays_small() {
        assert!(size_of::<AgentFact>() <= 48, "{}", size_of::<AgentFact>());
    }

    #[test]
    fn marks_are_in_order_of_time_then_rank_and_none_is_older_than_all() {
        let said = [Millis::EARLIEST, Millis(1_767_603_600_000), Millis::LATEST];
        let marks = said.into_iter().flat_map(|said| {
            (0..=13).map(move |rank| {
                let mark = Mark::new(said, rank);
                assert_eq!(mark.said(), said);
                mark
            })
        });
        let marks: Vec<Mark> = std::iter::once(Mark::NONE).chain(marks).collect();
        assert!(marks.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn ids_of_facts_that_stay_are_theirs_when_the_others_are_dropped() {
        let (mut ids, mut scratch) = (Ids::default(), Ids::default());
        let texts: Vec<String> = (0..300).map(|number| "x".repeat(number)).collect();
        let mut facts: Vec<AgentFact> = texts
            .iter()
            .map(|text| AgentFact {
                stamp: Millis(0),
                mark: Mark::NONE,
                id: ids.keep(text.as_bytes()),
                client: ClientNo(0),
                change: Change::LoggedIn,
            })
            .collect();
        facts.drain(..200);
        facts.swap(3, 50);
        ids.compact(&mut facts, &mut scratch);
        let kept = facts.iter().map(|fact| ids.of(fact).len());
        let expected = (200..300).map(|number| match number {
            203 => 250,
            250 => 203,
            number => number,
        });
        assert!(kept.eq(expected));
        let long = "y".repeat(100_000);
        facts[0].id = ids.keep(long.as_bytes());
        assert_eq!(ids.of(&facts[0]).len(), usize::from(u16::MAX));
    }
}
