//! What is checked of a contact that was read from a snapshot.

use super::Contact;
use crate::engine::image::{Bounds, Fault, hold, span};

impl Contact {
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        bounds.client(self.client)?;
        let mut ranges = Vec::with_capacity(self.records.len());
        for record in &self.records {
            record.check(self.bytes.len(), bounds)?;
            for duration in [
                self.facts().first_span(record),
                self.facts().second_span(record),
            ] {
                duration.map_or(Ok(()), span)?;
            }
            let range = record.range();
            ranges.push((range.start, range.end));
        }
        // A fact that is taken out moves the bytes of those behind it.
        ranges.sort_unstable();
        let mut end = 0;
        for (start, next) in ranges {
            hold(start == end, "facts that share bytes")?;
            end = next;
        }
        hold(end == self.bytes.len(), "bytes of no fact")?;
        self.ordinary.check(self.facts(), bounds)
    }
}
