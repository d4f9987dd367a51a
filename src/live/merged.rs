//! The sum of the frames of one tick: every row's figures, and the subtotals.
//!
//! Contact figures of a subtotal are sums over its queues, each in its own variant, T and today.
//! Agents are counted once: a subtotal's agents come from rows of their own, never from queues.
//! Ratios and percentiles are made when a row is written; here are integers only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::event::{Millis, Span};
use crate::kpi::{QueueView, Staff};
use crate::windows::frame::{Frame, WindowKind, WindowSpec};
use crate::windows::numbering::{AgentRow, AgentRowNo, ClientId, ReasonId};

use super::{ContactNow, ContactWindow, Coverage, QueueEntry, Registry, Staffing};

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowName {
    /// One queue.
    Queue(super::QueueKey),
    /// One client.
    Client(String),
    /// One group of queues.
    Group(String),
    /// One channel.
    Channel(String),
    /// Everything.
    Total,
}

/// One row of a snapshot.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it stands for.
    pub name: RowName,
    /// The queue and how it is shown; none for subtotals.
    pub queue: Option<(Arc<QueueEntry>, Arc<QueueView>)>,
    /// Contacts now.
    pub contacts: ContactNow,
    /// Agents now.
    pub agents: Staffing,
    /// In the order of the window specs.
    pub windows: Vec<RowWindow>,
}

/// One window of a row.
#[derive(Clone, Debug, Default)]
pub struct RowWindow {
    /// Where it begins; [`Millis::MIN`] for `all`.
    pub from: Millis,
    /// Whether everything since `from` was read.
    pub complete: bool,
    /// Contact figures.
    pub contacts: ContactWindow,
    /// Agents' milliseconds.
    pub agents: Staffing,
}

/// Every figure of one instant.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The tick of its frames.
    pub tick: u64,
    /// The instant of the *now* figures.
    pub now: Millis,
    /// The end of every window.
    pub to: Millis,
    /// The windows.
    pub specs: Arc<[WindowSpec]>,
    /// Rows of queues, by client, queue, channel.
    pub queues: Vec<Row>,
    /// Rows of clients.
    pub clients: Vec<Row>,
    /// Rows of groups.
    pub groups: Vec<Row>,
    /// Rows of channels.
    pub channels: Vec<Row>,
    /// The row of everything.
    pub total: Row,
    /// The frames that were added.
    pub frames: Vec<Arc<Frame>>,
}

/// What a merge depends on beside frames and registry.
#[derive(Clone, Debug)]
pub struct MergeOptions<'a> {
    /// The windows, in the order of the frames'.
    pub specs: &'a Arc<[WindowSpec]>,
    /// What decides `complete`.
    pub coverage: &'a Coverage,
    /// Another T for all queues.
    pub threshold: Option<Span>,
}

/// Adds up the frames of one tick.
pub fn merge(frames: Vec<Arc<Frame>>, registry: &Registry, options: &MergeOptions<'_>) -> Merged {
    let mut entries: Vec<Arc<QueueEntry>> = registry.entries().collect();
    entries.sort_by(|left, right| left.key.cmp(&right.key));
    let (tick, now, to) = frames
        .first()
        .map_or_else(Default::default, |first| (first.tick, first.now, first.to));
    let merger = Merger {
        frames: &frames,
        registry,
        options,
        to,
        agents: AgentIndex::new(&frames, registry),
    };
    let queues: Vec<Row> = entries
        .iter()
        .map(|entry| merger.queue(entry))
        .filter(|row| !vanished(row))
        .collect();
    let clients = merger.subtotals(
        &queues,
        |entry, _| Some(entry.key.client.clone()),
        Kind::Client,
    );
    let groups = merger.subtotals(&queues, |_, view| view.group.clone(), Kind::Group);
    let channels = merger.subtotals(
        &queues,
        |entry, _| Some(entry.key.channel.clone()),
        Kind::Channel,
    );
    let total = merger.subtotal(RowName::Total, queues.iter());
    Merged {
        tick,
        now,
        to,
        specs: Arc::clone(options.specs),
        queues,
        clients,
        groups,
        channels,
        total,
        frames,
    }
}

/// Which subtotal.
#[derive(Clone, Copy)]
enum Kind {
    Client,
    Group,
    Channel,
}

impl Kind {
    fn name(self, text: String) -> RowName {
        match self {
            Self::Client => RowName::Client(text),
            Self::Group => RowName::Group(text),
            Self::Channel => RowName::Channel(text),
        }
    }
}

struct Merger<'a> {
    frames: &'a [Arc<Frame>],
    registry: &'a Registry,
    options: &'a MergeOptions<'a>,
    to: Millis,
    agents: AgentIndex,
}

impl Merger<'_> {
    fn queue(&self, entry: &Arc<QueueEntry>) -> Row {
        let view = self.view(entry);
        let name = RowName::Queue(entry.key.clone());
        let agents = self.agents.of(&name);
        Row {
            contacts: self.contacts_now(entry, &view),
            agents: self.agents_now(agents),
            windows: (0..self.options.specs.len())
                .map(|window| self.queue_window(entry, &view, agents, window))
                .collect(),
            name,
            queue: Some((Arc::clone(entry), view)),
        }
    }

    /// How the queue is shown, with the T that was asked for.
    fn view(&self, entry: &QueueEntry) -> Arc<QueueView> {
        let view = entry.view();
        match self.options.threshold {
            None => view,
            Some(threshold) => Arc::new(QueueView {
                threshold,
                short_abandon: view.short_abandon.min(threshold),
                ..QueueView::clone(&view)
            }),
        }
    }

    fn contacts_now(&self, entry: &QueueEntry, view: &QueueView) -> ContactNow {
        let gauges = self.sum(|frame| frame.gauges_of(entry.number));
        let oldest = self
            .frames
            .iter()
            .filter_map(|frame| frame.oldest.get(entry.number.index()))
            .min()
            .copied()
            .unwrap_or(Millis::MAX);
        ContactNow::of(&gauges, oldest, &entry.rungs, view)
    }

    fn queue_window(
        &self,
        entry: &QueueEntry,
        view: &QueueView,
        agents: AgentParts<'_>,
        window: usize,
    ) -> RowWindow {
        let queue = entry.number;
        let parts = || {
            self.frames
                .iter()
                .filter_map(move |frame| frame.windows.get(window))
        };
        let columns = sum_rows(parts().map(|part| part.contact_of(queue)));
        let mut contacts = ContactWindow::of(&columns, &entry.rungs, view);
        for part in parts() {
            contacts.add_distributions(
                part.wait.get(queue.index()).unwrap_or(&None),
                part.handle.get(queue.index()).unwrap_or(&None),
                part.wait_max.get(queue.index()).copied().unwrap_or(-1),
            );
        }
        let from = self.from(window, usize::from(entry.zone.0));
        RowWindow {
            from,
            complete: self.complete(&entry.key.channel, Some(entry.client), from, window),
            contacts,
            agents: self.agents_window(agents, window),
        }
    }

    /// Where a window begins in a zone. What the frames do not tell is worked out: there may be no
    /// frame yet that knows the zone.
    fn from(&self, window: usize, zone: usize) -> Millis {
        let known = self
            .frames
            .iter()
            .find_map(|frame| frame.windows.get(window)?.from.get(zone));
        let kind = self.options.specs.get(window).map(|spec| spec.kind);
        match (known, kind) {
            (Some(&from), _) => from,
            (None, Some(WindowKind::Sliding(length))) => self.to - length,
            (None, Some(WindowKind::Interval(length))) => {
                let zones = &self.registry.settings().zones;
                zones.interval_before(zone, self.to, length)
            }
            (None, Some(WindowKind::Today)) => {
                self.registry.settings().zones.day_before(zone, self.to)
            }
            (None, Some(WindowKind::All) | None) => Millis::MIN,
        }
    }

    fn complete(
        &self,
        channel: &str,
        client: Option<ClientId>,
        from: Millis,
        window: usize,
    ) -> bool {
        let all = matches!(
            self.options.specs.get(window).map(|spec| spec.kind),
            Some(WindowKind::All)
        );
        all || (self.options.coverage.complete(channel, from)
            && !self.registry.gap_in(client, from, self.to))
    }

    /// The rows of one kind of subtotal, sorted by name: those of queues, and those that only
    /// agents have.
    fn subtotals(
        &self,
        queues: &[Row],
        name_of: impl Fn(&QueueEntry, &QueueView) -> Option<String>,
        kind: Kind,
    ) -> Vec<Row> {
        let mut members: BTreeMap<RowName, Vec<&Row>> = BTreeMap::new();
        for row in queues {
            let name = row
                .queue
                .as_ref()
                .and_then(|(entry, view)| name_of(entry, view));
            if let Some(name) = name {
                members.entry(kind.name(name)).or_default().push(row);
            }
        }
        for name in self.agents.names() {
            let wanted = match kind {
                Kind::Client => matches!(name, RowName::Client(_)),
                Kind::Channel => matches!(name, RowName::Channel(_)),
                // a group is what its queues say it is: without queues there is none
                Kind::Group => false,
            };
            if wanted {
                members.entry(name.clone()).or_default();
            }
        }
        members
            .into_iter()
            .map(|(name, rows)| self.subtotal(name, rows.into_iter()))
            .collect()
    }

    fn subtotal<'r>(&self, name: RowName, rows: impl Iterator<Item = &'r Row>) -> Row {
        let agents = self.agents.of(&name);
        let mut sum = Row {
            queue: None,
            contacts: ContactNow::default(),
            agents: self.agents_now(agents),
            windows: (0..self.options.specs.len())
                .map(|window| self.subtotal_window(&name, agents, window))
                .collect(),
            name,
        };
        for row in rows {
            sum.contacts.add(&row.contacts);
            for (into, from) in sum.windows.iter_mut().zip(&row.windows) {
                into.contacts.add(&from.contacts);
                into.from = into.from.min(from.from);
                into.complete &= from.complete;
            }
        }
        sum
    }

    /// A subtotal's window before its queues are added: its agents follow the engine's own zone.
    fn subtotal_window(&self, name: &RowName, agents: AgentParts<'_>, window: usize) -> RowWindow {
        let from = self.from(window, 0);
        let channel = match name {
            RowName::Channel(channel) => channel.as_str(),
            _ => "voice",
        };
        let whole = match name {
            RowName::Group(group) => self.registry.group_whole_since(group, from),
            _ => true,
        };
        RowWindow {
            from,
            complete: whole && self.complete(channel, self.client_of(name), from, window),
            contacts: ContactWindow::default(),
            agents: self.agents_window(agents, window),
        }
    }

    fn client_of(&self, name: &RowName) -> Option<ClientId> {
        match name {
            RowName::Client(client) => self.registry.find_client(client),
            _ => None,
        }
    }

    fn agents_now(&self, agents: AgentParts<'_>) -> Staffing {
        agents.collect(self.registry, |number, add| {
            for frame in self.frames {
                add(frame.levels_of(number), &frame.aux);
            }
        })
    }

    fn agents_window(&self, agents: AgentParts<'_>, window: usize) -> Staffing {
        agents.collect(self.registry, |number, add| {
            for part in self
                .frames
                .iter()
                .filter_map(|frame| frame.windows.get(window))
            {
                add(part.agent_of(number), &part.aux);
            }
        })
    }

    fn sum<'f>(&'f self, row: impl Fn(&'f Frame) -> &'f [i64]) -> Vec<i64> {
        sum_rows(self.frames.iter().map(|frame| row(frame)))
    }
}

/// Adds up rows of equal width.
fn sum_rows<'r>(mut rows: impl Iterator<Item = &'r [i64]>) -> Vec<i64> {
    let mut sum = rows.next().map(<[i64]>::to_vec).unwrap_or_default();
    for row in rows {
        for (into, value) in sum.iter_mut().zip(row) {
            *into += value;
        }
    }
    sum
}

/// A removed queue disappears once it is empty.
fn vanished(row: &Row) -> bool {
    let removed = row.queue.as_ref().is_some_and(|(entry, _)| entry.removed());
    removed
        && row.contacts.by_state == [0; 5]
        && row.agents.staff.online == 0
        && row.windows.iter().all(|window| {
            let counts = &window.contacts.counts;
            counts.offered == 0 && counts.handled == 0 && counts.answered == 0
        })
}

/// Which rows of agents' columns make up a row, and whether a contact feed makes it known.
struct AgentIndex {
    /// By name: the numbers, each with whether its agents' activity is known.
    parts: BTreeMap<RowName, Vec<(AgentRowNo, bool)>>,
    feeds: BTreeSet<ClientId>,
    /// Clients of the queues of each group.
    group_known: BTreeSet<String>,
    client_names: BTreeMap<String, ClientId>,
}

impl AgentIndex {
    fn new(frames: &[Arc<Frame>], registry: &Registry) -> Self {
        let mut index = Self {
            parts: BTreeMap::new(),
            feeds: feeds(frames),
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

    fn names(&self) -> impl Iterator<Item = &RowName> {
        self.parts.keys()
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
    fn of(&self, name: &RowName) -> AgentParts<'_> {
        AgentParts {
            known: self.known(name),
            rows: self.parts.get(name).map_or(&[], Vec::as_slice),
        }
    }
}

/// What one row's agents are added up from.
#[derive(Clone, Copy)]
struct AgentParts<'a> {
    /// A contact feed tells what they do.
    known: bool,
    /// Rows of agents' columns, each with whether its agents' activity is known.
    rows: &'a [(AgentRowNo, bool)],
}

impl AgentParts<'_> {
    /// Adds up the parts of a row; `each` hands over a part's columns and its frame's aux list.
    fn collect(
        self,
        registry: &Registry,
        each: impl Fn(AgentRowNo, &mut dyn FnMut(&[i64], &[(AgentRowNo, ReasonId, i64)])),
    ) -> Staffing {
        let mut staffing = Staffing {
            known: self.known,
            staff: Staff::default(),
            aux: BTreeMap::new(),
        };
        for &(number, known) in self.rows {
            each(number, &mut |columns, aux| {
                if known {
                    staffing.staff.add_row(columns);
                } else {
                    staffing.staff.add_online(columns);
                }
                for &(_, reason, amount) in aux_of(aux, number) {
                    if let Some(text) = registry.reason_text(reason) {
                        *staffing.aux.entry(text).or_default() += amount;
                    }
                }
            });
        }
        staffing.aux.retain(|_, amount| *amount != 0);
        staffing
    }
}

/// The entries of one row of a list sorted by row.
fn aux_of(aux: &[(AgentRowNo, ReasonId, i64)], row: AgentRowNo) -> &[(AgentRowNo, ReasonId, i64)] {
    let begin = aux.partition_point(|entry| entry.0 < row);
    let end = aux.partition_point(|entry| entry.0 <= row);
    &aux[begin..end]
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
