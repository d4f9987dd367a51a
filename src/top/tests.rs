use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};

use super::figures::{Level, Queue, clock, percent, trend, whole};
use super::*;
use crate::event::{Millis, Span, shown};

/// 2026-01-05T09:00:00Z.
const NOW: Millis = Millis(1_767_603_600_000);

/// A queue that is well.
fn queue(name: &str) -> Value {
    json!({
        "client_id": "acme", "queue_id": name, "channel": "voice",
        "settings": {"display_name": null, "group": null, "service_level_target_ratio": 0.8, "threshold_seconds": 20},
        "now": {
            "waiting": 0, "waiting_past_threshold": 0, "longest_wait_seconds": null, "expected_wait_seconds": 3,
            "service_level_ratio": null, "agents_online": 5, "agents_available": 3, "agents_on_contact": 2,
            "agents_acw": 1, "agents_aux": {},
        },
        "windows": {"30m": {
            "complete": true, "offered": 20, "answered": 18, "abandoned": 2, "service_level_met": 18,
            "service_level_missed": 2, "service_level_ratio": 0.9, "answered_wait_seconds": 180,
            "answer_speed_average_seconds": 10, "abandonment_ratio": 0.1, "occupancy_ratio": 0.7,
        }},
    })
}

/// Lays one value over another.
fn lay(over: &Value, into: &mut Value) {
    match (over, into) {
        (Value::Object(over), Value::Object(into)) => {
            for (key, value) in over {
                lay(value, into.entry(key.clone()).or_insert(Value::Null));
            }
        }
        (over, into) => *into = over.clone(),
    }
}

fn with(name: &str, differs: &Value) -> Value {
    let mut made = queue(name);
    lay(differs, &mut made);
    made
}

fn level(met: i64, missed: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let ratio = met as f64 / (met + missed) as f64;
    json!({"windows": {"30m": {"service_level_met": met, "service_level_missed": missed, "service_level_ratio": ratio}}})
}

fn snapshot(queues: &[Value], age: f64) -> Got {
    let sum = json!({"now": queues[0]["now"], "windows": queues[0]["windows"]});
    let mut client = sum.clone();
    client["client_id"] = json!("acme");
    client["now"]["waiting"] = json!(77);
    let answer = json!({
        "at": "2026-01-05T09:00:00.250Z", "data_age_seconds": age, "queues": queues,
        "clients": [client], "groups": [], "channels": [], "total": sum,
    });
    Got::Figures(Box::new(serde_json::from_value(answer).unwrap()))
}

fn options() -> Options {
    Options {
        url: "http://127.0.0.1:8090".to_owned(),
        wanted: Wanted::default(),
        look: Look::Colours,
    }
}

fn top(queues: &[Value]) -> Top {
    let mut top = Top::new(options(), NOW);
    top.take(snapshot(queues, 0.3), NOW);
    top
}

fn drawn(top: &Top, (width, height): (u16, u16), now: Millis) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let board = top.board(now);
    terminal
        .draw(|frame| frame.render_widget(&board, frame.area()))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// What a buffer says, line by line.
fn lines(buffer: &Buffer) -> Vec<String> {
    let line = |y| {
        let symbols = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        symbols.collect::<String>().trim_end().to_owned()
    };
    (0..buffer.area.height).map(line).collect()
}

fn press(top: &mut Top, code: KeyCode) -> Next {
    top.key(KeyEvent::new(code, KeyModifiers::NONE), NOW)
}

fn kind(value: &Value) -> Level {
    serde_json::from_value::<Queue>(value.clone())
        .unwrap()
        .level()
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn levels_are_the_pages() {
    let now = |now: Value| json!({"now": now});
    for (what, queue, expected) in [
        ("well", queue("a"), Level::Good),
        (
            "nothing at all",
            with(
                "a",
                &json!({"windows": {"30m": {"service_level_met": 0, "service_level_missed": 0, "service_level_ratio": null}}}),
            ),
            Level::Idle,
        ),
        ("below the target", with("a", &level(79, 21)), Level::Watch),
        ("at the target", with("a", &level(80, 20)), Level::Good),
        (
            "past twice the budget",
            with("a", &level(59, 41)),
            Level::Warning,
        ),
        (
            "past three times the budget",
            with("a", &level(39, 61)),
            Level::Critical,
        ),
        (
            "bad, but of four contacts",
            with("a", &level(0, 4)),
            Level::Few,
        ),
        (
            "well, but of four contacts",
            with("a", &level(4, 0)),
            Level::Few,
        ),
        ("of five contacts", with("a", &level(5, 0)), Level::Good),
        (
            "one past its threshold",
            with(
                "a",
                &now(
                    json!({"waiting": 1, "waiting_past_threshold": 1, "longest_wait_seconds": 25}),
                ),
            ),
            Level::Watch,
        ),
        (
            "one for more than a minute",
            with("a", &now(json!({"waiting": 1, "longest_wait_seconds": 61}))),
            Level::Warning,
        ),
        (
            "one for more than two minutes",
            with(
                "a",
                &now(json!({"waiting": 1, "longest_wait_seconds": 121})),
            ),
            Level::Critical,
        ),
        (
            "nobody at work",
            with(
                "a",
                &now(
                    json!({"waiting": 1, "agents_online": 2, "agents_aux": {"break": 1, "lunch": 1}}),
                ),
            ),
            Level::Critical,
        ),
        (
            "events of contacts alone",
            with(
                "a",
                &now(json!({"waiting": 1, "agents_online": 0, "agents_available": null})),
            ),
            Level::Good,
        ),
        (
            "agents are not known",
            with(
                "a",
                &now(json!({"waiting": 1, "agents_online": null, "agents_aux": null})),
            ),
            Level::Good,
        ),
    ] {
        assert_eq!(kind(&queue), expected, "{what}");
    }
}

#[test]
fn the_order_is_the_pages_and_other_orders_can_be_chosen() {
    let waits = |n: i64| json!({"now": {"waiting": n, "waiting_past_threshold": n, "longest_wait_seconds": 30 - n}});
    let queues = [
        queue("b"),
        queue("a"),
        with("low", &level(70, 30)),
        with("lower", &level(61, 39)),
        with("two", &waits(2)),
        with("five", &waits(5)),
        with("worst", &level(1, 9)),
    ];
    let mut top = top(&queues);
    let names = |top: &Top| {
        top.rows()
            .map(|(queue, _)| queue.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&top),
        ["worst", "five", "two", "lower", "low", "a", "b"]
    );
    for expected in [
        ["a", "b", "five", "low", "lower", "two", "worst"],
        ["five", "two", "worst", "lower", "low", "a", "b"],
        ["two", "five", "worst", "lower", "low", "a", "b"],
        ["worst", "five", "two", "lower", "low", "a", "b"],
    ] {
        press(&mut top, KeyCode::Char('s'));
        assert_eq!(names(&top), expected, "{:?}", top.sort);
    }
}

#[test]
fn positions_stay_for_ten_seconds() {
    let mut top = top(&[queue("a"), queue("b")]);
    let worse = [queue("a"), with("b", &level(1, 9))];
    let first = |top: &Top| top.rows().next().unwrap().0.name().to_owned();
    top.take(snapshot(&worse, 0.3), NOW + Span::seconds(9));
    assert_eq!(first(&top), "a");
    top.take(snapshot(&worse, 0.3), NOW + Span::seconds(10));
    assert_eq!(first(&top), "b");
    // a queue that comes is seen at once
    let more = [queue("a"), queue("b"), with("c", &level(0, 9))];
    top.take(snapshot(&more, 0.3), NOW + Span::seconds(11));
    assert_eq!(first(&top), "c");
}

#[test]
fn figures_are_written_as_on_the_page() {
    let written = [None, Some(0.0), Some(59.6), Some(750.0), Some(3723.0)].map(clock);
    assert_eq!(written, ["–", "0:00", "1:00", "12:30", "1:02:03"]);
    assert_eq!([None, Some(0.805)].map(percent), ["–", "81 %"]);
    assert_eq!([None, Some(0)].map(whole), ["–", "0"]);
    let trends = [(0.9, 0.8), (0.8, 0.9), (0.8, 0.82)];
    let trends = trends.map(|(now, before)| trend(Some(now), Some(before)));
    assert_eq!(trends, ["↗", "↘", "→"]);
    assert_eq!(trend(None, Some(0.8)), "");
}

#[test]
fn names_are_shown_as_they_are_but_for_what_cannot_be_seen() {
    for (name, expected) in [
        (
            "Vertrieb Köln / 東京 मुंबई مبيعات",
            "Vertrieb Köln / 東京 मुंबई مبيعات",
        ),
        ("\u{202E}tuo\u{2066}in", "\\u{202E}tuo\\u{2066}in"),
        (
            "a\u{7}b\nc\u{2028}d\u{1b}[2J\u{9b}",
            "a\\u{0007}b\\u{000A}c\\u{2028}d\\u{001B}[2J\\u{009B}",
        ),
        (
            "sa\u{200B}les\u{FEFF}\u{AD}",
            "sa\\u{200B}les\\u{FEFF}\\u{00AD}",
        ),
        (
            "\u{A0}\u{3000}\u{3164}\u{2800}",
            "\\u{00A0}\\u{3000}\\u{3164}\\u{2800}",
        ),
        (" a  b ", "\\u{0020}a \\u{0020}b\\u{0020}"),
        (" ", "\\u{0020}"),
        ("\u{E0001}\u{1F600}", "\\u{E0001}\u{1F600}"),
        ("\\u{202E} and C:\\users", "\\u{005C}u{202E} and C:\\users"),
    ] {
        assert_eq!(shown(name), expected);
    }
}

#[test]
fn nothing_of_a_name_reaches_the_terminal_raw() {
    let evil = "\u{1b}[2J\u{202E}evil\u{200B}";
    let differs = json!({
        "client_id": evil, "channel": evil,
        "settings": {"display_name": evil, "group": evil},
        "now": {"agents_aux": {evil: 1}},
    });
    let mut top = Top::new(
        Options {
            url: format!("http://{evil}"),
            ..options()
        },
        NOW,
    );
    top.take(snapshot(&[with("a", &differs)], 0.3), NOW);
    top.take(Got::Absent(evil.to_owned()), NOW);
    for character in evil.chars() {
        press(&mut top, KeyCode::Char('/'));
        press(&mut top, KeyCode::Char(character));
    }
    top.options.wanted.find = evil.to_owned();
    press(&mut top, KeyCode::Enter);
    let text = lines(&drawn(&top, (200, 24), NOW)).join("\n") + &top.board(NOW).text(200);
    assert!(!text.contains(['\u{1b}', '\u{202E}', '\u{200B}']), "{text}");
    assert!(text.contains("\\u{202E}evil\\u{200B}"), "{text}");
    assert!(
        text.contains("No figures since 09:00:00 UTC: \\u{001B}[2J"),
        "{text}"
    );
}

#[test]
fn a_narrow_terminal_says_who_waits_and_how_many_are_there() {
    let differs = json!({
        "settings": {"display_name": "Orders and returns of everything"},
        "now": {"waiting": 12, "waiting_past_threshold": 7, "longest_wait_seconds": 754, "agents_available": 0},
    });
    let mut queues: Vec<Value> = (0..30).map(|n| queue(&format!("queue-{n:02}"))).collect();
    queues.push(with("orders", &differs));
    let mut top = top(&queues);
    let seen = lines(&drawn(&top, (80, 24), NOW));
    assert_eq!(
        seen[0],
        "queuepulse  http://127.0.0.1:8090  over 30m            live, 0.3 s  09:00:00 UTC"
    );
    let heads = seen.iter().position(|line| line.contains("Queue")).unwrap();
    assert_eq!(
        seen[heads],
        "  Queue                 SL         Wait   Oldest  Avail On cont  ACW  Aux  Aband"
    );
    assert_eq!(
        seen[heads + 1],
        "▲ Orders and returns o… 90 %        !12   !12:34     !0       2    1    0   10 %"
    );
    assert!(seen[22].contains("31 of 31 queues  1 to "), "{}", seen[22]);
    assert!(
        seen[23].starts_with("q quit  / find  s sort: need"),
        "{}",
        seen[23]
    );
    press(&mut top, KeyCode::End);
    let seen = lines(&drawn(&top, (80, 24), NOW));
    assert!(seen[21].contains("queue-29"), "{}", seen[21]);
    press(&mut top, KeyCode::Home);
    for (width, height) in [(20, 5), (1, 1), (40, 24), (300, 60)] {
        drawn(&top, (width, height), NOW);
    }
}

#[test]
fn a_wide_terminal_shows_what_the_page_does() {
    let differs =
        json!({"settings": {"group": "retail"}, "now": {"agents_aux": {"break": 2, "lunch": 1}}});
    let top = top(&[with("orders", &differs)]);
    let seen = lines(&drawn(&top, (170, 12), NOW)).join("\n");
    for words in [
        "Service level 90 %",
        "Waiting 0",
        "Past threshold 0",
        "Abandoned 10.0 %",
        "Agents online 5",
        "Available 3",
        "On contact 2",
        "ACW 1",
        "Aux 3",
        "Occupancy 70.0 %",
        "Expected",
        "orders acme · voice",
        "retail",
        "break 2, lunch 1",
        "80 %",
        "✓ 1 good",
    ] {
        assert!(seen.contains(words), "{words}\n{seen}");
    }
}

#[test]
fn filters_choose_and_the_sum_is_the_engines_own_where_it_has_one_of_just_these_queues() {
    let of = |name: &str, client: &str, group: &str, waiting: i64| {
        let differs =
            json!({"client_id": client, "settings": {"group": group}, "now": {"waiting": waiting}});
        with(name, &differs)
    };
    let queues = [
        of("a", "acme", "sales", 1),
        of("b", "acme", "sales", 2),
        of("c", "acme", "service", 4),
        of("d", "globex", "sales", 8),
    ];
    let mut top = Top::new(options(), NOW);
    let own = |waiting: i64| json!({"now": {"waiting": waiting, "waiting_past_threshold": 0, "agents_online": 5}, "windows": {}});
    let named = |key: &str, name: &str, waiting: i64| {
        let mut row = own(waiting);
        row[key] = json!(name);
        row
    };
    let answer = json!({
        "at": "2026-01-05T09:00:00.250Z", "data_age_seconds": 0.3, "queues": queues,
        "clients": [named("client_id", "acme", 100), named("client_id", "globex", 101)],
        "groups": [named("group", "sales", 102), named("group", "service", 103)],
        "channels": [named("channel", "voice", 104)], "total": own(99),
    });
    top.take(
        Got::Figures(Box::new(serde_json::from_value(answer).unwrap())),
        NOW,
    );
    for (client, group, channel, find, waiting) in [
        ("", "", "", "", 99),
        ("acme", "", "", "", 100),
        ("", "sales", "", "", 102),
        ("", "", "voice", "", 104),
        ("acme", "", "voice", "", 100),
        ("acme", "service", "", "", 103),
        ("globex", "sales", "", "", 101),
        // one queue: its own
        ("", "", "", "globex", 8),
        // a client's part of a group, and what was found
        ("acme", "sales", "", "", 3),
        ("", "", "", "acme", 7),
    ] {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        top.options.wanted = Wanted {
            client: some(client),
            group: some(group),
            channel: some(channel),
            queue: None,
            find: find.to_owned(),
        };
        press(&mut top, KeyCode::Char('s'));
        let now = &top.shown.sum.now;
        let what = format!("{client} {group} {channel} {find}");
        assert_eq!(now.waiting, waiting, "{what}");
        let added = [3, 7].contains(&waiting);
        assert_eq!(now.agents_online, (!added).then_some(5), "{what}");
        let said = lines(&drawn(&top, (200, 12), NOW)).join(" ");
        let why = "Agents – (counted for a whole client, group or channel only)";
        assert_eq!(said.contains(why), added, "{said}");
    }
}

#[test]
fn a_text_is_typed_and_changed_as_in_a_shell() {
    let queues = [
        queue("sales"),
        with("support", &json!({"settings": {"group": "x"}})),
    ];
    let mut top = top(&queues);
    press(&mut top, KeyCode::Char('/'));
    for character in "SUPX".chars() {
        press(&mut top, KeyCode::Char(character));
    }
    assert_eq!(top.count(), 0);
    press(&mut top, KeyCode::Backspace);
    assert_eq!(top.count(), 1);
    assert_eq!(
        press(&mut top, KeyCode::Char('q')),
        Next::GoOn,
        "it is typed"
    );
    for (typed, key, left) in [
        (" two words", 'w', "SUPq two "),
        ("", 'w', "SUPq "),
        ("x  ", 'w', "SUPq "),
        ("", 'a', "SUPq "),
        ("", 'u', ""),
        ("", 'w', ""),
        ("Köln", 'w', ""),
    ] {
        for character in typed.chars() {
            press(&mut top, KeyCode::Char(character));
        }
        let control = KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
        assert_eq!(top.key(control, NOW), Next::GoOn);
        assert_eq!(top.options.wanted.find, left, "Ctrl-{key}");
    }
    assert_eq!(top.count(), 2);
    press(&mut top, KeyCode::Char('z'));
    press(&mut top, KeyCode::Enter);
    assert_eq!(top.count(), 0, "kept");
    press(&mut top, KeyCode::Char('/'));
    press(&mut top, KeyCode::Esc);
    assert_eq!(top.count(), 2, "dropped");
    top.options.wanted.group = Some("x".to_owned());
    press(&mut top, KeyCode::Char('s'));
    assert_eq!(top.count(), 1);
}

#[test]
fn names_are_not_shortened_where_there_is_room() {
    let called = "Orders and returns of everything";
    let differs = json!({"settings": {"display_name": called, "group": "retail"}, "now": {"agents_aux": {"break": 2, "lunch": 1}}});
    let top = top(&[with("orders", &differs), queue("a")]);
    let name = format!("{called} acme · voice");
    for (width, has) in [
        (120, ["On cont", "Aband", ""]),
        (128, ["On cont", "Aband", ""]),
        (150, ["On cont", "Aband", "Aux by reason"]),
        (175, ["On contact", "Group", "Aux by reason"]),
        (220, ["On contact", "Group", "Aux by reason"]),
    ] {
        let seen = lines(&drawn(&top, (width, 12), NOW)).join("\n");
        assert!(seen.contains(&name), "{width}: {seen}");
        assert!(!seen.contains('…'), "{width}: {seen}");
        for head in has {
            assert!(seen.contains(head), "{width}: {head}: {seen}");
        }
    }
}

#[test]
fn aux_by_reason_takes_what_room_is_left() {
    let reasons = json!({"now": {"agents_aux": {"coaching": 12, "lunch": 10, "training": 11}}});
    let top = top(&[with("orders", &reasons)]);
    for (width, whole) in [(120, false), (150, true)] {
        let seen = lines(&drawn(&top, (width, 12), NOW)).join("\n");
        let all = "coaching 12, lunch 10, training 11";
        assert_eq!(seen.contains(all), whole, "{width}: {seen}");
        assert!(seen.contains("coaching 12, lunch"), "{width}: {seen}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let refused = "window \"99m\" is not configured; there are 1m, 5m";
    let url = "http://127.0.0.1:8090";
    let mut top = Top::new(options(), NOW);
    top.take(Got::Refused(refused.to_owned()), NOW);
    let seen = lines(&drawn(&top, (120, 12), NOW));
    assert!(seen[0].contains("⚠ refused"), "{seen:?}");
    assert_eq!(seen[1], format!(" ⚠ {url} answers: {refused}."));
    top.take(Got::Lost("connection refused".to_owned()), NOW);
    let seen = lines(&drawn(&top, (120, 12), NOW));
    assert_eq!(
        seen[1],
        format!(" ⚠ Cannot reach {url}: connection refused. Trying again.")
    );
    // it was there, and is another instance now
    top.take(snapshot(&[queue("a")], 0.3), NOW);
    top.take(Got::Refused(refused.to_owned()), NOW + Span::seconds(5));
    let seen = lines(&drawn(&top, (120, 12), NOW + Span::seconds(6))).join(" ");
    let text = format!("{url} answers: {refused}. What you see is of 09:00:00 UTC.");
    assert!(seen.contains(&text), "{seen}");
}

#[test]
fn keys_end_it() {
    let mut top = top(&[queue("a")]);
    for code in [KeyCode::Char('q'), KeyCode::Esc] {
        assert_eq!(press(&mut top, code), Next::Quit);
    }
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(top.key(control, NOW), Next::Quit);
    press(&mut top, KeyCode::Char('/'));
    assert_eq!(
        top.key(control, NOW),
        Next::Quit,
        "while a text is typed too"
    );
}

#[test]
fn what_is_old_cannot_be_overlooked() {
    let worst = with("a", &level(1, 9));
    let mut top = top(std::slice::from_ref(&worst));
    let alarm = |buffer: &Buffer| {
        let cell = &buffer[(1, 1)];
        cell.modifier.contains(Modifier::REVERSED) && cell.symbol() == "⚠"
    };
    let colours = |buffer: &Buffer| {
        buffer
            .content
            .iter()
            .any(|cell| cell.fg == Color::Red && cell.symbol() == "▲")
    };
    let fresh = drawn(&top, (80, 24), NOW + Span::seconds(5));
    assert!(!alarm(&fresh) && colours(&fresh));
    // nobody answers
    top.take(
        Got::Lost("connection refused".to_owned()),
        NOW + Span::seconds(1),
    );
    let lost = drawn(&top, (80, 24), NOW + Span::seconds(6));
    assert!(alarm(&lost) && !colours(&lost));
    let text = lines(&lost).join(" ");
    assert!(
        text.contains("Connection lost since 09:00:00 UTC: connection refused."),
        "{text}"
    );
    assert!(text.contains("⚠ no connection"), "{text}");
    assert!(text.contains("▲ a"), "the last figures stay");
    // it comes back by itself
    top.take(
        snapshot(std::slice::from_ref(&worst), 0.3),
        NOW + Span::seconds(20),
    );
    assert!(!alarm(&drawn(&top, (80, 24), NOW + Span::seconds(21))));
    // it answers, but not with what is now
    top.take(
        snapshot(std::slice::from_ref(&worst), 21.4),
        NOW + Span::seconds(22),
    );
    let late = drawn(&top, (80, 24), NOW + Span::seconds(22));
    assert!(alarm(&late) && !colours(&late));
    assert!(lines(&late)[1].contains("Figures are 21 s old"));
    top.take(
        Got::Absent("no figures yet: catching up".to_owned()),
        NOW + Span::seconds(23),
    );
    assert!(
        lines(&drawn(&top, (80, 24), NOW + Span::seconds(23)))[1]
            .contains("No figures since 09:00:22 UTC: catching up.")
    );
    // before the first answer
    let mut never = Top::new(options(), NOW);
    assert!(lines(&drawn(&never, (80, 24), NOW))[0].contains("connecting"));
    never.take(Got::Lost("connection refused".to_owned()), NOW);
    assert!(alarm(&drawn(&never, (80, 24), NOW)));
}

#[test]
fn that_no_event_comes_is_said_while_the_figures_stay() {
    let mut top = top(&[with("a", &level(1, 9))]);
    let told = |top: &mut Top, silence: Value| {
        let Got::Figures(mut answer) = snapshot(&[with("a", &level(1, 9))], 0.3) else {
            unreachable!()
        };
        answer.source_silence_seconds = serde_json::from_value(silence).unwrap();
        top.take(Got::Figures(answer), NOW);
        lines(&drawn(top, (100, 24), NOW)).join("\n")
    };
    for (silence, corner) in [
        (json!(null), "live, 0.3 s  09:00:00 UTC"),
        (json!(9.9), "live, 0.3 s  09:00:00 UTC"),
        (
            json!(25.4),
            "live, 0.3 s, last event 25 s ago  09:00:00 UTC",
        ),
        (
            json!(60.0),
            "live, 0.3 s, last event 60 s ago  09:00:00 UTC",
        ),
    ] {
        let text = told(&mut top, silence);
        assert!(text.contains(corner), "{text}");
        assert!(!text.contains("No event"), "{text}");
    }
    let text = told(&mut top, json!(150.0));
    assert!(text.contains("last event 2 min ago"), "{text}");
    let bar =
        "◇ No event has come since 08:57:30 UTC: figures are still computed, but nobody reports.";
    assert!(text.contains(bar), "{text}");
    let buffer = drawn(&top, (100, 24), NOW);
    let coloured = buffer.content.iter().any(|cell| cell.fg == Color::Red);
    assert!(coloured, "the figures are right");
    let text = told(&mut top, json!(33.0 * 3600.0));
    assert!(text.contains("since 2026-01-04 00:00:00 UTC"), "{text}");
    let text = told(&mut top, json!(1e300));
    assert!(text.contains("No event has come since"), "{text}");
    let later = lines(&drawn(&top, (100, 24), NOW + Span::seconds(4)));
    assert!(
        later[0].contains("live, 4.3 s"),
        "the age grows: {}",
        later[0]
    );
}

#[test]
fn what_matches_nothing_is_said_to() {
    let mut top = top(&[queue("a")]);
    top.options.wanted.client = Some("nosuch".to_owned());
    top.take(snapshot(&[queue("a")], 0.3), NOW + Span::seconds(11));
    let text = top.board(NOW).text(100);
    assert!(
        text.contains("No queue matches client \"nosuch\".\n0 of 1 queues"),
        "{text}"
    );
}

#[test]
fn without_colours_shapes_and_words_say_it() {
    let mut top = top(&[with("a", &level(1, 9))]);
    top.options.look = Look::Plain;
    for at in [NOW, NOW + Span::seconds(60)] {
        let buffer = drawn(&top, (120, 20), at);
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
        assert!(lines(&buffer).iter().any(|line| line.starts_with("▲ a")));
    }
}

#[test]
fn one_frame_as_text_has_every_queue() {
    let queues: Vec<Value> = (0..60).map(|n| queue(&format!("queue-{n:02}"))).collect();
    let text = top(&queues).board(NOW).text(100);
    for n in 0..60 {
        assert!(
            text.contains(&format!("queue-{n:02} acme · voice")),
            "{text}"
        );
    }
    assert!(text.ends_with("60 of 60 queues  ✓ 60 good\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_password_of_an_address_is_not_shown() {
    for (url, shown) in [
        ("http://ann:secret@127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("ann@wall.example/pulse/", "http://wall.example/pulse"),
        ("http://a:p@ss@wall.example", "http://wall.example"),
        ("http://wall.example/@home", "http://wall.example/@home"),
    ] {
        let client = client::Client::new(url, None).unwrap();
        assert_eq!(client.shown(), shown, "{url}");
    }
}

#[test]
fn an_address_is_http_without_tls() {
    for (url, base) in [
        ("127.0.0.1:8090", Some("http://127.0.0.1:8090")),
        (
            "http://wall.example/pulse/",
            Some("http://wall.example/pulse"),
        ),
        ("https://wall.example", None),
        ("", None),
        ("http://", None),
        (":8090", None),
    ] {
        let client = client::Client::new(url, None);
        assert_eq!(
            client.as_ref().ok().map(client::Client::shown),
            base,
            "{url}"
        );
    }
}
