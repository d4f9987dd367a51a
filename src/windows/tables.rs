//! One worker's tables: the sum over its partitions.
//!
//! Tables are a cache of the partitions' states. Posts are absorbed as they are made: into totals,
//! gauges and the tails that have passed their stamp; what distributions and maxima need is
//! gathered. While windows have no tails yet (an engine that catches up), absorbing touches totals
//! alone, and the first view builds the tails. Taking a partition with a state, and a change of a
//! queue's group, rebuild all from the partitions' logs and bases; a partition that is lost is taken
//! off.

use std::sync::Arc;

use super::columns::{contact, gauge};
use super::distribution::{Distributions, GATHERED_MAX, Kind, WINDOWS_MAX};
use super::frame::{WindowFrame, WindowSpec};
use super::levels::add_levels;
use super::maps::Maps;
use super::maxima::Maxima;
use super::numbering::Numbering;
use super::sums::{LEVELS, Sums};
use super::tails::Tail;
use super::unfold::Unfold;
use super::view::PartitionView;
use crate::engine::base::RowDay;
use crate::engine::cells::exit_wait;
use crate::engine::facts::{ContactState, Count, Fact, Post};
use crate::engine::histogram::{Bucket, BucketCount};
use crate::engine::names::{Names, RowNo};
use crate::engine::settings::{RUNGS_MAX, StateSettings};
use crate::event::{Millis, Span, Zones};

/// What an exit or the end of a leg does to distributions and maxima.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub stamp: Millis,
    pub queue: u32,
    pub zone: u16,
    pub sign: i8,
    pub what: Duration,
}

/// A duration that a distribution or a maximum is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duration {
    /// Wait of an answered visit: distribution and maximum.
    Answered(Span),
    /// Wait of another exit: maximum alone.
    Exit(Span),
    /// Talk + hold: distribution alone.
    Handled(Span),
}

impl Duration {
    /// The duration of a count, if it has one.
    pub(super) fn of(count: Count) -> Option<Self> {
        match count {
            Count::Answered { wait } => Some(Self::Answered(wait)),
            Count::Handled { talk, hold } => Some(Self::Handled(Span(talk.0 + hold.0))),
            _ => exit_wait(count).map(Self::Exit),
        }
    }

    /// Its distribution and bucket.
    pub(super) fn bucket(self) -> Option<(Kind, Bucket)> {
        match self {
            Self::Answered(wait) => Some((Kind::Wait, Bucket::of(wait))),
            Self::Handled(handle) => Some((Kind::Handle, Bucket::of(handle))),
            Self::Exit(_) => None,
        }
    }

    /// The wait that counts for the maximum.
    pub(super) const fn wait(self) -> Option<i64> {
        match self {
            Self::Answered(wait) | Self::Exit(wait) => Some(wait.0),
            Self::Handled(_) => None,
        }
    }
}

/// The tables of one worker.
#[derive(Debug)]
pub struct Tables {
    pub(super) maps: Maps,
    pub(super) zones: Zones,
    /// Of everything absorbed, but for what [`Self::unfold`] still holds between views.
    pub(super) totals: Sums,
    pub(super) unfold: Unfold,
    pub(super) gauges: Vec<i64>,
    pub(super) tails: Vec<Tail>,
    pub(super) changes: Vec<Change>,
    pub(super) spread: Distributions,
    pub(super) maxima: Maxima,
    /// Distributions and maxima hold the facts with a stamp up to this one.
    pub(super) applied: Millis,
    /// Distributions and maxima are kept: a view was made, or a window begins before everything.
    pub(super) gathering: bool,
    pub(super) group_epoch: u64,
    /// The windows of the latest view, shared with frames, and the ones before.
    pub(super) shown: Vec<Arc<WindowFrame>>,
    pub(super) spare: Vec<Arc<WindowFrame>>,
    pub(super) shown_to: Millis,
    /// Frames tell rates too.
    pub(super) rates: bool,
}

impl Tables {
    /// Empty tables for these windows, at most 16 of them; more are left out.
    pub fn new(
        numbering: Arc<dyn Numbering>,
        settings: &StateSettings,
        windows: &[WindowSpec],
    ) -> Self {
        let windows = &windows[..windows.len().min(WINDOWS_MAX)];
        let zones = settings.zones.clone();
        let tails: Vec<Tail> = windows
            .iter()
            .map(|spec| Tail::new(spec, zones.len()))
            .collect();
        let maps = Maps::new(numbering);
        Self {
            group_epoch: maps.group_epoch(),
            maps,
            zones,
            totals: Sums::default(),
            unfold: Unfold::default(),
            gauges: Vec::new(),
            gathering: tails.iter().any(Tail::is_empty_for_ever),
            tails,
            changes: Vec::new(),
            spread: Distributions::new(windows.len()),
            maxima: Maxima::default(),
            applied: Millis::MIN,
            shown: Vec::new(),
            spare: Vec::new(),
            shown_to: Millis::MIN,
            rates: false,
        }
    }

    /// Frames are to tell how fast time in state grows; what other machines are told needs it.
    #[must_use]
    pub fn with_rates(self) -> Self {
        Self {
            rates: true,
            ..self
        }
    }

    /// Absorbs posts that a partition has made, in order. `partition` is any small number that
    /// stands for it.
    pub fn absorb(&mut self, partition: u32, names: &Names, posts: &[Post]) {
        for post in posts {
            self.absorb_post(partition as usize, names, post);
        }
        if self.changes.len() > GATHERED_MAX {
            self.apply_gathered();
        }
    }

    fn absorb_post(&mut self, partition: usize, names: &Names, post: &Post) {
        self.maps.prepare(partition, names, post.fact);
        self.fit();
        if let Some((row, column)) = gauge_cell(post.fact) {
            if let Some(queue) = self.maps.queue(partition, row) {
                self.gauges[queue * gauge::WIDTH + column] += i64::from(post.sign);
            }
            return;
        }
        let Self {
            maps,
            totals,
            unfold,
            tails,
            ..
        } = self;
        let hit = maps.hit(partition, post.fact);
        let (stamp, sign) = (post.stamp, i64::from(post.sign));
        unfold.add(&hit, stamp, sign, maps, totals);
        if matches!(post.fact, Fact::PassCounted(..)) {
            return;
        }
        for tail in tails.iter_mut().filter(|tail| stamp <= tail.latest) {
            let Tail { sums, from, .. } = tail;
            let passes = |zone: u16| stamp <= from[usize::from(zone)];
            sums.add(&hit, stamp, sign, &maps.agent_zones, passes);
        }
        if self.gathering {
            self.gather(partition, post);
        }
    }

    /// Makes room for queues and rows that have just got their numbers.
    #[inline]
    pub(super) fn fit(&mut self) {
        let (queues, rows) = (self.maps.queue_zones.len(), self.maps.agent_zones.len());
        let aux = self.maps.aux_keys.len();
        if self.totals.contact.len() == queues * contact::WIDTH
            && self.totals.agent.len() == rows * LEVELS
            && self.totals.aux.len() == aux
        {
            return;
        }
        self.totals.fit(queues, rows, aux);
        self.gauges.resize(queues * gauge::WIDTH, 0);
        self.spread.fit(queues);
        self.maxima.fit(queues);
        for tail in self
            .tails
            .iter_mut()
            .filter(|tail| !tail.is_empty_for_ever())
        {
            tail.sums.fit(queues, rows, aux);
        }
    }

    /// The change that a post makes to distributions and maxima, if any.
    pub(super) fn change(&self, partition: usize, post: &Post) -> Option<Change> {
        let Fact::Count(row, count) = post.fact else {
            return None;
        };
        let what = Duration::of(count)?;
        let queue = self.maps.queue(partition, row)?;
        Some(Change {
            stamp: post.stamp,
            queue: u32::try_from(queue).ok()?,
            zone: self.maps.queue_zones[queue],
            sign: post.sign,
            what,
        })
    }

    pub(super) fn gather(&mut self, partition: usize, post: &Post) {
        if let Some(change) = self.change(partition, post) {
            self.changes.push(change);
        }
    }

    /// Applies every gathered change, held back or not: the next view takes back what is too late
    /// for it. Absorbing does so by itself when very much has been gathered.
    pub fn apply_gathered(&mut self) {
        let latest = self.changes.iter().map(|change| change.stamp).max();
        self.applied = self.applied.max(latest.unwrap_or(Millis::MIN));
        self.apply_changes();
    }

    /// Applies the gathered changes with a stamp up to `applied`; later ones stay.
    pub(super) fn apply_changes(&mut self) {
        let mut changes = std::mem::take(&mut self.changes);
        let applied = self.applied;
        for change in changes.iter().filter(|change| change.stamp <= applied) {
            self.spread_change(change, i32::from(change.sign));
            let queue = change.queue as usize;
            match change.what.wait() {
                Some(wait) if change.sign > 0 => self.maxima.push(queue, change.stamp, wait),
                Some(wait) => self.maxima.take(queue, change.stamp, wait),
                None => {}
            }
        }
        changes.retain(|change| change.stamp > applied);
        self.changes = changes;
    }

    /// Counts a change `times` in the distributions of the windows that begin before its stamp.
    pub(super) fn spread_change(&mut self, change: &Change, times: i32) {
        if let Some((kind, bucket)) = change.what.bucket() {
            let mask = self.mask(change.zone, change.stamp);
            let queue = change.queue as usize;
            self.spread.add(queue, kind, bucket, mask, times);
        }
    }

    /// The windows that begin before a stamp, one bit each.
    pub(super) fn mask(&self, zone: u16, stamp: Millis) -> u16 {
        let zone = usize::from(zone);
        let windows = self.tails.iter().enumerate();
        windows.fold(0, |mask, (window, tail)| {
            mask | u16::from(tail.from[zone] < stamp) << window
        })
    }

    /// Builds the tables anew from the partitions: after one was taken or lost, or a group changed.
    /// Windows are built by the next view.
    pub fn rebuild(&mut self, partitions: &[PartitionView<'_>]) {
        self.unfold.clear();
        let epoch = self.maps.group_epoch();
        if epoch == self.group_epoch {
            let views = partitions.iter();
            self.maps
                .keep(views.map(|view| (view.number as usize, view.names)));
        } else {
            self.group_epoch = epoch;
            self.maps.forget();
        }
        self.totals.clear();
        self.gauges.fill(0);
        self.changes.clear();
        self.spread.clear();
        self.maxima.clear();
        self.maxima.mark_all();
        self.applied = Millis::MIN;
        self.gathering = self.tails.iter().any(Tail::is_empty_for_ever);
        self.tails.iter_mut().for_each(Tail::forget);
        for partition in partitions {
            self.add_partition(partition);
        }
    }

    pub(super) fn add_partition(&mut self, view: &PartitionView<'_>) {
        let partition = view.number as usize;
        self.add_state(view);
        view.log().for_each(Millis::MIN, Millis::MAX, |post| {
            self.maps.prepare(partition, view.names, post.fact);
            self.fit();
            let hit = self.maps.hit(partition, post.fact);
            let (stamp, sign) = (post.stamp, i64::from(post.sign));
            self.unfold
                .add(&hit, stamp, sign, &self.maps, &mut self.totals);
            if self.gathering {
                self.gather(partition, &post);
                if self.changes.len() > GATHERED_MAX {
                    self.apply_gathered();
                }
            }
        });
        self.for_each_base_level(view, |tables, key, levels| {
            let Tables { maps, totals, .. } = tables;
            for part in levels.ever() {
                add_levels(maps, totals, key, part, 1, |_| true);
            }
        });
    }

    /// Gauges, counted passes and what left the log, contact side.
    fn add_state(&mut self, view: &PartitionView<'_>) {
        let partition = view.number as usize;
        let Some(last) = view.names.rows().len().checked_sub(1) else {
            return;
        };
        let last = RowNo(u32::try_from(last).unwrap_or(u32::MAX));
        self.maps
            .prepare(partition, view.names, Fact::PassCounted(last, 0));
        self.fit();
        for row in 0..=last.0 {
            let Some(queue) = self.maps.queue(partition, RowNo(row)) else {
                continue;
            };
            let own = |table: &mut [i64], width: usize, from: usize, given: &[i64], len: usize| {
                let row = row as usize * len..(row as usize + 1) * len;
                let cells = &mut table[queue * width + from..][..len];
                for (cell, amount) in cells.iter_mut().zip(given.get(row).unwrap_or_default()) {
                    *cell += amount;
                }
            };
            own(
                &mut self.gauges,
                gauge::WIDTH,
                0,
                view.ledger.gauges(),
                gauge::WIDTH,
            );
            let column = contact::PASS_COUNTED;
            let contact = &mut self.totals.contact;
            own(
                contact,
                contact::WIDTH,
                column,
                view.ledger.passes_counted(),
                RUNGS_MAX,
            );
        }
        for (row, base) in view.log().base().rows() {
            let Some(queue) = self.maps.queue(partition, row) else {
                continue;
            };
            for (column, amount) in base.ever() {
                self.totals.contact[queue * contact::WIDTH + column] += amount;
            }
            if self.gathering {
                self.add_day_buckets(queue, &base.day.part, u16::MAX, 1);
            }
        }
    }

    /// Adds the buckets of a base's day `times` to the windows of a mask that are built.
    pub(super) fn add_day_buckets(&mut self, queue: usize, day: &RowDay, mask: u16, times: i32) {
        let kept = self
            .tails
            .iter()
            .enumerate()
            .fold(0, |kept, (window, tail)| {
                kept | u16::from(tail.is_built()) << window
            });
        for (kind, buckets) in [(Kind::Wait, &day.wait), (Kind::Handle, &day.handle)] {
            for (bucket, count) in BucketCount::whole(buckets) {
                let amount = times * i32::try_from(count).unwrap_or_default();
                self.spread.add(queue, kind, bucket, mask & kept, amount);
            }
        }
    }
}

/// The row and gauge column that a fact moves.
pub(super) fn gauge_cell(fact: Fact) -> Option<(RowNo, usize)> {
    match fact {
        Fact::State(row, state) => {
            let column = match state {
                ContactState::Waiting => gauge::WAITING,
                ContactState::Alerting => gauge::ALERTING,
                ContactState::Connected => gauge::CONNECTED,
                ContactState::Held => gauge::HELD,
                ContactState::Acw => gauge::ACW,
            };
            Some((row, column))
        }
        Fact::WaitingPast(row, rung) => Some((row, gauge::WAITING_PAST + usize::from(rung))),
        _ => None,
    }
}
