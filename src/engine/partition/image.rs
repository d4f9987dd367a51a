//! A partition's state in a snapshot.
//!
//! Left out: the outbox, scratch memory, what views have marked, and what follows from the rest:
//! maps from key to slot, and the deadlines, of which every sleeper knows his own; those that are
//! out of date wake nobody. Slots keep their numbers, for of two deadlines of one instant the lower
//! slot goes first; and so do free ones, for the one that was freed last is used first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agents::AgentsImage;
use super::contacts::ContactsImage;
use super::{Agents, Contacts, Core, Partition};
use crate::engine::deadlines::Deadlines;
use crate::engine::ids::IdHasher;
use crate::engine::image::{Bounds, Fault, count, stamp, stamp_or_none};
use crate::engine::ledger::{Ledger, LedgerImage};
use crate::engine::names::{Names, NamesImage};
use crate::engine::settings::StateSettings;
use crate::event::{Correction, Millis};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartitionImage<'a> {
    stream: Millis,
    earliest: Millis,
    irregular: [u64; Correction::ALL.len()],
    names: NamesImage<'a>,
    ledger: LedgerImage<'a>,
    contacts: ContactsImage<'a>,
    agents: AgentsImage<'a>,
}

impl Partition {
    /// What is written to a snapshot.
    pub(crate) fn image(&self) -> PartitionImage<'_> {
        PartitionImage {
            stream: self.core.stream,
            earliest: self.earliest,
            irregular: self.core.irregular,
            names: self.core.names.image(),
            ledger: self.core.ledger.image(),
            contacts: self.contacts.image(),
            agents: self.agents.image(),
        }
    }

    /// The partition of an image that was written with the same settings.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub(crate) fn restore(
        image: PartitionImage<'_>,
        settings: Arc<StateSettings>,
    ) -> Result<Self, Fault> {
        let stream = image.stream;
        if stream != Millis::MIN {
            stamp(stream)?;
        }
        stamp_or_none(image.earliest)?;
        image.irregular.iter().try_for_each(|&times| count(times))?;
        let ids = IdHasher::new(settings.id_key);
        let names = Names::restore(&image.names, settings)?;
        let bounds = Bounds::of(&names).until(stream);
        let ledger = Ledger::restore(image.ledger, stream, &names, &bounds)?;
        let contacts = Contacts::restore(image.contacts, &bounds)?;
        let agents = Agents::restore(image.agents, &bounds, names.settings())?;
        let mut partition = Self {
            core: Core {
                names,
                ids,
                ledger,
                deadlines: Deadlines::default(),
                stream,
                irregular: image.irregular,
            },
            contacts,
            agents,
            earliest: image.earliest,
        };
        partition.set_deadlines();
        Ok(partition)
    }
}
