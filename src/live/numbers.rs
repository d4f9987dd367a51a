//! Dense numbers for keys, given by any thread and read by any thread.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

/// Keys and their numbers. A number never changes and never ends.
#[derive(Debug)]
pub(super) struct Numbers<K: Eq + Hash, V> {
    by_key: DashMap<K, u32>,
    by_number: DashMap<u32, Arc<V>>,
    /// The next number. Written under the key's shard lock, after the value is in place: a reader
    /// that meets a number of which the value is not there yet leaves it out until its next look.
    next: AtomicU32,
}

impl<K: Eq + Hash, V> Default for Numbers<K, V> {
    fn default() -> Self {
        Self {
            by_key: DashMap::new(),
            by_number: DashMap::new(),
            next: AtomicU32::new(0),
        }
    }
}

impl<K: Eq + Hash + Clone, V> Numbers<K, V> {
    /// The number of a key, new with the value that `make` builds if it was never seen.
    pub(super) fn number(&self, key: &K, make: impl FnOnce(u32) -> V) -> u32 {
        if let Some(number) = self.find(key) {
            return number;
        }
        match self.by_key.entry(key.clone()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                self.by_number.insert(number, Arc::new(make(number)));
                vacant.insert(number);
                number
            }
        }
    }

    /// The number of a key, if it has one.
    pub(super) fn find(&self, key: &K) -> Option<u32> {
        self.by_key.get(key).map(|number| *number)
    }

    /// The value of a number.
    pub(super) fn value(&self, number: u32) -> Option<Arc<V>> {
        self.by_number.get(&number).map(|value| Arc::clone(&value))
    }

    /// How many numbers were given.
    pub(super) fn len(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// Every value in order of its number.
    pub(super) fn all(&self) -> impl Iterator<Item = Arc<V>> + '_ {
        (0..self.len()).filter_map(|number| self.value(number))
    }
}
