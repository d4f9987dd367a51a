use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};

use super::figures::{Level, Queue, clock, percent, trend, whole};
use super::*;
use crate::event::{Millis, Span, shown};

mod screen;

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
