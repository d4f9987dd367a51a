//! Which instant of which instances is the whole centre. Pure.
//!
//! 1. A beat counts when the reader has all of its rows (its check is right).
//! 2. A beat with a partition that somebody else has taken since does not count: its sender has lost
//!    the partition and may not know yet. Its other partitions cannot be told apart from that one.
//! 3. The latest instant is shown at which the beats that count share out every partition of both
//!    topics, none twice.
//! 4. If there is none later than the one shown, the one shown stands, and its age grows.
//!
//! Who took a partition later is told by the wall clock of whoever took it. Owners follow each other
//! after a session timeout, or after the one before has let go; so clocks may differ by less than
//! that, which equal seconds ask of them anyway.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Family, Millis};

use super::Beat;

/// What is known of one instance.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Its latest beat, whether or not its rows are there.
    pub latest: &'a Beat,
    /// The beats that count by rule 1.
    pub complete: Vec<&'a Beat>,
}

/// What the rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This instant, of these instances (places in the list).
    Agreed {
        /// The instant.
        to: Millis,
        /// Whose.
        members: Vec<usize>,
    },
    /// No instant later than the one shown is whole. These partitions have no owner whose beat counts
    /// at the latest instant of all.
    Missing(Vec<(Family, i32)>),
}

/// The instant to show after `shown`.
pub fn agree(standings: &[Standing<'_>], shown: Millis) -> Outcome {
    let mut taken: BTreeMap<(Family, i32), Millis> = BTreeMap::new();
    for claim in standings
        .iter()
        .flat_map(|standing| &standing.latest.claims)
    {
        let latest = taken
            .entry((claim.family, claim.partition))
            .or_insert(claim.since);
        *latest = claim.since.max(*latest);
    }
    let counts = |beat: &Beat| {
        beat.claims.iter().all(|claim| {
            let latest = taken.get(&(claim.family, claim.partition));
            latest.is_none_or(|latest| *latest <= claim.since)
        })
    };
    let complete = standings.iter().flat_map(|standing| &standing.complete);
    let instants: BTreeSet<Millis> = complete
        .map(|beat| beat.to)
        .filter(|to| *to > shown)
        .collect();
    for &to in instants.iter().rev() {
        let all = (0..).zip(standings).flat_map(|(place, standing)| {
            let beats = standing.complete.iter();
            beats.map(move |beat| (place, *beat))
        });
        let beats: Vec<(usize, &Beat)> = all
            .filter(|(_, beat)| beat.to == to && counts(beat))
            .collect();
        if shared_out(&beats).is_some_and(|missing| missing.is_empty()) {
            let members = beats.into_iter().map(|(place, _)| place).collect();
            return Outcome::Agreed { to, members };
        }
    }
    Outcome::Missing(missing_at_last(standings, counts))
}

/// The partitions that none of the beats has; none if one has two owners.
fn shared_out(beats: &[(usize, &Beat)]) -> Option<Vec<(Family, i32)>> {
    let mut owned = BTreeSet::new();
    for claim in beats.iter().flat_map(|(_, beat)| &beat.claims) {
        if !owned.insert((claim.family, claim.partition)) {
            return None;
        }
    }
    let all = |topic: usize| {
        let counts = beats.iter().map(|(_, beat)| beat.partitions[topic]);
        // a topic without partitions is one that nobody knows yet
        let count = counts.max().unwrap_or(1).max(1);
        0..i32::try_from(count).unwrap_or(i32::MAX)
    };
    let topics = [(Family::Contact, all(0)), (Family::Agent, all(1))];
    let wanted = topics
        .into_iter()
        .flat_map(|(family, all)| all.map(move |partition| (family, partition)));
    Some(wanted.filter(|one| !owned.contains(one)).collect())
}

/// What is missing at the latest instant that anybody has published.
fn missing_at_last(
    standings: &[Standing<'_>],
    counts: impl Fn(&Beat) -> bool,
) -> Vec<(Family, i32)> {
    let last = standings.iter().map(|standing| standing.latest.to).max();
    let beats: Vec<(usize, &Beat)> = (0..)
        .zip(standings)
        .map(|(place, standing)| (place, standing.latest))
        .filter(|(_, beat)| Some(beat.to) == last && counts(beat))
        .collect();
    shared_out(&beats).unwrap_or_default()
}
