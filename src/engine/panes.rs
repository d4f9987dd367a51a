//! The fact log of a partition: one pane per second of stamps, and the base of what left it.
//!
//! Pane `s` holds the stamps in (s − 1 s, s], so that a whole-second edge lies between two panes.
//! Posts are packed into chunks of [`CHUNK`] bytes from a pool; a chunk that is full never changes,
//! an empty pane takes 8 bytes. Panes older than stream time less `log_keep` are poured into the
//! base. (Rejected: one growing vector per pane, which allocates and leaves half of it unused.)

mod image;

pub(crate) use image::LogImage;

use std::collections::VecDeque;

use crate::event::{Millis, Span};

use super::base::Base;
use super::facts::Post;
use super::names::Names;
use super::packing::{Unpacker, pack};
use super::settings::StateSettings;

/// Bytes of a chunk, its head of 5 included.
const CHUNK: usize = 256;
const ROOM: usize = CHUNK - 5;
/// Chunks that are allocated at a time.
const SLAB: usize = 256;
const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
struct Chunk {
    /// The next chunk of the pane, or of the list of free ones.
    next: u32,
    len: u8,
    bytes: [u8; ROOM],
}

/// Chunks in use and free.
#[derive(Clone, Debug)]
struct Pool {
    slabs: Vec<Vec<Chunk>>,
    free: u32,
}

impl Pool {
    fn get(&self, chunk: u32) -> &Chunk {
        &self.slabs[chunk as usize / SLAB][chunk as usize % SLAB]
    }

    fn get_mut(&mut self, chunk: u32) -> &mut Chunk {
        &mut self.slabs[chunk as usize / SLAB][chunk as usize % SLAB]
    }

    fn take(&mut self) -> u32 {
        if self.free == NONE {
            self.grow();
        }
        let taken = self.free;
        let chunk = self.get_mut(taken);
        let next = std::mem::replace(&mut chunk.next, NONE);
        chunk.len = 0;
        self.free = next;
        taken
    }

    fn grow(&mut self) {
        let first = self.slabs.len() * SLAB;
        let number = |offset: usize| u32::try_from(first + offset).unwrap_or(NONE);
        let slab = (0..SLAB).map(|place| Chunk {
            next: if place + 1 == SLAB {
                NONE
            } else {
                number(place + 1)
            },
            len: 0,
            bytes: [0; ROOM],
        });
        self.slabs.push(slab.collect());
        self.free = number(0);
    }

    fn packed_bytes(&self, mut chunk: u32) -> usize {
        let mut sum = 0;
        while chunk != NONE {
            sum += usize::from(self.get(chunk).len);
            chunk = self.get(chunk).next;
        }
        sum
    }

    /// Appends what the chunks from this one on hold.
    fn copy(&self, mut chunk: u32, to: &mut Vec<u8>) {
        while chunk != NONE {
            let from = self.get(chunk);
            to.extend_from_slice(&from.bytes[..usize::from(from.len)]);
            chunk = from.next;
        }
    }

    /// Gives back a pane's chunks.
    fn give(&mut self, pane: Pane) {
        if pane.first != NONE {
            let free = self.free;
            self.get_mut(pane.last).next = free;
            self.free = pane.first;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Pane {
    first: u32,
    last: u32,
}

const EMPTY: Pane = Pane {
    first: NONE,
    last: NONE,
};

/// The facts of a partition: those of the last `log_keep` one by one, all earlier ones summed up.
#[derive(Clone, Debug)]
pub struct Log {
    keep: Span,
    panes: VecDeque<Pane>,
    /// The number of the first pane in `panes`.
    first: i64,
    /// Panes up to this number have left the log.
    floor: i64,
    pool: Pool,
    base: Base,
    facts: u64,
    leaving: Vec<Post>,
}

impl Log {
    /// An empty log.
    pub fn new(settings: &StateSettings) -> Self {
        Self {
            keep: settings.log_keep,
            panes: VecDeque::new(),
            first: 0,
            floor: i64::MIN / 1_000_000,
            pool: Pool {
                slabs: Vec::new(),
                free: NONE,
            },
            base: Base::default(),
            facts: 0,
            leaving: Vec::new(),
        }
    }

    /// Appends a post to its own pane; to the base if that pane has left the log. Posts that no
    /// window counts are ignored.
    pub fn append(&mut self, post: &Post, names: &Names) {
        let Some(packed) = pack(post) else {
            return;
        };
        let number = post.stamp.pane();
        if number <= self.floor {
            return self.base.add(std::slice::from_ref(post), names);
        }
        let mut pane = *self.pane(number);
        let bytes = packed.bytes();
        if pane.last == NONE {
            pane.first = self.pool.take();
            pane.last = pane.first;
        } else if usize::from(self.pool.get(pane.last).len) + bytes.len() > ROOM {
            let next = self.pool.take();
            self.pool.get_mut(pane.last).next = next;
            pane.last = next;
        }
        *self.pane(number) = pane;
        let chunk = self.pool.get_mut(pane.last);
        let len = usize::from(chunk.len);
        chunk.bytes[len..len + bytes.len()].copy_from_slice(bytes);
        chunk.len += u8::try_from(bytes.len()).unwrap_or_default();
        self.facts += 1;
    }

    /// Pours panes older than `stream` less `log_keep` into the base.
    pub fn advance(&mut self, stream: Millis, names: &Names) {
        let floor = (stream - self.keep).0.div_euclid(1000);
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        while self.first <= floor {
            let Some(pane) = self.panes.pop_front() else {
                break;
            };
            if pane.first != NONE {
                self.pour(pane, names);
            }
            self.first += 1;
        }
    }

    fn pour(&mut self, pane: Pane, names: &Names) {
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.clear();
        self.read(pane, self.first, |post| leaving.push(post));
        self.facts -= leaving.len() as u64;
        self.base.add(&leaving, names);
        self.leaving = leaving;
        self.pool.give(pane);
    }

    /// Calls `each` with every post in the log with a stamp in (`from`, `to`], pane by pane; within
    /// a pane in order of arrival.
    pub fn for_each(&self, from: Millis, to: Millis, mut each: impl FnMut(Post)) {
        let from_pane = Millis(from.0 + 1).pane().max(self.first);
        let to_pane = to.pane().min(self.last());
        for number in from_pane..=to_pane {
            let Ok(index) = usize::try_from(number - self.first) else {
                continue;
            };
            let pane = self.panes[index];
            if (number - 1) * 1000 >= from.0 && number * 1000 <= to.0 {
                self.read(pane, number, &mut each);
            } else {
                self.read(pane, number, |post| {
                    if post.stamp > from && post.stamp <= to {
                        each(post);
                    }
                });
            }
        }
    }

    /// Bytes that the packed posts in the log take.
    pub fn packed_bytes(&self) -> usize {
        let panes = self.panes.iter();
        panes.fold(0, |sum, pane| sum + self.pool.packed_bytes(pane.first))
    }

    /// The number of the last pane.
    fn last(&self) -> i64 {
        self.first - 1 + i64::try_from(self.panes.len()).unwrap_or_default()
    }

    fn read(&self, pane: Pane, number: i64, mut each: impl FnMut(Post)) {
        let mut next = pane.first;
        while next != NONE {
            let chunk = self.pool.get(next);
            Unpacker::new(&chunk.bytes[..usize::from(chunk.len)], number).for_each(&mut each);
            next = chunk.next;
        }
    }

    /// Stamps up to this one have left the log.
    pub const fn floor(&self) -> Millis {
        Millis(self.floor * 1000)
    }

    /// The sums of what has left the log.
    pub const fn base(&self) -> &Base {
        &self.base
    }

    /// How many posts the log holds.
    pub const fn facts(&self) -> u64 {
        self.facts
    }

    /// Bytes of memory that the log's panes and chunks take, the base left out.
    pub fn bytes(&self) -> usize {
        self.pool.slabs.len() * SLAB * CHUNK + self.panes.capacity() * size_of::<Pane>()
    }

    /// The pane of a number above the floor, made if it was not there.
    fn pane(&mut self, number: i64) -> &mut Pane {
        if self.panes.is_empty() {
            self.first = number;
        }
        while number < self.first {
            self.panes.push_front(EMPTY);
            self.first -= 1;
        }
        let index = usize::try_from(number - self.first).unwrap_or_default();
        if index >= self.panes.len() {
            self.panes.resize(index + 1, EMPTY);
        }
        &mut self.panes[index]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::engine::facts::{Count, Fact, WorkState};
    use crate::engine::names::{ProfileNo, RowNo, SetNo};
    use crate::event::FlowOut;

    fn fact() -> impl Strategy<Value = Fact> {
        let row = (0..300_u32).prop_map(RowNo);
        let span = prop_oneof![0..200_i64, 0..4_000_000_i64, Just(i64::MAX)].prop_map(Span);
        let count = prop_oneof![
            Just(Count::Offered),
            span.clone().prop_map(|wait| Count::Answered { wait }),
            span.clone().prop_map(|wait| Count::Abandoned { wait }),
            (0..7_usize, proptest::option::of(span.clone())).prop_map(|(way, wait)| {
                Count::FlowedOut {
                    how: FlowOut::ALL[way],
                    wait,
                }
            }),
            span.clone().prop_map(|wait| Count::Callback { wait }),
            (0..12_u8).prop_map(|rung| Count::Passed { rung }),
            Just(Count::AlertFailed),
            Just(Count::Transferred),
            (span.clone(), span.clone()).prop_map(|(talk, hold)| Count::Handled { talk, hold }),
            span.prop_map(|acw| Count::AfterContact { acw }),
            Just(Count::Rated),
            Just(Count::Complained),
            Just(Count::Resolved),
        ];
        prop_oneof![
            (row.clone(), count).prop_map(|(row, count)| Fact::Count(row, count)),
            (any::<u32>(), 0..500_u32)
                .prop_map(|(set, profile)| Fact::Staff(SetNo(set), ProfileNo(profile))),
            (any::<u32>(), any::<u32>()).prop_map(|(serves, here)| Fact::Here {
                serves: SetNo(serves),
                here: SetNo(here)
            }),
            (row, 0..4_usize).prop_map(|(row, state)| {
                let states = [
                    WorkState::Alerting,
                    WorkState::Connected,
                    WorkState::Held,
                    WorkState::Acw,
                ];
                Fact::Work(row, states[state])
            }),
        ]
    }

    fn post() -> impl Strategy<Value = Post> {
        (0..20_000_i64, fact(), any::<bool>()).prop_map(|(stamp, fact, plus)| Post {
            stamp: Millis(1_000_000 + stamp),
            fact,
            sign: if plus { 1 } else { -1 },
        })
    }

    proptest! {
        #[test]
        fn what_was_appended_is_read_back_by_any_range_of_stamps(
            posts in proptest::collection::vec(post(), 0..2000),
            ranges in proptest::collection::vec((-10..21_000_i64, -10..21_000_i64), 1..8),
        ) {
            let settings = Arc::new(StateSettings::default());
            let names = Names::new(Arc::clone(&settings));
            let mut log = Log::new(&settings);
            for post in &posts {
                log.append(post, &names);
            }
            prop_assert_eq!(log.facts(), posts.len() as u64);
            for (from, to) in ranges {
                let (from, to) = (Millis(1_000_000 + from), Millis(1_000_000 + to));
                let mut read = Vec::new();
                log.for_each(from, to, |post| read.push(post));
                let mut expected: Vec<Post> = posts
                    .iter()
                    .copied()
                    .filter(|post| post.stamp > from && post.stamp <= to)
                    .collect();
                expected.sort_by_key(|post| post.stamp.pane());
                prop_assert_eq!(read, expected);
            }
        }
    }

    #[test]
    fn chunks_of_dropped_panes_are_used_again() {
        let settings = Arc::new(StateSettings::default());
        let mut names = Names::new(Arc::clone(&settings));
        let client = crate::engine::names::ClientNo(names.clients.number("c"));
        let queue = crate::engine::names::QueueIdNo(names.queues.number("q"));
        let row = names.row(client, Some(queue), crate::engine::names::ChannelNo(0));
        let mut log = Log::new(&settings);
        let mut after_two_hours = 0;
        for second in 0..6 * 3600 {
            let stamp = Millis(1_700_000_000_000 + second * 1000);
            log.advance(stamp, &names);
            for _ in 0..3 {
                log.append(
                    &Post {
                        stamp,
                        fact: Fact::Count(row, Count::Offered),
                        sign: 1,
                    },
                    &names,
                );
            }
            if second == 2 * 3600 {
                after_two_hours = log.bytes();
            }
        }
        assert_eq!(log.bytes(), after_two_hours);
        let (_, base) = log.base().rows().next().expect("facts have left");
        let left: i64 = base.ever().map(|(_, amount)| amount).sum();
        assert_eq!(left + log.facts().cast_signed(), 6 * 3600 * 3);
    }
}
