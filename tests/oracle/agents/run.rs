//! An agent's facts run through, one after the other, with what time alone does between them.

use super::{
    Agent, BTreeMap, BTreeSet, ContactFact, Course, Op, Presence, Settings, Span, State, Turn, What,
};

/// An agent while his facts are run through.
struct Run<'a> {
    settings: &'a Settings,
    state: Option<State>,
    last_event: i64,
    expired: bool,
    at: i64,
    spans: Vec<Span>,
}

impl Run<'_> {
    fn state(&mut self) -> &mut State {
        self.state.get_or_insert_with(|| State {
            presence: Presence::Offline,
            not_responding: false,
            queues: Vec::new(),
            slots: [("voice".to_owned(), 1)].into(),
            shared: false,
            turns: BTreeMap::new(),
            named: BTreeSet::new(),
        })
    }

    /// Time passes; nothing happens.
    fn pass(&mut self, until: i64) {
        if let Some(state) = &self.state
            && until > self.at
        {
            self.spans.push(Span {
                from: self.at,
                until,
                state: state.clone(),
            });
        }
        self.at = self.at.max(until);
    }

    /// The next thing that happens by time alone.
    fn deadline(&self) -> Option<i64> {
        let state = self.state.as_ref()?;
        let turns = state.turns.values().flat_map(|turn| {
            [
                turn.timer,
                Some(turn.fact_at + self.settings.ghost(&turn.channel)),
            ]
        });
        let expiry = (!self.expired && self.last_event > i64::MIN)
            .then(|| self.last_event + self.settings.agent_ttl);
        turns.flatten().chain(expiry).min()
    }

    /// Executes what is due up to `until`, that stamp included.
    fn deadlines(&mut self, until: i64) {
        while let Some(due) = self.deadline().filter(|due| *due <= until) {
            self.pass(due);
            let settings = self.settings;
            let expires = !self.expired
                && self.last_event > i64::MIN
                && self.last_event + settings.agent_ttl <= due;
            self.expired |= expires;
            let state = self.state();
            state.turns.retain(|_, turn| {
                let ghost = turn.fact_at + settings.ghost(&turn.channel);
                turn.timer.is_none_or(|timer| timer > due) && ghost > due && !expires
            });
            if expires {
                state.presence = Presence::Offline;
                state.not_responding = false;
            }
        }
    }

    fn apply(&mut self, op: &Op) {
        self.deadlines(op.at);
        self.pass(op.at);
        let known = self.last_event > i64::MIN;
        let old = op.old;
        match &op.what {
            What::Event => {
                self.last_event = self.last_event.max(op.at);
                self.expired = false;
                let client = op.client.clone();
                let state = self.state();
                state.named.insert(client);
                if !known {
                    state.presence = Presence::Aux("not_ready".to_owned());
                }
            }
            What::Login | What::Logout => {
                let login = matches!(op.what, What::Login);
                let state = self.state();
                state.presence = if login {
                    Presence::Aux("not_ready".to_owned())
                } else {
                    Presence::Offline
                };
                state.not_responding &= old;
            }
            What::Presence(presence) => self.state().presence = presence.clone(),
            What::ClearNotResponding => self.state().not_responding = false,
            What::Queues(queues) => {
                let state = self.state();
                state.queues.clone_from(queues);
                state
                    .named
                    .extend(queues.iter().map(|row| row.client.clone()));
            }
            What::Slots(slots, shared) => {
                let state = self.state();
                state.slots.clone_from(slots);
                state.shared = *shared;
            }
            What::Contact(fact) => {
                // Listed in a snapshot: an event at the snapshot's time only.
                if !fact.listed {
                    self.state().named.insert(fact.client.clone());
                }
                self.contact(op.at, fact, old || fact.listed);
            }
            What::Contacts(facts) => {
                let listed: Vec<(String, String)> = facts
                    .iter()
                    .map(|fact| (fact.client.clone(), fact.contact.clone()))
                    .collect();
                self.state().turns.retain(|key, _| listed.contains(key));
                for fact in facts {
                    self.state().named.insert(fact.client.clone());
                    self.contact(op.at, fact, false);
                }
            }
        }
    }

    fn contact(&mut self, at: i64, fact: &ContactFact, leave_flag: bool) {
        let state = self.state();
        let key = (fact.client.clone(), fact.contact.clone());
        let failed = ["missed", "rejected", "error"].contains(&fact.state.as_str());
        if !leave_flag {
            let clears = ["alerting", "connected"].contains(&fact.state.as_str()) && !fact.listed;
            state.not_responding = (state.not_responding || failed) && !clears;
        }
        if failed || fact.state == "released" {
            state.turns.remove(&key);
            return;
        }
        let turn = state.turns.entry(key).or_insert_with(|| Turn {
            client: fact.client.clone(),
            queue: fact.queue.clone(),
            channel: fact.channel.clone().unwrap_or_else(|| "voice".to_owned()),
            state: String::new(),
            timer: None,
            fact_at: at,
        });
        turn.state.clone_from(&fact.state);
        turn.fact_at = at;
        turn.timer = fact
            .timer
            .filter(|_| fact.state == "acw")
            .map(|length| at + length.max(0));
    }
}

impl Course {
    /// The agent's spans of time up to `at`, and his state at it.
    pub fn until(&self, at: i64, settings: &Settings) -> Agent {
        let mut run = Run {
            settings,
            state: None,
            last_event: i64::MIN,
            expired: false,
            at: self.0.first().map_or(at, |op| op.at),
            spans: Vec::new(),
        };
        for op in &self.0 {
            run.apply(op);
        }
        run.deadlines(at);
        run.pass(at);
        Agent {
            spans: run.spans,
            now: run.state,
        }
    }
}
