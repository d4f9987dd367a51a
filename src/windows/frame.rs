//! A frame: one worker's figures of all its rows at one instant. Integers only, never ratios, so
//! readers add the frames of the workers.

use std::sync::Arc;

use super::agents::AgentNow;
use super::columns::{agent, contact, gauge};
use super::numbering::{AgentRowNo, QueueNo, ReasonId};
use super::rows::{Columns, Rows};
use crate::engine::histogram::BucketCount;
use crate::event::{Family, Millis, Span};

/// One window that the engine keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WindowSpec {
    /// The key in JSON and the value of the label `window`: `5m`, `30m`, `today`, or as typed.
    pub key: String,
    /// Where it begins.
    pub kind: WindowKind,
}

/// Where a window begins. Every window ends at the frame's `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// `to` less this.
    Sliding(Span),
    /// At the latest boundary of this interval, in the row's zone.
    Interval(Span),
    /// At the latest local midnight, in the row's zone.
    Today,
    /// Before everything.
    All,
}

/// Counts by `HdrHistogram` bucket, sorted; `None` when empty. Shared with the table until it changes.
pub type Buckets = Option<Arc<[BucketCount]>>;

/// One worker's figures at one instant. Rows are indexed by the registry's numbers; a frame may be
/// shorter than the registry, what is missing counts as zero.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Number of the tick; frames of one tick belong together.
    pub tick: u64,
    /// The instant of the *now* figures.
    pub now: Millis,
    /// The end of every window: the last whole second (live), the instant asked for (replay).
    pub to: Millis,
    /// Queues × [`gauge::WIDTH`]: contact-side *now* figures.
    pub gauges: Vec<i64>,
    /// By queue: entry of the visit that has waited longest, [`Millis::MAX`] when nobody waits.
    pub oldest: Vec<Millis>,
    /// Queues × [`contact::WIDTH`]: totals since ever of everything applied.
    pub totals: Vec<i64>,
    /// What refolds took away since ever: (queue, contact counter, amount > 0); counter = total +
    /// loss. See [`super::losses`].
    pub losses: Vec<(QueueNo, super::losses::Counter, i64)>,
    /// Agent rows × [`agent::WIDTH`]: how many *now*.
    pub levels: Vec<i64>,
    /// Agents in aux *now*, by row and reason; sorted by row.
    pub aux: Vec<(AgentRowNo, ReasonId, i64)>,
    /// By client number: an `agent.contact` or a snapshot with contacts has named it.
    pub feeds: Vec<bool>,
    /// Every agent who is online or busy *now*, by partition. Empty where agents are not listed.
    pub agents: Vec<AgentNow>,
    /// The partitions whose figures these are. Empty where nobody asks (a replay).
    pub parts: Vec<Part>,
    /// One for each window, in the order of the specs; shared with the frames between two whole
    /// seconds, in which windows stand still.
    pub windows: Vec<Arc<WindowFrame>>,
}

/// A partition whose figures are in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// Which topic.
    pub family: Family,
    /// The partition's number in Kafka.
    pub partition: i32,
    /// When it was assigned to this process: of two owners the later one is right.
    pub since: Millis,
}

/// One window of a frame.
#[derive(Clone, Debug, Default)]
pub struct WindowFrame {
    /// Where the window begins, by zone number.
    pub from: Vec<Millis>,
    /// By queue, its contact columns.
    pub contact: Rows,
    /// By row, its agent columns, agent-milliseconds.
    pub agent: Rows,
    /// Milliseconds in aux, by row and reason; sorted by row.
    pub aux: Vec<(AgentRowNo, ReasonId, i64)>,
    /// By how much each of `agent` grows in a millisecond as long as nothing happens; empty unless
    /// asked for ([`super::tables::Tables::with_rates`]).
    pub agent_rates: Rows,
    /// The same of `aux`, entries of `aux` that are 0 included; sorted by row.
    pub aux_rates: Vec<(AgentRowNo, ReasonId, i64)>,
    /// By queue: waits of answered visits.
    pub wait: Vec<Buckets>,
    /// By queue: talk + hold of handled legs.
    pub handle: Vec<Buckets>,
    /// By queue: the largest wait over all exits in ms, −1 when there was none.
    pub wait_max: Vec<i64>,
}

impl Frame {
    /// The gauges of a queue.
    pub fn gauges_of(&self, queue: QueueNo) -> &[i64] {
        row(&self.gauges, queue.index(), gauge::WIDTH)
    }

    /// The totals of a queue.
    pub fn totals_of(&self, queue: QueueNo) -> &[i64] {
        row(&self.totals, queue.index(), contact::WIDTH)
    }

    /// The levels of a row of agents' figures.
    pub fn levels_of(&self, row_no: AgentRowNo) -> &[i64] {
        row(&self.levels, row_no.index(), agent::WIDTH)
    }
}

impl WindowFrame {
    /// The contact columns of a queue.
    pub fn contact_of(&self, queue: QueueNo) -> Columns<'_> {
        self.contact.row(queue.index())
    }

    /// The agent columns of a row.
    pub fn agent_of(&self, row_no: AgentRowNo) -> Columns<'_> {
        self.agent.row(row_no.index())
    }

    /// How fast the agent columns of a row grow.
    pub fn rates_of(&self, row_no: AgentRowNo) -> Columns<'_> {
        self.agent_rates.row(row_no.index())
    }
}

const ZEROS: [i64; contact::WIDTH] = [0; contact::WIDTH];

/// One row of a table, zeros beyond its end.
fn row(table: &[i64], index: usize, width: usize) -> &[i64] {
    table
        .get(index * width..(index + 1) * width)
        .unwrap_or(&ZEROS[..width])
}
