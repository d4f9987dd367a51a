//! The canonical events of a contact centre, borrowed from the record they were decoded from.
//!
//! What each event means, and how events of one contact or agent are folded into figures, is told
//! in `docs/events.md`. Nothing here can hold a customer's number, name or address.

mod discard;
mod shown;
mod time;
mod zone;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use discard::{Correction, Discard};
pub use shown::shown;
pub use time::{Millis, Span};
pub use zone::Zones;

/// Text borrowed from a record, owned only where it carried escapes.
pub type Text<'a> = Cow<'a, str>;

/// One event of one of the three canonical topics.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// The life of a contact.
    Contact(ContactEvent<'a>),
    /// What an agent declared, or the agent's side of a contact.
    Agent(AgentEvent<'a>),
    /// What a queue is: settings, forecasts, gaps of its source. Never counted.
    Queue(QueueEvent<'a>),
}

/// The topics, by what they carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `contact-events`.
    Contact,
    /// `agent-events`.
    Agent,
    /// `queue-events`.
    Queue,
}

impl Event<'_> {
    /// Which topic this event belongs to.
    pub const fn family(&self) -> Family {
        match self {
            Self::Contact(_) => Family::Contact,
            Self::Agent(_) => Family::Agent,
            Self::Queue(_) => Family::Queue,
        }
    }

    /// When it happened.
    pub const fn time(&self) -> Millis {
        match self {
            Self::Contact(event) => event.time,
            Self::Agent(event) => event.time,
            Self::Queue(event) => event.time,
        }
    }
}

/// The way a contact takes relative to the centre; see `docs/events.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Direction {
    Inbound,
    Outbound,
    Internal,
    Consult,
    Monitor,
}

/// Why a visit ended unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The customer left.
    Abandoned,
    /// Swapped for a callback: never an abandon.
    Callback,
    /// Routed out; which way.
    FlowedOut(FlowOut),
}

/// The ways of flowing out of a queue unanswered, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum FlowOut {
    Overflow,
    Timeout,
    ExitKey,
    NoAgents,
    Transfer,
    Withdrawn,
    Error,
}

impl FlowOut {
    /// Every way, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Overflow,
        Self::Timeout,
        Self::ExitKey,
        Self::NoAgents,
        Self::Transfer,
        Self::Withdrawn,
        Self::Error,
    ];

    /// The name used in events, labels and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Timeout => "timeout",
            Self::ExitKey => "exit_key",
            Self::NoAgents => "no_agents",
            Self::Transfer => "transfer",
            Self::Withdrawn => "withdrawn",
            Self::Error => "error",
        }
    }
}

/// Who ended an agent's part of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum EndedBy {
    Customer,
    Agent,
    System,
    Transfer,
}

/// One event in the life of a contact.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactEvent<'a> {
    /// Unique per event; the same id again is the same event delivered twice.
    pub id: Text<'a>,
    /// When it happened.
    pub time: Millis,
    /// The organization the centre works for; `default` when the record names none.
    pub client_id: Text<'a>,
    /// The campaign, if stated.
    pub campaign_id: Option<Text<'a>>,
    /// The contact.
    pub contact_id: Text<'a>,
    /// The queue, if stated.
    pub queue_id: Option<Text<'a>>,
    /// The channel, if stated: `voice`, `chat` or any other text.
    pub channel: Option<Text<'a>>,
    /// The direction, if stated.
    pub direction: Option<Direction>,
    /// The visit's number, from 1, if stated.
    pub visit: Option<u32>,
    /// The agent, if stated.
    pub agent_id: Option<Text<'a>>,
    /// What happened.
    pub kind: ContactKind,
}

/// What happened to a contact. Variants stand in the order that ranks facts of one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "docs/events.md describes each; the names are the event types"
)]
pub enum ContactKind {
    Created,
    /// A visit begins: offered. Always names its queue.
    Queued,
    Alerting,
    AlertFailed,
    Answered {
        queued_at: Option<Millis>,
    },
    Dequeued {
        outcome: Outcome,
        queued_at: Option<Millis>,
    },
    Held,
    Resumed,
    /// `attended` transfers leave the agent's part open; blind ones end it.
    Transferred {
        attended: bool,
    },
    Ended {
        by: Option<EndedBy>,
        talk: Option<Span>,
        hold: Option<Span>,
    },
    WrappedUp {
        acw: Option<Span>,
    },
    Responded,
    Resolved,
    Dialled,
    CallbackScheduled,
    CallbackAttempted,
    Rated,
    Complained,
    Closed,
}

/// One event of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentEvent<'a> {
    /// Unique per event.
    pub id: Text<'a>,
    /// When it happened.
    pub time: Millis,
    /// The client that the event names; `default` when it names none.
    pub client_id: Text<'a>,
    /// The agent; known by this alone.
    pub agent_id: Text<'a>,
    /// What happened.
    pub kind: AgentKind<'a>,
}

/// What an agent declared, or what a contact did at the agent, in the order that ranks facts of
/// one instant.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "docs/events.md describes each; the names are the event types"
)]
pub enum AgentKind<'a> {
    LoggedIn,
    LoggedOut,
    State {
        state: Presence,
        reason: Option<Text<'a>>,
    },
    Queues(Vec<Membership<'a>>),
    Capacity(Capacity<'a>),
    Contact(AgentContact<'a>),
    Snapshot(AgentSnapshot<'a>),
}

/// What an agent declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Presence {
    Available,
    Aux,
    Offline,
}

/// A queue that an agent is a member of.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are the event's own")]
pub struct Membership<'a> {
    pub client_id: Option<Text<'a>>,
    pub queue_id: Text<'a>,
    /// `voice` when the record names none.
    pub channel: Option<Text<'a>>,
}

/// How many contacts an agent can have at once, by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity<'a> {
    /// Channel and its slots.
    pub slots: Vec<(Text<'a>, u32)>,
    /// All slots may be used at once.
    pub shared: bool,
}

/// State of a contact at an agent, in the order that ranks facts of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum ActivityState {
    Alerting,
    Connected,
    Held,
    Acw,
    Released,
    Missed,
    Rejected,
    Error,
}

/// From `time` on, this contact is in this state at this agent.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are the event's own")]
pub struct AgentContact<'a> {
    pub contact_id: Text<'a>,
    pub state: ActivityState,
    pub queue_id: Option<Text<'a>>,
    pub channel: Option<Text<'a>>,
    pub direction: Option<Direction>,
    /// With `acw`: it is over by itself after this time.
    pub for_ms: Option<Span>,
}

/// A complete statement of an agent at `time`; a field that it lacks says nothing.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are the event's own")]
pub struct AgentSnapshot<'a> {
    pub presence: Option<Presence>,
    pub reason: Option<Text<'a>>,
    pub queues: Option<Vec<Membership<'a>>>,
    pub capacity: Option<Capacity<'a>>,
    pub contacts: Option<Vec<SnapshotContact<'a>>>,
}

/// A contact that a snapshot lists.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are the event's own")]
pub struct SnapshotContact<'a> {
    pub contact_id: Text<'a>,
    pub client_id: Option<Text<'a>>,
    pub queue_id: Option<Text<'a>>,
    pub channel: Option<Text<'a>>,
    pub state: ActivityState,
    pub since: Option<Millis>,
}

/// One event about a queue or a source: changes what is shown, never what is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueEvent<'a> {
    /// Unique per event.
    pub id: Text<'a>,
    /// When it was said; of one key the latest wins.
    pub time: Millis,
    /// The client.
    pub client_id: Text<'a>,
    /// The queue, where the type needs one.
    pub queue_id: Option<Text<'a>>,
    /// The channel, if stated.
    pub channel: Option<Text<'a>>,
    /// What was said.
    pub kind: QueueKind<'a>,
}

/// What was said of a queue or a source.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "docs/events.md describes each; the names are the event types"
)]
pub enum QueueKind<'a> {
    Configured(QueueConfigured<'a>),
    Forecast {
        interval_start: Millis,
        interval: Span,
        offered: f64,
        aht: Span,
        agents: f64,
    },
    Removed,
    SourceGap {
        source: Text<'a>,
        from: Millis,
        to: Millis,
    },
}

/// View settings of a queue that override the configuration file's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueConfigured<'a> {
    /// Target service level, 0..=1.
    pub target: Option<f64>,
    /// Service threshold T.
    pub threshold: Option<Span>,
    /// Short-abandon threshold S.
    pub short_abandon: Option<Span>,
    /// `sl1` … `sl12`.
    pub variant: Option<Text<'a>>,
    /// Opening hours, kept as text.
    pub hours: Option<Text<'a>>,
    /// Business unit.
    pub group: Option<Text<'a>>,
    /// What people call the queue.
    pub display_name: Option<Text<'a>>,
}
