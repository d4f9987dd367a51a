//! From the cells of rows back to a frame, in the numbers of this process.

use std::sync::Arc;

use crate::engine::histogram::{Bucket, BucketCount};
use crate::event::{Millis, Span};
use crate::windows::columns::{agent, contact, gauge};
use crate::windows::frame::{Frame, WindowFrame};
use crate::windows::numbering::{AgentRowNo, QueueNo, ReasonId};

use super::cells::Cell;
use super::gather::{
    AGENT_WINDOWS, GAUGES, LARGEST, LEVELS, LOSSES, OF_WINDOW, OLDEST, TOTALS, WINDOWS, loss_of,
};
use super::name::Place;

/// More contacts than all windows of all queues have. Rows that say more are not believed: a count takes
/// memory.
const CONTACTS_MAX: i64 = 1 << 32;

/// A frame being filled.
#[derive(Debug)]
pub(super) struct Filling {
    frame: Frame,
    windows: Vec<WindowFrame>,
    buckets: Vec<BucketCount>,
    /// How many contacts more there may be in distributions.
    left: i64,
}

impl Filling {
    /// An empty frame of the instant `to`.
    pub(super) fn new(to: Millis, windows: usize) -> Self {
        Self {
            frame: Frame {
                tick: to.0.unsigned_abs(),
                now: to,
                to,
                ..Frame::default()
            },
            windows: (0..windows).map(|_| WindowFrame::default()).collect(),
            buckets: Vec::new(),
            left: CONTACTS_MAX,
        }
    }

    /// Puts the cells of a row, which begin at `origin`, into the frame. Cells of a kind or window
    /// that we do not know are left out.
    pub(super) fn put(&mut self, row: Place, origin: Millis, cells: &[Cell]) {
        let of_section = |left: &Cell, right: &Cell| left.section == right.section;
        match row {
            Place::Queue(queue) => {
                self.fit_queue(queue);
                for cells in cells.chunk_by(of_section) {
                    self.queue(queue, origin, cells);
                }
            }
            Place::Agents(row) => {
                let end = (row.index() + 1) * agent::WIDTH;
                fit(&mut self.frame.levels, end, 0);
                self.agents(row, origin, cells);
            }
            Place::Aux(row, reason) => self.aux(row, reason, origin, cells),
            Place::Feed(client) => {
                fit(&mut self.frame.feeds, client.index() + 1, false);
                self.frame.feeds[client.index()] = !cells.is_empty();
            }
        }
    }

    /// The frame.
    pub(super) fn done(mut self) -> Frame {
        self.frame.aux.sort_unstable();
        for window in &mut self.windows {
            window.aux.sort_unstable();
        }
        self.frame.windows = self.windows.into_iter().map(Arc::new).collect();
        self.frame
    }

    fn fit_queue(&mut self, queue: QueueNo) {
        let rows = queue.index() + 1;
        let frame = &mut self.frame;
        fit(&mut frame.gauges, rows * gauge::WIDTH, 0);
        fit(&mut frame.oldest, rows, Millis::MAX);
        fit(&mut frame.totals, rows * contact::WIDTH, 0);
        for window in &mut self.windows {
            fit(&mut window.wait, rows, None);
            fit(&mut window.handle, rows, None);
            fit(&mut window.wait_max, rows, -1);
        }
    }

    /// One section of a queue.
    fn queue(&mut self, queue: QueueNo, origin: Millis, cells: &[Cell]) {
        let place = queue.index();
        let frame = &mut self.frame;
        let section = cells.first().map_or(0, |cell| cell.section);
        match section {
            GAUGES => {
                set(&mut frame.gauges, place, gauge::WIDTH, cells);
                if let Some(oldest) = cells.iter().find(|cell| cell.index == OLDEST) {
                    frame.oldest[place] = Millis(origin.0.wrapping_add(oldest.value >> 1));
                }
            }
            TOTALS => set(&mut frame.totals, place, contact::WIDTH, cells),
            LOSSES => {
                let known = cells.iter().filter_map(|cell| {
                    let counter = loss_of(cell.index)?;
                    Some((queue, counter, cell.value))
                });
                frame.losses.extend(known);
            }
            _ => self.queue_window(place, section - WINDOWS, cells),
        }
    }

    fn queue_window(&mut self, place: usize, section: u8, cells: &[Cell]) {
        let window = usize::from(section / OF_WINDOW);
        let Some(window) = self.windows.get_mut(window) else {
            return;
        };
        if section.is_multiple_of(OF_WINDOW) {
            let mut columns = [0; contact::WIDTH];
            set(&mut columns, 0, contact::WIDTH, cells);
            window.contact.put(place, &columns);
            if let Some(largest) = cells.iter().find(|cell| cell.index == LARGEST) {
                window.wait_max[place] = largest.value.saturating_sub(1);
            }
            return;
        }
        self.buckets.clear();
        for cell in cells {
            let bucket = Bucket::of(Span(i64::from(cell.index)));
            let count = cell.value.clamp(0, self.left);
            self.left -= count;
            BucketCount::push(&mut self.buckets, bucket, count);
        }
        let list = Arc::from(self.buckets.as_slice());
        let kind = if section % OF_WINDOW == 1 {
            &mut window.wait
        } else {
            &mut window.handle
        };
        kind[place] = Some(list);
    }

    fn agents(&mut self, row: AgentRowNo, origin: Millis, cells: &[Cell]) {
        let since = self.since(origin);
        let window_of = |cell: &Cell| part(cell.section).map(|(window, _)| window);
        for cells in cells.chunk_by(|one, next| window_of(one) == window_of(next)) {
            let Some(window) = window_of(&cells[0]) else {
                set(&mut self.frame.levels, row.index(), agent::WIDTH, cells);
                continue;
            };
            let mut sums = [0_i64; agent::WIDTH];
            for cell in cells {
                if let Some(sum) = sums.get_mut(cell.index as usize) {
                    let is_n = part(cell.section).is_some_and(|(_, is_n)| is_n);
                    let factor = if is_n { since } else { 1 };
                    *sum = sum.wrapping_add(cell.value.wrapping_mul(factor));
                }
            }
            if let Some(window) = self.windows.get_mut(window) {
                window.agent.put(row.index(), &sums);
            }
        }
    }

    fn aux(&mut self, row: AgentRowNo, reason: ReasonId, origin: Millis, cells: &[Cell]) {
        let since = self.since(origin);
        let mut sums: [i64; 256] = [0; 256];
        for cell in cells {
            match part(cell.section) {
                None => self.frame.aux.push((row, reason, cell.value)),
                Some((window, is_n)) => {
                    let factor = if is_n { since } else { 1 };
                    let amount = cell.value.wrapping_mul(factor);
                    sums[window] = sums[window].wrapping_add(amount);
                }
            }
        }
        for (window, sum) in self.windows.iter_mut().zip(sums) {
            if sum != 0 {
                window.aux.push((row, reason, sum));
            }
        }
    }

    fn since(&self, origin: Millis) -> i64 {
        self.frame.to.0.wrapping_sub(origin.0)
    }
}

/// The window of a section of agents' figures, and whether it is n; none for levels.
fn part(section: u8) -> Option<(usize, bool)> {
    let of_window = section.checked_sub(AGENT_WINDOWS)?;
    debug_assert_eq!(LEVELS, 0);
    Some((usize::from(of_window / 2), of_window % 2 == 0))
}

fn fit<T: Clone>(list: &mut Vec<T>, len: usize, empty: T) {
    if list.len() < len {
        list.resize(len, empty);
    }
}

/// Sets columns of a row of a table; cells beyond its width are something else.
fn set(table: &mut [i64], row: usize, width: usize, cells: &[Cell]) {
    let Some(row) = table.get_mut(row * width..(row + 1) * width) else {
        return;
    };
    for cell in cells {
        if let Some(column) = row.get_mut(cell.index as usize) {
            *column = cell.value;
        }
    }
}
