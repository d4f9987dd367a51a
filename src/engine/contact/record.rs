//! One fact of a contact in 32 bytes, and the view that reads facts back.
//!
//! Texts that only this contact knows (event id, agent id) and the rare numbers (`queued_at`,
//! `talk_ms` …) lie one after the other in a byte buffer of the contact; queue and channel are the
//! partition's numbers. Rejected: the event's own enum in every record (72 bytes; most facts carry
//! no number at all).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::engine::image::{Bounds, Fault, hold, stamp};
use crate::engine::names::{ChannelNo, Names, QueueIdNo};
use crate::engine::room;
use crate::event::{ContactEvent, ContactKind, Direction, EndedBy, FlowOut, Millis, Outcome, Span};

/// Stands for "not stated" where a number of the partition is expected.
const NONE: u32 = u32::MAX;
/// A rare number is stored for the first or the second field of the kind.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
/// The channel that it states is `callback`.
const CALLBACK: u8 = 4;

/// The types of contact events, in the order that ranks facts of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Code {
    Created,
    Queued,
    Alerting,
    AlertFailed,
    Answered,
    Dequeued,
    Held,
    Resumed,
    Transferred,
    Ended,
    WrappedUp,
    Responded,
    Resolved,
    Dialled,
    CallbackScheduled,
    CallbackAttempted,
    Rated,
    Complained,
    Closed,
}

/// One fact.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// When it happened.
    pub(super) time: Millis,
    /// Where its bytes begin: id, agent, then the rare numbers.
    start: u32,
    id_len: u16,
    agent_len: u16,
    /// The visit that it names, 0 for none.
    pub(super) visit: u32,
    queue: u32,
    channel: u32,
    pub(super) code: Code,
    /// Outcome, who ended, or the kind of transfer.
    detail: u8,
    direction: u8,
    /// Which rare numbers follow the agent, and [`CALLBACK`].
    flags: u8,
}

impl Record {
    /// The queue that it names.
    pub(super) fn queue(&self) -> Option<QueueIdNo> {
        (self.queue != NONE).then_some(QueueIdNo(self.queue))
    }

    /// The channel that it states.
    pub(super) fn channel(&self) -> Option<ChannelNo> {
        (self.channel != NONE).then_some(ChannelNo(self.channel))
    }

    /// The number of the channel `callback`, if it states that.
    pub(super) fn callback(&self) -> Option<ChannelNo> {
        self.channel().filter(|_| self.flags & CALLBACK != 0)
    }

    /// The direction that it states.
    pub(super) fn direction(&self) -> Option<Direction> {
        match self.direction {
            1 => Some(Direction::Inbound),
            2 => Some(Direction::Outbound),
            3 => Some(Direction::Internal),
            4 => Some(Direction::Consult),
            5 => Some(Direction::Monitor),
            _ => None,
        }
    }

    /// Whether it ends something: these go first where a visit begins at the same instant.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.code, Code::Dequeued | Code::Transferred | Code::Ended)
    }

    /// Of a `dequeued`.
    pub(super) fn outcome(&self) -> Outcome {
        match self.detail {
            0 => Outcome::Abandoned,
            1 => Outcome::Callback,
            way => Outcome::FlowedOut(
                FlowOut::ALL
                    .get(usize::from(way) - 2)
                    .copied()
                    .unwrap_or(FlowOut::Error),
            ),
        }
    }

    /// Of an `ended`.
    pub(super) fn by(&self) -> Option<EndedBy> {
        match self.detail {
            1 => Some(EndedBy::Customer),
            2 => Some(EndedBy::Agent),
            3 => Some(EndedBy::System),
            4 => Some(EndedBy::Transfer),
            _ => None,
        }
    }

    /// Of a `transferred`.
    pub(super) fn is_attended(&self) -> bool {
        self.detail == 1
    }

    /// Where the agent that it names stands: it stays there as long as no fact is replaced.
    pub(super) fn agent_at(&self) -> AgentAt {
        AgentAt {
            start: self.start + u32::from(self.id_len),
            len: self.agent_len,
        }
    }

    /// What of it cannot be, given the bytes of its contact.
    pub(super) fn check(&self, bytes: usize, bounds: &Bounds) -> Result<(), Fault> {
        stamp(self.time)?;
        hold(self.range().end <= bytes, "a fact without its bytes")?;
        self.queue().map_or(Ok(()), |queue| bounds.queue(queue))?;
        self.channel()
            .map_or(Ok(()), |channel| bounds.channel(channel))
    }

    /// Where its bytes lie.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        let numbers = 8 * (self.flags & (FIRST | SECOND)).count_ones() as usize;
        let start = self.start as usize;
        start..start + usize::from(self.id_len) + usize::from(self.agent_len) + numbers
    }

    /// Appends an event's bytes and makes its record.
    pub(super) fn new(event: &ContactEvent<'_>, names: &mut Names, bytes: &mut Vec<u8>) -> Self {
        let (code, detail, first, second) = encode_kind(&event.kind);
        let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut push = |text: &str| {
            let kept = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
            room::reserve_by(bytes, kept.len(), super::BYTES);
            bytes.extend_from_slice(kept);
            u16::try_from(kept.len()).unwrap_or(u16::MAX)
        };
        let id_len = push(&event.id);
        let agent_len = event.agent_id.as_deref().map_or(0, &mut push);
        let is_callback = event.channel.as_deref() == Some("callback");
        let mut flags = if is_callback { CALLBACK } else { 0 };
        for (flag, number) in [(FIRST, first), (SECOND, second)] {
            if let Some(number) = number {
                flags |= flag;
                let number = number.to_le_bytes();
                room::reserve_by(bytes, number.len(), super::BYTES);
                bytes.extend_from_slice(&number);
            }
        }
        Self {
            time: event.time,
            start,
            id_len,
            agent_len,
            visit: event.visit.unwrap_or(0),
            queue: event
                .queue_id
                .as_deref()
                .map_or(NONE, |queue| names.queues.number(queue)),
            channel: event
                .channel
                .as_deref()
                .map_or(NONE, |channel| names.channels.number(channel)),
            code,
            detail,
            direction: event.direction.map_or(0, |direction| direction as u8 + 1),
            flags,
        }
    }
}

/// Code, detail and rare numbers of a kind.
fn encode_kind(kind: &ContactKind) -> (Code, u8, Option<i64>, Option<i64>) {
    let millis = |at: Option<Millis>| at.map(|at| at.0);
    let span = |span: Option<Span>| span.map(|span| span.0);
    let plain = |code| (code, 0, None, None);
    match *kind {
        ContactKind::Created => plain(Code::Created),
        ContactKind::Queued => plain(Code::Queued),
        ContactKind::Alerting => plain(Code::Alerting),
        ContactKind::AlertFailed => plain(Code::AlertFailed),
        ContactKind::Answered { queued_at } => (Code::Answered, 0, millis(queued_at), None),
        ContactKind::Dequeued { outcome, queued_at } => {
            let detail = match outcome {
                Outcome::Abandoned => 0,
                Outcome::Callback => 1,
                Outcome::FlowedOut(way) => way as u8 + 2,
            };
            (Code::Dequeued, detail, millis(queued_at), None)
        }
        ContactKind::Held => plain(Code::Held),
        ContactKind::Resumed => plain(Code::Resumed),
        ContactKind::Transferred { attended } => {
            (Code::Transferred, u8::from(attended), None, None)
        }
        ContactKind::Ended { by, talk, hold } => {
            let detail = by.map_or(0, |by| by as u8 + 1);
            (Code::Ended, detail, span(talk), span(hold))
        }
        ContactKind::WrappedUp { acw } => (Code::WrappedUp, 0, span(acw), None),
        ContactKind::Responded => plain(Code::Responded),
        ContactKind::Resolved => plain(Code::Resolved),
        ContactKind::Dialled => plain(Code::Dialled),
        ContactKind::CallbackScheduled => plain(Code::CallbackScheduled),
        ContactKind::CallbackAttempted => plain(Code::CallbackAttempted),
        ContactKind::Rated => plain(Code::Rated),
        ContactKind::Complained => plain(Code::Complained),
        ContactKind::Closed => plain(Code::Closed),
    }
}

/// Where an agent's id stands in the bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct AgentAt {
    start: u32,
    len: u16,
}

impl AgentAt {
    /// Where the id ends.
    pub(super) fn end(self) -> usize {
        self.start as usize + usize::from(self.len)
    }
}

/// A contact's facts with the bytes that they point into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) records: &'a [Record],
    pub(super) bytes: &'a [u8],
}

impl<'a> Facts<'a> {
    /// The id of a fact.
    pub(super) fn id(self, record: &Record) -> &'a [u8] {
        let start = record.start as usize;
        &self.bytes[start..start + usize::from(record.id_len)]
    }

    /// The agent that a fact names; empty if it names none.
    pub(super) fn agent(self, record: &Record) -> &'a [u8] {
        let start = record.start as usize + usize::from(record.id_len);
        &self.bytes[start..start + usize::from(record.agent_len)]
    }

    /// The agent that stands there.
    pub(super) fn at(self, agent: AgentAt) -> &'a [u8] {
        let start = agent.start as usize;
        &self.bytes[start..start + usize::from(agent.len)]
    }

    /// `queued_at` of an `answered` or a `dequeued`.
    pub(super) fn queued_at(self, record: &Record) -> Option<Millis> {
        self.number(record, FIRST).map(Millis)
    }

    /// `talk_ms` of an `ended`, `acw_ms` of a `wrapped_up`.
    pub(super) fn first_span(self, record: &Record) -> Option<Span> {
        self.number(record, FIRST).map(Span)
    }

    /// `hold_ms` of an `ended`.
    pub(super) fn second_span(self, record: &Record) -> Option<Span> {
        self.number(record, SECOND).map(Span)
    }

    fn number(self, record: &Record, flag: u8) -> Option<i64> {
        if record.flags & flag == 0 {
            return None;
        }
        let before = 8 * usize::from(flag == SECOND && record.flags & FIRST != 0);
        let texts = usize::from(record.id_len) + usize::from(record.agent_len);
        let at = record.start as usize + texts + before;
        let bytes = self.bytes.get(at..at + 8)?;
        Some(i64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The order in which facts are folded: (`time`, visit, rank, `id`). Facts of one identity but
    /// for the agent can still tie; the agent decides.
    pub(super) fn fold_order(self, a: &Record, b: &Record) -> Ordering {
        (a.time, a.visit, a.code)
            .cmp(&(b.time, b.visit, b.code))
            .then_with(|| self.id(a).cmp(self.id(b)))
            .then_with(|| self.agent(a).cmp(self.agent(b)))
    }

    /// The place of a new fact among them.
    pub(super) fn place(self, new: &Record) -> usize {
        let comes_first = |old: &Record| self.fold_order(old, new) == Ordering::Less;
        match self.records.last() {
            Some(last) if !comes_first(last) => self.records.partition_point(comes_first),
            _ => self.records.len(),
        }
    }

    /// Which of two facts of one identity stands: the earlier; of equal times the smaller id. Facts
    /// that agree in both but not in content are told apart by content, so that arrival never
    /// decides.
    pub(super) fn standing_order(self, a: &Record, b: &Record, names: &Names) -> Ordering {
        let numbers = |record: &Record| (self.first_span(record), self.second_span(record));
        let queue = |record: &Record| record.queue().map(|queue| names.queues.text(queue.0));
        let channel = |record: &Record| record.channel().map(|at| names.channels.text(at.0));
        a.time
            .cmp(&b.time)
            .then_with(|| self.id(a).cmp(self.id(b)))
            .then_with(|| (a.code, a.visit, a.detail).cmp(&(b.code, b.visit, b.detail)))
            .then_with(|| self.agent(a).cmp(self.agent(b)))
            .then_with(|| numbers(a).cmp(&numbers(b)))
            .then_with(|| (queue(a), channel(a)).cmp(&(queue(b), channel(b))))
            .then_with(|| a.direction.cmp(&b.direction))
    }
}

/// Takes a record's bytes out of the buffer, so that a buffer holds what its records need.
pub(super) fn remove(records: &mut Vec<Record>, bytes: &mut Vec<u8>, index: usize) {
    let range = records.remove(index).range();
    let gone = u32::try_from(range.len()).unwrap_or(u32::MAX);
    for record in records.iter_mut() {
        if record.start as usize >= range.end {
            record.start -= gone;
        }
    }
    bytes.drain(range);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Record>() <= 40);
    }
}
