//! Duplicates, and facts that arrive out of order.

use super::check;
use super::script::{at, aux, life, presence, received, snapshot, stream};
use crate::engine::agent::Inserted;
use crate::event::ActivityState::{Acw, Connected, Held, Missed, Released};
use crate::event::Presence::Available;

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
