//! What became of records: one counter for each reason, so that none vanishes. Added to once a
//! batch, read by the engine's own metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::event::Discard;

/// Counters since the process began.
#[derive(Debug)]
pub struct Counts {
    applied: AtomicU64,
    discarded: [AtomicU64; Discard::ALL.len()],
    bad_settings: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            applied: AtomicU64::new(0),
            discarded: std::array::from_fn(|_| AtomicU64::new(0)),
            bad_settings: AtomicU64::new(0),
        }
    }
}

/// Counts of one batch, kept apart from the shared ones while it is worked on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    applied: u64,
    discarded: [u64; Discard::ALL.len()],
}

impl Tally {
    /// A record was applied, or was not for this reason.
    pub fn note(&mut self, result: Result<(), Discard>) {
        match result {
            Ok(()) => self.applied += 1,
            Err(reason) => self.discarded[index(reason)] += 1,
        }
    }
}

impl Counts {
    /// Adds a batch's counts.
    pub fn add(&self, tally: &Tally) {
        self.applied.fetch_add(tally.applied, Relaxed);
        for (counter, &count) in self.discarded.iter().zip(&tally.discarded) {
            if count > 0 {
                counter.fetch_add(count, Relaxed);
            }
        }
    }

    /// A setting of a queue event was refused.
    pub fn bad_setting(&self) {
        self.bad_settings.fetch_add(1, Relaxed);
    }

    /// Records that changed the state.
    pub fn applied(&self) -> u64 {
        self.applied.load(Relaxed)
    }

    /// Records that changed no figure, by reason.
    pub fn discarded(&self, reason: Discard) -> u64 {
        self.discarded[index(reason)].load(Relaxed)
    }

    /// Settings of queue events that were refused.
    pub fn bad_settings(&self) -> u64 {
        self.bad_settings.load(Relaxed)
    }
}

fn index(reason: Discard) -> usize {
    let at = Discard::ALL.iter().position(|&other| other == reason);
    at.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_counted_once() {
        let counts = Counts::default();
        let mut tally = Tally::default();
        tally.note(Ok(()));
        for reason in Discard::ALL {
            tally.note(Err(reason));
        }
        tally.note(Err(Discard::Duplicate));
        counts.add(&tally);
        assert_eq!(counts.applied(), 1);
        for reason in Discard::ALL {
            let expected = 1 + u64::from(reason == Discard::Duplicate);
            assert_eq!(counts.discarded(reason), expected);
        }
    }
}
