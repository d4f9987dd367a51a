//! One partition's state: a pure function of its log.
//!
//! `apply` uses event time only: no clock, no randomness, no other partition. So any two engines
//! that applied the same records hold the same state. What depends on *now* is worked out by
//! [`Partition::due`] and [`Partition::oldest`] when a view is made, and changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::agent::{self, Agent};
use super::contact::{self, Contact};
use super::deadlines::{Deadlines, Sleeper};
use super::difference::difference;
use super::facts::{Count, Fact, Post};
use super::ids::IdHasher;
use super::ledger::Ledger;
use super::names::{ChannelNo, ClientNo, Names, QueueIdNo, RowNo};
use super::prints::{HashedKey, Prints};
use super::settings::StateSettings;
use super::timeline::Timeline;
use super::waiting::WaitingLists;
use crate::event::{
    AgentEvent, ContactEvent, ContactKind, Correction, Discard, Event, Millis, QueueEvent,
};

/// A contact in flight, or settled less than `settle_after` ago.
#[derive(Clone, Debug, Default)]
struct ContactSlot {
    contact: Contact,
    key: u64,
    /// Posts up to here have been made.
    made: Millis,
    /// Stream time at which its last fact arrived.
    arrived: Millis,
    /// Its earliest entry among the deadlines.
    wakes: Millis,
    /// The last view that it was in; see [`Partition::due`].
    viewed: u64,
}

#[derive(Clone, Debug, Default)]
struct AgentSlot {
    agent: Agent,
    made: Millis,
    wakes: Millis,
    viewed: u64,
}

/// Timelines and lists that folding fills again and again.
#[derive(Clone, Debug, Default)]
struct Scratch {
    before: Timeline,
    after: Timeline,
    /// The posts of `before` and `after` that are in force.
    were: Vec<Post>,
    are: Vec<Post>,
    changes: Vec<Post>,
    contact: contact::Scratch,
    agent: agent::Workspace,
}

/// State of one partition. One thread owns it.
#[derive(Clone, Debug)]
pub struct Partition {
    names: Names,
    ids: IdHasher,
    stream: Millis,
    earliest: Millis,
    ledger: Ledger,
    contacts: Vec<ContactSlot>,
    free: Vec<u32>,
    contact_slots: HashMap<u64, u32, HashedKey>,
    agents: Vec<AgentSlot>,
    agent_slots: HashMap<u64, u32, HashedKey>,
    deadlines: Deadlines,
    prints: Prints,
    waiting: WaitingLists,
    irregular: [u64; Correction::ALL.len()],
    scratch: Scratch,
    /// Number of the last view.
    view: u64,
}

impl Partition {
    /// An empty partition.
    pub fn new(settings: Arc<StateSettings>) -> Self {
        Self {
            ids: IdHasher::new(settings.id_key),
            ledger: Ledger::new(&settings),
            names: Names::new(settings),
            stream: Millis::MIN,
            earliest: Millis::MAX,
            contacts: Vec::new(),
            free: Vec::new(),
            contact_slots: HashMap::default(),
            agents: Vec::new(),
            agent_slots: HashMap::default(),
            deadlines: Deadlines::default(),
            prints: Prints::default(),
            waiting: WaitingLists::default(),
            irregular: [0; Correction::ALL.len()],
            scratch: Scratch::default(),
            view: 0,
        }
    }

    /// Applies one event.
    ///
    /// # Errors
    /// The reason why it changed no figure. The partition goes on all the same.
    pub fn apply(&mut self, event: &Event<'_>) -> Result<(), Discard> {
        match event {
            Event::Contact(event) => self.apply_contact(event),
            Event::Agent(event) => self.apply_agent(event),
            Event::Queue(QueueEvent { .. }) => Err(Discard::WrongTopic),
        }
    }

    /// The dictionary.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What is in force: the log, gauges, counters and the outbox.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How often each oddity was counted, in the order of [`Correction::ALL`].
    pub fn irregular(&self) -> &[u64; Correction::ALL.len()] {
        &self.irregular
    }

    /// Stream time: the largest accepted event time.
    pub fn stream(&self) -> Millis {
        self.stream
    }

    /// The earliest accepted event time.
    pub fn earliest(&self) -> Millis {
        self.earliest
    }

    /// Contacts held: in flight or not settled yet.
    pub fn contacts_held(&self) -> usize {
        self.contact_slots.len()
    }

    /// Agents known.
    pub fn agents_known(&self) -> usize {
        self.agents.len()
    }

    /// Prints of settled contacts.
    pub fn prints_held(&self) -> usize {
        self.prints.len()
    }

    /// Empties the outbox, keeping its memory.
    pub fn clear_outbox(&mut self) {
        self.ledger.clear_outbox();
    }

    /// Entry of the visit that has waited longest in a row at `now`.
    pub fn oldest(&self, row: RowNo, now: Millis) -> Option<Millis> {
        self.waiting.oldest(row, now)
    }

    /// Appends the posts that are due by `now` but not made yet: those with a stamp after stream
    /// time, gauges included. Changes no figure.
    ///
    /// An entity can have several entries of one stamp in the heap, so it is marked as viewed.
    pub fn due(&mut self, now: Millis, out: &mut Vec<Post>) {
        self.view += 1;
        let Self {
            deadlines,
            contacts,
            agents,
            names,
            scratch,
            view,
            ..
        } = self;
        let Scratch {
            after: timeline,
            contact,
            agent,
            ..
        } = scratch;
        deadlines.due(now, |_, sleeper| {
            let made = match sleeper {
                Sleeper::Contact(slot) => {
                    let held = &mut contacts[slot as usize];
                    if held.wakes > now || std::mem::replace(&mut held.viewed, *view) == *view {
                        return;
                    }
                    held.contact.fold(names, contact, timeline);
                    held.made
                }
                Sleeper::Agent(slot) => {
                    let known = &mut agents[slot as usize];
                    if known.wakes > now || std::mem::replace(&mut known.viewed, *view) == *view {
                        return;
                    }
                    known.agent.fold(agent, names, timeline);
                    known.made
                }
            };
            out.extend(
                timeline
                    .posts
                    .iter()
                    .filter(|post| post.stamp > made && post.stamp <= now),
            );
        });
    }

    fn apply_contact(&mut self, event: &ContactEvent<'_>) -> Result<(), Discard> {
        self.pass(event.time);
        let client = ClientNo(self.names.clients.number(&event.client_id));
        let key = self
            .ids
            .of_client(self.ids.of(&event.client_id), &event.contact_id);
        if let ContactKind::Rated | ContactKind::Complained | ContactKind::Resolved = event.kind {
            return self.apply_standalone(event, client);
        }
        let slot = match self.contact_slots.get(&key) {
            Some(&slot) => slot,
            None => self.admit(key, client, event.time)?,
        };
        self.note_late(event.time);
        let Self {
            contacts,
            names,
            scratch,
            ..
        } = self;
        let held = &mut contacts[slot as usize];
        held.contact
            .fold(names, &mut scratch.contact, &mut scratch.before);
        let inserted = held.contact.insert(event, names);
        if inserted == contact::Inserted::Duplicate {
            return Err(Discard::Duplicate);
        }
        held.contact
            .fold(names, &mut scratch.contact, &mut scratch.after);
        held.arrived = self.stream;
        let made = std::mem::replace(&mut held.made, self.stream);
        self.make_changes(made);
        self.sleep_contact(slot);
        match inserted {
            contact::Inserted::Replaced => Err(Discard::Duplicate),
            _ => Ok(()),
        }
    }

    /// Takes a contact that is not held; refuses what is settled or too old.
    fn admit(&mut self, key: u64, client: ClientNo, time: Millis) -> Result<u32, Discard> {
        let retain = self.names.settings().retain;
        if self.prints.contains(key, self.stream, retain) {
            return Err(Discard::LateDuplicate);
        }
        if time < self.stream - retain {
            return Err(Discard::TooLate);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.contacts.push(ContactSlot::default());
            u32::try_from(self.contacts.len() - 1).unwrap_or(u32::MAX)
        });
        let held = &mut self.contacts[slot as usize];
        held.contact.begin(client);
        held.key = key;
        held.made = Millis::MIN;
        held.wakes = Millis::MAX;
        self.contact_slots.insert(key, slot);
        Ok(slot)
    }

    /// A fact that may come hours later by its nature: it stands alone and counts at its queue.
    fn apply_standalone(
        &mut self,
        event: &ContactEvent<'_>,
        client: ClientNo,
    ) -> Result<(), Discard> {
        let retain = self.names.settings().retain;
        let print = self.ids.of(&event.id);
        if self.prints.contains(print, self.stream, retain) {
            return Err(Discard::Duplicate);
        }
        self.prints.add(print, self.stream, self.stream, retain);
        self.note_late(event.time);
        let Some(queue) = &event.queue_id else {
            self.note(Correction::NoEffect, 1);
            return Ok(());
        };
        let queue = QueueIdNo(self.names.queues.number(queue));
        let channel = event.channel.as_deref().unwrap_or("voice");
        let channel = ChannelNo(self.names.channels.number(channel));
        let row = self.names.row(client, Some(queue), channel);
        let count = match event.kind {
            ContactKind::Rated => Count::Rated,
            ContactKind::Complained => Count::Complained,
            _ => Count::Resolved,
        };
        let post = Post {
            stamp: event.time,
            fact: Fact::Count(row, count),
            sign: 1,
        };
        self.ledger.make(&post, &self.names);
        Ok(())
    }

    fn apply_agent(&mut self, event: &AgentEvent<'_>) -> Result<(), Discard> {
        self.pass(event.time);
        self.note_late(event.time);
        let key = self.ids.of(&event.agent_id);
        let slot = *self.agent_slots.entry(key).or_insert_with(|| {
            self.agents.push(AgentSlot {
                made: Millis::MIN,
                wakes: Millis::MAX,
                ..AgentSlot::default()
            });
            u32::try_from(self.agents.len() - 1).unwrap_or(u32::MAX)
        });
        let Self {
            agents,
            names,
            scratch,
            ids,
            stream,
            ..
        } = self;
        let known = &mut agents[slot as usize];
        known
            .agent
            .fold(&mut scratch.agent, names, &mut scratch.before);
        if known.agent.insert(event, *stream, names, ids) == agent::Inserted::Duplicate {
            return Err(Discard::Duplicate);
        }
        known
            .agent
            .fold(&mut scratch.agent, names, &mut scratch.after);
        let made = std::mem::replace(&mut known.made, *stream);
        self.make_changes(made);
        self.agents[slot as usize].agent.advance(
            self.stream,
            &mut self.scratch.agent,
            &mut self.names,
        );
        self.sleep_agent(slot);
        Ok(())
    }

    /// Lets stream time pass: executes every deadline up to it, in order.
    fn pass(&mut self, time: Millis) {
        self.earliest = self.earliest.min(time);
        if time <= self.stream {
            return;
        }
        self.stream = time;
        while let Some((stamp, sleeper)) = self.deadlines.pop_due(time) {
            match sleeper {
                Sleeper::Contact(slot) if self.contacts[slot as usize].wakes == stamp => {
                    self.wake_contact(slot);
                }
                Sleeper::Agent(slot) if self.agents[slot as usize].wakes == stamp => {
                    self.wake_agent(slot);
                }
                Sleeper::Contact(_) | Sleeper::Agent(_) => {}
            }
        }
        self.ledger.advance(self.stream, &self.names);
    }

    fn wake_contact(&mut self, slot: u32) {
        let Self {
            contacts,
            names,
            scratch,
            stream,
            ..
        } = self;
        let held = &mut contacts[slot as usize];
        held.contact
            .fold(names, &mut scratch.contact, &mut scratch.after);
        let made = std::mem::replace(&mut held.made, *stream);
        held.wakes = Millis::MAX;
        self.make_due(made);
        self.sleep_contact(slot);
    }

    fn wake_agent(&mut self, slot: u32) {
        let Self {
            agents,
            names,
            scratch,
            stream,
            ..
        } = self;
        let known = &mut agents[slot as usize];
        known
            .agent
            .fold(&mut scratch.agent, names, &mut scratch.after);
        let made = std::mem::replace(&mut known.made, *stream);
        known.wakes = Millis::MAX;
        self.make_due(made);
        self.agents[slot as usize].agent.advance(
            self.stream,
            &mut self.scratch.agent,
            &mut self.names,
        );
        self.sleep_agent(slot);
    }

    /// Makes the posts of the timeline after `made` that are due by stream time.
    fn make_due(&mut self, made: Millis) {
        let Self {
            ledger,
            names,
            scratch,
            stream,
            ..
        } = self;
        for post in &scratch.after.posts {
            if post.stamp > made && post.stamp <= *stream {
                ledger.make(post, names);
            }
        }
    }

    /// Makes what the timeline after has and the one before, up to `made`, had not; takes back the
    /// opposite.
    fn make_changes(&mut self, made: Millis) {
        let Self {
            ledger,
            names,
            scratch,
            stream,
            ..
        } = self;
        let Scratch {
            before,
            after,
            were,
            are,
            changes,
            ..
        } = scratch;
        were.clear();
        were.extend(before.posts.iter().filter(|post| post.stamp <= made));
        are.clear();
        are.extend(after.posts.iter().filter(|post| post.stamp <= *stream));
        changes.clear();
        difference(were, are, changes);
        ledger.change(changes, names);
    }

    /// Puts the contact among those who wait, and sets its next deadline; settles it when it is
    /// time.
    fn sleep_contact(&mut self, slot: u32) {
        let waiting = self
            .scratch
            .after
            .waiting
            .filter(|waiting| waiting.until > self.stream);
        self.waiting.set(slot, waiting);
        let settings = self.names.settings();
        let timeline = &self.scratch.after;
        let held = &mut self.contacts[slot as usize];
        let settles =
            timeline.end.max(held.arrived) + settings.settle_after + timeline.settle_later;
        if settles <= self.stream {
            return self.settle(slot, settles);
        }
        let next = timeline.next_after(self.stream).min(settles);
        if next < held.wakes {
            held.wakes = next;
            self.deadlines.push(next, Sleeper::Contact(slot));
        }
    }

    fn sleep_agent(&mut self, slot: u32) {
        let next = self.scratch.after.next_after(self.stream);
        let known = &mut self.agents[slot as usize];
        if next < known.wakes {
            known.wakes = next;
            self.deadlines.push(next, Sleeper::Agent(slot));
        }
    }

    /// From here on only the print of the contact is left.
    fn settle(&mut self, slot: u32, stamp: Millis) {
        let odd = self.scratch.after.odd;
        self.note(Correction::NegativeDuration, odd.negative_durations);
        self.note(Correction::Conflict, odd.conflicts);
        self.note(Correction::Orphan, odd.orphans);
        self.note(Correction::NoEffect, odd.no_effect);
        self.note(Correction::Swept, u32::from(odd.swept));
        let held = &mut self.contacts[slot as usize];
        held.wakes = Millis::MAX;
        let key = held.key;
        self.waiting.set(slot, None);
        self.contact_slots.remove(&key);
        self.free.push(slot);
        self.prints
            .add(key, stamp, self.stream, self.names.settings().retain);
    }

    fn note(&mut self, oddity: Correction, times: u32) {
        self.irregular[oddity as usize] += u64::from(times);
    }

    fn note_late(&mut self, time: Millis) {
        if time < self.stream - self.names.settings().late_after {
            self.note(Correction::Late, 1);
        }
    }
}
