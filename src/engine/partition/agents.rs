//! The agents of a partition. Once known, an agent stays known.

mod image;

pub(super) use image::AgentsImage;

use std::collections::HashMap;
use std::sync::Arc;

use super::{Core, TellAgent};
use crate::engine::agent::{Agent, Inserted, Sight, Workspace};
use crate::engine::deadlines::Sleeper;
use crate::engine::facts::Post;
use crate::engine::names::Names;
use crate::engine::prints::HashedKey;
use crate::engine::room;
use crate::engine::timeline::Timeline;
use crate::event::{AgentEvent, AgentKind, Correction, Discard, Millis, Span};

#[derive(Clone, Debug)]
struct Slot {
    agent: Agent,
    key: u64,
    /// Posts up to here have been made.
    made: Millis,
    /// His earliest entry among the deadlines.
    wakes: Millis,
    /// The same of his memory.
    forgets: Millis,
    /// The last view that he was in.
    viewed: u64,
    /// His id, where agents are listed and he was heard of since.
    id: Option<Arc<str>>,
}

/// The agents of one partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Agents {
    slots: Vec<Slot>,
    by_key: HashMap<u64, u32, HashedKey>,
    view: u64,
    work: Workspace,
    ahead: Timeline,
    sight: Sight,
}

impl Agents {
    pub(super) fn apply(&mut self, event: &AgentEvent<'_>, core: &mut Core) -> Result<(), Discard> {
        core.note_late(event.time);
        let slot = self.slot(core.ids.of(&event.agent_id));
        let Self { slots, work, .. } = self;
        let known = &mut slots[slot as usize];
        if known.id.is_none() && core.names.settings().list_agents {
            known.id = Some(Arc::from(&*event.agent_id));
        }
        let applied = known
            .agent
            .apply(event, core.stream, &mut core.names, &core.ids, work);
        known.made = core.stream;
        core.ledger.change(&work.posts, &core.names);
        core.sleep(Sleeper::Agent(slot), applied.next, &mut known.wakes);
        let forgets = known.agent.forgets(core.names.settings());
        core.sleep(Sleeper::Memory(slot), forgets, &mut known.forgets);
        if applied.inserted == Inserted::Duplicate {
            return Err(Discard::Duplicate);
        }
        if let AgentKind::Contact(contact) = &event.kind
            && contact.for_ms.is_some_and(|span| span < Span::ZERO)
        {
            core.note(Correction::NegativeDuration, 1);
        }
        Ok(())
    }

    fn slot(&mut self, key: u64) -> u32 {
        let Self { slots, by_key, .. } = self;
        *by_key.entry(key).or_insert_with(|| {
            room::reserve(slots, 1);
            slots.push(Slot {
                agent: Agent::default(),
                key,
                made: Millis::MIN,
                wakes: Millis::MAX,
                forgets: Millis::MAX,
                viewed: 0,
                id: None,
            });
            u32::try_from(slots.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Executes what is due of an agent, if the entry that wakes him is not out of date.
    pub(super) fn wake(&mut self, slot: u32, stamp: Millis, core: &mut Core) {
        let Self {
            slots, work, ahead, ..
        } = self;
        let known = &mut slots[slot as usize];
        if known.wakes != stamp {
            return;
        }
        known.wakes = Millis::MAX;
        known.agent.ahead(work, &mut core.names, ahead);
        let made = std::mem::replace(&mut known.made, core.stream);
        core.make_due(&ahead.posts, made);
        core.sleep(
            Sleeper::Agent(slot),
            ahead.next_after(core.stream),
            &mut known.wakes,
        );
    }

    /// Drops what is remembered of an agent of whom nothing was heard for long. As of the deadline, not
    /// of stream time: his deadlines up to it were executed, those after it were not yet.
    pub(super) fn forget(&mut self, slot: u32, stamp: Millis, core: &mut Core) {
        let Self { slots, work, .. } = self;
        let known = &mut slots[slot as usize];
        if known.forgets != stamp {
            return;
        }
        known.forgets = Millis::MAX;
        let mut forgets = known.agent.forgets(core.names.settings());
        if forgets <= stamp {
            known.agent.forget(stamp, work, &mut core.names);
            forgets = known.agent.forgets(core.names.settings());
        }
        core.sleep(Sleeper::Memory(slot), forgets, &mut known.forgets);
    }

    /// Agents of whom something is to be forgotten, and when.
    pub(super) fn forgets(&self) -> impl Iterator<Item = (u32, Millis)> + '_ {
        let forgets = self.slots.iter().map(|slot| slot.forgets);
        (0..)
            .zip(forgets)
            .filter(|(_, forgets)| *forgets < Millis::MAX)
    }

    /// Begins another view: nobody was in it yet.
    pub(super) fn begin_view(&mut self) {
        self.view += 1;
    }

    /// Appends what is due of an agent by `now`, once a view however often it is asked.
    pub(super) fn due(&mut self, slot: u32, now: Millis, names: &mut Names, out: &mut Vec<Post>) {
        let Self {
            slots,
            work,
            ahead,
            view,
            ..
        } = self;
        let known = &mut slots[slot as usize];
        if known.wakes > now || std::mem::replace(&mut known.viewed, *view) == *view {
            return;
        }
        known.agent.ahead(work, names, ahead);
        let due = |post: &&Post| post.stamp > known.made && post.stamp <= now;
        out.extend(ahead.posts.iter().filter(due));
    }

    /// Tells every agent who is online or busy at an instant, and his id.
    pub(super) fn each(&mut self, at: Millis, names: &mut Names, tell: &mut TellAgent<'_>) {
        let Self {
            slots, work, sight, ..
        } = self;
        for slot in slots {
            if let Some(seen) = slot.agent.seen(at, sight, work, names) {
                tell(slot.id.as_ref(), &seen, names);
            }
        }
    }

    /// By agent: facts held, and contacts of facts that are gone.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.slots.iter().map(|slot| slot.agent.remembered())
    }

    pub(super) fn known(&self) -> usize {
        self.slots.len()
    }
}
