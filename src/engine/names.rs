//! A partition's own numbers of clients, queues, channels, rows, sets and profiles, in order of
//! first appearance. The dictionary is part of the partition's state: facts carry its numbers, and
//! the worker maps them to the registry's.
//!
//! Maps are asked several times an event, so they hash fast; each is randomly seeded, and none is
//! ever iterated.

mod image;

pub(crate) use image::NamesImage;

use std::sync::Arc;

use rapidhash::{RapidHashMap, RapidHashSet};
use serde::{Deserialize, Serialize};

use crate::event::{Millis, Presence, Span};

use super::settings::{AfterContact, StateSettings, ZoneNo};

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

number! {
    /// A client of this partition.
    ClientNo,
    /// A queue id (text only, whatever its client) of this partition.
    QueueIdNo,
    /// A channel of this partition; number 0 is `voice`.
    ChannelNo,
    /// An aux reason of this partition; number 0 is `not_ready`.
    ReasonNo,
    /// A row (client, queue, channel) of this partition.
    RowNo,
    /// A set of rows and clients that an agent serves.
    SetNo,
    /// A profile that an agent can be in.
    ProfileNo,
}

/// Text to number and back.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    numbers: RapidHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Interner {
    /// The number of a text, new if it was never seen. No allocation for a known text.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// The number of a text, if it was ever seen.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// Every text in order of its number.
    pub fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }
}

/// What is known of a row, with the settings that count for it.
#[derive(Clone, Debug)]
pub struct RowInfo {
    /// The client.
    pub client: ClientNo,
    /// The queue; `None` for contacts at agents that name none (shown in client, channel and total
    /// rows only).
    pub queue: Option<QueueIdNo>,
    /// The channel.
    pub channel: ChannelNo,
    /// The queue's own zone.
    pub zone: ZoneNo,
    /// The channel's rungs, ascending.
    pub rungs: Arc<[Span]>,
    /// The queue's after-contact rule.
    pub after_contact: AfterContact,
    /// How long a contact of the channel stays in flight without news.
    pub ghost_after: Span,
}

/// A set of rows that an agent serves, and the clients he counts for. Both sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SetInfo {
    /// The rows.
    pub rows: Vec<RowNo>,
    /// The clients of the rows; for an agent who serves no row, every client that his events named.
    pub clients: Vec<ClientNo>,
}

/// What an agent does, by precedence: the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Activity {
    NotResponding,
    OnContact,
    Acw,
    Alerting,
    Idle,
}

/// Everything about an agent that a staff figure depends on. Offline and idle with no contact posts
/// no profile at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Profile {
    /// Declared.
    pub presence: Presence,
    /// With presence aux: why.
    pub reason: Option<ReasonNo>,
    /// By precedence.
    pub activity: Activity,
    /// Contacts connected, held or in ACW; *busy* means at least one.
    pub busy_contacts: u16,
    /// Contacts alerting, connected, held or in ACW: slots in use.
    pub used: u16,
    /// Usable slots.
    pub usable: u16,
}

/// Tells one dictionary from every other, a copy of it included: numbers of the one mean nothing in
/// the other.
#[derive(Debug, Default)]
pub struct Token(Arc<()>);

impl Token {
    /// The same token once more, for whoever remembers the dictionary.
    #[must_use]
    pub fn remembered(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Clone for Token {
    /// That of a copy of the dictionary.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The dictionary of one partition.
#[derive(Clone, Debug)]
pub struct Names {
    token: Token,
    settings: Arc<StateSettings>,
    /// Clients.
    pub clients: Interner,
    /// Queue ids.
    pub queues: Interner,
    /// Channels.
    pub channels: Interner,
    /// Aux reasons.
    pub reasons: Interner,
    rows: Vec<RowInfo>,
    row_numbers: RapidHashMap<(ClientNo, Option<QueueIdNo>, ChannelNo), RowNo>,
    /// Client and queue of every row, whatever its channel.
    served: RapidHashSet<(ClientNo, QueueIdNo)>,
    sets: Vec<SetInfo>,
    set_numbers: RapidHashMap<SetInfo, SetNo>,
    /// By row: the set of that row alone, once it was asked for.
    row_sets: Vec<Option<SetNo>>,
    profiles: Vec<Profile>,
    profile_numbers: RapidHashMap<Profile, ProfileNo>,
    feeds: Vec<Millis>,
}

impl Names {
    /// An empty dictionary.
    pub fn new(settings: Arc<StateSettings>) -> Self {
        let mut channels = Interner::default();
        channels.number("voice");
        let mut reasons = Interner::default();
        reasons.number("not_ready");
        Self {
            token: Token::default(),
            settings,
            clients: Interner::default(),
            queues: Interner::default(),
            channels,
            reasons,
            rows: Vec::new(),
            row_numbers: RapidHashMap::default(),
            served: RapidHashSet::default(),
            sets: Vec::new(),
            set_numbers: RapidHashMap::default(),
            row_sets: Vec::new(),
            profiles: Vec::new(),
            profile_numbers: RapidHashMap::default(),
            feeds: Vec::new(),
        }
    }

    /// What tells it from every other dictionary.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The settings that count.
    pub fn settings(&self) -> &Arc<StateSettings> {
        &self.settings
    }

    /// The number of a row, new if it was never seen.
    pub fn row(&mut self, client: ClientNo, queue: Option<QueueIdNo>, channel: ChannelNo) -> RowNo {
        if let Some(&row) = self.row_numbers.get(&(client, queue, channel)) {
            return row;
        }
        let row = RowNo(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        let (client_id, channel_id) = (self.clients.text(client.0), self.channels.text(channel.0));
        let queue_id = queue.map_or("", |queue| self.queues.text(queue.0));
        self.rows.push(RowInfo {
            client,
            queue,
            channel,
            zone: self.settings.zone(client_id, queue_id, channel_id),
            rungs: self.settings.rungs(channel_id),
            after_contact: self.settings.after_contact(client_id, queue_id, channel_id),
            ghost_after: self.settings.ghost_after(channel_id),
        });
        self.row_numbers.insert((client, queue, channel), row);
        self.served.extend(queue.map(|queue| (client, queue)));
        row
    }

    /// Whether it holds as many names or rows as it may: then only events that name nothing new are
    /// counted.
    pub fn is_full(&self) -> bool {
        let texts = [&self.clients, &self.queues, &self.channels, &self.reasons];
        let most = texts.map(|texts| texts.texts.len()).into_iter().max();
        self.rows.len().max(most.unwrap_or_default()) >= self.settings.max_queues
    }

    /// Whether there is such a row; without a channel, one of any channel.
    pub fn has_row(&self, client: &str, queue: Option<&str>, channel: Option<&str>) -> bool {
        let find = || {
            let client = ClientNo(self.clients.find(client)?);
            let queue = match queue {
                Some(queue) => Some(QueueIdNo(self.queues.find(queue)?)),
                None => None,
            };
            if let (Some(queue), None) = (queue, channel) {
                return Some(self.served.contains(&(client, queue)));
            }
            let channel = ChannelNo(self.channels.find(channel.unwrap_or("voice"))?);
            Some(self.row_numbers.contains_key(&(client, queue, channel)))
        };
        find().unwrap_or(false)
    }

    /// The number of a set, new if it was never seen. Rows and clients must be sorted.
    pub fn set(&mut self, set: &SetInfo) -> SetNo {
        if let Some(&number) = self.set_numbers.get(set) {
            return number;
        }
        let number = SetNo(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        self.sets.push(set.clone());
        self.set_numbers.insert(set.clone(), number);
        number
    }

    /// The number of the set of one row and its client.
    pub fn set_of_row(&mut self, row: RowNo) -> SetNo {
        if let Some(&Some(set)) = self.row_sets.get(row.index()) {
            return set;
        }
        let set = self.set(&SetInfo {
            rows: vec![row],
            clients: vec![self.row_info(row).client],
        });
        if self.row_sets.len() <= row.index() {
            self.row_sets.resize(self.rows.len(), None);
        }
        self.row_sets[row.index()] = Some(set);
        set
    }

    /// The number of a profile, new if it was never seen.
    pub fn profile(&mut self, profile: Profile) -> ProfileNo {
        if let Some(&number) = self.profile_numbers.get(&profile) {
            return number;
        }
        let number = ProfileNo(u32::try_from(self.profiles.len()).unwrap_or(u32::MAX));
        self.profiles.push(profile);
        self.profile_numbers.insert(profile, number);
        number
    }

    /// Notes that an `agent.contact`, or a snapshot with contacts, of this time named the client: from
    /// then on it has a contact feed.
    pub fn note_feed(&mut self, client: ClientNo, time: Millis) {
        if self.feeds.len() <= client.index() {
            self.feeds.resize(client.index() + 1, Millis::MAX);
        }
        if let Some(since) = self.feeds.get_mut(client.index()) {
            *since = time.min(*since);
        }
    }

    /// Since when each client has a contact feed, by its number; [`Millis::MAX`], or beyond the end,
    /// for one that has none. At an instant it counts if it is not later.
    pub fn feeds(&self) -> &[Millis] {
        &self.feeds
    }

    /// What is known of a row.
    pub fn row_info(&self, row: RowNo) -> &RowInfo {
        &self.rows[row.index()]
    }

    /// The rows and clients of a set.
    pub fn set_info(&self, set: SetNo) -> &SetInfo {
        &self.sets[set.index()]
    }

    /// A profile.
    pub fn profile_info(&self, profile: ProfileNo) -> &Profile {
        &self.profiles[profile.index()]
    }

    /// Every row in order of its number.
    pub fn rows(&self) -> &[RowInfo] {
        &self.rows
    }

    /// Every profile in order of its number.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// Every set in order of its number.
    pub fn sets(&self) -> &[SetInfo] {
        &self.sets
    }
}
