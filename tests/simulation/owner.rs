//! Who reads a log: takes up what was written down, reads on, writes down.

use std::sync::Arc;

use queuepulse::engine::partition::Partition;
use queuepulse::event::Millis;
use queuepulse::recovery::encoding::{FORMAT, encode};
use queuepulse::recovery::header::Header;

use super::log::{Log, SETTINGS, apply, hash_of};
use super::store::{SETTINGS_HASH, Store, of};

/// Offsets that were read: from, to.
pub type Ranges = Vec<(usize, usize)>;

/// What was violated, and where.
pub type Violation = String;

/// An owner of one partition, or one who takes himself for it.
#[derive(Debug)]
pub struct Owner {
    partition: Partition,
    next: usize,
    records: u64,
    /// What its state is of; one range from 0 on, unless the log was cut off.
    read: Ranges,
    bytes: Vec<u8>,
}

impl Owner {
    /// Begins with the newest snapshot that may be used; without one with the first record that is
    /// still there. `written` says what each snapshot was of.
    pub fn begin(store: &Store, log: &Log, written: &[Ranges]) -> Result<Self, Violation> {
        let Some(taken) = store.newest(log).taken else {
            return Ok(Self {
                partition: Partition::new(Arc::clone(&SETTINGS)),
                next: log.low,
                records: 0,
                read: vec![(log.low, log.low)],
                bytes: Vec::new(),
            });
        };
        let snapshot = usize::try_from(taken.header.written).unwrap();
        let mut read = written[snapshot].clone();
        let next = usize::try_from(taken.header.next_offset).unwrap();
        if taken.gap > 0 {
            read.push((log.low, log.low));
        }
        let mut owner = Self {
            partition: taken.state,
            next: next.max(log.low),
            records: taken.header.records,
            read,
            bytes: Vec::new(),
        };
        owner.check(log)?;
        Ok(owner)
    }

    /// Whether it read every record from the first one on.
    pub fn is_whole(&self) -> bool {
        self.read.len() == 1 && self.read[0].0 == 0
    }

    /// Whether there is nothing left to read.
    pub fn is_at_end(&self, log: &Log) -> bool {
        self.next >= log.high()
    }

    /// Reads at most so many records.
    pub fn read(&mut self, log: &Log, most: usize) -> Result<(), Violation> {
        if self.next < log.low {
            self.read.push((log.low, log.low));
            self.next = log.low;
        }
        let end = log.high().min(self.next + most);
        let is_whole = self.is_whole();
        for offset in self.next..end {
            let outcome = apply(&mut self.partition, log.record(offset));
            self.partition.clear_outbox();
            if is_whole && outcome != log.outcome(offset) {
                let expected = log.outcome(offset);
                return Err(format!(
                    "I5: the record at {offset} is {outcome:?}, for a reader from the start {expected:?}"
                ));
            }
            self.records += 1;
        }
        self.next = end;
        if let Some(last) = self.read.last_mut() {
            last.1 = end;
        }
        self.check(log)
    }

    /// Somebody looks at the figures of some instant.
    pub fn view(&mut self, ahead: i64) {
        let mut due = Vec::new();
        let now = Millis(self.partition.stream().0 + ahead);
        self.partition.due(now, &mut due);
    }

    /// Writes its state down.
    pub fn write(&mut self, store: &mut Store, log: &Log, written: &mut Vec<Ranges>, late: bool) {
        self.bytes.clear();
        encode(&self.partition, &mut self.bytes);
        let header = Header {
            format: u32::from(FORMAT),
            of: of(),
            settings: SETTINGS_HASH,
            next_offset: i64::try_from(self.next).unwrap(),
            last: self.next.checked_sub(1).map(|last| log.fingerprint(last)),
            records: self.records,
            since: None,
            partitions: 1,
            written: i64::try_from(written.len()).unwrap(),
            size: self.bytes.len() as u64,
        };
        written.push(self.read.clone());
        store.write(&header, &self.bytes, late);
    }

    /// What another release, or one with other settings, would write.
    pub fn write_otherwise(&mut self, store: &mut Store, format: bool, number: usize) {
        let header = Header {
            format: u32::from(FORMAT) + u32::from(format),
            of: of(),
            settings: SETTINGS_HASH + u64::from(!format),
            next_offset: i64::try_from(self.next).unwrap(),
            last: None,
            records: 0,
            since: None,
            partitions: 1,
            written: i64::try_from(number).unwrap(),
            size: 3,
        };
        store.write(&header, b"abc", false);
    }

    /// I1: every record was counted once. I2: the state is that of a reader who never stopped.
    fn check(&mut self, log: &Log) -> Result<(), Violation> {
        let read: usize = self.read.iter().map(|(from, to)| to - from).sum();
        if self.records != read as u64 {
            return Err(format!(
                "I1: {} records counted of {read} read, before {}",
                self.records, self.next
            ));
        }
        let expected = if self.is_whole() {
            log.state(self.next)
        } else {
            fresh(&self.read, log)
        };
        if hash_of(&self.partition, &mut self.bytes) == expected {
            return Ok(());
        }
        Err(format!(
            "I2: the state before {} is not that of a reader of {:?}",
            self.next, self.read
        ))
    }
}

/// The state of a new reader of these ranges.
fn fresh(ranges: &Ranges, log: &Log) -> u64 {
    let mut partition = Partition::new(Arc::clone(&SETTINGS));
    for offset in ranges.iter().flat_map(|(from, to)| *from..*to) {
        let _ = apply(&mut partition, log.record(offset));
        partition.clear_outbox();
    }
    hash_of(&partition, &mut Vec::new())
}
