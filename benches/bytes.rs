//! How many bytes of heap things take: a fact, an idle and a busy queue, a contact in flight, a
//! settled contact, an agent. Each is made many times, and the growth divided.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/memory.rs"]
mod memory;
mod support;

use memory::{Counting, live};
use queuepulse::event::{Millis, Span};
use support::engine::Engine;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many of each thing.
const MANY: i64 = 20_000;

/// An engine with one partition of each topic, and how it grew.
struct Subject {
    engine: Engine,
    before: i64,
}

impl Subject {
    fn new() -> Self {
        Self {
            engine: Engine::new(1),
            before: 0,
        }
    }

    fn contact(&mut self, text: &str) {
        self.engine.apply(0, text.as_bytes());
        self.engine.absorb(0);
    }

    fn agent(&mut self, text: &str) {
        self.engine.apply(1, text.as_bytes());
        self.engine.absorb(1);
    }

    /// Shows the figures of an instant, as a worker does, in every one of its three frames.
    fn show(&mut self, now: Millis) {
        for _ in 0..3 {
            let frame = self.engine.view(now);
            self.engine.publish(frame);
        }
    }

    /// Contacts that come and go within three minutes, and the time until they are settled and
    /// their facts have left the log.
    fn round(&mut self, number: i64, second: i64) {
        for contact in number * 2 * MANY..(number * 2 + 1) * MANY {
            self.contact(&event("queued", contact, at(second), 10, ""));
            self.contact(&event(
                "dequeued",
                contact,
                at(second),
                10,
                r#","outcome":"abandoned""#,
            ));
        }
        for minute in 1..75 {
            let later = at(second + minute * 60);
            self.contact(&event("queued", number * 10 * MANY + minute, later, 10, ""));
            self.show(later);
        }
    }

    fn start(&mut self) {
        self.before = live();
    }

    fn tell(&self, what: &str, count: i64) {
        println!(
            "{what:<44}{:9.1} bytes",
            (live() - self.before) as f64 / count as f64
        );
    }
}

fn at(second: i64) -> Millis {
    support::FROM + Span::seconds(second)
}

/// An event of a contact in one of `queues` queues.
fn event(kind: &str, contact: i64, time: Millis, queues: i64, more: &str) -> String {
    let queue = contact % queues;
    let time = time.0;
    format!(
        r#"{{"id":"{kind}{contact}","type":"contact.{kind}","time":{time},"client_id":"acme","queue_id":"q{queue}","contact_id":"c{contact}"{more}}}"#
    )
}

fn main() {
    contacts();
    queues();
    agents();
}

/// In flight: queued, answered. Settled: also ended, closed, and past `settle_after`.
fn contacts() {
    let mut subject = Subject::new();
    for contact in 0..100 {
        subject.contact(&event("queued", contact, at(0), 10, ""));
    }
    subject.show(at(1));
    subject.start();
    for contact in 1000..1000 + MANY {
        subject.contact(&event("queued", contact, at(10), 10, ""));
        subject.contact(&event(
            "answered",
            contact,
            at(12),
            10,
            r#","agent_id":"a1""#,
        ));
    }
    subject.show(at(13));
    subject.tell("contact in flight, answered, with its log", MANY);
    let log = |subject: &Subject| subject.engine.partitions[0].ledger().log().bytes();
    let before = log(&subject);
    for contact in 1000..1000 + MANY {
        subject.contact(&event("ended", contact, at(200), 10, r#","agent_id":"a1""#));
        subject.contact(&event("closed", contact, at(200), 10, ""));
    }
    let grown = log(&subject) as f64 - before as f64;
    println!(
        "{:<44}{:9.1} bytes",
        "log of an end with its talk time",
        grown / MANY as f64
    );
    // A second round reuses what the first one left, so that only the prints are added.
    subject.round(1, 200);
    subject.start();
    let prints = subject.engine.partitions[0].prints_held();
    subject.round(2, 90 * 60);
    let settled = subject.engine.partitions[0].prints_held() - prints;
    subject.tell(
        "settled contact",
        i64::try_from(settled).unwrap_or(1).max(1),
    );
}

/// Idle: seen once, long ago. Busy: a contact in each of sixty minutes.
fn queues() {
    let mut subject = Subject::new();
    subject.contact(&event("queued", 0, at(0), MANY, ""));
    subject.show(at(1));
    subject.start();
    for contact in 0..MANY {
        subject.contact(&event("queued", contact, at(2), MANY, ""));
        subject.contact(&event(
            "dequeued",
            contact,
            at(20),
            MANY,
            r#","outcome":"abandoned""#,
        ));
    }
    subject.contact(&event("queued", 10 * MANY, at(2 * 3600), MANY, ""));
    subject.show(at(2 * 3600));
    subject.tell("idle queue: base, tables, three frames", MANY);
    let busy = MANY / 20;
    subject.start();
    let log = subject.engine.partitions[0].ledger().log().bytes();
    for contact in 0..busy * 60 {
        let time = at(2 * 3600 + contact * 60 / busy);
        let number = MANY + contact;
        let answer = time + Span(700 * (contact % 90));
        subject.contact(&event("queued", number, time, busy, ""));
        subject.contact(&event(
            "answered",
            number,
            answer,
            busy,
            r#","agent_id":"a1""#,
        ));
        subject.contact(&event("ended", number, answer + Span(9000), busy, ""));
        subject.contact(&event("closed", number, answer + Span(9000), busy, ""));
        if contact % (busy * 10) == 0 {
            subject.show(time);
        }
    }
    subject.show(at(3 * 3600));
    let log = subject.engine.partitions[0].ledger().log().bytes() - log;
    subject.tell("busy queue: what an hour of contacts adds", busy);
    println!(
        "{:<44}{:9.1} bytes",
        "  of it log",
        log as f64 / busy as f64
    );
}

/// Logged in, four queues, two chats.
fn agents() {
    let mut subject = Subject::new();
    subject.agent(r#"{"id":"x","type":"agent.logged_in","time":1767603600000,"agent_id":"x"}"#);
    subject.start();
    for agent in 0..MANY {
        let time = at(1).0;
        let mut tell = |kind: &str, more: &str| {
            subject.agent(&format!(
                r#"{{"id":"{kind}{agent}","type":"agent.{kind}","time":{time},"client_id":"acme","agent_id":"a{agent}"{more}}}"#
            ));
        };
        let queues: Vec<String> = (0..4)
            .map(|place| {
                format!(
                    r#"{{"queue_id":"q{}","channel":"chat"}}"#,
                    (agent + place) % 100
                )
            })
            .collect();
        tell("logged_in", "");
        tell("queues", &format!(r#","queues":[{}]"#, queues.join(",")));
        tell("capacity", r#","slots":{"chat":3}"#);
        tell("state", r#","state":"available""#);
        tell(
            "contact",
            r#","contact_id":"c1","channel":"chat","queue_id":"q1","state":"connected""#,
        );
    }
    subject.tell("agent with four queues and a chat", MANY);
}
