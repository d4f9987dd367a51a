//! Who is where: the list of agents against the figures of the same snapshot, through the routes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

#[path = "properties/logs.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod logs;

mod live;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use proptest::prelude::*;
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::StateSettings;
use queuepulse::event::{Family, Millis, Span};
use queuepulse::ingest::partitioner::partition_of;
use queuepulse::ingest::shard::Shard;
use queuepulse::kpi::QueueView;
use queuepulse::live::{
    Frames, Live, LiveParts, Publisher, QueueKey, Registry, Share, Standing, Whole,
};
use queuepulse::recovery::encoding;
use queuepulse::serve;
use queuepulse::simulate::{Faults, Options, SimEvent, Simulation, Topic};
use queuepulse::telemetry::{EngineMetrics, ExportOptions};
use queuepulse::windows::frame::{Frame, Part, WindowKind, WindowSpec};
use serde_json::Value;
use tower::ServiceExt;

const START: Millis = live::NOW;
const PARTITIONS: i32 = 4;
const WORKERS: usize = 2;

fn settings(list_agents: bool) -> Arc<StateSettings> {
    Arc::new(StateSettings {
        list_agents,
        ..StateSettings::default()
    })
}

/// Two workers over four partitions, and the routes.
struct Engine {
    settings: Arc<StateSettings>,
    registry: Arc<Registry>,
    shards: Vec<Shard>,
    publishers: Vec<Publisher>,
    router: Router,
    live: Arc<Live>,
    tick: u64,
    among: Arc<AtomicBool>,
    centre: Arc<queuepulse::live::Centre>,
}

fn windows() -> Vec<WindowSpec> {
    vec![WindowSpec {
        key: "5m".to_owned(),
        kind: WindowKind::Sliding(Span::minutes(5)),
    }]
}

impl Engine {
    fn new(list_agents: bool) -> Self {
        let settings = settings(list_agents);
        let file = |_: &str, _: &str, _: &str| QueueView::default();
        let registry = Arc::new(Registry::new(Arc::clone(&settings), Box::new(file)));
        let frames = Arc::new(Frames::new(WORKERS));
        let among = Arc::<AtomicBool>::default();
        let centre = Arc::<queuepulse::live::Centre>::default();
        let others = Arc::clone(&among);
        let live = Arc::new(Live::new(LiveParts {
            standing: Box::new(move || {
                if others.load(Relaxed) {
                    Standing::Among {
                        share: Share::Of(vec![true, false]),
                        unready: None,
                    }
                } else {
                    Standing::Alone
                }
            }),
            centre: Arc::clone(&centre),
            stale_after: Span::hours(24),
            ..live::alone(&registry, &frames, &windows())
        }));
        let metrics = Arc::new(EngineMetrics::new().unwrap());
        let mut engine = Self {
            shards: Vec::new(),
            publishers: (0..WORKERS)
                .map(|worker| frames.publisher(worker))
                .collect(),
            router: serve::router(Arc::clone(&live), metrics, ExportOptions::default()),
            live,
            settings,
            registry,
            tick: 0,
            among,
            centre,
        };
        engine.shards = (0..WORKERS).map(|_| engine.shard()).collect();
        for number in 0..PARTITIONS.unsigned_abs() {
            let settings = Arc::clone(&engine.settings);
            engine.shards[number as usize % WORKERS].take(number, settings);
        }
        engine
    }

    fn shard(&self) -> Shard {
        let numbering: Arc<Registry> = Arc::clone(&self.registry);
        Shard::new(numbering, &self.settings, &windows())
    }

    fn apply(&mut self, partition: i32, json: &[u8]) {
        let event = decode(json, &Limits::default()).unwrap();
        let number = partition.unsigned_abs();
        // Duplicates are refused, as they should be.
        let _ = self.shards[number as usize % WORKERS].apply(number, &event);
    }

    fn send(&mut self, event: &SimEvent<'_>) {
        if event.topic != Topic::Queues {
            self.apply(partition_of(event.key, PARTITIONS), event.json);
        }
    }

    /// Every partition goes on from its snapshot, with a worker of its own.
    fn restart(&mut self) {
        let mut shards: Vec<Shard> = (0..WORKERS).map(|_| self.shard()).collect();
        for (number, partition) in self.shards.iter().flat_map(Shard::partitions) {
            let mut bytes = Vec::new();
            encoding::encode(partition, &mut bytes);
            let partition = encoding::decode(&bytes, Arc::clone(&self.settings)).unwrap();
            shards[number as usize % WORKERS].restore(number, partition);
        }
        self.shards = shards;
    }

    fn frames(&mut self, now: Millis) -> Vec<Frame> {
        self.tick += 1;
        let to = Millis(now.0 - now.0.rem_euclid(1000));
        let frames = self.shards.iter_mut().map(|shard| {
            let mut frame = Frame::default();
            shard.view(now, to, &mut frame);
            frame.tick = self.tick;
            frame.parts = shard
                .partitions()
                .map(|(number, _)| Part {
                    family: Family::Agent,
                    partition: number.cast_signed(),
                    since: START,
                })
                .collect();
            frame
        });
        frames.collect()
    }

    fn publish(&mut self, now: Millis) {
        let frames = self.frames(now);
        for (publisher, frame) in self.publishers.iter_mut().zip(frames) {
            publisher.publish(frame);
        }
    }

    async fn get(&self, uri: &str) -> (StatusCode, Value) {
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn agents(&self, query: &str) -> Value {
        let (status, answer) = self.get(&format!("/api/v1/agents{query}")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }
}

/// What a row of a snapshot says of agents, counted from a list. `known`: there is a contact feed.
fn counted(agents: &[Value], known: bool) -> BTreeMap<String, Value> {
    let count =
        |is: &dyn Fn(&Value) -> bool| Value::from(agents.iter().filter(|one| is(one)).count());
    let doing = |wanted: &'static str| {
        if known {
            count(&|one| one["activity"] == wanted)
        } else {
            Value::Null
        }
    };
    let available = |one: &Value| one["activity"] == "idle" && one["presence"] == "available";
    let mut aux: BTreeMap<String, u32> = BTreeMap::new();
    for one in agents.iter().filter(|one| one["presence"] == "aux") {
        *aux.entry(one["reason"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    [
        ("agents_online", count(&|one| one["presence"] != "offline")),
        (
            "agents_available",
            if known {
                count(&available)
            } else {
                Value::Null
            },
        ),
        ("agents_alerting", doing("alerting")),
        ("agents_on_contact", doing("on_contact")),
        ("agents_acw", doing("acw")),
        ("agents_not_responding", doing("not_responding")),
        ("agents_aux", serde_json::to_value(aux).unwrap()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// Compares the list with every row of the snapshot; how many agents there were in all.
async fn agrees(engine: &Engine) -> usize {
    let (_, snapshot) = engine.get("/api/v1/snapshot").await;
    let rows = |kind: &str| snapshot[kind].as_array().unwrap().clone();
    let mut asked = vec![(String::new(), snapshot["total"].clone())];
    for row in rows("clients") {
        let client = row["client_id"].as_str().unwrap();
        asked.push((format!("?client={client}"), row.clone()));
    }
    for row in rows("channels") {
        let channel = row["channel"].as_str().unwrap();
        asked.push((format!("?channel={channel}"), row.clone()));
    }
    for row in rows("queues") {
        let [client, queue, channel] =
            ["client_id", "queue_id", "channel"].map(|key| row[key].as_str().unwrap().to_owned());
        let query = format!("?client={client}&queue={queue}&channel={channel}");
        asked.push((query, row));
    }
    let mut all = 0;
    for (query, row) in asked {
        let list = engine.agents(&query).await;
        assert_eq!(list["at"], snapshot["at"], "{query}");
        let agents = list["agents"].as_array().unwrap();
        let now = &row["now"];
        for (key, figure) in counted(agents, !now["agents_available"].is_null()) {
            assert_eq!(now[&key], figure, "{key} of {query} at {}", list["at"]);
        }
        if query.is_empty() {
            all = agents.len();
        }
    }
    all
}

#[tokio::test]
async fn whoever_counts_the_list_gets_the_agents_of_every_row_also_after_a_restart() {
    let mut engine = Engine::new(true);
    let mut options = Options::demo(3, START);
    options.faults = Faults {
        duplicates: 0.05,
        disorder: 0.2,
        within: Span::seconds(90),
    };
    let mut simulation = Simulation::new(&options);
    let mut most = 0;
    for step in 1..=40 {
        let until = START + Span(step * 37_250);
        loop {
            let event = simulation.next_event();
            let sent = event.sent;
            engine.send(&event);
            if sent > until {
                break;
            }
        }
        if step % 10 == 0 {
            engine.restart();
        }
        engine.publish(until);
        most = agrees(&engine).await.max(most);
    }
    // by time alone: timers and time-outs that no event has executed
    for hours in [1, 3, 5, 16, 17] {
        engine.publish(START + Span::hours(hours));
        agrees(&engine).await;
    }
    assert!(most > 100, "{most} agents");
    assert_eq!(engine.agents("").await["agents"], Value::Array(vec![]));
}

fn agent(time: i64, kind: &str, rest: &str) -> Vec<u8> {
    let time = START.0 + time * 1000;
    let id = format!("{time} {kind} {rest}").replace('"', "'");
    format!(
        r#"{{"id":"{id}","type":"agent.{kind}","time":{time},"client_id":"acme","agent_id":"ann"{rest}}}"#
    )
    .into_bytes()
}

/// What is told of the only agent.
async fn only(engine: &mut Engine, at: i64) -> Value {
    engine.publish(START + Span::seconds(at));
    let list = engine.agents("?client=acme").await;
    let agents = list["agents"].as_array().unwrap();
    assert_eq!(agents.len(), 1, "{list}");
    agents[0].clone()
}

fn stamp(seconds: i64) -> String {
    queuepulse::live::rfc3339(START + Span::seconds(seconds))
}

#[tokio::test]
async fn an_agents_entry_says_what_he_does_and_since_when_whatever_order_it_came_in() {
    let mut engine = Engine::new(true);
    let contact = |state: &str, id: &str, more: &str| {
        format!(r#","contact_id":"{id}","state":"{state}","queue_id":"sales"{more}"#)
    };
    engine.apply(
        0,
        &agent(0, "queues", r#","queues":[{"queue_id":"sales"}]"#),
    );
    engine.apply(0, &agent(10, "state", r#","state":"aux","reason":"break""#));
    let seen = only(&mut engine, 11).await;
    assert_eq!(seen["agent_id"], "ann");
    assert_eq!(
        (&seen["presence"], &seen["reason"]),
        (&"aux".into(), &"break".into())
    );
    assert_eq!(seen["activity"], Value::Null, "no contact feed tells");
    assert_eq!(seen["contacts"], Value::Null);
    assert_eq!(seen["since"], stamp(10));
    // said again: he stands so since it was first said
    engine.apply(0, &agent(60, "state", r#","state":"aux","reason":"break""#));
    assert_eq!(only(&mut engine, 61).await["since"], stamp(10));
    engine.apply(0, &agent(70, "state", r#","state":"available""#));
    engine.apply(0, &agent(80, "contact", &contact("connected", "c1", "")));
    engine.apply(0, &agent(90, "contact", &contact("held", "c1", "")));
    engine.apply(
        0,
        &agent(
            95,
            "contact",
            &contact("connected", "c2", r#","channel":"chat""#),
        ),
    );
    let seen = only(&mut engine, 96).await;
    assert_eq!(
        (&seen["activity"], &seen["reason"]),
        (&"on_contact".into(), &Value::Null)
    );
    assert_eq!(seen["since"], stamp(80), "a hold is no other activity");
    let at_him = serde_json::json!({"voice": {"held": 1}, "chat": {"connected": 1}});
    assert_eq!(seen["contacts"], at_him);
    // late: it rang before, so he was not idle until then
    engine.apply(0, &agent(75, "contact", &contact("connected", "c1", "")));
    assert_eq!(only(&mut engine, 97).await["since"], stamp(75));
    engine.apply(0, &agent(100, "contact", &contact("released", "c2", "")));
    engine.apply(
        0,
        &agent(110, "contact", &contact("acw", "c1", r#","for_ms":30000"#)),
    );
    let seen = only(&mut engine, 139).await;
    assert_eq!(
        (&seen["activity"], &seen["since"]),
        (&"acw".into(), &stamp(110).into())
    );
    let seen = only(&mut engine, 141).await;
    assert_eq!(
        (&seen["activity"], &seen["since"]),
        (&"idle".into(), &stamp(140).into())
    );
    assert_eq!(seen["contacts"], serde_json::json!({}));
    engine.restart();
    assert_eq!(only(&mut engine, 142).await, seen);
}

#[tokio::test]
async fn it_is_off_by_default_and_then_no_id_is_kept() {
    assert!(!StateSettings::default().list_agents);
    let mut engine = Engine::new(false);
    engine.apply(0, &agent(0, "state", r#","state":"available""#));
    engine.publish(START);
    let (status, answer) = engine.get("/api/v1/agents").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        answer["error"].as_str().unwrap().contains("agents.list"),
        "{answer}"
    );
    assert!(
        engine
            .frames(START)
            .iter()
            .all(|frame| frame.agents.is_empty())
    );
    let mut bytes = Vec::new();
    encoding::encode(engine.shards[0].partition(0).unwrap(), &mut bytes);
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    assert!(!holds(b"\x03ann"));
    assert!(holds(b"acme"), "names of clients are");
}

#[tokio::test]
async fn a_snapshot_without_ids_is_good_and_names_come_with_the_next_events() {
    let mut off = Engine::new(false);
    off.apply(0, &agent(-9, "state", r#","state":"available""#));
    off.apply(0, &agent(0, "state", r#","state":"available""#));
    let mut bytes = Vec::new();
    encoding::encode(off.shards[0].partition(0).unwrap(), &mut bytes);
    let mut on = Engine::new(true);
    on.shards[0].lose(0);
    let partition = encoding::decode(&bytes, Arc::clone(&on.settings)).unwrap();
    on.shards[0].restore(0, partition);
    let seen = only(&mut on, 1).await;
    assert_eq!(
        (&seen["agent_id"], &seen["since"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(seen["presence"], "available");
    on.apply(0, &agent(5, "state", r#","state":"aux","reason":"break""#));
    let seen = only(&mut on, 6).await;
    assert_eq!(
        (&seen["agent_id"], &seen["since"]),
        (&"ann".into(), &stamp(5).into())
    );
}

#[tokio::test]
async fn what_is_asked_must_be_there() {
    let mut engine = Engine::new(true);
    engine
        .registry
        .add_queue(&QueueKey::new("acme", "sales", "voice"));
    assert_eq!(
        engine.get("/api/v1/agents").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    engine.publish(START);
    for (query, status) in [
        ("?client=acme&queue=sales&channel=voice", StatusCode::OK),
        ("?client=acme&queue=sales", StatusCode::OK),
        ("?queue=sales", StatusCode::OK),
        ("?client=nobody", StatusCode::NOT_FOUND),
        ("?client=acme&queue=nobody", StatusCode::NOT_FOUND),
        ("?client=acme&client=acme", StatusCode::BAD_REQUEST),
        ("?agent=ann", StatusCode::BAD_REQUEST),
    ] {
        let uri = format!("/api/v1/agents{query}");
        assert_eq!(engine.get(&uri).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn with_several_instances_each_lists_the_agents_of_its_partitions_and_says_so() {
    let mut engine = Engine::new(true);
    engine.apply(1, &agent(0, "state", r#","state":"available""#));
    engine.publish(START);
    let list = engine.agents("").await;
    assert_eq!(
        (&list["complete"], &list["partitions"]),
        (&true.into(), &serde_json::json!([0, 1, 2, 3]))
    );
    let whole = Whole {
        to: START,
        frames: engine.frames(START).into_iter().map(Arc::new).collect(),
        own: vec![true, false],
        ..Whole::default()
    };
    engine.centre.show(whole);
    engine.among.store(true, Relaxed);
    for (number, shard) in [(0, 0), (2, 0), (3, 1)] {
        engine.shards[shard].lose(number);
    }
    engine.publish(START + Span::seconds(1));
    let list = engine.agents("").await;
    assert_eq!(
        (&list["complete"], &list["partitions"]),
        (&false.into(), &serde_json::json!([1]))
    );
    assert_eq!(list["agents"][0]["agent_id"], "ann");
    assert!(engine.live.look().is_ok());
}

/// Agents of a partition by id, with everything that is told of them.
fn told(events: &[Value]) -> BTreeMap<String, String> {
    let mut partition = Partition::new(settings(true));
    let mut now = Millis::MIN;
    for event in events {
        let text = event.to_string();
        if let Ok(event) = decode(text.as_bytes(), &Limits::default()) {
            now = now.max(event.time());
            let _ = partition.apply(&event);
        }
    }
    let mut told = BTreeMap::new();
    partition.each_agent(now + Span::seconds(7), &mut |id, seen, names| {
        let reason = seen
            .reason
            .map(|reason| names.reasons.text(reason.0).to_owned());
        let mut contacts: Vec<String> = seen
            .contacts()
            .map(|(row, state)| {
                format!(
                    "{} {state:?}",
                    names.channels.text(names.row_info(row).channel.0)
                )
            })
            .collect();
        contacts.sort();
        let all = format!(
            "{:?} {reason:?} {:?} {:?} {contacts:?}",
            seen.presence, seen.activity, seen.since
        );
        told.insert(id.unwrap().to_string(), all);
    });
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_list_does_not_depend_on_the_order_of_arrival(log in logs::agents(&logs::SHORT)) {
        let in_order: Vec<Value> = log.iter().map(|sent| sent.event.clone()).collect();
        prop_assert_eq!(told(&logs::arrivals(&log)), told(&in_order));
    }
}

/// What a tick costs with the list and without: `cargo test --release --test agents -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn what_the_list_costs() {
    for count in [1_000, 100_000] {
        for list_agents in [false, true] {
            let mut engine = Engine::new(list_agents);
            for number in 0..count {
                let contact = r#","contact_id":"c","state":"connected","queue_id":"q1""#;
                let queues = format!(
                    r#","queues":[{{"queue_id":"q1"}},{{"queue_id":"q{}"}},{{"queue_id":"r{}"}}]"#,
                    number % 100,
                    number % 7
                );
                for (second, kind, rest) in [
                    (0, "state", r#","state":"available""#),
                    (1, "queues", &queues),
                    (2, "contact", contact),
                ] {
                    let event = String::from_utf8(agent(second, kind, rest)).unwrap();
                    let event = event.replace("ann", &format!("agent-{number}"));
                    engine.apply(number % PARTITIONS, event.as_bytes());
                }
            }
            let now = START + Span::seconds(10);
            engine.publish(now);
            let mut frames = vec![Frame::default(); WORKERS];
            let begun = std::time::Instant::now();
            for tick in 0..20 {
                for (shard, frame) in engine.shards.iter_mut().zip(&mut frames) {
                    shard.view_now(now + Span(250 * tick), frame);
                }
            }
            let each = begun.elapsed() / 20;
            println!("{count} agents, listed {list_agents}: {each:?} a tick");
        }
    }
}
