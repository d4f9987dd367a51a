//! The whole centre from rows: partitions are split over instances, each with a registry of its own;
//! what they send is read by another one; its figures are those of one engine that has everything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

mod engine;
#[path = "properties/logs.rs"]
#[allow(dead_code, reason = "tests/properties.rs uses the rest")]
mod logs;
mod oracle;

use std::sync::Arc;

use logs::{LONG, SHORT, Sent};
use oracle::compare::differences;
use oracle::{Settings, Window};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError};
use queuepulse::cluster::{Inbox, Outbox, Status, Told};
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::settings::StateSettings;
use queuepulse::event::{Family, Millis, QueueConfigured, QueueEvent, QueueKind, Span};
use queuepulse::ingest::shard::Shard;
use queuepulse::kpi::QueueView;
use queuepulse::live::{Coverage, MergeOptions, Registry, Snapshot, merge};
use queuepulse::windows::frame::{Frame, Part, WindowSpec};
use serde_json::Value;

const PARTITIONS: usize = 4;
const SHAPE: u64 = 7;

fn config() -> Config {
    let cases = std::env::var("QUEUEPULSE_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(12),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/properties/cluster-regressions.txt",
        ))),
        ..Config::default()
    }
}

fn windows() -> Vec<Window> {
    ["1s", "20s", "300s", "30m", "today"]
        .map(Window::parse)
        .to_vec()
}

fn registry(settings: &Arc<StateSettings>) -> Arc<Registry> {
    let views = |client: &str, queue: &str, _: &str| QueueView {
        group: (client != "zzz").then(|| format!("group {}", queue.len() % 2)),
        ..QueueView::default()
    };
    Arc::new(Registry::new(Arc::clone(settings), Box::new(views)))
}

/// One process that ingests.
struct Instance {
    registry: Arc<Registry>,
    shard: Shard,
    parts: Vec<Part>,
    outbox: Outbox,
}

impl Instance {
    fn new(
        number: usize,
        owned: &[usize],
        settings: &Arc<StateSettings>,
        specs: &[WindowSpec],
    ) -> Self {
        let registry = registry(settings);
        // numbers differ from process to process
        for queue in 0..number {
            registry.add_queue(&queuepulse::live::QueueKey::new(
                "zzz",
                &queue.to_string(),
                "fax",
            ));
        }
        let mut shard = Shard::new(registry.clone(), settings, specs).with_rates();
        let mut parts = Vec::new();
        for &partition in owned {
            shard.take(u32::try_from(partition).unwrap(), Arc::clone(settings));
            for family in [Family::Contact, Family::Agent] {
                parts.push(Part {
                    family,
                    partition: i32::try_from(partition).unwrap(),
                    since: Millis(1),
                });
            }
        }
        Self {
            registry,
            shard,
            parts,
            outbox: Outbox::new("group", &format!("instance {number}"), 1, SHAPE),
        }
    }

    fn apply(&mut self, partition: usize, event: &Value) {
        let bytes = event.to_string();
        if let Ok(event) = decode(bytes.as_bytes(), &Limits::default()) {
            let _ = self.shard.apply(u32::try_from(partition).unwrap(), &event);
        }
    }

    fn frame(&mut self, at: Millis) -> Frame {
        let mut frame = Frame::default();
        self.shard.view(at, at, &mut frame);
        frame.parts.clone_from(&self.parts);
        frame
    }

    fn send(&mut self, at: Millis, inbox: &mut Inbox) {
        let frame = Arc::new(self.frame(at));
        let status = Status {
            partitions: [u32::try_from(PARTITIONS).unwrap(); 2],
            ..Status::default()
        };
        let Self {
            outbox, registry, ..
        } = self;
        outbox.send(&[frame], registry, &status, &mut |record| {
            let told = inbox.take(record.key, record.value);
            assert!(matches!(told, Told::Row | Told::Beat), "{told:?}");
        });
    }
}

fn json(frames: Vec<Arc<Frame>>, registry: &Registry, specs: &Arc<[WindowSpec]>) -> Value {
    let merged = merge(
        frames,
        registry,
        &MergeOptions {
            specs,
            coverage: &Coverage::Recorded {
                earliest: Some(Millis::MIN),
            },
            threshold: None,
        },
    );
    let mut value = serde_json::to_value(Snapshot {
        merged: &merged,
        data_age_seconds: None,
        source_silence_seconds: None,
    })
    .unwrap();
    // what only makes numbers differ
    for rows in ["queues", "clients", "groups", "channels"] {
        let made_up = |row: &Value| row["client_id"] == "zzz" || row["channel"] == "fax";
        let rows = value[rows].as_array_mut().unwrap();
        rows.retain(|row| !made_up(row));
    }
    value
}

/// The log in order of arrival, each event with its partition.
fn arrivals(log: &[Sent], spread: usize) -> Vec<(i64, usize, Value)> {
    let mut all: Vec<(i64, usize, Value)> = log
        .iter()
        .map(|sent| {
            let key = |name: &str| sent.event[name].as_str().unwrap_or("").to_owned();
            let of = format!("{}{}", key("contact_id"), key("agent_id"));
            let sum: usize = of.bytes().map(usize::from).sum();
            let partition = (sum + spread) % PARTITIONS;
            (sent.time + sent.late, partition, sent.event.clone())
        })
        .collect();
    all.sort_by_key(|(at, ..)| *at);
    all
}

/// How a log is shared out, and after how many events each reads the settings of queues: the single
/// engine, the instances, the viewer.
#[derive(Clone, Copy)]
struct Run<'a> {
    owners: &'a [usize],
    spread: usize,
    every: usize,
    settings_after: [usize; 6],
}

/// Two queues are given another group.
fn regroup(registry: &Registry) {
    for (client, queue) in [("default", "q1"), ("acme", "q2")] {
        let settings = QueueConfigured {
            group: Some("moved".into()),
            ..QueueConfigured::default()
        };
        let event = QueueEvent {
            id: "settings".into(),
            time: Millis(1),
            client_id: client.into(),
            queue_id: Some(queue.into()),
            channel: None,
            kind: QueueKind::Configured(settings),
        };
        registry.apply(&event, &mut |_| {});
    }
}

fn split(log: &[Sent], run: Run<'_>) -> Result<(), TestCaseError> {
    let Run {
        owners,
        spread,
        every,
        settings_after,
    } = run;
    let settings = Arc::new(engine::state_settings(&Settings::default(), &windows()));
    let specs = engine::specs(&windows());
    let of = |number: usize| -> Vec<usize> {
        (0..PARTITIONS)
            .filter(|partition| owners[*partition] == number)
            .collect()
    };
    let mut instances: Vec<Instance> = (0..4)
        .filter(|number| !of(*number).is_empty())
        .map(|number| Instance::new(number, &of(number), &settings, &specs))
        .collect();
    let everything: Vec<usize> = (0..PARTITIONS).collect();
    let mut single = Instance::new(0, &everything, &settings, &specs);
    let viewer = registry(&settings);
    let mut inbox = Inbox::new("group", SHAPE, specs.len(), Arc::clone(&viewer));
    let mut at = Millis(0);
    for (count, (arrived, partition, event)) in arrivals(log, spread).iter().enumerate() {
        let registries = [&single.registry].into_iter();
        let registries = registries.chain(instances.iter().map(|instance| &instance.registry));
        for (registry, after) in registries.chain([&viewer]).zip(settings_after) {
            if after == count {
                regroup(registry);
            }
        }
        single.apply(*partition, event);
        for instance in &mut instances {
            instance.apply(*partition, event);
        }
        if count % every != 0 || settings_after.iter().any(|after| *after > count) {
            continue;
        }
        let first = Millis(arrived.div_euclid(1000) * 1000 + 1000).max(at + Span::seconds(1));
        for later in [0, 1, 2, 25, 90] {
            at = first + Span::seconds(later);
            for instance in &mut instances {
                instance.send(at, &mut inbox);
            }
            let together = inbox.together().expect("all have sent");
            prop_assert_eq!(together.to, at);
            let whole = Arc::new(single.frame(at));
            let expected = json(vec![whole], &single.registry, &specs);
            let found = json(together.frames, &viewer, &specs);
            let mut faults = differences(&expected, &found, 0.0);
            faults.extend(differences(&found, &expected, 0.0));
            prop_assert!(
                expected == found,
                "{} differences\n{}",
                faults.len(),
                faults[..faults.len().min(20)].join("\n")
            );
        }
    }
    Ok(())
}

fn both(contacts: Vec<Sent>, agents: Vec<Sent>) -> Vec<Sent> {
    contacts.into_iter().chain(agents).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rows_of_split_partitions_make_one_engines_figures_within_minutes(
        contacts in logs::contacts(&SHORT),
        agents in logs::agents(&SHORT),
        owners in proptest::collection::vec(0..4usize, PARTITIONS),
        spread in 0..100usize,
        every in 1..9usize,
        settings_after in proptest::array::uniform6(0..30usize),
    ) {
        let run = Run { owners: &owners, spread, every, settings_after };
        split(&both(contacts, agents), run)?;
    }

    #[test]
    fn rows_of_split_partitions_make_one_engines_figures_over_hours(
        contacts in logs::contacts(&LONG),
        agents in logs::agents(&LONG),
        owners in proptest::collection::vec(0..4usize, PARTITIONS),
        spread in 0..100usize,
        every in 1..9usize,
        settings_after in proptest::array::uniform6(0..30usize),
    ) {
        let run = Run { owners: &owners, spread, every, settings_after };
        split(&both(contacts, agents), run)?;
    }
}
