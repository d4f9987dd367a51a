//! The load: a simulated centre at the wall clock's pace, and what producers do wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, OwnedEvent, Scale, Simulation, Topic};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::json;

use crate::topics::{Sender, client, name, now};

/// Events a second that one agent and his contacts make, about.
const BY_AGENT: f64 = 0.07;

/// A centre that makes about `rate` events a second.
pub fn centre(seed: u64, rate: u32, from: i64) -> Simulation {
    let agents = f64::from(rate) / BY_AGENT;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of agents"
    )]
    let agents = agents as u32;
    Simulation::new(&Options {
        seed,
        from: Millis(from),
        time_of_day: Some(Span::hours(10)),
        scale: Scale {
            queues: 120,
            agents,
            shifts: false,
            ..Scale::DEMO
        },
        faults: Faults {
            duplicates: 0.01,
            disorder: 0.02,
            within: Span::seconds(30),
        },
    })
}

/// The same event of another, parallel centre with the same queues.
pub fn parallel(event: &OwnedEvent, number: usize) -> OwnedEvent {
    let text = String::from_utf8(event.json.clone()).unwrap();
    let renamed = ["\"id\":\"", "\"contact_id\":\"", "\"agent_id\":\""]
        .iter()
        .fold(text, |text, field| {
            text.replace(field, &format!("{field}{number}/"))
        });
    let key = [format!("{number}/").as_bytes(), &event.key].concat();
    OwnedEvent {
        json: renamed.into_bytes(),
        key,
        ..event.clone()
    }
}

pub struct Load {
    stop: Arc<AtomicBool>,
    spike_until: Arc<AtomicI64>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    odd: Sender,
    odds: u64,
    brokers: String,
    topics: String,
}

impl Load {
    /// Begins to produce; what the centre did before now comes first, flat out.
    pub fn begin(brokers: &str, topics: &str, partitions: i32, mut centre: Simulation) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spike_until = Arc::new(AtomicI64::new(0));
        let sent = Arc::new(AtomicU64::new(0));
        let (ends, spike, count) = (
            Arc::clone(&stop),
            Arc::clone(&spike_until),
            Arc::clone(&sent),
        );
        let sender = Sender::new(brokers, topics, partitions);
        let thread = spawn(move || {
            while !ends.load(Relaxed) {
                let event = OwnedEvent::from(centre.next_event());
                let wait = event.sent.0 - now();
                if wait > 0 {
                    sender.serve();
                    sleep(Duration::from_millis(wait.unsigned_abs()));
                }
                sender.send(&event);
                let copies = if now() < spike.load(Relaxed) && event.topic != Topic::Queues {
                    9
                } else {
                    0
                };
                for number in 1..=copies {
                    sender.send(&parallel(&event, number));
                }
                count.fetch_add(1 + u64::try_from(copies).unwrap(), Relaxed);
            }
            sender.flush();
        });
        Self {
            stop,
            spike_until,
            sent,
            thread: Some(thread),
            odd: Sender::new(brokers, topics, partitions),
            odds: 0,
            brokers: brokers.to_owned(),
            topics: topics.to_owned(),
        }
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Ten times the load, for so long: nine parallel centres with the same queues.
    pub fn spike(&self, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap();
        self.spike_until.store(now() + time, Relaxed);
    }

    /// A contact's life, told as if its source's clock were `skew` off.
    pub fn skewed(&mut self, skew: i64) {
        let at = now();
        for event in self.life("skewed", at + skew) {
            self.odd.send(&OwnedEvent {
                sent: Millis(at),
                ..event
            });
        }
        self.odd.serve();
    }

    /// What no engine can count: garbage, half an event, an unknown type, nothing at all.
    pub fn garbage(&mut self) {
        let at = now();
        for json in [&b"\xff\xfe"[..], b"{\"id\":\"x\"", b"[1,2,3]", b""] {
            self.odds += 1;
            self.odd.send(&OwnedEvent {
                topic: Topic::Contacts,
                key: self.odds.to_be_bytes().to_vec(),
                time: Millis(at),
                sent: Millis(at),
                json: json.to_vec(),
            });
        }
        self.odd.serve();
    }

    fn life(&mut self, why: &str, at: i64) -> Vec<OwnedEvent> {
        self.odds += 1;
        let contact = format!("{why}-{}", self.odds);
        let steps = [("queued", 0), ("answered", 1000), ("ended", 4000)];
        let event = |(kind, after): (&str, i64)| {
            let json = json!({
                "id": format!("{contact}-{kind}"), "type": format!("contact.{kind}"),
                "time": at + after, "client_id": "acme", "queue_id": "sales",
                "contact_id": contact, "agent_id": "odd",
            });
            OwnedEvent {
                topic: Topic::Contacts,
                key: contact.clone().into_bytes(),
                time: Millis(at + after),
                sent: Millis(at),
                json: json.to_string().into_bytes(),
            }
        };
        steps.into_iter().map(event).collect()
    }

    /// Two transactions: one is aborted, one is committed.
    pub fn transactions(&mut self) -> Result<(), rdkafka::error::KafkaError> {
        let mut config = client(&self.brokers);
        config.set("transactional.id", format!("{}-{}", self.topics, now()));
        config.set("transaction.timeout.ms", "10000");
        let producer: BaseProducer = config.create()?;
        let limit = Duration::from_secs(8);
        producer.init_transactions(limit)?;
        for commit in [false, true] {
            let why = if commit { "committed" } else { "aborted" };
            producer.begin_transaction()?;
            for event in (0..20)
                .flat_map(|_| self.life(why, now()))
                .collect::<Vec<_>>()
            {
                let topic = name(&self.topics, event.topic);
                let record = BaseRecord::to(&topic)
                    .key(&event.key)
                    .payload(&event.json)
                    .timestamp(now());
                producer.send(record).map_err(|(error, _)| error)?;
            }
            producer.flush(limit)?;
            if commit {
                producer.commit_transaction(limit)?;
            } else {
                producer.abort_transaction(limit)?;
            }
        }
        Ok(())
    }

    /// Stops producing, all of it delivered.
    pub fn stop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        self.odd.flush();
    }
}
