//! The engine as a test drives it: partitions and one worker's tables, settings taken from the
//! oracle's, snapshots as the JSON that `replay` prints.

#![allow(
    dead_code,
    reason = "each integration test uses a part of this shared module"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;

use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::{AfterContact, Pattern, StateSettings, ZoneNo};
use queuepulse::event::{Millis, Span, Zones};
use queuepulse::ingest::replay::lines::Lines;
use queuepulse::ingest::replay::{ReplayOptions, replay};
use queuepulse::kpi::{AbandonsWithin, QueueView, SwitchSettings, Variant};
use queuepulse::live::{Coverage, FileViews, MergeOptions, Registry, Snapshot, merge};
use queuepulse::recovery::encoding;
use queuepulse::windows::frame::{Frame, WindowKind, WindowSpec};
use queuepulse::windows::tables::Tables;
use queuepulse::windows::view::{Instant, PartitionView};
use serde_json::Value;

use crate::oracle::{self, Kind, Row, Settings, Shown, Window};

/// The settings that count, as the oracle's say.
pub fn state_settings(settings: &Settings, windows: &[Window]) -> StateSettings {
    let defaults = StateSettings::default();
    let mut zones: Vec<&str> = vec![&settings.zone];
    zones.extend(settings.zone_by_queue.iter().map(|(_, zone)| zone.as_str()));
    let zone = |name: &&str| jiff::tz::TimeZone::get(name).expect("a known zone");
    let by_queue = settings
        .zone_by_queue
        .iter()
        .enumerate()
        .map(|(at, (covers, _))| (pattern(covers), ZoneNo(u16::try_from(at + 1).expect("few"))));
    let rules = settings.after_contact.iter().map(|(covers, rule)| {
        let rule = match rule {
            oracle::AfterContact::None => AfterContact::None,
            oracle::AfterContact::Events => AfterContact::Events,
            oracle::AfterContact::Timer(length) => AfterContact::Timer(Span(*length)),
        };
        (pattern(covers), rule)
    });
    let longest = windows.iter().map(|window| match window.kind {
        Kind::Sliding(length) | Kind::Interval(length) => length,
        Kind::Today | Kind::All => 0,
    });
    let longest = longest.max().unwrap_or(0).max(oracle::HOUR);
    StateSettings {
        settle_after: Span(settings.settle_after),
        retain: Span(settings.retain),
        late_after: Span(settings.late_after),
        agent_ttl: Span(settings.agent_ttl),
        acw_max: Span(settings.acw_max),
        ghost_after: settings
            .ghost_after
            .iter()
            .map(|(channel, length)| (channel.clone(), Span(*length)))
            .collect(),
        ghost_after_other: Span(settings.ghost_after_other),
        rungs_other: rungs(settings),
        zones: Zones::new(zones.iter().map(zone).collect()),
        zone_by_queue: by_queue.collect(),
        after_contact: rules.collect(),
        log_keep: Span(longest + defaults.max_ahead.0 + settings.late_after),
        ..defaults
    }
}

fn pattern(of: &oracle::Pattern) -> Pattern {
    Pattern {
        client: of.client.clone(),
        queue: of.queue.clone(),
        channel: of.channel.clone(),
    }
}

/// Every T, S and range of any queue, and the extra rungs.
fn rungs(settings: &Settings) -> Arc<[Span]> {
    let every = settings
        .shown_by_queue
        .iter()
        .map(|(_, shown)| shown)
        .chain([&settings.shown]);
    let mut rungs: BTreeSet<Span> = [5, 10, 20, 30, 60].map(Span::seconds).into();
    for shown in every {
        rungs.extend(
            [
                shown.threshold,
                shown.short_abandon,
                shown.ranges.0,
                shown.ranges.1,
            ]
            .map(Span),
        );
    }
    rungs.remove(&Span(0));
    rungs.into_iter().collect()
}

/// How queues are shown, as the oracle's settings say.
pub fn views(settings: &Settings) -> FileViews {
    let settings = settings.clone();
    Box::new(move |client, queue, channel| {
        let row = Row {
            client: client.to_owned(),
            queue: queue.to_owned(),
            channel: channel.to_owned(),
        };
        view(&settings.shown(&row))
    })
}

fn view(shown: &Shown) -> QueueView {
    QueueView {
        threshold: Span(shown.threshold),
        short_abandon: Span(shown.short_abandon),
        variant: Variant::parse(&shown.variant).expect("a variant"),
        group: shown.group.clone(),
        switches: SwitchSettings {
            abandons: shown.abandons,
            short_abandons: shown.short_abandons,
            abandons_within_threshold: match shown.abandons_within_threshold.as_str() {
                "negative" => AbandonsWithin::Negative,
                "positive" => AbandonsWithin::Positive,
                _ => AbandonsWithin::Ignored,
            },
            callbacks_met_within_threshold: shown.callbacks_met,
            range_answered: Span(shown.ranges.0),
            range_abandoned: Span(shown.ranges.1),
            abandonment_of_offered: shown.abandonment_of_offered,
        },
        ..QueueView::default()
    }
}

/// The windows.
pub fn specs(windows: &[Window]) -> Arc<[WindowSpec]> {
    let spec = |window: &Window| WindowSpec {
        key: window.key.clone(),
        kind: match window.kind {
            Kind::Sliding(length) => WindowKind::Sliding(Span(length)),
            Kind::Interval(length) => WindowKind::Interval(Span(length)),
            Kind::Today => WindowKind::Today,
            Kind::All => WindowKind::All,
        },
    };
    windows.iter().map(spec).collect()
}

/// Partitions and one worker's tables.
pub struct Engine {
    settings: Arc<StateSettings>,
    shown: Settings,
    specs: Arc<[WindowSpec]>,
    registry: Arc<Registry>,
    tables: Tables,
    partitions: Vec<Partition>,
    tick: u64,
}

impl Engine {
    pub fn new(shown: &Settings, windows: &[Window], partitions: usize) -> Self {
        let settings = Arc::new(state_settings(shown, windows));
        let registry = Arc::new(Registry::new(Arc::clone(&settings), views(shown)));
        let specs = specs(windows);
        Self {
            tables: Tables::new(registry.clone(), &settings, &specs),
            partitions: (0..partitions)
                .map(|_| Partition::new(Arc::clone(&settings)))
                .collect(),
            settings,
            shown: shown.clone(),
            specs,
            registry,
            tick: 0,
        }
    }

    /// Applies one event to a partition.
    pub fn apply(&mut self, partition: usize, event: &Value) {
        let bytes = event.to_string();
        let Ok(event) = decode(bytes.as_bytes(), &Limits::default()) else {
            return;
        };
        let held = &mut self.partitions[partition];
        let _ = held.apply(&event);
        let number = u32::try_from(partition).expect("few");
        self.tables
            .absorb(number, held.names(), held.ledger().outbox());
        held.clear_outbox();
    }

    /// The snapshot of an instant that is not before anything applied.
    pub fn snapshot(&mut self, at: i64) -> Value {
        let at = Millis(at);
        let mut instants = vec![Instant::default(); self.partitions.len()];
        for (partition, instant) in self.partitions.iter_mut().zip(&mut instants) {
            instant.read(partition, at);
        }
        let mut frame = Frame::default();
        self.tick += 1;
        frame.tick = self.tick;
        let held = views_of(&self.partitions, &instants);
        self.tables.view(at, at, &held, &mut frame);
        let earliest = self.partitions.iter().map(Partition::earliest).min();
        let coverage = Coverage::Recorded {
            earliest: earliest.filter(|at| *at != Millis::MAX),
        };
        let options = MergeOptions {
            specs: &self.specs,
            coverage: &coverage,
            threshold: None,
        };
        let merged = merge(vec![Arc::new(frame)], &self.registry, &options);
        serde_json::to_value(Snapshot {
            merged: &merged,
            data_age_seconds: None,
            source_silence_seconds: None,
        })
        .expect("serializes")
    }

    /// The bytes of each partition's state.
    pub fn states(&self) -> Vec<Vec<u8>> {
        self.partitions.iter().map(bytes_of).collect()
    }

    /// The process ends and another begins with what was written of the states.
    pub fn restart(&mut self) {
        for partition in &mut self.partitions {
            let bytes = bytes_of(partition);
            *partition = encoding::decode(&bytes, Arc::clone(&self.settings)).expect("its own");
        }
        self.second_run();
    }

    /// A second run over the same state: tables and registry are new, partitions stay.
    pub fn second_run(&mut self) {
        self.registry = Arc::new(Registry::new(
            Arc::clone(&self.settings),
            views(&self.shown),
        ));
        self.tables = Tables::new(self.registry.clone(), &self.settings, &self.specs);
        let instants = vec![Instant::default(); self.partitions.len()];
        self.tables.rebuild(&views_of(&self.partitions, &instants));
    }
}

/// The bytes of a partition's state.
pub fn bytes_of(partition: &Partition) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoding::encode(partition, &mut bytes);
    bytes
}

fn views_of<'a>(partitions: &'a [Partition], instants: &'a [Instant]) -> Vec<PartitionView<'a>> {
    let numbered = partitions.iter().zip(instants).enumerate();
    numbered
        .map(|(number, (partition, instant))| {
            PartitionView::of(u32::try_from(number).expect("few"), partition, instant)
        })
        .collect()
}

/// The snapshots that `replay` gives of these partitions, one input each.
pub fn replayed(
    partitions: &[Vec<Value>],
    settings: &Settings,
    instants: &[i64],
    windows: &[Window],
    max_disorder: i64,
) -> Vec<Value> {
    let inputs = partitions.iter().map(|events| {
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        Lines::of(Cursor::new(lines.join("\n").into_bytes()), 1 << 20).expect("in memory")
    });
    let options = ReplayOptions {
        settings: Arc::new(state_settings(settings, windows)),
        views: views(settings),
        windows: specs(windows),
        instants: instants.iter().map(|at| Millis(*at)).collect(),
        max_disorder: Span(max_disorder),
        limits: Limits::default(),
    };
    let report = replay(inputs.collect(), options, &mut |_| {}).expect("in memory");
    let json = |merged| {
        let snapshot = Snapshot {
            merged,
            data_age_seconds: None,
            source_silence_seconds: None,
        };
        serde_json::to_value(snapshot).expect("serializes")
    };
    report.snapshots.iter().map(json).collect()
}
