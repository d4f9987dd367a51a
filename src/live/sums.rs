//! The figures of a plan's rows: *now*, of every tick; and windows, of every whole second.
//!
//! Of a queue all windows are made at once and added to its subtotals while they are at hand. The
//! buckets of a client's queues, which come one after another, and those of a group's are added up in
//! memory that is used again; each channel has its own, unless there are many channels.
//!
//! What a queue's figures are made from lies in many places, in no cache, and reading one after the
//! other would be waiting for each. So it is looked at beforehand, for some queues at once.

use std::hint::black_box;
use std::sync::Arc;

use crate::engine::histogram::BucketCount;
use crate::event::Millis;
use crate::kpi::{Distribution, Percentiles, Staff, seconds};
use crate::windows::columns::{agent, contact, gauge};
use crate::windows::frame::{Buckets, Frame, WindowFrame, WindowKind};
use crate::windows::numbering::{AgentRowNo, ClientId, QueueNo, ReasonId};

use super::plan::{AgentParts, Places, Plan, QueuePlan, SubtotalPlan};
use super::{ContactNow, ContactWindow, MergeOptions, Registry, RowName, RowWindow, Staffing};

/// Adds up the frames of one tick by a plan.
pub(super) struct Adder<'a> {
    pub(super) frames: &'a [Arc<Frame>],
    pub(super) registry: &'a Registry,
    pub(super) options: &'a MergeOptions<'a>,
    pub(super) plan: &'a Plan,
    pub(super) to: Millis,
}

/// One row's *now* figures.
pub(super) type Now = (ContactNow, Staffing);

/// Figures of queues and of subtotals, in the order of the plan.
pub(super) struct Sums<T> {
    pub(super) queues: Vec<T>,
    pub(super) subtotals: Vec<T>,
}

/// So many queues are looked at beforehand.
const AT_ONCE: usize = 16;

/// Waits and handle times of a subtotal.
#[derive(Clone, Default)]
struct Pile {
    wait: Distribution,
    handle: Distribution,
}

/// One window of all workers.
struct Parts<'a> {
    window: usize,
    frames: Vec<&'a WindowFrame>,
    aux: Vec<ByRow<'a>>,
}

impl Adder<'_> {
    /// The *now* figures of every row.
    pub(super) fn now(&self) -> Sums<Now> {
        let frames: Vec<&Frame> = self.frames.iter().map(Arc::as_ref).collect();
        let aux: Vec<ByRow<'_>> = frames.iter().map(|frame| ByRow::new(&frame.aux)).collect();
        let staffing = |agents: &AgentParts| {
            self.staffing(agents, &aux, |row, sums| {
                for frame in &frames {
                    add_all(sums, frame.levels_of(row));
                }
            })
        };
        let subtotals = self.plan.subtotals.iter();
        let mut sums = Sums {
            queues: Vec::with_capacity(self.plan.queues.len()),
            subtotals: subtotals
                .map(|subtotal| (ContactNow::default(), staffing(&subtotal.agents)))
                .collect(),
        };
        for queue in &self.plan.queues {
            let contacts = self.contacts_now(queue);
            for subtotal in queue.subtotals.iter() {
                if let Some((sum, _)) = sums.subtotals.get_mut(subtotal) {
                    sum.add(&contacts);
                }
            }
            sums.queues.push((contacts, staffing(&queue.agents)));
        }
        sums
    }

    /// The windows of every row.
    pub(super) fn windows(&self) -> Sums<Vec<RowWindow>> {
        let windows = 0..self.options.specs.len();
        let parts: Vec<Parts<'_>> = windows
            .map(|window| Parts::new(self.frames, window))
            .collect();
        let subtotal = |subtotal: &SubtotalPlan| {
            let windows = parts.iter().map(|parts| self.subtotal(subtotal, parts));
            windows.collect()
        };
        let mut sums: Sums<Vec<RowWindow>> = Sums {
            queues: Vec::with_capacity(self.plan.queues.len()),
            subtotals: self.plan.subtotals.iter().map(subtotal).collect(),
        };
        let mut channels = Channels::new(self.plan, parts.len());
        let (mut pile, mut scratch) = (Pile::default(), Vec::new());
        let client = |queue: &QueuePlan| queue.subtotals.client;
        let of_clients = self
            .plan
            .queues
            .chunk_by(|one, next| client(one) == client(next));
        for of_client in of_clients {
            for next in of_client.chunks(AT_ONCE) {
                for queue in next {
                    look_at(queue, &parts);
                }
                for queue in next {
                    let own = parts
                        .iter()
                        .map(|parts| self.queue(queue, parts, &mut scratch));
                    let own: Vec<RowWindow> = own.collect();
                    for subtotal in queue.subtotals.iter() {
                        if let Some(sum) = sums.subtotals.get_mut(subtotal) {
                            add_windows(sum, &own);
                        }
                    }
                    channels.add(&parts, queue);
                    sums.queues.push(own);
                }
            }
            if let Some(sum) = sums.subtotals.get_mut(client(&of_client[0])) {
                pile.fill(sum, &parts, &of_client.iter());
            }
        }
        for (subtotal, sum) in self.plan.subtotals.iter().zip(&mut sums.subtotals) {
            let members = subtotal.members.iter();
            let members = members.filter_map(|queue| self.plan.queues.get(*queue));
            if !subtotal.members.is_empty() {
                pile.fill(sum, &parts, &members);
            }
        }
        channels.take(&mut sums.subtotals);
        sums
    }

    fn contacts_now(&self, queue: &QueuePlan) -> ContactNow {
        let number = queue.entry.number;
        let mut gauges = [0; gauge::WIDTH];
        for frame in self.frames {
            add_all(&mut gauges, frame.gauges_of(number));
        }
        let oldest = self
            .frames
            .iter()
            .filter_map(|frame| frame.oldest.get(number.index()))
            .min()
            .copied()
            .unwrap_or(Millis::MAX);
        ContactNow::of(&gauges, oldest, &queue.entry.rungs, &queue.view)
    }

    fn queue(
        &self,
        queue: &QueuePlan,
        parts: &Parts<'_>,
        scratch: &mut Vec<BucketCount>,
    ) -> RowWindow {
        let entry = &queue.entry;
        let mut columns = [0; contact::WIDTH];
        for frame in &parts.frames {
            frame.contact_of(entry.number).add_to(&mut columns);
        }
        let mut contacts = ContactWindow::of(&columns, &entry.rungs, &queue.view);
        let place = entry.number.index();
        let largest = parts.frames.iter();
        let largest = largest.filter_map(|frame| frame.wait_max.get(place).copied());
        contacts.wait_max = largest.filter(|wait| *wait >= 0).max();
        contacts.wait = Percentiles::of(lists(parts, place, |frame| &frame.wait), scratch)
            .at_most(contacts.wait_max.map(seconds));
        contacts.handle = Percentiles::of(lists(parts, place, |frame| &frame.handle), scratch);
        let from = self.from(parts.window, usize::from(entry.zone.0));
        RowWindow {
            from,
            complete: self.complete(&entry.key.channel, Some(entry.client), from, parts.window),
            contacts,
            agents: self.agents_in(&queue.agents, parts),
        }
    }

    /// A subtotal's window before its queues are added: its agents follow the engine's own zone.
    fn subtotal(&self, subtotal: &SubtotalPlan, parts: &Parts<'_>) -> RowWindow {
        let from = self.from(parts.window, 0);
        let channel = match &*subtotal.name {
            RowName::Channel(channel) => channel.as_str(),
            _ => "voice",
        };
        RowWindow {
            from,
            complete: self.complete(channel, subtotal.client, from, parts.window),
            contacts: ContactWindow::default(),
            agents: self.agents_in(&subtotal.agents, parts),
        }
    }

    fn agents_in(&self, agents: &AgentParts, parts: &Parts<'_>) -> Staffing {
        self.staffing(agents, &parts.aux, |row, sums| {
            for frame in &parts.frames {
                frame.agent_of(row).add_to(sums);
            }
        })
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
            && !self.plan.gap_in(client, from, self.to))
    }

    /// Adds up the parts of a row; `add` adds the workers' columns.
    fn staffing(
        &self,
        agents: &AgentParts,
        aux: &[ByRow<'_>],
        add: impl Fn(AgentRowNo, &mut [i64; agent::WIDTH]),
    ) -> Staffing {
        let mut staff = Staff::default();
        let mut reasons: Vec<(ReasonId, i64)> = Vec::new();
        for &(row, known) in &agents.rows {
            let mut columns = [0; agent::WIDTH];
            add(row, &mut columns);
            if known {
                staff.add_row(&columns);
            } else {
                staff.add_online(&columns);
            }
            for list in aux {
                for &(_, reason, amount) in list.of(row) {
                    match reasons.iter_mut().find(|(other, _)| *other == reason) {
                        Some((_, sum)) => *sum += amount,
                        None => reasons.push((reason, amount)),
                    }
                }
            }
        }
        Staffing {
            known: agents.known,
            staff,
            aux: self.texts(reasons),
        }
    }

    /// Reasons by text, sorted; zeros left out.
    fn texts(&self, mut reasons: Vec<(ReasonId, i64)>) -> Vec<(Arc<String>, i64)> {
        let rank = |reason: ReasonId| self.plan.reason(reason).map(|(_, rank)| *rank);
        reasons.retain(|(_, amount)| *amount != 0);
        reasons.sort_unstable_by_key(|&(reason, _)| rank(reason));
        let text = |reason: ReasonId| self.plan.reason(reason).map(|(text, _)| Arc::clone(text));
        reasons
            .into_iter()
            .filter_map(|(reason, amount)| Some((text(reason)?, amount)))
            .collect()
    }
}

impl Pile {
    /// Adds up the buckets of these queues for a subtotal's windows.
    fn fill<'a>(
        &mut self,
        sum: &mut [RowWindow],
        parts: &[Parts<'_>],
        queues: &(impl Iterator<Item = &'a QueuePlan> + Clone),
    ) {
        for (own, parts) in sum.iter_mut().zip(parts) {
            for queue in queues.clone() {
                self.add(parts, queue.entry.number);
            }
            self.take(&mut own.contacts);
        }
    }

    fn add(&mut self, parts: &Parts<'_>, queue: QueueNo) {
        let place = queue.index();
        lists(parts, place, |frame| &frame.wait).for_each(|list| self.wait.add(list));
        lists(parts, place, |frame| &frame.handle).for_each(|list| self.handle.add(list));
    }

    fn add_all(&mut self, other: &Self) {
        self.wait.add_all(&other.wait);
        self.handle.add_all(&other.handle);
    }

    /// Moves what it says to a row.
    fn take(&mut self, row: &mut ContactWindow) {
        let largest = row.wait_max.map(seconds);
        row.wait = self.wait.percentiles().at_most(largest);
        row.handle = self.handle.percentiles();
        self.wait.clear();
        self.handle.clear();
    }
}

/// The buckets of every channel, by window, and of the total: every queue has a channel.
struct Channels {
    /// By place of a subtotal. Only those of channels, if these are few, and of the total, the last,
    /// are there.
    piles: Vec<Vec<Pile>>,
}

impl Channels {
    fn new(plan: &Plan, windows: usize) -> Self {
        let piles = |subtotal: &SubtotalPlan| match *subtotal.name {
            RowName::Channel(_) if subtotal.members.is_empty() => vec![Pile::default(); windows],
            RowName::Total => vec![Pile::default(); windows],
            _ => Vec::new(),
        };
        Self {
            piles: plan.subtotals.iter().map(piles).collect(),
        }
    }

    /// Adds a queue's to its channel's, else to the total's.
    fn add(&mut self, parts: &[Parts<'_>], queue: &QueuePlan) {
        let Places { channel, total, .. } = queue.subtotals;
        let kept = |place: &usize| {
            self.piles
                .get(*place)
                .is_some_and(|piles| !piles.is_empty())
        };
        let place = [channel, total].into_iter().find(kept);
        let piles = place.and_then(|place| self.piles.get_mut(place));
        for (pile, parts) in piles.into_iter().flatten().zip(parts) {
            pile.add(parts, queue.entry.number);
        }
    }

    /// Moves what they say to the rows.
    fn take(mut self, subtotals: &mut [Vec<RowWindow>]) {
        if let Some((total, channels)) = self.piles.split_last_mut() {
            for of_channel in channels {
                for (total, pile) in total.iter_mut().zip(of_channel) {
                    total.add_all(pile);
                }
            }
        }
        for (piles, rows) in self.piles.iter_mut().zip(subtotals) {
            for (pile, row) in piles.iter_mut().zip(rows) {
                pile.take(&mut row.contacts);
            }
        }
    }
}

/// Adds a queue's windows to a subtotal's, all but what comes from its buckets.
fn add_windows(sum: &mut [RowWindow], own: &[RowWindow]) {
    for (sum, own) in sum.iter_mut().zip(own) {
        sum.contacts.add(&own.contacts);
        sum.from = sum.from.min(own.from);
        sum.complete &= own.complete;
    }
}

/// Reads a bit of everything that a queue's windows are made from and leaves it at that, so that it
/// comes from memory while that of other queues does.
fn look_at(queue: &QueuePlan, parts: &[Parts<'_>]) {
    /// So many entries of a list share a cache line.
    const LINE: usize = 16;
    let place = queue.entry.number.index();
    for parts in parts {
        let waits = lists(parts, place, |frame| &frame.wait);
        for list in waits.chain(lists(parts, place, |frame| &frame.handle)) {
            for entry in list.iter().step_by(LINE) {
                black_box(entry.bucket);
            }
        }
        for frame in &parts.frames {
            black_box(frame.contact_of(queue.entry.number).iter().next());
            for (row, _) in &queue.agents.rows {
                black_box(frame.agent_of(*row).iter().next());
            }
        }
    }
}

impl<'a> Parts<'a> {
    fn new(frames: &'a [Arc<Frame>], window: usize) -> Self {
        let frames = frames.iter().filter_map(|frame| frame.windows.get(window));
        let frames: Vec<&WindowFrame> = frames.map(Arc::as_ref).collect();
        let aux = frames.iter().map(|frame| ByRow::new(&frame.aux));
        Self {
            window,
            aux: aux.collect(),
            frames,
        }
    }
}

/// One kind of buckets of a queue, as far as workers have any.
fn lists<'a>(
    parts: &'a Parts<'a>,
    place: usize,
    kind: impl Fn(&'a WindowFrame) -> &'a [Buckets],
) -> impl Iterator<Item = &'a [BucketCount]> {
    let buckets = move |frame: &&'a WindowFrame| kind(frame).get(place)?.as_deref();
    parts.frames.iter().filter_map(buckets)
}

/// Adds a row to sums by column.
fn add_all(sums: &mut [i64], row: &[i64]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}

/// An entry of a list of aux.
type Aux = (AgentRowNo, ReasonId, i64);

/// A list sorted by row, with where each row begins.
struct ByRow<'a> {
    list: &'a [Aux],
    /// By row number; one more than there are rows.
    begins: Vec<u32>,
}

impl<'a> ByRow<'a> {
    fn new(list: &'a [Aux]) -> Self {
        let mut begins = Vec::new();
        for (place, (row, ..)) in (0..).zip(list) {
            if begins.len() <= row.index() {
                begins.resize(row.index() + 1, place);
            }
        }
        begins.push(u32::try_from(list.len()).unwrap_or(u32::MAX));
        Self { list, begins }
    }

    fn of(&self, row: AgentRowNo) -> &'a [Aux] {
        let edge = |place: usize| self.begins.get(place).map(|edge| *edge as usize);
        let (Some(begin), Some(end)) = (edge(row.index()), edge(row.index() + 1)) else {
            return &[];
        };
        self.list.get(begin..end).unwrap_or_default()
    }
}
