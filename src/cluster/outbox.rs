//! What one instance sends: of each row the latest whole, then what it differs by; then the beat.
//!
//! Costs one pass over all rows of the frames a second, and of each row the bytes last sent.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rapidhash::RapidHashMap;
use rapidhash::v3::rapidhash_v3;

use crate::event::{Millis, Span};
use crate::live::Registry;
use crate::windows::frame::Frame;
use crate::windows::numbering::{AgentRowNo, QueueNo};

use super::bytes::{Bytes, put};
use super::cells::{Cell, decode, difference, encode};
use super::gather::{Frames, Lists};
use super::name::Place;
use super::{Beat, Key, What};

/// Every row is sent whole at least as often as this: whoever begins to read needs so much of the
/// topic. Half of it at the least, by the row's key, so that not all are due at once.
pub const REFRESH: i64 = 60_000;

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// Its value; none takes a row back.
    pub value: Option<&'a [u8]>,
}

/// What a beat says that frames do not know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    /// See [`Beat::partitions`].
    pub partitions: [u32; 2],
    /// See [`Beat::known_to`].
    pub known_to: Option<Millis>,
    /// See [`Beat::since`].
    pub since: [Millis; 2],
}

/// What one instance has sent.
#[derive(Debug)]
pub struct Outbox {
    name: Key,
    shape: u64,
    rows: RapidHashMap<Place, Sent>,
    check: u64,
    lists: Lists,
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    row: Vec<Cell>,
    whole: Vec<Cell>,
    difference: Vec<Cell>,
    bytes: Vec<u8>,
}

/// A row as it was sent.
#[derive(Debug)]
struct Sent {
    whole_key: Box<[u8]>,
    difference_key: Box<[u8]>,
    /// When it was sent whole: what its instants count from.
    origin: Millis,
    whole: Box<[u8]>,
    /// Empty when there is none.
    difference: Box<[u8]>,
    /// How long a whole lasts.
    lasts: Span,
    /// The instant of the frames that it was last in.
    seen: Millis,
}

impl Outbox {
    /// Of an instance whose process began at `run`; rows have this `shape`.
    pub fn new(group: &str, instance: &str, run: u64, shape: u64) -> Self {
        Self {
            name: Key {
                group: group.to_owned(),
                instance: instance.to_owned(),
                run,
                what: What::Beat,
            },
            shape,
            rows: RapidHashMap::default(),
            check: 0,
            lists: Lists::default(),
            scratch: Scratch::default(),
        }
    }

    /// What was sent may not have arrived, nor what was taken back: everything is sent whole again, as
    /// of another run, so that a reader keeps no row that there is no more. (Each takes longer than a
    /// millisecond, so a process that begins later has a later run all the same.)
    pub fn forget(&mut self) {
        self.rows.clear();
        self.check = 0;
        self.name.run += 1;
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Sends the rows of one instant's frames that changed, then the beat.
    pub fn send(
        &mut self,
        frames: &[Arc<Frame>],
        registry: &Registry,
        status: &Status,
        send: &mut dyn FnMut(Record<'_>),
    ) {
        let Some(first) = frames.first() else { return };
        let to = first.to;
        let mut lists = std::mem::take(&mut self.lists);
        lists.fill(frames);
        let from = Frames {
            frames,
            lists: &lists,
        };
        let queues = (0..from.queues()).map(|number| Place::Queue(QueueNo(number)));
        let agents = (0..from.agent_rows()).map(|number| Place::Agents(AgentRowNo(number)));
        let feeds = from.feeds().map(Place::Feed);
        for row in queues.chain(agents).chain(lists.aux_rows()).chain(feeds) {
            self.row(row, from, registry, send);
        }
        self.take_back(to, send);
        self.lists = lists;
        let mut claims: Vec<_> = frames
            .iter()
            .flat_map(|frame| &frame.parts)
            .copied()
            .collect();
        claims.sort_unstable();
        let beat = Beat {
            to,
            shape: self.shape,
            rows: self.rows.len() as u64,
            check: self.check,
            claims,
            partitions: status.partitions,
            known_to: status.known_to,
            since: status.since,
        };
        send(Record {
            key: &self.name.encode(),
            value: Some(&beat.encode()),
        });
    }

    fn row(
        &mut self,
        row: Place,
        from: Frames<'_>,
        registry: &Registry,
        send: &mut dyn FnMut(Record<'_>),
    ) {
        let before = match self.rows.entry(row) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => match Sent::new(&self.name, row, registry) {
                Some(nothing) => free.insert(nothing),
                None => return,
            },
        };
        let mut sending = Sending {
            from,
            row,
            check: &mut self.check,
            scratch: &mut self.scratch,
            send,
        };
        before.send(&mut sending);
    }

    /// Takes back the rows that are in the frames no more.
    fn take_back(&mut self, to: Millis, send: &mut dyn FnMut(Record<'_>)) {
        let check = &mut self.check;
        self.rows.retain(|_, sent| {
            let stays = sent.seen == to;
            if !stays {
                sent.subtract(check);
                for key in [&sent.whole_key, &sent.difference_key] {
                    send(Record { key, value: None });
                }
            }
            stays
        });
    }
}

/// What it takes to send a row.
struct Sending<'a> {
    from: Frames<'a>,
    row: Place,
    check: &'a mut u64,
    scratch: &'a mut Scratch,
    send: &'a mut dyn FnMut(Record<'_>),
}

impl Sent {
    fn new(name: &Key, row: Place, registry: &Registry) -> Option<Self> {
        let row = row.key(registry)?;
        let key = |what| {
            let key = Key {
                what,
                ..name.clone()
            };
            key.encode().into_boxed_slice()
        };
        let whole_key = key(What::Whole(row.clone()));
        let spread = i64::try_from(rapidhash_v3(&row.0) % 1000).unwrap_or(0);
        Some(Self {
            difference_key: key(What::Difference(row)),
            whole_key,
            origin: Millis::MIN,
            whole: Box::default(),
            difference: Box::default(),
            lasts: Span(REFRESH / 2 + REFRESH / 2 * spread / 1000),
            seen: Millis::MIN,
        })
    }

    /// Sends what is new of the row: nothing, what it differs by, or the whole.
    fn send(&mut self, sending: &mut Sending<'_>) {
        self.seen = sending.from.to();
        let due = self.whole.is_empty() || self.seen - self.origin >= self.lasts;
        if due || !self.send_difference(sending) {
            self.send_whole(sending);
        }
    }

    /// Takes what was sent out of the check.
    fn subtract(&self, check: &mut u64) {
        for (key, value) in [
            (&self.whole_key, &self.whole),
            (&self.difference_key, &self.difference),
        ] {
            if !value.is_empty() {
                *check = check.wrapping_sub(hash_of(key, value));
            }
        }
    }

    fn send_whole(&mut self, sending: &mut Sending<'_>) {
        self.subtract(sending.check);
        let Scratch { row, bytes, .. } = sending.scratch;
        self.origin = sending.from.to();
        sending.from.cells(sending.row, self.origin, row);
        bytes.clear();
        put(bytes, self.origin.0.unsigned_abs());
        encode(row, bytes);
        self.whole = bytes.as_slice().into();
        self.difference = Box::default();
        *sending.check = sending
            .check
            .wrapping_add(hash_of(&self.whole_key, &self.whole));
        (sending.send)(Record {
            key: &self.whole_key,
            value: Some(&self.whole),
        });
    }

    /// Sends what the row differs by, if that has changed; false if the whole would be shorter.
    fn send_difference(&mut self, sending: &mut Sending<'_>) -> bool {
        let Scratch {
            row,
            whole,
            difference: cells,
            bytes,
        } = sending.scratch;
        whole.clear();
        let sent = split(&self.whole).and_then(|(_, cells)| decode(cells, whole));
        if sent.is_none() {
            return false;
        }
        sending.from.cells(sending.row, self.origin, row);
        cells.clear();
        difference(row, whole, cells);
        bytes.clear();
        if !cells.is_empty() || !self.difference.is_empty() {
            put(bytes, self.origin.0.unsigned_abs());
            encode(cells, bytes);
        }
        if *self.difference == **bytes {
            return true;
        }
        if bytes.len() > self.whole.len() {
            return false;
        }
        self.subtract(sending.check);
        self.difference = bytes.as_slice().into();
        for (key, value) in [
            (&self.whole_key, &self.whole),
            (&self.difference_key, &self.difference),
        ] {
            *sending.check = sending.check.wrapping_add(hash_of(key, value));
        }
        (sending.send)(Record {
            key: &self.difference_key,
            value: Some(&self.difference),
        });
        true
    }
}

/// A value's origin and its cells.
pub(super) fn split(value: &[u8]) -> Option<(Millis, &[u8])> {
    let mut bytes = Bytes(value);
    let origin = i64::try_from(bytes.number()?).ok()?;
    Some((Millis(origin), bytes.0))
}

/// What a record adds to the check.
pub(super) fn hash_of(key: &[u8], value: &[u8]) -> u64 {
    let both = rapidhash_v3(key).rotate_left(23) ^ rapidhash_v3(value);
    both.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
