//! The state of a partition as bytes: whoever takes it up goes on as if nothing had happened; a view
//! changes nothing of it; bytes that are not a state do no harm. `QUEUEPULSE_CASES` sets how many
//! logs each property tries.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

mod engine;
#[path = "properties/logs.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod logs;
mod oracle;

use std::sync::Arc;

use engine::bytes_of;
use logs::{LONG, SHORT, Sent, arrivals};
use oracle::compare::differences;
use oracle::{Settings, Window};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::facts::Post;
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::StateSettings;
use queuepulse::event::{Discard, Millis};
use queuepulse::recovery::encoding::{self, DecodeError, FORMAT};
use rapidhash::v3::rapidhash_v3;
use serde_json::Value;

fn config() -> Config {
    let cases = std::env::var("QUEUEPULSE_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(64),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    }
}

fn both(contacts: Vec<Sent>, agents: Vec<Sent>) -> Vec<Value> {
    let mut log: Vec<Sent> = contacts.into_iter().chain(agents).collect();
    log.sort_by_key(|sent| sent.time);
    arrivals(&log)
}

fn log() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        (logs::contacts(&LONG), logs::agents(&LONG)).prop_map(|(a, b)| both(a, b)),
        (logs::contacts(&SHORT), logs::agents(&SHORT)).prop_map(|(a, b)| both(a, b)),
    ]
}

#[test]
fn a_full_partition_refuses_what_is_new_and_does_so_again_after_a_restore() {
    let settings = Arc::new(StateSettings {
        max_queues: 3,
        ..StateSettings::default()
    });
    let mut partition = Partition::new(Arc::clone(&settings));
    let mut number = 0;
    let mut apply = |partition: &mut Partition, kind: &str, rest: &str| {
        number += 1;
        let time = 1_767_603_600_000_i64 + number;
        let text = format!(r#"{{"id":"{number}","time":{time},"type":"{kind}",{rest}}}"#);
        partition.apply(&decode(text.as_bytes(), &Limits::default()).unwrap())
    };
    for queue in ["a", "b", "c"] {
        let queued = format!(r#""contact_id":"{queue}","queue_id":"{queue}""#);
        assert_eq!(apply(&mut partition, "contact.queued", &queued), Ok(()));
    }
    let full = Err(Discard::TooManyQueues);
    let cases = [
        ("contact.queued", r#""contact_id":"d","queue_id":"d""#, full),
        (
            "contact.queued",
            r#""contact_id":"e","queue_id":"a""#,
            Ok(()),
        ),
        (
            "contact.queued",
            r#""contact_id":"f","queue_id":"a","channel":"chat""#,
            full,
        ),
        (
            "contact.queued",
            r#""contact_id":"g","queue_id":"a","client_id":"new""#,
            full,
        ),
        (
            "contact.answered",
            r#""contact_id":"a","agent_id":"x""#,
            Ok(()),
        ),
        (
            "agent.queues",
            r#""agent_id":"x","queues":[{"queue_id":"a"},{"queue_id":"d"}]"#,
            full,
        ),
        (
            "agent.queues",
            r#""agent_id":"x","queues":[{"queue_id":"a"},{"queue_id":"b"}]"#,
            Ok(()),
        ),
        (
            "agent.state",
            r#""agent_id":"x","state":"aux","reason":"not_ready""#,
            Ok(()),
        ),
        (
            "agent.state",
            r#""agent_id":"x","state":"aux","reason":"tea""#,
            full,
        ),
        (
            "agent.capacity",
            r#""agent_id":"x","slots":{"fax":2}"#,
            full,
        ),
    ];
    let mut bytes = Vec::new();
    encoding::encode(&partition, &mut bytes);
    let mut restored = encoding::decode(&bytes, settings).unwrap();
    for (kind, rest, expected) in cases {
        for partition in [&mut partition, &mut restored] {
            let before = partition.stream();
            let result = apply(partition, kind, rest);
            assert_eq!(result, expected, "{kind} {rest}");
            assert_eq!(partition.stream() == before, result.is_err());
        }
    }
}

fn settings() -> Arc<StateSettings> {
    Arc::new(engine::state_settings(&Settings::default(), &windows()))
}

fn windows() -> Vec<Window> {
    ["20s", "300s", "30m", "15m-interval", "today"]
        .iter()
        .filter(|key| !key.ends_with("interval"))
        .map(|key| Window::parse(key))
        .collect()
}

/// Applies an event; what it posts.
fn apply(partition: &mut Partition, event: &Value) -> Vec<Post> {
    let bytes = event.to_string();
    if let Ok(event) = decode(bytes.as_bytes(), &Limits::default()) {
        let _ = partition.apply(&event);
    }
    let posts = partition.ledger().outbox().to_vec();
    partition.clear_outbox();
    posts
}

fn of(log: &[Value]) -> Partition {
    let mut partition = Partition::new(settings());
    for event in log {
        apply(&mut partition, event);
    }
    partition
}

fn taken_up(bytes: &[u8]) -> Partition {
    encoding::decode(bytes, settings()).expect("its own bytes")
}

fn as_it_was(written: &[u8], expected: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(written == expected, "the bytes differ");
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    /// Written down and taken up again anywhere, as often as one likes: the same posts, the same
    /// discards, the same bytes at the end.
    #[test]
    fn who_takes_it_up_goes_on_as_if_nothing_had_happened(
        log in log(),
        breaks in proptest::collection::vec(any::<proptest::sample::Index>(), 1..5),
    ) {
        let mut whole = Partition::new(settings());
        let mut broken = Partition::new(settings());
        let breaks: Vec<usize> = breaks.iter().map(|at| at.index(log.len())).collect();
        for (number, event) in log.iter().enumerate() {
            if breaks.contains(&number) {
                let bytes = bytes_of(&broken);
                broken = taken_up(&bytes);
                as_it_was(&bytes_of(&broken), &bytes)?;
            }
            prop_assert_eq!(apply(&mut whole, event), apply(&mut broken, event));
        }
        as_it_was(&bytes_of(&broken), &bytes_of(&whole))?;
        prop_assert_eq!(broken.irregular(), whole.irregular());
        prop_assert_eq!(broken.earliest(), whole.earliest());
    }

    /// Whatever instants are looked at in between, even ones long past or to come, the state is that
    /// of a partition that nobody looked at.
    #[test]
    fn a_view_changes_nothing(
        log in log(),
        looks in proptest::collection::vec((any::<proptest::sample::Index>(), 0..6_usize), 1..8),
    ) {
        let mut viewed = Partition::new(settings());
        let mut due = Vec::new();
        for (number, event) in log.iter().enumerate() {
            apply(&mut viewed, event);
            for (at, ahead) in &looks {
                if at.index(log.len()) == number {
                    let ahead = [-60_000, 0, 1000, 25_000, 14_400_000, 90_000_000][*ahead];
                    viewed.due(Millis(viewed.stream().0 + ahead), &mut due);
                }
            }
        }
        as_it_was(&bytes_of(&viewed), &bytes_of(&of(&log)))?;
    }

    /// Every figure of every window after a restart is that of the run without one.
    #[test]
    fn a_restart_shows_what_no_restart_shows(
        log in log(),
        spread in 0..100_usize,
        at in any::<proptest::sample::Index>(),
        after in 0..4_usize,
    ) {
        let mut whole = engine::Engine::new(&Settings::default(), &windows(), 3);
        let mut broken = engine::Engine::new(&Settings::default(), &windows(), 3);
        for (number, event) in log.iter().enumerate() {
            let partition = logs::partition(event, 3, spread);
            if at.index(log.len()) == number {
                broken.restart();
            }
            whole.apply(partition, event);
            broken.apply(partition, event);
        }
        let last = log.iter().filter_map(|event| event["time"].as_i64()).max();
        let now = last.unwrap_or(0) + [0, 1, 20_000, 3_600_000][after];
        let faults = differences(&whole.snapshot(now), &broken.snapshot(now), 1e-9);
        prop_assert!(faults.is_empty(), "{}", faults.join("\n"));
        prop_assert_eq!(whole.states(), broken.states());
    }

    /// Bytes that were changed are refused or make a partition that can go on.
    #[test]
    fn bytes_that_were_changed_do_no_harm(
        log in log(),
        cut in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec(
            (any::<proptest::sample::Index>(), any::<u8>(), 0..4_u8),
            1..6,
        ),
    ) {
        let (before, after) = log.split_at(cut.index(log.len()));
        let mut bytes = bytes_of(&of(before));
        for (at, byte, what) in changes {
            let at = at.index(bytes.len().max(1));
            match what {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), byte),
                _ => {
                    if let Some(old) = bytes.get_mut(at) {
                        *old = if what == 2 { byte } else { old.wrapping_add(1) };
                    }
                }
            }
        }
        goes_on(&bytes, after);
    }

    /// So are bytes of no state at all.
    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        goes_on(&bytes, &[]);
    }
}

/// Takes bytes up, if they are a state, and lives on with it for a while.
fn goes_on(bytes: &[u8], events: &[Value]) {
    let Ok(mut partition) = encoding::decode(bytes, settings()) else {
        return;
    };
    for event in events {
        apply(&mut partition, event);
    }
    let mut due = Vec::new();
    partition.due(Millis(partition.stream().0 + 100_000_000), &mut due);
    let again = bytes_of(&partition);
    encoding::decode(&again, settings()).expect("what was taken up can be written");
}

#[test]
fn what_follows_a_state_is_refused() {
    let mut bytes = bytes_of(&Partition::new(settings()));
    bytes.push(0);
    let error = encoding::decode(&bytes, settings()).expect_err("one byte too many");
    assert_eq!(error, DecodeError::TooLong(1));
    let error = encoding::decode(&[], settings()).expect_err("nothing");
    assert_eq!(error, DecodeError::Malformed);
}

/// A layout that changes without a new format would be read wrongly by the build before.
#[test]
fn the_bytes_of_a_known_log_belong_to_the_format() {
    let log: Vec<Value> = include_str!("state/known.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut partition = Partition::new(Arc::new(StateSettings::default()));
    for event in &log {
        apply(&mut partition, event);
    }
    let bytes = bytes_of(&partition);
    assert_eq!(
        (FORMAT, bytes.len(), rapidhash_v3(&bytes)),
        (5, 5_253, 8_794_165_310_421_054_138),
        "raise FORMAT and put the new length and hash here"
    );
}
