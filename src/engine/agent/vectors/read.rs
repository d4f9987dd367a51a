//! Reads records with nothing but `serde_json`, independent of the engine's decoder.

use serde_json::Value;

use crate::event::{
    ActivityState, AgentContact, AgentEvent, AgentKind, AgentSnapshot, Capacity, Membership,
    Millis, Presence, SnapshotContact, Span, Text,
};

/// One record of a partition.
pub(super) struct Record {
    pub(super) partition: usize,
    /// Spreads agents over any number of partitions.
    pub(super) spread: usize,
    pub(super) time: Millis,
    /// `None` for events of contacts: they only move stream time.
    pub(super) event: Option<AgentEvent<'static>>,
}

impl Record {
    /// Reads one; `None` for a bad record.
    pub(super) fn read(line: &str, partition: usize) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let time = millis(&value["time"])?;
        let agent = text(&value["agent_id"])?;
        let event = match value["type"].as_str()?.strip_prefix("agent.") {
            Some(kind) => Some(AgentEvent {
                id: text(&value["id"])?,
                time,
                client_id: text(&value["client_id"]).unwrap_or("default".into()),
                agent_id: agent.clone(),
                kind: read_kind(kind, &value)?,
            }),
            None => None,
        };
        let spread = agent.bytes().map(usize::from).sum();
        Some(Self {
            partition,
            spread,
            time,
            event,
        })
    }
}

/// Epoch milliseconds, or RFC 3339.
pub(super) fn millis(value: &Value) -> Option<Millis> {
    match value {
        Value::Number(number) => number.as_i64().map(Millis),
        Value::String(text) => {
            let at: jiff::Timestamp = text.parse().ok()?;
            i64::try_from(at.as_nanosecond().div_euclid(1_000_000))
                .ok()
                .map(Millis)
        }
        _ => None,
    }
}

fn text(value: &Value) -> Option<Text<'static>> {
    value.as_str().map(|text| Text::Owned(text.to_owned()))
}

fn read_kind(kind: &str, value: &Value) -> Option<AgentKind<'static>> {
    Some(match kind {
        "logged_in" => AgentKind::LoggedIn,
        "logged_out" => AgentKind::LoggedOut,
        "state" => AgentKind::State {
            state: presence(&value["state"])?,
            reason: text(&value["reason"]),
        },
        "queues" => AgentKind::Queues(queues(&value["queues"])?),
        "capacity" => AgentKind::Capacity(capacity(value)?),
        "contact" => AgentKind::Contact(AgentContact {
            contact_id: text(&value["contact_id"])?,
            state: activity(&value["state"])?,
            queue_id: text(&value["queue_id"]),
            channel: text(&value["channel"]),
            direction: None,
            for_ms: value["for_ms"].as_i64().map(Span),
        }),
        "snapshot" => AgentKind::Snapshot(AgentSnapshot {
            presence: presence(&value["presence"]),
            reason: text(&value["reason"]),
            queues: queues(&value["queues"]),
            capacity: capacity(value),
            contacts: value["contacts"]
                .as_array()
                .map(|contacts| contacts.iter().filter_map(listed).collect()),
        }),
        _ => return None,
    })
}

fn presence(value: &Value) -> Option<Presence> {
    match value.as_str()? {
        "available" => Some(Presence::Available),
        "aux" => Some(Presence::Aux),
        "offline" => Some(Presence::Offline),
        _ => None,
    }
}

fn activity(value: &Value) -> Option<ActivityState> {
    Some(match value.as_str()? {
        "alerting" => ActivityState::Alerting,
        "connected" => ActivityState::Connected,
        "held" => ActivityState::Held,
        "acw" => ActivityState::Acw,
        "released" => ActivityState::Released,
        "missed" => ActivityState::Missed,
        "rejected" => ActivityState::Rejected,
        "error" => ActivityState::Error,
        _ => return None,
    })
}

fn queues(value: &Value) -> Option<Vec<Membership<'static>>> {
    let read = |queue: &Value| {
        Some(Membership {
            client_id: text(&queue["client_id"]),
            queue_id: text(&queue["queue_id"])?,
            channel: text(&queue["channel"]),
        })
    };
    Some(value.as_array()?.iter().filter_map(read).collect())
}

fn capacity(value: &Value) -> Option<Capacity<'static>> {
    let slots = value["slots"].as_object()?;
    let slots = slots.iter().map(|(channel, slots)| {
        let channel = Text::Owned(channel.clone());
        (channel, u32::try_from(slots.as_u64().unwrap()).unwrap())
    });
    Some(Capacity {
        slots: slots.collect(),
        shared: value["shared"].as_bool().unwrap_or(false),
    })
}

fn listed(value: &Value) -> Option<SnapshotContact<'static>> {
    Some(SnapshotContact {
        contact_id: text(&value["contact_id"])?,
        client_id: text(&value["client_id"]),
        queue_id: text(&value["queue_id"]),
        channel: text(&value["channel"]),
        state: activity(&value["state"])?,
        since: millis(&value["since"]),
    })
}
