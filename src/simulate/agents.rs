//! The working day of an agent.

use std::fmt::Write as _;

use super::agenda::Action;
use super::centre::{Centre, Duty, Phase};

/// Reasons of breaks, and how long they last on average, in milliseconds.
const BREAKS: [(&str, f64); 5] = [
    ("break", 420_000.0),
    ("lunch", 1_500_000.0),
    ("training", 900_000.0),
    ("meeting", 700_000.0),
    ("coaching", 600_000.0),
];
/// Mean time between breaks, in milliseconds.
const BREAK_EVERY: f64 = 4_500_000.0;

impl Centre {
    pub(super) fn shift_start(&mut self, agent: u32) {
        self.plan_shift(agent);
        self.agents[agent as usize].leaving = false;
        if self.agents[agent as usize].duty == Duty::Off {
            self.log_in(agent);
        }
    }

    pub(super) fn reconnect(&mut self, agent: u32, mark: u32) {
        let state = &self.agents[agent as usize];
        if state.mark == mark && state.duty == Duty::Off {
            self.log_in(agent);
        }
    }

    fn log_in(&mut self, agent: u32) {
        let (queues, slots) = (self.queues_json(agent), self.slots_json(agent));
        let shared = self.agents[agent as usize].plan.shared;
        self.tell_agent(agent, "agent.logged_in").end();
        self.tell_agent(agent, "agent.queues")
            .json("queues", &queues)
            .end();
        let line = self
            .tell_agent(agent, "agent.capacity")
            .json("slots", &slots);
        if shared {
            line.json("shared", "true").end();
        } else {
            line.end();
        }
        self.tell_agent(agent, "agent.state")
            .text("state", "available")
            .end();
        let state = &mut self.agents[agent as usize];
        state.duty = Duty::Available;
        state.unresponsive = false;
        state.mark += 1;
        let mark = state.mark;
        self.count_staff(agent, true);
        let pause = self.dice.exponential(BREAK_EVERY);
        self.after(pause, Action::BreakStart { agent, mark });
        self.plan_heartbeat(agent, mark);
        self.seek_work(agent);
    }

    fn count_staff(&mut self, agent: u32, comes: bool) {
        for queue in &self.agents[agent as usize].plan.queues {
            let staff = &mut self.queues[*queue as usize].staff;
            *staff = if comes {
                *staff + 1
            } else {
                staff.saturating_sub(1)
            };
        }
    }

    pub(super) fn shift_end(&mut self, agent: u32) {
        let state = &mut self.agents[agent as usize];
        state.leaving = true;
        if state.contacts.is_empty() && state.duty != Duty::Off {
            self.log_out(agent);
        }
        // An agent who is cut off at that moment does not come back.
        self.agents[agent as usize].mark +=
            u32::from(self.agents[agent as usize].duty == Duty::Off);
    }

    fn log_out(&mut self, agent: u32) {
        self.tell_agent(agent, "agent.logged_out").end();
        self.count_staff(agent, false);
        let state = &mut self.agents[agent as usize];
        state.duty = Duty::Off;
        state.leaving = false;
        state.mark += 1;
    }

    /// A contact of the agent is over.
    pub(super) fn set_free(&mut self, agent: u32) {
        let state = &self.agents[agent as usize];
        if state.leaving && state.contacts.is_empty() && state.duty != Duty::Off {
            self.log_out(agent);
        } else {
            self.seek_work(agent);
        }
    }

    pub(super) fn break_start(&mut self, agent: u32, mark: u32) {
        let state = &self.agents[agent as usize];
        if state.mark != mark || state.duty != Duty::Available {
            return;
        }
        let (reason, mean) = BREAKS[self.dice.below(BREAKS.len())];
        self.tell_agent(agent, "agent.state")
            .text("state", "aux")
            .text("reason", reason)
            .end();
        let state = &mut self.agents[agent as usize];
        state.duty = Duty::Aux(reason);
        state.unresponsive = false;
        let length = self.dice.humped(mean);
        self.after(length, Action::Back { agent, mark });
    }

    pub(super) fn back(&mut self, agent: u32, mark: u32) {
        let state = &self.agents[agent as usize];
        let from_break = matches!(state.duty, Duty::Aux(_));
        if state.mark != mark || !(from_break || state.unresponsive) || state.duty == Duty::Off {
            return;
        }
        self.tell_agent(agent, "agent.state")
            .text("state", "available")
            .end();
        let state = &mut self.agents[agent as usize];
        state.duty = Duty::Available;
        state.unresponsive = false;
        if from_break {
            let pause = self.dice.exponential(BREAK_EVERY);
            self.after(pause, Action::BreakStart { agent, mark });
        }
        self.seek_work(agent);
    }

    /// The agent did not take a contact; he is back after a while.
    pub(super) fn missed(&mut self, agent: u32) {
        let state = &mut self.agents[agent as usize];
        if state.duty == Duty::Available {
            state.unresponsive = true;
        }
        let mark = state.mark;
        let away = self.dice.between(10_000, 60_000);
        self.after(away, Action::Back { agent, mark });
    }

    /// The agent's connection breaks: his contacts are cut off, and he is back a minute later.
    pub(super) fn drop_out(&mut self, agent: u32, mark: u32) {
        let state = &self.agents[agent as usize];
        if state.mark != mark || state.duty == Duty::Off {
            return;
        }
        // Nothing new for him while his contacts are cut off.
        self.agents[agent as usize].unresponsive = true;
        for contact in self.agents[agent as usize].contacts.clone() {
            self.cut_off(contact);
        }
        let leaving = self.agents[agent as usize].leaving;
        self.log_out(agent);
        if !leaving {
            let mark = self.agents[agent as usize].mark;
            let away = self.dice.between(45_000, 120_000);
            self.after(away, Action::Reconnect { agent, mark });
        }
    }

    fn plan_heartbeat(&mut self, agent: u32, mark: u32) {
        let pause = self.dice.between(400_000, 900_000);
        self.after(pause, Action::Heartbeat { agent, mark });
    }

    pub(super) fn heartbeat(&mut self, agent: u32, mark: u32) {
        let state = &self.agents[agent as usize];
        if state.mark != mark || state.duty == Duty::Off || state.unresponsive {
            if state.mark == mark {
                self.plan_heartbeat(agent, mark);
            }
            return;
        }
        let (queues, slots) = (self.queues_json(agent), self.slots_json(agent));
        let contacts = self.contacts_json(agent);
        let (duty, shared) = (
            state_of(self.agents[agent as usize].duty),
            self.agents[agent as usize].plan.shared,
        );
        let mut line = self
            .tell_agent(agent, "agent.snapshot")
            .text("presence", duty.0);
        if let Some(reason) = duty.1 {
            line = line.text("reason", reason);
        }
        line = line.json("queues", &queues).json("slots", &slots);
        if shared {
            line = line.json("shared", "true");
        }
        line.json("contacts", &contacts).end();
        self.plan_heartbeat(agent, mark);
    }

    fn queues_json(&self, agent: u32) -> String {
        let state = &self.agents[agent as usize];
        let mut text = String::from("[");
        for queue in &state.plan.queues {
            let plan = &self.queues[*queue as usize].plan;
            let comma = if text.len() > 1 { "," } else { "" };
            let _ = write!(text, "{comma}{{\"queue_id\":\"{}\"", plan.name);
            if plan.client != state.plan.client {
                let client = &self.clients[plan.client as usize];
                let _ = write!(text, ",\"client_id\":\"{client}\"");
            }
            let _ = write!(text, ",\"channel\":\"{}\"}}", plan.channel.name());
        }
        text.push(']');
        text
    }

    fn slots_json(&self, agent: u32) -> String {
        let mut text = String::from("{");
        for (channel, slots) in &self.agents[agent as usize].plan.slots {
            let comma = if text.len() > 1 { "," } else { "" };
            let _ = write!(text, "{comma}\"{}\":{slots}", channel.name());
        }
        text.push('}');
        text
    }

    /// The contacts that a snapshot lists. Being listed stops the platform's wrap-up timer, so
    /// their release is told.
    fn contacts_json(&mut self, agent: u32) -> String {
        let mut text = String::from("[");
        for contact in self.agents[agent as usize].contacts.clone() {
            self.contacts[contact as usize].timed = false;
            let state = &self.contacts[contact as usize];
            let queue = &self.queues[state.queue as usize];
            let id = self.out.contact_number(state.serial);
            let comma = if text.len() > 1 { "," } else { "" };
            let _ = write!(
                text,
                "{comma}{{\"contact_id\":\"WT{id:016x}\"{},\"state\":\"{}\",\"since\":{}}}",
                queue.scope,
                activity_of(state.phase),
                state.since.0
            );
        }
        text.push(']');
        text
    }
}

fn state_of(duty: Duty) -> (&'static str, Option<&'static str>) {
    match duty {
        Duty::Off => ("offline", None),
        Duty::Available => ("available", None),
        Duty::Aux(reason) => ("aux", Some(reason)),
    }
}

fn activity_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Connected => "connected",
        Phase::Held => "held",
        Phase::Wrapping => "acw",
        Phase::Alerting | Phase::Gone | Phase::Waiting | Phase::Moving => "alerting",
    }
}
