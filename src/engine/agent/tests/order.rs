//! Whatever order the same facts arrive in, the figures are the same: random days of an agent, read
//! in order, out of order by up to `settle_after`, twice, with checkpoints and without.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::script::{
    Line, Net, at, aux, capacity, instant, log_in, log_out, member, net, partition, presence,
    snapshot,
};
use crate::event::{ActivityState, Presence};

/// `settle_after`, in seconds.
const SETTLE: i64 = 300;
/// Facts lie this far apart, so that many share an instant.
const GRID: i64 = 50;

/// A fact, and by how many seconds it comes late, each time that it comes.
type Arrival = (Line, Vec<i64>);

fn any_state() -> impl Strategy<Value = ActivityState> {
    use ActivityState::{Acw, Alerting, Connected, Error, Held, Missed, Rejected, Released};
    select(vec![
        Alerting, Connected, Connected, Held, Acw, Acw, Released, Released, Missed, Rejected, Error,
    ])
}

fn any_presence() -> impl Strategy<Value = Presence> {
    use Presence::{Aux, Available, Offline};
    select(vec![Available, Available, Aux, Offline])
}

fn any_contact(time: i64) -> impl Strategy<Value = Line> {
    let contact = select(vec!["x", "y", "z"]);
    let place = select(vec![
        ("q", "voice"),
        ("", "voice"),
        ("r", "chat"),
        ("m", "email"),
    ]);
    let client = select(vec!["default", "default", "default", "beta"]);
    let timer = proptest::option::of(0..200_i64);
    (contact, any_state(), place, client, timer).prop_map(
        move |(contact, state, (queue, channel), client, timer)| {
            let line = at(time, contact, state).queue(queue).channel(channel);
            let line = line.client(client);
            match timer {
                Some(timer) => line.lasting(timer),
                None => line,
            }
        },
    )
}

fn any_snapshot(time: i64) -> impl Strategy<Value = Line> {
    let since = proptest::option::of((-60..600_i64).prop_map(|ago| ago / GRID * GRID));
    let listed = (select(vec!["x", "y", "beta/x"]), any_state(), since);
    let contacts = proptest::option::of(vec(listed, 0..3));
    let serves = proptest::option::of(select(vec!["q", "r/chat"]));
    let declared = proptest::option::of(any_presence());
    (contacts, serves, declared).prop_map(move |(contacts, serves, declared)| {
        let mut line = snapshot(time);
        if let Some(mut contacts) = contacts {
            contacts.sort_by_key(|(contact, ..)| *contact);
            contacts.dedup_by_key(|(contact, ..)| *contact);
            for (.., since) in &mut contacts {
                *since = since.map(|ago| time - ago);
            }
            line = line.lists(&contacts);
        }
        if let Some(queue) = serves {
            line = line.serving(&[queue], &[("voice", 1), ("chat", 2)]);
        }
        match declared {
            Some(declared) => line.declares(declared),
            None => line,
        }
    })
}

fn any_line(time: i64) -> impl Strategy<Value = Line> {
    prop_oneof![
        1 => Just(log_in(time)),
        1 => Just(log_out(time)),
        3 => any_presence().prop_map(move |state| presence(time, state)),
        1 => Just(aux(time, "break")),
        1 => select(vec!["q", "q/chat", "r/chat", "beta/q"]).prop_map(move |queue| member(time, &[queue])),
        1 => select(vec!["voice", "chat"]).prop_map(move |channel| capacity(time, &[(channel, 2)])),
        8 => any_contact(time),
        4 => any_snapshot(time),
    ]
}

/// Facts of an hour or two with pauses of up to 20 hours between them.
fn any_day() -> impl Strategy<Value = Vec<Arrival>> {
    let gap = prop_oneof![
        30 => (0..4_i64).prop_map(|steps| steps * GRID),
        4 => (4..40_i64).prop_map(|steps| steps * GRID),
        1 => (60..1500_i64).prop_map(|minutes| minutes * 60),
    ];
    let late = prop_oneof![Just(0), 0..=SETTLE];
    vec((gap, vec(late, 1..3)), 1..40).prop_flat_map(|gaps| {
        let mut time = 0;
        let lines: Vec<_> = gaps
            .into_iter()
            .map(|(gap, late)| {
                time += gap;
                (any_line(time), Just(late))
            })
            .collect();
        lines
    })
}

fn figures(arrivals: &[(i64, Line)], checkpoints: bool) -> Net {
    let lines: Vec<_> = arrivals.iter().map(|(_, line)| line.clone()).collect();
    let end = arrivals.iter().map(|(time, _)| *time).max().unwrap_or(0);
    net(
        &mut partition(&lines, checkpoints),
        instant(end + 30 * 24 * 3600),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_order_of_arrival_within_settle_after_gives_the_same_figures(day in any_day()) {
        let ids: Vec<&'static str> = (0..day.len())
            .map(|number| &*format!("e{:02}", number * 7 % 40).leak())
            .collect();
        let mut in_order = Vec::new();
        let mut arrivals = Vec::new();
        for ((line, late), id) in day.into_iter().zip(ids) {
            let line = line.id(id);
            let time = line.seconds();
            for late in late {
                arrivals.push((time + late, line.clone()));
            }
            in_order.push((time, line));
        }
        arrivals.sort_by_key(|(arrival, _)| *arrival);
        let expected = figures(&in_order, false);
        prop_assert_eq!(&figures(&in_order, true), &expected, "in order, with checkpoints");
        prop_assert_eq!(&figures(&arrivals, false), &expected, "out of order");
        prop_assert_eq!(&figures(&arrivals, true), &expected, "out of order, with checkpoints");
    }
}
