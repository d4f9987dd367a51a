//! What a record is about: its key. Names, never numbers: every process numbers for itself.

use crate::live::{QueueKey, Registry};
use crate::windows::numbering::{AgentRow, AgentRowNo, ClientId, Numbering, QueueNo, ReasonId};

use super::bytes::{Bytes, put, put_text};

/// The version of keys and values. Records of another version are not read.
pub(super) const FORMAT: u8 = 1;

const BEAT: u8 = 0;
const WHOLE: u8 = 1;
const DIFFERENCE: u8 = 2;

/// A record's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The consumer group.
    pub group: String,
    /// The instance that sent it.
    pub instance: String,
    /// When that process began, in ms, and one more for each time that it began anew because records may
    /// not have arrived: the rows of another run are other rows.
    pub run: u64,
    /// What it is.
    pub what: What,
}

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A beat.
    Beat,
    /// A row, whole.
    Whole(RowKey),
    /// What a row differs by from the whole.
    Difference(RowKey),
}

/// The bytes by which a row is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub Box<[u8]>);

impl Key {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put_text(&mut out, &self.group);
        put_text(&mut out, &self.instance);
        put(&mut out, self.run);
        let (kind, row): (u8, &[u8]) = match &self.what {
            What::Beat => (BEAT, &[]),
            What::Whole(row) => (WHOLE, &row.0),
            What::Difference(row) => (DIFFERENCE, &row.0),
        };
        out.push(kind);
        out.extend_from_slice(row);
        out
    }

    /// From bytes; none if they are no key of this version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        if bytes.byte()? != FORMAT {
            return None;
        }
        let group = bytes.text()?.to_owned();
        let instance = bytes.text()?.to_owned();
        let run = bytes.number()?;
        let kind = bytes.byte()?;
        let row = || RowKey(bytes.0.into());
        let what = match kind {
            BEAT if bytes.is_empty() => What::Beat,
            WHOLE => What::Whole(row()),
            DIFFERENCE => What::Difference(row()),
            _ => return None,
        };
        Some(Self {
            group,
            instance,
            run,
            what,
        })
    }
}

/// A row in the numbers of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// Contact figures of a queue.
    Queue(QueueNo),
    /// A row of agents' figures.
    Agents(AgentRowNo),
    /// Agents of a row in aux for a reason.
    Aux(AgentRowNo, ReasonId),
    /// A client has a contact feed.
    Feed(ClientId),
}

const QUEUE: u8 = 0;
const AGENTS: u8 = 1;
const AUX: u8 = 2;
const FEED: u8 = 3;

impl Place {
    /// Its key; none while a name is just being added to the registry.
    pub(super) fn key(self, registry: &Registry) -> Option<RowKey> {
        let mut out = Vec::with_capacity(32);
        match self {
            Self::Queue(queue) => {
                out.push(QUEUE);
                put_queue(&mut out, registry, queue)?;
            }
            Self::Agents(row) => {
                out.push(AGENTS);
                put_agents(&mut out, registry, row)?;
            }
            Self::Aux(row, reason) => {
                out.push(AUX);
                put_agents(&mut out, registry, row)?;
                put_text(&mut out, &registry.reason_text(reason)?);
            }
            Self::Feed(client) => {
                out.push(FEED);
                put_text(&mut out, &registry.client_name(client)?);
            }
        }
        Some(RowKey(out.into()))
    }

    /// The row of a key, new in the registry if it was never seen.
    pub(super) fn of(key: &RowKey, registry: &Registry) -> Option<Self> {
        let mut bytes = Bytes(&key.0);
        let place = match bytes.byte()? {
            QUEUE => Self::Queue(queue(&mut bytes, registry)?),
            AGENTS => Self::Agents(agents(&mut bytes, registry)?),
            AUX => {
                let row = agents(&mut bytes, registry)?;
                Self::Aux(row, registry.reason(bytes.text()?))
            }
            FEED => Self::Feed(registry.client(bytes.text()?)),
            _ => return None,
        };
        bytes.is_empty().then_some(place)
    }
}

fn put_queue(out: &mut Vec<u8>, registry: &Registry, queue: QueueNo) -> Option<()> {
    let entry = registry.entry_of(queue)?;
    for name in [&entry.key.client, &entry.key.queue, &entry.key.channel] {
        put_text(out, name);
    }
    Some(())
}

fn queue(bytes: &mut Bytes<'_>, registry: &Registry) -> Option<QueueNo> {
    let (client, queue, channel) = (bytes.text()?, bytes.text()?, bytes.text()?);
    Some(registry.add_queue(&QueueKey::new(client, queue, channel)))
}

const OF_QUEUE: u8 = 0;
const OF_CLIENT: u8 = 1;
const OF_GROUP: u8 = 2;
const OF_CHANNEL: u8 = 3;
const OF_ALL: u8 = 4;

fn put_agents(out: &mut Vec<u8>, registry: &Registry, row: AgentRowNo) -> Option<()> {
    let put_clients = |out: &mut Vec<u8>, clients: &[ClientId]| {
        put(out, clients.len() as u64);
        clients.iter().try_for_each(|client| {
            put_text(out, &registry.client_name(*client)?);
            Some(())
        })
    };
    match &*registry.agent_row_of(row)? {
        AgentRow::Queue(queue) => {
            out.push(OF_QUEUE);
            put_queue(out, registry, *queue)
        }
        AgentRow::Client(client) => {
            out.push(OF_CLIENT);
            put_text(out, &registry.client_name(*client)?);
            Some(())
        }
        AgentRow::Group(group, clients) => {
            out.push(OF_GROUP);
            put_text(out, group);
            put_clients(out, clients)
        }
        AgentRow::Channel(channel, clients) => {
            out.push(OF_CHANNEL);
            put_text(out, channel);
            put_clients(out, clients)
        }
        AgentRow::Total(clients) => {
            out.push(OF_ALL);
            put_clients(out, clients)
        }
    }
}

fn agents(bytes: &mut Bytes<'_>, registry: &Registry) -> Option<AgentRowNo> {
    let clients = |bytes: &mut Bytes<'_>| -> Option<Box<[ClientId]>> {
        let count = bytes.number()?;
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(registry.client(bytes.text()?));
        }
        // sorted by number, and numbers are our own
        clients.sort_unstable();
        Some(clients.into())
    };
    let row = match bytes.byte()? {
        OF_QUEUE => AgentRow::Queue(queue(bytes, registry)?),
        OF_CLIENT => AgentRow::Client(registry.client(bytes.text()?)),
        OF_GROUP => AgentRow::Group(bytes.text()?.to_owned(), clients(bytes)?),
        OF_CHANNEL => AgentRow::Channel(bytes.text()?.to_owned(), clients(bytes)?),
        OF_ALL => AgentRow::Total(clients(bytes)?),
        _ => return None,
    };
    Some(registry.agent_row(&row))
}
