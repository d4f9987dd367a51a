//! One table of sums: contact columns by queue, time in state by row of agents' figures.

use super::columns::{agent, contact};
use super::maps::{Hit, Maps};
use crate::engine::base::Sparse;
use crate::engine::cells::count_cells;
use crate::engine::room;
use crate::event::Millis;

/// Integers of a row of agents' figures: n of every column, then c of every column.
pub(super) const LEVELS: usize = 2 * agent::WIDTH;

/// Totals, or the tail of one window.
///
/// The c of time in state is a sum of instants times weights: a thousand agents with slots for
/// everything take it beyond 64 bits. It wraps round, and so does n·x + c, which is exact again for
/// every time in state that fits.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// Queues × [`contact::WIDTH`].
    pub contact: Vec<i64>,
    /// Rows × [`LEVELS`].
    pub agent: Vec<i64>,
    /// By cell of aux: n and c.
    pub aux: Vec<[i64; 2]>,
}

impl Sums {
    /// Makes room; what is new is zero.
    pub(super) fn fit(&mut self, queues: usize, agent_rows: usize, aux: usize) {
        room::resize(&mut self.contact, queues * contact::WIDTH, 0);
        room::resize(&mut self.agent, agent_rows * LEVELS, 0);
        self.aux.resize(aux, [0; 2]);
    }

    /// All zero.
    pub(super) fn clear(&mut self) {
        self.contact.fill(0);
        self.agent.fill(0);
        self.aux.fill([0; 2]);
    }

    /// The rows whose zone `passes` become those of `total` less those of `after`.
    pub(super) fn set_to(
        &mut self,
        total: &Self,
        after: &Self,
        maps: &Maps,
        passes: impl Fn(u16) -> bool,
    ) {
        self.each_row(total, after, maps, passes, |_, difference| difference);
    }

    /// Takes `total` less `after` off the rows whose zone `passes`.
    pub(super) fn take_off(
        &mut self,
        total: &Self,
        after: &Self,
        maps: &Maps,
        passes: impl Fn(u16) -> bool,
    ) {
        self.each_row(total, after, maps, passes, i64::wrapping_sub);
    }

    /// Each cell of the rows whose zone `passes` becomes `new` of it and of `total` less `after`.
    fn each_row(
        &mut self,
        total: &Self,
        after: &Self,
        maps: &Maps,
        passes: impl Fn(u16) -> bool,
        new: impl Fn(i64, i64) -> i64,
    ) {
        let row = |into: &mut [i64], total: &[i64], after: &[i64]| {
            for (cell, (total, after)) in into.iter_mut().zip(total.iter().zip(after)) {
                *cell = new(*cell, total.wrapping_sub(*after));
            }
        };
        for (queue, _) in maps.queue_zones.iter().enumerate().filter(|z| passes(*z.1)) {
            let at = queue * contact::WIDTH..(queue + 1) * contact::WIDTH;
            let (total, after) = (&total.contact[at.clone()], &after.contact[at.clone()]);
            row(&mut self.contact[at], total, after);
        }
        for (number, _) in maps.agent_zones.iter().enumerate().filter(|z| passes(*z.1)) {
            let at = number * LEVELS..(number + 1) * LEVELS;
            let (total, after) = (&total.agent[at.clone()], &after.agent[at.clone()]);
            row(&mut self.agent[at], total, after);
        }
        for (cell, (number, _)) in maps.aux_keys.iter().enumerate() {
            if passes(maps.agent_zones[number.index()]) {
                row(&mut self.aux[cell], &total.aux[cell], &after.aux[cell]);
            }
        }
    }

    /// Takes a table of the same or a smaller size off.
    pub(super) fn subtract(&mut self, other: &Self) {
        let cells = self.contact.iter_mut().zip(&other.contact);
        let cells = cells.chain(self.agent.iter_mut().zip(&other.agent));
        let aux = self.aux.iter_mut().flatten();
        for (cell, other) in cells.chain(aux.zip(other.aux.iter().flatten())) {
            *cell = cell.wrapping_sub(*other);
        }
    }

    /// Adds columns of a queue `sign` times.
    pub(super) fn add_row(&mut self, queue: usize, columns: &Sparse, sign: i64) {
        for (column, amount) in columns.iter() {
            self.contact[queue * contact::WIDTH + column] += sign * amount;
        }
    }

    /// Adds a fact `sign` times, at the rows whose zone `passes`. `agent_zones` is by row of
    /// agents' figures.
    #[inline]
    pub(super) fn add(
        &mut self,
        hit: &Hit<'_>,
        stamp: Millis,
        sign: i64,
        agent_zones: &[u16],
        passes: impl Fn(u16) -> bool,
    ) {
        match *hit {
            Hit::Nothing => {}
            Hit::Count {
                queue,
                zone,
                rungs,
                count,
            } => {
                if passes(zone) {
                    let row = &mut self.contact[queue * contact::WIDTH..][..contact::WIDTH];
                    count_cells(count, rungs, |column, amount| row[column] += sign * amount);
                }
            }
            Hit::PassCounted { queue, rung } => {
                let column = contact::PASS_COUNTED + usize::from(rung);
                self.contact[queue * contact::WIDTH + column] += sign;
            }
            Hit::Level {
                rows, cells, aux, ..
            } => {
                let c = -sign * stamp.0;
                for row in rows.iter().map(|row| row.index()) {
                    if passes(agent_zones[row]) {
                        let levels = &mut self.agent[row * LEVELS..][..LEVELS];
                        for &(column, weight) in cells {
                            let column = usize::from(column);
                            levels[column] += sign * weight;
                            let since = &mut levels[agent::WIDTH + column];
                            *since = since.wrapping_add(c.wrapping_mul(weight));
                        }
                    }
                }
                for (row, &cell) in rows.iter().zip(aux) {
                    if passes(agent_zones[row.index()]) {
                        let [n, since] = &mut self.aux[cell as usize];
                        *n += sign;
                        *since = since.wrapping_add(c);
                    }
                }
            }
            Hit::Here { rows, members, .. } => {
                for (rows, column) in [(rows, agent::HERE), (members, agent::HERE_MEMBER)] {
                    for row in rows.iter().map(|row| row.index()) {
                        if passes(agent_zones[row]) {
                            self.agent[row * LEVELS + column] += sign;
                            let since = &mut self.agent[row * LEVELS + agent::WIDTH + column];
                            *since = since.wrapping_sub(sign * stamp.0);
                        }
                    }
                }
            }
        }
    }
}
