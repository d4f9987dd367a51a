//! What one worker owns: partitions, and the tables that add them up.
//!
//! One thread has it. Whoever feeds it (the Kafka worker, a replay) applies events and asks for
//! views; nothing here reads a clock or waits.

use std::sync::Arc;

use crate::engine::columns::contact;
use crate::engine::partition::Partition;
use crate::engine::settings::StateSettings;
use crate::event::{Discard, Event, Millis};
use crate::live::QueueKey;
use crate::windows::agents::{Lister, ServedSets};
use crate::windows::frame::{Frame, WindowSpec};
use crate::windows::history::{Columns, stretches};
use crate::windows::numbering::Numbering;
use crate::windows::tables::Tables;
use crate::windows::view::{Instant, PartitionView};

/// One worker's partitions and tables.
#[derive(Debug)]
pub struct Shard {
    tables: Tables,
    held: Vec<Held>,
    /// What lists agents in its frames, if anything does.
    lister: Option<Lister>,
    /// The tables are not those of the partitions held: some came or went with a state.
    stale: bool,
}

/// A partition, with what a view needs beside its state.
#[derive(Debug)]
struct Held {
    number: u32,
    partition: Partition,
    at: Instant,
    served: ServedSets,
}

impl Held {
    fn look(&mut self, now: Millis) {
        self.at.read(&mut self.partition, now);
    }

    fn view(&self) -> PartitionView<'_> {
        PartitionView::of(self.number, &self.partition, &self.at)
    }
}

impl Shard {
    /// Without partitions.
    pub fn new(
        numbering: Arc<dyn Numbering>,
        settings: &StateSettings,
        windows: &[WindowSpec],
    ) -> Self {
        Self {
            lister: settings
                .list_agents
                .then(|| Lister::new(Arc::clone(&numbering))),
            tables: Tables::new(numbering, settings, windows),
            held: Vec::new(),
            stale: false,
        }
    }

    /// Its frames are to tell what other machines need to know.
    #[must_use]
    pub fn with_rates(self) -> Self {
        Self {
            tables: self.tables.with_rates(),
            ..self
        }
    }

    /// Takes an empty partition under a number that no other has.
    pub fn take(&mut self, number: u32, settings: Arc<StateSettings>) {
        self.hold(number, Partition::new(settings));
    }

    /// Takes a partition with its state. Its figures are there with the next view.
    pub fn restore(&mut self, number: u32, partition: Partition) {
        self.hold(number, partition);
        self.stale = true;
    }

    fn hold(&mut self, number: u32, partition: Partition) {
        self.held.push(Held {
            number,
            partition,
            at: Instant::default(),
            served: ServedSets::default(),
        });
    }

    /// Gives a partition away: its figures are gone with the next view.
    pub fn lose(&mut self, number: u32) {
        let Some(place) = self.held.iter().position(|held| held.number == number) else {
            return;
        };
        let leaving = self.held.remove(place);
        self.stale = self.stale || !self.tables.lose(&leaving.view());
    }

    /// Builds the tables anew, once for all partitions that came and went.
    fn refresh(&mut self) {
        if std::mem::take(&mut self.stale) {
            let views: Vec<PartitionView<'_>> = self.held.iter().map(Held::view).collect();
            self.tables.rebuild(&views);
        }
    }

    /// The partition of a number.
    pub fn partition(&self, number: u32) -> Option<&Partition> {
        self.partitions()
            .find_map(|(known, partition)| (known == number).then_some(partition))
    }

    /// Every partition with its number.
    pub fn partitions(&self) -> impl Iterator<Item = (u32, &Partition)> {
        self.held.iter().map(|held| (held.number, &held.partition))
    }

    /// Applies an event to a partition and takes what it posts into the tables. An event for a
    /// partition that is not held changes nothing.
    ///
    /// # Errors
    /// The reason why it changed no figure.
    pub fn apply(&mut self, number: u32, event: &Event<'_>) -> Result<(), Discard> {
        let Self {
            tables,
            held,
            stale,
            ..
        } = self;
        let Some(held) = held.iter_mut().find(|held| held.number == number) else {
            return Ok(());
        };
        let result = held.partition.apply(event);
        let posts = held.partition.ledger().outbox();
        // Stale tables are built from the partitions anyway, these posts included.
        if !*stale {
            tables.absorb(number, held.partition.names(), posts);
        }
        held.partition.clear_outbox();
        result
    }

    /// Writes the figures of an instant: *now* figures at `now`, windows up to `to`.
    pub fn view(&mut self, now: Millis, to: Millis, frame: &mut Frame) {
        self.held.iter_mut().for_each(|held| held.look(now));
        self.refresh();
        let views: Vec<PartitionView<'_>> = self.held.iter().map(Held::view).collect();
        self.tables.view(now, to, &views, frame);
        self.list_agents(now, frame);
    }

    /// Contact columns of a queue between neighbouring edges, deadlines due at the latest view
    /// included.
    pub fn history(&self, queue: &QueueKey, edges: &[Millis]) -> Vec<Columns> {
        let mut sum = vec![[0; contact::WIDTH]; edges.len().saturating_sub(1)];
        let key = (&*queue.client, &*queue.queue, &*queue.channel);
        for held in &self.held {
            let (log, names) = (held.partition.ledger().log(), held.partition.names());
            let rows = stretches(log, names, &held.at.due, key, edges);
            for (total, row) in sum.iter_mut().zip(rows) {
                for (cell, amount) in total.iter_mut().zip(row) {
                    *cell += amount;
                }
            }
        }
        sum
    }

    /// Writes the *now* figures alone; windows stand still.
    pub fn view_now(&mut self, now: Millis, frame: &mut Frame) {
        self.held.iter_mut().for_each(|held| held.look(now));
        self.refresh();
        let views: Vec<PartitionView<'_>> = self.held.iter().map(Held::view).collect();
        self.tables.view_now(now, &views, frame);
        self.list_agents(now, frame);
    }

    fn list_agents(&mut self, now: Millis, frame: &mut Frame) {
        frame.agents.clear();
        if let Some(lister) = &self.lister {
            for held in &mut self.held {
                let agents = &mut frame.agents;
                lister.list(&mut held.partition, &mut held.served, now, agents);
            }
        }
    }
}
