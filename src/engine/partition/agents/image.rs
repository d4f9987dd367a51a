//! The agents of a partition in a snapshot, in order of their numbers.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Agents, Slot};
use crate::engine::agent::Agent;
use crate::engine::image::{Bounds, Fault, hold, stamp_or_none};
use crate::engine::settings::StateSettings;
use crate::event::Millis;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::engine::partition) struct AgentsImage<'a>(Vec<SlotImage<'a>>);

#[derive(Debug, Serialize, Deserialize)]
struct SlotImage<'a> {
    agent: Cow<'a, Agent>,
    key: u64,
    made: Millis,
    wakes: Millis,
    id: Option<Cow<'a, str>>,
}

impl Agents {
    pub(in crate::engine::partition) fn image(&self) -> AgentsImage<'_> {
        let slots = self.slots.iter().map(|slot| SlotImage {
            agent: Cow::Borrowed(&slot.agent),
            key: slot.key,
            made: slot.made,
            wakes: slot.wakes,
            id: slot.id.as_deref().map(Cow::Borrowed),
        });
        AgentsImage(slots.collect())
    }

    /// Ids are taken up only where agents are listed.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub(in crate::engine::partition) fn restore(
        image: AgentsImage<'_>,
        bounds: &Bounds,
        settings: &StateSettings,
    ) -> Result<Self, Fault> {
        let mut agents = Self::default();
        for (number, slot) in (0..).zip(image.0) {
            slot.agent.check(bounds)?;
            stamp_or_none(slot.made)?;
            stamp_or_none(slot.wakes)?;
            let known = agents.by_key.insert(slot.key, number);
            hold(known.is_none(), "an agent twice")?;
            let forgets = slot.agent.forgets(settings);
            agents.slots.push(Slot {
                agent: slot.agent.into_owned(),
                key: slot.key,
                made: slot.made,
                wakes: slot.wakes,
                forgets,
                viewed: 0,
                id: slot.id.filter(|_| settings.list_agents).map(Arc::from),
            });
        }
        Ok(agents)
    }

    /// Agents with a deadline, and when it is.
    pub(in crate::engine::partition) fn wakes(&self) -> impl Iterator<Item = (u32, Millis)> + '_ {
        let wakes = self.slots.iter().map(|slot| slot.wakes);
        (0..).zip(wakes).filter(|(_, wakes)| *wakes < Millis::MAX)
    }
}
