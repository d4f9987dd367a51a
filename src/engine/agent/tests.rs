//! Each rule of the agent events as a life: what arrives, in order of arrival, and what it says of
//! the agent. A life reads "second presence activity contacts; …"; each part holds to the next.

mod contacts;
mod late;
mod order;
mod script;

use crate::event::ActivityState::{
    Acw, Alerting, Connected, Error, Held, Missed, Rejected, Released,
};
use crate::event::Presence::{Available, Offline};
use script::{
    Line, at, aux, by_hours, capacity, life, log_in, log_out, member, presence, serving, snapshot,
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
