//! How a post is packed in the log: 6 bytes on average.
//!
//! Two bytes hold the milliseconds before the pane's end (10 bits), the sign (1 bit) and the kind
//! (5 bits); numbers of rows, sets and profiles and spans follow as base-128 integers, low bits
//! first. `Passed` carries its rung in the kind, `Work` its state. Packing and unpacking cost a few
//! nanoseconds and allocate nothing.

use crate::event::{FlowOut, Millis, Span};

use super::facts::{Count, Fact, Post, WorkState};
use super::names::{ProfileNo, RowNo, SetNo};

/// The most bytes that one packed post can take.
pub const LONGEST: usize = 2 + 1 + 5 + 10 + 10;

const ANSWERED: u8 = 1;
const ABANDONED: u8 = 2;
const FLOWED_OUT: u8 = 3;
const FLOWED_OUT_UNTIMED: u8 = 4;
const CALLBACK: u8 = 5;
const ALERT_FAILED: u8 = 6;
const TRANSFERRED: u8 = 7;
const HANDLED: u8 = 8;
const AFTER_CONTACT: u8 = 9;
const RATED: u8 = 10;
const COMPLAINED: u8 = 11;
const RESOLVED: u8 = 12;
const STAFF: u8 = 13;
const HERE: u8 = 14;
const WORK: u8 = 15;
const PASSED: u8 = 19;

/// Bytes being filled.
#[derive(Debug)]
pub struct Packed {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Packed {
    /// What was packed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.byte(number.to_le_bytes()[0]);
    }

    fn span(&mut self, span: Span) {
        self.number(span.0.cast_unsigned());
    }
}

/// Packs a post; `None` for facts that are never logged.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0..1000 fits in 10 bits, the kind in 5"
)]
pub fn pack(post: &Post) -> Option<Packed> {
    let mut packed = Packed {
        bytes: [0; LONGEST],
        len: 2,
    };
    let kind = pack_fact(post.fact, &mut packed)?;
    let before_end = (post.stamp.pane() * 1000 - post.stamp.0) as u16;
    let negative = u16::from(post.sign < 0);
    let head = before_end | negative << 10 | u16::from(kind) << 11;
    packed.bytes[..2].copy_from_slice(&head.to_le_bytes());
    Some(packed)
}

fn pack_fact(fact: Fact, packed: &mut Packed) -> Option<u8> {
    Some(match fact {
        Fact::Count(row, count) => pack_count(row, count, packed),
        Fact::Staff(set, profile) => {
            packed.number(u64::from(set.0));
            packed.number(u64::from(profile.0));
            STAFF
        }
        Fact::Here { serves, here } => {
            packed.number(u64::from(serves.0));
            packed.number(u64::from(here.0));
            HERE
        }
        Fact::Work(row, state) => {
            packed.number(u64::from(row.0));
            WORK + match state {
                WorkState::Alerting => 0,
                WorkState::Connected => 1,
                WorkState::Held => 2,
                WorkState::Acw => 3,
            }
        }
        Fact::State(..) | Fact::WaitingPast(..) | Fact::PassCounted(..) => return None,
    })
}

fn pack_count(row: RowNo, count: Count, packed: &mut Packed) -> u8 {
    packed.number(u64::from(row.0));
    match count {
        Count::Offered => 0,
        Count::Answered { wait } => {
            packed.span(wait);
            ANSWERED
        }
        Count::Abandoned { wait } => {
            packed.span(wait);
            ABANDONED
        }
        Count::FlowedOut { how, wait } => {
            let way = FlowOut::ALL.iter().position(|&way| way == how);
            packed.number(way.unwrap_or_default() as u64);
            match wait {
                None => FLOWED_OUT_UNTIMED,
                Some(wait) => {
                    packed.span(wait);
                    FLOWED_OUT
                }
            }
        }
        Count::Callback { wait } => {
            packed.span(wait);
            CALLBACK
        }
        Count::Passed { rung } => PASSED + rung,
        Count::AlertFailed => ALERT_FAILED,
        Count::Transferred => TRANSFERRED,
        Count::Handled { talk, hold } => {
            packed.span(talk);
            packed.span(hold);
            HANDLED
        }
        Count::AfterContact { acw } => {
            packed.span(acw);
            AFTER_CONTACT
        }
        Count::Rated => RATED,
        Count::Complained => COMPLAINED,
        Count::Resolved => RESOLVED,
    }
}

/// Reads packed posts of one pane from a run of bytes.
#[derive(Debug)]
pub struct Unpacker<'a> {
    bytes: &'a [u8],
    /// The latest stamp of the pane.
    end: i64,
}

impl<'a> Unpacker<'a> {
    /// Reads what was packed for pane number `pane`.
    pub const fn new(bytes: &'a [u8], pane: i64) -> Self {
        Self {
            bytes,
            end: pane * 1000,
        }
    }

    fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((&byte, rest)) => {
                self.bytes = rest;
                byte
            }
            None => 0,
        }
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 || shift >= 63 {
                return number;
            }
            shift += 7;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "it was a u32 when packed")]
    fn small(&mut self) -> u32 {
        self.number() as u32
    }

    fn row(&mut self) -> RowNo {
        RowNo(self.small())
    }

    fn span(&mut self) -> Span {
        Span(self.number().cast_signed())
    }

    fn fact(&mut self, kind: u8) -> Fact {
        match kind {
            STAFF => Fact::Staff(SetNo(self.small()), ProfileNo(self.small())),
            HERE => Fact::Here {
                serves: SetNo(self.small()),
                here: SetNo(self.small()),
            },
            WORK => Fact::Work(self.row(), WorkState::Alerting),
            16 => Fact::Work(self.row(), WorkState::Connected),
            17 => Fact::Work(self.row(), WorkState::Held),
            18 => Fact::Work(self.row(), WorkState::Acw),
            _ => Fact::Count(self.row(), self.count(kind)),
        }
    }

    fn count(&mut self, kind: u8) -> Count {
        match kind {
            ANSWERED => Count::Answered { wait: self.span() },
            ABANDONED => Count::Abandoned { wait: self.span() },
            FLOWED_OUT => Count::FlowedOut {
                how: self.way(),
                wait: Some(self.span()),
            },
            FLOWED_OUT_UNTIMED => Count::FlowedOut {
                how: self.way(),
                wait: None,
            },
            CALLBACK => Count::Callback { wait: self.span() },
            ALERT_FAILED => Count::AlertFailed,
            TRANSFERRED => Count::Transferred,
            HANDLED => Count::Handled {
                talk: self.span(),
                hold: self.span(),
            },
            AFTER_CONTACT => Count::AfterContact { acw: self.span() },
            RATED => Count::Rated,
            COMPLAINED => Count::Complained,
            RESOLVED => Count::Resolved,
            PASSED.. => Count::Passed {
                rung: kind - PASSED,
            },
            _ => Count::Offered,
        }
    }

    fn way(&mut self) -> FlowOut {
        let way = usize::from(self.byte());
        FlowOut::ALL[way.min(FlowOut::ALL.len() - 1)]
    }
}

impl Iterator for Unpacker<'_> {
    type Item = Post;

    #[inline]
    fn next(&mut self) -> Option<Post> {
        if self.bytes.len() < 2 {
            return None;
        }
        let head = u16::from_le_bytes([self.byte(), self.byte()]);
        Some(Post {
            stamp: Millis(self.end - i64::from(head & 0x3ff)),
            sign: if head & 0x400 == 0 { 1 } else { -1 },
            fact: self.fact((head >> 11) as u8),
        })
    }
}
