//! Time in state gathered by list of rows, and unfolded into the rows once.
//!
//! An agent of ten queues counts in some fifteen rows; unfolding each of his posts would touch them
//! all each time. So posts are summed up by list first, where leaving one profile and entering the
//! next mostly cancel out, and each list that changed is unfolded once per view.

use super::columns::agent;
use super::maps::{Hit, Maps};
use super::sums::{LEVELS, Sums};
use crate::event::Millis;

const NONE: u32 = u32::MAX;

/// Sums by list, only of the lists that changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfold {
    /// By list: its place among the changed ones.
    places: Vec<u32>,
    changed: Vec<u32>,
    sums: Vec<[i64; LEVELS]>,
}

impl Unfold {
    /// Gathers time in state; everything else goes to `sums` at once.
    #[inline]
    pub(super) fn add(
        &mut self,
        hit: &Hit<'_>,
        stamp: Millis,
        sign: i64,
        maps: &Maps,
        sums: &mut Sums,
    ) {
        let c = -sign * stamp.0;
        match *hit {
            Hit::Level {
                list, cells, aux, ..
            } => {
                let levels = self.list(list);
                for &(column, weight) in cells {
                    let column = usize::from(column);
                    levels[column] += sign * weight;
                    let since = &mut levels[agent::WIDTH + column];
                    *since = since.wrapping_add(c.wrapping_mul(weight));
                }
                for &cell in aux {
                    let [n, since] = &mut sums.aux[cell as usize];
                    *n += sign;
                    *since = since.wrapping_add(c);
                }
            }
            Hit::Here { lists, .. } => {
                for (list, column) in [(lists.0, agent::HERE), (lists.1, agent::HERE_MEMBER)] {
                    let levels = self.list(list);
                    levels[column] += sign;
                    let since = &mut levels[agent::WIDTH + column];
                    *since = since.wrapping_add(c);
                }
            }
            _ => sums.add(hit, stamp, sign, &maps.agent_zones, |_| true),
        }
    }

    fn list(&mut self, list: u32) -> &mut [i64; LEVELS] {
        let index = list as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, NONE);
        }
        if self.places[index] == NONE {
            self.places[index] = u32::try_from(self.changed.len()).unwrap_or(NONE);
            self.changed.push(list);
            self.sums.push([0; LEVELS]);
        }
        &mut self.sums[self.places[index] as usize]
    }

    /// Adds what was gathered to the rows of `sums`, and forgets it.
    pub(super) fn unfold(&mut self, maps: &Maps, sums: &mut Sums) {
        for (list, levels) in self.changed.drain(..).zip(self.sums.drain(..)) {
            self.places[list as usize] = NONE;
            let mut moved = [(0, 0); LEVELS];
            let mut len = 0;
            for (column, &amount) in levels.iter().enumerate() {
                if amount != 0 {
                    moved[len] = (column, amount);
                    len += 1;
                }
            }
            for row in maps.list(list) {
                let row = &mut sums.agent[row.index() * LEVELS..][..LEVELS];
                for &(column, amount) in &moved[..len] {
                    row[column] = row[column].wrapping_add(amount);
                }
            }
        }
    }

    /// Forgets what was gathered.
    pub(super) fn clear(&mut self) {
        for list in self.changed.drain(..) {
            self.places[list as usize] = NONE;
        }
        self.sums.clear();
    }
}
