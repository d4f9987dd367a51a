//! Whether an event names only what a partition knows. Asked only once the dictionary is full.
//!
//! A producer that makes up names (a queue id for each contact) would otherwise fill the memory of every
//! instance that reads it. The dictionary is part of the state, so every reader refuses the same
//! events, also after a restore. Rejected: a limit over all partitions, which no partition can know;
//! one row for all that is beyond it, which keeps the sum but hides which queue is missing.

use crate::engine::names::Names;
use crate::event::{AgentEvent, AgentKind, ContactEvent, Event, Text};

/// Whether everything that it names is known.
pub(super) fn names_nothing_new(event: &Event<'_>, names: &Names) -> bool {
    match event {
        Event::Contact(event) => contact(event, names),
        Event::Agent(event) => agent(event, names),
        Event::Queue(_) => true,
    }
}

fn contact(event: &ContactEvent<'_>, names: &Names) -> bool {
    let channel = event.channel.as_deref();
    match &event.queue_id {
        Some(queue) => names.has_row(&event.client_id, Some(queue), channel),
        None => {
            names.clients.find(&event.client_id).is_some()
                && channel.is_none_or(|channel| names.channels.find(channel).is_some())
        }
    }
}

fn agent(event: &AgentEvent<'_>, names: &Names) -> bool {
    let own = &*event.client_id;
    let row = |client: &Option<Text<'_>>, queue: Option<&str>, channel: &Option<Text<'_>>| {
        let channel = Some(channel.as_deref().unwrap_or("voice"));
        names.has_row(client.as_deref().unwrap_or(own), queue, channel)
    };
    let reason = |reason: &Option<Text<'_>>| {
        let given = reason.as_deref().filter(|reason| !reason.is_empty());
        given.is_none_or(|reason| names.reasons.find(reason).is_some())
    };
    let slots = |slots: &[(Text<'_>, u32)]| {
        let mut channels = slots.iter().map(|(channel, _)| channel);
        channels.all(|channel| names.channels.find(channel).is_some())
    };
    let known = match &event.kind {
        AgentKind::LoggedIn | AgentKind::LoggedOut => true,
        AgentKind::State { reason: why, .. } => reason(why),
        AgentKind::Queues(queues) => queues
            .iter()
            .all(|queue| row(&queue.client_id, Some(&queue.queue_id), &queue.channel)),
        AgentKind::Capacity(capacity) => slots(&capacity.slots),
        AgentKind::Contact(contact) => row(&None, contact.queue_id.as_deref(), &contact.channel),
        AgentKind::Snapshot(told) => {
            let mut queues = told.queues.iter().flatten();
            let mut contacts = told.contacts.iter().flatten();
            let capacity = told.capacity.as_ref();
            reason(&told.reason)
                && capacity.is_none_or(|capacity| slots(&capacity.slots))
                && queues.all(|of| row(&of.client_id, Some(&of.queue_id), &of.channel))
                && contacts.all(|at| row(&at.client_id, at.queue_id.as_deref(), &at.channel))
        }
    };
    known && names.clients.find(own).is_some()
}
