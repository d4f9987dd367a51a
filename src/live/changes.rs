//! Which rows have changed *now* since the windows moved, for whoever is told changes alone.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::event::Millis;

use super::{Merged, Row, RowName};

/// The rows whose *now* figures differed between any two ticks since the windows moved. So it does not
/// matter which of these ticks somebody was told first; and a row that is again as it was is told too.
#[derive(Debug, Default)]
pub struct ChangedRows {
    /// Counts how often the windows moved, forth or back.
    epoch: u64,
    to: Option<Millis>,
    tick: u64,
    /// What each row was at the latest tick, hashed.
    now: HashMap<Arc<RowName>, u64>,
    changed: HashSet<Arc<RowName>>,
    hasher: RandomState,
}

impl ChangedRows {
    /// Takes a tick that somebody is told. Returns the epoch: changes of another one mean nothing to whoever
    /// is told this tick.
    pub fn note(&mut self, merged: &Merged) -> u64 {
        let moved = self.to != Some(merged.to);
        if moved {
            self.epoch += 1;
            self.to = Some(merged.to);
            self.now.clear();
            self.changed.clear();
        } else if self.tick == merged.tick {
            return self.epoch;
        }
        self.tick = merged.tick;
        let lists = [
            &merged.queues,
            &merged.clients,
            &merged.groups,
            &merged.channels,
        ];
        for row in lists.into_iter().flatten() {
            let now = self.hasher.hash_one((&row.contacts, &row.agents));
            let before = self.now.insert(Arc::clone(&row.name), now);
            if !moved && before != Some(now) {
                self.changed.insert(Arc::clone(&row.name));
            }
        }
        self.epoch
    }

    /// Whether a row is told: it has changed, or somebody waits, and longer than before.
    pub(super) fn has(&self, row: &Row) -> bool {
        row.contacts.oldest.is_some() || self.changed.contains(&row.name)
    }
}
