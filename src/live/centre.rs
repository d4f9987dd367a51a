//! The whole centre, as the instances' rows make it, and who exports which of its rows.
//!
//! Written by the thread that reads the rows, read by everyone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use arc_swap::{ArcSwap, ArcSwapOption};
use rapidhash::v3::rapidhash_v3;

use crate::event::Millis;
use crate::windows::frame::Frame;

use super::RowName;

/// The whole centre at one instant.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// The instant: a whole second.
    pub to: Millis,
    /// A frame for each instance.
    pub frames: Vec<Arc<Frame>>,
    /// Up to when every partition is known to be whole.
    pub known_to: Option<Millis>,
    /// Since when contacts and agents have been read, in all partitions.
    pub since: [Millis; 2],
    /// By contact partition: whether it was this instance's.
    pub own: Vec<bool>,
}

/// An instance of the group, as its beats tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceSeen {
    /// Its name.
    pub instance: String,
    /// The instant of its newest beat.
    pub beat: Millis,
    /// Its rows.
    pub rows: usize,
}

/// What is known of the group's instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// Those heard of lately.
    pub seen: Vec<InstanceSeen>,
    /// Partitions that nobody's figures are of.
    pub missing: Vec<String>,
}

/// The whole centre, as far as it is known.
#[derive(Debug, Default)]
pub struct Centre {
    whole: ArcSwapOption<Whole>,
    instances: ArcSwap<Instances>,
    polled: AtomicI64,
}

impl Centre {
    /// There is a new whole.
    pub fn show(&self, whole: Whole) {
        self.whole.store(Some(Arc::new(whole)));
    }

    /// The latest whole.
    pub fn whole(&self) -> Option<Arc<Whole>> {
        self.whole.load_full()
    }

    /// What is known of the instances.
    pub fn tell(&self, seen: Vec<InstanceSeen>, missing: Vec<String>) {
        self.instances.store(Arc::new(Instances { seen, missing }));
    }

    /// What is known of the instances.
    pub fn instances(&self) -> Arc<Instances> {
        self.instances.load_full()
    }

    /// The reader has gone round.
    pub fn polled(&self, now: Millis) {
        self.polled.store(now.0, Relaxed);
    }

    /// When the reader last went round, if it ever did.
    pub fn last_poll(&self) -> Option<Millis> {
        let polled = self.polled.load(Relaxed);
        (polled > 0).then_some(Millis(polled))
    }
}

/// Which rows a process exports to Prometheus: each row is exported by one, the owner of a contact
/// partition that the row's name chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// All.
    All,
    /// Those of the partitions that are `true`.
    Of(Vec<bool>),
}

impl Share {
    /// Whether a row is this process's to export.
    pub fn has(&self, row: &RowName) -> bool {
        match self {
            Self::All => true,
            Self::Of(own) => {
                let partitions = own.len() as u64;
                let Some(place) = hash(row).checked_rem(partitions) else {
                    return false;
                };
                usize::try_from(place).is_ok_and(|place| own.get(place) == Some(&true))
            }
        }
    }
}

/// The same on every machine.
fn hash(row: &RowName) -> u64 {
    let text = match row {
        RowName::Queue(key) => [&*key.client, &key.queue, &key.channel].join("\0"),
        RowName::Client(name) | RowName::Group(name) | RowName::Channel(name) => name.clone(),
        RowName::Total => String::new(),
    };
    rapidhash_v3(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::QueueKey;

    #[test]
    fn each_row_is_exported_by_exactly_one_instance() {
        let owned = [[true, false, false, true], [false, true, true, false]];
        let shares = owned.map(|own| Share::Of(own.into()));
        let mut counts = [0, 0];
        for number in 0..100 {
            let row = RowName::Queue(QueueKey::new("acme", &number.to_string(), "voice"));
            let by: Vec<usize> = (0..2).filter(|at| shares[*at].has(&row)).collect();
            assert_eq!(by.len(), 1);
            counts[by[0]] += 1;
        }
        assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
        assert!(!Share::Of(Vec::new()).has(&RowName::Total));
        assert!(Share::All.has(&RowName::Total));
    }
}
