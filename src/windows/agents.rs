//! The list of who is where: every agent of a worker at the instant of a frame.
//!
//! It is made of the same state as the levels beside it, so whoever counts the list gets the gauges.
//! Made only where agents are listed; then at every tick, of every agent who is online or busy.

use std::fmt;
use std::sync::Arc;

use super::numbering::{ClientId, Numbering, QueueNo, ReasonId};
use crate::engine::agent::Seen;
use crate::engine::facts::WorkState;
use crate::engine::names::{Activity, Names, SetNo};
use crate::engine::partition::Partition;
use crate::event::{Millis, Presence};

/// One agent *now*.
#[derive(Clone, Debug)]
pub struct AgentNow {
    /// `None` until he is heard of, where the snapshot that the engine began with had no ids.
    pub id: Option<Arc<str>>,
    /// What he serves.
    pub serves: Arc<Serves>,
    /// Declared.
    pub presence: Presence,
    /// With presence aux: why.
    pub reason: Option<ReasonId>,
    /// By precedence.
    pub activity: Activity,
    /// Since when presence, reason and activity are these; `None` if it is not known.
    pub since: Option<Millis>,
    /// Channel and state of each contact at him, sorted.
    pub contacts: Vec<(Arc<str>, WorkState)>,
}

/// What agents of one set serve.
#[derive(Clone, Debug, Default)]
pub struct Serves {
    /// Queues, sorted.
    pub queues: Box<[QueueNo]>,
    /// Clients that they count for, sorted.
    pub clients: Box<[ClientId]>,
}

/// What the sets of one partition serve, in the registry's numbers, as far as it was asked.
#[derive(Clone, Debug, Default)]
pub struct ServedSets(Vec<Option<Arc<Serves>>>);

/// Writes the list, in the registry's numbers.
#[derive(Clone)]
pub struct Lister(Arc<dyn Numbering>);

impl fmt::Debug for Lister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lister").finish_non_exhaustive()
    }
}

impl Lister {
    /// Of the process with these numbers.
    pub fn new(numbering: Arc<dyn Numbering>) -> Self {
        Self(numbering)
    }

    /// Appends the agents of a partition at an instant. `sets` are the partition's.
    pub fn list(
        &self,
        partition: &mut Partition,
        sets: &mut ServedSets,
        now: Millis,
        out: &mut Vec<AgentNow>,
    ) {
        partition.each_agent(now, &mut |id, seen, names| {
            out.push(sets.agent(id, seen, names, &*self.0));
        });
    }
}

impl ServedSets {
    fn agent(
        &mut self,
        id: Option<&Arc<str>>,
        seen: &Seen<'_>,
        names: &Names,
        numbering: &dyn Numbering,
    ) -> AgentNow {
        let channels = names.channels.texts();
        let contacts = seen.contacts().filter_map(|(row, state)| {
            let channel = channels.get(names.row_info(row).channel.index())?;
            Some((Arc::clone(channel), state))
        });
        let mut contacts: Vec<_> = contacts.collect();
        contacts.sort_unstable();
        AgentNow {
            id: id.cloned(),
            serves: self.serves(seen.serves, names, numbering),
            presence: seen.presence,
            reason: seen
                .reason
                .map(|reason| numbering.reason(names.reasons.text(reason.0))),
            activity: seen.activity,
            since: seen.since,
            contacts,
        }
    }

    fn serves(&mut self, set: SetNo, names: &Names, numbering: &dyn Numbering) -> Arc<Serves> {
        let Self(sets) = self;
        if sets.len() <= set.index() {
            sets.resize(set.index() + 1, None);
        }
        let known = sets[set.index()].get_or_insert_with(|| {
            let info = names.set_info(set);
            let queues = info.rows.iter().filter_map(|row| {
                let info = names.row_info(*row);
                let client = names.clients.text(info.client.0);
                let queue = names.queues.text(info.queue?.0);
                Some(numbering.queue(client, queue, names.channels.text(info.channel.0)))
            });
            let clients = info.clients.iter();
            let clients = clients.map(|client| numbering.client(names.clients.text(client.0)));
            Arc::new(Serves {
                queues: sorted(queues),
                clients: sorted(clients),
            })
        });
        Arc::clone(known)
    }
}

fn sorted<T: Ord>(all: impl Iterator<Item = T>) -> Box<[T]> {
    let mut all: Vec<T> = all.collect();
    all.sort_unstable();
    all.into()
}
