//! One partition's agents for tests, applied as the engine's partition does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Agent, Inserted, Workspace};
use crate::engine::deadlines::{Deadlines, Sleeper};
use crate::engine::difference::difference;
use crate::engine::facts::Post;
use crate::engine::ids::IdHasher;
use crate::engine::names::Names;
use crate::engine::settings::StateSettings;
use crate::engine::timeline::Timeline;
use crate::event::{AgentEvent, Millis};

pub(super) struct Partition {
    pub(super) names: Names,
    hasher: IdHasher,
    numbers: BTreeMap<String, u32>,
    pub(super) agents: Vec<Agent>,
    deadlines: Deadlines,
    stream: Millis,
    log: Vec<Post>,
    work: Workspace,
    /// As the engine does; else every fold begins at the first fact.
    checkpoints: bool,
    /// What became of each event.
    pub(super) inserted: Vec<Inserted>,
}

impl Partition {
    pub(super) fn new(checkpoints: bool) -> Self {
        Self {
            names: Names::new(Arc::new(StateSettings::default())),
            hasher: IdHasher::new(7),
            numbers: BTreeMap::new(),
            agents: Vec::new(),
            deadlines: Deadlines::default(),
            stream: Millis::MIN,
            log: Vec::new(),
            work: Workspace::default(),
            checkpoints,
            inserted: Vec::new(),
        }
    }

    /// Goes on to a later stream time: what is due by then is posted.
    pub(super) fn go_on(&mut self, stream: Millis) {
        if stream <= self.stream {
            return;
        }
        let horizon = std::mem::replace(&mut self.stream, stream);
        let mut woken = Vec::new();
        while let Some((_, Sleeper::Agent(number))) = self.deadlines.pop_due(stream) {
            woken.push(number);
        }
        woken.sort_unstable();
        woken.dedup();
        for number in woken {
            let timeline = self.ahead(number);
            let posts = timeline.until(stream).iter();
            self.log.extend(posts.filter(|post| post.stamp > horizon));
            self.sleep(number, timeline.next_after(stream));
        }
    }

    pub(super) fn apply(&mut self, event: &AgentEvent<'_>) {
        self.go_on(event.time.max(self.stream));
        let number = u32::try_from(self.agents.len()).unwrap();
        let agent_id = event.agent_id.to_string();
        let number = *self.numbers.entry(agent_id).or_insert(number);
        if number as usize == self.agents.len() {
            self.agents.push(Agent::default());
        }
        let (stream, agent) = (self.stream, &mut self.agents[number as usize]);
        let (names, hasher, work) = (&mut self.names, &self.hasher, &mut self.work);
        let (inserted, next) = if self.checkpoints {
            let applied = agent.apply(event, stream, names, hasher, work);
            self.log.extend_from_slice(&work.posts);
            (applied.inserted, applied.next)
        } else {
            let (mut old, mut new) = (Timeline::default(), Timeline::default());
            agent.fold(work, names, &mut old);
            let inserted = agent.insert(event, stream, names, hasher);
            agent.fold(work, names, &mut new);
            assert!(new.posts.is_sorted_by_key(|post| post.stamp));
            difference(old.until(stream), new.until(stream), &mut self.log);
            (inserted, new.next_after(stream))
        };
        self.inserted.push(inserted);
        self.sleep(number, next);
    }

    /// Every post with a stamp up to `now`, those due but not executed included.
    pub(super) fn posts(&mut self, now: Millis) -> Vec<Post> {
        let mut posts = self.log.clone();
        for number in (0_u32..).take(self.agents.len()) {
            let timeline = self.ahead(number);
            let due = timeline.posts.iter();
            posts.extend(due.filter(|post| post.stamp > self.stream));
        }
        posts.retain(|post| post.stamp <= now);
        posts
    }

    fn sleep(&mut self, number: u32, next: Millis) {
        if next < Millis::MAX {
            self.deadlines.push(next, Sleeper::Agent(number));
        }
    }

    fn ahead(&mut self, number: u32) -> Timeline {
        let mut timeline = Timeline::default();
        let (agent, names) = (&self.agents[number as usize], &mut self.names);
        if self.checkpoints {
            agent.ahead(&mut self.work, names, &mut timeline);
        } else {
            agent.fold(&mut self.work, names, &mut timeline);
        }
        timeline
    }
}
