//! The figures by their definitions: sums over every post that was ever made. Slow and plain.

use std::collections::{BTreeMap, BTreeSet};

use queuepulse::engine::columns::{agent, contact, gauge};
use queuepulse::engine::facts::{ContactState, Count, Fact, Post, WorkState};
use queuepulse::engine::names::{Activity, ClientNo, Names, Profile, RowNo};
use queuepulse::event::{FlowOut, Millis, Presence, Span};
use queuepulse::windows::numbering::{AgentRow, ClientId, Numbering, QueueNo};

/// A post with the names that it is told in.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub names: &'a Names,
    pub post: Post,
    /// Taken back after it had left the log: a maximum is not lowered by it.
    pub too_late: bool,
}

pub type Columns = BTreeMap<usize, i64>;

fn queue_of(names: &Names, numbering: &dyn Numbering, row: RowNo) -> Option<QueueNo> {
    let info = names.row_info(row);
    Some(numbering.queue(
        names.clients.text(info.client.0),
        names.queues.text(info.queue?.0),
        names.channels.text(info.channel.0),
    ))
}

fn bucket_of(rungs: &[Span], wait: Span) -> usize {
    rungs.iter().filter(|&&rung| rung < wait).count()
}

/// Columns that a post moves in its queue's row.
pub fn contact_columns(told: &Told<'_>, numbering: &dyn Numbering) -> Option<(QueueNo, Columns)> {
    let (Fact::Count(row, _) | Fact::PassCounted(row, _)) = told.post.fact else {
        return None;
    };
    let queue = queue_of(told.names, numbering, row)?;
    let rungs = &told.names.row_info(row).rungs;
    let mut columns = Columns::new();
    let mut put = |column: usize, amount: i64| {
        columns.insert(column, amount * i64::from(told.post.sign));
    };
    match told.post.fact {
        Fact::PassCounted(_, rung) => put(contact::PASS_COUNTED + usize::from(rung), 1),
        Fact::Count(_, count) => match count {
            Count::Offered => put(contact::OFFERED, 1),
            Count::Answered { wait } => {
                put(contact::ANSWERED + bucket_of(rungs, wait), 1);
                put(contact::ANSWERED_WAIT, wait.0);
            }
            Count::Abandoned { wait } => {
                put(contact::ABANDONED + bucket_of(rungs, wait), 1);
                put(contact::ABANDONED_WAIT, wait.0);
                put(contact::ABANDONED_AT_ONCE, i64::from(wait.0 == 0));
            }
            Count::FlowedOut { how, .. } => {
                let way = FlowOut::ALL
                    .iter()
                    .position(|&way| way == how)
                    .expect("known");
                put(contact::FLOWED_OUT + way, 1);
            }
            Count::Callback { wait } => put(contact::CALLBACK + bucket_of(rungs, wait), 1),
            Count::Passed { rung } => put(contact::PASSED + usize::from(rung), 1),
            Count::AlertFailed => put(contact::ALERT_FAILED, 1),
            Count::Transferred => put(contact::TRANSFERRED, 1),
            Count::Handled { talk, hold } => {
                put(contact::HANDLED, 1);
                put(contact::TALK, talk.0);
                put(contact::HOLD, hold.0);
            }
            Count::AfterContact { acw } => put(contact::AFTER_CONTACT, acw.0),
            Count::Rated => put(contact::RATED, 1),
            Count::Complained => put(contact::COMPLAINED, 1),
            Count::Resolved => put(contact::RESOLVED, 1),
        },
        _ => {}
    }
    Some((queue, columns))
}

/// Gauge column that a post moves.
pub fn gauge_column(told: &Told<'_>, numbering: &dyn Numbering) -> Option<(QueueNo, usize)> {
    let (row, column) = match told.post.fact {
        Fact::State(row, ContactState::Waiting) => (row, gauge::WAITING),
        Fact::State(row, ContactState::Alerting) => (row, gauge::ALERTING),
        Fact::State(row, ContactState::Connected) => (row, gauge::CONNECTED),
        Fact::State(row, ContactState::Held) => (row, gauge::HELD),
        Fact::State(row, ContactState::Acw) => (row, gauge::ACW),
        Fact::WaitingPast(row, rung) => (row, gauge::WAITING_PAST + usize::from(rung)),
        _ => return None,
    };
    Some((queue_of(told.names, numbering, row)?, column))
}

/// What a post says of durations.
pub enum Duration {
    Wait(i64),
    Handle(i64),
}

pub fn duration(post: &Post) -> Option<Duration> {
    match post.fact {
        Fact::Count(_, Count::Answered { wait }) => Some(Duration::Wait(wait.0)),
        Fact::Count(_, Count::Handled { talk, hold }) => Some(Duration::Handle(talk.0 + hold.0)),
        _ => None,
    }
}

pub fn exit_wait(post: &Post) -> Option<i64> {
    match post.fact {
        Fact::Count(
            _,
            Count::Answered { wait } | Count::Abandoned { wait } | Count::Callback { wait },
        ) => Some(wait.0),
        Fact::Count(_, Count::FlowedOut { wait, .. }) => wait.map(|wait| wait.0),
        _ => None,
    }
}

/// The queue of a count.
pub fn count_queue(told: &Told<'_>, numbering: &dyn Numbering) -> Option<QueueNo> {
    match told.post.fact {
        Fact::Count(row, _) => queue_of(told.names, numbering, row),
        _ => None,
    }
}

type Key = Box<[ClientId]>;

fn key(names: &Names, numbering: &dyn Numbering, clients: &[ClientNo]) -> Key {
    let ids: BTreeSet<ClientId> = clients
        .iter()
        .map(|client| numbering.client(names.clients.text(client.0)))
        .collect();
    ids.into_iter().collect()
}

fn rows_of(
    names: &Names,
    numbering: &dyn Numbering,
    rows: &[RowNo],
    clients: &[ClientNo],
    key: &Key,
) -> Vec<AgentRow> {
    let mut unfolded = Vec::new();
    let mut put = |row: AgentRow| {
        if !unfolded.contains(&row) {
            unfolded.push(row);
        }
    };
    for &row in rows {
        if let Some(queue) = queue_of(names, numbering, row) {
            put(AgentRow::Queue(queue));
            if let Some(group) = numbering.group(queue) {
                put(AgentRow::Group(group, key.clone()));
            }
        }
        let channel = names.channels.text(names.row_info(row).channel.0);
        put(AgentRow::Channel(channel.to_owned(), key.clone()));
    }
    for client in clients {
        put(AgentRow::Client(
            numbering.client(names.clients.text(client.0)),
        ));
    }
    put(AgentRow::Total(key.clone()));
    unfolded
}

/// Whether two rows are the same but for the clients they are kept apart by.
fn alike(one: &AgentRow, other: &AgentRow) -> bool {
    match (one, other) {
        (AgentRow::Group(a, _), AgentRow::Group(b, _))
        | (AgentRow::Channel(a, _), AgentRow::Channel(b, _)) => a == b,
        (AgentRow::Total(_), AgentRow::Total(_)) => true,
        _ => one == other,
    }
}

fn profile_columns(profile: &Profile) -> Vec<(usize, i64)> {
    let presence = match profile.presence {
        Presence::Available => 0,
        Presence::Aux => 1,
        Presence::Offline => 2,
    };
    let activity = match profile.activity {
        Activity::NotResponding => 0,
        Activity::OnContact => 1,
        Activity::Acw => 2,
        Activity::Alerting => 3,
        Activity::Idle => 4,
    };
    let busy = profile.busy_contacts > 0;
    let available = profile.presence == Presence::Available;
    vec![
        (agent::CELLS + presence * 5 + activity, 1),
        (agent::BUSY, i64::from(busy)),
        (agent::BUSY_CONTACTS, i64::from(profile.busy_contacts)),
        (agent::CONNECT_BUSY, i64::from(busy && available)),
        (
            agent::CONNECT_IDLE,
            i64::from(profile.used == 0 && available),
        ),
        (
            agent::SLOTS_USED,
            i64::from(profile.used) * i64::from(available),
        ),
        (
            agent::SLOTS_USABLE,
            i64::from(profile.usable) * i64::from(available),
        ),
    ]
}

/// (row, column, weight) that a post moves; aux by reason as the column's place after the last.
pub fn agent_cells(
    told: &Told<'_>,
    numbering: &dyn Numbering,
) -> Vec<(AgentRow, Result<usize, String>, i64)> {
    let names = told.names;
    let mut cells = Vec::new();
    match told.post.fact {
        Fact::Work(row, state) => {
            let client = names.row_info(row).client;
            let key = key(names, numbering, &[client]);
            let column = match state {
                WorkState::Alerting => agent::WORK,
                WorkState::Connected => agent::WORK + 1,
                WorkState::Held => agent::WORK + 2,
                WorkState::Acw => agent::WORK + 3,
            };
            for row in rows_of(names, numbering, &[row], &[client], &key) {
                cells.push((row, Ok(column), 1));
            }
        }
        Fact::Staff(set, profile) => {
            let info = names.set_info(set);
            let key = key(names, numbering, &info.clients);
            let profile = names.profile_info(profile);
            for row in rows_of(names, numbering, &info.rows, &info.clients, &key) {
                for (column, weight) in profile_columns(profile) {
                    cells.push((row.clone(), Ok(column), weight));
                }
                if let (Presence::Aux, Some(reason)) = (profile.presence, profile.reason) {
                    let reason = names.reasons.text(reason.0).to_owned();
                    cells.push((row, Err(reason), 1));
                }
            }
        }
        Fact::Here { serves, here } => {
            let (serves, here) = (names.set_info(serves), names.set_info(here));
            let here_key = key(names, numbering, &here.clients);
            let serves_key = key(names, numbering, &serves.clients);
            let here = rows_of(names, numbering, &here.rows, &here.clients, &here_key);
            let serves = rows_of(names, numbering, &serves.rows, &serves.clients, &serves_key);
            for row in &serves {
                if here.iter().any(|other| alike(row, other)) {
                    cells.push((row.clone(), Ok(agent::HERE_MEMBER), 1));
                }
            }
            for row in here {
                cells.push((row, Ok(agent::HERE), 1));
            }
        }
        _ => {}
    }
    cells
}

/// Time between `from` and `to` that something entered at `stamp` and never left contributes.
pub fn time_in(stamp: Millis, from: Millis, to: Millis) -> i64 {
    if stamp > to {
        return 0;
    }
    to.0 - stamp.0.max(from.0)
}
