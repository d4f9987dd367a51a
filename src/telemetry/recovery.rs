//! Metrics of snapshots, of where partitions begin, and of the group.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Gauge, IntCounter, IntCounterVec, Opts, Registry};

use super::catalogue::Kind;
use super::engine::Line;

const WRITTEN: Line = (
    "queuepulse_snapshots_written_total",
    Kind::Counter,
    "snapshots",
    &[],
    "Snapshots of partitions that are in the snapshot topic.",
);
const FAILED: Line = (
    "queuepulse_snapshots_failed_total",
    Kind::Counter,
    "snapshots",
    &[],
    "Snapshots that could not be written; the next one is tried at the usual interval.",
);
const REFUSED: Line = (
    "queuepulse_snapshots_refused_total",
    Kind::Counter,
    "snapshots",
    &["reason"],
    "Snapshots that were found and not used: damaged, of another format or other settings, beyond the log's end, of another log, or whose log could not be read.",
);
const BYTES: Line = (
    "queuepulse_snapshot_bytes_total",
    Kind::Counter,
    "bytes",
    &[],
    "Bytes of snapshots written.",
);
const SECONDS: Line = (
    "queuepulse_snapshot_seconds",
    Kind::Gauge,
    "seconds",
    &[],
    "How long the last snapshot took, from the order to the broker's acknowledgement.",
);
const BEGUN: Line = (
    "queuepulse_partitions_begun_total",
    Kind::Counter,
    "partitions",
    &["from"],
    "Partitions that were assigned, by what they began from: a snapshot, or the log alone.",
);
const RESTORE: Line = (
    "queuepulse_restore_seconds",
    Kind::Gauge,
    "seconds",
    &[],
    "How long the last assignment took to find where its partitions begin, snapshots read and decoded.",
);
const REPLAYED: Line = (
    "queuepulse_replayed_records_total",
    Kind::Counter,
    "records",
    &[],
    "Records that lay between where partitions began and the log's end at assignment.",
);
const GAP: Line = (
    "queuepulse_gap_records_total",
    Kind::Counter,
    "records",
    &["topic"],
    "Records that were deleted from the log before they were read; windows are not complete until they lie after the gap.",
);
const HOLES: Line = (
    "queuepulse_offset_holes_total",
    Kind::Counter,
    "offsets",
    &["topic"],
    "Offsets that hold no record: markers of transactions, aborted records, compaction.",
);
const ADDED: Line = (
    "queuepulse_partitions_added_total",
    Kind::Counter,
    "partitions",
    &["topic"],
    "Partitions that a topic was given while the group ran; contacts in flight may lie in two, and windows are not complete until those have ended.",
);
const LOST: Line = (
    "queuepulse_assignment_lost_total",
    Kind::Counter,
    "assignments",
    &[],
    "Assignments that the group took away without asking, as it does of a member that it has not heard of for a session.",
);

pub(super) const LINES: [Line; 12] = [
    WRITTEN, FAILED, REFUSED, BYTES, SECONDS, BEGUN, RESTORE, REPLAYED, GAP, HOLES, ADDED, LOST,
];

/// Metrics of recovery. Every method may be called from any thread.
#[derive(Debug)]
pub struct RecoveryMetrics {
    written: IntCounter,
    failed: IntCounter,
    refused: IntCounterVec,
    bytes: IntCounter,
    seconds: Gauge,
    begun: IntCounterVec,
    restore: Gauge,
    replayed: IntCounter,
    gap: IntCounterVec,
    holes: IntCounterVec,
    added: IntCounterVec,
    lost: IntCounter,
}

impl RecoveryMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |line: Line| registered(registry, IntCounter::with_opts(opts(line))?);
        let counters = |line: Line| registered(registry, IntCounterVec::new(opts(line), line.3)?);
        let gauge = |line: Line| registered(registry, Gauge::with_opts(opts(line))?);
        Ok(Self {
            written: counter(WRITTEN)?,
            failed: counter(FAILED)?,
            refused: counters(REFUSED)?,
            bytes: counter(BYTES)?,
            seconds: gauge(SECONDS)?,
            begun: counters(BEGUN)?,
            restore: gauge(RESTORE)?,
            replayed: counter(REPLAYED)?,
            gap: counters(GAP)?,
            holes: counters(HOLES)?,
            added: counters(ADDED)?,
            lost: counter(LOST)?,
        })
    }

    /// Series that are there from the start, so that the first increase is seen: of these topics,
    /// and of these reasons why snapshots are refused.
    pub fn begin<'a>(
        &self,
        topics: impl IntoIterator<Item = &'a str>,
        reasons: impl IntoIterator<Item = &'a str>,
    ) {
        for topic in topics {
            for counters in [&self.gap, &self.holes, &self.added] {
                counters.with_label_values(&[topic]).inc_by(0);
            }
        }
        for reason in reasons {
            self.refused.with_label_values(&[reason]).inc_by(0);
        }
    }

    /// A snapshot was written.
    pub fn written(&self, bytes: u64, took: Duration) {
        self.written.inc();
        self.bytes.inc_by(bytes);
        self.seconds.set(took.as_secs_f64());
    }

    /// A snapshot could not be written.
    pub fn failed(&self) {
        self.failed.inc();
    }

    /// A snapshot is not used.
    pub fn refused(&self, reason: &str) {
        self.refused.with_label_values(&[reason]).inc();
    }

    /// A partition begins from a `snapshot`, or from the `log`.
    pub fn begun(&self, from: &str) {
        self.begun.with_label_values(&[from]).inc();
    }

    /// Where an assignment begins was found.
    pub fn restored(&self, took: Duration) {
        self.restore.set(took.as_secs_f64());
    }

    /// Records lie between where a partition begins and its end.
    pub fn replayed(&self, records: u64) {
        self.replayed.inc_by(records);
    }

    /// Records were deleted before they were read.
    pub fn gap(&self, topic: &str, records: u64) {
        self.gap.with_label_values(&[topic]).inc_by(records);
    }

    /// Offsets hold no record.
    pub fn holes(&self, topic: &str, offsets: u64) {
        self.holes.with_label_values(&[topic]).inc_by(offsets);
    }

    /// A topic has one partition more.
    pub fn added(&self, topic: &str) {
        self.added.with_label_values(&[topic]).inc();
    }

    /// The group took the assignment away.
    pub fn lost(&self) {
        self.lost.inc();
    }
}

fn opts(line: Line) -> Opts {
    Opts::new(line.0, line.4)
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
