//! Which rows a snapshot has, in which order, and what each is added up from. Made anew when queues,
//! rows of agents, view settings or contact feeds have changed, else kept from tick to tick.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::event::{Millis, Span};
use crate::kpi::QueueView;
use crate::windows::frame::Frame;
use crate::windows::numbering::{AgentRow, AgentRowNo, ClientId, ReasonId};

use super::registry::{GapSpan, Shape};
use super::{QueueEntry, Registry, RowName};

/// So many channels may each take memory of their own while windows are added up.
pub(super) const CHANNELS_FEW: usize = 64;

/// What a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Basis {
    shape: Shape,
    feeds: BTreeSet<ClientId>,
    threshold: Option<Span>,
}

impl Basis {
    /// What a plan for these frames is made from now.
    pub(super) fn new(frames: &[Arc<Frame>], registry: &Registry, threshold: Option<Span>) -> Self {
        Self {
            shape: registry.shape(),
            feeds: feeds(frames),
            threshold,
        }
    }
}

/// The rows of a snapshot.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) basis: Basis,
    /// By client, queue, channel.
    pub(super) queues: Vec<QueuePlan>,
    /// Clients, groups, channels, each by name; then the total.
    pub(super) subtotals: Vec<SubtotalPlan>,
    /// Spans without data.
    pub(super) gaps: Vec<GapSpan>,
    /// It holds whatever is shown: nothing was left out that may be there at the next look.
    pub(super) lasting: bool,
    /// Aux reasons by number, each with its place in the order of the texts.
    reasons: Vec<Option<(Arc<String>, usize)>>,
}

/// One queue.
#[derive(Debug)]
pub(super) struct QueuePlan {
    pub(super) name: Arc<RowName>,
    pub(super) entry: Arc<QueueEntry>,
    pub(super) view: Arc<QueueView>,
    pub(super) agents: AgentParts,
    pub(super) subtotals: Places,
}

/// The subtotals that a queue is added to, by their places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) client: usize,
    pub(super) channel: usize,
    pub(super) group: Option<usize>,
    pub(super) total: usize,
}

/// One subtotal.
#[derive(Debug)]
pub(super) struct SubtotalPlan {
    pub(super) name: Arc<RowName>,
    pub(super) client: Option<ClientId>,
    pub(super) agents: AgentParts,
    /// Of a group, its queues by their places; of a channel too, if there are more than
    /// [`CHANNELS_FEW`].
    pub(super) members: Vec<usize>,
}

/// What one row's agents are added up from.
#[derive(Clone, Debug)]
pub(super) struct AgentParts {
    /// A contact feed tells what they do.
    pub(super) known: bool,
    /// Rows of agents' columns, each with whether its agents' activity is known.
    pub(super) rows: Vec<(AgentRowNo, bool)>,
}

/// What there is to show of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueState {
    /// Something was ever counted.
    pub(super) used: bool,
    /// There is nothing now, nor in a window.
    pub(super) vanished: bool,
}

impl Plan {
    /// The rows of these frames. `state` tells whether there is something to show of a queue that
    /// need not have a row: one that was removed, or one that only settings without a channel made,
    /// while the queue has another channel. So rows do not depend on whether the settings or the
    /// queue's first event came first.
    pub(super) fn new(
        basis: Basis,
        registry: &Registry,
        state: impl Fn(&QueueEntry, &AgentParts) -> QueueState,
    ) -> Self {
        let agents = AgentIndex::new(&basis.feeds, registry);
        let mut entries: Vec<Arc<QueueEntry>> = registry.entries().collect();
        let mut lasting = entries.len() == registry.entries_given();
        entries.sort_by(|left, right| left.key.cmp(&right.key));
        let mut names: BTreeMap<RowName, usize> = agents.names();
        let mut rows = Vec::with_capacity(entries.len());
        let optional = optional(&entries, registry);
        for (entry, optional) in entries.into_iter().zip(optional) {
            let view = shown(&entry, basis.threshold);
            let name = RowName::Queue(entry.key.clone());
            let parts = agents.of(&name);
            if entry.removed() || optional {
                let state = state(&entry, &parts);
                if entry.removed() || !state.used {
                    // it comes and goes with what there is to show
                    lasting = false;
                    if state.vanished {
                        continue;
                    }
                }
            }
            names.extend(subtotals_of(&entry, &view).map(|name| (name, 0)));
            rows.push((Arc::new(name), entry, view, parts));
        }
        for (place, number) in names.values_mut().enumerate() {
            *number = place;
        }
        let queues = rows.into_iter();
        let queues = queues.map(|(name, entry, view, agents)| QueuePlan {
            name,
            subtotals: Places::of(&entry, &view, &names),
            entry,
            view,
            agents,
        });
        let queues: Vec<QueuePlan> = queues.collect();
        let mut members = vec![Vec::new(); names.len()];
        let is_channel = |name: &&RowName| matches!(name, RowName::Channel(_));
        let many_channels = names.keys().filter(is_channel).count() > CHANNELS_FEW;
        for (queue, plan) in queues.iter().enumerate() {
            let channel = many_channels.then_some(plan.subtotals.channel);
            for place in plan.subtotals.group.into_iter().chain(channel) {
                if let Some(members) = members.get_mut(place) {
                    members.push(queue);
                }
            }
        }
        let reasons = Self::ranked(registry.reasons());
        let subtotals = names.into_keys().zip(members);
        let subtotals = subtotals.map(|(name, members)| SubtotalPlan {
            client: match &name {
                RowName::Client(client) => registry.find_client(client),
                _ => None,
            },
            agents: agents.of(&name),
            members,
            name: Arc::new(name),
        });
        Self {
            queues,
            subtotals: subtotals.collect(),
            gaps: registry.gaps(),
            lasting: lasting && reasons.iter().all(Option::is_some),
            reasons,
            basis,
        }
    }

    /// The text of a reason, and its place in the order of the texts.
    pub(super) fn reason(&self, reason: ReasonId) -> Option<&(Arc<String>, usize)> {
        self.reasons.get(reason.index())?.as_ref()
    }

    /// Whether a source of the client had a gap in (from, to]; of any client when none is named.
    pub(super) fn gap_in(&self, client: Option<ClientId>, from: Millis, to: Millis) -> bool {
        self.gaps.iter().any(|&(whose, begin, end)| {
            client.is_none_or(|client| client == whose) && begin <= to && end > from
        })
    }

    fn ranked(texts: Vec<Option<Arc<String>>>) -> Vec<Option<(Arc<String>, usize)>> {
        let sorted: BTreeSet<Arc<String>> = texts.iter().flatten().cloned().collect();
        let ranks: BTreeMap<Arc<String>, usize> = sorted.into_iter().zip(0..).collect();
        let ranked = |text: Arc<String>| {
            let rank = ranks.get(&text).copied()?;
            Some((text, rank))
        };
        texts
            .into_iter()
            .map(|text| text.and_then(ranked))
            .collect()
    }
}

/// Which of the entries, sorted, are of a queue with another channel and may be there because of
/// settings without a channel alone.
fn optional(entries: &[Arc<QueueEntry>], registry: &Registry) -> Vec<bool> {
    let same_queue = |left: &Arc<QueueEntry>, right: &Arc<QueueEntry>| {
        let (left, right) = (&left.key, &right.key);
        (&left.client, &left.queue) == (&right.client, &right.queue)
    };
    entries
        .chunk_by(same_queue)
        .flat_map(|channels| {
            let several = channels.len() > 1;
            channels
                .iter()
                .map(move |entry| several && registry.is_assumed(entry))
        })
        .collect()
}

/// How a queue is shown, with the T that was asked for.
fn shown(entry: &QueueEntry, threshold: Option<Span>) -> Arc<QueueView> {
    let view = entry.view();
    match threshold {
        None => view,
        Some(threshold) => Arc::new(QueueView {
            threshold,
            short_abandon: view.short_abandon.min(threshold),
            ..QueueView::clone(&view)
        }),
    }
}

fn subtotals_of(entry: &QueueEntry, view: &QueueView) -> impl Iterator<Item = RowName> {
    let names = [
        RowName::Client(entry.key.client.clone()),
        RowName::Channel(entry.key.channel.clone()),
        RowName::Total,
    ];
    names
        .into_iter()
        .chain(view.group.clone().map(RowName::Group))
}

impl Places {
    /// Those of a queue; every name that [`subtotals_of`] gives for it has its place.
    fn of(entry: &QueueEntry, view: &QueueView, names: &BTreeMap<RowName, usize>) -> Self {
        let place = |name: RowName| names.get(&name).copied();
        let [client, channel, total, group] = {
            let mut places = subtotals_of(entry, view).map(place);
            std::array::from_fn(|_| places.next().flatten())
        };
        Self {
            client: client.unwrap_or_default(),
            channel: channel.unwrap_or_default(),
            total: total.unwrap_or_default(),
            group,
        }
    }

    /// All of them.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        let all = [self.client, self.channel, self.total];
        all.into_iter().chain(self.group)
    }
}

/// Which rows of agents' columns make up a row, and whether a contact feed makes it known.
struct AgentIndex<'a> {
    /// By name: the numbers, each with whether its agents' activity is known.
    parts: BTreeMap<RowName, Vec<(AgentRowNo, bool)>>,
    feeds: &'a BTreeSet<ClientId>,
    /// Groups of which a queue's client has a feed.
    group_known: BTreeSet<String>,
    client_names: BTreeMap<String, ClientId>,
}

impl<'a> AgentIndex<'a> {
    fn new(feeds: &'a BTreeSet<ClientId>, registry: &Registry) -> Self {
        let mut index = Self {
            parts: BTreeMap::new(),
            feeds,
            group_known: BTreeSet::new(),
            client_names: BTreeMap::new(),
        };
        for entry in registry.entries() {
            index
                .client_names
                .insert(entry.key.client.clone(), entry.client);
            if index.feeds.contains(&entry.client)
                && let Some(group) = entry.view().group.clone()
            {
                index.group_known.insert(group);
            }
        }
        for (number, row) in registry.agent_row_keys() {
            index.add(number, &row, registry);
        }
        index
    }

    fn add(&mut self, number: AgentRowNo, row: &AgentRow, registry: &Registry) {
        let any = |clients: &[ClientId]| clients.iter().any(|client| self.feeds.contains(client));
        let (name, known) = match row {
            AgentRow::Queue(queue) => match registry.entry_of(*queue) {
                Some(entry) => (
                    RowName::Queue(entry.key.clone()),
                    self.feeds.contains(&entry.client),
                ),
                None => return,
            },
            AgentRow::Client(client) => match registry.client_name(*client) {
                Some(name) => {
                    self.client_names.insert(String::clone(&name), *client);
                    (
                        RowName::Client(String::clone(&name)),
                        self.feeds.contains(client),
                    )
                }
                None => return,
            },
            AgentRow::Group(group, clients) => (RowName::Group(group.clone()), any(clients)),
            AgentRow::Channel(channel, clients) => {
                (RowName::Channel(channel.clone()), any(clients))
            }
            AgentRow::Total(clients) => (RowName::Total, any(clients)),
        };
        self.parts.entry(name).or_default().push((number, known));
    }

    /// The subtotals that are there because of agents: a group is what its queues say it is,
    /// without queues there is none.
    fn names(&self) -> BTreeMap<RowName, usize> {
        let of_agents = |name: &&RowName| matches!(name, RowName::Client(_) | RowName::Channel(_));
        let names = self.parts.keys().filter(of_agents).cloned();
        let names = names.chain(std::iter::once(RowName::Total));
        names.map(|name| (name, 0)).collect()
    }

    /// Whether a contact feed tells what the agents of a row do.
    fn known(&self, name: &RowName) -> bool {
        let has_feed = |client: &String| {
            self.client_names
                .get(client)
                .is_some_and(|client| self.feeds.contains(client))
        };
        match name {
            RowName::Queue(key) => has_feed(&key.client),
            RowName::Client(client) => has_feed(client),
            RowName::Group(group) => self.group_known.contains(group),
            RowName::Channel(_) | RowName::Total => !self.feeds.is_empty(),
        }
    }

    /// What a row's agents are added up from.
    fn of(&self, name: &RowName) -> AgentParts {
        AgentParts {
            known: self.known(name),
            rows: self.parts.get(name).cloned().unwrap_or_default(),
        }
    }
}

/// The clients that some worker knows to have a contact feed.
fn feeds(frames: &[Arc<Frame>]) -> BTreeSet<ClientId> {
    let mut feeds = BTreeSet::new();
    for frame in frames {
        for (client, _) in (0_u32..).zip(&frame.feeds).filter(|(_, fed)| **fed) {
            feeds.insert(ClientId(client));
        }
    }
    feeds
}
