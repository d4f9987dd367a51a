//! Frames of several workers become one snapshot.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::fixture::{self, FrameBuilder, HELP, NOW, SALES, SUPPORT};
use super::*;
use crate::event::{Millis, QueueConfigured, QueueEvent, QueueKind, Span};
use crate::kpi::{QueueView, Variant};
use crate::windows::frame::Frame;
use crate::windows::numbering::{AgentRow, Numbering, QueueNo};

fn snapshot(merged: &Merged) -> Value {
    serde_json::to_value(Snapshot {
        merged,
        data_age_seconds: None,
        source_silence_seconds: None,
    })
    .unwrap()
}

fn queue<'a>(snapshot: &'a Value, id: &str) -> &'a Value {
    snapshot["queues"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["queue_id"] == id)
        .unwrap()
}

fn configured(queue: &str, time: i64, settings: QueueConfigured<'static>) -> QueueEvent<'static> {
    QueueEvent {
        id: Cow::Borrowed("q"),
        time: Millis(time),
        client_id: Cow::Borrowed("acme"),
        queue_id: Some(Cow::Owned(queue.to_owned())),
        channel: None,
        kind: QueueKind::Configured(settings),
    }
}

#[test]
fn rows_are_the_sums_of_the_workers_and_sorted_by_name() {
    let registry = fixture::registry();
    let all = snapshot(&fixture::merged(&registry));
    let ids: Vec<&str> = all["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["queue_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["sales", "support", "help"]);
    let window = &queue(&all, "sales")["windows"]["30m"];
    assert_eq!(window["offered"], 7);
    assert_eq!(window["answered"], 4);
    assert_eq!(window["answered_within_threshold"], 3);
    assert_eq!(window["flowed_out"]["overflow"], 2);
    assert_eq!(window["service_level_met"], 3);
    assert_eq!(window["service_level_missed"], 2);
    assert_eq!(window["service_level_ratio"], 0.6);
    assert_eq!(
        window["answer_speed_average_seconds"],
        (3.0 * 12.0 + 35.0) / 4.0
    );
    assert_eq!(window["wait_seconds_max"], 35.0);
    assert_eq!(window["wait_seconds_p50"], 12.0);
}

#[test]
fn instants_are_written_with_milliseconds_and_windows_tell_their_edges() {
    let registry = fixture::registry();
    let all = snapshot(&fixture::merged(&registry));
    assert_eq!(all["at"], "2026-01-05T09:00:00.000Z");
    assert_eq!(all["data_age_seconds"], Value::Null);
    let window = &all["total"]["windows"]["5m"];
    assert_eq!(window["from"], "2026-01-05T08:55:00.000Z");
    assert_eq!(window["to"], "2026-01-05T09:00:00.000Z");
    assert_eq!(window["complete"], true);
}

#[test]
fn the_longest_wait_is_the_largest_over_workers_and_queues() {
    let registry = fixture::registry();
    let all = snapshot(&fixture::merged(&registry));
    let sales = &queue(&all, "sales")["now"];
    assert_eq!(sales["waiting"], 2);
    assert_eq!(sales["waiting_past_threshold"], 2);
    assert_eq!(sales["longest_wait_seconds"], 70.0);
    assert_eq!(
        queue(&all, "help")["now"]["longest_wait_seconds"],
        Value::Null
    );
    assert_eq!(all["total"]["now"]["waiting"], 3);
    assert_eq!(all["total"]["now"]["longest_wait_seconds"], 70.0);
}

#[test]
fn changes_are_the_now_figures_of_rows_that_changed_at_any_tick_or_where_somebody_waits() {
    let registry = fixture::registry();
    let at = |tick: u64, more: Option<FrameBuilder<'_>>| {
        let mut frames = fixture::frames(&registry, tick);
        frames.extend(more.map(FrameBuilder::done));
        fixture::merged_of(frames, &registry)
    };
    let mut rows = ChangedRows::default();
    let mut told = |merged: &Merged| {
        let epoch = rows.note(merged);
        let snapshot = Snapshot {
            merged,
            data_age_seconds: Some(0.5),
            source_silence_seconds: None,
        };
        let changes = Changes {
            snapshot,
            rows: &rows,
        };
        (epoch, serde_json::to_value(changes).unwrap())
    };
    let ids = |told: &Value, list: &str, key: &str| -> Vec<String> {
        let rows = told[list].as_array().unwrap().iter();
        rows.map(|row| row[key].as_str().unwrap().to_owned())
            .collect()
    };
    let (first, same) = told(&at(7, None));
    assert_eq!(same["data_age_seconds"], 0.5);
    assert_eq!(ids(&same, "queues", "queue_id"), ["sales", "support"]);
    assert_eq!(ids(&same, "clients", "client_id"), ["acme"]);
    let one = FrameBuilder::new(&registry, 8).waiting(HELP, Span::seconds(1));
    let waits = at(8, Some(one));
    let (_, changed) = told(&waits);
    let whole = snapshot(&waits);
    let queues = ids(&changed, "queues", "queue_id");
    assert_eq!(queues, ["sales", "support", "help"]);
    let help = queue(&changed, "help");
    let keys: Vec<&String> = help.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["channel", "client_id", "now", "queue_id"]);
    assert_eq!(help["now"], queue(&whole, "help")["now"]);
    assert_eq!(changed["total"], json!({ "now": whole["total"]["now"] }));
    // as it was at first: whoever was told otherwise must hear it
    let (last, again) = told(&at(9, None));
    assert_eq!(queue(&again, "help")["now"]["waiting"], 0);
    assert_eq!(ids(&again, "clients", "client_id"), ["acme", "globex"]);
    assert_eq!(last, first, "the windows stand still");
    let mut later = at(10, None);
    later.to = later.to + Span::seconds(1);
    let (moved, anew) = told(&later);
    assert_ne!(moved, first);
    assert_eq!(ids(&anew, "queues", "queue_id"), ["sales", "support"]);
}

#[test]
fn subtotals_add_each_queue_in_its_own_variant() {
    let registry = fixture::registry();
    let all = snapshot(&fixture::merged(&registry));
    // sales 3 of 5 by sl9, help 1 of 1 by sl4, support (sl10) says nothing in windows
    let total = &all["total"]["windows"]["today"];
    assert_eq!(total["service_level_met"], 4);
    assert_eq!(total["service_level_missed"], 2);
    assert_eq!(all["groups"][0]["group"], "retail");
    assert_eq!(all["groups"][0]["windows"]["30m"]["offered"], 7);
    let names: Vec<&Value> = all["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["channel"])
        .collect();
    assert_eq!(names, ["chat", "voice"]);
    assert_eq!(all["clients"][1]["client_id"], "globex");
}

#[test]
fn a_queue_that_shows_the_level_of_now_has_none_in_windows() {
    let registry = fixture::registry();
    let all = snapshot(&fixture::merged(&registry));
    let support = queue(&all, "support");
    assert_eq!(support["now"]["service_level_ratio"], 1.0);
    for key in [
        "service_level_ratio",
        "service_level_met",
        "service_level_missed",
    ] {
        assert_eq!(support["windows"]["30m"][key], Value::Null, "{key}");
    }
}

#[test]
fn without_a_contact_feed_only_online_and_aux_are_shown() {
    let registry = fixture::registry();
    let all = snapshot(&fixture::merged(&registry));
    let help = queue(&all, "help");
    assert_eq!(help["now"]["agents_online"], 1);
    assert_eq!(help["now"]["agents_available"], Value::Null);
    assert_eq!(help["now"]["agent_contacts"], Value::Null);
    assert_eq!(help["windows"]["30m"]["agents_online_seconds"], 60.0);
    assert_eq!(help["windows"]["30m"]["occupancy_ratio"], Value::Null);
    assert_eq!(help["windows"]["30m"]["agents_seconds"], Value::Null);
    // three of Acme, whose contacts are known, and one of Globex who is online and no more
    let total = &all["total"];
    assert_eq!(total["now"]["agents_online"], 4);
    assert_eq!(total["now"]["agents_available"], 1);
    assert_eq!(total["now"]["agents_on_contact"], 1);
    assert_eq!(total["now"]["agents_aux"], json!({"lunch": 1}));
    assert_eq!(total["windows"]["30m"]["occupancy_ratio"], 0.5);
    assert_eq!(
        total["windows"]["30m"]["agents_seconds"],
        json!({"aux/idle": 60.0, "available/idle": 60.0, "available/on_contact": 60.0})
    );
}

#[test]
fn an_engine_without_agents_shows_none_rather_than_zero() {
    let registry = fixture::registry();
    let frame = FrameBuilder::new(&registry, 1).done();
    let merged = fixture::merged_of(vec![frame], &registry);
    let all = snapshot(&merged);
    assert_eq!(all["total"]["now"]["agents_online"], 0);
    assert_eq!(all["total"]["now"]["agents_on_contact"], Value::Null);
    assert_eq!(
        all["total"]["windows"]["5m"]["service_level_ratio"],
        Value::Null
    );
    assert_eq!(
        all["total"]["windows"]["5m"]["wait_seconds_max"],
        Value::Null
    );
}

#[test]
fn no_queue_at_all_still_makes_a_total() {
    let registry = Registry::new(Arc::default(), Box::new(|_, _, _| QueueView::default()));
    let merged = merge(
        vec![Arc::new(Frame {
            to: NOW,
            now: NOW,
            ..Frame::default()
        })],
        &registry,
        &MergeOptions {
            specs: &fixture::specs(),
            coverage: &Coverage::Recorded { earliest: None },
            threshold: None,
        },
    );
    let all = snapshot(&merged);
    assert_eq!(all["queues"], json!([]));
    let window = &all["total"]["windows"]["today"];
    assert_eq!(window["from"], "2026-01-05T00:00:00.000Z");
    assert_eq!(window["complete"], false);
    assert_eq!(window["service_level_met"], 0);
}

#[test]
fn another_threshold_applies_to_every_queue() {
    let registry = fixture::registry();
    let merged = merge(
        fixture::frames(&registry, 1),
        &registry,
        &MergeOptions {
            specs: &fixture::specs(),
            coverage: &fixture::coverage(),
            threshold: Some(Span::seconds(60)),
        },
    );
    let all = snapshot(&merged);
    let sales = queue(&all, "sales");
    assert_eq!(sales["windows"]["30m"]["answered_within_threshold"], 4);
    assert_eq!(sales["now"]["waiting_past_threshold"], 1);
}

#[test]
fn frames_of_one_tick_belong_together() {
    let frame = |tick| Frame {
        tick,
        ..Frame::default()
    };
    let frames = Frames::new(2);
    let (mut first, mut second) = (frames.publisher(0), frames.publisher(1));
    first.publish(frame(1));
    assert!(frames.latest().is_none(), "the other has published nothing");
    second.publish(frame(1));
    first.publish(frame(2));
    let ticks = |frames: &Frames| -> Option<Vec<u64>> {
        Some(frames.latest()?.iter().map(|frame| frame.tick).collect())
    };
    assert_eq!(ticks(&frames), Some(vec![1, 1]));
    assert_eq!(frames.tick(), Some(1));
    first.publish(frame(3));
    assert_eq!(ticks(&frames), None, "tick 1 is gone, tick 3 not there yet");
    second.publish(frame(3));
    assert_eq!(ticks(&frames), Some(vec![3, 3]));
}

#[test]
fn a_frame_that_nobody_holds_is_written_again() {
    let frames = Frames::new(1);
    let mut publisher = frames.publisher(0);
    for tick in 1..=4 {
        let mut frame = publisher.spare();
        frame.tick = tick;
        frame.gauges.reserve(100);
        publisher.publish(frame);
    }
    let held = frames.latest().unwrap();
    assert!(publisher.spare().gauges.capacity() >= 100);
    assert_eq!(held[0].tick, 4);
}

#[test]
fn the_latest_record_of_a_queue_wins_and_replaces_the_one_before_it_whole() {
    let registry = fixture::registry();
    let sales = || registry.entry_of(QueueNo(SALES)).unwrap().view();
    let mut refused = Vec::new();
    let threshold = QueueConfigured {
        threshold: Some(Span::seconds(30)),
        ..QueueConfigured::default()
    };
    registry.apply(&configured("sales", 10, threshold), &mut |bad| {
        refused.push(bad);
    });
    assert_eq!(sales().threshold, Span::seconds(30));
    let variant = QueueConfigured {
        variant: Some("sl1".into()),
        ..QueueConfigured::default()
    };
    registry.apply(&configured("sales", 20, variant), &mut |bad| {
        refused.push(bad);
    });
    assert_eq!(sales().variant, Variant::Sl1);
    assert_eq!(sales().threshold, Span::seconds(20), "the file's again");
    let older = QueueConfigured {
        variant: Some("sl3".into()),
        ..QueueConfigured::default()
    };
    registry.apply(&configured("sales", 15, older), &mut |bad| {
        refused.push(bad);
    });
    assert_eq!(sales().variant, Variant::Sl1);
    assert!(refused.is_empty());
}

#[test]
fn a_threshold_that_is_no_rung_is_refused_and_the_rest_applies() {
    let registry = fixture::registry();
    let mut refused = Vec::new();
    let settings = QueueConfigured {
        threshold: Some(Span::seconds(21)),
        target: Some(0.9),
        ..QueueConfigured::default()
    };
    registry.apply(&configured("sales", 10, settings), &mut |bad| {
        refused.push(bad);
    });
    let view = registry.entry_of(QueueNo(SALES)).unwrap().view();
    assert_eq!(refused, [BadSetting::Threshold]);
    assert_eq!((view.threshold, view.target), (Span::seconds(20), 0.9));
}

#[test]
fn a_change_of_group_is_told_by_the_epoch() {
    let registry = fixture::registry();
    let before = registry.group_epoch();
    let group = QueueConfigured {
        group: Some("wholesale".into()),
        ..QueueConfigured::default()
    };
    registry.apply(&configured("sales", 10, group), &mut |_| {});
    assert_eq!(registry.group_epoch(), before + 1);
    assert_eq!(registry.group(QueueNo(SALES)).as_deref(), Some("wholesale"));
    assert_eq!(registry.group(QueueNo(SUPPORT)).as_deref(), Some("retail"));
    assert_eq!(registry.group(QueueNo(HELP)), None);
}

#[test]
fn a_changed_group_is_as_complete_as_one_that_was_there_from_the_start() {
    let group = || QueueConfigured {
        group: Some("wholesale".into()),
        ..QueueConfigured::default()
    };
    let changed = fixture::registry();
    changed.apply(&configured("sales", NOW.0, group()), &mut |_| {});
    for row in snapshot(&fixture::merged(&changed))["groups"]
        .as_array()
        .unwrap()
    {
        for window in ["30m", "today"] {
            assert_eq!(row["windows"][window]["complete"], true, "{row}");
        }
    }
}

#[test]
fn a_configured_queue_has_its_row_from_the_start_and_a_removed_one_goes_when_it_is_empty() {
    let registry = fixture::registry();
    registry.apply(
        &configured("new", 10, QueueConfigured::default()),
        &mut |_| {},
    );
    let all = snapshot(&fixture::merged(&registry));
    assert_eq!(queue(&all, "new")["windows"]["30m"]["offered"], 0);
    for id in ["new", "sales"] {
        let removed = QueueEvent {
            kind: QueueKind::Removed,
            ..configured(id, 20, QueueConfigured::default())
        };
        registry.apply(&removed, &mut |_| {});
    }
    let all = snapshot(&fixture::merged(&registry));
    let ids: Vec<&Value> = all["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["queue_id"])
        .collect();
    assert_eq!(ids, ["sales", "support", "help"]);
}

#[test]
fn settings_without_a_channel_make_a_voice_row_only_where_there_is_no_other() {
    let channels = |registry: &Registry| -> Vec<String> {
        let all = snapshot(&fixture::merged(registry));
        let rows = all["queues"].as_array().unwrap().iter();
        rows.filter(|row| row["queue_id"] == "late")
            .map(|row| row["channel"].as_str().unwrap().to_owned())
            .collect()
    };
    let settings = || configured("late", 10, QueueConfigured::default());
    let chat = QueueKey::new("acme", "late", "chat");
    let (first, last) = (fixture::registry(), fixture::registry());
    first.apply(&settings(), &mut |_| {});
    assert_eq!(channels(&first), ["voice"]);
    first.add_queue(&chat);
    last.add_queue(&chat);
    last.apply(&settings(), &mut |_| {});
    assert_eq!(channels(&first), ["chat"]);
    assert_eq!(channels(&last), ["chat"]);
}

#[test]
fn a_gap_of_the_source_makes_windows_over_it_incomplete() {
    let registry = fixture::registry();
    let gap = QueueEvent {
        kind: QueueKind::SourceGap {
            source: Cow::Borrowed("pbx"),
            from: NOW - Span::minutes(20),
            to: NOW - Span::minutes(10),
        },
        ..configured("x", 1, QueueConfigured::default())
    };
    registry.apply(&gap, &mut |_| {});
    let all = snapshot(&fixture::merged(&registry));
    assert_eq!(queue(&all, "sales")["windows"]["5m"]["complete"], true);
    assert_eq!(queue(&all, "sales")["windows"]["30m"]["complete"], false);
    assert_eq!(queue(&all, "help")["windows"]["30m"]["complete"], true);
    assert_eq!(all["total"]["windows"]["30m"]["complete"], false);
}

#[test]
fn a_live_window_is_complete_once_reading_began_early_enough() {
    let reading = |contacts_since| {
        Coverage::Live(Reading {
            contacts_since,
            agents_since: Millis::MIN,
            ghost_after: [("voice".to_owned(), Span::hours(4))].into(),
            ghost_after_other: Span::hours(720),
            agent_ttl: Span::hours(16),
        })
    };
    let since = NOW - Span::hours(5);
    assert!(reading(since).complete("voice", NOW - Span::hours(1)));
    assert!(!reading(since).complete("voice", NOW - Span::minutes(61)));
    assert!(!reading(since).complete("email", NOW));
    assert!(reading(Millis::MIN).complete("email", NOW));
}

#[test]
fn numbers_are_dense_whoever_asks() {
    let registry = Arc::new(fixture::registry());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let registry = Arc::clone(&registry);
            std::thread::spawn(move || {
                for n in 0..50 {
                    registry.queue("acme", &n.to_string(), "voice");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(registry.queues(), 53);
    assert_eq!(registry.entries().count(), 53);
    let row = AgentRow::Queue(QueueNo(0));
    assert_eq!(registry.agent_row(&row), registry.agent_row(&row));
}

#[test]
fn the_table_names_rows_and_edges() {
    let registry = fixture::registry();
    let text = table(&fixture::merged(&registry), &jiff::tz::TimeZone::UTC);
    assert!(text.starts_with("at 2026-01-05T09:00:00.000Z\n"), "{text}");
    assert!(text.contains("acme/sales/voice"), "{text}");
    assert!(
        text.contains("30m: after 2026-01-05T08:30:00.000Z up to"),
        "{text}"
    );
    assert!(text.contains("60.00"), "{text}");
}
