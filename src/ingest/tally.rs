//! What became of records: each is counted once, as applied or for the one reason why it was not.

use crate::event::Discard;

/// Counts of one batch, added to the engine's own metrics when the batch is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    applied: u64,
    discarded: [u64; Discard::ALL.len()],
}

impl Tally {
    /// A record was applied, or was not for this reason.
    pub fn note(&mut self, result: Result<(), Discard>) {
        match result {
            Ok(()) => self.applied += 1,
            Err(reason) => {
                let at = Discard::ALL.iter().position(|&other| other == reason);
                self.discarded[at.unwrap_or_default()] += 1;
            }
        }
    }

    /// All records.
    pub fn records(&self) -> u64 {
        self.applied + self.discarded.iter().sum::<u64>()
    }

    /// Records that changed no figure, by reason; reasons without any are left out.
    pub fn discarded(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        let all = Discard::ALL.into_iter().zip(self.discarded);
        all.filter(|&(_, count)| count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_counted_once() {
        let mut tally = Tally::default();
        tally.note(Ok(()));
        for reason in Discard::ALL {
            tally.note(Err(reason));
        }
        tally.note(Err(Discard::Duplicate));
        assert_eq!(tally.records(), Discard::ALL.len() as u64 + 2);
        for (reason, count) in tally.discarded() {
            assert_eq!(count, 1 + u64::from(reason == Discard::Duplicate));
        }
        assert_eq!(tally.discarded().count(), Discard::ALL.len());
    }
}
