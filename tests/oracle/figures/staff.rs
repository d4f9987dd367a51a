//! The agents' figures of a row: what each state that an agent is or was in adds to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::Window;
use super::super::agents::{self, Presence, State};
use super::super::tally::{ratio, seconds};
use super::{Question, Scope, edge, turn_row};

/// How an agent's state touches a row.
struct Touch<'a> {
    state: &'a State,
    /// Counts among the row's staff.
    staff: bool,
    /// What is known of him: without a feed only online and aux.
    whole: bool,
    /// The states of the row's contacts at him.
    work: Vec<&'a str>,
}

impl Touch<'_> {
    fn here(&self) -> bool {
        self.state.activity() == "on_contact"
            && self
                .work
                .iter()
                .any(|state| ["connected", "held"].contains(state))
    }

    /// Each figure and how much of it this state is: counts now, agent-seconds per second.
    fn weights(&self) -> Vec<(String, i64)> {
        let mut weights = Vec::new();
        let mut put = |key: &str, weight: i64| {
            if weight != 0 {
                weights.push((key.to_owned(), weight));
            }
        };
        let state = self.state;
        if self.staff {
            put("online", i64::from(state.is_online()));
            if let Presence::Aux(reason) = &state.presence {
                put(&format!("aux/{reason}"), 1);
            }
        }
        if self.staff && self.whole {
            let free = state.presence == Presence::Available;
            let busy_contacts = state
                .turns
                .values()
                .filter(|turn| turn.state != "alerting")
                .count();
            put("available", i64::from(state.is_available()));
            put(state.activity(), 1);
            put("busy", i64::from(state.is_busy()));
            put("busy_contacts", i64::try_from(busy_contacts).expect("few"));
            put("connect_busy", i64::from(free && state.is_busy()));
            put("connect_idle", i64::from(free && state.turns.is_empty()));
            put(
                "slots_used",
                if free {
                    i64::try_from(state.turns.len()).expect("few")
                } else {
                    0
                },
            );
            put("slots_usable", if free { state.usable_slots() } else { 0 });
            put(
                "elsewhere",
                i64::from(state.activity() == "on_contact" && !self.here()),
            );
            let presence = match &state.presence {
                Presence::Offline => "offline",
                Presence::Available => "available",
                Presence::Aux(_) => "aux",
            };
            if state.activity() != "offline" {
                put(&format!("both/{presence}/{}", state.activity()), 1);
            }
        }
        put("here", i64::from(self.here()));
        for work in ["alerting", "connected", "held", "acw"] {
            let count = self.work.iter().filter(|state| **state == work).count();
            put(&format!("work/{work}"), i64::try_from(count).expect("few"));
        }
        weights
    }
}

const STATES: [&str; 7] = [
    "online",
    "available",
    "alerting",
    "on_contact",
    "acw",
    "not_responding",
    "busy",
];

impl Question<'_> {
    fn touch<'a>(&self, scope: &Scope, state: &'a State) -> Touch<'a> {
        let serves = state.serves();
        let staff = match scope {
            Scope::Total => true,
            Scope::Client(client) if serves.is_empty() => state.named.contains(client),
            _ => serves.iter().any(|row| scope.holds(row, self.settings)),
        };
        let whole = match scope {
            Scope::Queue(_) | Scope::Client(_) => true,
            _ => state
                .clients()
                .iter()
                .any(|client| self.feeds.contains(client)),
        };
        let mine = |turn: &&agents::Turn| match (turn_row(turn), scope) {
            (Some(row), _) => scope.holds(&row, self.settings),
            (None, Scope::Client(client)) => *client == turn.client,
            (None, Scope::Channel(channel)) => *channel == turn.channel,
            (None, Scope::Total) => true,
            (None, _) => false,
        };
        let work = state
            .turns
            .values()
            .filter(mine)
            .map(|turn| turn.state.as_str())
            .collect();
        Touch {
            state,
            staff,
            whole,
            work,
        }
    }

    /// Whether a row can show more than online and aux.
    fn has_feed(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Queue(row) => self.feeds.contains(&row.client),
            Scope::Client(client) => self.feeds.contains(client),
            Scope::Group(_) => self
                .rows_of(scope)
                .iter()
                .any(|row| self.feeds.contains(&row.client)),
            _ => !self.feeds.is_empty(),
        }
    }

    pub(super) fn agents_now(&self, scope: &Scope, now: &mut Map<String, Value>) {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for state in &self.now {
            for (key, weight) in self.touch(scope, state).weights() {
                *sums.entry(key).or_default() += weight;
            }
        }
        let get = |key: &str| json!(sums.get(key).copied().unwrap_or(0));
        let feed = self.has_feed(scope);
        let mut put = |key: &str, value: Value, known: bool| {
            now.insert(key.to_owned(), if known { value } else { Value::Null });
        };
        for key in STATES.iter().filter(|key| **key != "busy") {
            put(&format!("agents_{key}"), get(key), feed || *key == "online");
        }
        put("agents_on_contact_here", get("here"), feed);
        put("agents_on_contact_elsewhere", get("elsewhere"), feed);
        put(
            "agents_aux",
            labelled(&sums, "aux/", |count| json!(count)),
            true,
        );
        let work = ["alerting", "connected", "held", "acw"]
            .map(|state| (state.to_owned(), get(&format!("work/{state}"))));
        put(
            "agent_contacts",
            Value::Object(work.into_iter().collect()),
            feed,
        );
    }

    /// Milliseconds of each figure since each lower edge.
    pub(super) fn agents_time(&self, scope: &Scope) -> BTreeMap<i64, BTreeMap<String, i64>> {
        let mut sums: BTreeMap<i64, BTreeMap<String, i64>> = BTreeMap::new();
        for (state, times) in &self.situations {
            for (key, weight) in self.touch(scope, state).weights() {
                for (from, time) in times {
                    let sums = sums.entry(*from).or_default();
                    *sums.entry(key.clone()).or_default() += weight * time;
                }
            }
        }
        sums
    }

    pub(super) fn agents_window(
        &self,
        scope: &Scope,
        window: &Window,
        time: &BTreeMap<i64, BTreeMap<String, i64>>,
        out: &mut Map<String, Value>,
    ) {
        // Agents' figures of rows of several queues go by the engine's own zone.
        let zone = match scope {
            Scope::Queue(row) => self.settings.zone(row),
            _ => &self.settings.zone,
        };
        let none = BTreeMap::new();
        let sums = time.get(&edge(window, self.at, zone)).unwrap_or(&none);
        let get = |key: &str| sums.get(key).copied().unwrap_or(0);
        let feed = self.has_feed(scope);
        let mut put = |key: &str, value: Value, known: bool| {
            out.insert(key.to_owned(), if known { value } else { Value::Null });
        };
        for key in STATES {
            put(
                &format!("agents_{key}_seconds"),
                seconds(get(key)),
                feed || key == "online",
            );
        }
        for key in ["here", "elsewhere"] {
            let time = seconds(get(key));
            put(&format!("agents_on_contact_{key}_seconds"), time, feed);
        }
        for key in [
            "busy_contacts",
            "slots_used",
            "slots_usable",
            "connect_busy",
            "connect_idle",
        ] {
            put(&format!("{key}_seconds"), seconds(get(key)), feed);
        }
        put("agents_aux_seconds", labelled(sums, "aux/", seconds), true);
        put("agents_seconds", labelled(sums, "both/", seconds), feed);
        let work = ["alerting", "connected", "held", "acw"]
            .map(|state| (state.to_owned(), seconds(get(&format!("work/{state}")))));
        put(
            "agent_contacts_seconds",
            Value::Object(work.into_iter().collect()),
            feed,
        );
        put(
            "occupancy_ratio",
            ratio(get("busy"), get("busy") + get("available")),
            feed,
        );
        put(
            "occupancy_connect_ratio",
            ratio(
                get("connect_busy"),
                get("connect_busy") + get("connect_idle"),
            ),
            feed,
        );
        put(
            "slot_load_ratio",
            ratio(get("slots_used"), get("slots_usable")),
            feed,
        );
        put(
            "concurrency_average",
            ratio(get("busy_contacts"), get("busy")),
            feed,
        );
    }
}

/// The sums whose key begins so, by the rest of the key; nothing that is 0.
fn labelled(sums: &BTreeMap<String, i64>, prefix: &str, show: impl Fn(i64) -> Value) -> Value {
    let part =
        |(key, sum): (&String, &i64)| Some((key.strip_prefix(prefix)?.to_owned(), show(*sum)));
    let kept: Map<String, Value> = sums
        .iter()
        .filter(|(_, sum)| **sum != 0)
        .filter_map(part)
        .collect();
    kept.into()
}
