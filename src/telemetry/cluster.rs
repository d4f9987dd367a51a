//! Metrics of the rows that instances publish for each other.

use prometheus::{Gauge, GaugeVec, IntCounter, IntGauge, Opts, Registry};

use crate::event::Span;
use crate::kpi::seconds;

use super::catalogue::Kind;
use super::engine::Line;

const SENT: Line = (
    "queuepulse_rows_sent_total",
    Kind::Counter,
    "rows",
    &[],
    "Rows of live figures that this instance has published for the others, beats included.",
);
const BYTES: Line = (
    "queuepulse_rows_sent_bytes_total",
    Kind::Counter,
    "bytes",
    &[],
    "Bytes of these rows with their keys, before compression.",
);
const BEATS: Line = (
    "queuepulse_beats_total",
    Kind::Counter,
    "beats",
    &[],
    "Beats read: once a second each instance says which instant its rows are of.",
);
const UNREADABLE: Line = (
    "queuepulse_rows_unreadable_total",
    Kind::Counter,
    "rows",
    &[],
    "Rows and beats of this group that are of another version or other settings, or damaged.",
);
const INSTANCES: Line = (
    "queuepulse_instances",
    Kind::Gauge,
    "instances",
    &[],
    "Instances whose beats were read in the last minutes; 0 while none are read.",
);
const AGE: Line = (
    "queuepulse_instance_beat_age_seconds",
    Kind::Gauge,
    "seconds",
    &["member"],
    "Age of the newest beat of a member of the group, by its kafka.instance.",
);
const STALE: Line = (
    "queuepulse_rows_stale",
    Kind::Gauge,
    "rows",
    &[],
    "Rows of instances that have been silent for longer than cluster.stale_after.",
);

pub(super) const LINES: [Line; 7] = [SENT, BYTES, BEATS, UNREADABLE, INSTANCES, AGE, STALE];

/// Metrics of the rows. Every method may be called from any thread.
#[derive(Debug)]
pub struct ClusterMetrics {
    sent: IntCounter,
    bytes: IntCounter,
    beats: IntCounter,
    unreadable: IntCounter,
    instances: IntGauge,
    age: GaugeVec,
    stale: IntGauge,
}

impl ClusterMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |line: Line| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::with_opts(Opts::new(line.0, line.4))?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |line: Line| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::with_opts(Opts::new(line.0, line.4))?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let age = GaugeVec::new(Opts::new(AGE.0, AGE.4), AGE.3)?;
        registry.register(Box::new(age.clone()))?;
        Ok(Self {
            sent: counter(SENT)?,
            bytes: counter(BYTES)?,
            beats: counter(BEATS)?,
            unreadable: counter(UNREADABLE)?,
            instances: gauge(INSTANCES)?,
            age,
            stale: gauge(STALE)?,
        })
    }

    /// Rows were published.
    pub fn sent(&self, rows: u64, bytes: u64) {
        self.sent.inc_by(rows);
        self.bytes.inc_by(bytes);
    }

    /// A beat was read.
    pub fn beat(&self) {
        self.beats.inc();
    }

    /// A record could not be read.
    pub fn unreadable(&self) {
        self.unreadable.inc();
    }

    /// The instances heard of lately, each with the age of its newest beat and its rows.
    pub(super) fn seen(&self, instances: &[(String, Span, usize)], stale_after: Span) {
        self.instances
            .set(i64::try_from(instances.len()).unwrap_or(i64::MAX));
        self.age.reset();
        let mut stale = 0;
        for (instance, age, rows) in instances {
            let gauge: Gauge = self.age.with_label_values(&[instance.as_str()]);
            gauge.set(seconds(age.0));
            if *age > stale_after {
                stale += i64::try_from(*rows).unwrap_or(i64::MAX);
            }
        }
        self.stale.set(stale);
    }
}
