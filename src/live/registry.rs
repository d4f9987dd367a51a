//! The registry: from queue key to queue, with its dense number, its settings and its names.
//!
//! Workers ask it when they first see a queue, a row of agents, a client or an aux reason, and keep
//! the answer; HTTP and the settings reader ask it by name. View settings are the file's with what
//! `queue.configured` says over them; a change is in force with the next look.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use dashmap::DashMap;

use crate::engine::settings::{StateSettings, ZoneNo};
use crate::event::{Millis, QueueConfigured, QueueEvent, QueueKind, Span};
use crate::kpi::QueueView;
use crate::windows::numbering::{AgentRow, AgentRowNo, ClientId, Numbering, QueueNo, ReasonId};

use super::numbers::Numbers;
use super::overrides::{BadSetting, Override, Settings, is_rung};

/// The file's view settings of a queue: (client, queue, channel) → view.
pub type FileViews = Box<dyn Fn(&str, &str, &str) -> QueueView + Send + Sync>;

/// The channel where none is named.
const CHANNEL: &str = "voice";

/// What names a queue. Ordered as rows are shown: by client, queue, channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueKey {
    /// The client.
    pub client: String,
    /// The queue.
    pub queue: String,
    /// The channel.
    pub channel: String,
}

impl QueueKey {
    /// The key of these names.
    pub fn new(client: &str, queue: &str, channel: &str) -> Self {
        Self {
            client: client.to_owned(),
            queue: queue.to_owned(),
            channel: channel.to_owned(),
        }
    }
}

/// One queue of the registry.
#[derive(Debug)]
pub struct QueueEntry {
    /// Its number.
    pub number: QueueNo,
    /// Its names.
    pub key: QueueKey,
    /// Its client's number.
    pub client: ClientId,
    /// Its zone.
    pub zone: ZoneNo,
    /// Its channel's rungs, ascending.
    pub rungs: Arc<[Span]>,
    /// Written by the settings reader, read by all.
    view: ArcSwap<QueueView>,
    /// `queue.removed` was the last that was said of it: not shown once it is empty.
    removed: AtomicBool,
}

impl QueueEntry {
    /// How it is shown now.
    pub fn view(&self) -> Arc<QueueView> {
        self.view.load_full()
    }

    /// Whether it is to disappear once it is empty.
    pub fn removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    /// Whether a threshold is one of its channel's rungs.
    pub fn has_rung(&self, threshold: Span) -> bool {
        is_rung(&self.rungs, threshold)
    }
}

/// A span over which a source sent nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gap {
    client: ClientId,
    from: Millis,
    to: Millis,
}

/// Every queue, row of agents, client and aux reason of the process.
pub struct Registry {
    settings: Arc<StateSettings>,
    file: FileViews,
    queues: Numbers<QueueKey, QueueEntry>,
    agent_rows: Numbers<AgentRow, AgentRow>,
    clients: Numbers<String, String>,
    reasons: Numbers<String, String>,
    /// By (client, queue), the numbers of its channels: a record of the queue topic is for all of them.
    by_queue: DashMap<(String, String), Vec<u32>>,
    /// By (client, queue), the latest record.
    overrides: DashMap<(String, String), Override>,
    /// By (client, source, from), as the compacted topic's key.
    gaps: DashMap<(ClientId, String, Millis), Gap>,
    /// Grows by one after each change of a group.
    group_epoch: AtomicU64,
    /// Grows by one after each change of a view, and with each gap.
    changes: AtomicU64,
}

/// What a merge depends on beside frames: while it is equal, rows and their settings are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    changes: u64,
    queues: u32,
    agent_rows: u32,
    clients: u32,
    reasons: u32,
}

/// A span over which a source of a client sent nothing: client, from, to.
pub(super) type GapSpan = (ClientId, Millis, Millis);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("queues", &self.queues.len())
            .field("agent_rows", &self.agent_rows.len())
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// An empty registry over the file's settings.
    pub fn new(settings: Arc<StateSettings>, file: FileViews) -> Self {
        Self {
            settings,
            file,
            queues: Numbers::default(),
            agent_rows: Numbers::default(),
            clients: Numbers::default(),
            reasons: Numbers::default(),
            by_queue: DashMap::new(),
            overrides: DashMap::new(),
            gaps: DashMap::new(),
            group_epoch: AtomicU64::new(0),
            changes: AtomicU64::new(0),
        }
    }

    /// The settings that count.
    pub fn settings(&self) -> &StateSettings {
        &self.settings
    }

    /// Gives a queue its row before its first event.
    pub fn add_queue(&self, key: &QueueKey) -> QueueNo {
        QueueNo(self.queues.number(key, |number| self.entry(key, number)))
    }

    /// A queue by its names.
    pub fn find(&self, key: &QueueKey) -> Option<Arc<QueueEntry>> {
        self.queues
            .find(key)
            .and_then(|number| self.queues.value(number))
    }

    /// A queue by its number.
    pub fn entry_of(&self, queue: QueueNo) -> Option<Arc<QueueEntry>> {
        self.queues.value(queue.0)
    }

    /// Every queue in order of its number.
    pub fn entries(&self) -> impl Iterator<Item = Arc<QueueEntry>> + '_ {
        self.queues.all()
    }

    /// Every row of agents' figures in order of its number.
    pub fn agent_row_keys(&self) -> impl Iterator<Item = (AgentRowNo, Arc<AgentRow>)> + '_ {
        (0..self.agent_rows.len())
            .filter_map(|number| Some((AgentRowNo(number), self.agent_rows.value(number)?)))
    }

    /// What a row of agents' figures stands for.
    pub fn agent_row_of(&self, row: AgentRowNo) -> Option<Arc<AgentRow>> {
        self.agent_rows.value(row.0)
    }

    /// A client's number, if it has one.
    pub fn find_client(&self, client: &str) -> Option<ClientId> {
        self.clients.find(&client.to_owned()).map(ClientId)
    }

    /// A client's name.
    pub fn client_name(&self, client: ClientId) -> Option<Arc<String>> {
        self.clients.value(client.0)
    }

    /// An aux reason's text.
    pub fn reason_text(&self, reason: ReasonId) -> Option<Arc<String>> {
        self.reasons.value(reason.0)
    }

    /// What rows and their settings depend on. Read it before them.
    pub(super) fn shape(&self) -> Shape {
        Shape {
            changes: self.changes.load(Ordering::Acquire),
            queues: self.queues.len(),
            agent_rows: self.agent_rows.len(),
            clients: self.clients.len(),
            reasons: self.reasons.len(),
        }
    }

    /// How many entries there are, those included that are just being added.
    pub(super) fn entries_given(&self) -> usize {
        self.queues.len() as usize
    }

    /// The texts of all aux reasons, by number; none for one that is just being added.
    pub(super) fn reasons(&self) -> Vec<Option<Arc<String>>> {
        let numbers = 0..self.reasons.len();
        numbers.map(|number| self.reasons.value(number)).collect()
    }

    /// Every gap that a source of a client had.
    pub(super) fn gaps(&self) -> Vec<GapSpan> {
        let spans = self.gaps.iter().map(|gap| (gap.client, gap.from, gap.to));
        spans.collect()
    }

    /// Applies an event about a queue or a source. Forecasts are not shown yet. A refused setting
    /// is told to `refused`, once for each channel that it was meant for.
    pub fn apply(&self, event: &QueueEvent<'_>, refused: &mut dyn FnMut(BadSetting)) {
        let settings = match &event.kind {
            QueueKind::Configured(record) => Some(record),
            QueueKind::Removed => None,
            QueueKind::SourceGap { source, from, to } => {
                let client = self.client(&event.client_id);
                let (from, to) = (*from, *to);
                self.gaps.insert(
                    (client, source.clone().into_owned(), from),
                    Gap { client, from, to },
                );
                self.changes.fetch_add(1, Ordering::Release);
                return;
            }
            QueueKind::Forecast { .. } => return,
        };
        if let Some(queue) = event.queue_id.as_deref() {
            self.configure(event, queue, settings, refused);
        }
    }

    fn configure(
        &self,
        event: &QueueEvent<'_>,
        queue: &str,
        record: Option<&QueueConfigured<'_>>,
        refused: &mut dyn FnMut(BadSetting),
    ) {
        let key = (event.client_id.clone().into_owned(), queue.to_owned());
        let said = Override {
            time: event.time,
            channel: event.channel.as_deref().map(str::to_owned),
            settings: record.map(Settings::of),
        };
        if self
            .overrides
            .get(&key)
            .is_some_and(|known| known.time > said.time)
        {
            return;
        }
        let channel = said.channel.clone();
        self.overrides.insert(key.clone(), said);
        if record.is_some() && (channel.is_some() || self.channels_of(&key).is_empty()) {
            let channel = channel.as_deref().unwrap_or(CHANNEL);
            self.add_queue(&QueueKey::new(&key.0, &key.1, channel));
        }
        for number in self.channels_of(&key) {
            if let Some(entry) = self.queues.value(number) {
                self.refresh(&entry, refused);
            }
        }
    }

    /// The numbers of a queue's channels.
    fn channels_of(&self, queue: &(String, String)) -> Vec<u32> {
        let numbers = self.by_queue.get(queue);
        numbers.map(|numbers| numbers.clone()).unwrap_or_default()
    }

    /// Whether a queue may have its row only because settings that name no channel were said of it:
    /// without a channel it is `voice`.
    pub(super) fn is_assumed(&self, entry: &QueueEntry) -> bool {
        let key = &entry.key;
        let said = || self.overrides.get(&(key.client.clone(), key.queue.clone()));
        key.channel == CHANNEL
            && said().is_some_and(|said| said.channel.is_none() && said.settings.is_some())
    }

    /// Works out a queue's view anew.
    fn refresh(&self, entry: &QueueEntry, refused: &mut dyn FnMut(BadSetting)) {
        let (view, removed) = self.resolve(&entry.key, &entry.rungs, refused);
        let moved = entry.view.load().group != view.group;
        entry.view.store(Arc::new(view));
        entry.removed.store(removed, Ordering::Relaxed);
        if moved {
            self.group_epoch.fetch_add(1, Ordering::Release);
        }
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// The file's view of a queue with what was said of it, and whether it was removed.
    fn resolve(
        &self,
        key: &QueueKey,
        rungs: &[Span],
        refused: &mut dyn FnMut(BadSetting),
    ) -> (QueueView, bool) {
        let file = (self.file)(&key.client, &key.queue, &key.channel);
        let said = self.overrides.get(&(key.client.clone(), key.queue.clone()));
        let meant = said.as_deref().filter(|said| {
            said.channel
                .as_ref()
                .is_none_or(|channel| *channel == key.channel)
        });
        match meant {
            None => (file, false),
            Some(said) => match &said.settings {
                None => (file, true),
                Some(settings) => (settings.over(file, rungs, refused), false),
            },
        }
    }

    fn entry(&self, key: &QueueKey, number: u32) -> QueueEntry {
        let rungs = self.settings.rungs(&key.channel);
        // Before its settings are read: whoever changes them then finds it.
        let queue = (key.client.clone(), key.queue.clone());
        self.by_queue.entry(queue).or_default().push(number);
        let (view, removed) = self.resolve(key, &rungs, &mut |_| {});
        QueueEntry {
            number: QueueNo(number),
            key: key.clone(),
            client: self.client(&key.client),
            zone: self.settings.zone(&key.client, &key.queue, &key.channel),
            rungs,
            view: ArcSwap::from_pointee(view),
            removed: AtomicBool::new(removed),
        }
    }
}

impl Numbering for Registry {
    fn queue(&self, client: &str, queue: &str, channel: &str) -> QueueNo {
        self.add_queue(&QueueKey::new(client, queue, channel))
    }

    fn agent_row(&self, row: &AgentRow) -> AgentRowNo {
        AgentRowNo(self.agent_rows.number(row, |_| row.clone()))
    }

    fn client(&self, client: &str) -> ClientId {
        let client = client.to_owned();
        ClientId(self.clients.number(&client, |_| client.clone()))
    }

    fn reason(&self, reason: &str) -> ReasonId {
        let reason = reason.to_owned();
        ReasonId(self.reasons.number(&reason, |_| reason.clone()))
    }

    fn group(&self, queue: QueueNo) -> Option<String> {
        self.entry_of(queue)
            .and_then(|entry| entry.view.load().group.clone())
    }

    fn group_epoch(&self) -> u64 {
        self.group_epoch.load(Ordering::Acquire)
    }

    fn zone(&self, queue: QueueNo) -> ZoneNo {
        self.entry_of(queue).map_or(ZoneNo(0), |entry| entry.zone)
    }

    fn queues(&self) -> usize {
        self.queues.len() as usize
    }

    fn agent_rows(&self) -> usize {
        self.agent_rows.len() as usize
    }
}
