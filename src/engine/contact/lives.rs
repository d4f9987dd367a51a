//! Lives of contacts in one line, for tests: `0 queued@q1#1, 5 answered:agent=a, 9 ended:by=agent`.
//! Seconds, type, queue after `@`, visit after `#`, fields after `:`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use super::{Contact, Scratch};
use crate::engine::facts::{Count, Fact, Post};
use crate::engine::names::{ClientNo, Names, RowNo};
use crate::engine::settings::StateSettings;
use crate::engine::timeline::Timeline;
use crate::event::{ContactEvent, ContactKind, Direction, EndedBy, FlowOut, Millis, Outcome, Span};

/// Second 0 of every life.
pub(super) const START: Millis = Millis(1_767_603_600_000);

/// The events of a life, with ids `e00`, `e01` … in the order in which they are written.
pub(super) fn events(life: &str) -> Vec<ContactEvent<'static>> {
    let facts = life.split(", ").enumerate();
    facts.map(|(index, fact)| event(index, fact)).collect()
}

fn event(index: usize, fact: &str) -> ContactEvent<'static> {
    let (time, rest) = fact.split_once(' ').expect("a time and a type");
    let mut fields = rest.split(':');
    let head = fields.next().expect("a type");
    let (head, visit) = match head.split_once('#') {
        Some((head, visit)) => (head, Some(visit.parse().expect("a visit"))),
        None => (head, None),
    };
    let (kind, queue) = match head.split_once('@') {
        Some((kind, queue)) => (kind, Some(queue.to_owned())),
        None => (head, None),
    };
    let fields: Vec<(&str, &str)> = fields
        .map(|field| field.split_once('=').expect("a field"))
        .collect();
    let text = |name: &str| {
        let field = fields.iter().find(|(key, _)| *key == name);
        field.map(|(_, value)| (*value).to_owned())
    };
    ContactEvent {
        id: text("id").unwrap_or_else(|| format!("e{index:02}")).into(),
        time: at(time),
        client_id: Cow::Borrowed("acme"),
        campaign_id: None,
        contact_id: Cow::Borrowed("c"),
        queue_id: queue.map(Cow::Owned),
        channel: text("channel").map(Cow::Owned),
        direction: text("direction").as_deref().map(direction),
        visit,
        agent_id: text("agent").map(Cow::Owned),
        kind: kind_of(kind, &text),
    }
}

fn at(seconds: &str) -> Millis {
    START + span(seconds)
}

fn span(seconds: &str) -> Span {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i64 = whole.parse().expect("seconds");
    let part: i64 = format!("{part:0<3}").parse().expect("milliseconds");
    Span(whole * 1000 + sign * part)
}

fn direction(name: &str) -> Direction {
    match name {
        "outbound" => Direction::Outbound,
        "internal" => Direction::Internal,
        "consult" => Direction::Consult,
        "monitor" => Direction::Monitor,
        _ => Direction::Inbound,
    }
}

fn kind_of(kind: &str, text: &dyn Fn(&str) -> Option<String>) -> ContactKind {
    let queued_at = text("queued_at").as_deref().map(at);
    let stated = |name: &str| text(name).as_deref().map(span);
    match kind {
        "created" => ContactKind::Created,
        "queued" => ContactKind::Queued,
        "alerting" => ContactKind::Alerting,
        "alert_failed" => ContactKind::AlertFailed,
        "answered" => ContactKind::Answered { queued_at },
        "dequeued" => {
            let outcome = outcome(&text("outcome").expect("an outcome"));
            ContactKind::Dequeued { outcome, queued_at }
        }
        "held" => ContactKind::Held,
        "resumed" => ContactKind::Resumed,
        "attended" => ContactKind::Transferred { attended: true },
        "blind" => ContactKind::Transferred { attended: false },
        "ended" => ContactKind::Ended {
            by: text("by").map(|by| match by.as_str() {
                "customer" => EndedBy::Customer,
                "agent" => EndedBy::Agent,
                "transfer" => EndedBy::Transfer,
                _ => EndedBy::System,
            }),
            talk: stated("talk"),
            hold: stated("hold"),
        },
        "wrapped_up" => ContactKind::WrappedUp { acw: stated("acw") },
        "responded" => ContactKind::Responded,
        "rated" => ContactKind::Rated,
        "dialled" => ContactKind::Dialled,
        "closed" => ContactKind::Closed,
        other => panic!("{other}"),
    }
}

fn outcome(name: &str) -> Outcome {
    match name {
        "abandoned" => Outcome::Abandoned,
        "callback" => Outcome::Callback,
        name => Outcome::FlowedOut(
            FlowOut::ALL
                .into_iter()
                .find(|way| way.name() == name)
                .expect("an outcome"),
        ),
    }
}

/// A contact with the facts of its life, and what it folds into.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) names: Names,
    pub(super) timeline: Timeline,
}

/// Folds events in the order in which they stand.
pub(super) fn fold<'a>(
    events: impl IntoIterator<Item = &'a ContactEvent<'static>>,
    settings: StateSettings,
) -> Folded {
    let mut names = Names::new(Arc::new(settings));
    let mut contact = Contact::default();
    contact.begin(ClientNo(names.clients.number("acme")));
    for event in events {
        contact.insert(event, &mut names);
    }
    let mut timeline = Timeline::default();
    contact.fold(&mut names, &mut Scratch::default(), &mut timeline);
    Folded { names, timeline }
}

impl Folded {
    /// What windows count, in order of stamps, as `5 q1 answered 5`; passes left out.
    pub(super) fn counts(&self) -> String {
        self.list(|fact| match fact {
            Fact::Count(row, count) => Some((row, count_text(count)?)),
            _ => None,
        })
    }

    /// States entered (`+`) and left (`-`), in order of stamps.
    pub(super) fn states(&self) -> String {
        self.list(|fact| match fact {
            Fact::State(row, state) => Some((row, format!("{state:?}").to_lowercase())),
            _ => None,
        })
    }

    /// Rungs passed, and the gauge and the counter that follow.
    pub(super) fn passes(&self) -> String {
        self.list(|fact| match fact {
            Fact::Count(row, Count::Passed { rung }) => Some((row, format!("passed {rung}"))),
            Fact::WaitingPast(row, rung) => Some((row, format!("past {rung}"))),
            Fact::PassCounted(row, rung) => Some((row, format!("counted {rung}"))),
            _ => None,
        })
    }

    fn list(&self, text: impl Fn(Fact) -> Option<(RowNo, String)>) -> String {
        let mut posts: Vec<&Post> = self.timeline.posts.iter().collect();
        posts.sort_by_key(|post| (post.stamp, post.sign));
        let mut out = String::new();
        for post in posts {
            let Some((row, text)) = text(post.fact) else {
                continue;
            };
            let sign = if post.sign < 0 { "-" } else { "" };
            let comma = if out.is_empty() { "" } else { ", " };
            let row = self.row(row);
            let stamp = seconds(post.stamp - START);
            let _ = write!(out, "{comma}{stamp} {row} {sign}{text}");
        }
        out
    }

    /// The queue of a row, with the channel where it is not voice.
    pub(super) fn row(&self, row: RowNo) -> String {
        let info = self.names.row_info(row);
        let queue = self.names.queues.text(info.queue.expect("a queue").0);
        match self.names.channels.text(info.channel.0) {
            "voice" => queue.to_owned(),
            channel => format!("{queue}/{channel}"),
        }
    }
}

fn count_text(count: Count) -> Option<String> {
    Some(match count {
        Count::Offered => "offered".to_owned(),
        Count::Answered { wait } => format!("answered {}", seconds(wait)),
        Count::Abandoned { wait } => format!("abandoned {}", seconds(wait)),
        Count::FlowedOut { how, wait } => {
            let wait = wait.map_or("-".to_owned(), seconds);
            format!("{} {wait}", how.name())
        }
        Count::Callback { wait } => format!("callback {}", seconds(wait)),
        Count::AlertFailed => "alert_failed".to_owned(),
        Count::Transferred => "transferred".to_owned(),
        Count::Handled { talk, hold } => format!("handled {}+{}", seconds(talk), seconds(hold)),
        Count::AfterContact { acw } => format!("acw {}", seconds(acw)),
        Count::Passed { .. } | Count::Rated | Count::Complained | Count::Resolved => return None,
    })
}

pub(super) fn seconds(span: Span) -> String {
    let (whole, part) = (span.0 / 1000, span.0 % 1000);
    match part {
        0 => whole.to_string(),
        part => format!("{whole}.{part:03}")
            .trim_end_matches('0')
            .to_owned(),
    }
}
