//! What happens: lives of a few contacts and agents, sane ones, and what delivery does to them.
//!
//! A record may come late, but never by more than [`DELAY`]: together with the longest pause after
//! which a contact looks over, that is less than `settle_after`. So what is delivered comes to the
//! same figures as what happened.

use std::fmt::Write as _;

use super::dice::Dice;

/// The most that a record is late.
const DELAY: i64 = 25_000;
/// The longest pause between facts of a contact that may look over.
const PAUSE: i64 = 20_000;
const MINUTE: i64 = 60_000;

/// Why a record is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It happened.
    True,
    /// It is one that came before, again.
    Copy,
    /// It is of a contact that nobody has heard of, older than `retain`.
    Ancient,
    /// It is no event.
    Bad,
}

/// A record on its way to a log.
#[derive(Clone, Debug)]
pub struct Sent {
    pub kind: Kind,
    /// When it comes to the log.
    pub at: i64,
    /// When it happened.
    pub time: i64,
    pub value: String,
}

/// What comes to one log, in the order in which it comes. The last record is later than all others.
pub fn of_log(dice: &mut Dice, start: i64, log: usize) -> Vec<Sent> {
    let mut lives = Lives {
        dice,
        log,
        events: 0,
        sent: Vec::new(),
    };
    for contact in 0..=lives.dice.below(7) {
        lives.contact(start, contact);
    }
    for agent in 0..lives.dice.below(3) {
        lives.agent(start, agent);
    }
    lives.end(start)
}

struct Lives<'a> {
    dice: &'a mut Dice,
    log: usize,
    events: usize,
    sent: Vec<Sent>,
}

impl Lives<'_> {
    fn send(&mut self, what: &str, time: i64, rest: &str) {
        self.events += 1;
        let value = format!(
            r#"{{"id":"e{}-{}","type":"{what}","time":{time}{rest}}}"#,
            self.log, self.events
        );
        let late = if self.dice.percent(35) {
            self.dice.millis(0, DELAY)
        } else {
            0
        };
        let sent = Sent {
            kind: Kind::True,
            at: time + late,
            time,
            value,
        };
        if self.dice.percent(12) {
            self.again(&sent, what.starts_with("contact."));
        }
        self.sent.push(sent);
    }

    /// The same once more: soon, or when it is settled. An agent's facts are told apart for a while
    /// only.
    fn again(&mut self, sent: &Sent, whenever: bool) {
        let later = if whenever && self.dice.percent(30) {
            self.dice.millis(DELAY, 12 * MINUTE)
        } else {
            self.dice.millis(0, DELAY)
        };
        self.sent.push(Sent {
            kind: Kind::Copy,
            // After what it repeats.
            at: sent.at + later.max(1),
            ..sent.clone()
        });
    }

    fn contact(&mut self, start: i64, number: usize) {
        let contact = format!(r#","contact_id":"c{}-{number}""#, self.log);
        let named = self.dice.percent(50);
        let mut time = start + self.dice.millis(0, 8 * MINUTE);
        let mut queue = self.dice.pick(&["q1", "q2", "q3"]);
        if self.dice.percent(30) {
            self.send("contact.created", time, &contact);
            time += self.dice.millis(1, PAUSE);
        }
        for visit in 1..=3 {
            let mut about = contact.clone();
            if named {
                let _ = write!(about, r#","visit":{visit}"#);
            }
            let channel = self.dice.pick(&["", r#","channel":"chat""#]);
            let channel = if visit == 1 { channel } else { "" };
            let entry = format!(r#"{about},"queue_id":"{queue}"{channel}"#);
            self.send("contact.queued", time, &entry);
            time += self.dice.millis(1, PAUSE);
            match self.dice.below(10) {
                0..=5 => return self.answered(&about, time, named),
                6..=7 => {
                    let rest = format!(r#"{about},"outcome":"abandoned""#);
                    return self.send("contact.dequeued", time, &rest);
                }
                8 => {
                    let rest = format!(r#"{about},"outcome":"overflow""#);
                    self.send("contact.dequeued", time, &rest);
                    time += self.dice.millis(1, PAUSE);
                    queue = self.dice.pick(&["q1", "q2"]);
                }
                _ => return,
            }
        }
    }

    fn answered(&mut self, about: &str, from: i64, named: bool) {
        let mut time = from;
        let agent = self.dice.pick(&["anna", "bob"]);
        let by = format!(r#"{about},"agent_id":"{agent}""#);
        if self.dice.percent(60) {
            self.send("contact.alerting", time, &by);
            time += self.dice.millis(1, 9000);
        }
        self.send("contact.answered", time, &by);
        time += self.dice.millis(1, 90_000);
        if self.dice.percent(30) {
            self.send("contact.held", time, &by);
            time += self.dice.millis(1, 30_000);
            self.send("contact.resumed", time, &by);
            time += self.dice.millis(1, 30_000);
        }
        if self.dice.percent(10) {
            return;
        }
        let talk = self.dice.pick(&["", r#","talk_ms":4000,"hold_ms":100"#]);
        self.send("contact.ended", time, &format!("{by}{talk}"));
        time += self.dice.millis(1, PAUSE);
        if self.dice.percent(50) {
            let acw = self.dice.pick(&["", r#","acw_ms":7000"#]);
            self.send("contact.wrapped_up", time, &format!("{by}{acw}"));
            time += self.dice.millis(1, PAUSE);
        }
        if self.dice.percent(20) && !named {
            self.send("contact.closed", time, about);
        }
        if self.dice.percent(20) {
            let rest = format!(r#"{about},"queue_id":"q1""#);
            self.send("contact.rated", time + MINUTE, &rest);
        }
    }

    fn agent(&mut self, start: i64, number: usize) {
        let about = format!(r#","agent_id":"agent{}-{number}""#, self.log);
        let mut time = start + self.dice.millis(0, MINUTE);
        self.send("agent.logged_in", time, &about);
        time += self.dice.millis(1, 5000);
        let queues = self.dice.pick(&[
            r#","queues":[{"queue_id":"q1"}]"#,
            r#","queues":[{"queue_id":"q1"},{"queue_id":"q2","channel":"chat"}]"#,
            r#","queues":[]"#,
        ]);
        self.send("agent.queues", time, &format!("{about}{queues}"));
        if self.dice.percent(40) {
            time += self.dice.millis(1, 5000);
            let slots = format!(r#"{about},"slots":{{"voice":1,"chat":2}}"#);
            self.send("agent.capacity", time, &slots);
        }
        for turn in 0..self.dice.below(5) {
            time += self.dice.millis(1, 40_000);
            self.turn(&about, &mut time, turn);
        }
        if self.dice.percent(40) {
            time += self.dice.millis(1, 40_000);
            self.send("agent.logged_out", time, &about);
        }
    }

    /// What an agent does next.
    fn turn(&mut self, about: &str, time: &mut i64, turn: usize) {
        let contact = format!(r#"{about},"contact_id":"t{turn}","queue_id":"q1""#);
        match self.dice.below(4) {
            0 => {
                let state = self.dice.pick(&["available", "aux", "offline"]);
                let rest = format!(r#"{about},"state":"{state}","reason":"lunch""#);
                self.send("agent.state", *time, &rest);
            }
            1 => {
                let since = *time - self.dice.millis(0, 30_000);
                let rest = format!(
                    r#"{about},"presence":"available","contacts":[{{"contact_id":"t{turn}","state":"connected","queue_id":"q2","since":{since}}}]"#
                );
                self.send("agent.snapshot", *time, &rest);
            }
            _ => {
                for state in ["alerting", "connected", "held", "connected"] {
                    let rest = format!(r#"{contact},"state":"{state}""#);
                    self.send("agent.contact", *time, &rest);
                    *time += self.dice.millis(1, 15_000);
                    if self.dice.percent(25) {
                        break;
                    }
                }
                let over = self.dice.pick(&[
                    r#","state":"acw","for_ms":8000"#,
                    r#","state":"released""#,
                    r#","state":"missed""#,
                ]);
                self.send("agent.contact", *time, &format!("{contact}{over}"));
            }
        }
    }

    /// What is no part of any life, and the record that ends the log.
    fn end(mut self, start: i64) -> Vec<Sent> {
        for _ in 0..self.dice.below(4) {
            let (kind, value) = match self.dice.below(3) {
                0 => {
                    let time = start - 3_600_000;
                    self.events += 1;
                    let value = format!(
                        r#"{{"id":"old{}","type":"contact.ended","time":{time},"contact_id":"old{}"}}"#,
                        self.events, self.events
                    );
                    (Kind::Ancient, value)
                }
                1 => (Kind::Bad, r#"{"id":"x","type":"contact.queued""#.to_owned()),
                _ => (Kind::Bad, "[]".to_owned()),
            };
            // Not the first record: before it nothing is old.
            let at = start + self.dice.millis(9 * MINUTE, 13 * MINUTE);
            let time = at;
            self.sent.push(Sent {
                kind,
                at,
                time,
                value,
            });
        }
        self.sent.sort_by_key(|sent| sent.at);
        let last = self.sent.last().map_or(start, |sent| sent.at);
        let time = last + self.dice.pick(&[1, MINUTE, 8 * MINUTE, 45 * MINUTE]);
        let value = format!(
            r#"{{"id":"end","type":"agent.logged_out","time":{time},"agent_id":"end{}"}}"#,
            self.log
        );
        self.sent.push(Sent {
            kind: Kind::True,
            at: time,
            time,
            value,
        });
        self.sent
    }
}
