//! Events as JSON lines in a reused buffer.

use std::ops::Range;

use jiff::Timestamp;

use crate::event::Millis;

use super::{SimEvent, Topic};

/// How a client's events state their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// Epoch milliseconds.
    Integer,
    /// RFC 3339.
    Text,
}

/// An odd factor is a bijection: ids look random and never meet.
const SCATTER: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Clone, Debug)]
struct Entry {
    topic: Topic,
    time: Millis,
    key: Range<usize>,
    json: Range<usize>,
}

/// The events written for the current action, handed out one by one.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Tells the ids of this run from those of another.
    run: u64,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    handed: usize,
    serial: u64,
    second: i64,
    second_text: String,
}

/// An event being written; [`Line::end`] completes it.
#[derive(Debug)]
#[must_use = "a line needs its end"]
pub(super) struct Line<'a> {
    writer: &'a mut Writer,
    topic: Topic,
    time: Millis,
    key: Range<usize>,
    start: usize,
}

impl Writer {
    /// Of a run that begins then. Its ids are its own: a simulation that is begun anew on the same
    /// topics tells of other contacts, where the same ids would be duplicates of the first.
    pub(super) fn of_run(seed: u64, from: Millis) -> Self {
        let run = seed ^ from.0.cast_unsigned().rotate_left(32);
        Self {
            run: run.wrapping_mul(SCATTER),
            ..Self::default()
        }
    }

    /// The number in a contact's id.
    pub(super) fn contact_number(&self, contact: u64) -> u64 {
        contact.wrapping_mul(SCATTER) ^ self.run
    }

    /// Hands out the next event, if one is left.
    pub(super) fn take(&mut self) -> Option<SimEvent<'_>> {
        let entry = self.entries.get(self.handed)?;
        self.handed += 1;
        Some(SimEvent {
            topic: entry.topic,
            key: &self.bytes[entry.key.clone()],
            time: entry.time,
            sent: entry.time,
            json: &self.bytes[entry.json.clone()],
        })
    }

    /// Whether [`Writer::take`] has something to hand out.
    pub(super) fn waiting(&self) -> bool {
        self.handed < self.entries.len()
    }

    /// Forgets what was handed out; the buffer is kept.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.handed = 0;
    }

    /// An event of a contact; `scope` is text made by [`scope`].
    pub(super) fn contact(
        &mut self,
        time: Millis,
        form: TimeForm,
        kind: &str,
        scope: &str,
        contact: u64,
    ) -> Line<'_> {
        let mut line = self.open(Topic::Contacts, time, form, kind);
        line.raw(scope);
        line.raw(",\"contact_id\":\"");
        line.key = line.contact_id(contact);
        line.raw("\"");
        line
    }

    /// An event of an agent.
    pub(super) fn agent(
        &mut self,
        time: Millis,
        form: TimeForm,
        kind: &str,
        scope: &str,
        agent: u32,
    ) -> Line<'_> {
        let mut line = self.open(Topic::Agents, time, form, kind);
        line.raw(scope);
        line.raw(",\"agent_id\":\"");
        line.key = line.agent_id(agent);
        line.raw("\"");
        line
    }

    /// An event about a queue.
    pub(super) fn queue(&mut self, time: Millis, kind: &str, scope: &str, key: &str) -> Line<'_> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(key.as_bytes());
        let mut line = self.open(Topic::Queues, time, TimeForm::Integer, kind);
        line.key = at..at + key.len();
        line.raw(scope);
        line
    }

    fn open(&mut self, topic: Topic, time: Millis, form: TimeForm, kind: &str) -> Line<'_> {
        let start = self.bytes.len();
        self.serial += 1;
        let serial = self.serial ^ self.run;
        if form == TimeForm::Text {
            self.state_second(time);
        }
        let mut line = Line {
            writer: self,
            topic,
            time,
            key: 0..0,
            start,
        };
        line.raw("{\"id\":\"EV");
        line.hex(serial, 12);
        line.raw("\",\"type\":\"");
        line.raw(kind);
        line.raw("\",\"time\":");
        match form {
            TimeForm::Integer => line.integer(time.0),
            TimeForm::Text => line.text_time(),
        }
        line
    }

    /// Keeps the text of the second that `time` lies in: the calendar is worked out once a second.
    fn state_second(&mut self, time: Millis) {
        let second = time.0.div_euclid(1000);
        if second == self.second && !self.second_text.is_empty() {
            return;
        }
        let text = Timestamp::from_second(second)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_string();
        self.second = second;
        self.second_text.clear();
        self.second_text.push_str(text.trim_end_matches('Z'));
    }
}

impl Line<'_> {
    /// Bytes as they are.
    pub(super) fn raw(&mut self, text: &str) {
        self.writer.bytes.extend_from_slice(text.as_bytes());
    }

    /// `,"name":"value"`; the value needs no escapes.
    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.raw("\"");
        self.raw(value);
        self.raw("\"");
        self
    }

    /// `,"name":value`.
    pub(super) fn number(mut self, name: &str, value: i64) -> Self {
        self.name(name);
        self.integer(value);
        self
    }

    /// `,"name":json`.
    pub(super) fn json(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.raw(value);
        self
    }

    /// `,"agent_id":…`.
    pub(super) fn by_agent(mut self, agent: u32) -> Self {
        self.raw(",\"agent_id\":\"");
        self.agent_id(agent);
        self.raw("\"");
        self
    }

    /// `,"name":` and a contact's id.
    pub(super) fn of_contact(mut self, name: &str, contact: u64) -> Self {
        self.name(name);
        self.raw("\"");
        self.contact_id(contact);
        self.raw("\"");
        self
    }

    /// Completes the event.
    pub(super) fn end(mut self) {
        self.raw("}");
        let json = self.start..self.writer.bytes.len();
        let (topic, time, key) = (self.topic, self.time, self.key);
        self.writer.entries.push(Entry {
            topic,
            time,
            key,
            json,
        });
    }

    pub(super) fn integer(&mut self, value: i64) {
        let mut digits = itoa::Buffer::new();
        self.writer
            .bytes
            .extend_from_slice(digits.format(value).as_bytes());
    }

    /// Writes a contact's id and says where it stands.
    pub(super) fn contact_id(&mut self, contact: u64) -> Range<usize> {
        let start = self.writer.bytes.len();
        self.raw("WT");
        self.hex(self.writer.contact_number(contact), 16);
        start..self.writer.bytes.len()
    }

    fn agent_id(&mut self, agent: u32) -> Range<usize> {
        let start = self.writer.bytes.len();
        self.raw("WK");
        self.integer(i64::from(agent) + 10_001);
        start..self.writer.bytes.len()
    }

    fn name(&mut self, name: &str) {
        self.raw(",\"");
        self.raw(name);
        self.raw("\":");
    }

    fn hex(&mut self, value: u64, digits: u32) {
        for place in (0..digits).rev() {
            let digit = (value >> (4 * place)) & 15;
            self.writer.bytes.push(b"0123456789abcdef"[digit as usize]);
        }
    }

    fn text_time(&mut self) {
        let millis = self.time.0.rem_euclid(1000);
        let writer = &mut *self.writer;
        writer.bytes.push(b'"');
        writer
            .bytes
            .extend_from_slice(writer.second_text.as_bytes());
        writer.bytes.push(b'.');
        for factor in [100, 10, 1] {
            writer.bytes.push(b'0' + (millis / factor % 10) as u8);
        }
        writer.bytes.extend_from_slice(b"Z\"");
    }
}

/// The part of an event's text that says where it belongs.
pub(super) fn scope(client: &str, queue: Option<(&str, &str)>) -> String {
    match queue {
        None => format!(",\"client_id\":\"{client}\""),
        Some((queue, channel)) => {
            format!(
                ",\"client_id\":\"{client}\",\"queue_id\":\"{queue}\",\"channel\":\"{channel}\""
            )
        }
    }
}
