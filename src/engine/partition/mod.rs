//! One partition's state: a pure function of its log.
//!
//! `apply` uses event time only: no clock, no randomness, no other partition. So any two engines
//! that applied the same records hold the same state. What depends on *now* is worked out by
//! [`Partition::due`] and [`Partition::oldest`] when a view is made, and changes nothing.

mod agents;
mod contacts;
mod image;
mod known;

pub(crate) use image::PartitionImage;

use std::sync::Arc;

use agents::Agents;
use contacts::Contacts;

use super::agent::Seen;
use super::deadlines::{Deadlines, Sleeper};
use super::facts::Post;
use super::ids::IdHasher;
use super::ledger::Ledger;
use super::names::{Names, RowNo};
use super::settings::StateSettings;
use crate::event::{Correction, Discard, Event, Millis};

/// So many deadlines out of date are not worth dropping.
const STALE_MIN: usize = 1_024;

/// Is told an agent: his id if it is known, how he stands, and the dictionary of the numbers.
pub type TellAgent<'a> = dyn FnMut(Option<&Arc<str>>, &Seen<'_>, &Names) + 'a;

/// State of one partition. One thread owns it.
#[derive(Clone, Debug)]
pub struct Partition {
    core: Core,
    contacts: Contacts,
    agents: Agents,
    earliest: Millis,
}

/// What contacts and agents share.
#[derive(Clone, Debug)]
struct Core {
    names: Names,
    ids: IdHasher,
    ledger: Ledger,
    deadlines: Deadlines,
    stream: Millis,
    irregular: [u64; Correction::ALL.len()],
}

impl Core {
    fn note(&mut self, oddity: Correction, times: u32) {
        self.irregular[oddity as usize] += u64::from(times);
    }

    fn note_late(&mut self, time: Millis) {
        if time < self.stream - self.names.settings().late_after {
            self.note(Correction::Late, 1);
        }
    }

    /// Puts into force those posts of a timeline that lie after `made`, up to stream time.
    fn make_due(&mut self, posts: &[Post], made: Millis) {
        for post in posts {
            if post.stamp > made && post.stamp <= self.stream {
                self.ledger.make(post, &self.names);
            }
        }
    }

    /// Sees to it that a sleeper wakes at `next`, if nothing wakes it earlier; `wakes` is its
    /// earliest entry among the deadlines.
    fn sleep(&mut self, sleeper: Sleeper, next: Millis, wakes: &mut Millis) {
        if next < *wakes {
            *wakes = next;
            self.deadlines.push(next, sleeper);
        }
    }
}

impl Partition {
    /// An empty partition.
    pub fn new(settings: Arc<StateSettings>) -> Self {
        Self {
            core: Core {
                ids: IdHasher::new(settings.id_key),
                ledger: Ledger::new(&settings),
                names: Names::new(settings),
                deadlines: Deadlines::default(),
                stream: Millis::MIN,
                irregular: [0; Correction::ALL.len()],
            },
            contacts: Contacts::default(),
            agents: Agents::default(),
            earliest: Millis::MAX,
        }
    }

    /// Applies one event.
    ///
    /// # Errors
    /// The reason why it is not counted. The partition goes on all the same.
    pub fn apply(&mut self, event: &Event<'_>) -> Result<(), Discard> {
        if self.core.names.is_full() && !known::names_nothing_new(event, &self.core.names) {
            return Err(Discard::TooManyQueues);
        }
        match event {
            Event::Contact(event) => {
                self.pass(event.time);
                self.contacts.apply(event, &mut self.core)
            }
            Event::Agent(event) => {
                self.pass(event.time);
                self.agents.apply(event, &mut self.core)
            }
            Event::Queue(_) => Err(Discard::WrongTopic),
        }
    }

    /// Lets stream time pass: executes every deadline up to it, in order.
    fn pass(&mut self, time: Millis) {
        self.earliest = self.earliest.min(time);
        if time <= self.core.stream {
            return;
        }
        self.core.stream = time;
        while let Some((stamp, sleeper)) = self.core.deadlines.pop_due(time) {
            match sleeper {
                Sleeper::Contact(slot) => self.contacts.wake(slot, stamp, &mut self.core),
                Sleeper::Agent(slot) => self.agents.wake(slot, stamp, &mut self.core),
                Sleeper::Memory(slot) => self.agents.forget(slot, stamp, &mut self.core),
            }
        }
        self.drop_stale_deadlines();
        self.core.ledger.advance(time, &self.core.names);
    }

    /// Drops the deadlines that are out of date once they are more than those who sleep. Each was
    /// pushed, so this costs the same for each push.
    fn drop_stale_deadlines(&mut self) {
        let asleep = self.contacts.held() + 2 * self.agents.known();
        if self.core.deadlines.len() > 2 * asleep + STALE_MIN {
            self.set_deadlines();
        }
    }

    /// Every sleeper knows his own deadline.
    fn set_deadlines(&mut self) {
        let contacts = self.contacts.wakes();
        let contacts = contacts.map(|(slot, wakes)| (wakes, Sleeper::Contact(slot)));
        let agents = self.agents.wakes();
        let agents = agents.map(|(slot, wakes)| (wakes, Sleeper::Agent(slot)));
        let memory = self.agents.forgets();
        let memory = memory.map(|(slot, forgets)| (forgets, Sleeper::Memory(slot)));
        let all = contacts.chain(agents).chain(memory);
        self.core.deadlines.refill(all);
    }

    /// Appends the posts that are due by `now` but not made yet: those with a stamp after stream
    /// time, gauges included. Changes nothing of the state: every number that they need was given
    /// when the facts came, and what is mutable here is scratch memory.
    pub fn due(&mut self, now: Millis, out: &mut Vec<Post>) {
        let Self {
            core,
            contacts,
            agents,
            ..
        } = self;
        contacts.begin_view();
        agents.begin_view();
        core.deadlines.due(now, |_, sleeper| match sleeper {
            Sleeper::Contact(slot) => contacts.due(slot, now, &mut core.names, out),
            Sleeper::Agent(slot) => agents.due(slot, now, &mut core.names, out),
            Sleeper::Memory(_) => {}
        });
    }

    /// Tells every agent who is online or busy at an instant as of everything applied and of the
    /// deadlines due by then; with his id, where agents are listed and he was heard of since. Changes
    /// nothing, as [`Self::due`].
    pub fn each_agent(&mut self, now: Millis, tell: &mut TellAgent<'_>) {
        let at = now.max(self.core.stream);
        self.agents.each(at, &mut self.core.names, tell);
    }

    /// Entry of the visit that has waited longest in a row at `now`.
    pub fn oldest(&self, row: RowNo, now: Millis) -> Option<Millis> {
        self.contacts.oldest(row, now)
    }

    /// The dictionary.
    pub fn names(&self) -> &Names {
        &self.core.names
    }

    /// What is in force: the log, gauges, counters and the outbox.
    pub fn ledger(&self) -> &Ledger {
        &self.core.ledger
    }

    /// Empties the outbox, keeping its memory.
    pub fn clear_outbox(&mut self) {
        self.core.ledger.clear_outbox();
    }

    /// How often each oddity was counted, in the order of [`Correction::ALL`].
    pub fn irregular(&self) -> &[u64; Correction::ALL.len()] {
        &self.core.irregular
    }

    /// Stream time: the largest accepted event time.
    pub fn stream(&self) -> Millis {
        self.core.stream
    }

    /// The earliest accepted event time.
    pub fn earliest(&self) -> Millis {
        self.earliest
    }

    /// Contacts held: in flight or not settled yet.
    pub fn contacts_held(&self) -> usize {
        self.contacts.held()
    }

    /// Agents known.
    pub fn agents_known(&self) -> usize {
        self.agents.known()
    }

    /// Prints of settled contacts.
    pub fn prints_held(&self) -> usize {
        self.contacts.prints()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Limits, decode};
    use crate::engine::facts::Fact;

    const MORNING: i64 = 1_767_603_600_000;

    fn take(partition: &mut Partition, event: &str) {
        let event = decode(event.as_bytes(), &Limits::default());
        assert!(event.is_ok_and(|event| partition.apply(&event).is_ok()));
    }

    #[test]
    fn deadlines_are_in_proportion_to_those_who_sleep_however_many_contacts_came_and_went() {
        let mut partition = Partition::new(Arc::new(StateSettings::default()));
        for contact in 0..50_000_i64 {
            for (kind, after) in [("queued", 0), ("closed", 2_000)] {
                let time = MORNING + contact * 100 + after;
                let event = format!(
                    r#"{{"id":"{kind}{contact}","type":"contact.{kind}","time":{time},"contact_id":"c{contact}","queue_id":"q"}}"#
                );
                take(&mut partition, &event);
            }
        }
        let asleep = partition.contacts_held();
        assert!(asleep < 10_000, "{asleep} are held");
        let deadlines = partition.core.deadlines.len();
        assert!(deadlines <= 2 * asleep + STALE_MIN, "{deadlines} deadlines");
    }

    /// An agent's event.
    fn at_agent(agent: &str, after: i64, what: &str) -> String {
        let time = MORNING + after;
        format!(r#"{{"id":"{agent}-{after}","time":{time},"agent_id":"{agent}",{what}}}"#)
    }

    /// What is remembered of agents: facts, and contacts of facts that are gone.
    fn remembered(partition: &Partition) -> (usize, usize) {
        let agents = partition.agents.remembered();
        agents.fold((0, 0), |sum, agent| (sum.0 + agent.0, sum.1 + agent.1))
    }

    #[test]
    fn nothing_is_remembered_of_agents_who_went_home() {
        let mut partition = Partition::new(Arc::new(StateSettings::default()));
        let event = |partition: &mut Partition, agent: i64, after: i64, what: &str| {
            take(partition, &at_agent(&format!("a{agent}"), after, what));
        };
        let at_work =
            r#""type":"agent.contact","contact_id":"c","queue_id":"q","state":"connected""#;
        let over = r#""type":"agent.contact","contact_id":"c","queue_id":"q","state":"released""#;
        for agent in 0..100 {
            event(&mut partition, agent, agent, r#""type":"agent.logged_in""#);
        }
        for agent in 0..100 {
            event(&mut partition, agent, 60_000 + agent, at_work);
            event(&mut partition, agent, 61_000 + agent, over);
            event(
                &mut partition,
                agent,
                62_000 + agent,
                r#""type":"agent.logged_out""#,
            );
        }
        assert_eq!(remembered(&partition), (400, 0));
        let minutes = |minutes: i64| 62_000 + 99 + minutes * 60_000;
        event(&mut partition, 100, minutes(4 * 60 + 9), at_work);
        assert_eq!(
            remembered(&partition),
            (401, 0),
            "an event may still come again"
        );
        event(&mut partition, 100, minutes(4 * 60 + 11), over);
        assert_eq!(remembered(&partition), (2, 0), "of the agent who is there");
    }

    #[test]
    fn an_event_that_comes_again_within_retain_is_known_however_silent_the_agent() {
        let mut partition = Partition::new(Arc::new(StateSettings::default()));
        let available = r#""type":"agent.state","state":"available""#;
        let state = |agent: &str, after: i64| at_agent(agent, after, available);
        let hours = |hours: i64| hours * 3_600_000;
        take(&mut partition, &state("silent", 0));
        take(&mut partition, &state("busy", hours(4)));
        let again = state("silent", 0);
        let again = decode(again.as_bytes(), &Limits::default());
        let applied = again.map(|event| partition.apply(&event));
        assert_eq!(applied, Ok(Err(Discard::Duplicate)));
    }

    #[test]
    fn what_he_did_ends_by_time_though_his_facts_were_dropped_in_the_same_silence() {
        let mut partition = Partition::new(Arc::new(StateSettings::default()));
        let connected =
            r#""type":"agent.contact","contact_id":"c","queue_id":"q","state":"connected""#;
        take(&mut partition, &at_agent("a1", 0, connected));
        take(&mut partition, &at_agent("a2", 10 * 3_600_000, connected));
        let posts = partition.ledger().outbox().iter();
        let connected: Vec<(i64, i8)> = posts
            .filter(|post| matches!(post.fact, Fact::Work(..)))
            .map(|post| (post.stamp.0 - MORNING, post.sign))
            .collect();
        let ghost_after = 4 * 3_600_000;
        assert_eq!(connected, [(0, 1), (ghost_after, -1), (10 * 3_600_000, 1)]);
    }
}
