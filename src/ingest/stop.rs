//! Tells the reading threads to stop, and wakes those that wait.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A flag that is raised once and can be waited for.
#[derive(Debug, Default)]
pub struct Stop {
    raised: AtomicBool,
    /// Held while the flag is raised, so that no one who is about to wait misses it.
    gate: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    /// Tells everyone to stop.
    pub fn raise(&self) {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.raised.store(true, SeqCst);
        drop(gate);
        self.changed.notify_all();
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.raised.load(SeqCst)
    }

    /// Waits until it is raised, at most this long; whether it is.
    pub fn wait(&self, at_most: Duration) -> bool {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |(): &mut ()| !self.is_raised();
        let waited = self.changed.wait_timeout_while(gate, at_most, waiting);
        drop(waited);
        self.is_raised()
    }
}
