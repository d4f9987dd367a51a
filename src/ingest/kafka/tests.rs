//! The poll thread against the in-process broker.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, sync_channel};
use std::thread;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::super::embedded::EmbeddedBroker;
use super::super::partitioner::partition_of;
use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

fn settings(brokers: &str) -> KafkaSettings {
    KafkaSettings {
        brokers: brokers.to_owned(),
        contact_topic: "contacts".to_owned(),
        agent_topic: "agents".to_owned(),
        queue_topic: Some("queues".to_owned()),
        snapshot_topic: None,
        create_topics: false,
        group: "test".to_owned(),
        properties: BTreeMap::new(),
        embedded: true,
    }
}

struct Running {
    inbox: Receiver<Order>,
    progress: Arc<Progress>,
    stop: Arc<Stop>,
    thread: thread::JoinHandle<Result<(), IngestError>>,
    _back: mpsc::SyncSender<Batch>,
}

fn start(settings: KafkaSettings) -> Running {
    let (worker, inbox) = sync_channel(1024);
    let (back, used) = sync_channel(16);
    let (progress, stop) = (Arc::new(Progress::default()), Arc::new(Stop::default()));
    let intake = Intake {
        settings,
        state: Arc::new(StateSettings::default()),
        state_hash: 0,
        writer: None,
        tell: Tell::new(|_| {}),
        windows: Arc::new([]),
        workers: vec![worker],
        used,
        progress: Arc::clone(&progress),
        stop: Arc::clone(&stop),
        clock: || Millis(1_767_603_600_000),
        prelude: None,
        rows: true,
    };
    let thread = thread::spawn(move || run(intake));
    Running {
        inbox,
        progress,
        stop,
        thread,
        _back: back,
    }
}

fn produce(broker: &EmbeddedBroker, topic: &str, partitions: i32, count: usize) {
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", broker.address());
    let producer: BaseProducer = config.create().unwrap();
    for n in 0..count {
        let key = format!("k{n}");
        let record = BaseRecord::to(topic)
            .key(&key)
            .payload("{}")
            .partition(partition_of(key.as_bytes(), partitions))
            .timestamp(1000 + i64::try_from(n).unwrap());
        producer.send(record).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
}

/// Orders until this many partitions have caught up and this many records have come.
fn receive(running: &Running, caught_up: usize, records: usize) -> Vec<Order> {
    let mut orders = Vec::new();
    loop {
        let caught = |order: &Order| matches!(order, Order::CaughtUp(_));
        let held = |order: &Order| match order {
            Order::Records(batch) => batch.len(),
            _ => 0,
        };
        let come: usize = orders.iter().map(held).sum();
        if orders.iter().filter(|order| caught(order)).count() >= caught_up && come >= records {
            return orders;
        }
        orders.push(running.inbox.recv_timeout(DEADLINE).unwrap());
    }
}

#[test]
fn every_record_comes_once_in_order_and_before_its_partition_has_caught_up() {
    let broker = EmbeddedBroker::start(&[("contacts", 2), ("agents", 1)]).unwrap();
    produce(&broker, "contacts", 2, 3000);
    produce(&broker, "agents", 1, 500);
    let running = start(settings(broker.address()));
    let orders = receive(&running, 3, 3500);
    let mut next: BTreeMap<Source, i64> = BTreeMap::new();
    for order in &orders {
        match order {
            Order::Take { source, start, .. } => {
                assert_eq!(start.offset, 0);
                next.insert(*source, 0);
            }
            Order::Records(batch) => {
                let expected = next.get_mut(&batch.source).unwrap();
                *expected += i64::try_from(batch.len()).unwrap();
                assert_eq!(batch.next, *expected);
                assert_eq!(batch.records().next().unwrap().value, Some(&b"{}"[..]));
            }
            Order::CaughtUp(source) => assert!(next[source] > 0, "something was read"),
            Order::Drop(_) | Order::Snapshot(_) | Order::Ask(_) | Order::Wake | Order::Finish => {
                panic!("not expected: {order:?}")
            }
        }
    }
    assert_eq!(next.values().sum::<i64>(), 3500);
    // What comes later follows.
    produce(&broker, "agents", 1, 10);
    receive(&running, 0, 10);
    running.stop.raise();
    running.thread.join().unwrap().unwrap();
    assert!(running.progress.is_connected());
}

#[test]
fn a_broker_answers_or_it_does_not_whatever_it_is_asked() {
    let broker = EmbeddedBroker::start(&[("contacts", 2)]).unwrap();
    let answers = |brokers: &str, at_most| {
        let asking = Broker::new(settings(brokers)).unwrap();
        asking.answers("contacts", at_most)
    };
    assert!(answers(broker.address(), DEADLINE));
    assert!(!answers("127.0.0.1:1", Duration::from_millis(200)));
}

#[test]
fn what_is_missing_is_told_at_once_with_the_commands_that_create_it() {
    let told = |create_topics, found| {
        let settings = KafkaSettings {
            create_topics,
            snapshot_topic: Some("snapshots".to_owned()),
            ..settings("broker:9092")
        };
        told_of_missing(&settings, found).unwrap_or_default()
    };
    let events = "--config message.timestamp.type=LogAppendTime --config retention.ms=172800000";
    let create = "kafka-topics.sh --bootstrap-server broker:9092 --create --if-not-exists --topic";
    assert_eq!(told(false, [Some(6), Some(6)]), "");
    assert_eq!(
        told(true, [Some(12), None]),
        format!(
            "kafka: topic agents does not exist at broker:9092; waiting for it; to create what is missing: \
             {create} agents --partitions 12 {events}"
        )
    );
    let all = told(false, [None, None]);
    for part in [
        "topic contacts does not exist, topic agents does not exist at",
        &format!(
            "to create what is missing: {create} snapshots --partitions 6 --config \
             cleanup.policy=compact,delete "
        ),
        &format!(
            "&& {create} contacts --partitions 6 {events} && {create} agents --partitions 6 {events}"
        ),
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
}

#[test]
fn without_a_broker_it_waits_and_ends_at_once_when_told() {
    let running = start(settings("127.0.0.1:1"));
    assert!(
        running
            .inbox
            .recv_timeout(Duration::from_millis(1500))
            .is_err()
    );
    let why = running.progress.unready();
    assert_eq!(why, Some("no broker of kafka.brokers answers"));
    running.stop.raise();
    running.thread.join().unwrap().unwrap();
}
