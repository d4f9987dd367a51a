//! From the frames of one instant, one of each worker, to the cells of each row.

use std::sync::Arc;

use crate::engine::histogram::BucketCount;
use crate::event::Millis;
use crate::live::Counter;
use crate::windows::columns::{agent, contact, gauge};
use crate::windows::frame::{Buckets, Frame, WindowFrame};
use crate::windows::numbering::{AgentRowNo, ClientId, QueueNo, ReasonId};

use super::cells::Cell;
use super::name::Place;

/// Sections of a queue's row, and of its windows.
pub(super) const GAUGES: u8 = 0;
pub(super) const TOTALS: u8 = 1;
pub(super) const LOSSES: u8 = 2;
pub(super) const WINDOWS: u8 = 3;
pub(super) const OF_WINDOW: u8 = 3;
/// In [`GAUGES`]: 2 · (entry of the oldest visit − origin) + 1.
pub(super) const OLDEST: u32 = 64;
/// In a window's columns: the largest wait + 1.
pub(super) const LARGEST: u32 = 128;
/// Sections of a row of agents' figures: levels, then n and c of each window.
pub(super) const LEVELS: u8 = 0;
pub(super) const AGENT_WINDOWS: u8 = 1;

/// What is sorted by row before rows are read off it.
#[derive(Debug, Default)]
pub(super) struct Lists {
    losses: Vec<(QueueNo, u32, i64)>,
    aux: Vec<((AgentRowNo, ReasonId), (u8, i64))>,
}

/// The frames of one instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frames<'a> {
    pub(super) frames: &'a [Arc<Frame>],
    pub(super) lists: &'a Lists,
}

impl Lists {
    /// Takes what the frames list.
    pub(super) fn fill(&mut self, frames: &[Arc<Frame>]) {
        self.losses.clear();
        self.aux.clear();
        let Self { losses, aux } = self;
        for frame in frames {
            let listed = frame.losses.iter();
            losses.extend(listed.map(|&(queue, counter, lost)| (queue, loss_no(counter), lost)));
            list(aux, LEVELS, &frame.aux);
        }
        let windows = frames.iter().flat_map(|frame| (0_u8..).zip(&frame.windows));
        for (window, frame) in windows {
            let section = AGENT_WINDOWS + 2 * window;
            list(aux, section, &frame.aux_rates);
            list(aux, section + 1, &frame.aux);
        }
        losses.sort();
        aux.sort_by_key(|&(row, (section, _))| (row, section));
    }

    /// The rows of aux.
    pub(super) fn aux_rows(&self) -> impl Iterator<Item = Place> + '_ {
        let same = |left: &((AgentRowNo, ReasonId), _), right: &(_, _)| left.0 == right.0;
        let rows = self.aux.chunk_by(same).filter_map(|rows| rows.first());
        rows.map(|&((row, reason), _)| Place::Aux(row, reason))
    }
}

type Listed = ((AgentRowNo, ReasonId), (u8, i64));

fn list(into: &mut Vec<Listed>, section: u8, from: &[(AgentRowNo, ReasonId, i64)]) {
    let entries = from.iter();
    into.extend(entries.map(|&(row, reason, amount)| ((row, reason), (section, amount))));
}

impl Frames<'_> {
    /// How many queues the frames know.
    pub(super) fn queues(&self) -> u32 {
        self.rows(|frame| frame.totals.len() / contact::WIDTH)
    }

    /// How many rows of agents' figures the frames know.
    pub(super) fn agent_rows(&self) -> u32 {
        self.rows(|frame| frame.levels.len() / agent::WIDTH)
    }

    /// The clients with a contact feed.
    pub(super) fn feeds(&self) -> impl Iterator<Item = ClientId> + '_ {
        let known = self.rows(|frame| frame.feeds.len());
        (0..known).map(ClientId).filter(|client| {
            let mut frames = self.frames.iter();
            frames.any(|frame| frame.feeds.get(client.index()).is_some_and(|fed| *fed))
        })
    }

    fn rows(&self, of: impl Fn(&Frame) -> usize) -> u32 {
        let most = self.frames.iter().map(|frame| of(frame)).max();
        u32::try_from(most.unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// The cells of a row at the frames' `to`, instants and time in state from `origin` on.
    pub(super) fn cells(&self, row: Place, origin: Millis, cells: &mut Vec<Cell>) {
        cells.clear();
        match row {
            Place::Queue(queue) => self.queue(queue, origin, cells),
            Place::Agents(row) => self.agents(row, origin, cells),
            Place::Aux(row, reason) => self.aux((row, reason), origin, cells),
            Place::Feed(_) => put(cells, 0, 0, 1),
        }
    }

    fn windows(&self) -> u8 {
        let windows = self.frames.first().map_or(0, |frame| frame.windows.len());
        u8::try_from(windows).unwrap_or_default()
    }

    fn of_window(&self, window: u8) -> impl Iterator<Item = &WindowFrame> + Clone {
        let frames = self.frames.iter();
        frames.filter_map(move |frame| frame.windows.get(usize::from(window)).map(Arc::as_ref))
    }

    fn queue(&self, queue: QueueNo, origin: Millis, cells: &mut Vec<Cell>) {
        let frames = self.frames.iter();
        let gauges = frames.clone().map(|frame| frame.gauges_of(queue));
        put_sum::<{ gauge::WIDTH }>(cells, GAUGES, gauges);
        let oldest = frames.clone();
        let oldest = oldest.filter_map(|frame| frame.oldest.get(queue.index()).copied());
        if let Some(oldest) = oldest.min().filter(|oldest| *oldest != Millis::MAX) {
            put(cells, GAUGES, OLDEST, (oldest - origin).0 * 2 + 1);
        }
        let totals = frames.map(|frame| frame.totals_of(queue));
        put_sum::<{ contact::WIDTH }>(cells, TOTALS, totals);
        self.losses(queue, cells);
        for window in 0..self.windows() {
            self.queue_window(queue, window, cells);
        }
    }

    fn losses(&self, queue: QueueNo, cells: &mut Vec<Cell>) {
        let losses = &self.lists.losses;
        let begin = losses.partition_point(|(of, ..)| *of < queue);
        let of_queue = losses.get(begin..).unwrap_or_default();
        let of_queue = of_queue.iter().take_while(|(of, ..)| *of == queue);
        for &(_, counter, lost) in of_queue {
            match cells.last_mut() {
                Some(cell) if cell.section == LOSSES && cell.index == counter => cell.value += lost,
                _ => put(cells, LOSSES, counter, lost),
            }
        }
    }

    fn queue_window(&self, queue: QueueNo, window: u8, cells: &mut Vec<Cell>) {
        let section = WINDOWS + OF_WINDOW * window;
        let frames = self.of_window(window);
        let mut columns = [0; contact::WIDTH];
        for frame in frames.clone() {
            frame.contact_of(queue).add_to(&mut columns);
        }
        put_all(cells, section, &columns);
        let place = queue.index();
        let largest = frames.clone();
        let largest = largest.filter_map(|frame| frame.wait_max.get(place).copied());
        put(cells, section, LARGEST, largest.max().unwrap_or(-1) + 1);
        let wait = frames.clone().filter_map(|frame| frame.wait.get(place));
        put_buckets(cells, section + 1, wait);
        let handle = frames.filter_map(|frame| frame.handle.get(place));
        put_buckets(cells, section + 2, handle);
    }

    fn agents(&self, row: AgentRowNo, origin: Millis, cells: &mut Vec<Cell>) {
        let levels = self.frames.iter().map(|frame| frame.levels_of(row));
        put_sum::<{ agent::WIDTH }>(cells, LEVELS, levels);
        let since = (self.to() - origin).0;
        for window in 0..self.windows() {
            let section = AGENT_WINDOWS + 2 * window;
            let frames = self.of_window(window);
            let (mut n, mut c) = ([0; agent::WIDTH], [0; agent::WIDTH]);
            for frame in frames {
                frame.rates_of(row).add_to(&mut n);
                frame.agent_of(row).add_to(&mut c);
            }
            for (c, n) in c.iter_mut().zip(n) {
                *c = c.wrapping_sub(n.wrapping_mul(since));
            }
            put_all(cells, section, &n);
            put_all(cells, section + 1, &c);
        }
    }

    fn aux(&self, row: (AgentRowNo, ReasonId), origin: Millis, cells: &mut Vec<Cell>) {
        let since = (self.to() - origin).0;
        let list = &self.lists.aux;
        let begin = list.partition_point(|(of, _)| *of < row);
        let of_row = list.get(begin..).unwrap_or_default();
        let of_row = of_row.iter().take_while(|(of, _)| *of == row);
        let mut sums = [0_i64; 1 + 2 * u8::MAX as usize];
        let mut end = 0;
        for &(_, (section, amount)) in of_row {
            let section = usize::from(section);
            sums[section] += amount;
            end = section + 2;
        }
        for section in 0..end {
            let is_c = section % 2 == 0 && section > 0;
            let n = if is_c { sums[section - 1] } else { 0 };
            let value = sums[section].wrapping_sub(n.wrapping_mul(since));
            put(cells, u8::try_from(section).unwrap_or(u8::MAX), 0, value);
        }
    }

    /// Their instant.
    pub(super) fn to(&self) -> Millis {
        self.frames.first().map_or(Millis(0), |frame| frame.to)
    }
}

fn put(cells: &mut Vec<Cell>, section: u8, index: u32, value: i64) {
    if value != 0 {
        cells.push(Cell {
            section,
            index,
            value,
        });
    }
}

fn put_all(cells: &mut Vec<Cell>, section: u8, row: &[i64]) {
    for (index, value) in (0..).zip(row) {
        put(cells, section, index, *value);
    }
}

fn sum<'r, const WIDTH: usize>(rows: impl Iterator<Item = &'r [i64]>) -> [i64; WIDTH] {
    let mut sum = [0_i64; WIDTH];
    for row in rows {
        for (into, value) in sum.iter_mut().zip(row) {
            *into = into.wrapping_add(*value);
        }
    }
    sum
}

fn put_sum<'r, const WIDTH: usize>(
    cells: &mut Vec<Cell>,
    section: u8,
    rows: impl Iterator<Item = &'r [i64]>,
) {
    put_all(cells, section, &sum::<WIDTH>(rows));
}

/// Counts by bucket of all workers, sorted by bucket.
fn put_buckets<'r>(cells: &mut Vec<Cell>, section: u8, buckets: impl Iterator<Item = &'r Buckets>) {
    let begin = cells.len();
    let mut lists = 0;
    for list in buckets.flatten() {
        lists += 1;
        for (bucket, count) in BucketCount::whole(list) {
            put(cells, section, bucket.lowest(), count);
        }
    }
    if lists < 2 {
        return;
    }
    cells[begin..].sort_unstable();
    let mut kept = begin;
    for at in begin..cells.len() {
        let cell = cells[at];
        if kept > begin && cells[kept - 1].index == cell.index {
            cells[kept - 1].value += cell.value;
        } else {
            cells[kept] = cell;
            kept += 1;
        }
    }
    cells.truncate(kept);
}

/// Rungs and ways have so many numbers each.
const EACH: u32 = 16;

/// The number of a counter in the section of losses.
pub(super) fn loss_no(counter: Counter) -> u32 {
    let many = |kind: u32, number: u8| 32 + kind * EACH + u32::from(number).min(EACH - 1);
    match counter {
        Counter::AnsweredWithin(rung) => many(0, rung),
        Counter::AbandonedWithin(rung) => many(1, rung),
        Counter::FlowedOut(way) => many(2, way),
        Counter::ThresholdPassed(rung) => many(3, rung),
        plain => (0..)
            .zip(PLAIN)
            .find(|(_, known)| *known == plain)
            .map_or(0, |(number, _)| number),
    }
}

/// The counter of a number.
pub(super) fn loss_of(number: u32) -> Option<Counter> {
    let Some(many) = number.checked_sub(32) else {
        return PLAIN.get(usize::try_from(number).ok()?).copied();
    };
    let of = u8::try_from(many % EACH).ok()?;
    Some(match many / EACH {
        0 => Counter::AnsweredWithin(of),
        1 => Counter::AbandonedWithin(of),
        2 => Counter::FlowedOut(of),
        3 => Counter::ThresholdPassed(of),
        _ => return None,
    })
}

const PLAIN: [Counter; 16] = [
    Counter::Offered,
    Counter::Answered,
    Counter::Abandoned,
    Counter::AbandonedAtOnce,
    Counter::CallbacksRequested,
    Counter::AlertFailed,
    Counter::Transferred,
    Counter::Handled,
    Counter::AnsweredWait,
    Counter::AbandonedWait,
    Counter::Talk,
    Counter::Hold,
    Counter::AfterContact,
    Counter::Rated,
    Counter::Complained,
    Counter::Resolved,
];
