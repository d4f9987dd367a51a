//! The `[state]` settings: the only ones that counting may depend on (design: "settings that
//! count, settings that show"). Everything here is fixed while the engine runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Span, Zones};

/// The most rungs that one channel can have.
pub const RUNGS_MAX: usize = 12;

/// What happens after a contact, by queue pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AfterContact {
    /// No after-contact work, unless a `wrapped_up` states its `acw_ms`.
    None,
    /// In after-contact work until `wrapped_up`, at most `acw_max`.
    Events,
    /// After-contact work lasts this long, always.
    Timer(Span),
}

/// A pattern over client, queue and channel; `*` stands for any text, an absent part for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Glob over the client id.
    pub client: Option<String>,
    /// Glob over the queue id.
    pub queue: Option<String>,
    /// Glob over the channel.
    pub channel: Option<String>,
}

impl Pattern {
    /// Whether the pattern covers a queue.
    pub fn matches(&self, client: &str, queue: &str, channel: &str) -> bool {
        let part = |glob: &Option<String>, text: &str| {
            glob.as_deref()
                .is_none_or(|glob| glob_matches(glob.as_bytes(), text.as_bytes()))
        };
        part(&self.client, client) && part(&self.queue, queue) && part(&self.channel, channel)
    }
}

fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| glob_matches(rest, &text[skip..])),
        Some((byte, rest)) => text
            .split_first()
            .is_some_and(|(first, left)| first == byte && glob_matches(rest, left)),
    }
}

/// Number of a time zone in [`StateSettings::zones`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZoneNo(pub u16);

/// The settings that counting depends on. Built by `config`, read by `engine`.
#[derive(Clone, Debug)]
pub struct StateSettings {
    /// Behind stream time by more than this is late.
    pub late_after: Span,
    /// How long after its end a contact can still be corrected.
    pub settle_after: Span,
    /// How long the print of a settled contact is kept.
    pub retain: Span,
    /// How far a `time` may lie after the record's own timestamp.
    pub max_ahead: Span,
    /// How long an agent stays online without an event.
    pub agent_ttl: Span,
    /// After-contact work by `events` ends after this by itself.
    pub acw_max: Span,
    /// How long a contact stays in flight without news, by channel; see [`Self::ghost_after`].
    pub ghost_after: BTreeMap<String, Span>,
    /// The same for channels that are not named.
    pub ghost_after_other: Span,
    /// The rungs of each channel that the file names, ascending, at most [`RUNGS_MAX`].
    pub rungs: BTreeMap<String, Arc<[Span]>>,
    /// The rungs of channels that are not named.
    pub rungs_other: Arc<[Span]>,
    /// Every time zone in use; number 0 is the engine's own.
    pub zones: Zones,
    /// Zone by queue pattern; the first that matches holds, else zone 0.
    pub zone_by_queue: Vec<(Pattern, ZoneNo)>,
    /// After-contact rule by queue pattern; the first that matches holds, else `None`.
    pub after_contact: Vec<(Pattern, AfterContact)>,
    /// How long the fact log is kept: the longest window that is read from it, +
    /// [`Self::ahead_most`].
    pub log_keep: Span,
    /// How many queues (rows), and how many clients, queue ids, channels and aux reasons each, a
    /// partition learns. The last record learned may exceed it.
    pub max_queues: usize,
    /// The key of the id hash.
    pub id_key: u64,
    /// Agents' ids are kept, and since when each is as he is. Changes no figure, so snapshots of
    /// either kind are good for both: what they lack is known from the agent's next event on.
    pub list_agents: bool,
}

impl StateSettings {
    /// How far stream time may lie ahead of the clock before facts of now are lost: the log is kept
    /// for so much longer than the longest window. Clocks that agree never use it up, since an event
    /// lies at most `max_ahead` after its record's timestamp.
    pub fn ahead_most(&self) -> Span {
        Span(self.max_ahead.0 + self.late_after.0)
    }

    /// How long a contact of this channel stays in flight without news.
    pub fn ghost_after(&self, channel: &str) -> Span {
        self.ghost_after
            .get(channel)
            .copied()
            .unwrap_or(self.ghost_after_other)
    }

    /// How long a contact of any channel stays in flight without news, at the most: one that nobody has
    /// named may come with the next record.
    pub fn ghost_after_most(&self) -> Span {
        let named = self.ghost_after.values().copied();
        named.fold(self.ghost_after_other, Span::max)
    }

    /// The rungs of a channel.
    pub fn rungs(&self, channel: &str) -> Arc<[Span]> {
        Arc::clone(self.rungs.get(channel).unwrap_or(&self.rungs_other))
    }

    /// The zone of a queue.
    pub fn zone(&self, client: &str, queue: &str, channel: &str) -> ZoneNo {
        first_match(&self.zone_by_queue, client, queue, channel).unwrap_or(ZoneNo(0))
    }

    /// The after-contact rule of a queue.
    pub fn after_contact(&self, client: &str, queue: &str, channel: &str) -> AfterContact {
        first_match(&self.after_contact, client, queue, channel).unwrap_or(AfterContact::None)
    }
}

fn first_match<T: Copy>(
    rules: &[(Pattern, T)],
    client: &str,
    queue: &str,
    channel: &str,
) -> Option<T> {
    rules
        .iter()
        .find(|(pattern, _)| pattern.matches(client, queue, channel))
        .map(|(_, value)| *value)
}

impl Default for StateSettings {
    /// The compiled-in defaults, with UTC as the engine's zone.
    fn default() -> Self {
        let rungs: Arc<[Span]> = [5, 10, 20, 30, 60].map(Span::seconds).into();
        Self {
            late_after: Span::seconds(60),
            settle_after: Span::minutes(5),
            retain: Span::hours(4),
            max_ahead: Span::seconds(60),
            max_queues: 20_000,
            agent_ttl: Span::hours(16),
            acw_max: Span::minutes(10),
            ghost_after: [("voice", 4), ("video", 4), ("callback", 4), ("chat", 24)]
                .map(|(channel, hours)| (channel.to_owned(), Span::hours(hours)))
                .into(),
            ghost_after_other: Span::hours(30 * 24),
            rungs: BTreeMap::new(),
            rungs_other: rungs,
            zones: Zones::default(),
            zone_by_queue: Vec::new(),
            after_contact: Vec::new(),
            log_keep: Span::minutes(62),
            id_key: 0x5155_4555_4550_554c,
            list_agents: false,
        }
    }
}
