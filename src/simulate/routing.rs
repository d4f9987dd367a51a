//! Who gets which contact: the longest waiting goes to the longest idle agent who may take it.

use super::agenda::Action;
use super::centre::{Centre, Duty, NOBODY, Phase};
use super::plan::Channel;

impl Centre {
    /// Whether the agent may get one more contact of this channel.
    fn can_take(&self, agent: u32, channel: Channel) -> bool {
        let state = &self.agents[agent as usize];
        if state.duty != Duty::Available || state.unresponsive || state.leaving {
            return false;
        }
        let slots = state.plan.slots.iter().find(|(slot, _)| *slot == channel);
        let Some((_, slots)) = slots else {
            return false;
        };
        let mut used = 0;
        for contact in &state.contacts {
            let queue = self.contacts[*contact as usize].queue;
            if self.queues[queue as usize].plan.channel == channel {
                used += 1;
            } else if !state.plan.shared {
                return false;
            }
        }
        used < *slots
    }

    /// Gives waiting contacts of a queue to idle agents, as long as there are both.
    pub(super) fn serve(&mut self, queue: u32) {
        while let Some(contact) = self.first_waiting(queue) {
            let Some(agent) = self.idle_agent(queue) else {
                return;
            };
            self.queues[queue as usize].waiting.pop_front();
            self.offer(contact, agent);
        }
    }

    /// The longest waiting contact of a queue; it stays in its place.
    fn first_waiting(&mut self, queue: u32) -> Option<u32> {
        let waiting = &mut self.queues[queue as usize].waiting;
        while let Some((contact, mark)) = waiting.front().copied() {
            let state = &self.contacts[contact as usize];
            if state.visit_mark == mark && state.phase == Phase::Waiting {
                return Some(contact);
            }
            waiting.pop_front();
        }
        None
    }

    /// Takes the longest idle agent from a queue's list.
    pub(super) fn idle_agent(&mut self, queue: u32) -> Option<u32> {
        let channel = self.queues[queue as usize].plan.channel;
        while let Some(agent) = self.queues[queue as usize].idle.pop_front() {
            let state = &mut self.agents[agent as usize];
            if let Some(place) = state.plan.queues.iter().position(|own| *own == queue) {
                state.listed &= !(1 << place);
            }
            if self.can_take(agent, channel) {
                return Some(agent);
            }
        }
        None
    }

    /// Finds work for an agent who may have room, and lists him as idle where he still has.
    pub(super) fn seek_work(&mut self, agent: u32) {
        while let Some(queue) = self.most_urgent(agent) {
            let Some((contact, _)) = self.queues[queue as usize].waiting.pop_front() else {
                break;
            };
            self.offer_to(contact, agent);
        }
        self.list_idle(agent);
    }

    fn list_idle(&mut self, agent: u32) {
        for place in 0..self.agents[agent as usize].plan.queues.len() {
            let queue = self.agents[agent as usize].plan.queues[place];
            let channel = self.queues[queue as usize].plan.channel;
            if self.agents[agent as usize].listed & (1 << place) == 0
                && self.can_take(agent, channel)
            {
                self.agents[agent as usize].listed |= 1 << place;
                self.queues[queue as usize].idle.push_back(agent);
            }
        }
    }

    /// The agent's queue whose first contact waits longest.
    fn most_urgent(&mut self, agent: u32) -> Option<u32> {
        let mut best = None;
        for place in 0..self.agents[agent as usize].plan.queues.len() {
            let queue = self.agents[agent as usize].plan.queues[place];
            let channel = self.queues[queue as usize].plan.channel;
            let Some(contact) = self.first_waiting(queue) else {
                continue;
            };
            let since = self.contacts[contact as usize].entered;
            if self.can_take(agent, channel) && best.is_none_or(|(oldest, _)| since < oldest) {
                best = Some((since, queue));
            }
        }
        best.map(|(_, queue)| queue)
    }

    /// Offers a contact, and lists the agent again if he has room for more.
    fn offer(&mut self, contact: u32, agent: u32) {
        self.offer_to(contact, agent);
        self.list_idle(agent);
    }

    fn offer_to(&mut self, contact: u32, agent: u32) {
        self.seize(contact, agent);
        let queue = self.contacts[contact as usize].queue;
        let channel = self.queues[queue as usize].plan.channel;
        if channel.deferred() && self.dice.chance(0.5) {
            self.answer(contact);
            return;
        }
        self.tell_briefly(contact, "contact.alerting")
            .by_agent(agent)
            .end();
        self.tell_activity(contact, "alerting").end();
        let ring = self.dice.humped(3500.0) + 300;
        self.after_step(contact, ring.min(15_000), |contact, mark| Action::RingEnd {
            contact,
            mark,
        });
    }

    /// The contact is at this agent from now on.
    pub(super) fn seize(&mut self, contact: u32, agent: u32) {
        self.agents[agent as usize].contacts.push(contact);
        let now = self.now;
        let state = &mut self.contacts[contact as usize];
        state.agent = agent;
        (state.phase, state.since) = (Phase::Alerting, now);
    }

    /// The contact is at its agent no more.
    pub(super) fn let_go(&mut self, contact: u32) -> u32 {
        let agent = std::mem::replace(&mut self.contacts[contact as usize].agent, NOBODY);
        if let Some(state) = self.agents.get_mut(agent as usize) {
            state.contacts.retain(|held| *held != contact);
        }
        agent
    }

    /// Takes a step in the contact's life, and says when the next one comes.
    pub(super) fn after_step(
        &mut self,
        contact: u32,
        millis: i64,
        action: impl FnOnce(u32, u32) -> Action,
    ) {
        let state = &mut self.contacts[contact as usize];
        state.step += 1;
        let mark = state.step;
        self.after(millis, action(contact, mark));
    }
}
