//! The snapshot topic of one partition without a broker, and whoever writes to it.

use queuepulse::engine::partition::Partition;
use queuepulse::recovery::choice::{Choice, Found, Refusal, Wanted, choose};
use queuepulse::recovery::encoding::{FORMAT, decode};
use queuepulse::recovery::header::{Header, Of};
use queuepulse::recovery::records::{self, Pile};
use std::sync::Arc;

use super::dice::Dice;
use super::log::{Log, SETTINGS};

/// Stands for the hash of the settings that count.
pub const SETTINGS_HASH: u64 = 77;
/// So many records of the tail are read.
const TAIL: usize = 8;

pub fn of() -> Of {
    Of {
        group: "g".to_owned(),
        topic: "events".to_owned(),
        partition: 0,
    }
}

/// Snapshots of one partition, oldest first, and those that are on their way.
#[derive(Debug, Default)]
pub struct Store {
    values: Vec<Vec<u8>>,
    pending: Vec<Vec<u8>>,
}

impl Store {
    /// Writes a snapshot, at once or to arrive later, whoever may have written since.
    pub fn write(&mut self, header: &Header, state: &[u8], late: bool) {
        let turn = u64::try_from(header.written).unwrap();
        let written = records::write(header, state, turn).unwrap();
        let values = written.into_iter().map(|record| record.value);
        if late {
            self.pending.extend(values);
        } else {
            self.values.extend(values);
        }
    }

    /// One of those on their way arrives.
    pub fn arrive(&mut self, dice: &mut Dice) {
        if !self.pending.is_empty() {
            let which = dice.below(self.pending.len());
            self.values.push(self.pending.swap_remove(which));
        }
    }

    /// Somebody loses or damages what is kept.
    pub fn damage(&mut self, dice: &mut Dice) {
        if self.values.is_empty() {
            return;
        }
        let last = self.values.len() - 1;
        let which = last - dice.below(self.values.len().min(3));
        let value = &mut self.values[which];
        if value.is_empty() {
            return;
        }
        match dice.below(5) {
            0 => {
                let at = dice.below(value.len());
                value[at] ^= 1 << dice.below(8);
            }
            1 => {
                let len = dice.below(value.len());
                value.truncate(len);
            }
            2 => self.values.truncate(which),
            3 => self.values.clear(),
            _ => {
                let copy = value.clone();
                self.values.push(copy);
            }
        }
    }

    /// The newest snapshot that may be used, as the engine chooses it.
    pub fn newest(&self, log: &Log) -> Choice<Partition> {
        let mut pile = Pile::default();
        let tail = self.values.len().saturating_sub(TAIL);
        for value in &self.values[tail..] {
            pile.add((0, 0), value, &|_| true);
        }
        let (candidates, _) = pile.take(&of());
        let offset = |at: usize| i64::try_from(at).unwrap();
        let wanted = Wanted {
            format: u32::from(FORMAT),
            settings: SETTINGS_HASH,
            low: offset(log.low),
            high: offset(log.high()),
        };
        let record_at = |at: i64| match usize::try_from(at) {
            Ok(at) if at < log.high() => Found::Record(log.fingerprint(at)),
            _ => Found::Nothing,
        };
        choose(candidates, &wanted, record_at, |candidate| {
            let bytes = records::state(candidate).ok_or(Refusal::Damaged)?;
            decode(&bytes, Arc::clone(&SETTINGS)).map_err(|_| Refusal::Damaged)
        })
    }
}
