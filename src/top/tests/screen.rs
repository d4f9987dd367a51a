//! What a terminal shows.

use super::*;

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
