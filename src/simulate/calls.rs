//! A contact on its way to an agent: arrival, queue, ringing, and the ways out unanswered.

use crate::event::Millis;

use super::agenda::Action;
use super::centre::{Centre, Contact, NOBODY, Phase};
use super::plan::Channel;

/// Visits of one contact at most.
pub(super) const MAX_VISITS: u32 = 3;

impl Centre {
    fn create(&mut self, queue: u32, outbound: bool) -> u32 {
        self.serial += 1;
        let mut contact = Contact {
            serial: self.serial,
            queue,
            agent: NOBODY,
            phase: Phase::Moving,
            visit: 1,
            outbound,
            step: 0,
            visit_mark: 0,
            answered_at: Millis::MIN,
            entered: self.now,
            since: self.now,
            hold: 0,
            talk_left: 0,
            timed: false,
        };
        if let Some(at) = self.free.pop() {
            contact.step = self.contacts[at as usize].step + 1;
            self.contacts[at as usize] = contact;
            at
        } else {
            self.contacts.push(contact);
            self.contacts.len() as u32 - 1
        }
    }

    /// The contact is over for the centre.
    fn dismiss(&mut self, contact: u32) {
        let state = &mut self.contacts[contact as usize];
        state.phase = Phase::Gone;
        state.step += 1;
        self.free.push(contact);
    }

    pub(super) fn close(&mut self, contact: u32) {
        self.tell_briefly(contact, "contact.closed").end();
        self.dismiss(contact);
    }

    /// Most platforms say nothing more of a contact whose end is clear.
    pub(super) fn close_quietly(&mut self, contact: u32) {
        if self.contacts[contact as usize].visit > 1 || self.dice.chance(0.5) {
            self.close(contact);
        } else {
            self.dismiss(contact);
        }
    }

    pub(super) fn channel(&self, contact: u32) -> Channel {
        let queue = self.contacts[contact as usize].queue;
        self.queues[queue as usize].plan.channel
    }

    pub(super) fn is(&self, contact: u32, mark: u32, phase: Phase) -> bool {
        let state = &self.contacts[contact as usize];
        state.step == mark && state.phase == phase
    }

    pub(super) fn arrive(&mut self) {
        let (gap, queue) = self.draw_arrival();
        self.after(gap, Action::Arrive);
        let channel = self.queues[queue].plan.channel;
        if channel == Channel::Voice && self.dice.chance(0.04) {
            self.dial(queue as u32);
            return;
        }
        let contact = self.create(queue as u32, false);
        if self.dice.chance(0.7) {
            self.tell_briefly(contact, "contact.created")
                .text("channel", channel.name())
                .end();
        }
        self.enter(contact);
    }

    pub(super) fn callback_due(&mut self, queue: u32, previous: u32) {
        let contact = self.create(queue, false);
        self.tell_briefly(contact, "contact.created")
            .text("channel", "callback")
            .of_contact("previous_contact_id", u64::from(previous))
            .end();
        self.tell_briefly(contact, "contact.callback_attempted")
            .number("attempt", 1)
            .end();
        self.enter(contact);
    }

    /// A visit begins.
    fn enter(&mut self, contact: u32) {
        self.tell(contact, "contact.queued").end();
        let queue = self.contacts[contact as usize].queue;
        let deferred = self.channel(contact).deferred();
        if self.queues[queue as usize].staff == 0 && !deferred {
            self.leave(contact, "no_agents");
            return;
        }
        let now = self.now;
        let state = &mut self.contacts[contact as usize];
        state.step += 1;
        state.visit_mark = state.step;
        state.phase = Phase::Waiting;
        (state.entered, state.since) = (now, now);
        let mark = state.visit_mark;
        self.queues[queue as usize]
            .waiting
            .push_back((contact, mark));
        if !deferred {
            let patience = self.dice.exponential(150_000.0) + 1000;
            let limit = self.dice.between(100_000, 160_000);
            if patience < limit {
                self.after(patience, Action::GiveUp { contact, mark });
            } else {
                self.after(limit, Action::Divert { contact, mark });
            }
        }
        self.serve(queue);
    }

    /// The visit ends unanswered, and the contact with it.
    fn leave(&mut self, contact: u32, outcome: &str) {
        self.tell(contact, "contact.dequeued")
            .text("outcome", outcome)
            .end();
        self.close(contact);
    }

    pub(super) fn give_up(&mut self, contact: u32, mark: u32) {
        let state = &self.contacts[contact as usize];
        if state.visit_mark != mark || !matches!(state.phase, Phase::Waiting | Phase::Alerting) {
            return;
        }
        let mut agent = NOBODY;
        if state.phase == Phase::Alerting {
            agent = state.agent;
            self.tell_briefly(contact, "contact.alert_failed")
                .by_agent(agent)
                .text("reason", "caller_left")
                .end();
            self.tell_activity(contact, "released").end();
            self.let_go(contact);
        }
        if self.dice.chance(0.05) {
            self.tell_briefly(contact, "contact.ended")
                .text("by", "customer")
                .end();
        } else {
            self.tell(contact, "contact.dequeued")
                .text("outcome", "abandoned")
                .end();
        }
        self.close_quietly(contact);
        if agent != NOBODY {
            self.set_free(agent);
        }
    }

    /// The queue's limit is reached: overflow, a callback, or another way out.
    pub(super) fn divert(&mut self, contact: u32, mark: u32) {
        let state = &self.contacts[contact as usize];
        if state.visit_mark != mark || state.phase != Phase::Waiting {
            return;
        }
        let queue = state.queue;
        let overflow = self.queues[queue as usize].plan.overflow;
        let fate = self.dice.fraction();
        match overflow {
            Some(next) if fate < 0.6 && state.visit < MAX_VISITS => {
                let explicit = self.dice.chance(0.8);
                if explicit {
                    self.tell(contact, "contact.dequeued")
                        .text("outcome", "overflow")
                        .end();
                }
                self.contacts[contact as usize].phase = Phase::Moving;
                self.requeue(contact, next);
            }
            _ if fate < 0.75 => self.ask_callback(contact),
            _ if fate < 0.82 => self.leave(contact, "exit_key"),
            _ if fate < 0.90 => self.leave(contact, "timeout"),
            _ if fate < 0.92 => self.leave(contact, "withdrawn"),
            _ => {
                // Waits on; gives up some time later.
                let patience = self.dice.exponential(120_000.0);
                self.after(patience, Action::GiveUp { contact, mark });
            }
        }
    }

    fn ask_callback(&mut self, contact: u32) {
        let client = self.queues[self.contacts[contact as usize].queue as usize]
            .plan
            .client;
        // The client's callback queue is the sixth of its eight kinds, if it has that many.
        let clients = self.clients.len() as u32;
        let queue = client + 5 * clients;
        let exists = self
            .queues
            .get(queue as usize)
            .is_some_and(|queue| queue.plan.channel == Channel::Callback);
        if !exists || self.channel(contact) != Channel::Voice {
            self.leave(contact, "timeout");
            return;
        }
        let previous = self.contacts[contact as usize].serial as u32;
        let wait = self.dice.between(120_000, 600_000);
        let due = (self.now.0 + wait).to_string();
        self.tell(contact, "contact.dequeued")
            .text("outcome", "callback")
            .end();
        self.tell_briefly(contact, "contact.callback_scheduled")
            .json("due", &due)
            .end();
        self.close(contact);
        self.after(wait, Action::CallbackDue { queue, previous });
    }

    /// The contact goes to another queue: its next visit.
    pub(super) fn requeue(&mut self, contact: u32, queue: u32) {
        if self.contacts[contact as usize].phase != Phase::Moving {
            return;
        }
        let state = &mut self.contacts[contact as usize];
        state.queue = queue;
        state.visit += 1;
        self.enter(contact);
    }

    /// An agent calls a customer.
    fn dial(&mut self, queue: u32) {
        let Some(agent) = self.idle_agent(queue) else {
            return;
        };
        let contact = self.create(queue, true);
        self.tell_briefly(contact, "contact.created")
            .text("direction", "outbound")
            .text("campaign_id", "renewals")
            .end();
        self.seize(contact, agent);
        self.tell_activity(contact, "alerting").end();
        let ring = self.dice.between(4000, 20_000);
        self.after_step(contact, ring, |contact, mark| Action::RingEnd {
            contact,
            mark,
        });
    }

    pub(super) fn ring_end(&mut self, contact: u32, mark: u32) {
        if !self.is(contact, mark, Phase::Alerting) {
            return;
        }
        if self.contacts[contact as usize].outbound {
            self.dialled(contact);
            return;
        }
        let fate = self.dice.fraction();
        if fate < 0.955 {
            self.answer(contact);
        } else if fate < 0.985 {
            self.fail_alert(contact, "no_answer", "missed");
        } else {
            self.fail_alert(contact, "rejected", "rejected");
        }
    }

    fn dialled(&mut self, contact: u32) {
        if self.dice.chance(0.7) {
            self.tell_briefly(contact, "contact.dialled")
                .text("result", "human")
                .end();
            self.answer(contact);
            return;
        }
        self.tell_briefly(contact, "contact.dialled")
            .text("result", "no_answer")
            .end();
        self.tell_activity(contact, "released").end();
        let agent = self.let_go(contact);
        self.close(contact);
        self.set_free(agent);
    }

    /// The agent did not take it: the contact waits on in its old place.
    pub(super) fn fail_alert(&mut self, contact: u32, reason: &str, activity: &str) {
        let agent = self.contacts[contact as usize].agent;
        self.tell_briefly(contact, "contact.alert_failed")
            .by_agent(agent)
            .text("reason", reason)
            .end();
        self.tell_activity(contact, activity).end();
        self.let_go(contact);
        self.missed(agent);
        let state = &mut self.contacts[contact as usize];
        state.phase = Phase::Waiting;
        state.step += 1;
        let (queue, mark) = (state.queue, state.visit_mark);
        self.queues[queue as usize]
            .waiting
            .push_front((contact, mark));
        self.serve(queue);
    }
}
