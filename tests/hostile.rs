//! Whatever stands in a record, nothing panics and no record stalls a partition: extremes of every
//! field, in any order, from bytes to JSON and exposition.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::too_many_lines,
    reason = "test code: a failure here is a failed test"
)]

use std::sync::Arc;

use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::{AfterContact, Pattern, StateSettings};
use queuepulse::event::{Event, Millis, Span};
use queuepulse::kpi::QueueView;
use queuepulse::live::{Coverage, MergeOptions, Registry, Share, Snapshot, merge};
use queuepulse::telemetry::{ExportOptions, Exposition};
use queuepulse::windows::frame::{Frame, WindowKind, WindowSpec};
use queuepulse::windows::tables::Tables;
use queuepulse::windows::view::{Instant, PartitionView};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const START: i64 = 1_767_603_600_000;

/// One partition, its worker's tables, and everything that a reader can ask of them.
struct Engine {
    partition: Partition,
    tables: Tables,
    registry: Arc<Registry>,
    specs: Arc<[WindowSpec]>,
    exposition: Exposition,
    tick: u64,
}

impl Engine {
    fn new() -> Self {
        let settings = Arc::new(StateSettings {
            after_contact: vec![(Pattern::default(), AfterContact::Events)],
            ..StateSettings::default()
        });
        let view = |_: &str, _: &str, _: &str| QueueView::default();
        let registry = Arc::new(Registry::new(Arc::clone(&settings), Box::new(view)));
        let spec = |key: &str, kind| WindowSpec {
            key: key.into(),
            kind,
        };
        let specs: Arc<[WindowSpec]> = [
            spec("5m", WindowKind::Sliding(Span::minutes(5))),
            spec("interval", WindowKind::Interval(Span::minutes(30))),
            spec("today", WindowKind::Today),
            spec("all", WindowKind::All),
        ]
        .into();
        Self {
            tables: Tables::new(registry.clone(), &settings, &specs),
            partition: Partition::new(settings),
            registry,
            exposition: Exposition::new(ExportOptions {
                windows: vec!["5m".into(), "today".into()],
                families: vec!["*".into()],
                all_rungs: true,
            }),
            specs,
            tick: 0,
        }
    }

    /// Decodes and applies a record; whether it was an event that counts.
    fn apply(&mut self, record: &str) -> bool {
        let Ok(event) = decode(record.as_bytes(), &Limits::default()) else {
            return false;
        };
        if let Event::Queue(event) = &event {
            self.registry.apply(event, &mut |_| {});
            return true;
        }
        let applied = self.partition.apply(&event).is_ok();
        let outbox = self.partition.ledger().outbox();
        self.tables.absorb(0, self.partition.names(), outbox);
        self.partition.clear_outbox();
        applied
    }

    /// JSON and exposition of an instant.
    fn look(&mut self, at: Millis) -> (String, String) {
        let mut instant = Instant::default();
        instant.read(&mut self.partition, at);
        let mut frame = Frame::default();
        self.tick += 1;
        frame.tick = self.tick;
        let held = [PartitionView::of(0, &self.partition, &instant)];
        self.tables.view(at, at, &held, &mut frame);
        let options = MergeOptions {
            specs: &self.specs,
            coverage: &Coverage::Recorded { earliest: None },
            threshold: None,
        };
        let merged = merge(vec![Arc::new(frame)], &self.registry, &options);
        let snapshot = Snapshot {
            merged: &merged,
            data_age_seconds: None,
            source_silence_seconds: None,
        };
        let json = serde_json::to_string(&snapshot).expect("serializes");
        let text = self
            .exposition
            .write(&merged, &self.registry, &Share::All)
            .to_owned();
        (json, text)
    }
}

/// Draws records out of extremes.
struct Hostile(ChaCha8Rng);

impl Hostile {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(u32::try_from(choices.len()).expect("few")) as usize]
    }

    fn duration(&mut self) -> &'static str {
        self.of(&[
            "0",
            "1",
            "-1",
            "1000",
            "60000",
            "1e15",
            "9007199254740992",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775806",
            "18446744073709551615",
            "1e400",
            "null",
        ])
    }

    fn instant(&mut self, near: i64) -> String {
        match self.below(12) {
            0 => "631152000000".into(),
            1 => "4102444800000".into(),
            2 => "\"2100-01-01T00:00:00Z\"".into(),
            3 => "-9223372036854775808".into(),
            4 => (near - 86_400_000).to_string(),
            _ => (near - i64::from(self.below(400_000))).to_string(),
        }
    }

    fn text(&mut self) -> &'static str {
        self.of(&[
            "a",
            "b",
            "c",
            "",
            "\\u0000",
            "\\u202Ex\\u2066",
            "a\\\"b\\\\c\\nd",
            "{client=\\\"x\\\"}",
            "__other__",
            "ÿ\\ud83d\\ude00",
        ])
    }

    fn record(&mut self, number: u32, near: i64) -> String {
        let time = match self.below(60) {
            0 => self.instant(near),
            _ => (near - i64::from(self.below(90_000))).to_string(),
        };
        let kinds = "contact.created contact.queued contact.alerting contact.alert_failed \
            contact.answered contact.dequeued contact.held contact.resumed contact.transferred \
            contact.ended contact.wrapped_up contact.responded contact.resolved contact.rated \
            contact.complained contact.closed agent.logged_in agent.logged_out agent.state \
            agent.queues agent.capacity agent.contact agent.snapshot queue.configured \
            queue.removed source.gap queue.forecast";
        let kinds: Vec<&str> = kinds.split_whitespace().collect();
        let kind = self.of(&kinds);
        let mut record = format!(
            r#"{{"id":"e{}","type":"{kind}","time":{time}"#,
            self.below(number * 2 + 1)
        );
        let mut field =
            |name: &str, value: String| record.push_str(&format!(r#","{name}":{value}"#));
        field("contact_id", format!("\"c{}\"", self.below(12)));
        field("agent_id", format!("\"a{}\"", self.below(4)));
        if self.below(3) > 0 {
            field("queue_id", format!("\"{}\"", self.text()));
        }
        if self.below(4) == 0 {
            field("client_id", format!("\"{}\"", self.text()));
        }
        if self.below(4) == 0 {
            let channel = self.of(&["voice", "chat", "email", "callback", "\\u0007"]);
            field("channel", format!("\"{channel}\""));
        }
        if self.below(3) == 0 {
            field(
                "visit",
                self.of(&["1", "2", "3", "4294967295", "4294967294", "0"])
                    .into(),
            );
        }
        if self.below(3) == 0 {
            field("queued_at", self.instant(near));
        }
        for name in [
            "talk_ms",
            "hold_ms",
            "acw_ms",
            "for_ms",
            "short_abandon_ms",
            "interval_ms",
            "aht_ms",
        ] {
            if self.below(3) == 0 {
                field(name, self.duration().into());
            }
        }
        let outcome = self.of(&["abandoned", "callback", "overflow", "error", "withdrawn"]);
        field("outcome", format!("\"{outcome}\""));
        field("kind", format!("\"{}\"", self.of(&["blind", "attended"])));
        field(
            "by",
            format!("\"{}\"", self.of(&["customer", "transfer", "agent"])),
        );
        let state = match kind {
            "agent.contact" => {
                self.of(&["alerting", "connected", "held", "acw", "released", "missed"])
            }
            _ => self.of(&["available", "aux", "offline"]),
        };
        field("state", format!("\"{state}\""));
        field("reason", format!("\"{}\"", self.text()));
        if self.below(2) == 0 {
            field(
                "presence",
                format!("\"{}\"", self.of(&["available", "aux", "offline"])),
            );
        }
        let max = self.of(&["0", "1", "4294967295", "4294967296", "-1"]);
        field(
            "slots",
            format!(r#"{{"voice":{max},"chat":4294967295,"email":4294967295}}"#),
        );
        field("shared", self.of(&["true", "false"]).into());
        let queue = self.text();
        field(
            "queues",
            format!(
                r#"[{{"queue_id":"q{queue}"}},{{"queue_id":"a","channel":"chat"}},{{"queue_id":"a","channel":"chat"}}]"#
            ),
        );
        let since = self.instant(near);
        let at = self.of(&["alerting", "connected", "held", "acw", "error"]);
        field(
            "contacts",
            format!(
                r#"[{{"contact_id":"c1","state":"{at}","since":{since}}},{{"contact_id":"c1","state":"held"}},{{"contact_id":"c2","state":"acw","queue_id":"a"}}]"#
            ),
        );
        field(
            "targets",
            format!(
                r#"{{"service_level":{},"threshold_ms":{}}}"#,
                self.of(&["0", "1", "0.8", "1e-300"]),
                self.duration()
            ),
        );
        field("group", format!("\"{}\"", self.text()));
        field("source", "\"s\"".into());
        field("from", self.instant(near));
        field("to", self.instant(near));
        record.push('}');
        record
    }
}

#[test]
fn extremes_of_every_field_in_any_order() {
    for seed in 0..6 {
        let mut hostile = Hostile(ChaCha8Rng::seed_from_u64(seed));
        let mut engine = Engine::new();
        let mut accepted = 0;
        for number in 0..3_000 {
            let near = START + i64::from(number) * 1_500;
            let record = hostile.record(number, near);
            accepted += u32::from(engine.apply(&record));
            if number % 250 == 0 {
                let (json, text) = engine.look(Millis(near).max(engine.partition.stream()));
                assert!(!json.is_empty() && !text.is_empty());
            }
        }
        assert!(accepted > 300, "only {accepted} counted");
    }
}

#[test]
fn a_contact_without_end_does_not_hold_up_its_partition() {
    let mut engine = Engine::new();
    let mut refused = 0;
    for number in 0..1_500_i64 {
        let (time, queue) = (START + number * 500, number % 7);
        let what = match number % 3 {
            0 => format!(r#""type":"contact.queued","queue_id":"q{queue}""#),
            1 => r#""type":"contact.answered","agent_id":"a""#.into(),
            _ => r#""type":"contact.ended","agent_id":"a","by":"transfer""#.into(),
        };
        // Every other pair of facts comes out of order.
        let time = time - 1_200 * (number % 2);
        let record = format!(r#"{{"id":"{number}","contact_id":"c","time":{time},{what}}}"#);
        refused += i32::from(!engine.apply(&record));
    }
    assert!(refused >= 1_000, "{refused} refused");
    let (_, text) = engine.look(Millis(START + 3_000_000));
    assert!(text.contains("queuepulse_offered_total{"));
}

#[test]
fn slots_for_everything_at_thousands_of_agents_stay_exact() {
    let mut engine = Engine::new();
    for agent in 0..300 {
        for (number, what) in [
            r#""type":"agent.state","state":"available""#,
            r#""type":"agent.queues","queues":[{"queue_id":"q"}]"#,
            r#""type":"agent.capacity","slots":{"voice":4294967295}"#,
            r#""type":"agent.contact","contact_id":"none","state":"released""#,
        ]
        .iter()
        .enumerate()
        {
            let record = format!(
                r#"{{"id":"{agent}-{number}","agent_id":"a{agent}","time":{START},{what}}}"#
            );
            assert!(engine.apply(&record), "{record}");
        }
    }
    let (json, _) = engine.look(Millis(START + 60_000));
    let snapshot: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let usable = &snapshot["total"]["windows"]["5m"]["slots_usable_seconds"];
    assert_eq!(usable.as_f64(), Some(300.0 * 65_535.0 * 60.0));
}

#[test]
fn names_of_any_text_leave_json_and_exposition_whole() {
    let mut engine = Engine::new();
    let long = "x".repeat(15_000);
    for (number, name) in [
        "\\u0000",
        "\\u202E\\u2066",
        "\\\"}\\n# HELP",
        "a,b=\\\\",
        &long,
    ]
    .iter()
    .enumerate()
    {
        let record = format!(
            r#"{{"id":"{number}","contact_id":"c{number}","time":{START},"type":"contact.queued","queue_id":"{name}","client_id":"{name}","channel":"{name}"}}"#
        );
        assert!(engine.apply(&record));
    }
    let (json, text) = engine.look(Millis(START + 1_000));
    let snapshot: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(snapshot["queues"].as_array().map(Vec::len), Some(5));
    for line in text.lines() {
        let known = line.starts_with("queuepulse_")
            || line.starts_with("# HELP queuepulse_")
            || line.starts_with("# TYPE queuepulse_");
        assert!(known, "{line}");
    }
}
