//! The sum of the frames of one tick: every row's figures, and the subtotals.
//!
//! Contact figures of a subtotal are sums over its queues, each in its own variant, T and today.
//! Agents are counted once: a subtotal's agents come from rows of their own, never from queues.
//! Ratios are made when a row is written; here are integers, and percentiles.
//!
//! Windows move at whole seconds only: between two, the windows of the merge before are shown, and
//! only *now* figures are added up.

use std::sync::Arc;

use crate::event::{Millis, Span};
use crate::kpi::{QueueView, Staff};
use crate::windows::columns::{BUCKETS, contact, gauge};
use crate::windows::frame::{Frame, WindowSpec};
use crate::windows::rows::Columns;

use super::plan::{AgentParts, Basis, Plan, QueueState};
use super::sums::{Adder, Now};
use super::{ContactNow, ContactWindow, Coverage, QueueEntry, Registry, Staffing};

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    pub name: Arc<RowName>,
    /// The queue and how it is shown; none for subtotals.
    pub queue: Option<(Arc<QueueEntry>, Arc<QueueView>)>,
    /// Contacts now.
    pub contacts: ContactNow,
    /// Agents now.
    pub agents: Staffing,
    /// In the order of the window specs.
    pub windows: Arc<Vec<RowWindow>>,
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
    plan: Arc<Plan>,
    coverage: Coverage,
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
    merge_after(None, frames, registry, options)
}

/// As [`merge`], with what has not changed since the merge before taken from it. Both are of the
/// same registry and windows.
pub fn merge_after(
    before: Option<&Merged>,
    frames: Vec<Arc<Frame>>,
    registry: &Registry,
    options: &MergeOptions<'_>,
) -> Merged {
    let (tick, now, to) = frames
        .first()
        .map_or_else(Default::default, |first| (first.tick, first.now, first.to));
    let basis = Basis::new(&frames, registry, options.threshold);
    let before = before.filter(|before| before.plan.basis == basis);
    let still = before.filter(|before| {
        before.to == to && before.coverage == *options.coverage && same_windows(before, &frames)
    });
    let plan = match (still, before.filter(|before| before.plan.lasting)) {
        (Some(kept), _) | (None, Some(kept)) => Arc::clone(&kept.plan),
        (None, None) => Arc::new(Plan::new(basis, registry, |entry, agents| {
            state_of(&frames, entry, agents)
        })),
    };
    let adder = Adder {
        frames: &frames,
        registry,
        options,
        plan: &plan,
        to,
    };
    let (queues, mut subtotals) = if let Some(still) = still {
        rows(&adder, still.queue_windows(), still.subtotal_windows())
    } else {
        let windows = adder.windows();
        let queues = windows.queues.into_iter().map(Arc::new);
        let subtotals = windows.subtotals.into_iter().map(Arc::new);
        rows(&adder, queues, subtotals)
    };
    let total = subtotals.pop().unwrap_or_else(Row::nothing);
    let mut of_kind = |is_kind: fn(&RowName) -> bool| {
        let rest = subtotals.iter().position(|row| !is_kind(&row.name));
        let rest = subtotals.split_off(rest.unwrap_or(subtotals.len()));
        std::mem::replace(&mut subtotals, rest)
    };
    Merged {
        tick,
        now,
        to,
        specs: Arc::clone(options.specs),
        queues,
        clients: of_kind(|name| matches!(name, RowName::Client(_))),
        groups: of_kind(|name| matches!(name, RowName::Group(_))),
        channels: of_kind(|name| matches!(name, RowName::Channel(_))),
        total,
        plan,
        coverage: options.coverage.clone(),
        frames,
    }
}

/// Whether the windows of the frames are those that were added up before. They are not written to
/// while the merge before holds them.
fn same_windows(before: &Merged, frames: &[Arc<Frame>]) -> bool {
    let same = |(old, new): (&Arc<Frame>, &Arc<Frame>)| {
        old.windows.len() == new.windows.len()
            && old
                .windows
                .iter()
                .zip(&new.windows)
                .all(|(old, new)| Arc::ptr_eq(old, new))
    };
    before.frames.len() == frames.len() && before.frames.iter().zip(frames).all(same)
}

/// The rows of queues and subtotals with these windows.
fn rows(
    adder: &Adder<'_>,
    queue_windows: impl Iterator<Item = Arc<Vec<RowWindow>>>,
    subtotal_windows: impl Iterator<Item = Arc<Vec<RowWindow>>>,
) -> (Vec<Row>, Vec<Row>) {
    let now = adder.now();
    let queues = adder.plan.queues.iter().zip(now.queues).zip(queue_windows);
    let queues = queues.map(|((queue, now), windows)| {
        let shown = (Arc::clone(&queue.entry), Arc::clone(&queue.view));
        Row::new(Arc::clone(&queue.name), Some(shown), now, windows)
    });
    let subtotals = adder.plan.subtotals.iter().zip(now.subtotals);
    let subtotals = subtotals
        .zip(subtotal_windows)
        .map(|((subtotal, now), windows)| Row::new(Arc::clone(&subtotal.name), None, now, windows));
    (queues.collect(), subtotals.collect())
}

impl Row {
    fn new(
        name: Arc<RowName>,
        queue: Option<(Arc<QueueEntry>, Arc<QueueView>)>,
        (contacts, agents): Now,
        windows: Arc<Vec<RowWindow>>,
    ) -> Self {
        Self {
            name,
            queue,
            contacts,
            agents,
            windows,
        }
    }

    /// A total of nothing.
    fn nothing() -> Self {
        Self::new(
            Arc::new(RowName::Total),
            None,
            Now::default(),
            Arc::default(),
        )
    }
}

impl Merged {
    /// What decided `complete`.
    pub(super) fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    fn queue_windows(&self) -> impl Iterator<Item = Arc<Vec<RowWindow>>> {
        self.queues.iter().map(|row| Arc::clone(&row.windows))
    }

    fn subtotal_windows(&self) -> impl Iterator<Item = Arc<Vec<RowWindow>>> {
        let rows = self.clients.iter().chain(&self.groups);
        let rows = rows.chain(&self.channels);
        let rows = rows.chain(std::iter::once(&self.total));
        rows.map(|row| Arc::clone(&row.windows))
    }
}

/// What there is to show of a queue.
fn state_of(frames: &[Arc<Frame>], entry: &QueueEntry, agents: &AgentParts) -> QueueState {
    let used = |frame: &Arc<Frame>| {
        let total = frame.totals_of(entry.number);
        let mut losses = frame.losses.iter();
        total.iter().any(|total| *total != 0) || losses.any(|(of, ..)| *of == entry.number)
    };
    QueueState {
        used: frames.iter().any(used),
        vanished: vanished(frames, entry, agents),
    }
}

/// Whether nothing is left to show of a queue.
fn vanished(frames: &[Arc<Frame>], entry: &QueueEntry, agents: &AgentParts) -> bool {
    let now = gauge::WAITING..=gauge::ACW;
    let answered = contact::ANSWERED..contact::ANSWERED + BUCKETS;
    let is_shown = |column: usize| {
        [contact::OFFERED, contact::HANDLED].contains(&column) || answered.contains(&column)
    };
    let of_window = |row: Columns<'_>| row.iter().all(|(column, _)| !is_shown(column));
    let online = |row| {
        let mut staff = Staff::default();
        staff.add_online(row);
        staff.online
    };
    frames.iter().all(|frame| {
        frame.gauges_of(entry.number)[now.clone()]
            .iter()
            .all(|count| *count == 0)
            && agents
                .rows
                .iter()
                .all(|&(row, _)| online(frame.levels_of(row)) == 0)
            && frame
                .windows
                .iter()
                .all(|window| of_window(window.contact_of(entry.number)))
    })
}

#[cfg(test)]
mod tests;
