//! What has come from all instances, and the whole centre that it makes.
//!
//! Records are kept until the instant is shown that their beat tells, so an instance that is late
//! by some seconds spoils nothing. Memory: the latest bytes of each row, and at most
//! [`PENDING_MAX`] of what has come since.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rapidhash::RapidHashMap;

use crate::event::{Family, Millis, Span};
use crate::live::Registry;
use crate::windows::frame::Frame;

use super::beat::Beat;
use super::cells::{Cell, decode, restore};
use super::name::{Key, Place, RowKey, What};
use super::outbox::{hash_of, split};
use super::rule::{Outcome, Standing, agree};
use super::scatter::Filling;

/// The most bytes of records that wait for their instant, by instance.
const PENDING_MAX: usize = 64 << 20;
/// The most beats that wait, by instance.
const BEATS_MAX: usize = 60;
/// The most instances that are told apart, and rows of one.
const INSTANCES_MAX: usize = 64;
const ROWS_MAX: usize = 2_000_000;
/// An instance that has been silent for so long, by the beats of the others, is forgotten.
const FORGOTTEN: Span = Span::minutes(5);

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A row.
    Row,
    /// A beat; with it there may be a new whole.
    Beat,
    /// Another group's, or of an earlier run.
    NotOurs,
    /// Another version, other settings, or bad bytes.
    Unreadable,
}

/// The whole centre at one instant.
#[derive(Clone, Debug)]
pub struct Together {
    /// The instant.
    pub to: Millis,
    /// A frame for each instance.
    pub frames: Vec<Arc<Frame>>,
    /// Up to when every partition is known to be whole.
    pub known_to: Option<Millis>,
    /// Since when contacts and agents have been read, in all partitions.
    pub since: [Millis; 2],
    /// Who owned each contact partition, by its number.
    pub owners: Vec<String>,
}

/// An instance, as readers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub instance: String,
    /// The instant of its newest beat.
    pub beat: Millis,
    /// Its rows.
    pub rows: usize,
}

/// What has come.
pub struct Inbox {
    group: String,
    shape: u64,
    windows: usize,
    registry: Arc<Registry>,
    instances: BTreeMap<String, Instance>,
    shown: Millis,
    missing: Vec<(Family, i32)>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox")
            .field("instances", &self.instances.len())
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// What has come from one instance.
#[derive(Debug, Default)]
struct Instance {
    run: u64,
    places: RapidHashMap<RowKey, usize>,
    rows: Vec<Row>,
    /// Over the records that have come.
    count: u64,
    check: u64,
    latest: Option<Beat>,
    pending: VecDeque<Pending>,
    pending_bytes: usize,
    pending_beats: usize,
}

/// A row. The hashes are of what has come, the bytes of what is shown.
#[derive(Debug)]
struct Row {
    place: Place,
    /// Of the whole that has come: its origin and hash; none before.
    whole_came: Option<(Millis, u64)>,
    difference_came: u64,
    whole: Box<[u8]>,
    difference: Box<[u8]>,
}

#[derive(Debug)]
enum Pending {
    Whole(usize, Box<[u8]>),
    Difference(usize, Box<[u8]>),
    Gone(usize),
    /// A beat, and whether its rows had come.
    Beat(Beat, bool),
}

impl Inbox {
    /// Of a group's instances with rows of this shape.
    pub fn new(group: &str, shape: u64, windows: usize, registry: Arc<Registry>) -> Self {
        Self {
            group: group.to_owned(),
            shape,
            windows,
            registry,
            instances: BTreeMap::new(),
            shown: Millis::MIN,
            missing: Vec::new(),
        }
    }

    /// Takes one record.
    pub fn take(&mut self, key: &[u8], value: Option<&[u8]>) -> Told {
        let Some(name) = Key::decode(key) else {
            return Told::Unreadable;
        };
        if name.group != self.group {
            return Told::NotOurs;
        }
        if !self.instances.contains_key(&name.instance) && self.instances.len() >= INSTANCES_MAX {
            return Told::Unreadable;
        }
        let instance = self.instances.entry(name.instance).or_default();
        if name.run < instance.run {
            return Told::NotOurs;
        }
        if name.run > instance.run {
            *instance = Instance {
                run: name.run,
                ..Instance::default()
            };
        }
        let taken = match (name.what, value) {
            (What::Beat, None) => Some(Told::NotOurs),
            (What::Beat, Some(value)) => instance.beat(value, self.shape),
            (What::Whole(row), value) => instance.whole(key, row, value, &self.registry),
            (What::Difference(row), value) => instance.difference(key, &row, value),
        };
        instance.bound();
        taken.unwrap_or(Told::Unreadable)
    }

    /// The whole centre of the latest instant, if there is one later than the one before.
    pub fn together(&mut self) -> Option<Together> {
        let mut names = Vec::new();
        let mut standings = Vec::new();
        for (name, instance) in &self.instances {
            if let Some(latest) = &instance.latest {
                names.push(name.clone());
                standings.push(Standing {
                    latest,
                    complete: instance.complete().collect(),
                });
            }
        }
        let (to, members) = match agree(&standings, self.shown) {
            Outcome::Agreed { to, members } => (to, members),
            Outcome::Missing(missing) => {
                self.missing = missing;
                return None;
            }
        };
        self.missing.clear();
        self.shown = to;
        self.forget_silent();
        for instance in self.instances.values_mut() {
            instance.advance(to);
        }
        let members: Vec<String> = members
            .into_iter()
            .filter_map(|place| names.get(place).cloned())
            .collect();
        Some(self.add_up(to, &members))
    }

    /// Forgets everything: reading begins anew.
    pub fn clear(&mut self) {
        self.instances.clear();
        self.missing.clear();
    }

    /// The partitions that keep the centre from being whole.
    pub fn missing(&self) -> &[(Family, i32)] {
        &self.missing
    }

    /// The instances that have been heard of lately.
    pub fn seen(&self) -> Vec<Seen> {
        let seen = self.instances.iter().filter_map(|(name, instance)| {
            Some(Seen {
                instance: name.clone(),
                beat: instance.latest.as_ref()?.to,
                rows: usize::try_from(instance.count).unwrap_or(usize::MAX),
            })
        });
        seen.collect()
    }

    fn forget_silent(&mut self) {
        let edge = self.shown - FORGOTTEN;
        self.instances.retain(|_, instance| {
            let latest = instance.latest.as_ref();
            latest.is_none_or(|latest| latest.to > edge)
        });
    }

    fn add_up(&self, to: Millis, members: &[String]) -> Together {
        let mut together = Together {
            to,
            frames: Vec::new(),
            known_to: Some(Millis::MAX),
            since: [Millis::MIN; 2],
            owners: Vec::new(),
        };
        for (name, instance) in &self.instances {
            let Some(beat) = members
                .contains(name)
                .then_some(instance.latest_at(to))
                .flatten()
            else {
                continue;
            };
            let frame = instance.frame(to, self.windows);
            together.frames.push(Arc::new(frame));
            let known = together.known_to.zip(beat.known_to);
            together.known_to = known.map(|(left, right)| left.min(right));
            for (since, own) in together.since.iter_mut().zip(beat.since) {
                *since = own.max(*since);
            }
            for claim in &beat.claims {
                let place = usize::try_from(claim.partition).unwrap_or(0);
                if claim.family == Family::Contact {
                    if together.owners.len() <= place {
                        together.owners.resize(place + 1, String::new());
                    }
                    together.owners[place].clone_from(name);
                }
            }
        }
        together
    }
}

impl Instance {
    fn beat(&mut self, value: &[u8], shape: u64) -> Option<Told> {
        let beat = Beat::decode(value).filter(|beat| beat.shape == shape)?;
        let complete = beat.rows == self.count && beat.check == self.check;
        self.latest = Some(beat.clone());
        self.pending_beats += 1;
        self.pending.push_back(Pending::Beat(beat, complete));
        Some(Told::Beat)
    }

    fn whole(
        &mut self,
        key: &[u8],
        row: RowKey,
        value: Option<&[u8]>,
        registry: &Registry,
    ) -> Option<Told> {
        let known = self.places.get(&row).copied();
        let Some(value) = value else {
            if let Some(at) = known {
                let row = self.rows.get_mut(at)?;
                if let Some((_, hash)) = row.whole_came.take() {
                    self.count -= 1;
                    self.check = self.check.wrapping_sub(hash);
                }
                self.check = self.check.wrapping_sub(row.difference_came);
                row.difference_came = 0;
                self.pending.push_back(Pending::Gone(at));
            }
            return Some(Told::Row);
        };
        let (origin, _) = split(value)?;
        let at = match known {
            Some(at) => at,
            None if self.rows.len() >= ROWS_MAX => return None,
            None => {
                let place = Place::of(&row, registry)?;
                self.rows.push(Row {
                    place,
                    whole_came: None,
                    difference_came: 0,
                    whole: Box::default(),
                    difference: Box::default(),
                });
                self.places.insert(row, self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        let row = self.rows.get_mut(at)?;
        let hash = hash_of(key, value);
        match row.whole_came.replace((origin, hash)) {
            Some((_, before)) => self.check = self.check.wrapping_sub(before),
            None => self.count += 1,
        }
        self.check = self.check.wrapping_sub(row.difference_came);
        row.difference_came = 0;
        self.check = self.check.wrapping_add(hash);
        self.pending_bytes += value.len();
        self.pending.push_back(Pending::Whole(at, value.into()));
        Some(Told::Row)
    }

    fn difference(&mut self, key: &[u8], row: &RowKey, value: Option<&[u8]>) -> Option<Told> {
        let Some(value) = value else {
            return Some(Told::Row);
        };
        let (origin, _) = split(value)?;
        let Some(&at) = self.places.get(row) else {
            // the whole comes later: we have begun in between
            return Some(Told::Row);
        };
        let row = self.rows.get_mut(at)?;
        if row.whole_came.is_none_or(|(of, _)| of != origin) {
            return Some(Told::Row);
        }
        let hash = hash_of(key, value);
        self.check = self.check.wrapping_sub(row.difference_came);
        self.check = self.check.wrapping_add(hash);
        row.difference_came = hash;
        self.pending_bytes += value.len();
        self.pending
            .push_back(Pending::Difference(at, value.into()));
        Some(Told::Row)
    }

    /// The beats that wait and whose rows have come.
    fn complete(&self) -> impl Iterator<Item = &Beat> {
        self.pending.iter().filter_map(|pending| match pending {
            Pending::Beat(beat, true) => Some(beat),
            _ => None,
        })
    }

    /// The beat of the instant that was advanced to: it is still the first that waits.
    fn latest_at(&self, to: Millis) -> Option<&Beat> {
        match self.pending.front() {
            Some(Pending::Beat(beat, _)) if beat.to == to => Some(beat),
            _ => None,
        }
    }

    /// Applies what came before the beat of `to`, which stays; without such a beat, what came before
    /// the first later one.
    fn advance(&mut self, to: Millis) {
        let stays = |pending: &Pending| matches!(pending, Pending::Beat(beat, _) if beat.to >= to);
        while let Some(pending) = self.pending.pop_front() {
            if stays(&pending) {
                self.pending.push_front(pending);
                return;
            }
            self.apply(pending);
        }
    }

    /// Too much waits: the oldest is applied, and its beats are not shown.
    fn bound(&mut self) {
        while self.pending_bytes > PENDING_MAX || self.pending_beats > BEATS_MAX {
            match self.pending.pop_front() {
                Some(pending) => self.apply(pending),
                None => return,
            }
        }
    }

    fn apply(&mut self, pending: Pending) {
        match pending {
            Pending::Whole(at, bytes) => {
                self.pending_bytes = self.pending_bytes.saturating_sub(bytes.len());
                if let Some(row) = self.rows.get_mut(at) {
                    row.whole = bytes;
                    row.difference = Box::default();
                }
            }
            Pending::Difference(at, bytes) => {
                self.pending_bytes = self.pending_bytes.saturating_sub(bytes.len());
                if let Some(row) = self.rows.get_mut(at) {
                    row.difference = bytes;
                }
            }
            Pending::Gone(at) => {
                if let Some(row) = self.rows.get_mut(at) {
                    row.whole = Box::default();
                    row.difference = Box::default();
                }
            }
            Pending::Beat(..) => self.pending_beats = self.pending_beats.saturating_sub(1),
        }
    }

    /// The frame of the rows that are shown.
    fn frame(&self, to: Millis, windows: usize) -> Frame {
        let mut filling = Filling::new(to, windows);
        let (mut whole, mut difference): (Vec<Cell>, Vec<Cell>) = (Vec::new(), Vec::new());
        let mut cells = Vec::new();
        for row in &self.rows {
            let Some((origin, bytes)) = split(&row.whole) else {
                continue;
            };
            whole.clear();
            if decode(bytes, &mut whole).is_none() {
                continue;
            }
            let Some((_, bytes)) = split(&row.difference) else {
                filling.put(row.place, origin, &whole);
                continue;
            };
            difference.clear();
            cells.clear();
            if decode(bytes, &mut difference).is_some() {
                restore(&whole, &difference, &mut cells);
                filling.put(row.place, origin, &cells);
            }
        }
        filling.done()
    }
}
