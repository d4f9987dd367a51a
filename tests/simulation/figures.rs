//! What a log comes to, whatever order it was read in: every post netted, with names for numbers.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use queuepulse::engine::facts::{Fact, Post};
use queuepulse::engine::names::{Names, RowNo, SetNo};
use rapidhash::v3::rapidhash_v3;

/// Netted posts by stamp and what they say.
#[derive(Clone, Debug, Default)]
pub struct Figures(HashMap<(i64, u64), i64>);

impl Figures {
    pub fn add(&mut self, post: &Post, names: &Names) {
        let count = self
            .0
            .entry((post.stamp.0, key(post.fact, names)))
            .or_default();
        *count += i64::from(post.sign);
    }

    /// How many figures are not those of another log.
    pub fn differing(&self, other: &Self) -> usize {
        let missing = |one: &Self, other: &Self| {
            let of = |key: &(i64, u64)| other.0.get(key).copied().unwrap_or(0);
            one.0
                .iter()
                .filter(|(key, count)| **count != of(key))
                .count()
        };
        missing(self, other) + missing(other, self)
    }
}

/// A number for what a post says that does not depend on the numbers of a partition.
fn key(fact: Fact, names: &Names) -> u64 {
    let mut hasher = Said(Vec::new());
    std::mem::discriminant(&fact).hash(&mut hasher);
    match fact {
        Fact::Count(row, count) => {
            put_row(&mut hasher, row, names);
            hasher.0.extend_from_slice(format!("{count:?}").as_bytes());
        }
        Fact::State(row, state) => {
            put_row(&mut hasher, row, names);
            hasher.0.extend_from_slice(format!("{state:?}").as_bytes());
        }
        Fact::WaitingPast(row, rung) | Fact::PassCounted(row, rung) => {
            put_row(&mut hasher, row, names);
            hasher.0.push(rung);
        }
        Fact::Work(row, state) => {
            put_row(&mut hasher, row, names);
            state.hash(&mut hasher);
        }
        Fact::Staff(set, profile) => {
            put_set(&mut hasher, set, names);
            let mut profile = *names.profile_info(profile);
            if let Some(reason) = profile.reason.take() {
                hasher
                    .0
                    .extend_from_slice(names.reasons.text(reason.0).as_bytes());
            }
            profile.hash(&mut hasher);
        }
        Fact::Here { serves, here } => {
            put_set(&mut hasher, serves, names);
            put_set(&mut hasher, here, names);
        }
    }
    hasher.finish()
}

fn put_row(said: &mut Said, row: RowNo, names: &Names) {
    let info = names.row_info(row);
    let queue = info.queue.map_or("-", |queue| names.queues.text(queue.0));
    for text in [
        names.clients.text(info.client.0),
        queue,
        names.channels.text(info.channel.0),
    ] {
        said.0.extend_from_slice(text.as_bytes());
        said.0.push(0);
    }
}

/// Rows and clients of a set, in order of their names.
fn put_set(said: &mut Said, set: SetNo, names: &Names) {
    let info = names.set_info(set);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for &row in &info.rows {
        let mut part = Said(Vec::new());
        put_row(&mut part, row, names);
        parts.push(part.0);
    }
    for client in &info.clients {
        parts.push(names.clients.text(client.0).as_bytes().to_vec());
    }
    parts.sort_unstable();
    said.0.extend(parts.concat());
}

/// Everything that is said, to be hashed at once.
struct Said(Vec<u8>);

impl Hasher for Said {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        rapidhash_v3(&self.0)
    }
}
