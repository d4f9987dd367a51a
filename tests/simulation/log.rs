//! A log without a broker, and the reader that it is held against: one that never stopped, read
//! everything once and wrote nothing down.

use std::sync::{Arc, LazyLock};

use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::{AfterContact, Pattern, StateSettings, ZoneNo};
use queuepulse::event::{Discard, Millis, Span, Zones};
use queuepulse::recovery::encoding::encode;
use queuepulse::recovery::header::Fingerprint;
use rapidhash::v3::rapidhash_v3;

use super::figures::Figures;

/// Short spans, so that a few minutes see contacts settled and swept and facts leave the log.
pub static SETTINGS: LazyLock<Arc<StateSettings>> = LazyLock::new(|| {
    let queue = |queue: &str| Pattern {
        queue: Some(queue.to_owned()),
        ..Pattern::default()
    };
    let auckland = jiff::tz::TimeZone::get("Pacific/Auckland").unwrap();
    Arc::new(StateSettings {
        late_after: Span::seconds(10),
        settle_after: Span::seconds(60),
        retain: Span::minutes(5),
        agent_ttl: Span::minutes(20),
        acw_max: Span::seconds(30),
        ghost_after: [("voice".to_owned(), Span::minutes(10))].into(),
        ghost_after_other: Span::minutes(15),
        rungs_other: [5, 20].map(Span::seconds).into(),
        zones: Zones::new(vec![jiff::tz::TimeZone::UTC, auckland]),
        zone_by_queue: vec![(queue("q2"), ZoneNo(1))],
        after_contact: vec![
            (queue("q1"), AfterContact::Events),
            (queue("q2"), AfterContact::Timer(Span::seconds(15))),
        ],
        log_keep: Span::seconds(90),
        ..StateSettings::default()
    })
});

/// What became of a record.
pub type Outcome = Result<(), Discard>;

/// The hash of a state's bytes.
pub fn hash_of(partition: &Partition, bytes: &mut Vec<u8>) -> u64 {
    bytes.clear();
    encode(partition, bytes);
    rapidhash_v3(bytes)
}

/// Applies a record as a worker does.
pub fn apply(partition: &mut Partition, record: &Record) -> Outcome {
    let event = decode(&record.value, &Limits::default())?;
    if event.time() > record.timestamp + SETTINGS.max_ahead {
        return Err(Discard::FutureTime);
    }
    partition.apply(&event)
}

/// A record of a log.
#[derive(Clone, Debug)]
pub struct Record {
    pub value: Vec<u8>,
    pub timestamp: Millis,
}

/// The log of one partition.
#[derive(Debug)]
pub struct Log {
    records: Vec<Record>,
    /// The offset of the first record that is still there.
    pub low: usize,
    reader: Partition,
    /// The hash of the reader's state at each offset.
    states: Vec<u64>,
    outcomes: Vec<Outcome>,
    figures: Figures,
    bytes: Vec<u8>,
}

impl Log {
    pub fn new() -> Self {
        let mut log = Self {
            records: Vec::new(),
            low: 0,
            reader: Partition::new(Arc::clone(&SETTINGS)),
            states: Vec::new(),
            outcomes: Vec::new(),
            figures: Figures::default(),
            bytes: Vec::new(),
        };
        log.states.push(hash_of(&log.reader, &mut log.bytes));
        log
    }

    /// The offset after the last record.
    pub fn high(&self) -> usize {
        self.records.len()
    }

    pub fn append(&mut self, value: &str, at: i64) {
        let record = Record {
            value: value.as_bytes().to_vec(),
            timestamp: Millis(at),
        };
        self.outcomes.push(apply(&mut self.reader, &record));
        for post in self.reader.ledger().outbox() {
            self.figures.add(post, self.reader.names());
        }
        self.reader.clear_outbox();
        self.states.push(hash_of(&self.reader, &mut self.bytes));
        self.records.push(record);
    }

    pub fn record(&self, offset: usize) -> &Record {
        &self.records[offset]
    }

    /// The state of whoever read every record before an offset.
    pub fn state(&self, offset: usize) -> u64 {
        self.states[offset]
    }

    /// What becomes of a record where every one before it was read.
    pub fn outcome(&self, offset: usize) -> Outcome {
        self.outcomes[offset]
    }

    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    pub fn fingerprint(&self, offset: usize) -> Fingerprint {
        let record = &self.records[offset];
        let at = i64::try_from(offset).unwrap();
        Fingerprint::of(at, Some(record.timestamp), Some(&record.value))
    }
}
