//! A row as *cells*: (section, index) → integer, sorted, zeros left out. Two rows differ by the
//! cells of their difference, so whole and difference are one encoding.
//!
//! `section count (gap value)…` each as a base-128 integer: 2 to 3 bytes a cell. The bytes of a bad
//! record give nothing, and never more cells than half as many bytes.

use super::bytes::{Bytes, put, put_signed};

/// One figure of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    /// Which kind of figure.
    pub section: u8,
    /// Which of that kind.
    pub index: u32,
    /// Its amount.
    pub value: i64,
}

impl Cell {
    const fn place(&self) -> (u8, u32) {
        (self.section, self.index)
    }
}

/// Appends cells, which are sorted and not 0.
pub(super) fn encode(cells: &[Cell], out: &mut Vec<u8>) {
    for section in cells.chunk_by(|left, right| left.section == right.section) {
        out.push(section.first().map_or(0, |cell| cell.section));
        put(out, section.len() as u64);
        let mut next = 0;
        for cell in section {
            put(out, u64::from(cell.index - next));
            put_signed(out, cell.value);
            next = cell.index.saturating_add(1);
        }
    }
}

/// Reads cells to the end of the bytes, appending; none if they are no cells.
pub(super) fn decode(bytes: &[u8], cells: &mut Vec<Cell>) -> Option<()> {
    let mut bytes = Bytes(bytes);
    let mut before = None;
    while !bytes.is_empty() {
        let section = bytes.byte()?;
        if before.is_some_and(|before| before >= section) {
            return None;
        }
        before = Some(section);
        let mut next: u64 = 0;
        for _ in 0..bytes.number()? {
            let place = next.checked_add(bytes.number()?)?;
            let index = u32::try_from(place).ok()?;
            let value = bytes.signed()?;
            cells.push(Cell {
                section,
                index,
                value,
            });
            next = place + 1;
        }
    }
    Some(())
}

/// Calls `each` with `left + sign · right`, cell by cell; sums wrap.
fn combine(left: &[Cell], right: &[Cell], sign: i64, out: &mut Vec<Cell>) {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.place().cmp(&right.place()),
        };
        let mut sum = 0_i64;
        let mut place = (0, 0);
        if order.is_le()
            && let Some(cell) = left.next()
        {
            sum = cell.value;
            place = cell.place();
        }
        if order.is_ge()
            && let Some(cell) = right.next()
        {
            sum = sum.wrapping_add(cell.value.wrapping_mul(sign));
            place = cell.place();
        }
        if sum != 0 {
            out.push(Cell {
                section: place.0,
                index: place.1,
                value: sum,
            });
        }
    }
}

/// What `row` differs by from `whole`.
pub(super) fn difference(row: &[Cell], whole: &[Cell], out: &mut Vec<Cell>) {
    combine(row, whole, -1, out);
}

/// The row that differs by `difference` from `whole`.
pub(super) fn restore(whole: &[Cell], difference: &[Cell], out: &mut Vec<Cell>) {
    combine(whole, difference, 1, out);
}
