//! The last hour of a queue, minute by minute.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::event::{Millis, Span};
use crate::windows::history::Columns;

use super::snapshot::{contact_averages, contact_counts};
use super::{ContactWindow, Row, rfc3339};

/// How many minutes are shown, the running one included.
const MINUTES: i64 = 60;

/// The edges of the minutes of the hour up to `to`: whole minutes, and `to` itself.
pub fn minute_edges(to: Millis) -> Vec<Millis> {
    let minute = Span::minutes(1).0;
    // the running minute ends at `to`, which may be its very end
    let begin = (to.0 - 1).div_euclid(minute) * minute;
    let mut edges: Vec<Millis> = (0..MINUTES)
        .rev()
        .map(|back| Millis(begin - back * minute))
        .collect();
    edges.push(to);
    edges
}

/// The minutes of one queue as JSON: `from`, `to`, and contact figures as in a window.
#[derive(Clone, Copy, Debug)]
pub struct Minutes<'a> {
    /// The queue.
    pub row: &'a Row,
    /// One more than there are columns.
    pub edges: &'a [Millis],
    /// Contact columns of each minute.
    pub columns: &'a [Columns],
}

impl Serialize for Minutes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.columns.len()))?;
        if let Some((entry, view)) = &self.row.queue {
            for (edges, columns) in self.edges.windows(2).zip(self.columns) {
                let contacts = ContactWindow::of(columns, &entry.rungs, view);
                seq.serialize_element(&Minute { edges, contacts })?;
            }
        }
        seq.end()
    }
}

struct Minute<'a> {
    edges: &'a [Millis],
    contacts: ContactWindow,
}

impl Serialize for Minute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, edge) in ["from", "to"].into_iter().zip(self.edges) {
            map.serialize_entry(key, &rfc3339(*edge))?;
        }
        contact_counts(&mut map, &self.contacts)?;
        contact_averages(&mut map, &self.contacts)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_minutes_end_with_the_running_one() {
        let whole = 1_767_603_600_000;
        for (to, last) in [
            (whole, whole - 60_000),
            (whole + 1, whole),
            (whole + 59_000, whole),
        ] {
            let edges = minute_edges(Millis(to));
            assert_eq!(edges.len(), 61);
            assert_eq!(edges[59..], [Millis(last), Millis(to)]);
            assert_eq!(edges[0], Millis(last - 59 * 60_000));
        }
    }
}
