//! The facts of a contact, and which of them are one.

use std::collections::BTreeMap;

use super::super::record::{CONTACT_TYPES, Record, time};

/// One fact of a contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub time: i64,
    pub kind: &'static str,
    pub rank: usize,
    pub id: String,
    pub visit: Option<i64>,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub channel: Option<String>,
    pub direction: Option<String>,
    pub outcome: Option<String>,
    pub queued_at: Option<i64>,
    pub by: Option<String>,
    pub blind: bool,
    pub talk: Option<i64>,
    pub hold: Option<i64>,
    pub acw: Option<i64>,
}

impl Fact {
    pub fn of(record: &Record) -> Self {
        let rank = CONTACT_TYPES
            .iter()
            .position(|kind| *kind == record.kind)
            .expect("a contact event");
        Self {
            time: record.time,
            kind: &CONTACT_TYPES[rank]["contact.".len()..],
            rank,
            id: record.text("id").expect("checked"),
            visit: record.number("visit"),
            queue: record.text("queue_id"),
            agent: record.text("agent_id"),
            channel: record.text("channel"),
            direction: record.text("direction"),
            outcome: record.text("outcome"),
            queued_at: record.value.get("queued_at").and_then(time),
            by: record.text("by"),
            blind: record.text("kind").as_deref() == Some("blind"),
            talk: record.number("talk_ms"),
            hold: record.number("hold_ms"),
            acw: record.number("acw_ms"),
        }
    }

    pub(super) fn is_end(&self) -> bool {
        ["dequeued", "transferred", "ended"].contains(&self.kind)
    }

    /// (visit, type, agent) where the fact names its visit and its type happens once, else the id.
    pub fn identity(&self) -> String {
        let once = ["queued", "answered", "dequeued", "ended", "wrapped_up"].contains(&self.kind);
        let by_agent = ["answered", "ended", "wrapped_up"].contains(&self.kind);
        match self.visit {
            Some(visit) if once => {
                let agent = if by_agent { self.agent.clone() } else { None };
                format!("visit {visit} {} {agent:?}", self.kind)
            }
            _ => format!("id {}", self.id),
        }
    }

    fn order(&self) -> (i64, i64, usize, String) {
        (
            self.time,
            self.visit.unwrap_or(0),
            self.rank,
            self.id.clone(),
        )
    }
}

/// Of two facts of one identity the earlier stands; of equal times the smaller id.
pub fn distinct(facts: &[Fact]) -> Vec<Fact> {
    let earliest = |facts: Vec<Fact>, key: fn(&Fact) -> String| -> Vec<Fact> {
        let mut kept: BTreeMap<String, Fact> = BTreeMap::new();
        for fact in facts {
            let standing = kept.entry(key(&fact)).or_insert_with(|| fact.clone());
            if (fact.time, &fact.id) < (standing.time, &standing.id) {
                *standing = fact;
            }
        }
        kept.into_values().collect()
    };
    let by_id = earliest(facts.to_vec(), |fact| fact.id.clone());
    let mut kept = earliest(by_id, Fact::identity);
    kept.sort_by_key(Fact::order);
    kept
}
