//! What contacts post, each figure at its own stamp.

use super::contacts::{self, Contact, Visit};
use super::lives::{self, Alone};
use super::record::Record;
use super::tally::FLOWS;
use super::{AfterContact, Row, Settings};

/// What a contact adds at a stamp.
#[derive(Clone, Debug)]
pub(super) enum What {
    Offered,
    /// Outcome and wait; the wait of a swept visit counts nowhere.
    Exit(String, Option<i64>),
    /// The wait passes this much.
    Passed(i64),
    /// A pass is counted for good: at the exit, or `late_after` after it while the visit still waits.
    PassCounted,
    AlertFailed,
    Transferred,
    Handled(i64, i64),
    After(i64),
    /// Rated, complained, resolved.
    Alone(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) row: Row,
    pub(super) at: i64,
    pub(super) what: What,
}

/// A visit that somebody looks at now.
#[derive(Clone, Debug)]
pub(super) struct Present {
    pub(super) row: Row,
    pub(super) state: &'static str,
    pub(super) entry: i64,
}

/// Everything that contacts post up to `at`, told as text: what, stamp, amount. The states of now
/// count as posted at `at`.
pub fn posted(records: &[&Record], settings: &Settings, at: i64) -> Vec<(String, i64, i64)> {
    let contacts = lives::contacts(records, settings);
    let (alone, _) = lives::alone(records, settings);
    let (posts, present) = posts(&contacts, &alone, settings, at);
    let row = |row: &Row| format!("{}/{}/{}", row.client, row.queue, row.channel);
    let told = posts.iter().filter_map(|post| {
        let what = match &post.what {
            What::PassCounted => return None,
            What::Offered => "offered".to_owned(),
            What::Exit(name, wait) if FLOWS.contains(&name.as_str()) => {
                format!("{name} after {wait:?}")
            }
            What::Exit(name, wait) => format!("{name} after {}", wait.unwrap_or(-1)),
            What::Passed(rung) => format!("passed {rung}"),
            What::AlertFailed => "alert_failed".to_owned(),
            What::Transferred => "transferred".to_owned(),
            What::Handled(talk, hold) => format!("handled talk {talk} hold {hold}"),
            What::After(acw) => format!("acw {acw}"),
            What::Alone(kind) => (*kind).to_owned(),
        };
        Some((format!("{} {what}", row(&post.row)), post.at, 1))
    });
    let now = present.iter().map(|present| {
        let mut state = present.state.to_owned();
        state[..1].make_ascii_uppercase();
        (format!("{} now {state}", row(&present.row)), at, 1)
    });
    told.chain(now).collect()
}

/// Every post of every contact, and the visits in a state at `at`.
pub(super) fn posts(
    contacts: &[Contact],
    alone: &[Alone],
    settings: &Settings,
    at: i64,
) -> (Vec<Post>, Vec<Present>) {
    let (mut posts, mut present) = (Vec::new(), Vec::new());
    posts.extend(alone.iter().map(|alone| Post {
        row: alone.row.clone(),
        at: alone.at,
        what: What::Alone(alone.kind),
    }));
    for contact in contacts {
        for visit in contact.visits.iter().filter(|visit| visit.begun) {
            let Some((row, direction)) = contact.row(visit) else {
                continue;
            };
            let inbound = direction == "inbound";
            if inbound {
                queue_posts(contact, visit, &row, settings, &mut posts);
            }
            if inbound || direction == "outbound" {
                leg_posts(contact, visit, &row, settings, &mut posts);
                if let Some(state) = state(contact, visit, &row, settings, at, inbound) {
                    present.push(Present {
                        row,
                        state,
                        entry: visit.entry().unwrap_or(at),
                    });
                }
            }
        }
        for (number, stamp, what) in marks(contact) {
            let visit = contact
                .visits
                .iter()
                .find(|visit| visit.number == number && visit.begun);
            if let Some((row, direction)) = visit.and_then(|visit| contact.row(visit))
                && direction == "inbound"
            {
                posts.push(Post {
                    row,
                    at: stamp,
                    what,
                });
            }
        }
    }
    posts.retain(|post| post.at <= at);
    (posts, present)
}

pub(super) fn marks(contact: &Contact) -> Vec<(i64, i64, What)> {
    let failed = contact
        .alert_failed
        .iter()
        .map(|(number, at)| (*number, *at, What::AlertFailed));
    let moved = contact
        .transferred
        .iter()
        .map(|(number, at)| (*number, *at, What::Transferred));
    failed.chain(moved).collect()
}

pub(super) fn queue_posts(
    contact: &Contact,
    visit: &Visit,
    row: &Row,
    settings: &Settings,
    posts: &mut Vec<Post>,
) {
    let Some(entry) = visit.entry() else { return };
    let mut post = |at: i64, what: What| {
        posts.push(Post {
            row: row.clone(),
            at,
            what,
        });
    };
    post(entry, What::Offered);
    let shown = settings.shown(row);
    let exit = match (visit.outcome(), contact.sweep) {
        (Some((at, name)), _) => Some((*at, name.clone(), Some((at - entry).max(0)))),
        (None, Some(sweep)) => Some((sweep, "error".to_owned(), None)),
        (None, None) => None,
    };
    let waited = exit.as_ref().map_or(i64::MAX, |(at, ..)| at - entry);
    if waited > shown.threshold {
        let passed = entry + shown.threshold + 1;
        let gone = exit.as_ref().map_or(i64::MAX, |(at, ..)| *at);
        post(passed, What::Passed(shown.threshold));
        post(gone.min(passed + settings.late_after), What::PassCounted);
    }
    if let Some((at, name, wait)) = exit {
        post(at, What::Exit(name, wait));
    }
}

pub(super) fn leg_posts(
    contact: &Contact,
    visit: &Visit,
    row: &Row,
    settings: &Settings,
    posts: &mut Vec<Post>,
) {
    let rule = settings.after_contact(row);
    for leg in &visit.legs {
        let Some(end) = leg.end else { continue };
        let (talk, hold) = leg.talk_and_hold();
        posts.push(Post {
            row: row.clone(),
            at: end,
            what: What::Handled(talk, hold),
        });
        if let Some((at, acw)) = leg.after(rule, settings.acw_max) {
            posts.push(Post {
                row: row.clone(),
                at,
                what: What::After(acw),
            });
        }
    }
    let _ = contact;
}

/// The state that a visit is in at `at`.
pub(super) fn state(
    contact: &Contact,
    visit: &Visit,
    row: &Row,
    settings: &Settings,
    at: i64,
    inbound: bool,
) -> Option<&'static str> {
    let swept = contact.sweep.is_some_and(|sweep| sweep <= at);
    let open: Vec<_> = visit.legs.iter().filter(|leg| leg.end.is_none()).collect();
    if !swept && !open.is_empty() {
        let held = open.iter().all(|leg| leg.held_since.is_some());
        return Some(if held { "held" } else { "connected" });
    }
    if !swept && inbound && visit.outcome().is_none() {
        return Some(if visit.alerts.is_empty() {
            "waiting"
        } else {
            "alerting"
        });
    }
    let rule = settings.after_contact(row);
    let working = |leg: &contacts::Leg| {
        rule != AfterContact::None
            && leg
                .after(rule, settings.acw_max)
                .is_some_and(|(over, _)| over > at)
    };
    (open.is_empty() && visit.legs.iter().any(working)).then_some("acw")
}
