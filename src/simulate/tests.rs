use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::decode::{Limits, decode};

const FROM: Millis = Millis(1_767_603_600_000);

fn demo_events(minutes: i64) -> Vec<OwnedEvent> {
    Simulation::new(&Options::demo(7, FROM))
        .take_while(|event| event.sent <= FROM + Span::minutes(minutes))
        .collect()
}

fn parsed(events: &[OwnedEvent]) -> Vec<Value> {
    events
        .iter()
        .map(|event| serde_json::from_slice(&event.json).unwrap())
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_ones() {
    let run = |seed| -> Vec<OwnedEvent> {
        Simulation::new(&Options::demo(seed, FROM))
            .take(20_000)
            .collect()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn events_come_in_order_of_time_with_ids_of_their_own() {
    let events = demo_events(70);
    assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
    assert!(events.iter().all(|event| event.time == event.sent));
    let ids: BTreeSet<String> = parsed(&events)
        .iter()
        .map(|event| text(event, "id").to_owned())
        .collect();
    assert_eq!(ids.len(), events.len());
}

#[test]
fn a_run_that_begins_later_tells_of_other_contacts() {
    let ids = |from| -> BTreeSet<String> {
        let run = Simulation::new(&Options::demo(3, from)).take(20_000);
        let events: Vec<OwnedEvent> = run.collect();
        let values = parsed(&events);
        let ids = values
            .iter()
            .flat_map(|event| [text(event, "id"), text(event, "contact_id")]);
        ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
    };
    let (first, second) = (ids(FROM), ids(FROM + Span::seconds(1)));
    assert!(first.is_disjoint(&second));
}

#[test]
fn every_event_decodes() {
    for event in demo_events(70) {
        let decoded = decode(&event.json, &Limits::default());
        assert!(
            decoded.is_ok(),
            "{decoded:?}: {}",
            String::from_utf8_lossy(&event.json)
        );
    }
}

#[test]
fn the_demo_has_at_least_12_queues_3_channels_and_3_clients_in_motion() {
    let events = parsed(&demo_events(70));
    let offered: Vec<&Value> = events
        .iter()
        .filter(|event| text(event, "type") == "contact.queued")
        .collect();
    let of =
        |name: &str| -> BTreeSet<&str> { offered.iter().map(|event| text(event, name)).collect() };
    let queues: BTreeSet<(&str, &str, &str)> = offered
        .iter()
        .map(|event| {
            (
                text(event, "client_id"),
                text(event, "queue_id"),
                text(event, "channel"),
            )
        })
        .collect();
    assert!(queues.len() >= 12, "{queues:?}");
    assert!(of("channel").len() >= 3 && of("client_id").len() >= 3);
}

#[test]
fn everything_a_centre_does_happens_within_70_minutes() {
    let events = parsed(&demo_events(70));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for event in &events {
        let mut kind = text(event, "type").to_owned();
        for detail in ["outcome", "kind", "state", "reason"] {
            if !text(event, detail).is_empty() {
                kind = format!("{kind} {}", text(event, detail));
            }
        }
        *seen.entry(kind).or_default() += 1;
    }
    for kind in [
        "contact.queued",
        "contact.alerting",
        "contact.alert_failed no_answer",
        "contact.alert_failed rejected",
        "contact.alert_failed caller_left",
        "contact.answered",
        "contact.dequeued abandoned",
        "contact.dequeued overflow",
        "contact.dequeued callback",
        "contact.dequeued exit_key",
        "contact.held",
        "contact.resumed",
        "contact.transferred blind",
        "contact.transferred attended",
        "contact.ended",
        "contact.wrapped_up",
        "contact.responded",
        "contact.resolved",
        "contact.dialled",
        "contact.callback_scheduled",
        "contact.callback_attempted",
        "contact.rated",
        "contact.closed",
        "agent.logged_in",
        "agent.logged_out",
        "agent.queues",
        "agent.capacity",
        "agent.state available",
        "agent.state aux lunch",
        "agent.contact missed",
        "agent.contact acw",
        "agent.snapshot",
        "queue.configured",
    ] {
        assert!(
            seen.keys().any(|key| key.starts_with(kind)),
            "no {kind} in {seen:#?}"
        );
    }
}

/// The two sides of one model: at the end, the contacts that agents hold are those that the contact
/// events say are at agents.
#[test]
fn contact_events_and_agent_events_agree() {
    let mut by_contact: BTreeMap<String, String> = BTreeMap::new();
    let mut by_agent: BTreeMap<String, String> = BTreeMap::new();
    for event in parsed(&demo_events(70)) {
        let contact = text(&event, "contact_id").to_owned();
        let agent = text(&event, "agent_id").to_owned();
        match (text(&event, "type"), text(&event, "state")) {
            ("contact.answered", _) => drop(by_contact.insert(contact, agent)),
            ("contact.ended", _) => drop(by_contact.remove(&contact)),
            ("contact.transferred", _) if event["kind"] == "blind" => {
                by_contact.remove(&contact);
            }
            ("agent.contact", "connected") => drop(by_agent.insert(contact, agent)),
            ("agent.contact", "acw" | "released" | "missed" | "rejected" | "error") => {
                by_agent.remove(&contact);
            }
            _ => {}
        }
    }
    assert!(by_contact.len() > 20, "{}", by_contact.len());
    assert_eq!(by_contact, by_agent);
}

#[test]
fn agents_hold_several_chats_but_one_call() {
    let mut held: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for event in parsed(&demo_events(70)) {
        if text(&event, "type") != "agent.contact" {
            continue;
        }
        let agent = held.entry(text(&event, "agent_id").to_owned()).or_default();
        let contact = text(&event, "contact_id").to_owned();
        let channel = text(&event, "channel").to_owned();
        match text(&event, "state") {
            "alerting" | "connected" | "held" => drop(agent.insert(contact, channel.clone())),
            _ => drop(agent.remove(&contact)),
        }
        let count = agent.values().filter(|other| **other == channel).count();
        let most = most.entry(channel).or_default();
        *most = count.max(*most);
    }
    assert_eq!((most["voice"], most["callback"]), (1, 1));
    assert_eq!((most["chat"], most["email"]), (3, 2));
}

#[test]
fn disturbed_events_come_late_or_twice_but_none_is_lost() {
    let faults = Faults {
        duplicates: 0.05,
        disorder: 0.1,
        within: Span::seconds(20),
    };
    let options = Options {
        faults,
        ..Options::demo(7, FROM)
    };
    let until = FROM + Span::minutes(20);
    let disturbed: Vec<OwnedEvent> = Simulation::new(&options)
        .take_while(|event| event.sent <= until)
        .collect();
    assert!(
        disturbed
            .windows(2)
            .all(|pair| pair[0].sent <= pair[1].sent)
    );
    assert!(
        disturbed
            .iter()
            .all(|event| event.sent - event.time <= Span::seconds(20))
    );
    assert!(disturbed.windows(2).any(|pair| pair[0].time > pair[1].time));
    let distinct: BTreeSet<&[u8]> = disturbed.iter().map(|event| &event.json[..]).collect();
    assert!(distinct.len() < disturbed.len());
    let settled = FROM + Span::minutes(19);
    for event in demo_events(20).iter().filter(|event| event.time <= settled) {
        assert!(distinct.contains(&event.json[..]));
    }
}

#[test]
fn a_centre_at_night_is_quieter_than_in_the_rush_hour() {
    let count = |hour: i64| {
        let options = Options {
            time_of_day: Some(Span::hours(hour)),
            ..Options::demo(1, FROM)
        };
        Simulation::new(&options)
            .take_while(|event| event.sent <= FROM + Span::minutes(30))
            .filter(|event| event.json.windows(14).any(|part| part == b"contact.queued"))
            .count()
    };
    let (night, rush) = (count(4), count(10));
    assert!(night * 3 < rush && night > 0, "{night} {rush}");
}

#[test]
fn a_large_centre_keeps_its_contacts_bounded() {
    let scale = Scale {
        queues: 1000,
        agents: 4000,
        ..Scale::LARGEST
    };
    let options = Options {
        scale,
        ..Options::demo(1, FROM)
    };
    let mut simulation = Simulation::new(&options);
    while simulation.next_event().sent <= FROM + Span::minutes(20) {}
    let in_flight = simulation.in_flight();
    assert!((1000..20_000).contains(&in_flight), "{in_flight}");
}

/// Without a channel it would stand for all of them, and a queue of e-mail have a row for voice.
#[test]
fn what_a_queue_is_names_its_channel_if_it_has_but_one() {
    let events = parsed(&demo_events(1));
    let said = events
        .iter()
        .filter(|event| text(event, "type") == "queue.configured");
    let channels: BTreeMap<&str, &Value> = said
        .map(|event| (text(event, "queue_id"), &event["channel"]))
        .collect();
    assert_eq!(channels["orders"], "email");
    assert_eq!(channels["callbacks"], "callback");
    assert!(channels["support"].is_null(), "voice and chat");
}
