//! What to do when the group gives or takes partitions, and when a partition has caught up.
//!
//! A pure state machine: events in, steps out. The poll thread carries the steps out and decides
//! nothing itself.
//!
//! | state | given | read up to the end | taken (revoked or lost) |
//! |---|---|---|---|
//! | not owned | take; catching up, or live at once if there is nothing to read | - | - |
//! | catching up | begin anew: drop, take | caught up; live | drop; not owned |
//! | live | begin anew: drop, take | - | drop; not owned |
//!
//! Revoked and lost are the same as long as there are no snapshots to write: state is dropped, and
//! whoever owns the partition next reads the log.

use std::collections::BTreeMap;

use super::source::Source;
use super::start::Start;

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its worker begins an empty state.
    Take(Source, Start),
    /// Its worker forgets the state.
    Drop(Source),
    /// Everything up to the end as it was at assignment has been read.
    CaughtUp(Source),
}

/// How a partition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Until the next offset to read is this one.
    CatchingUp { end: i64 },
    /// Follows the log.
    Live,
}

/// How this member's share of the group's partitions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Nothing is assigned.
    Nothing,
    /// Every partition that there is.
    Everything,
    /// Only some: there is another member.
    Some {
        /// Assigned here.
        owned: usize,
        /// All there are.
        of: usize,
    },
}

/// The partitions that are assigned to this process.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    owned: BTreeMap<Source, Phase>,
}

impl Assignment {
    /// Partitions were given, with the place to begin each. Under the eager protocol
    /// (`replaces_all`) the list is the whole assignment, else it adds to it.
    pub fn given(&mut self, starts: &[(Source, Start)], replaces_all: bool) -> Vec<Step> {
        let stays = |source: &Source| starts.iter().any(|(given, _)| given == source);
        let gone: Vec<Source> = self
            .owned
            .keys()
            .copied()
            .filter(|source| stays(source) || replaces_all)
            .collect();
        let mut steps = self.taken(&gone);
        for &(source, start) in starts {
            steps.push(Step::Take(source, start));
            let end = start.end;
            self.owned.insert(source, Phase::CatchingUp { end });
            steps.extend(self.read_to(source, start.offset));
        }
        steps
    }

    /// Partitions were revoked, or lost.
    pub fn taken(&mut self, sources: &[Source]) -> Vec<Step> {
        sources
            .iter()
            .filter(|source| self.owned.remove(source).is_some())
            .map(|&source| Step::Drop(source))
            .collect()
    }

    /// Everything of a partition before offset `next` has been read.
    pub fn read_to(&mut self, source: Source, next: i64) -> Option<Step> {
        let phase = self.owned.get_mut(&source)?;
        match *phase {
            Phase::CatchingUp { end } if next >= end => {
                *phase = Phase::Live;
                Some(Step::CaughtUp(source))
            }
            Phase::CatchingUp { .. } | Phase::Live => None,
        }
    }

    /// Whether a partition is assigned here.
    pub fn owns(&self, source: Source) -> bool {
        self.owned.contains_key(&source)
    }

    /// The partitions assigned here, in order.
    pub fn sources(&self) -> impl Iterator<Item = Source> + '_ {
        self.owned.keys().copied()
    }

    /// Whether a partition still catches up.
    pub fn catching_up(&self) -> bool {
        let behind = |phase: &Phase| matches!(phase, Phase::CatchingUp { .. });
        self.owned.values().any(behind)
    }

    /// How much of `all` partitions is assigned here.
    pub fn share(&self, all: usize) -> Share {
        match self.owned.len() {
            0 => Share::Nothing,
            owned if owned < all => Share::Some { owned, of: all },
            _ => Share::Everything,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Topic;
    use super::super::start::Reach;
    use super::*;

    const A: Source = Source {
        topic: Topic::Contact,
        partition: 0,
    };
    const B: Source = Source {
        topic: Topic::Agent,
        partition: 0,
    };

    fn start(offset: i64, end: i64) -> Start {
        let reach = Reach::Everything;
        Start { offset, end, reach }
    }

    enum Event {
        Given(Vec<(Source, Start)>),
        Added(Vec<(Source, Start)>),
        Taken(Vec<Source>),
        Read(Source, i64),
    }

    fn run(events: Vec<Event>) -> (Assignment, Vec<Step>) {
        let mut assignment = Assignment::default();
        let mut steps = Vec::new();
        for event in events {
            match event {
                Event::Given(starts) => steps.extend(assignment.given(&starts, true)),
                Event::Added(starts) => steps.extend(assignment.given(&starts, false)),
                Event::Taken(sources) => steps.extend(assignment.taken(&sources)),
                Event::Read(source, next) => steps.extend(assignment.read_to(source, next)),
            }
        }
        (assignment, steps)
    }

    #[test]
    fn each_row_of_the_table() {
        use Event::{Added, Given, Read, Taken};
        use Step::{CaughtUp, Drop, Take};
        let (behind, empty) = (start(3, 10), start(10, 10));
        // Events, the steps they lead to, and whether a partition still catches up.
        let table = [
            (vec![Given(vec![(A, behind)])], vec![Take(A, behind)], true),
            (
                vec![Given(vec![(A, empty)])],
                vec![Take(A, empty), CaughtUp(A)],
                false,
            ),
            (
                vec![
                    Given(vec![(A, behind)]),
                    Read(A, 9),
                    Read(A, 10),
                    Read(A, 11),
                ],
                vec![Take(A, behind), CaughtUp(A)],
                false,
            ),
            (
                vec![Given(vec![(A, behind)]), Added(vec![(B, empty)])],
                vec![Take(A, behind), Take(B, empty), CaughtUp(B)],
                true,
            ),
            (
                vec![
                    Given(vec![(A, empty), (B, empty)]),
                    Given(vec![(A, behind)]),
                ],
                vec![
                    Take(A, empty),
                    CaughtUp(A),
                    Take(B, empty),
                    CaughtUp(B),
                    Drop(A),
                    Drop(B),
                    Take(A, behind),
                ],
                true,
            ),
            (
                vec![Given(vec![(A, behind)]), Taken(vec![A, B]), Read(A, 10)],
                vec![Take(A, behind), Drop(A)],
                false,
            ),
            (vec![Taken(vec![A]), Read(A, 10)], vec![], false),
            (vec![Given(vec![])], vec![], false),
        ];
        for (events, expected, catching_up) in table {
            let (assignment, steps) = run(events);
            assert_eq!(steps, expected);
            assert_eq!(assignment.catching_up(), catching_up);
        }
    }

    #[test]
    fn a_part_of_the_partitions_means_another_member() {
        let (assignment, _) = run(vec![Event::Given(vec![(A, start(0, 0)), (B, start(0, 0))])]);
        assert_eq!(assignment.share(2), Share::Everything);
        assert_eq!(assignment.share(8), Share::Some { owned: 2, of: 8 });
        assert_eq!(Assignment::default().share(8), Share::Nothing);
        assert!(assignment.owns(A));
        assert_eq!(assignment.sources().collect::<Vec<_>>(), [A, B]);
    }
}
