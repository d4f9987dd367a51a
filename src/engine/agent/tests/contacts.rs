//! Turns of contacts at an agent, timers and snapshots.

use super::script::{Line, at, aux, by_hours, life, presence, snapshot};
use super::{HOUR, check};
use crate::event::ActivityState::{Acw, Alerting, Connected, Held, Missed, Released};
use crate::event::Presence::Available;

#[test]
fn a_turn_keeps_the_queue_of_its_first_fact() {
    check(&[
        (
            "a later fact names another",
            vec![
                presence(0, Available),
                at(10, "x", Alerting),
                at(20, "x", Connected).queue("r").channel("chat"),
                at(30, "x", Released).queue("r"),
            ],
            "0 available idle; 10 available alerting q:alerting; \
             20 available on_contact q:connected; 30 available idle",
        ),
        (
            "the first names none",
            vec![
                presence(0, Available),
                at(10, "x", Alerting).queue(""),
                at(20, "x", Connected),
            ],
            "0 available idle; 10 available alerting -:alerting; \
             20 available on_contact -:connected",
        ),
        (
            "the first arrives last",
            vec![
                presence(0, Available),
                at(20, "x", Connected),
                at(10, "x", Alerting).queue("r"),
            ],
            "0 available idle; 10 available alerting r:alerting; \
             20 available on_contact r:connected",
        ),
        (
            "the fact after an end begins another turn",
            vec![
                presence(0, Available),
                at(10, "x", Connected),
                at(20, "x", Released),
                at(30, "x", Connected).queue("r"),
            ],
            "0 available idle; 10 available on_contact q:connected; 20 available idle; \
             30 available on_contact r:connected",
        ),
        (
            "one id of two clients is two contacts",
            vec![
                presence(0, Available),
                at(10, "x", Connected),
                at(20, "x", Connected).client("beta"),
                at(30, "x", Released),
            ],
            "0 available idle; 10 available on_contact q:connected; \
             20 available on_contact q:connected beta/q:connected; \
             30 available on_contact beta/q:connected",
        ),
    ]);
}

#[test]
fn a_timer_ends_after_contact_work() {
    let start = || vec![presence(0, Available), at(10, "x", Acw).lasting(15)];
    let with = |line: Line| [start(), vec![line]].concat();
    check(&[
        (
            "by itself",
            start(),
            "0 available idle; 10 available acw q:acw; 25 available idle",
        ),
        (
            "released before",
            with(at(20, "x", Released)),
            "0 available idle; 10 available acw q:acw; 20 available idle",
        ),
        (
            "another acw replaces it",
            with(at(20, "x", Acw).lasting(15)),
            "0 available idle; 10 available acw q:acw; 35 available idle",
        ),
        (
            "an acw without it has none",
            with(at(20, "x", Acw)),
            "0 available idle; 10 available acw q:acw",
        ),
        (
            "a fact at its stamp begins another turn",
            with(at(25, "x", Connected).queue("r")),
            "0 available idle; 10 available acw q:acw; 25 available on_contact r:connected",
        ),
        (
            "with another state it means nothing",
            vec![presence(0, Available), at(10, "x", Held).lasting(15)],
            "0 available idle; 10 available on_contact q:held",
        ),
        (
            "negative is nothing",
            vec![presence(0, Available), at(10, "x", Acw).lasting(-5)],
            "0 available idle",
        ),
    ]);
}

#[test]
fn a_contact_without_news_is_released_after_ghost_after() {
    let keep = |hour| presence(hour * HOUR, Available);
    let lines = [
        presence(0, Available),
        at(0, "x", Connected),
        at(0, "y", Connected).queue("m").channel("chat"),
        keep(12),
        keep(25),
    ];
    assert_eq!(
        by_hours(&lines, 30),
        "0 available on_contact q:connected m/chat:connected; \
         14400 available on_contact m/chat:connected; 86400 available idle",
    );
    let lines = [
        presence(0, Available),
        at(0, "x", Connected),
        snapshot(HOUR).lists(&[("x", Connected, Some(0))]),
        at(5 * HOUR, "x", Held).queue("r"),
    ];
    assert_eq!(
        by_hours(&lines, 6),
        "0 available on_contact q:connected; 18000 available on_contact r:held",
        "a snapshot is news; a fact at the end begins another turn",
    );
}

#[test]
fn a_snapshot_is_the_whole_truth_of_its_instant() {
    let start = || vec![presence(0, Available), at(10, "x", Alerting)];
    let with = |line: Line| [start(), vec![line]].concat();
    let begin = "0 available idle; 10 available alerting q:alerting";
    for (rule, line, then) in [
        ("what it lacks says nothing", snapshot(50), ""),
        (
            "no contacts: none",
            snapshot(50).lists(&[]),
            "; 50 available idle",
        ),
        (
            "another contact: what is not listed is released",
            snapshot(50).lists(&[("y", Held, None)]),
            "; 50 available on_contact q:held",
        ),
        (
            "in its state since `since`",
            snapshot(50).lists(&[("x", Connected, Some(20))]),
            "; 20 available on_contact q:connected",
        ),
        (
            "no `since`: from the snapshot on",
            snapshot(50).lists(&[("x", Connected, None)]),
            "; 50 available on_contact q:connected",
        ),
        (
            "`since` after it: from the snapshot on",
            snapshot(50).lists(&[("x", Connected, Some(60))]),
            "; 50 available on_contact q:connected",
        ),
        (
            "a fact of the contact after `since`: from the snapshot on",
            snapshot(50).lists(&[("x", Connected, Some(5))]),
            "; 50 available on_contact q:connected",
        ),
        (
            "a fact at `since` is no contradiction",
            snapshot(50).lists(&[("x", Alerting, Some(10))]),
            "",
        ),
        (
            "long ago: no more than settle_after before it",
            snapshot(400).lists(&[("x", Connected, Some(20))]),
            "; 100 available on_contact q:connected",
        ),
        (
            "missed: over since then, not responding from the snapshot on",
            snapshot(50).lists(&[("x", Missed, Some(20))]),
            "; 20 available idle; 50 available not_responding",
        ),
        (
            "presence, with its reason",
            snapshot(50).declares_aux("lunch"),
            "; 50 aux:lunch alerting q:alerting",
        ),
    ] {
        assert_eq!(life(&with(line)), format!("{begin}{then}"), "{rule}");
    }
}

#[test]
fn snapshots_and_facts_around_them() {
    check(&[
        (
            "an earlier snapshot with contacts after `since` contradicts it",
            vec![
                presence(0, Available),
                snapshot(30).lists(&[]),
                snapshot(50).lists(&[("x", Connected, Some(20))]),
            ],
            "0 available idle; 50 available on_contact q:connected",
        ),
        (
            "one without contacts does not",
            vec![
                presence(0, Available),
                snapshot(30),
                snapshot(50).lists(&[("x", Connected, Some(20))]),
            ],
            "0 available idle; 20 available on_contact q:connected",
        ),
        (
            "it drops a running timer",
            vec![
                presence(0, Available),
                at(10, "x", Acw).lasting(30),
                snapshot(50).lists(&[("x", Acw, Some(10))]),
                at(60, "x", Released),
            ],
            "0 available idle; 10 available acw q:acw; 60 available idle",
        ),
        (
            "what arrives after it from before it changes the time before it only",
            vec![
                presence(0, Available),
                snapshot(50).lists(&[("x", Connected, Some(20))]),
                at(30, "x", Held),
                at(40, "y", Acw).lasting(60),
                aux(45, "break"),
                snapshot(50).declares(Available).id("z"),
            ],
            "0 available idle; 30 available on_contact q:held; \
             40 available on_contact q:held q:acw; 45 aux:break on_contact q:held q:acw; \
             50 available on_contact q:connected",
        ),
    ]);
}
