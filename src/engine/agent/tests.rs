//! Each rule of the agent events as a life: what arrives, in order of arrival, and what it says of
//! the agent. A life reads "second presence activity contacts; …"; each part holds to the next.

mod order;
mod script;

use super::Inserted;
use crate::event::ActivityState::{
    Acw, Alerting, Connected, Error, Held, Missed, Rejected, Released,
};
use crate::event::Presence::{Available, Offline};
use script::{
    Line, at, aux, by_hours, capacity, life, log_in, log_out, member, presence, received, serving,
    snapshot, stream,
};

const HOUR: i64 = 3600;

fn check(cases: &[(&str, Vec<Line>, &str)]) {
    for (rule, lines, expected) in cases {
        assert_eq!(&life(lines), expected, "{rule}");
    }
}

#[test]
fn presence_is_what_he_declared() {
    check(&[
        (
            "logged in: not ready until a state follows",
            vec![log_in(0), presence(10, Available)],
            "0 aux:not_ready idle; 10 available idle",
        ),
        (
            "logged in when already online: not ready again",
            vec![log_in(0), presence(10, Available), log_in(20)],
            "0 aux:not_ready idle; 10 available idle; 20 aux:not_ready idle",
        ),
        (
            "aux has a reason, unspecified if none is stated",
            vec![aux(0, "break"), aux(10, "")],
            "0 aux:break idle; 10 aux:unspecified idle",
        ),
        (
            "offline and idle is nothing at all",
            vec![presence(0, Available), presence(10, Offline), log_out(20)],
            "0 available idle; 10 -",
        ),
        (
            "an event of an unknown agent logs him in",
            vec![at(0, "x", Connected)],
            "0 aux:not_ready on_contact q:connected",
        ),
        (
            "but not of one who logged out: he is on contact all the same",
            vec![log_in(0), log_out(10), at(20, "x", Connected)],
            "0 aux:not_ready idle; 10 -; 20 offline on_contact q:connected",
        ),
        (
            "contacts of an offline agent stay until they are released; alerting counts no agent",
            vec![
                presence(0, Available),
                at(0, "x", Connected),
                log_out(10),
                at(20, "x", Acw),
                at(30, "y", Alerting),
                at(40, "x", Released),
            ],
            "0 available on_contact q:connected; 10 offline on_contact q:connected; \
             20 offline acw q:acw; 30 offline acw q:alerting q:acw; 40 - q:alerting",
        ),
    ]);
}

#[test]
fn activity_is_the_first_that_holds() {
    check(&[
        (
            "on contact before acw before alerting",
            vec![
                presence(0, Available),
                at(0, "x", Alerting),
                at(10, "y", Acw),
                at(20, "z", Held),
                at(30, "z", Released),
                at(40, "y", Released),
                at(50, "x", Released),
            ],
            "0 available alerting q:alerting; 10 available acw q:alerting q:acw; \
             20 available on_contact q:alerting q:held q:acw; 30 available acw q:alerting q:acw; \
             40 available alerting q:alerting; 50 available idle",
        ),
        (
            "not responding before all",
            vec![
                presence(0, Available),
                at(0, "x", Connected),
                at(10, "y", Missed),
                at(20, "x", Held),
                at(30, "x", Acw),
            ],
            "0 available on_contact q:connected; 10 available not_responding q:connected; \
             20 available not_responding q:held; 30 available not_responding q:acw",
        ),
    ]);
}

#[test]
fn who_missed_an_offer_does_not_respond_until_something_shows_that_he_does() {
    for missed in [Missed, Rejected, Error] {
        for (rule, ends, then) in [
            ("state", presence(20, Available), "20 available idle"),
            ("aux", aux(20, "break"), "20 aux:break idle"),
            ("logged in", log_in(20), "20 aux:not_ready idle"),
            ("logged out", log_out(20), "20 -"),
            ("snapshot", snapshot(20).lists(&[]), "20 available idle"),
            (
                "alerting",
                at(20, "y", Alerting),
                "20 available alerting q:alerting",
            ),
            (
                "connected",
                at(20, "y", Connected),
                "20 available on_contact q:connected",
            ),
            (
                "not acw",
                at(20, "y", Acw),
                "20 available not_responding q:acw",
            ),
            (
                "not held",
                at(20, "y", Held),
                "20 available not_responding q:held",
            ),
        ] {
            let lines = [
                presence(0, Available),
                at(5, "x", Alerting),
                at(10, "x", missed),
                ends,
            ];
            let expected = format!(
                "0 available idle; 5 available alerting q:alerting; \
                 10 available not_responding; {then}"
            );
            assert_eq!(life(&lines), expected, "{missed:?} until {rule}");
        }
    }
}

#[test]
fn facts_of_one_instant_go_by_type_then_state_then_id() {
    check(&[
        (
            "by type, whatever arrives first",
            vec![
                snapshot(0).lists(&[]),
                presence(0, Available),
                at(0, "x", Connected),
                log_out(0),
                log_in(0),
            ],
            "0 available idle",
        ),
        (
            "contacts by state",
            vec![
                presence(0, Available),
                at(10, "x", Released),
                at(10, "x", Connected),
                at(20, "x", Connected),
                at(20, "x", Alerting),
            ],
            "0 available idle; 20 available on_contact q:connected",
        ),
        (
            "by id",
            vec![presence(0, Available).id("b"), aux(0, "break").id("a")],
            "0 available idle",
        ),
    ]);
}

#[test]
fn one_id_is_one_event_and_the_earlier_time_stands() {
    let one = |time, state| at(time, "x", state).id("one");
    check(&[
        (
            "the same again",
            vec![
                presence(0, Available),
                one(10, Connected),
                at(20, "x", Released),
                one(10, Connected),
            ],
            "0 available idle; 10 available on_contact q:connected; 20 available idle",
        ),
        (
            "with another content: the earlier arrives first",
            vec![presence(0, Available), one(10, Connected), one(20, Held)],
            "0 available idle; 10 available on_contact q:connected",
        ),
        (
            "with another content: the earlier arrives last",
            vec![presence(0, Available), one(20, Held), one(10, Connected)],
            "0 available idle; 10 available on_contact q:connected",
        ),
    ]);
    let lines = [one(10, Connected), one(10, Connected), one(5, Connected)];
    assert_eq!(
        received(&lines),
        [Inserted::Appended, Inserted::Duplicate, Inserted::Appended]
    );
}

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
fn who_is_not_heard_of_for_agent_ttl_is_offline() {
    let start = || {
        vec![
            presence(0, Available),
            at(0, "x", Connected).channel("email"),
        ]
    };
    for (rule, line, then) in [
        (
            "queues do not bring him back",
            member(17 * HOUR, &["q"]),
            "",
        ),
        (
            "nor does a contact",
            at(17 * HOUR, "y", Connected),
            "; 61200 offline on_contact q:connected; 75600 -",
        ),
        (
            "a state does",
            presence(17 * HOUR, Available),
            "; 61200 available idle",
        ),
        (
            "logging in does",
            log_in(17 * HOUR),
            "; 61200 aux:not_ready idle",
        ),
        (
            "a snapshot does",
            snapshot(17 * HOUR).declares(Available),
            "; 61200 available idle",
        ),
    ] {
        let lines = [start(), vec![line]].concat();
        let expected = format!("0 available on_contact q/email:connected; 57600 -{then}");
        assert_eq!(by_hours(&lines, 30), expected, "{rule}");
    }
    let lines = [start(), vec![at(16 * HOUR, "x", Held).channel("email")]].concat();
    assert_eq!(
        by_hours(&lines, 17),
        "0 available on_contact q/email:connected; 57600 offline on_contact q/email:held",
        "an event at the very end comes after it",
    );
    let lines = [
        presence(0, Available),
        at(5, "x", Missed),
        at(17 * HOUR, "y", Acw),
    ];
    assert_eq!(
        by_hours(&lines, 18),
        "0 available idle; 5 available not_responding; 57605 -; 61200 offline acw q:acw",
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

#[test]
fn a_fact_up_to_settle_after_late_is_put_in_its_place() {
    let lines = [presence(0, Available), stream(310), at(10, "x", Connected)];
    assert_eq!(
        life(&lines),
        "0 available idle; 10 available on_contact q:connected"
    );
    assert_eq!(received(&lines)[1..], [Inserted::Appended]);
    let lines = [
        presence(0, Available),
        at(20, "x", Released),
        at(10, "x", Connected),
    ];
    assert_eq!(received(&lines)[2..], [Inserted::Between]);
}

#[test]
fn a_fact_that_is_later_holds_from_its_arrival_unless_overtaken() {
    let start = || {
        vec![
            presence(0, Available),
            at(20, "x", Connected),
            at(30, "y", Connected),
            at(40, "y", Released),
            stream(341),
        ]
    };
    let begin = "0 available idle; 20 available on_contact q:connected; \
                 30 available on_contact q:connected q:connected; \
                 40 available on_contact q:connected";
    for (rule, line, then) in [
        (
            "presence",
            aux(35, "break"),
            "; 341 aux:break on_contact q:connected",
        ),
        (
            "an unknown contact",
            at(10, "z", Acw),
            "; 341 available on_contact q:connected q:acw",
        ),
        (
            "newer than its contact's",
            at(21, "x", Held),
            "; 341 available on_contact q:held",
        ),
        ("older than its contact's", at(19, "x", Held), ""),
        ("older than the end of its contact", at(35, "y", Held), ""),
        (
            "missed: released, but he is not said not to respond",
            at(25, "x", Missed),
            "; 341 available idle",
        ),
        (
            "a timer that is over",
            at(25, "x", Acw).lasting(30),
            "; 341 available idle",
        ),
        (
            "a snapshot: `z` is held and `x` is gone, but `y` was released later",
            snapshot(38)
                .declares_aux("break")
                .lists(&[("z", Held, Some(10)), ("y", Held, None)]),
            "; 341 aux:break on_contact q:held",
        ),
    ] {
        let lines = [start(), vec![line]].concat();
        assert_eq!(life(&lines), format!("{begin}{then}"), "{rule}");
        assert_eq!(received(&lines).last(), Some(&Inserted::Late));
    }
}

#[test]
fn a_late_fact_is_overtaken_by_facts_that_the_checkpoint_has_swallowed() {
    let lines = [
        presence(0, Available),
        at(10, "x", Connected),
        at(20, "x", Released),
        at(2000, "y", Connected),
        at(4000, "y", Released),
        at(15, "x", Held),
        at(1500, "x", Acw).lasting(60),
        aux(1, "break"),
    ];
    assert_eq!(
        life(&lines),
        "0 available idle; 10 available on_contact q:connected; 20 available idle; \
         2000 available on_contact q:connected; 4000 aux:break idle"
    );
    let missed = [
        presence(0, Available),
        at(10, "x", Missed),
        stream(900),
        aux(5, "lunch"),
    ];
    assert_eq!(
        life(&missed),
        "0 available idle; 10 available not_responding; 900 aux:lunch not_responding",
        "too late to end not_responding"
    );
}

#[test]
fn he_serves_the_queues_whose_channel_has_slots() {
    for (rule, lines, expected) in [
        (
            "none yet: the clients named",
            vec![log_in(0)],
            "0 [default]",
        ),
        (
            "one voice by default",
            vec![member(0, &["q", "q/chat", "beta/r"])],
            "0 beta/r q [beta default]",
        ),
        (
            "queues replace the former",
            vec![member(0, &["q", "r"]), member(10, &["r", "s"])],
            "0 q r [default]; 10 r s [default]",
        ),
        (
            "slots replace the former",
            vec![
                member(0, &["q", "q/chat"]),
                capacity(10, &[("chat", 2), ("voice", 0)]),
            ],
            "0 q [default]; 10 q/chat [default]",
        ),
        (
            "a snapshot replaces both",
            vec![
                member(0, &["q"]),
                snapshot(10).serving(&["beta/m/chat"], &[("chat", 1)]),
            ],
            "0 q [default]; 10 beta/m/chat [beta]",
        ),
        (
            "who serves none counts for every client named so far",
            vec![
                log_in(0),
                at(10, "x", Released).client("beta"),
                member(20, &["gamma/q/chat"]),
            ],
            "0 [default]; 10 [beta default]; 20 [beta default gamma]",
        ),
    ] {
        assert_eq!(serving(&lines), expected, "{rule}");
    }
}

#[test]
fn usable_slots_are_those_of_the_channels_being_worked() {
    let slots = || capacity(0, &[("voice", 1), ("chat", 3)]);
    let chat = |time, contact, state| at(time, contact, state).channel("chat");
    for (rule, lines, expected) in [
        (
            "the largest when idle, added up when worked; alerting uses one",
            vec![
                slots(),
                presence(0, Available),
                chat(10, "x", Alerting),
                at(20, "y", Connected),
                chat(30, "x", Released),
            ],
            "0 0/3; 10 1/3; 20 2/4; 30 1/1",
        ),
        (
            "shared: the sum of all",
            vec![
                slots().shared(),
                presence(0, Available),
                chat(10, "x", Connected),
            ],
            "0 0/4; 10 1/4",
        ),
        (
            "a channel without slots adds use only",
            vec![presence(0, Available), chat(10, "x", Connected)],
            "0 0/1; 10 1/0",
        ),
        (
            "only while presence is available",
            vec![
                presence(0, Available),
                at(10, "x", Connected),
                aux(20, "break"),
            ],
            "0 0/1; 10 1/1; 20 0/0",
        ),
    ] {
        assert_eq!(script::slots(&lines), expected, "{rule}");
    }
}

#[test]
fn a_client_has_a_feed_from_the_first_contact_that_names_it() {
    let lines = [
        log_in(0).client("a"),
        at(20, "x", Connected).client("b"),
        at(10, "y", Connected).client("b"),
        snapshot(30).client("c"),
        snapshot(40).client("d").lists(&[]),
        snapshot(50)
            .client("e")
            .lists(&[("e/z", Connected, None), ("f/z", Held, None)]),
    ];
    assert_eq!(script::feeds(&lines), "b 10; d 40; e 50; f 50");
}
