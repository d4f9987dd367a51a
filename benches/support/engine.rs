//! One worker with all partitions of the largest centre, as `app` would set it up.

#![allow(dead_code, reason = "each bench uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use queuepulse::config::Config;
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::event::{Millis, Span};
use queuepulse::ingest::partitioner::partition_of;
use queuepulse::live::{Coverage, Frames, MergeOptions, Merged, Publisher, Registry, merge_after};
use queuepulse::simulate::{Scale, Simulation, Topic};
use queuepulse::windows::frame::{Frame, WindowSpec};
use queuepulse::windows::numbering::Numbering;
use queuepulse::windows::tables::Tables;
use queuepulse::windows::view::{Instant, PartitionView};

/// The records of some span of time, each with the partition that it belongs to.
#[derive(Default)]
pub struct Records {
    bytes: Vec<u8>,
    /// Partition, and where the record ends.
    ends: Vec<(usize, usize)>,
}

impl Records {
    /// Replaces the records by those up to an instant.
    pub fn fill(&mut self, simulation: &mut Simulation, to: Millis, partitions: usize) {
        self.bytes.clear();
        self.ends.clear();
        loop {
            let event = simulation.next_event();
            let side = match event.topic {
                Topic::Contacts => 0,
                Topic::Agents => partitions,
                Topic::Queues => continue,
            };
            let partition = partition_of(event.key, i32::try_from(partitions).unwrap_or(1));
            self.bytes.extend_from_slice(event.json);
            self.ends
                .push((side + partition.unsigned_abs() as usize, self.bytes.len()));
            if event.sent > to {
                return;
            }
        }
    }

    /// The records of each partition in batches.
    pub fn batches(&self, size: usize) -> Vec<(usize, Vec<&[u8]>)> {
        let mut by_partition: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
        for (partition, record) in self.iter() {
            by_partition.entry(partition).or_default().push(record);
        }
        let batches = by_partition.into_iter().flat_map(|(partition, records)| {
            let batches = records.chunks(size).map(<[_]>::to_vec);
            batches.map(|batch| (partition, batch)).collect::<Vec<_>>()
        });
        batches.collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Partition and bytes of each.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        self.ends
            .iter()
            .zip(starts)
            .map(|((partition, end), start)| (*partition, &self.bytes[start..*end]))
    }
}

/// The worker, its tables and what readers share.
pub struct Engine {
    pub registry: Arc<Registry>,
    pub partitions: Vec<Partition>,
    pub tables: Tables,
    pub specs: Arc<[WindowSpec]>,
    pub limits: Limits,
    pub tick: u64,
    /// Facts absorbed so far.
    pub facts: u64,
    instants: Vec<Instant>,
    /// What readers take.
    pub frames: Arc<Frames>,
    publisher: Publisher,
    coverage: Coverage,
}

impl Engine {
    /// An empty engine over so many partitions of each topic, with the default settings.
    pub fn new(partitions: usize) -> Self {
        let config = Config::defaults().unwrap_or_else(|fault| unreachable!("{fault}"));
        Self::of(partitions, config)
    }

    /// The same with other settings.
    pub fn of(partitions: usize, config: Config) -> Self {
        let settings = Arc::clone(&config.state);
        let view = config.view.clone();
        let file = move |_: &str, _: &str, _: &str| view.clone();
        let registry = Arc::new(Registry::new(Arc::clone(&settings), Box::new(file)));
        let numbering: Arc<dyn Numbering> = Arc::<Registry>::clone(&registry);
        let frames = Arc::new(Frames::new(1));
        Self {
            tables: Tables::new(numbering, &settings, &config.windows),
            partitions: (0..2 * partitions)
                .map(|_| Partition::new(Arc::clone(&settings)))
                .collect(),
            instants: vec![Instant::default(); 2 * partitions],
            publisher: frames.publisher(0),
            frames,
            registry,
            specs: config.windows.into(),
            limits: Limits::default(),
            tick: 0,
            facts: 0,
            coverage: Coverage::Recorded { earliest: None },
        }
    }

    /// Its frames tell what other machines need to know.
    pub fn with_rates(self) -> Self {
        Self {
            tables: self.tables.with_rates(),
            ..self
        }
    }

    /// Decodes and applies one record; what it posts stays in the outbox.
    pub fn apply(&mut self, partition: usize, record: &[u8]) {
        if let Ok(event) = decode(record, &self.limits) {
            let _ = self.partitions[partition].apply(&event);
        }
    }

    /// Takes a partition's posts into the tables.
    pub fn absorb(&mut self, partition: usize) {
        let number = u32::try_from(partition).unwrap_or(0);
        let state = &mut self.partitions[partition];
        self.facts += state.ledger().outbox().len() as u64;
        self.tables
            .absorb(number, state.names(), state.ledger().outbox());
        state.clear_outbox();
    }

    /// All figures of an instant, in a spare frame.
    pub fn view(&mut self, now: Millis) -> Frame {
        let mut frame = self.publisher.spare();
        self.look(now);
        let Self {
            partitions,
            instants,
            tables,
            ..
        } = self;
        let views = views(partitions, instants);
        tables.view(now, now, &views, &mut frame);
        frame
    }

    /// The *now* figures of an instant alone, in a spare frame.
    pub fn view_now(&mut self, now: Millis) -> Frame {
        let mut frame = self.publisher.spare();
        self.look(now);
        let Self {
            partitions,
            instants,
            tables,
            ..
        } = self;
        let views = views(partitions, instants);
        tables.view_now(now, &views, &mut frame);
        frame
    }

    /// Swaps a frame in for the readers.
    pub fn publish(&mut self, mut frame: Frame) {
        self.tick += 1;
        frame.tick = self.tick;
        self.publisher.publish(frame);
    }

    /// What the first reader makes of the latest frames.
    pub fn merge(&self) -> Merged {
        self.merge_after(None)
    }

    /// What a reader makes of the latest frames after a merge that was made before.
    pub fn merge_after(&self, before: Option<&Merged>) -> Merged {
        let frames = self.frames.latest().unwrap_or_default();
        let options = MergeOptions {
            specs: &self.specs,
            coverage: &self.coverage,
            threshold: None,
        };
        merge_after(before, frames, &self.registry, &options)
    }

    /// Makes the tables of the partitions' states.
    pub fn rebuild(&mut self) {
        let views = views(&self.partitions, &self.instants);
        self.tables.rebuild(&views);
    }

    /// Gives the last partition away.
    pub fn lose(&mut self) {
        let (state, at) = (self.partitions.pop(), self.instants.pop());
        let (Some(state), Some(at)) = (state, at) else {
            return;
        };
        let number = u32::try_from(self.partitions.len()).unwrap_or(0);
        let leaving = PartitionView::of(number, &state, &at);
        if !self.tables.lose(&leaving) {
            self.rebuild();
        }
    }

    /// The same by making the tables of what stays.
    pub fn lose_by_rebuilding(&mut self) {
        self.partitions.pop();
        self.instants.pop();
        self.rebuild();
    }

    fn look(&mut self, now: Millis) {
        for (partition, instant) in self.partitions.iter_mut().zip(&mut self.instants) {
            instant.read(partition, now);
        }
    }
}

fn views<'a>(partitions: &'a [Partition], instants: &'a [Instant]) -> Vec<PartitionView<'a>> {
    let both = partitions.iter().zip(instants);
    (0..)
        .zip(both)
        .map(|(number, (state, at))| PartitionView::of(number, state, at))
        .collect()
}

/// A centre and its engine, second by second, as they pass live.
pub struct Live {
    pub engine: Engine,
    simulation: Simulation,
    records: Records,
    partitions: usize,
    /// The whole second that it has come to.
    pub now: Millis,
}

impl Live {
    /// So many minutes after the beginning.
    pub fn warm(partitions: usize, minutes: i64) -> Self {
        let (engine, simulation, now) = warm(partitions, minutes);
        Self {
            engine,
            simulation,
            records: Records::default(),
            partitions,
            now,
        }
    }

    /// The ticks between two seconds, then what comes until the next.
    pub fn go_on(&mut self) {
        for tick in 1..4 {
            let frame = self.engine.view_now(self.now + Span(tick * 250));
            self.engine.publish(frame);
        }
        self.now = self.now + Span::seconds(1);
        self.records
            .fill(&mut self.simulation, self.now, self.partitions);
        for (partition, record) in self.records.iter() {
            self.engine.apply(partition, record);
            self.engine.absorb(partition);
        }
    }

    /// The figures of this second, to the readers.
    pub fn publish(&mut self) {
        let frame = self.engine.view(self.now);
        self.engine.publish(frame);
    }
}

/// An engine that has seen so many minutes of the largest centre, with the simulation that it is fed
/// from and the instant that it has reached. One view a minute keeps its windows moving.
pub fn warm(partitions: usize, minutes: i64) -> (Engine, Simulation, Millis) {
    warm_of(Scale::LARGEST, partitions, minutes)
}

/// The same of a centre of another size.
pub fn warm_of(scale: Scale, partitions: usize, minutes: i64) -> (Engine, Simulation, Millis) {
    let mut engine = Engine::new(partitions);
    let mut simulation = super::centre(scale);
    let mut records = Records::default();
    let mut now = super::FROM;
    for _ in 0..minutes {
        now = now + Span::minutes(1);
        records.fill(&mut simulation, now, partitions);
        for (partition, record) in records.iter() {
            engine.apply(partition, record);
            engine.absorb(partition);
        }
        let frame = engine.view(now);
        engine.publish(frame);
    }
    (engine, simulation, now)
}
