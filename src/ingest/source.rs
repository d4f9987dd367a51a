//! What is read: partitions of the two topics whose events are counted.

use std::fmt;

use crate::event::Family;

/// A topic whose events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The life of each contact.
    Contact,
    /// What agents declare, and the agents' side of each contact.
    Agent,
}

impl Topic {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Contact, Self::Agent];

    /// What it carries.
    pub const fn family(self) -> Family {
        match self {
            Self::Contact => Family::Contact,
            Self::Agent => Family::Agent,
        }
    }
}

/// One partition of one of the two topics. Its events are one log, and one state stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The topic.
    pub topic: Topic,
    /// The partition's number in Kafka, from 0.
    pub partition: i32,
}

impl Source {
    /// The worker, of so many, that owns the partition: partitions of one topic lie evenly, and the
    /// two topics begin at different workers.
    pub fn worker(self, workers: usize) -> usize {
        let first = match self.topic {
            Topic::Contact => 0,
            Topic::Agent => 1,
        };
        let partition = usize::try_from(self.partition).unwrap_or(0);
        (partition + first) % workers.max(1)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = match self.topic {
            Topic::Contact => "contact",
            Topic::Agent => "agent",
        };
        write!(f, "{topic}/{}", self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, Topic};

    #[test]
    fn partitions_lie_evenly_over_the_workers() {
        for workers in [1, 2, 4] {
            let mut owned = vec![0; workers];
            for topic in Topic::ALL {
                for partition in 0..8 {
                    owned[Source { topic, partition }.worker(workers)] += 1;
                }
            }
            assert!(owned.iter().all(|&count| count == 16 / workers));
        }
    }
}
