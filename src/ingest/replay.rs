//! Recorded events instead of Kafka: the figures of files at any instants.
//!
//! Each file is one partition. Files are read through a reorder buffer, merged by time and applied;
//! an instant is evaluated before anything later is applied ([`merge`] says when exactly). Figures
//! come the same way as in a live engine: partitions, tables, frame, merge.

pub mod lines;
pub mod merge;

use std::io;
use std::sync::Arc;

use crate::decode::{Limits, decode};
use crate::engine::settings::StateSettings;
use crate::event::{Correction, Discard, Event, Millis, Span};
use crate::live::{Coverage, FileViews, MergeOptions, Merged, Registry, merge as merge_frames};
use crate::windows::frame::{Frame, WindowSpec};

use self::lines::Lines;
use self::merge::{Feed, Merge, Next, Record};
use super::shard::Shard;

/// Records between two reports of progress.
const REPORT_EVERY: u64 = 4096;

/// What to replay and how.
pub struct ReplayOptions {
    /// What counting depends on.
    pub settings: Arc<StateSettings>,
    /// How queues are shown.
    pub views: FileViews,
    /// The windows of every snapshot, in order.
    pub windows: Arc<[WindowSpec]>,
    /// The instants, in the order of the snapshots; empty for the last event's time.
    pub instants: Vec<Millis>,
    /// How far a file may be out of order.
    pub max_disorder: Span,
    /// What a line may be like.
    pub limits: Limits,
}

impl std::fmt::Debug for ReplayOptions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ReplayOptions")
            .field("windows", &self.windows)
            .field("instants", &self.instants)
            .finish_non_exhaustive()
    }
}

/// What a replay found.
#[derive(Debug)]
pub struct Report {
    /// The figures, in the order of the instants asked for.
    pub snapshots: Vec<Merged>,
    /// The registry that the snapshots' numbers belong to.
    pub registry: Arc<Registry>,
    /// Events that changed a figure or a setting.
    pub accepted: u64,
    /// Records that changed nothing, by reason, in the order of [`Discard::ALL`].
    pub discarded: [u64; Discard::ALL.len()],
    /// Oddities, in the order of [`Correction::ALL`].
    pub irregular: [u64; Correction::ALL.len()],
    /// Settings of `queue.configured` that were refused.
    pub bad_settings: u64,
    /// Events that belong before an instant but came after it had been evaluated.
    pub missing: u64,
}

/// Replays inputs. `progress` is told now and then how many records were applied.
///
/// # Errors
/// An input cannot be read.
pub fn replay(
    inputs: Vec<Lines>,
    options: ReplayOptions,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Report> {
    let count = inputs.len();
    let limits = options.limits;
    let feeds = inputs.into_iter().map(|lines| Recorded {
        lines,
        limits,
        discarded: [0; Discard::ALL.len()],
    });
    let mut merge = Merge::new(feeds, options.max_disorder);
    let mut run = Run::new(options, count);
    let mut records = 0;
    loop {
        match merge.next(run.next_instant())? {
            Next::Record(record) => {
                run.apply(&record);
                merge.recycle(record);
                records += 1;
                if records % REPORT_EVERY == 0 {
                    progress(records);
                }
            }
            Next::Due => run.evaluate_next(),
            Next::End => break,
        }
    }
    for feed in merge.feeds() {
        for (total, count) in run.discarded.iter_mut().zip(feed.discarded) {
            *total += count;
        }
    }
    Ok(run.report())
}

/// One file's lines that are events.
struct Recorded {
    lines: Lines,
    limits: Limits,
    discarded: [u64; Discard::ALL.len()],
}

impl Feed for Recorded {
    fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Option<Millis>> {
        while self.lines.next_line(record)? {
            match decode(record, &self.limits) {
                Ok(event) => return Ok(Some(event.time())),
                Err(reason) => self.discarded[reason as usize] += 1,
            }
        }
        Ok(None)
    }
}

/// A replay under way.
struct Run {
    shard: Shard,
    registry: Arc<Registry>,
    windows: Arc<[WindowSpec]>,
    limits: Limits,
    /// Instants to come, latest first, each with its place among the snapshots.
    instants: Vec<(Millis, usize)>,
    evaluated: Vec<(usize, Merged)>,
    last_instant: Millis,
    earliest: Option<Millis>,
    latest: Option<Millis>,
    accepted: u64,
    discarded: [u64; Discard::ALL.len()],
    bad_settings: u64,
    missing: u64,
}

impl Run {
    fn new(options: ReplayOptions, inputs: usize) -> Self {
        let settings = options.settings;
        let registry = Arc::new(Registry::new(Arc::clone(&settings), options.views));
        let numbering: Arc<Registry> = Arc::clone(&registry);
        let mut shard = Shard::new(numbering, &settings, &options.windows);
        for number in 0..u32::try_from(inputs).unwrap_or(u32::MAX) {
            shard.take(number, Arc::clone(&settings));
        }
        let mut instants: Vec<(Millis, usize)> = options
            .instants
            .into_iter()
            .enumerate()
            .map(|(place, instant)| (instant, place))
            .collect();
        instants.sort_unstable_by_key(|&instant| std::cmp::Reverse(instant));
        Self {
            shard,
            registry,
            windows: options.windows,
            limits: options.limits,
            instants,
            evaluated: Vec::new(),
            last_instant: Millis::MIN,
            earliest: None,
            latest: None,
            accepted: 0,
            discarded: [0; Discard::ALL.len()],
            bad_settings: 0,
            missing: 0,
        }
    }

    fn next_instant(&self) -> Option<Millis> {
        self.instants.last().map(|&(instant, _)| instant)
    }

    fn apply(&mut self, record: &Record) {
        let event = match decode(&record.bytes, &self.limits) {
            Ok(event) => event,
            Err(reason) => return self.discarded[reason as usize] += 1,
        };
        self.missing += u64::from(record.time <= self.last_instant);
        let result = if let Event::Queue(event) = &event {
            let refused = &mut self.bad_settings;
            self.registry.apply(event, &mut |_| *refused += 1);
            Ok(())
        } else {
            let number = u32::try_from(record.input).unwrap_or(u32::MAX);
            self.shard.apply(number, &event)
        };
        match result {
            Ok(()) => self.accept(&event),
            Err(reason) => self.discarded[reason as usize] += 1,
        }
    }

    fn accept(&mut self, event: &Event<'_>) {
        let time = event.time();
        self.accepted += 1;
        self.latest = self.latest.max(Some(time));
        if !matches!(event, Event::Queue(_)) {
            self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
        }
    }

    fn evaluate_next(&mut self) {
        if let Some((instant, place)) = self.instants.pop() {
            self.evaluate(instant, place);
        }
    }

    fn evaluate(&mut self, instant: Millis, place: usize) {
        let mut frame = Frame::default();
        self.shard.view(instant, instant, &mut frame);
        let options = MergeOptions {
            specs: &self.windows,
            coverage: &Coverage::Recorded {
                earliest: self.earliest,
            },
            threshold: None,
        };
        let merged = merge_frames(vec![Arc::new(frame)], &self.registry, &options);
        self.evaluated.push((place, merged));
        self.last_instant = instant;
    }

    fn report(mut self) -> Report {
        if self.evaluated.is_empty()
            && let Some(latest) = self.latest
        {
            self.evaluate(latest, 0);
        }
        self.evaluated.sort_by_key(|&(place, _)| place);
        let mut irregular = [0; Correction::ALL.len()];
        for (_, partition) in self.shard.partitions() {
            for (total, count) in irregular.iter_mut().zip(partition.irregular()) {
                *total += count;
            }
        }
        Report {
            snapshots: self
                .evaluated
                .into_iter()
                .map(|(_, merged)| merged)
                .collect(),
            registry: self.registry,
            accepted: self.accepted,
            discarded: self.discarded,
            irregular,
            bad_settings: self.bad_settings,
            missing: self.missing,
        }
    }
}
