//! The figures of a plan's rows: *now*, of every tick; and windows, of every whole second.
//!
//! Windows are gone through one by one: a queue's figures are added to its subtotals while they are
//! at hand, and the buckets of a subtotal are added up once, in memory that is used again.

use std::sync::Arc;

use crate::engine::histogram::BucketCount;
use crate::event::Millis;
use crate::kpi::{Distribution, Percentiles, Staff, seconds};
use crate::windows::columns::{agent, contact, gauge};
use crate::windows::frame::{Buckets, Frame, WindowFrame, WindowKind};
use crate::windows::numbering::{AgentRowNo, ClientId, QueueNo, ReasonId};

use super::plan::{AgentParts, Plan, QueuePlan, SubtotalPlan};
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
            for &subtotal in &queue.subtotals {
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
        let count = self.options.specs.len();
        let empty = |rows: usize| (0..rows).map(|_| Vec::with_capacity(count)).collect();
        let mut sums: Sums<Vec<RowWindow>> = Sums {
            queues: empty(self.plan.queues.len()),
            subtotals: empty(self.plan.subtotals.len()),
        };
        let mut piles = vec![Pile::default(); self.plan.subtotals.len()];
        for window in 0..count {
            self.window(&Parts::new(self.frames, window), &mut piles, &mut sums);
        }
        sums
    }

    fn window(&self, parts: &Parts<'_>, piles: &mut [Pile], sums: &mut Sums<Vec<RowWindow>>) {
        let mut subtotals: Vec<RowWindow> = self
            .plan
            .subtotals
            .iter()
            .map(|subtotal| self.subtotal(subtotal, parts))
            .collect();
        let mut scratch = Vec::new();
        for (queue, into) in self.plan.queues.iter().zip(&mut sums.queues) {
            let own = self.queue(queue, parts, &mut scratch);
            for &subtotal in &queue.subtotals {
                if let Some(sum) = subtotals.get_mut(subtotal) {
                    sum.contacts.add(&own.contacts);
                    sum.from = sum.from.min(own.from);
                    sum.complete &= own.complete;
                }
                if let Some(pile) = piles.get_mut(subtotal)
                    && subtotal != self.total()
                {
                    pile.add(parts, queue.entry.number);
                }
            }
            into.push(own);
        }
        self.add_total(piles);
        let subtotals = subtotals.into_iter().zip(piles);
        for ((mut own, pile), into) in subtotals.zip(&mut sums.subtotals) {
            pile.take(&mut own.contacts);
            into.push(own);
        }
    }

    /// The total is the last subtotal.
    fn total(&self) -> usize {
        self.plan.subtotals.len().saturating_sub(1)
    }

    /// Every queue has a channel, and there are few: their buckets are the total's.
    fn add_total(&self, piles: &mut [Pile]) {
        let Some((total, others)) = piles.split_last_mut() else {
            return;
        };
        for (subtotal, pile) in self.plan.subtotals.iter().zip(others) {
            if matches!(*subtotal.name, RowName::Channel(_)) {
                total.wait.add_all(&pile.wait);
                total.handle.add_all(&pile.handle);
            }
        }
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
    fn add(&mut self, parts: &Parts<'_>, queue: QueueNo) {
        let place = queue.index();
        lists(parts, place, |frame| &frame.wait).for_each(|list| self.wait.add(list));
        lists(parts, place, |frame| &frame.handle).for_each(|list| self.handle.add(list));
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
