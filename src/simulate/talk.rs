//! A contact at its agent: from the answer to the end of after-contact work.

use super::agenda::Action;
use super::calls::MAX_VISITS;
use super::centre::{Centre, Phase};

impl Centre {
    pub(super) fn answer(&mut self, contact: u32) {
        let agent = self.contacts[contact as usize].agent;
        self.tell(contact, "contact.answered").by_agent(agent).end();
        self.tell_activity(contact, "connected").end();
        let channel = self.channel(contact);
        let talk = self.dice.humped(channel.talk());
        let holds = !channel.deferred() && self.dice.chance(0.15);
        let now = self.now;
        let state = &mut self.contacts[contact as usize];
        state.phase = Phase::Connected;
        (state.answered_at, state.since, state.hold) = (now, now, 0);
        if holds {
            let part = self.dice.between(talk / 4, talk / 2);
            self.contacts[contact as usize].talk_left = talk - part;
            self.after_step(contact, part, |contact, mark| Action::HoldStart {
                contact,
                mark,
            });
        } else {
            self.after_step(contact, talk, |contact, mark| Action::TalkEnd {
                contact,
                mark,
            });
        }
    }

    pub(super) fn hold_start(&mut self, contact: u32, mark: u32) {
        if !self.is(contact, mark, Phase::Connected) {
            return;
        }
        self.hold_change(contact, "contact.held", "held", Phase::Held);
        let hold = self.dice.humped(30_000.0);
        self.contacts[contact as usize].hold += hold;
        self.after_step(contact, hold, |contact, mark| Action::HoldEnd {
            contact,
            mark,
        });
    }

    pub(super) fn hold_end(&mut self, contact: u32, mark: u32) {
        if !self.is(contact, mark, Phase::Held) {
            return;
        }
        self.hold_change(contact, "contact.resumed", "connected", Phase::Connected);
        let left = self.contacts[contact as usize].talk_left;
        self.after_step(contact, left, |contact, mark| Action::TalkEnd {
            contact,
            mark,
        });
    }

    fn hold_change(&mut self, contact: u32, kind: &str, activity: &str, phase: Phase) {
        let agent = self.contacts[contact as usize].agent;
        self.tell_briefly(contact, kind).by_agent(agent).end();
        self.tell_activity(contact, activity).end();
        let now = self.now;
        let state = &mut self.contacts[contact as usize];
        (state.phase, state.since) = (phase, now);
    }

    pub(super) fn talk_end(&mut self, contact: u32, mark: u32) {
        if !self.is(contact, mark, Phase::Connected) {
            return;
        }
        let fate = self.dice.fraction();
        let state = &self.contacts[contact as usize];
        let inbound = !state.outbound && !self.channel(contact).deferred();
        let next = self.queues[state.queue as usize].plan.overflow;
        match next {
            Some(next) if inbound && fate < 0.05 && state.visit < MAX_VISITS => {
                self.transfer(contact, next, fate < 0.03);
            }
            _ if inbound && fate > 0.99 => self.transfer_away(contact),
            _ => self.hang_up(contact),
        }
    }

    fn transfer(&mut self, contact: u32, next: u32, blind: bool) {
        let agent = self.contacts[contact as usize].agent;
        let name = self.queues[next as usize].plan.name.clone();
        self.tell(contact, "contact.transferred")
            .by_agent(agent)
            .text("kind", if blind { "blind" } else { "attended" })
            .text("to", "queue")
            .text("to_queue_id", &name)
            .end();
        if !blind {
            self.tell(contact, "contact.ended")
                .by_agent(agent)
                .text("by", "transfer")
                .end();
        }
        self.hand_over(contact);
        let step = self.dice.between(200, 900);
        self.contacts[contact as usize].phase = Phase::Moving;
        self.after(
            step,
            Action::Requeue {
                contact,
                queue: next,
            },
        );
        self.set_free(agent);
    }

    fn transfer_away(&mut self, contact: u32) {
        let agent = self.contacts[contact as usize].agent;
        self.tell(contact, "contact.transferred")
            .by_agent(agent)
            .text("kind", "blind")
            .text("to", "external")
            .end();
        self.hand_over(contact);
        self.close(contact);
        self.set_free(agent);
    }

    /// The agent's part is over without after-contact work.
    fn hand_over(&mut self, contact: u32) {
        let agent = self.contacts[contact as usize].agent;
        self.tell(contact, "contact.wrapped_up")
            .by_agent(agent)
            .number("acw_ms", 0)
            .end();
        self.tell_activity(contact, "released").end();
        self.let_go(contact);
        self.contacts[contact as usize].step += 1;
    }

    fn hang_up(&mut self, contact: u32) {
        let agent = self.contacts[contact as usize].agent;
        let channel = self.channel(contact);
        if channel.deferred() {
            self.tell_briefly(contact, "contact.responded")
                .by_agent(agent)
                .end();
            if self.dice.chance(0.6) {
                self.tell_briefly(contact, "contact.resolved")
                    .by_agent(agent)
                    .end();
            }
        }
        let by = if self.dice.chance(0.6) {
            "customer"
        } else {
            "agent"
        };
        self.tell_ended(contact, by);
        let wrap = self.dice.exponential(channel.wrap()).min(240_000);
        let queue = self.contacts[contact as usize].queue;
        let timed = self.queues[queue as usize].timed_wrap;
        let line = self.tell_activity(contact, "acw");
        if timed {
            line.number("for_ms", wrap).end();
        } else {
            line.end();
        }
        let now = self.now;
        let state = &mut self.contacts[contact as usize];
        (state.phase, state.since, state.timed) = (Phase::Wrapping, now, timed);
        self.after_step(contact, wrap, |contact, mark| Action::WrapEnd {
            contact,
            mark,
        });
    }

    fn tell_ended(&mut self, contact: u32, by: &str) {
        let state = &self.contacts[contact as usize];
        let (agent, hold) = (state.agent, state.hold);
        let talk = (self.now - state.answered_at).0 - hold;
        let stated = self.queues[state.queue as usize].states_talk;
        let line = self
            .tell(contact, "contact.ended")
            .by_agent(agent)
            .text("by", by);
        if stated {
            line.number("talk_ms", talk).number("hold_ms", hold).end();
        } else {
            line.end();
        }
    }

    pub(super) fn wrap_end(&mut self, contact: u32, mark: u32) {
        if !self.is(contact, mark, Phase::Wrapping) {
            return;
        }
        let agent = self.wrap_up(contact);
        self.set_free(agent);
    }

    fn wrap_up(&mut self, contact: u32) -> u32 {
        let state = &self.contacts[contact as usize];
        let (agent, timed, acw) = (state.agent, state.timed, (self.now - state.since).0);
        let line = self.tell(contact, "contact.wrapped_up").by_agent(agent);
        if timed {
            line.number("acw_ms", acw).end();
        } else {
            line.end();
        }
        if !timed {
            self.tell_activity(contact, "released").end();
        }
        if self.dice.chance(0.05) {
            let stars = self.dice.between(1, 6);
            self.tell(contact, "contact.rated")
                .number("csat", stars)
                .end();
        }
        self.let_go(contact);
        self.close_quietly(contact);
        agent
    }

    /// The agent's connection broke: what becomes of one of his contacts.
    pub(super) fn cut_off(&mut self, contact: u32) {
        match self.contacts[contact as usize].phase {
            Phase::Alerting if self.contacts[contact as usize].outbound => {
                self.tell_activity(contact, "error").end();
                self.let_go(contact);
                self.close(contact);
            }
            Phase::Alerting => self.fail_alert(contact, "error", "error"),
            Phase::Connected | Phase::Held => {
                if self.contacts[contact as usize].phase == Phase::Held {
                    self.stop_hold(contact);
                }
                self.tell_ended(contact, "system");
                self.hand_over(contact);
                self.close(contact);
            }
            _ => {
                self.contacts[contact as usize].timed = false;
                self.wrap_up(contact);
            }
        }
    }

    /// The hold ended before its time.
    fn stop_hold(&mut self, contact: u32) {
        let now = self.now;
        let state = &mut self.contacts[contact as usize];
        state.hold = (now - state.since).0;
    }
}
