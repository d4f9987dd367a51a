//! A restarted engine goes on from its snapshots, and when it cannot, from the log.

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::*;
use crate::topics::{client, name, wait};

/// The least that a broker allows.
const SESSION: &str = "6s";

/// The one engine of a group.
fn settings(topics: &str, extra: &[(&'static str, &str)]) -> Env {
    let mut env = reading(&broker(), topics, topics);
    env.push(("QUEUEPULSE__KAFKA__SESSION_TIMEOUT", SESSION.to_owned()));
    env.push(("QUEUEPULSE__KAFKA__INSTANCE", topics.to_owned()));
    env.extend(extra.iter().map(|(key, value)| (*key, (*value).to_owned())));
    env
}

fn start(topics: &str, extra: &[(&'static str, &str)]) -> Engine {
    Engine::start(&settings(topics, extra))
}

fn produce(topics: &str, events: &[OwnedEvent]) {
    let sender = Sender::new(&broker(), topics, PARTITIONS);
    for event in events {
        sender.send(event);
    }
    sender.flush();
}

fn signal(engine: &Engine, signal: &str) {
    let pid = engine.child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status();
    assert!(sent.unwrap().success());
}

/// The sum of a metric's samples.
fn metric(engine: &Engine, name: &str) -> f64 {
    let text = engine.get("/metrics").unwrap_or_default();
    let of_it = |line: &&str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']) || name.ends_with('}'))
    };
    let lines = text.lines().filter(of_it);
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn wait_until(engine: &Engine, what: &str, holds: impl Fn(&Engine) -> bool) -> Duration {
    let begun = Instant::now();
    let mut lines: Vec<String> = Vec::new();
    while !holds(engine) {
        lines.extend(engine.lines.try_iter());
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "{what}: {lines:#?}"
        );
        sleep(Duration::from_millis(50));
    }
    begun.elapsed()
}

/// Until it shows figures and has read everything there is. The lag is told once a second, so it
/// has to be 0 for longer than that.
fn wait_until_ready(engine: &Engine) {
    let idle = |engine: &Engine| {
        engine.get("/readyz").is_ok() && metric(engine, "queuepulse_lag_records") == 0.0
    };
    wait_until(engine, "ready", idle);
    sleep(Duration::from_millis(2500));
    wait_until(engine, "ready", idle);
}

/// Until every partition has a snapshot of all that was read.
fn wait_until_written(engine: &Engine) {
    let written = |engine: &Engine| metric(engine, "queuepulse_snapshots_written_total");
    let before = written(engine);
    wait_until(engine, "snapshots", |engine| {
        written(engine) >= before + 2.0 * f64::from(PARTITIONS)
    });
}

/// Holds what an engine shows against what `replay` makes of the events.
fn equals_replay(engine: &Engine, events: &[OwnedEvent]) {
    let last = events.iter().map(|event| event.time.0).max().unwrap();
    while now() <= last + 1000 {
        sleep(Duration::from_millis(100));
    }
    let mut shown = Vec::new();
    wait_until(engine, "a snapshot", |engine| engine.snapshot().is_some());
    let found = engine.snapshot().unwrap();
    // Of a whole second, since windows move with it.
    let at = time(&found["at"]).unwrap();
    if at % 1000 == 0 {
        shown.push((at, vec![found]));
    } else {
        return equals_replay(engine, events);
    }
    judge(&replayed(events, &[shown[0].0]), &shown);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn killed_and_started_again_it_goes_on_from_its_snapshots() {
    create(&broker(), "killed", PARTITIONS);
    let events = some_events(60_000);
    let (first, rest) = events.split_at(30_000);
    let engine = start("killed", &[]);
    produce("killed", first);
    wait_until_ready(&engine);
    wait_until_written(&engine);
    let contacts = first.iter().filter(|event| event.topic == Topic::Contacts);
    let contacts = i64::try_from(contacts.count()).unwrap();
    wait_until(&engine, "commits", |_| committed("killed") == contacts);
    produce("killed", &rest[..15_000]);
    signal(&engine, "-KILL");
    drop(engine);
    produce("killed", &rest[15_000..]);
    let begun = Instant::now();
    let engine = start("killed", &[]);
    wait_until(&engine, "ready", |engine| engine.get("/readyz").is_ok());
    println!("ready again after {:?}", begun.elapsed());
    wait_until_ready(&engine);
    let from_snapshots = metric(
        &engine,
        "queuepulse_partitions_begun_total{from=\"snapshot\"}",
    );
    assert!(
        (from_snapshots - 2.0 * f64::from(PARTITIONS)).abs() < 0.5,
        "{from_snapshots}"
    );
    let replayed = metric(&engine, "queuepulse_replayed_records_total");
    assert!(replayed > 0.0 && replayed < 31_000.0, "{replayed}");
    equals_replay(&engine, &events);
    assert_eq!(engine.end(), 0);
}

/// How far the group says that it is in the contact topic: over all partitions.
fn committed(topics: &str) -> i64 {
    let mut config = client(&broker());
    config.set("group.id", topics);
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_range(&name(topics, Topic::Contacts), 0, PARTITIONS - 1);
    let within = Duration::from_secs(10);
    let committed = consumer.committed_offsets(list, within).unwrap();
    let offset = |offset| match offset {
        Offset::Offset(offset) => offset,
        _ => 0,
    };
    let elements = committed.elements();
    elements
        .iter()
        .map(|element| offset(element.offset()))
        .sum()
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn twenty_kills() {
    create(&broker(), "twenty", PARTITIONS);
    let events = some_events(40_000);
    let mut engine = start("twenty", &[]);
    let mut took = Vec::new();
    for part in events.chunks(2000) {
        produce("twenty", part);
        wait_until(&engine, "ready", |engine| engine.get("/readyz").is_ok());
        signal(&engine, "-KILL");
        drop(engine);
        let begun = Instant::now();
        engine = start("twenty", &[]);
        wait_until(&engine, "ready", |engine| engine.get("/readyz").is_ok());
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    println!(
        "from start to ready: p50 {:?}, max {:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    wait_until_ready(&engine);
    equals_replay(&engine, &events);
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn after_an_orderly_end_nothing_is_read_again() {
    create(&broker(), "orderly", PARTITIONS);
    let events = some_events(20_000);
    let engine = start("orderly", &[]);
    produce("orderly", &events);
    wait_until_ready(&engine);
    let complete = |engine: &Engine| {
        let shown = engine.snapshot().unwrap();
        let windows = shown["total"]["windows"].as_object().unwrap().clone();
        windows.values().all(|window| window["complete"] == true)
    };
    assert!(complete(&engine));
    let offered = |shown: &Value| shown["total"]["windows"]["today"]["offered"].clone();
    let before = offered(&engine.snapshot().unwrap());
    assert_eq!(engine.end(), 0);
    let engine = start("orderly", &[]);
    // The first figures shown are those of all partitions.
    let first = loop {
        if let Some(first) = engine.snapshot() {
            break first;
        }
    };
    assert_eq!(offered(&first), before);
    wait_until_ready(&engine);
    assert!(metric(&engine, "queuepulse_replayed_records_total") < 0.5);
    assert!(
        metric(
            &engine,
            "queuepulse_records_total{topic=\"orderly-contacts\"}"
        ) < 0.5
    );
    assert!(complete(&engine));
    equals_replay(&engine, &events);
    assert_eq!(engine.end(), 0);
    // What is no snapshot is passed over.
    litter();
    let mut engine = start("orderly", &[]);
    let line = engine.wait_for("a record of the snapshot topic is damaged");
    assert!(
        line.contains("offset=") && !line.contains("litter"),
        "{line}"
    );
    wait_until_ready(&engine);
    let refused = metric(
        &engine,
        "queuepulse_snapshots_refused_total{reason=\"damaged\"}",
    );
    assert!(refused > 0.5, "{refused}");
    assert!(metric(&engine, "queuepulse_replayed_records_total") < 0.5);
    assert_eq!(engine.end(), 0);
    // What was counted under other settings is not used.
    let engine = start("orderly", &[("QUEUEPULSE__STATE__SETTLE_AFTER", "6m")]);
    wait_until_ready(&engine);
    let refused = metric(
        &engine,
        "queuepulse_snapshots_refused_total{reason=\"settings\"}",
    );
    assert!(refused > 0.5, "{refused}");
    let replayed = metric(&engine, "queuepulse_replayed_records_total");
    assert!(replayed > 1000.0, "{replayed}");
    assert_eq!(engine.end(), 0);
}

/// Writes something else into the snapshot topic.
fn litter() {
    let producer: BaseProducer = client(&broker()).create().unwrap();
    for number in 0..40 {
        let key = format!("litter {number}");
        let record = BaseRecord::to("queuepulse-snapshots")
            .key(&key)
            .payload("QPS1 litter");
        producer
            .send(record.partition(number % PARTITIONS))
            .unwrap();
    }
    producer.flush(Duration::from_secs(10)).unwrap();
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn records_deleted_before_they_were_read_are_a_gap_that_is_seen() {
    create(&broker(), "gap", PARTITIONS);
    let events = some_events(20_000);
    let engine = start("gap", &[]);
    produce("gap", &events[..10_000]);
    wait_until_ready(&engine);
    assert_eq!(engine.end(), 0);
    produce("gap", &events[10_000..]);
    let admin: AdminClient<DefaultClientContext> = client(&broker()).create().unwrap();
    let mut list = TopicPartitionList::new();
    let contacts = name("gap", Topic::Contacts);
    for partition in 0..PARTITIONS {
        list.add_partition_offset(&contacts, partition, Offset::End)
            .unwrap();
    }
    wait(admin.delete_records(&list, &AdminOptions::new())).unwrap();
    let engine = start("gap", &[]);
    wait_until_ready(&engine);
    let contacts = events[10_000..]
        .iter()
        .filter(|event| event.topic == Topic::Contacts);
    let deleted = metric(&engine, "queuepulse_gap_records_total");
    assert_eq!(format!("{deleted}"), contacts.count().to_string());
    let shown = engine.snapshot().unwrap();
    assert_eq!(shown["total"]["windows"]["1m"]["complete"], false);
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn partitions_added_while_it_runs_are_read_and_counted() {
    create(&broker(), "added", PARTITIONS);
    let refresh = "QUEUEPULSE__KAFKA__PROPERTIES__TOPIC_METADATA_REFRESH_INTERVAL_MS";
    let extra = [
        (refresh, "1000"),
        ("QUEUEPULSE__KAFKA__SNAPSHOT_TOPIC", "added-snapshots"),
    ];
    let engine = start("added", &extra);
    produce("added", &some_events(2000));
    wait_until_ready(&engine);
    let admin: AdminClient<DefaultClientContext> = client(&broker()).create().unwrap();
    let contacts = name("added", Topic::Contacts);
    let more = [NewPartitions::new(&contacts, 6)];
    for grown in wait(admin.create_partitions(&more, &AdminOptions::new())).unwrap() {
        grown.unwrap();
    }
    let owned = format!("queuepulse_partitions{{topic=\"{contacts}\"}}");
    wait_until(&engine, "partitions", |engine| metric(engine, &owned) > 5.5);
    wait_until_ready(&engine);
    let added = metric(&engine, "queuepulse_partitions_added_total");
    assert_eq!(format!("{added}"), "2");
    let shown = engine.snapshot().unwrap();
    assert_eq!(shown["total"]["windows"]["1m"]["complete"], false);
    wait_until_written(&engine);
    let failed = metric(&engine, "queuepulse_snapshots_failed_total");
    assert!(failed < 0.5, "the snapshot topic has too few partitions");
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn members_share_and_take_over_under_each_protocol() {
    let properties = "QUEUEPULSE__KAFKA__PROPERTIES__";
    let strategy: &str = &format!("{properties}PARTITION_ASSIGNMENT_STRATEGY");
    let protocol: &str = &format!("{properties}GROUP_PROTOCOL");
    for (topics, key, value) in [
        ("ranged", strategy, "range"),
        ("sticky", strategy, "cooperative-sticky"),
        ("kip848", protocol, "consumer"),
    ] {
        let key: &'static str = key.to_owned().leak();
        create(&broker(), topics, PARTITIONS);
        let extra = [("QUEUEPULSE__KAFKA__INSTANCE", "none"), (key, value)];
        let events = some_events(10_000);
        let first = start(topics, &extra);
        produce(topics, &events[..5000]);
        wait_until_ready(&first);
        let second = start(topics, &extra);
        let owned = |engine: &Engine| metric(engine, "queuepulse_partitions");
        wait_until(&second, topics, |second| {
            owned(second) > 3.5 && owned(&first) < 4.5
        });
        produce(topics, &events[5000..]);
        wait_until_ready(&second);
        assert_eq!(first.end(), 0);
        wait_until(&second, topics, |second| owned(second) > 7.5);
        wait_until_ready(&second);
        equals_replay(&second, &events);
        println!("{topics}: took over");
        assert_eq!(second.end(), 0);
    }
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_pause_that_the_group_did_not_notice_is_over_when_it_says_so() {
    create(&broker(), "nap", PARTITIONS);
    let engine = start("nap", &[("QUEUEPULSE__KAFKA__SESSION_TIMEOUT", "10s")]);
    produce("nap", &some_events(3000));
    wait_until_ready(&engine);
    let rows = |engine: &Engine| metric(engine, "queuepulse_offered_total");
    signal(&engine, "-STOP");
    sleep(Duration::from_millis(7300));
    signal(&engine, "-CONT");
    assert!(
        rows(&engine) < 0.5,
        "shown though the group may have given them away"
    );
    wait_until(&engine, "shown again", |engine| rows(engine) > 0.5);
    assert!(metric(&engine, "queuepulse_assignment_lost_total") < 0.5);
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn snapshots_of_a_topic_that_was_made_anew_are_not_used() {
    create(&broker(), "anew", PARTITIONS);
    let old = some_events(20_000);
    let engine = start("anew", &[]);
    produce("anew", &old);
    wait_until_ready(&engine);
    assert_eq!(engine.end(), 0);
    delete("anew");
    create(&broker(), "anew", PARTITIONS);
    let new = some_events(30_000);
    produce("anew", &new[5000..]);
    let engine = start("anew", &[]);
    wait_until_ready(&engine);
    let refused = |reason: &str| {
        let name = format!("queuepulse_snapshots_refused_total{{reason=\"{reason}\"}}");
        metric(&engine, &name)
    };
    assert!(refused("other_log") + refused("beyond_log") > 0.5);
    equals_replay(&engine, &new[5000..]);
    assert_eq!(engine.end(), 0);
}

fn delete(topics: &str) {
    let admin: AdminClient<DefaultClientContext> = client(&broker()).create().unwrap();
    let names = Topic::ALL.map(|topic| name(topics, topic));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for topic in wait(admin.delete_topics(&names, &AdminOptions::new())).unwrap() {
        topic.unwrap();
    }
    sleep(Duration::from_secs(2));
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn one_that_was_stopped_for_longer_than_its_session_shows_nothing_when_it_wakes() {
    create(&broker(), "asleep", PARTITIONS);
    let events = some_events(5000);
    let engine = start("asleep", &[]);
    produce("asleep", &events);
    wait_until_ready(&engine);
    let rows = |engine: &Engine| metric(engine, "queuepulse_offered_total");
    assert!(rows(&engine) > 0.0);
    signal(&engine, "-STOP");
    sleep(Duration::from_secs(9));
    signal(&engine, "-CONT");
    assert!(
        rows(&engine) < 0.5,
        "shown by one that has lost its partitions"
    );
    let took = wait_until(&engine, "shown again", |engine| rows(engine) > 0.5);
    println!("shown again after {took:?}");
    equals_replay(&engine, &events);
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn the_older_of_two_with_one_name_ends_with_a_clear_line() {
    create(&broker(), "twins", PARTITIONS);
    let mut first = start("twins", &[]);
    wait_until_ready(&first);
    let second = start("twins", &[]);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = first.child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_millis(100));
    };
    assert_ne!(status.code(), Some(0));
    first.wait_for("runs with the same kafka.instance \"twins\"");
    wait_until_ready(&second);
    assert_eq!(second.end(), 0);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn without_leave_to_create_the_snapshot_topic_the_command_is_said() {
    create(&broker(), "no-leave", PARTITIONS);
    let extra = [
        ("QUEUEPULSE__KAFKA__SNAPSHOT_TOPIC", "no-leave-snapshots"),
        ("QUEUEPULSE__KAFKA__CREATE_TOPICS", "false"),
    ];
    let mut engine = start("no-leave", &extra);
    // The rows topic's command may come first.
    let line = engine.wait_for("--topic no-leave-snapshots");
    assert!(
        line.contains("--create --if-not-exists --topic no-leave-snapshots --partitions 4"),
        "{line}"
    );
    assert_ne!(engine.child.wait().unwrap().code(), Some(0));
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn topics_that_are_there_but_not_set_as_they_should_be_are_told_with_the_command() {
    create(&broker(), "plain", PARTITIONS);
    create_one(&broker(), "plain-snapshots", PARTITIONS);
    create_one(&broker(), "plain-rows", 1);
    let extra = [
        ("QUEUEPULSE__KAFKA__SNAPSHOT_TOPIC", "plain-snapshots"),
        ("QUEUEPULSE__KAFKA__ROWS_TOPIC", "plain-rows"),
    ];
    let mut engine = start("plain", &extra);
    let mut told = [(); 2].map(|()| engine.wait_for("is not set as it should be"));
    told.sort_by_key(|line| line.contains("plain-snapshots"));
    for (line, topic) in told.iter().zip(["plain-rows", "plain-snapshots"]) {
        let command = format!(
            "--entity-name {topic} --add-config cleanup.policy=[compact,delete],\
             min.cleanable.dirty.ratio=0.1,"
        );
        assert!(line.contains(&command), "{line}");
    }
    // It runs all the same.
    wait_until_ready(&engine);
    assert_eq!(engine.end(), 0);
}
