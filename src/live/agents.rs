//! Who is where: the agents of the instant that is shown, one by one.
//!
//! Made of the frames, as the figures are, so whoever counts the list gets the row's agents. Rows
//! between instances carry counts and nobody's name (a compacted topic that many may read is no
//! place for it), so with several instances each lists those whose partitions it has, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::engine::names::Activity;
use crate::event::{Family, Presence};
use crate::kpi::WORK_STATES;
use crate::windows::agents::AgentNow;
use crate::windows::frame::Frame;
use crate::windows::numbering::{ClientId, QueueNo, ReasonId};

use super::{Absent, Live, Look, Registry, Standing, rfc3339};

/// Whose agents: of every queue that has these names, of a client, or all.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgentsOf<'a> {
    /// Of this client.
    pub client: Option<&'a str>,
    /// Who serve a queue with this id.
    pub queue: Option<&'a str>,
    /// Who serve a queue of this channel.
    pub channel: Option<&'a str>,
}

/// Why nobody is listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAgents {
    /// It is switched off.
    #[error("agents are not listed: agents.list is false in the configuration")]
    Off,
    /// There is no such client or queue.
    #[error("there is no client, queue or channel of these names")]
    Unknown,
    /// Nothing is shown.
    #[error(transparent)]
    Absent(#[from] Absent),
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct AgentsList {
    at: String,
    data_age_seconds: Option<f64>,
    /// Whether these are the agents of every partition.
    complete: bool,
    /// The partitions of the agent topic whose agents these are.
    partitions: Vec<i32>,
    agents: Vec<Listed>,
}

#[derive(Clone, Debug, Serialize)]
struct Listed {
    agent_id: Option<Arc<str>>,
    presence: &'static str,
    reason: Option<Arc<String>>,
    activity: Option<&'static str>,
    since: Option<String>,
    contacts: Option<BTreeMap<Arc<str>, BTreeMap<&'static str, u32>>>,
}

/// Which agents, in the registry's numbers.
enum Wanted {
    All,
    Client(ClientId),
    Queues(BTreeSet<QueueNo>, Option<ClientId>),
}

impl Live {
    /// Whether agents are listed.
    pub fn lists_agents(&self) -> bool {
        self.registry().settings().list_agents
    }

    /// The agents of an instant: that of [`Self::look`], or, where others have partitions too, that
    /// of this instance's latest frames.
    ///
    /// # Errors
    /// Why nobody is listed.
    pub fn agents(&self, of: AgentsOf<'_>) -> Result<AgentsList, NoAgents> {
        if !self.lists_agents() {
            return Err(NoAgents::Off);
        }
        let wanted = Wanted::of(of, self.registry()).ok_or(NoAgents::Unknown)?;
        let look = self.look()?;
        let alone = (self.parts.standing)() == Standing::Alone;
        let frames = if alone {
            look.merged.frames.clone()
        } else {
            self.own_frames(&look)
        };
        let now = frames.first().map_or(look.merged.now, |frame| frame.now);
        let own = frames.iter().flat_map(|frame| &frame.parts);
        let own = own.filter(|part| part.family == Family::Agent);
        let partitions: BTreeSet<i32> = own.map(|part| part.partition).collect();
        let fed = |client: ClientId| {
            let mut all = frames.iter().chain(&look.merged.frames);
            all.any(|frame| frame.feeds.get(client.index()) == Some(&true))
        };
        let agents = frames.iter().flat_map(|frame| &frame.agents);
        let agents = agents.filter(|agent| wanted.has(agent));
        let listed = agents.filter_map(|agent| {
            let known = wanted.clients(agent).iter().any(|client| fed(*client));
            Listed::of(agent, known, self.registry())
        });
        let mut listed: Vec<Listed> = listed.collect();
        listed.sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(AgentsList {
            at: rfc3339(now),
            data_age_seconds: look.data_age_seconds(),
            complete: alone,
            partitions: partitions.into_iter().collect(),
            agents: listed,
        })
    }

    /// What this instance's workers published last, unless it holds what was taken away since.
    fn own_frames(&self, look: &Look) -> Vec<Arc<Frame>> {
        let frames = self.parts.frames.latest().unwrap_or_default();
        let shown_from = look.condition.shown_from;
        if frames.iter().any(|frame| frame.tick < shown_from) {
            return Vec::new();
        }
        frames
    }
}

impl Wanted {
    /// None if there is no such client or queue.
    fn of(of: AgentsOf<'_>, registry: &Registry) -> Option<Self> {
        let client = match of.client {
            Some(client) => Some(registry.find_client(client)?),
            None => None,
        };
        if of.queue.is_none() && of.channel.is_none() {
            return Some(client.map_or(Self::All, Self::Client));
        }
        let is = |asked: Option<&str>, name: &str| asked.is_none_or(|asked| asked == name);
        let named = registry.entries().filter(|entry| {
            let key = &entry.key;
            is(of.client, &key.client) && is(of.queue, &key.queue) && is(of.channel, &key.channel)
        });
        let queues: BTreeSet<QueueNo> = named.map(|entry| entry.number).collect();
        (!queues.is_empty()).then_some(Self::Queues(queues, client))
    }

    fn has(&self, agent: &AgentNow) -> bool {
        match self {
            Self::All => true,
            Self::Client(client) => agent.serves.clients.binary_search(client).is_ok(),
            Self::Queues(queues, _) => {
                let mut served = agent.serves.queues.iter();
                served.any(|queue| queues.contains(queue))
            }
        }
    }

    /// The clients of which one needs a contact feed for what he does to be known.
    fn clients<'a>(&'a self, agent: &'a AgentNow) -> &'a [ClientId] {
        match self {
            Self::Client(client) | Self::Queues(_, Some(client)) => std::slice::from_ref(client),
            Self::All | Self::Queues(_, None) => &agent.serves.clients,
        }
    }
}

impl Listed {
    /// None of one who is not online where only that is known.
    fn of(agent: &AgentNow, known: bool, registry: &Registry) -> Option<Self> {
        if !known && agent.presence == Presence::Offline {
            return None;
        }
        let text = |reason: ReasonId| registry.reason_text(reason);
        Some(Self {
            agent_id: agent.id.clone(),
            presence: match agent.presence {
                Presence::Available => "available",
                Presence::Aux => "aux",
                Presence::Offline => "offline",
            },
            reason: agent.reason.and_then(text),
            activity: known.then_some(match agent.activity {
                Activity::NotResponding => "not_responding",
                Activity::OnContact => "on_contact",
                Activity::Acw => "acw",
                Activity::Alerting => "alerting",
                Activity::Idle => "idle",
            }),
            since: agent.since.map(rfc3339),
            contacts: known.then(|| contacts(agent)),
        })
    }

    /// By id, those without one last.
    fn order(&self) -> (bool, Option<&str>) {
        (self.agent_id.is_none(), self.agent_id.as_deref())
    }
}

/// How many contacts he has, by channel and state.
fn contacts(agent: &AgentNow) -> BTreeMap<Arc<str>, BTreeMap<&'static str, u32>> {
    let mut counts: BTreeMap<Arc<str>, BTreeMap<&'static str, u32>> = BTreeMap::new();
    for (channel, state) in &agent.contacts {
        let of_channel = counts.entry(Arc::clone(channel)).or_default();
        for (_, name) in WORK_STATES.into_iter().filter(|(known, _)| known == state) {
            *of_channel.entry(name).or_default() += 1;
        }
    }
    counts
}
