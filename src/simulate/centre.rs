//! The state of the simulated centre, and its clockwork.

use std::collections::{BTreeMap, VecDeque};

use crate::event::{Millis, Span};

use super::agenda::{Action, Agenda};
use super::day::{on_duty, rush};
use super::dice::Dice;
use super::plan::{AgentPlan, Plan, QueuePlan, SHIFT_MINUTES};
use super::writer::{Line, TimeForm, Writer, scope};
use super::{Options, SimEvent};

/// No agent.
pub(super) const NOBODY: u32 = u32::MAX;
const DAY: i64 = 24 * 60 * 60_000;
const WEATHER_EVERY: Span = Span::seconds(5);
/// Share of an agent's shift that is not spent in breaks.
const WORKING: f64 = 0.88;
/// More agents than this never drop out at once.
const MAX_DROPPED: usize = 300;

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) plan: QueuePlan,
    /// Text of events that name the queue, and of those that do not.
    pub(super) scope: String,
    pub(super) client_scope: String,
    pub(super) form: TimeForm,
    /// Its events number their visits.
    pub(super) numbered: bool,
    /// Its `ended` states talk and hold.
    pub(super) states_talk: bool,
    /// After-contact work is a timer of the platform.
    pub(super) timed_wrap: bool,
    /// Waiting contacts and the mark of their visit; those that left are skipped when met.
    pub(super) waiting: VecDeque<(u32, u32)>,
    /// Agents who may be free, longest idle first; those who are not are skipped when met.
    pub(super) idle: VecDeque<u32>,
    pub(super) staff: u32,
    boost: f64,
    boost_until: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Gone,
    Waiting,
    Alerting,
    Connected,
    Held,
    Wrapping,
    /// Between two queues.
    Moving,
}

#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) serial: u64,
    pub(super) queue: u32,
    pub(super) agent: u32,
    pub(super) phase: Phase,
    pub(super) visit: u32,
    pub(super) outbound: bool,
    /// Grows with every step, so that a timer of an earlier one is void.
    pub(super) step: u32,
    /// The step at which the visit began.
    pub(super) visit_mark: u32,
    pub(super) answered_at: Millis,
    /// Since when its visit waits.
    pub(super) entered: Millis,
    /// Since when it is in its phase.
    pub(super) since: Millis,
    pub(super) hold: i64,
    pub(super) talk_left: i64,
    /// The platform ends its after-contact work by itself.
    pub(super) timed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Off,
    Available,
    Aux(&'static str),
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) plan: AgentPlan,
    pub(super) scope: String,
    pub(super) form: TimeForm,
    pub(super) duty: Duty,
    /// Missed a contact and gets none until he says that he is there.
    pub(super) unresponsive: bool,
    /// Goes home after the last contact.
    pub(super) leaving: bool,
    /// Grows with every log-in and log-out.
    pub(super) mark: u32,
    /// Which of his queues list him as idle.
    pub(super) listed: u8,
    pub(super) contacts: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Centre {
    pub(super) now: Millis,
    pub(super) dice: Dice,
    pub(super) agenda: Agenda,
    pub(super) out: Writer,
    pub(super) clients: Vec<String>,
    pub(super) queues: Vec<Queue>,
    pub(super) agents: Vec<Agent>,
    pub(super) contacts: Vec<Contact>,
    pub(super) free: Vec<u32>,
    pub(super) serial: u64,
    /// Agents by client, who drop out together.
    staff: Vec<Vec<u32>>,
    /// Running sums of the queues' arrival rates, per millisecond.
    arrivals: Vec<f64>,
    midnight: Millis,
    shifts: bool,
    next_spike: Millis,
    next_outage: Millis,
}

impl Centre {
    pub(super) fn new(options: &Options) -> Self {
        let mut dice = Dice::new(options.seed);
        let plan = Plan::new(&options.scale, &mut dice);
        let time_of_day = options
            .time_of_day
            .unwrap_or(Span(options.from.0.rem_euclid(DAY)));
        let queues: Vec<Queue> = plan
            .queues
            .into_iter()
            .map(|queue| Queue::new(queue, &plan.clients))
            .collect();
        let agents: Vec<Agent> = plan
            .agents
            .into_iter()
            .map(|agent| Agent::new(agent, &plan.clients))
            .collect();
        let mut staff = vec![Vec::new(); plan.clients.len()];
        for (at, agent) in agents.iter().enumerate() {
            staff[agent.plan.client as usize].push(at as u32);
        }
        let mut centre = Self {
            now: options.from,
            dice,
            agenda: Agenda::default(),
            out: Writer::of_run(options.seed, options.from),
            clients: plan.clients,
            queues,
            agents,
            contacts: Vec::new(),
            free: Vec::new(),
            serial: 0,
            staff,
            arrivals: Vec::new(),
            midnight: options.from - time_of_day,
            shifts: options.scale.shifts,
            next_spike: options.from + Span::minutes(4),
            next_outage: options.from + Span::minutes(6),
        };
        centre.configure();
        centre.call_in(time_of_day);
        centre.weather();
        centre
            .agenda
            .at(options.from + Span::seconds(1), Action::Arrive);
        centre
    }

    pub(super) fn in_flight(&self) -> usize {
        self.contacts.len() - self.free.len()
    }

    pub(super) fn next_event(&mut self) -> SimEvent<'_> {
        while !self.out.waiting() {
            self.out.clear();
            self.step();
        }
        self.out.take().unwrap_or(SimEvent {
            topic: super::Topic::Queues,
            key: b"",
            time: self.now,
            sent: self.now,
            json: b"{}",
        })
    }

    fn step(&mut self) {
        // The weather always follows, so the agenda is never empty.
        let Some((time, action)) = self.agenda.next() else {
            return;
        };
        self.now = time;
        match action {
            Action::Arrive => self.arrive(),
            Action::Weather => self.weather(),
            Action::CallbackDue { queue, previous } => self.callback_due(queue, previous),
            Action::RingEnd { contact, mark } => self.ring_end(contact, mark),
            Action::GiveUp { contact, mark } => self.give_up(contact, mark),
            Action::Divert { contact, mark } => self.divert(contact, mark),
            Action::HoldStart { contact, mark } => self.hold_start(contact, mark),
            Action::HoldEnd { contact, mark } => self.hold_end(contact, mark),
            Action::TalkEnd { contact, mark } => self.talk_end(contact, mark),
            Action::WrapEnd { contact, mark } => self.wrap_end(contact, mark),
            Action::Requeue { contact, queue } => self.requeue(contact, queue),
            Action::ShiftStart { agent } => self.shift_start(agent),
            Action::ShiftEnd { agent } => self.shift_end(agent),
            Action::BreakStart { agent, mark } => self.break_start(agent, mark),
            Action::Back { agent, mark } => self.back(agent, mark),
            Action::Drop { agent, mark } => self.drop_out(agent, mark),
            Action::Reconnect { agent, mark } => self.reconnect(agent, mark),
            Action::Heartbeat { agent, mark } => self.heartbeat(agent, mark),
        }
    }

    pub(super) fn after(&mut self, millis: i64, action: Action) {
        self.agenda.at(self.now + Span(millis), action);
    }

    /// Says what every queue is; of one name on several channels once, since that is the key, and
    /// then of all of them.
    fn configure(&mut self) {
        let key_of = |queue: &Queue| {
            let client = &self.clients[queue.plan.client as usize];
            format!("queue/{client}/{}", queue.plan.name)
        };
        let mut channels: BTreeMap<String, u32> = BTreeMap::new();
        for queue in &self.queues {
            *channels.entry(key_of(queue)).or_default() += 1;
        }
        for queue in &self.queues {
            let name = &queue.plan.name;
            let key = key_of(queue);
            // None any more once it is said.
            let Some(count) = channels.remove(&key) else {
                continue;
            };
            let channel = (count == 1).then(|| queue.plan.channel.name());
            let target = match queue.plan.threshold {
                Some(threshold) => {
                    format!("{{\"service_level\":0.8,\"threshold_ms\":{threshold}}}")
                }
                None => "{\"service_level\":0.9}".to_owned(),
            };
            let line = self
                .out
                .queue(self.now, "queue.configured", &queue.client_scope, &key)
                .text("queue_id", name);
            let line = match channel {
                Some(channel) => line.text("channel", channel),
                None => line,
            };
            line.json("targets", &target)
                .text("display_name", &capital(name))
                .text("group", group_of(name))
                .end();
        }
    }

    /// Agents whose shift is on are there at once; the others come when it begins.
    fn call_in(&mut self, time_of_day: Span) {
        for agent in 0..self.agents.len() as u32 {
            let shift = self.agents[agent as usize].plan.shift * 60_000;
            let ago = (time_of_day.0 - shift).rem_euclid(DAY);
            let jitter = self.dice.between(0, 2000);
            let length = SHIFT_MINUTES * 60_000;
            if !self.shifts {
                self.after(jitter, Action::ShiftStart { agent });
                continue;
            }
            self.after(DAY - ago, Action::ShiftStart { agent });
            if ago < length {
                self.after(jitter, Action::Reconnect { agent, mark: 0 });
                self.after(length - ago, Action::ShiftEnd { agent });
            }
        }
    }

    /// What a shift's beginning brings with it besides the agent.
    pub(super) fn plan_shift(&mut self, agent: u32) {
        if self.shifts {
            self.after(SHIFT_MINUTES * 60_000, Action::ShiftEnd { agent });
            self.after(DAY, Action::ShiftStart { agent });
        }
    }

    /// Sets the arrival rates anew, and now and then lets a queue spike or agents drop out.
    fn weather(&mut self) {
        self.agenda.at(self.now + WEATHER_EVERY, Action::Weather);
        let minute = (self.now - self.midnight).0.rem_euclid(DAY) as f64 / 60_000.0;
        let present = if self.shifts { on_duty(minute) } else { 1.0 };
        let pressure = present * rush(minute) * WORKING;
        if self.now >= self.next_spike {
            self.spike();
        }
        if self.now >= self.next_outage {
            self.outage();
        }
        let mut sum = 0.0;
        self.arrivals.clear();
        for queue in &mut self.queues {
            if self.now >= queue.boost_until {
                queue.boost = 1.0;
            }
            sum += queue.plan.rate * pressure * queue.boost;
            self.arrivals.push(sum);
        }
    }

    fn spike(&mut self) {
        let until = self.now + Span(self.dice.between(90_000, 150_000));
        self.next_spike = self.now + Span(self.dice.between(180_000, 300_000));
        let at = self.dice.below(self.queues.len());
        self.queues[at].boost = 3.0 + 3.0 * self.dice.fraction();
        self.queues[at].boost_until = until;
    }

    fn outage(&mut self) {
        self.next_outage = self.now + Span(self.dice.between(300_000, 480_000));
        let client = self.dice.below(self.staff.len());
        let mut dropped = 0;
        for at in 0..self.staff[client].len() {
            let agent = self.staff[client][at];
            let state = &self.agents[agent as usize];
            let mark = state.mark;
            if state.duty != Duty::Off && dropped < MAX_DROPPED && self.dice.chance(0.5) {
                dropped += 1;
                let soon = self.dice.between(0, 4000);
                self.after(soon, Action::Drop { agent, mark });
            }
        }
    }

    /// The time to the next arrival, and the queue that it is for.
    pub(super) fn draw_arrival(&mut self) -> (i64, usize) {
        let total = self.arrivals.last().copied().unwrap_or(0.0);
        if total <= 0.0 {
            return (1000, 0);
        }
        let gap = self.dice.exponential(1.0 / total) - 1;
        let pick = self.dice.fraction() * total;
        let queue = self.arrivals.partition_point(|sum| *sum <= pick);
        (gap, queue.min(self.arrivals.len() - 1))
    }

    /// An event of a contact that names its queue and, where its client numbers them, its visit.
    pub(super) fn tell(&mut self, contact: u32, kind: &str) -> Line<'_> {
        let state = &self.contacts[contact as usize];
        let queue = &self.queues[state.queue as usize];
        let mut line = self
            .out
            .contact(self.now, queue.form, kind, &queue.scope, state.serial);
        if queue.numbered {
            line = line.number("visit", i64::from(state.visit));
        }
        if state.outbound {
            line.text("direction", "outbound")
        } else {
            line
        }
    }

    /// An event of a contact that names neither queue nor visit.
    pub(super) fn tell_briefly(&mut self, contact: u32, kind: &str) -> Line<'_> {
        let state = &self.contacts[contact as usize];
        let queue = &self.queues[state.queue as usize];
        self.out.contact(
            self.now,
            queue.form,
            kind,
            &queue.client_scope,
            state.serial,
        )
    }

    /// An event of an agent.
    pub(super) fn tell_agent(&mut self, agent: u32, kind: &str) -> Line<'_> {
        let state = &self.agents[agent as usize];
        self.out
            .agent(self.now, state.form, kind, &state.scope, agent)
    }

    /// `agent.contact`: the contact is in this state at its agent from now on.
    pub(super) fn tell_activity(&mut self, contact: u32, activity: &str) -> Line<'_> {
        let state = &self.contacts[contact as usize];
        let queue = &self.queues[state.queue as usize];
        let form = self.agents[state.agent as usize].form;
        let line = self
            .out
            .agent(self.now, form, "agent.contact", &queue.scope, state.agent)
            .of_contact("contact_id", state.serial)
            .text("state", activity);
        if state.outbound {
            line.text("direction", "outbound")
        } else {
            line
        }
    }
}

impl Queue {
    fn new(plan: QueuePlan, clients: &[String]) -> Self {
        let client = &clients[plan.client as usize];
        Self {
            scope: scope(client, Some((&plan.name, plan.channel.name()))),
            client_scope: scope(client, None),
            form: form_of(plan.client),
            numbered: plan.client % 3 != 1,
            states_talk: plan.client.is_multiple_of(2),
            timed_wrap: plan.client % 4 == 1,
            plan,
            waiting: VecDeque::new(),
            idle: VecDeque::new(),
            staff: 0,
            boost: 1.0,
            boost_until: Millis::MIN,
        }
    }
}

impl Agent {
    fn new(plan: AgentPlan, clients: &[String]) -> Self {
        Self {
            scope: scope(&clients[plan.client as usize], None),
            form: form_of(plan.client),
            plan,
            duty: Duty::Off,
            unresponsive: false,
            leaving: false,
            mark: 0,
            listed: 0,
            contacts: Vec::new(),
        }
    }
}

/// Some clients' platforms state their time as text.
fn form_of(client: u32) -> TimeForm {
    if client % 4 == 2 {
        TimeForm::Text
    } else {
        TimeForm::Integer
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn group_of(queue: &str) -> &'static str {
    if queue.starts_with("sales") {
        "sales"
    } else {
        "service"
    }
}
