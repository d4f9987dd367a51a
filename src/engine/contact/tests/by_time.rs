//! States, rungs, after-contact work and ends: what comes by time. And what became of a fact.

use super::super::lives::{START, events, fold, seconds};
use super::super::{Contact, Inserted};
use super::Table;
use crate::engine::names::{ClientNo, Names};
use crate::engine::settings::{AfterContact, Pattern, StateSettings};
use crate::event::Span;

fn states(table: Table) {
    for &(life, want) in table {
        let got = fold(&events(life), StateSettings::default());
        assert_eq!(got.states(), want, "{life}");
    }
}

#[test]
fn contacts_by_state() {
    states(&[
        (
            "0 queued@q1, 3 alerting:agent=a, 4 alerting:agent=b, 6 alert_failed:agent=a, \
             7 alert_failed:agent=b, 9 answered, 12 held, 15 resumed, 20 ended",
            "0 q1 waiting, 3 q1 -waiting, 3 q1 alerting, 7 q1 -alerting, 7 q1 waiting, \
             9 q1 -waiting, 9 q1 connected, 12 q1 -connected, 12 q1 held, 15 q1 -held, \
             15 q1 connected, 20 q1 -connected",
        ),
        (
            "0 queued@q1, 0 answered:agent=a, 2 held:agent=a, 4 answered:agent=b, 6 held:agent=b, \
             8 ended:agent=a, 9 ended:agent=b",
            "0 q1 connected, 2 q1 -connected, 2 q1 held, 4 q1 -held, 4 q1 connected, \
             6 q1 -connected, 6 q1 held, 9 q1 -held",
        ),
        (
            "0 queued@q1:direction=outbound, 4 answered, 6 ended",
            "4 q1 connected, 6 q1 -connected",
        ),
        (
            "0 queued@q1, 5 answered",
            "0 q1 waiting, 5 q1 -waiting, 5 q1 connected, 14405 q1 -connected",
        ),
    ]);
}

#[test]
fn rungs_are_passed_one_millisecond_after_the_wait_reaches_them() {
    let table: Table = &[
        ("0 queued@q1, 5 answered, 9 ended", ""),
        (
            "0 queued@q1, 5.001 answered, 9 ended",
            "5.001 q1 passed 0, 5.001 q1 counted 0",
        ),
        (
            "0 queued@q1, 9 answered, 19 ended",
            "5.001 q1 passed 0, 5.001 q1 past 0, 9 q1 -past 0, 9 q1 counted 0",
        ),
        (
            "0 queued@q1, 66 dequeued:outcome=abandoned",
            "5.001 q1 passed 0, 5.001 q1 past 0, 10.001 q1 passed 1, 10.001 q1 past 1, \
             20.001 q1 passed 2, 20.001 q1 past 2, 30.001 q1 passed 3, 30.001 q1 past 3, \
             60.001 q1 passed 4, 60.001 q1 past 4, 65.001 q1 counted 0, 66 q1 -past 0, \
             66 q1 -past 1, 66 q1 -past 2, 66 q1 -past 3, 66 q1 -past 4, 66 q1 counted 1, \
             66 q1 counted 2, 66 q1 counted 3, 66 q1 counted 4",
        ),
    ];
    for (life, want) in table {
        let got = fold(&events(life), StateSettings::default());
        assert_eq!(got.passes(), *want, "{life}");
    }
}

#[test]
fn after_contact_work_follows_the_rule_of_the_queue() {
    let wrapped = "0 answered@q1, 10 ended, 40 wrapped_up";
    let stated = "0 answered@q1, 10 ended, 40 wrapped_up:acw=7";
    let late = "0 answered@q1, 10 ended, 700 wrapped_up:acw=7";
    let missing = "0 answered@q1, 10 ended";
    let timer = AfterContact::Timer(Span::seconds(15));
    for (rule, life, acw, state) in [
        (AfterContact::None, wrapped, "", ""),
        (AfterContact::None, stated, ", 40 q1 acw 7", ""),
        (AfterContact::Events, wrapped, ", 40 q1 acw 30", "40"),
        (AfterContact::Events, stated, ", 40 q1 acw 7", "40"),
        (AfterContact::Events, late, ", 610 q1 acw 600", "610"),
        (AfterContact::Events, missing, ", 610 q1 acw 600", "610"),
        (timer, missing, ", 25 q1 acw 15", "25"),
        (timer, stated, ", 25 q1 acw 15", "25"),
    ] {
        let settings = StateSettings {
            after_contact: vec![(Pattern::default(), rule)],
            ..StateSettings::default()
        };
        let got = fold(&events(life), settings);
        let before = "0 q1 offered, 0 q1 answered 0, 10 q1 handled 10+0";
        assert_eq!(got.counts(), format!("{before}{acw}"), "{rule:?}: {life}");
        let in_acw = match state {
            "" => String::new(),
            until => format!(", 10 q1 acw, {until} q1 -acw"),
        };
        let entered = format!("0 q1 connected, 10 q1 -connected{in_acw}");
        assert_eq!(got.states(), entered, "{rule:?}: {life}");
    }
}

#[test]
fn when_a_contact_is_over_and_how_much_later_it_is_settled() {
    for (life, end, later) in [
        ("0 queued@q1, 5 dequeued:outcome=abandoned", "5", "0"),
        ("0 queued@q1, 5 answered, 9 ended", "9", "600"),
        (
            "0 queued@q1, 5 answered, 9 ended, 12 wrapped_up:acw=3",
            "12",
            "0",
        ),
        ("0 queued@q1, 5 answered, 9 ended, 20 closed", "20", "600"),
        (
            "0 queued@q1, 5 answered, 9 ended:by=transfer",
            "14409",
            "600",
        ),
        (
            "0 queued@q1, 5 answered, 9 attended, 20 ended",
            "14420",
            "600",
        ),
        ("0 queued@q1, 5 answered, 9 blind", "14409", "600"),
        ("0 queued@q1, 5 dequeued:outcome=timeout", "14405", "0"),
        ("0 queued@q1, 5 dequeued:outcome=callback", "14405", "0"),
        ("0 created", "14400", "0"),
        ("0 created, 3 closed", "3", "0"),
    ] {
        let got = fold(&events(life), StateSettings::default()).timeline;
        assert_eq!(seconds(got.end - START), end, "{life}");
        assert_eq!(seconds(got.settle_later), later, "{life}");
    }
}

#[test]
fn the_visit_that_waits_is_told_until_it_is_swept() {
    let waits = |life: &str| {
        let got = fold(&events(life), StateSettings::default());
        got.timeline.waiting.map(|waiting| {
            let until = seconds(waiting.until - START);
            (got.row(waiting.row), waiting.entry - START, until)
        })
    };
    let one = waits("2 queued@q1, 9 alerting:agent=a");
    assert_eq!(
        one,
        Some(("q1".to_owned(), Span::seconds(2), "14409".to_owned()))
    );
    assert_eq!(waits("2 queued@q1, 9 answered"), None);
    assert_eq!(waits("2 queued@q1:direction=outbound"), None);
}

#[test]
fn oddities_are_counted() {
    let odd = |life: &str| fold(&events(life), StateSettings::default()).timeline.odd;
    let conflict = odd("0 queued@q1, 5 dequeued:outcome=abandoned, 9 dequeued:outcome=timeout");
    assert_eq!((conflict.conflicts, conflict.no_effect), (1, 1));
    assert_eq!(odd("5 dequeued:outcome=abandoned").orphans, 1);
    assert_eq!(odd("5 dequeued#1:outcome=abandoned").orphans, 1);
    assert_eq!(odd("0 answered@q1, 5 ended:talk=-1").negative_durations, 1);
    assert!(odd("0 queued@q1").swept);
    assert!(!odd("0 queued@q1, 1 closed").swept);
}

#[test]
fn what_became_of_a_fact_is_told() {
    let mut names = Names::new(std::sync::Arc::new(StateSettings::default()));
    let mut contact = Contact::default();
    for (fact, want) in [
        ("5 queued@q1#1", Inserted::Appended),
        ("9 answered#1:agent=a:id=long", Inserted::Appended),
        ("7 alerting#1:agent=a:id=ring", Inserted::Between),
        ("7 alerting#1:agent=a:id=ring", Inserted::Duplicate),
        ("3 queued@q1#1:id=earlier", Inserted::Replaced),
        ("4 queued@q1#1", Inserted::Duplicate),
        ("9 answered#1:agent=a:id=later", Inserted::Replaced),
    ] {
        assert_eq!(contact.insert(&events(fact)[0], &mut names), want, "{fact}");
    }
    assert_eq!(contact.len(), 3);
    assert_eq!(contact.bytes, b"ringaearlierlatera");
    contact.begin(ClientNo(0));
    assert!(contact.is_empty());
}
