//! Rows of integers of which most are 0: only the others are kept.
//!
//! Of the contact columns of a window three quarters are 0, more at night and in short windows, and
//! there are two copies of them for each window.

use super::columns;
use crate::engine::room;

/// Room is made for so many values at once, not to grow from nothing row by row.
const STEP: usize = 1024;

/// Rows by number. A row that was never put is all zeros.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// By row, the columns that are not 0.
    present: Vec<u128>,
    /// By row, where its values begin.
    begins: Vec<u32>,
    values: Vec<i64>,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    present: u128,
    values: &'a [i64],
}

impl Rows {
    /// Takes everything out, keeping the memory.
    pub fn clear(&mut self) {
        self.present.clear();
        self.begins.clear();
        self.values.clear();
    }

    /// Makes room for so many rows.
    pub fn reserve(&mut self, rows: usize) {
        let more = rows.saturating_sub(self.present.len());
        self.present.reserve_exact(more);
        self.begins.reserve_exact(more);
    }

    /// Puts a row, at most 128 columns, in the place of what it was. What it was takes memory until
    /// everything is taken out.
    pub fn put(&mut self, row: usize, columns: &[i64]) {
        if self.present.len() <= row {
            self.present.resize(row + 1, 0);
            self.begins.resize(row + 1, 0);
        }
        self.begins[row] = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let (mut packed, mut len, mut present) = ([0; 128], 0, 0);
        for (column, &value) in columns.iter().take(packed.len()).enumerate() {
            packed[len] = value;
            len += usize::from(value != 0);
            present |= u128::from(value != 0) << column;
        }
        self.present[row] = present;
        room::reserve_by(&mut self.values, len, STEP);
        self.values.extend_from_slice(&packed[..len]);
    }

    /// A row.
    pub fn row(&self, row: usize) -> Columns<'_> {
        let present = self.present.get(row).copied().unwrap_or_default();
        let begin = self.begins.get(row).map_or(0, |&begin| begin as usize);
        let end = begin + present.count_ones() as usize;
        let values = self.values.get(begin..end).unwrap_or_default();
        Columns { present, values }
    }
}

impl<'a> Columns<'a> {
    /// The columns that are not 0, with their values.
    pub fn iter(self) -> impl Iterator<Item = (usize, i64)> + 'a {
        columns::of_mask(self.present).zip(self.values.iter().copied())
    }

    /// Adds it to sums by column.
    pub fn add_to(self, sums: &mut [i64]) {
        for (column, value) in self.iter() {
            if let Some(sum) = sums.get_mut(column) {
                *sum = sum.wrapping_add(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_they_were_put() {
        let mut rows = Rows::default();
        let mut wide = [0; 128];
        (wide[0], wide[127]) = (-3, i64::MAX);
        rows.put(2, &[0, 5, 0, 7]);
        rows.put(0, &wide);
        rows.put(2, &[1, 0, 0, 9]);
        let all = |row: usize| rows.row(row).iter().collect::<Vec<_>>();
        assert_eq!(all(0), [(0, -3), (127, i64::MAX)]);
        assert_eq!(all(1), []);
        assert_eq!(all(2), [(0, 1), (3, 9)]);
        assert_eq!(all(3), []);
        let mut sums = [10; 4];
        rows.row(2).add_to(&mut sums);
        assert_eq!(sums, [11, 10, 10, 19]);
        rows.clear();
        assert_eq!(rows.row(2).iter().count(), 0);
    }
}
