//! One partition, played plainly.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::{Contact, Inserted, Scratch};
use crate::engine::facts::Post;
use crate::engine::names::{ClientNo, Names, RowNo};
use crate::engine::settings::StateSettings;
use crate::engine::timeline::{Timeline, Waiting};
use crate::event::{ContactEvent, ContactKind, Event, Millis};

/// A contact held, or settled.
struct Held {
    contact: Contact,
    arrived: Millis,
    settles: Millis,
    settled: bool,
}

/// One partition: which facts count, in order of arrival.
pub(super) struct Partition {
    names: Names,
    stream: Millis,
    contacts: Vec<Held>,
    by_key: HashMap<(String, String), usize>,
    scratch: Scratch,
    timeline: Timeline,
}

impl Partition {
    pub(super) fn new(settings: Arc<StateSettings>) -> Self {
        Self {
            names: Names::new(settings),
            stream: Millis::MIN,
            contacts: Vec::new(),
            by_key: HashMap::new(),
            scratch: Scratch::default(),
            timeline: Timeline::default(),
        }
    }

    pub(super) fn apply(&mut self, event: &Event<'_>) {
        match event {
            Event::Contact(event) => self.apply_contact(event),
            Event::Agent(event) => self.pass(event.time),
            Event::Queue(_) => {}
        }
    }

    fn pass(&mut self, time: Millis) {
        self.stream = self.stream.max(time);
        for held in &mut self.contacts {
            held.settled |= held.settles <= self.stream;
        }
    }

    fn apply_contact(&mut self, event: &ContactEvent<'_>) {
        self.pass(event.time);
        if let ContactKind::Rated | ContactKind::Complained | ContactKind::Resolved = event.kind {
            return;
        }
        let retain = self.names.settings().retain;
        let key = (event.client_id.to_string(), event.contact_id.to_string());
        let known = self.by_key.get(&key).copied().filter(|&known| {
            let held = &self.contacts[known];
            !held.settled || held.settles + retain > self.stream
        });
        if known.is_some_and(|known| self.contacts[known].settled) {
            return;
        }
        let index = known.unwrap_or_else(|| {
            let mut contact = Contact::default();
            contact.begin(ClientNo(self.names.clients.number(&event.client_id)));
            self.contacts.push(Held {
                contact,
                arrived: Millis::MIN,
                settles: Millis::MAX,
                settled: false,
            });
            self.contacts.len() - 1
        });
        if known.is_none() {
            if event.time < self.stream - retain {
                self.contacts.pop();
                return;
            }
            self.by_key.insert(key, index);
        }
        let held = &mut self.contacts[index];
        if held.contact.insert(event, &mut self.names) != Inserted::Duplicate {
            held.arrived = self.stream;
        }
        let timeline = &mut self.timeline;
        held.contact
            .fold(&mut self.names, &mut self.scratch, timeline);
        let settle_after = self.names.settings().settle_after;
        held.settles = timeline.end.max(held.arrived) + settle_after + timeline.settle_later;
    }

    /// Every post up to `now`, and who waits then.
    pub(super) fn posts(&mut self, now: Millis) -> (Vec<Post>, Vec<Waiting>) {
        let (mut posts, mut waiting) = (Vec::new(), Vec::new());
        for held in &self.contacts {
            let timeline = &mut self.timeline;
            held.contact
                .fold(&mut self.names, &mut self.scratch, timeline);
            posts.extend(timeline.posts.iter().filter(|post| post.stamp <= now));
            waiting.extend(
                timeline
                    .waiting
                    .filter(|waiting| waiting.entry <= now && now < waiting.until),
            );
        }
        (posts, waiting)
    }

    pub(super) fn row(&self, row: RowNo) -> String {
        let info = self.names.row_info(row);
        let queue = info
            .queue
            .map_or("", |queue| self.names.queues.text(queue.0));
        let client = self.names.clients.text(info.client.0);
        let channel = self.names.channels.text(info.channel.0);
        format!("{client}/{queue}/{channel}")
    }
}
