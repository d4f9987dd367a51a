//! A snapshot as records of the snapshot topic, and back.
//!
//! The encoded state is compressed (zstd) and cut into pieces that fit into a record. Each record
//! is `QPS1`, the CRC-32 of what follows, the length of the head, the head (JSON: [`Header`] and
//! which piece it is) and the piece. Reading trusts nothing: what is changed, cut or missing makes
//! the snapshot incomplete, and memory is bounded by what is claimed and by [`STATE_MAX`].

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::header::{Header, Of};

/// Bytes of one piece: with its head below 1 MB, which is the least that brokers allow by default.
pub const PIECE: usize = 900_000;
/// No encoded state is larger.
pub const STATE_MAX: u64 = 512 * 1024 * 1024;
/// A snapshot overwrites the one that was written so many before it, never the latest.
pub const SLOTS: u64 = 4;

const MAGIC: [u8; 4] = *b"QPS1";
/// Ahead of the head: magic, CRC, length.
const FRONT: usize = 12;
/// zstd's fastest ordinary level: states are taken every few seconds.
const LEVEL: i32 = 1;
/// No head is longer.
const HEAD_MAX: usize = 16 * 1024;
const PIECES_MAX: u32 = 1024;

/// A snapshot as it was read, not decoded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it stands for.
    pub header: Header,
    /// The state, compressed.
    pub body: Vec<u8>,
}

/// One record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// What each record begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    #[serde(flatten)]
    header: Header,
    piece: u32,
    pieces: u32,
    /// CRC-32 of the whole body.
    body: u32,
}

/// The records of a snapshot. `slot` grows by one with each snapshot of a partition.
///
/// # Errors
/// zstd refuses, or the head cannot be written; neither is to be expected.
pub fn write(header: &Header, state: &[u8], slot: u64) -> io::Result<Vec<Record>> {
    let body = zstd::bulk::compress(state, LEVEL)?;
    let sum = crc32fast::hash(&body);
    let pieces = body.len().div_ceil(PIECE).max(1);
    let pieces_said = u32::try_from(pieces).map_err(io::Error::other)?;
    let mut records = Vec::with_capacity(pieces);
    for piece in 0..pieces_said {
        let from = piece as usize * PIECE;
        let head = Head {
            header: header.clone(),
            piece,
            pieces: pieces_said,
            body: sum,
        };
        let bytes = body.get(from..body.len().min(from + PIECE));
        records.push(Record {
            key: key(&header.of, slot, piece),
            value: record(&head, bytes.unwrap_or_default())?,
        });
    }
    Ok(records)
}

/// Compaction keeps the latest of each key, so the pieces of one snapshot must not overwrite those
/// of the one before, which is all there is until they are complete.
fn key(of: &Of, slot: u64, piece: u32) -> String {
    let Of {
        group,
        topic,
        partition,
    } = of;
    let slot = slot % SLOTS;
    format!("{group}/{topic}/{partition}/{slot}/{piece}")
}

fn record(head: &Head, piece: &[u8]) -> io::Result<Vec<u8>> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).map_err(io::Error::other)?;
    let mut value = Vec::with_capacity(FRONT + head.len() + piece.len());
    value.extend_from_slice(&MAGIC);
    value.extend_from_slice(&[0; 4]);
    value.extend_from_slice(&length.to_le_bytes());
    value.extend_from_slice(&head);
    value.extend_from_slice(piece);
    let sum = crc32fast::hash(&value[8..]);
    value[4..8].copy_from_slice(&sum.to_le_bytes());
    Ok(value)
}

/// The state of a candidate, decompressed; none if it is not what the header says.
pub fn state(candidate: &Candidate) -> Option<Vec<u8>> {
    let size = candidate.header.size;
    if size > STATE_MAX {
        return None;
    }
    let mut state = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(&*candidate.body).ok()?;
    decoder.take(size + 1).read_to_end(&mut state).ok()?;
    (state.len() as u64 == size).then_some(state)
}

/// Puts snapshots together from the records of a topic's tail, in whatever order they come.
#[derive(Debug, Default)]
pub struct Pile {
    /// By whose it is, what it stands for and the sum of its body.
    open: BTreeMap<(Of, i64, i64, u32), Open>,
    damaged: Vec<Damage>,
}

/// A record that is not what it was when it was written, or never was one of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The partition of the snapshot topic.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// What is wrong with it.
    pub what: &'static str,
}

#[derive(Debug)]
struct Open {
    header: Header,
    pieces: Vec<Option<Vec<u8>>>,
}

impl Pile {
    /// Adds a record's value, if it belongs to one of these; `at` is its partition and offset.
    pub fn add(&mut self, at: (i32, i64), value: &[u8], wanted: &dyn Fn(&Of) -> bool) {
        match parse(value) {
            Ok((head, piece)) => {
                if wanted(&head.header.of) {
                    self.put(head, piece);
                }
            }
            Err(what) => {
                let (partition, offset) = at;
                self.damaged.push(Damage {
                    partition,
                    offset,
                    what,
                });
            }
        }
    }

    fn put(&mut self, head: Head, piece: &[u8]) {
        let of = head.header.of.clone();
        let id = (of, head.header.next_offset, head.header.written, head.body);
        let open = self.open.entry(id).or_insert_with(|| Open {
            header: head.header,
            pieces: vec![None; head.pieces as usize],
        });
        if let Some(place) = open.pieces.get_mut(head.piece as usize) {
            *place = Some(piece.to_vec());
        }
    }

    /// Records that are not what they were when they were written.
    pub fn damaged(&self) -> &[Damage] {
        &self.damaged
    }

    /// Whether there is a complete snapshot of one, of whatever layout and settings: those before one
    /// that cannot be used are seldom better, and to read on for them may take longer than the log.
    pub fn has(&self, of: &Of) -> bool {
        let mut open = self.open.iter();
        open.any(|((other, ..), open)| other == of && open.pieces.iter().all(Option::is_some))
    }

    /// The complete snapshots of one, and how many are not. Those that are not are damaged, or the
    /// tail began in the middle of them.
    pub fn take(&mut self, of: &Of) -> (Vec<Candidate>, u64) {
        let mut complete = Vec::new();
        let mut incomplete = 0;
        self.open.retain(|(other, _, _, sum), open| {
            if other != of {
                return true;
            }
            let pieces: Option<Vec<Vec<u8>>> =
                std::mem::take(&mut open.pieces).into_iter().collect();
            let body = pieces.map(|pieces| pieces.concat());
            match body.filter(|body| crc32fast::hash(body) == *sum) {
                Some(body) => complete.push(Candidate {
                    header: open.header.clone(),
                    body,
                }),
                None => incomplete += 1,
            }
            false
        });
        (complete, incomplete)
    }
}

fn parse(value: &[u8]) -> Result<(Head, &[u8]), &'static str> {
    const SHORT: &str = "it is too short";
    let (front, rest) = value.split_at_checked(FRONT).ok_or(SHORT)?;
    if !front.starts_with(&MAGIC) {
        return Err("it does not begin as a snapshot does");
    }
    let number = |at: usize| {
        let bytes = front.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let sum = number(4).ok_or(SHORT)?;
    if crc32fast::hash(value.get(8..).ok_or(SHORT)?) != sum {
        return Err("its checksum is another");
    }
    let length = number(8).ok_or(SHORT)? as usize;
    if length > HEAD_MAX {
        return Err("its head is too long");
    }
    let (head, piece) = rest.split_at_checked(length).ok_or(SHORT)?;
    let head: Head = serde_json::from_slice(head).map_err(|_| "its head cannot be read")?;
    let whole = head.pieces <= PIECES_MAX && head.piece < head.pieces;
    whole.then_some((head, piece)).ok_or("its head is wrong")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Millis;
    use crate::recovery::header::Fingerprint;

    fn header(next_offset: i64, state: &[u8]) -> Header {
        Header {
            format: 1,
            of: Of {
                group: "g".to_owned(),
                topic: "contact-events".to_owned(),
                partition: 2,
            },
            settings: u64::MAX,
            next_offset,
            last: Some(Fingerprint::of(
                next_offset - 1,
                Some(Millis(5)),
                Some(b"{}"),
            )),
            records: 9,
            since: None,
            partitions: 4,
            written: 1_767_603_600_000,
            size: state.len() as u64,
        }
    }

    /// Bytes that do not compress, so that there are several pieces.
    fn noise(length: usize) -> Vec<u8> {
        let mut seed = 1_u64;
        let byte = |_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed.to_le_bytes()[7]
        };
        (0..length).map(byte).collect()
    }

    /// The offset and state of what can be read, and how much cannot.
    type Read = (Vec<(i64, Option<Vec<u8>>)>, u64);

    fn read(values: &[Vec<u8>]) -> Read {
        let of = header(0, b"").of;
        let mut pile = Pile::default();
        for value in values {
            pile.add((0, 0), value, &|_| true);
        }
        let (candidates, incomplete) = pile.take(&of);
        let read = |candidate: &Candidate| (candidate.header.next_offset, state(candidate));
        (
            candidates.iter().map(read).collect(),
            incomplete + pile.damaged().len() as u64,
        )
    }

    #[test]
    fn large_states_are_cut_and_put_together_in_any_order() {
        let (old, new) = (b"small".to_vec(), noise(2 * PIECE + 5));
        let mut records = write(&header(10, &old), &old, 0).unwrap();
        let more = write(&header(20, &new), &new, 1).unwrap();
        assert_eq!((records.len(), more.len()), (1, 3));
        assert!(more.iter().all(|record| record.value.len() < 1_000_000));
        records.extend(more);
        assert_eq!(records[0].key, "g/contact-events/2/0/0");
        assert_eq!(records[3].key, "g/contact-events/2/1/2");
        let mut values: Vec<Vec<u8>> = records.into_iter().map(|record| record.value).collect();
        values.reverse();
        let both = vec![(10, Some(old.clone())), (20, Some(new))];
        assert_eq!(read(&values), (both, 0));
        // Without one of its pieces the newer one is not there.
        values.remove(1);
        assert_eq!(read(&values), (vec![(10, Some(old))], 1));
    }

    #[test]
    fn other_groups_are_passed_over() {
        let mut pile = Pile::default();
        let records = write(&header(10, b"x"), b"x", 0).unwrap();
        pile.add((0, 0), &records[0].value, &|of| of.group == "other");
        assert_eq!(pile.damaged(), []);
        assert!(!pile.has(&header(10, b"x").of));
    }

    #[test]
    fn damage_is_told_with_its_place_and_what_is_wrong() {
        let whole = write(&header(10, b"x"), b"x", 0).unwrap().remove(0).value;
        let changed = |at: usize, to: u8| {
            let mut value = whole.clone();
            value[at] = to;
            value
        };
        let long_head = {
            let mut value = [&MAGIC[..], &[0; 4], &[0xff; 4]].concat();
            let sum = crc32fast::hash(&value[8..]);
            value[4..8].copy_from_slice(&sum.to_le_bytes());
            value
        };
        let mut pile = Pile::default();
        for (offset, (value, what)) in [
            (b"QPS1".to_vec(), "it is too short"),
            (changed(0, b'X'), "it does not begin as a snapshot does"),
            (changed(20, 0), "its checksum is another"),
            (long_head, "its head is too long"),
        ]
        .into_iter()
        .enumerate()
        {
            let offset = i64::try_from(offset).unwrap();
            pile.add((3, offset), &value, &|_| true);
            let damage = Damage {
                partition: 3,
                offset,
                what,
            };
            assert_eq!(pile.damaged().last(), Some(&damage));
        }
    }

    #[test]
    fn a_claimed_size_bounds_memory() {
        let zeros = vec![0; 1 << 24];
        for claimed in [0, 10, (1 << 24) - 1, (1 << 24) + 1, u64::MAX] {
            let mut lying = header(10, &zeros);
            lying.size = claimed;
            let candidate = Candidate {
                header: lying,
                body: zstd::bulk::compress(&zeros, 1).unwrap(),
            };
            assert_eq!(state(&candidate), None, "{claimed}");
        }
    }

    proptest! {
        #[test]
        fn damage_is_never_taken_for_a_snapshot(
            at in 0_usize..4096,
            bit in 0_u8..8,
            cut in any::<bool>(),
        ) {
            let whole = noise(700);
            let mut values: Vec<Vec<u8>> = write(&header(10, &whole), &whole, 0)
                .unwrap()
                .into_iter()
                .map(|record| record.value)
                .collect();
            let length = values[0].len();
            if cut {
                values[0].truncate(at % length);
            } else {
                values[0][at % length] ^= 1 << bit;
            }
            prop_assert_eq!(read(&values), (vec![], 1));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let mut framed = b"QPS1".to_vec();
            framed.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
            framed.extend_from_slice(&bytes);
            prop_assert_eq!(read(&[framed, bytes]).0, vec![]);
        }
    }
}
