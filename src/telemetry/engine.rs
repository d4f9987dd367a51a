//! The engine's own metrics, kept by the `prometheus` crate's registry.
//!
//! Counters are added to by whoever counts, once per batch; gauges are set at the moment of the
//! scrape from the condition that the engine is in.

use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, TextEncoder,
};

use crate::event::{Correction, Discard, Span};
use crate::kpi::seconds;
use crate::live::{BadSetting, Condition};

use super::catalogue::{Family, Kind, Source};
use super::cluster::{self, ClusterMetrics};
use super::recovery::{self, RecoveryMetrics};

/// (name, kind, unit, labels, help)
pub(super) type Line = (
    &'static str,
    Kind,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const RECORDS: Line = (
    "queuepulse_records_total",
    Kind::Counter,
    "records",
    &["topic"],
    "Records read from Kafka.",
);
const DISCARDED: Line = (
    "queuepulse_discarded_total",
    Kind::Counter,
    "records",
    &["reason"],
    "Records that changed no figure, by reason.",
);
const IRREGULAR: Line = (
    "queuepulse_irregular_total",
    Kind::Counter,
    "events",
    &["reason"],
    "Events that were odd and counted all the same, by reason.",
);
const BAD_SETTING: Line = (
    "queuepulse_bad_setting_total",
    Kind::Counter,
    "settings",
    &["reason"],
    "Settings of queue events that were refused; the file's value stands.",
);
const DATA_AGE: Line = (
    "queuepulse_data_age_seconds",
    Kind::Gauge,
    "seconds",
    &[],
    "Age of the oldest data over the partitions read: since the position was last at the end, else of the last applied record.",
);
const BROKER_SILENCE: Line = (
    "queuepulse_broker_silence_seconds",
    Kind::Gauge,
    "seconds",
    &[],
    "How long no broker of Kafka has answered this instance, which asks every two seconds.",
);
const SILENCE: Line = (
    "queuepulse_source_silence_seconds",
    Kind::Gauge,
    "seconds",
    &["topic"],
    "How long a topic has sent nothing, by the timestamp of its last record.",
);
const AHEAD: Line = (
    "queuepulse_stream_ahead_seconds",
    Kind::Gauge,
    "seconds",
    &["topic"],
    "How far the latest event of a topic lies ahead of the clock, in the partition where it is furthest; 0 if it does not.",
);
const POLL_AGE: Line = (
    "queuepulse_poll_age_seconds",
    Kind::Gauge,
    "seconds",
    &[],
    "How long ago the poll loop last went round.",
);
const LAG: Line = (
    "queuepulse_lag_records",
    Kind::Gauge,
    "records",
    &["topic", "partition"],
    "Records in the log that are not applied yet.",
);
const PARTITIONS: Line = (
    "queuepulse_partitions",
    Kind::Gauge,
    "partitions",
    &["topic"],
    "Partitions that this instance reads.",
);
const CATCHING_UP: Line = (
    "queuepulse_catching_up",
    Kind::Gauge,
    "",
    &[],
    "1 while a partition catches up and figures are absent, else 0.",
);
const SHARED: Line = (
    "queuepulse_group_shared",
    Kind::Gauge,
    "",
    &[],
    "1 while the consumer group has another member, so that the centre is made of all members' rows.",
);
const LEASE: Line = (
    "queuepulse_lease",
    Kind::Gauge,
    "",
    &[],
    "1 while this instance may show its partitions' figures; 0 when the group may have given them away.",
);
const QUEUES: Line = (
    "queuepulse_queues",
    Kind::Gauge,
    "queues",
    &[],
    "Queues that the engine knows.",
);
const MEMORY: Line = (
    "queuepulse_resident_memory_bytes",
    Kind::Gauge,
    "bytes",
    &[],
    "Resident memory of the process.",
);
const BUILD: Line = (
    "queuepulse_build_info",
    Kind::Gauge,
    "",
    &["version"],
    "The program's version; always 1.",
);

const LINES: [Line; 17] = [
    RECORDS,
    DISCARDED,
    IRREGULAR,
    BAD_SETTING,
    DATA_AGE,
    BROKER_SILENCE,
    SILENCE,
    AHEAD,
    POLL_AGE,
    LAG,
    PARTITIONS,
    CATCHING_UP,
    SHARED,
    LEASE,
    QUEUES,
    MEMORY,
    BUILD,
];

/// The catalogue's entries of the engine's own metrics.
pub(super) fn families() -> Vec<Family> {
    LINES
        .iter()
        .chain(&recovery::LINES)
        .chain(&cluster::LINES)
        .map(|&(name, kind, unit, labels, help)| Family {
            name: name.to_owned(),
            kind,
            unit,
            labels: labels.to_vec(),
            help: help.to_owned(),
            formula: "the engine's own",
            by_default: true,
            source: Source::Engine,
        })
        .collect()
}

/// The engine's own metrics. Cheap to share; every method may be called from any thread.
#[derive(Debug)]
pub struct EngineMetrics {
    registry: prometheus::Registry,
    records: IntCounterVec,
    discarded: Vec<IntCounter>,
    irregular: Vec<IntCounter>,
    bad_setting: IntCounterVec,
    data_age: GaugeVec,
    broker_silence: GaugeVec,
    silence: GaugeVec,
    ahead: GaugeVec,
    poll_age: GaugeVec,
    lag: IntGaugeVec,
    partitions: IntGaugeVec,
    catching_up: IntGauge,
    shared: IntGauge,
    lease: IntGauge,
    recovery: RecoveryMetrics,
    cluster: ClusterMetrics,
    queues: IntGauge,
    memory: IntGaugeVec,
}

impl EngineMetrics {
    /// Registers everything; counters with a closed set of labels start at 0.
    ///
    /// # Errors
    /// When a name is registered twice: a mistake in this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = prometheus::Registry::new();
        let discarded = counters(&registry, DISCARDED)?;
        let irregular = counters(&registry, IRREGULAR)?;
        let build = registered(&registry, IntGaugeVec::new(opts(BUILD), BUILD.3)?)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let plain = |line: Line| registered(&registry, IntGauge::with_opts(opts(line))?);
        let absent_at_first =
            |line: Line| registered(&registry, GaugeVec::new(opts(line), line.3)?);
        Ok(Self {
            records: counters(&registry, RECORDS)?,
            discarded: Discard::ALL
                .map(|discard| discarded.with_label_values(&[discard.reason()]))
                .into(),
            irregular: Correction::ALL
                .map(|correction| irregular.with_label_values(&[correction.reason()]))
                .into(),
            bad_setting: counters(&registry, BAD_SETTING)?,
            data_age: absent_at_first(DATA_AGE)?,
            broker_silence: absent_at_first(BROKER_SILENCE)?,
            silence: absent_at_first(SILENCE)?,
            ahead: absent_at_first(AHEAD)?,
            poll_age: absent_at_first(POLL_AGE)?,
            lag: registered(&registry, IntGaugeVec::new(opts(LAG), LAG.3)?)?,
            partitions: registered(&registry, IntGaugeVec::new(opts(PARTITIONS), PARTITIONS.3)?)?,
            catching_up: plain(CATCHING_UP)?,
            shared: plain(SHARED)?,
            lease: plain(LEASE)?,
            recovery: RecoveryMetrics::new(&registry)?,
            cluster: ClusterMetrics::new(&registry)?,
            queues: plain(QUEUES)?,
            memory: registered(&registry, IntGaugeVec::new(opts(MEMORY), MEMORY.3)?)?,
            registry,
        })
    }

    /// Those of recovery.
    pub fn recovery(&self) -> &RecoveryMetrics {
        &self.recovery
    }

    /// Those of the rows that instances publish for each other.
    pub fn cluster(&self) -> &ClusterMetrics {
        &self.cluster
    }

    /// Records were read from a topic.
    pub fn records(&self, topic: &str, count: u64) {
        self.records.with_label_values(&[topic]).inc_by(count);
    }

    /// Records changed no figure.
    pub fn discarded(&self, why: Discard, count: u64) {
        add(
            &self.discarded,
            Discard::ALL.iter().position(|&known| known == why),
            count,
        );
    }

    /// Events were odd and counted all the same.
    pub fn irregular(&self, how: Correction, count: u64) {
        add(
            &self.irregular,
            Correction::ALL.iter().position(|&known| known == how),
            count,
        );
    }

    /// A setting of a queue event was refused.
    pub fn bad_setting(&self, which: BadSetting) {
        self.bad_setting.with_label_values(&[which.reason()]).inc();
    }

    /// The text of all of them, as of this condition.
    ///
    /// # Errors
    /// When the encoder refuses a family: a mistake in this file.
    pub fn text(
        &self,
        condition: &Condition,
        queues: usize,
        resident_bytes: Option<u64>,
    ) -> Result<String, prometheus::Error> {
        set(&self.data_age, &[], condition.data_age);
        set(&self.poll_age, &[], condition.poll_age);
        set(&self.broker_silence, &[], condition.broker_silence);
        self.silence.reset();
        for (topic, silence) in &condition.silence {
            set(&self.silence, &[topic], Some(*silence));
        }
        self.ahead.reset();
        for (topic, ahead) in &condition.ahead {
            set(&self.ahead, &[topic], Some(*ahead));
        }
        self.lag.reset();
        self.partitions.reset();
        for lag in &condition.lags {
            let partition = lag.partition.to_string();
            self.lag
                .with_label_values(&[lag.topic.as_str(), &partition])
                .set(lag.records);
        }
        for (topic, count) in &condition.partitions {
            self.partitions
                .with_label_values(&[topic.as_str()])
                .set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        self.catching_up.set(i64::from(condition.catching_up));
        self.shared.set(i64::from(condition.shared));
        self.lease.set(i64::from(!condition.lease_ended));
        self.cluster
            .seen(&condition.instances, condition.stale_after);
        self.queues.set(i64::try_from(queues).unwrap_or(i64::MAX));
        if let Some(bytes) = resident_bytes.and_then(|bytes| i64::try_from(bytes).ok()) {
            self.memory.with_label_values::<&str>(&[]).set(bytes);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

fn opts(line: Line) -> Opts {
    Opts::new(line.0, line.4)
}

fn registered<C: Collector + Clone + 'static>(
    registry: &prometheus::Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counters(
    registry: &prometheus::Registry,
    line: Line,
) -> Result<IntCounterVec, prometheus::Error> {
    registered(registry, IntCounterVec::new(opts(line), line.3)?)
}

fn add(counters: &[IntCounter], place: Option<usize>, count: u64) {
    if let Some(counter) = place.and_then(|place| counters.get(place)) {
        counter.inc_by(count);
    }
}

/// Sets a gauge, or takes its sample away: no figure, no sample.
fn set(gauge: &GaugeVec, labels: &[&str], span: Option<Span>) {
    match span {
        Some(span) => {
            let gauge: Gauge = gauge.with_label_values(labels);
            gauge.set(seconds(span.0));
        }
        None => gauge.reset(),
    }
}
