//! One table for each rule of `docs/events.md`: a life, and what windows count of it.

mod by_time;

use super::lives::{events, fold};
use crate::engine::settings::StateSettings;

type Table = &'static [(&'static str, &'static str)];

/// Every life gives these counts, in whatever order its facts arrive.
fn counts(table: Table) {
    for &(life, want) in table {
        let events = events(life);
        let got = fold(&events, StateSettings::default());
        assert_eq!(got.counts(), want, "{life}");
        for turn in 0..events.len() {
            let (late, early) = events.split_at(turn);
            let shifted = early.iter().chain(late).chain(early);
            let again = fold(shifted, StateSettings::default());
            assert_eq!(again.counts(), want, "{life}, shifted by {turn}");
            let backwards = fold(early.iter().chain(late).rev(), StateSettings::default());
            assert_eq!(backwards.counts(), want, "{life}, backwards from {turn}");
        }
    }
}

#[test]
fn a_visit_is_offered_once_and_has_one_outcome() {
    counts(&[
        (
            "0 queued@q1, 20 answered, 80 ended",
            "0 q1 offered, 20 q1 answered 20, 80 q1 handled 60+0",
        ),
        (
            "0 queued@q1, 5 dequeued:outcome=abandoned",
            "0 q1 offered, 5 q1 abandoned 5",
        ),
        (
            "0 queued@q1, 12 dequeued:outcome=callback, 60 closed",
            "0 q1 offered, 12 q1 callback 12",
        ),
        (
            "0 queued@q1, 9 dequeued:outcome=exit_key, 60 closed",
            "0 q1 offered, 9 q1 exit_key 9",
        ),
        ("0 created, 7 closed", ""),
    ]);
}

#[test]
fn the_first_outcome_stands_and_an_implied_one_gives_way() {
    counts(&[
        (
            "0 queued@q1, 10 answered, 15 dequeued:outcome=abandoned, 20 ended",
            "0 q1 offered, 10 q1 answered 10, 20 q1 handled 10+0",
        ),
        (
            "0 queued@q1, 10 dequeued:outcome=abandoned, 12 answered, 20 closed",
            "0 q1 offered, 10 q1 abandoned 10",
        ),
        (
            "0 queued@q1, 10 dequeued:outcome=abandoned, 10 answered, 15 ended",
            "0 q1 offered, 10 q1 answered 10, 15 q1 handled 5+0",
        ),
        (
            "0 queued@q1#1, 9 queued@q2#2, 12 dequeued#1:outcome=timeout, 30 answered#2, 40 ended",
            "0 q1 offered, 9 q2 offered, 12 q1 timeout 12, 30 q2 answered 21, 40 q2 handled 10+0",
        ),
        (
            "0 queued@q1, 7 ended:by=system, 9 answered, 15 ended",
            "0 q1 offered, 9 q1 answered 9, 15 q1 handled 6+0",
        ),
    ]);
}

#[test]
fn an_end_while_waiting_implies_an_outcome() {
    counts(&[
        (
            "0 queued@q1, 7 ended:by=customer",
            "0 q1 offered, 7 q1 abandoned 7",
        ),
        ("0 queued@q1, 7 ended", "0 q1 offered, 7 q1 abandoned 7"),
        ("0 queued@q1, 7 closed", "0 q1 offered, 7 q1 abandoned 7"),
        (
            "0 queued@q1, 7 ended:by=agent, 9 closed",
            "0 q1 offered, 7 q1 error 7",
        ),
    ]);
}

#[test]
fn a_second_queued_begins_a_visit_only_elsewhere_or_after_an_outcome() {
    counts(&[
        (
            "0 queued@q1, 9 queued@q1, 30 answered, 40 ended",
            "0 q1 offered, 30 q1 answered 30, 40 q1 handled 10+0",
        ),
        (
            "0 queued@q1, 9 queued@q2, 30 answered, 40 ended",
            "0 q1 offered, 9 q1 overflow 9, 9 q2 offered, 30 q2 answered 21, 40 q2 handled 10+0",
        ),
        (
            "0 queued@q1, 5 dequeued:outcome=abandoned, 9 queued@q1, 30 dequeued:outcome=abandoned",
            "0 q1 offered, 5 q1 abandoned 5, 9 q1 offered, 30 q1 abandoned 21",
        ),
    ]);
}

#[test]
fn a_fact_belongs_to_the_visit_named_then_the_queue_named_then_the_one_in_force() {
    counts(&[
        (
            "0 queued@q1, 9 queued@q2, 12 dequeued@q1:outcome=timeout, 20 closed",
            "0 q1 offered, 9 q2 offered, 12 q1 timeout 12, 20 q2 abandoned 11",
        ),
        (
            "0 queued@q1, 9 queued@q2, 12 dequeued#1:outcome=timeout, 20 closed",
            "0 q1 offered, 9 q2 offered, 12 q1 timeout 12, 20 q2 abandoned 11",
        ),
        (
            "0 queued@q1, 9 dequeued@q7:outcome=timeout, 20 closed",
            "0 q1 offered, 9 q1 timeout 9",
        ),
        (
            "0 queued@q1, 9 answered@q7, 20 ended",
            "0 q1 offered, 9 q1 overflow 9, 9 q7 offered, 9 q7 answered 0, 20 q7 handled 11+0",
        ),
        (
            "5 answered, 9 held@q3, 20 ended",
            "5 q3 offered, 5 q3 answered 0, 20 q3 handled 4+11",
        ),
        ("5 answered, 20 ended", ""),
    ]);
}

#[test]
fn queued_at_is_the_entry() {
    counts(&[
        (
            "0 answered@q1, 9 ended",
            "0 q1 offered, 0 q1 answered 0, 9 q1 handled 9+0",
        ),
        (
            "30 answered@q1:queued_at=5, 40 ended",
            "5 q1 offered, 30 q1 answered 25, 40 q1 handled 10+0",
        ),
        (
            "3 queued@q1, 30 answered:queued_at=5, 40 ended",
            "5 q1 offered, 30 q1 answered 25, 40 q1 handled 10+0",
        ),
        (
            "30 dequeued@q1:outcome=abandoned:queued_at=5",
            "5 q1 offered, 30 q1 abandoned 25",
        ),
        ("30 dequeued@q1:outcome=abandoned", ""),
        (
            "0 queued@q1, 10 dequeued@q2:outcome=abandoned:queued_at=4",
            "0 q1 offered, 4 q2 offered, 10 q1 overflow 10, 10 q2 abandoned 6",
        ),
        (
            "30 answered@q1:queued_at=35, 40 ended",
            "30 q1 answered 0, 35 q1 offered, 40 q1 handled 10+0",
        ),
    ]);
}

#[test]
fn where_a_visit_begins_ends_go_first_and_the_rest_to_the_visit_just_begun() {
    counts(&[
        (
            "0 queued@q1, 10 dequeued:outcome=overflow, 10 queued@q2, 10 answered, 14 ended",
            "0 q1 offered, 10 q1 overflow 10, 10 q2 offered, 10 q2 answered 0, 14 q2 handled 4+0",
        ),
        (
            "0 queued@q1, 10 answered@q2, 10 dequeued:outcome=timeout, 14 ended",
            "0 q1 offered, 10 q1 timeout 10, 10 q2 offered, 10 q2 answered 0, 14 q2 handled 4+0",
        ),
        (
            "0 queued@q1, 0 dequeued:outcome=abandoned",
            "0 q1 offered, 0 q1 abandoned 0",
        ),
        (
            "0 closed, 0 wrapped_up:acw=2, 0 ended, 0 answered, 0 queued@q1",
            "0 q1 offered, 0 q1 answered 0, 0 q1 handled 0+0, 0 q1 acw 2",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 25 blind, 25 queued@q2, 25 answered:agent=b, 30 ended",
            "0 q1 offered, 5 q1 answered 5, 25 q1 transferred, 25 q1 handled 20+0, \
             25 q2 offered, 25 q2 answered 0, 30 q2 handled 5+0",
        ),
        (
            "0 queued@q1#1, 9 dequeued#1:outcome=timeout, 9 queued@q2#2, 9 answered#2, 12 ended",
            "0 q1 offered, 9 q1 timeout 9, 9 q2 offered, 9 q2 answered 0, 12 q2 handled 3+0",
        ),
    ]);
}

#[test]
fn every_leg_is_handled_once_with_its_own_talk_and_hold() {
    counts(&[
        (
            "0 queued@q1, 5 answered:agent=a, 9 answered:agent=b, 20 ended:agent=a, 30 ended:agent=b",
            "0 q1 offered, 5 q1 answered 5, 20 q1 handled 15+0, 30 q1 handled 21+0",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 9 answered:agent=a, 20 ended:agent=a, 30 closed",
            "0 q1 offered, 5 q1 answered 5, 20 q1 handled 15+0",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 9 answered:agent=b, 20 ended, 30 closed",
            "0 q1 offered, 5 q1 answered 5, 20 q1 handled 15+0, 30 q1 handled 21+0",
        ),
        (
            "0 queued@q1, 5 answered, 20 ended:agent=x",
            "0 q1 offered, 5 q1 answered 5, 20 q1 handled 15+0",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 9 ended:agent=b, 20 ended:agent=a",
            "0 q1 offered, 5 q1 answered 5, 20 q1 handled 15+0",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 20 attended:agent=a, 21 queued@q2, \
             30 answered:agent=b, 31 held:agent=a, 35 ended:agent=a, 50 ended:agent=b",
            "0 q1 offered, 5 q1 answered 5, 20 q1 transferred, 21 q2 offered, 30 q2 answered 9, \
             35 q1 handled 26+4, 50 q2 handled 20+0",
        ),
    ]);
}

#[test]
fn a_blind_transfer_ends_the_part_and_its_ended_only_states_talk_and_hold() {
    counts(&[
        (
            "0 queued@q1, 5 answered:agent=a, 25 blind:agent=a, 27 ended:agent=a:talk=3:hold=2",
            "0 q1 offered, 5 q1 answered 5, 25 q1 transferred, 25 q1 handled 3+2",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 25 blind, 25 queued@q2, 26 ended:agent=a, \
             30 answered:agent=b, 40 ended:agent=b",
            "0 q1 offered, 5 q1 answered 5, 25 q1 transferred, 25 q1 handled 20+0, \
             25 q2 offered, 30 q2 answered 5, 40 q2 handled 10+0",
        ),
        (
            "0 queued@q1, 5 answered:agent=a, 20 ended:agent=a, 21 blind:agent=a",
            "0 q1 offered, 5 q1 answered 5, 20 q1 handled 15+0, 21 q1 transferred",
        ),
        (
            "0 queued@q1, 3 blind, 9 dequeued:outcome=abandoned",
            "0 q1 offered, 9 q1 abandoned 9",
        ),
    ]);
}

#[test]
fn hold_is_the_sum_of_held_intervals_and_stated_times_have_authority() {
    counts(&[
        (
            "0 queued@q1, 5 answered, 9 held, 12 held, 19 resumed, 20 resumed, 30 held, 35 ended",
            "0 q1 offered, 5 q1 answered 5, 35 q1 handled 15+15",
        ),
        (
            "0 queued@q1, 5 answered, 9 held, 19 resumed, 35 ended:hold=4",
            "0 q1 offered, 5 q1 answered 5, 35 q1 handled 26+4",
        ),
        (
            "0 queued@q1, 5 answered, 9 held, 19 resumed, 35 ended:talk=-7",
            "0 q1 offered, 5 q1 answered 5, 35 q1 handled 0+10",
        ),
        (
            "0 queued@q1, 5 answered, 35 ended:hold=99",
            "0 q1 offered, 5 q1 answered 5, 35 q1 handled 0+99",
        ),
    ]);
}

#[test]
fn one_identity_counts_once_and_the_earlier_stands() {
    counts(&[
        (
            "5 queued@q1#1, 3 queued@q1#1, 9 dequeued#1:outcome=abandoned",
            "3 q1 offered, 9 q1 abandoned 6",
        ),
        (
            "0 queued@q1#1, 9 answered#1:agent=a, 9 answered#1:agent=b, 12 ended#1:agent=a, \
             14 ended#1:agent=a, 15 ended#1:agent=b",
            "0 q1 offered, 9 q1 answered 9, 12 q1 handled 3+0, 15 q1 handled 6+0",
        ),
        (
            "0 queued@q1, 9 dequeued:outcome=timeout:id=x, 7 dequeued:outcome=abandoned:id=x",
            "0 q1 offered, 7 q1 abandoned 7",
        ),
        (
            "0 queued@q1#1, 9 dequeued#1:outcome=timeout:id=x, 9 dequeued#1:outcome=abandoned:id=b",
            "0 q1 offered, 9 q1 abandoned 9",
        ),
    ]);
}

#[test]
fn channel_and_direction_are_the_contacts_but_a_callback_visit_has_its_own() {
    counts(&[
        (
            "0 created:channel=chat, 1 queued@q1, 5 dequeued:outcome=abandoned",
            "1 q1/chat offered, 5 q1/chat abandoned 4",
        ),
        (
            "0 created:channel=voice, 1 queued@q1, 5 dequeued:outcome=callback, \
             90 queued@q1:channel=callback, 95 answered, 99 ended",
            "1 q1 offered, 5 q1 callback 4, 90 q1/callback offered, 95 q1/callback answered 5, \
             99 q1/callback handled 4+0",
        ),
        (
            "0 dialled:direction=outbound:channel=voice, 90 queued@q1:channel=callback, \
             95 answered, 99 ended",
            "90 q1/callback offered, 95 q1/callback answered 5, 99 q1/callback handled 4+0",
        ),
        (
            "0 queued@q1:direction=outbound, 3 alert_failed:agent=x, 9 answered, 15 blind, \
             20 wrapped_up:acw=4",
            "15 q1 handled 6+0, 20 q1 acw 4",
        ),
        ("0 queued@q1:direction=consult, 9 answered, 20 ended", ""),
    ]);
}

#[test]
fn without_news_a_contact_is_swept() {
    counts(&[
        ("0 queued@q1", "0 q1 offered, 14400 q1 error -"),
        (
            "0 queued@q1, 100 alerting:agent=a, 200 rated",
            "0 q1 offered, 14500 q1 error -",
        ),
        ("0 queued@q1, 5 answered", "0 q1 offered, 5 q1 answered 5"),
        (
            "0 queued@q1, 14400 answered, 14401 ended",
            "0 q1 offered, 14400 q1 answered 14400, 14401 q1 handled 1+0",
        ),
        (
            "0 queued@q1, 14400.001 answered, 14401 ended",
            "0 q1 offered, 14400 q1 error -",
        ),
        (
            "0 queued@q1:channel=chat, 14400.001 answered, 14401 ended",
            "0 q1/chat offered, 14400.001 q1/chat answered 14400.001, 14401 q1/chat handled 0.999+0",
        ),
    ]);
}
