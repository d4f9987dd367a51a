//! Whether what is left after the faults is exact: the newest snapshot of each partition, decoded,
//! against a fresh reader of the same log that never stopped; and the figures of an engine begun from
//! the snapshots against `replay` of the same log, or against the oracle.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use queuepulse::config::Config;
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::event::Millis;
use queuepulse::ingest::source::{Source, Topic};
use queuepulse::recovery::encoding;
use queuepulse::recovery::header::{Header, Of};
use queuepulse::recovery::records::{Candidate, Pile, state};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataPartition;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::expected::{settings_by, windows};
use crate::log::say;
use crate::oracle::figures::snapshot;
use crate::oracle::record::{Record, accept};
use crate::topics::client;

/// Where the engines keep snapshots.
pub const SNAPSHOTS: &str = "queuepulse-snapshots";

/// The name of the topic that such a source is a partition of.
pub fn topic_of(topics: &str, topic: Topic) -> String {
    match topic {
        Topic::Contact => format!("{topics}-contacts"),
        Topic::Agent => format!("{topics}-agents"),
    }
}

/// Calls with every record of a partition that a reader of committed records gets; the offset after
/// the last one.
pub fn read_all(
    brokers: &str,
    topic: &str,
    partition: i32,
    mut each: impl FnMut(i64, Option<Millis>, Option<&[u8]>),
) -> i64 {
    let mut config = client(brokers);
    config.set("group.id", "reader");
    config.set("enable.auto.commit", "false");
    config.set("enable.partition.eof", "true");
    config.set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Beginning)
        .unwrap();
    consumer.assign(&list).unwrap();
    let mut next = 0;
    loop {
        match consumer.poll(Duration::from_secs(30)) {
            Some(Ok(message)) => {
                let timestamp = message.timestamp().to_millis().map(Millis);
                each(message.offset(), timestamp, message.payload());
                next = message.offset() + 1;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return next,
            Some(Err(error)) => panic!("{topic}/{partition}: {error}"),
            None => panic!("{topic}/{partition}: nothing for 30 s"),
        }
    }
}

/// A partition of state fed by a fresh reader.
pub struct Fresh {
    pub partition: Partition,
    pub records: u64,
    pub next: i64,
}

/// Reads a partition from its first record, as a worker applies it. With a file, what is counted goes
/// there too, a line each.
pub fn fresh(
    brokers: &str,
    topics: &str,
    source: Source,
    config: &Config,
    mut file: Option<&mut dyn Write>,
) -> Fresh {
    let settings = Arc::clone(&config.state);
    let mut partition = Partition::new(Arc::clone(&settings));
    let (mut records, limits) = (0, Limits::default());
    let topic = topic_of(topics, source.topic);
    let next = read_all(brokers, &topic, source.partition, |_, timestamp, value| {
        records += 1;
        let Some(value) = value else { return };
        let Ok(event) = decode(value, &limits) else {
            return;
        };
        let ahead = |timestamp: Millis| event.time() > timestamp + settings.max_ahead;
        if event.family() != source.topic.family() || timestamp.is_some_and(ahead) {
            return;
        }
        let _counted_or_not = partition.apply(&event);
        partition.clear_outbox();
        if let Some(file) = &mut file {
            file.write_all(value).unwrap();
            file.write_all(b"\n").unwrap();
        }
    });
    Fresh {
        partition,
        records,
        next,
    }
}

/// The newest whole snapshot of each partition of a group that this release reads and whose log reaches
/// so far, and its state.
pub fn snapshots(
    brokers: &str,
    snapshot_topic: &str,
    partitions: i32,
    group: &str,
) -> BTreeMap<(String, i32), (Header, Vec<u8>)> {
    let reader: BaseConsumer = client(brokers).create().unwrap();
    let usable = |candidate: &Candidate| {
        let of = &candidate.header.of;
        let marks = reader.fetch_watermarks(&of.topic, of.partition, Duration::from_secs(30));
        candidate.header.format == u32::from(encoding::FORMAT)
            && candidate.header.next_offset <= marks.unwrap().1
    };
    let mut newest = BTreeMap::new();
    for partition in 0..partitions {
        let mut pile = Pile::default();
        let mut known: Vec<Of> = Vec::new();
        read_all(brokers, snapshot_topic, partition, |_, _, value| {
            let mine = |of: &Of| of.group == group;
            pile.add((0, 0), value.unwrap_or_default(), &mine);
            known.extend(whose(value.unwrap_or_default()));
        });
        known.retain(|of| of.group == group);
        known.sort();
        known.dedup();
        for of in known {
            let (candidates, _) = pile.take(&of);
            let last = candidates
                .into_iter()
                .filter(usable)
                .max_by_key(|candidate| (candidate.header.next_offset, candidate.header.written));
            if let Some(last) = last {
                let bytes = state(&last).unwrap_or_default();
                newest.insert((of.topic, of.partition), (last.header, bytes));
            }
        }
    }
    newest
}

/// Whose snapshot a record is a piece of: its head is JSON.
fn whose(value: &[u8]) -> Option<Of> {
    let length = u32::from_le_bytes(value.get(8..12)?.try_into().ok()?);
    let head = value.get(12..12 + usize::try_from(length).ok()?)?;
    serde_json::from_slice(head).ok()
}

/// How one partition compares.
pub struct Verdict {
    pub source: Source,
    pub exact: bool,
    pub records: u64,
    pub told: String,
}

/// Compares the newest snapshot of every partition with a fresh reader, byte for byte, and writes what
/// is counted into files of a folder.
pub fn partitions(
    brokers: &str,
    topics: &str,
    (group, snapshot_topic): (&str, &str),
    count: i32,
    folder: &Path,
) -> Vec<Verdict> {
    let config = Config::defaults().unwrap();
    let newest = snapshots(brokers, snapshot_topic, count, group);
    settings_of_queues(brokers, topics, folder);
    let mut verdicts = Vec::new();
    for topic in Topic::ALL {
        for partition in 0..count {
            let source = Source { topic, partition };
            let path = folder.join(format!("{topic:?}-{partition}.ndjson"));
            let mut file = BufWriter::new(File::create(path).unwrap());
            let fresh = fresh(brokers, topics, source, &config, Some(&mut file));
            file.flush().unwrap();
            let mut bytes = Vec::new();
            encoding::encode(&fresh.partition, &mut bytes);
            let found = newest.get(&(topic_of(topics, topic), partition));
            verdicts.push(judge(source, &fresh, &bytes, found));
        }
    }
    verdicts
}

/// What queues are, in a file of the folder.
fn settings_of_queues(brokers: &str, topics: &str, folder: &Path) {
    let topic = format!("{topics}-queues");
    let reader: BaseConsumer = client(brokers).create().unwrap();
    let known = reader.fetch_metadata(Some(&topic), Duration::from_secs(30));
    let partitions: Vec<i32> = known.unwrap().topics()[0]
        .partitions()
        .iter()
        .map(MetadataPartition::id)
        .collect();
    let mut file = BufWriter::new(File::create(folder.join("queues.ndjson")).unwrap());
    for partition in partitions {
        read_all(brokers, &topic, partition, |_, _, value| {
            file.write_all(value.unwrap_or_default()).unwrap();
            file.write_all(b"\n").unwrap();
        });
    }
    file.flush().unwrap();
}

fn judge(
    source: Source,
    fresh: &Fresh,
    bytes: &[u8],
    found: Option<&(Header, Vec<u8>)>,
) -> Verdict {
    let (exact, told) = match found {
        None => (fresh.records == 0, "no snapshot".to_owned()),
        Some((header, state)) => {
            let same_state = state == bytes;
            // Markers of transactions lie after the last record.
            let at_end = header.next_offset >= fresh.next;
            let counted = header.records == fresh.records;
            let told = format!(
                "{} records, snapshot to {} of {}, counted {}, {} bytes of state{}",
                fresh.records,
                header.next_offset,
                fresh.next,
                header.records,
                state.len(),
                if same_state { "" } else { ", OTHER STATE" },
            );
            (same_state && at_end && counted, told)
        }
    };
    Verdict {
        source,
        exact,
        records: fresh.records,
        told,
    }
}

/// What `replay` makes of the files, each read in the order of its log.
pub fn replayed(folder: &Path, at: i64) -> Value {
    let mut replay = Command::new(env!("CARGO_BIN_EXE_queuepulse"));
    replay.args(["replay", "--format", "json", "--max-disorder", "0s"]);
    replay.args(["--at", &queuepulse::live::rfc3339(Millis(at))]);
    let entries = std::fs::read_dir(folder).unwrap();
    replay.args(entries.map(|entry| entry.unwrap().path()));
    let output = replay.stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    let mut snapshots: Value = serde_json::from_slice(&output.stdout).unwrap();
    snapshots[0].take()
}

/// What the oracle makes of the same files.
pub fn by_oracle(folder: &Path, at: i64) -> Value {
    let (mut logs, mut queues) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty());
        let values = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        if path.ends_with("queues.ndjson") {
            queues.extend(values);
        } else {
            logs.push(
                values
                    .filter_map(|value| accept(&value))
                    .collect::<Vec<Record>>(),
            );
        }
    }
    let settings = settings_by(queues.into_iter());
    let logs: Vec<Vec<&Record>> = logs.iter().map(|log| log.iter().collect()).collect();
    snapshot(&logs, &settings, at, &windows())
}

/// Compares every partition with the log, and says how: how many are exact, of how many.
pub fn exact(brokers: &str, topics: &str, group: &str, partitions: i32) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let of = (group, SNAPSHOTS);
    tell(&self::partitions(
        brokers,
        topics,
        of,
        partitions,
        folder.path(),
    ))
}

/// Says how every partition compares: how many are exact, of how many.
pub fn tell(verdicts: &[Verdict]) -> (usize, usize) {
    for verdict in verdicts {
        let word = if verdict.exact { "exact" } else { "NOT EXACT" };
        say(&format!("{} {word}: {}", verdict.source, verdict.told));
    }
    let exact = verdicts.iter().filter(|verdict| verdict.exact).count();
    (exact, verdicts.len())
}
