//! The whole engine against a bare consumer, on the same topics of one real Kafka, in one run.
//!
//!     tests/kafka/kafka.sh cargo bench --bench end_to_end -- [RECORDS] [RUNS]
//!
//! Produces the largest simulated centre's events (5,000,000 by default) once, then measures, RUNS times
//! (1 by default) in turn: a consumer that only counts bytes by each of three ways (`poll`, `stream`,
//! `batch`), and the engine from its start until it is ready and has read everything. The engine has its
//! default settings and a new group each time: snapshots, rows, ticks and HTTP are on.
//!
//! Processor time is of the process that consumes, all threads; Kafka's own is in neither, but on a
//! machine with few cores it takes wall time from both. Each ratio is the engine's median over the
//! median of the way that is best in it.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::disallowed_methods, reason = "a bench has a clock, and waits")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]
#![allow(unsafe_code, reason = "rdkafka does not wrap the batch interface")]

#[path = "../tests/kafka/engine.rs"]
mod engine;
#[path = "support/memory.rs"]
mod memory;
#[path = "../tests/kafka/topics.rs"]
mod topics;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, Scale, Simulation, Topic};
use rdkafka::bindings;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const PARTITIONS: i32 = 16;
/// What the largest centre does at its peak, to begin about as long ago as its events take.
const A_SECOND: i64 = 7_300;
/// Messages taken at once by `batch`.
const BATCH: usize = 1_000;

/// Seconds of wall clock and of processor time.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

fn main() {
    let Ok(brokers) = std::env::var("QUEUEPULSE_KAFKA") else {
        println!("run by tests/kafka/kafka.sh");
        return;
    };
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u64>().ok());
    let records = numbers.next().unwrap_or(5_000_000);
    let runs = numbers.next().unwrap_or(1);
    let counted = produce(&brokers, records);
    println!("{records} records, {PARTITIONS} partitions a topic");
    let mut costs: [Vec<Cost>; 4] = Default::default();
    for run in 0..runs {
        let ways: [(&str, &dyn Fn() -> Cost); 4] = [
            ("bare poll", &|| bare(records, || poll(&brokers, records))),
            ("bare stream", &|| {
                bare(records, || stream(&brokers, records))
            }),
            ("bare batch", &|| bare(records, || batch(&brokers, records))),
            ("engine", &|| whole(&brokers, counted, run)),
        ];
        for ((name, measure), costs) in ways.into_iter().zip(&mut costs) {
            let cost = measure();
            println!(
                "{name:<12} wall {:8.0} records/s, cpu {:6.3} us a record",
                records as f64 / cost.wall,
                cost.cpu * 1e6 / records as f64
            );
            costs.push(cost);
        }
    }
    let ratio = |of: fn(&Cost) -> f64| {
        let [bare @ .., engine] = costs.each_ref().map(|costs| median(costs, of));
        engine / bare.into_iter().fold(f64::INFINITY, f64::min)
    };
    println!(
        "cpu {:.2} x bare, wall {:.2} x bare",
        ratio(|cost| cost.cpu),
        ratio(|cost| cost.wall)
    );
}

fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    let mut sorted: Vec<f64> = costs.iter().map(of).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Fills the topics; how many of the records are of contacts and agents.
fn produce(brokers: &str, records: u64) -> u64 {
    topics::create(brokers, "bench", PARTITIONS);
    let took = Span::seconds(i64::try_from(records).unwrap() / A_SECOND);
    let simulation = Simulation::new(&Options {
        seed: 1,
        from: Millis(topics::now()) - took,
        time_of_day: Some(Span::hours(10)),
        scale: Scale::LARGEST,
        faults: Faults::default(),
    });
    let sender = topics::Sender::new(brokers, "bench", PARTITIONS);
    let mut counted = 0;
    for event in simulation.take(usize::try_from(records).unwrap()) {
        sender.send(&event);
        counted += u64::from(event.topic != Topic::Queues);
        if counted % 1024 == 0 {
            sender.serve();
        }
    }
    sender.flush();
    counted
}

/// Wall and processor time of work in this process.
fn bare(records: u64, work: impl FnOnce() -> (u64, u64)) -> Cost {
    let (begun, before) = (Instant::now(), engine::processor_time("self"));
    let (seen, bytes) = work();
    assert!(seen == records && bytes > 0, "{seen} of {records} records");
    Cost {
        wall: begun.elapsed().as_secs_f64(),
        cpu: engine::processor_time("self") - before,
    }
}

/// Reads all partitions from their beginning: a consumer as librdkafka has it by default.
fn consumer(brokers: &str) -> (ClientConfig, TopicPartitionList) {
    let mut config = topics::client(brokers);
    config
        .set("group.id", "bare")
        .set("enable.auto.commit", "false");
    let mut all = TopicPartitionList::new();
    for topic in Topic::ALL {
        for partition in 0..PARTITIONS {
            let name = topics::name("bench", topic);
            all.add_partition_offset(&name, partition, Offset::Beginning)
                .unwrap();
        }
    }
    (config, all)
}

fn base_consumer(brokers: &str) -> BaseConsumer {
    let (config, all) = consumer(brokers);
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.assign(&all).unwrap();
    consumer
}

fn poll(brokers: &str, records: u64) -> (u64, u64) {
    let consumer = base_consumer(brokers);
    let (mut seen, mut bytes) = (0, 0);
    while seen < records {
        if let Some(message) = consumer.poll(Duration::from_secs(10)) {
            seen += 1;
            bytes += message.unwrap().payload_len() as u64;
        }
    }
    (seen, bytes)
}

fn stream(brokers: &str, records: u64) -> (u64, u64) {
    let (config, all) = consumer(brokers);
    topics::wait(async {
        let consumer: StreamConsumer = config.create().unwrap();
        consumer.assign(&all).unwrap();
        let mut messages = consumer.stream();
        let (mut seen, mut bytes) = (0, 0);
        while seen < records {
            let message = messages.next().await.unwrap().unwrap();
            seen += 1;
            bytes += message.payload_len() as u64;
        }
        (seen, bytes)
    })
}

fn batch(brokers: &str, records: u64) -> (u64, u64) {
    let consumer = base_consumer(brokers);
    let (mut seen, mut bytes) = (0, 0);
    let mut messages = [std::ptr::null_mut(); BATCH];
    // SAFETY: the client lives until the end of this function, and its queue is given back before.
    let queue = unsafe { bindings::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
    while seen < records {
        // SAFETY: librdkafka writes at most BATCH pointers and says how many.
        let count = unsafe {
            bindings::rd_kafka_consume_batch_queue(queue, 1_000, messages.as_mut_ptr(), BATCH)
        };
        for &message in messages.iter().take(usize::try_from(count).unwrap()) {
            // SAFETY: each of these messages is ours until it is destroyed, once.
            let (error, length) = unsafe { ((*message).err, (*message).len) };
            assert_eq!(error as i32, 0);
            // SAFETY: as above.
            unsafe { bindings::rd_kafka_message_destroy(message) };
            seen += 1;
            bytes += length as u64;
        }
    }
    // SAFETY: taken above, and not used any more.
    unsafe { bindings::rd_kafka_queue_destroy(queue) };
    (seen, bytes)
}

/// The engine, until it is ready and has read all.
fn whole(brokers: &str, counted: u64, run: u64) -> Cost {
    let env = engine::reading(brokers, "bench", &format!("bench-{run}"));
    let begun = Instant::now();
    let engine = engine::Engine::start(&env);
    let process = engine.child.id().to_string();
    loop {
        std::thread::sleep(Duration::from_millis(50));
        if engine.get("/readyz").is_err() {
            continue;
        }
        let cost = Cost {
            wall: begun.elapsed().as_secs_f64(),
            cpu: engine::processor_time(&process),
        };
        if engine.records_read() as u64 >= counted {
            println!(
                "             peak memory {} MiB",
                memory::resident_peak(&process) / 1024
            );
            return cost;
        }
    }
}
