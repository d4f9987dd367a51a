//! Which records count, and in what order a partition applies them.

use serde_json::Value;

/// An accepted event.
#[derive(Clone, Debug)]
pub struct Record {
    pub time: i64,
    pub kind: String,
    pub value: Value,
}

impl Record {
    pub fn text(&self, field: &str) -> Option<String> {
        self.value[field].as_str().map(str::to_owned)
    }

    pub fn number(&self, field: &str) -> Option<i64> {
        self.value[field].as_i64()
    }

    pub fn client(&self) -> String {
        self.text("client_id")
            .unwrap_or_else(|| "default".to_owned())
    }

    pub fn is_contact(&self) -> bool {
        self.kind.starts_with("contact.")
    }

    pub fn is_agent(&self) -> bool {
        self.kind.starts_with("agent.")
    }
}

/// Contact events in the order of their rank.
pub const CONTACT_TYPES: [&str; 19] = [
    "contact.created",
    "contact.queued",
    "contact.alerting",
    "contact.alert_failed",
    "contact.answered",
    "contact.dequeued",
    "contact.held",
    "contact.resumed",
    "contact.transferred",
    "contact.ended",
    "contact.wrapped_up",
    "contact.responded",
    "contact.resolved",
    "contact.dialled",
    "contact.callback_scheduled",
    "contact.callback_attempted",
    "contact.rated",
    "contact.complained",
    "contact.closed",
];

/// Agent events in the order of their rank.
pub const AGENT_TYPES: [&str; 7] = [
    "agent.logged_in",
    "agent.logged_out",
    "agent.state",
    "agent.queues",
    "agent.capacity",
    "agent.contact",
    "agent.snapshot",
];

/// States of a contact at an agent in the order of their rank.
pub const STATES: [&str; 8] = [
    "alerting",
    "connected",
    "held",
    "acw",
    "released",
    "missed",
    "rejected",
    "error",
];

pub const OUTCOMES: [&str; 9] = [
    "abandoned",
    "overflow",
    "timeout",
    "exit_key",
    "no_agents",
    "transfer",
    "callback",
    "withdrawn",
    "error",
];

const EARLIEST: i64 = 631_152_000_000;
const LATEST: i64 = 4_102_444_800_000;

/// Epoch milliseconds, or RFC 3339 with an offset, digits beyond the millisecond cut.
pub fn time(value: &Value) -> Option<i64> {
    let at = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => {
            let nanos = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
            i64::try_from(nanos.div_euclid(1_000_000)).ok()?
        }
        _ => return None,
    };
    (EARLIEST..=LATEST).contains(&at).then_some(at)
}

/// The event of a record, if it counts.
pub fn accept(value: &Value) -> Option<Record> {
    let kind = value.get("type")?.as_str()?.to_owned();
    let record = Record {
        time: time(value.get("time")?)?,
        kind,
        value: value.clone(),
    };
    let has = |field: &str| record.text(field).is_some_and(|text| !text.is_empty());
    let one_of = |field: &str, list: &[&str]| {
        record
            .text(field)
            .is_some_and(|text| list.contains(&text.as_str()))
    };
    let absent_or = |field: &str, list: &[&str]| value.get(field).is_none() || one_of(field, list);
    let directions = ["inbound", "outbound", "internal", "consult", "monitor"];
    let needs = match record.kind.as_str() {
        "contact.queued" => has("queue_id"),
        "contact.alerting" | "contact.alert_failed" => has("agent_id"),
        "contact.dequeued" => one_of("outcome", &OUTCOMES),
        "contact.transferred" => absent_or("kind", &["blind", "attended"]),
        "contact.ended" => absent_or("by", &["customer", "agent", "system", "transfer"]),
        "agent.state" => one_of("state", &["available", "aux", "offline"]),
        "agent.contact" => has("contact_id") && one_of("state", &STATES),
        _ => true,
    };
    let family = if record.is_contact() {
        CONTACT_TYPES.contains(&record.kind.as_str()) && has("contact_id")
    } else {
        AGENT_TYPES.contains(&record.kind.as_str()) && has("agent_id")
    };
    let visit = value
        .get("visit")
        .is_none_or(|visit| visit.as_i64().is_some_and(|visit| visit >= 1));
    (has("id") && needs && family && visit && absent_or("direction", &directions)).then_some(record)
}

/// What a partition has applied when the instant `at` is evaluated, in the order applied: records
/// pass through a buffer that lets a record go when one later than it by more than `disorder` was
/// read; what is read after that moment for `at` itself is missing from it.
pub fn applied(records: &[Record], at: i64, disorder: i64) -> Vec<&Record> {
    let mut buffer: Vec<&Record> = Vec::new();
    let mut out = Vec::new();
    let mut latest = i64::MIN;
    for record in records {
        if record.time > at + disorder {
            break;
        }
        latest = latest.max(record.time);
        buffer.push(record);
        buffer.sort_by_key(|held| held.time); // stable: arrival order among equals
        while buffer
            .first()
            .is_some_and(|first| first.time + disorder < latest)
        {
            out.push(buffer.remove(0));
        }
    }
    out.append(&mut buffer);
    out.retain(|record| record.time <= at);
    out
}
