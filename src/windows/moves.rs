//! Moving the windows to a new end.

use super::frame::WindowKind;
use rapidhash::RapidHashMap;

use super::levels::add_levels;
use super::maxima::Maxima;
use super::sums::Sums;
use super::tables::Tables;
use super::tails::{Reset, Tail};
use super::view::PartitionView;
use crate::engine::facts::Post;
use crate::event::Millis;

impl Tables {
    /// Moves every window's lower edge, distributions and maxima to the windows that end at `to`.
    pub(super) fn move_to(&mut self, to: Millis, partitions: &[PartitionView<'_>]) {
        self.hold_back(to, partitions);
        let floor = partitions.iter().map(|view| view.log().floor()).max();
        let floor = floor.unwrap_or(Millis::MIN);
        let mut resets = Vec::new();
        for window in 0..self.tails.len() {
            let tail = &self.tails[window];
            if tail.is_empty_for_ever() {
                continue;
            }
            let zones = 0..tail.from.len();
            let new: Vec<Millis> = zones
                .map(|zone| tail.begins(zone, to, &self.zones))
                .collect();
            let old = tail.from[0];
            let slides = matches!(tail.kind, WindowKind::Sliding(_));
            if slides && tail.is_built() && old >= floor && new[0] >= old {
                self.slide(window, new[0], partitions);
                continue;
            }
            let from: Vec<Option<Millis>> = tail
                .from
                .iter()
                .zip(&new)
                .map(|(old, new)| (old != new).then_some(*new))
                .collect();
            if tail.from.iter().zip(&new).any(|(old, new)| old > new) {
                self.maxima.mark_all();
            }
            if from.iter().any(Option::is_some) {
                resets.push(Reset { window, from });
            }
        }
        self.reset(&resets, partitions);
        self.complete_maxima(partitions);
        let edges = self.tails.iter().flat_map(|tail| tail.from.iter().copied());
        self.maxima.prune(edges.min().unwrap_or(Millis::MAX));
    }

    /// Brings distributions and maxima to the facts up to `to`; later ones are held back.
    fn hold_back(&mut self, to: Millis, partitions: &[PartitionView<'_>]) {
        let mut applied = Millis::MAX;
        if self.gathering {
            applied = self.applied.max(to);
            self.applied = applied;
            self.apply_changes();
        }
        self.applied = to;
        for view in partitions {
            view.log().for_each(to, applied, |post| {
                if let Some(change) = self.change(view.number as usize, &post) {
                    if self.gathering {
                        self.spread_change(&change, -i32::from(change.sign));
                    }
                    self.changes.push(change);
                }
            });
        }
        self.gathering = true;
        self.maxima.forget_after(to);
    }

    /// Moves a sliding window's tail forward over the panes that it passes.
    fn slide(&mut self, window: usize, to: Millis, partitions: &[PartitionView<'_>]) {
        let from = self.tails[window].from[0];
        if from == to {
            return;
        }
        for view in partitions {
            let partition = view.number as usize;
            view.log().for_each(from, to, |post| {
                let Self {
                    maps,
                    unfold,
                    tails,
                    ..
                } = self;
                let hit = maps.hit(partition, post.fact);
                let sign = i64::from(post.sign);
                unfold.add(&hit, post.stamp, sign, maps, &mut tails[window].sums);
                self.spread_out(partition, &post, 1 << window, -1);
            });
        }
        let tail = &mut self.tails[window];
        self.unfold.unfold(&self.maps, &mut tail.sums);
        let zones = tail.from.len();
        tail.set_from(&vec![Some(to); zones]);
    }

    /// Counts a post `times` in the distributions of a mask of windows.
    fn spread_out(&mut self, partition: usize, post: &Post, mask: u16, times: i32) {
        let Some(change) = self.change(partition, post) else {
            return;
        };
        if let Some((kind, bucket)) = change.what.bucket() {
            let amount = times * i32::from(change.sign);
            let queue = change.queue as usize;
            self.spread.add(queue, kind, bucket, mask, amount);
        }
    }

    /// Makes tails anew: the totals, less the facts after the new edge.
    fn reset(&mut self, resets: &[Reset], partitions: &[PartitionView<'_>]) {
        if resets.is_empty() {
            return;
        }
        for reset in resets {
            self.clear_spread(reset);
            self.tails[reset.window].set_from(&reset.from);
        }
        let each = |tables: &mut Self, reset: &Reset, edge: Millis, after: &Sums| {
            let begins = |zone: u16| reset.from[usize::from(zone)] == Some(edge);
            let tail = &mut tables.tails[reset.window].sums;
            tail.set_to(&tables.totals, after, &tables.maps, begins);
        };
        self.at_each_edge(resets, partitions, 1, each);
        for view in partitions {
            self.take_days_off(resets, view, 1);
        }
    }

    fn clear_spread(&mut self, reset: &Reset) {
        let zones = &self.maps.queue_zones;
        self.spread.clear_window(reset.window, |queue| {
            let zone = zones.get(queue).map(|&zone| usize::from(zone));
            zone.is_some_and(|zone| reset.from[zone].is_some())
        });
    }

    /// Reads the logs once, from their end back to the earliest edge, whatever the number of windows:
    /// at each edge, what was summed up so far is what lies after it. Counts the facts `times` in the
    /// distributions.
    pub(super) fn at_each_edge(
        &mut self,
        resets: &[Reset],
        partitions: &[PartitionView<'_>],
        times: i32,
        each: impl Fn(&mut Self, &Reset, Millis, &Sums),
    ) {
        let edges = resets.iter().flat_map(|reset| reset.from.iter().flatten());
        let mut edges: Vec<Millis> = edges.copied().collect();
        edges.sort_unstable();
        edges.dedup();
        let mut after = Sums::default();
        let aux = self.maps.aux_keys.len();
        let (queues, rows) = (self.maps.queue_zones.len(), self.maps.agent_zones.len());
        after.fit(queues, rows, aux);
        let mut to = Millis::MAX;
        for &edge in edges.iter().rev() {
            let masks = self.masks_after(resets, edge);
            for view in partitions {
                self.add_stretch(view, (edge, to), (&masks, times), &mut after);
            }
            self.unfold.unfold(&self.maps, &mut after);
            for reset in resets {
                each(self, reset, edge, &after);
            }
            to = edge;
        }
    }

    /// By zone: the windows made anew that begin at an edge or before.
    fn masks_after(&self, resets: &[Reset], edge: Millis) -> Vec<u16> {
        let mask = |zone: usize| {
            resets.iter().fold(0, |mask, reset| {
                let begun = reset.from[zone].is_some_and(|from| from <= edge);
                mask | u16::from(begun) << reset.window
            })
        };
        (0..self.zones.len()).map(mask).collect()
    }

    /// Adds the facts of a stretch to sums, and `times` to the distributions of each zone's mask of
    /// windows.
    fn add_stretch(
        &mut self,
        view: &PartitionView<'_>,
        (from, to): (Millis, Millis),
        (masks, times): (&[u16], i32),
        sums: &mut Sums,
    ) {
        let partition = view.number as usize;
        view.log().for_each(from, to, |post| {
            let Self { maps, unfold, .. } = self;
            let hit = maps.hit(partition, post.fact);
            unfold.add(&hit, post.stamp, i64::from(post.sign), maps, sums);
            if post.stamp > self.applied {
                return;
            }
            if let Some(change) = self.change(partition, &post)
                && let Some((kind, bucket)) = change.what.bucket()
            {
                let mask = masks[usize::from(change.zone)];
                let times = times * i32::from(change.sign);
                let queue = change.queue as usize;
                self.spread.add(queue, kind, bucket, mask, times);
            }
        });
    }

    /// Takes a day's part that has left the log `times` off the tails of windows that begin with that
    /// day, and adds it to their distributions.
    pub(super) fn take_days_off(&mut self, resets: &[Reset], view: &PartitionView<'_>, times: i32) {
        let partition = view.number as usize;
        let resets: Vec<&Reset> = resets
            .iter()
            .filter(|reset| self.tails[reset.window].is_day())
            .collect();
        if resets.is_empty() {
            return;
        }
        for (row, base) in view.log().base().rows() {
            let Some(queue) = self.maps.queue(partition, row) else {
                continue;
            };
            let zone = usize::from(base.day.zone.0);
            for reset in &resets {
                if reset.from[zone] == Some(base.day.midnight) {
                    let sums = &mut self.tails[reset.window].sums;
                    sums.add_row(queue, &base.day.part.columns, -i64::from(times));
                    self.add_day_buckets(queue, &base.day.part, 1 << reset.window, times);
                }
            }
        }
        self.for_each_base_level(view, |tables, key, level| {
            for day in &level.days {
                for reset in &resets {
                    if reset.from[usize::from(day.zone.0)] == Some(day.midnight) {
                        let Tables { maps, tails, .. } = &mut *tables;
                        let Tail { sums, .. } = &mut tails[reset.window];
                        let own_zone = |zone: u16| zone == day.zone.0;
                        add_levels(maps, sums, key, &day.part, -i64::from(times), own_zone);
                    }
                }
            }
        });
    }

    /// Completes the stacks of marked queues: what has left the log as the base has it, the rest
    /// from the log. What stands in them stays, for whatever was taken back was removed.
    fn complete_maxima(&mut self, partitions: &[PartitionView<'_>]) {
        let Some((from, to)) = self.maxima.to_read() else {
            return;
        };
        let mut exits: Vec<(usize, Millis, i64, i32)> = Vec::new();
        for view in partitions {
            let partition = view.number as usize;
            if from < view.log().floor() {
                self.push_day_maxima(view);
            }
            view.log().for_each(from, to.min(self.applied), |post| {
                let Some(change) = self.change(partition, &post) else {
                    return;
                };
                let queue = change.queue as usize;
                if let Some(wait) = change.what.wait()
                    && self.maxima.is_marked(queue)
                {
                    exits.push((queue, post.stamp, wait, i32::from(post.sign)));
                }
            });
        }
        push_standing(&mut self.maxima, exits);
        self.maxima.unmark();
    }

    /// A day's largest wait stands at the day's first instant: windows that begin later do not see
    /// it.
    fn push_day_maxima(&mut self, view: &PartitionView<'_>) {
        for (row, base) in view.log().base().rows() {
            let queue = self.maps.queue(view.number as usize, row);
            if let Some(queue) = queue.filter(|&queue| self.maxima.is_marked(queue))
                && base.day.part.wait_max >= 0
            {
                let first = Millis(base.day.midnight.0 + 1);
                self.maxima.push(queue, first, base.day.part.wait_max);
            }
        }
    }
}

/// Pushes the exits that were not taken back. Few are, so those alone are looked up.
fn push_standing(maxima: &mut Maxima, exits: Vec<(usize, Millis, i64, i32)>) {
    let mut taken: RapidHashMap<(usize, Millis, i64), i32> = RapidHashMap::default();
    for &(queue, stamp, wait, sign) in exits.iter().filter(|exit| exit.3 < 0) {
        *taken.entry((queue, stamp, wait)).or_default() -= sign;
    }
    for (queue, stamp, wait, _) in exits.into_iter().filter(|exit| exit.3 > 0) {
        let left = taken.get_mut(&(queue, stamp, wait));
        if let Some(left) = left.filter(|left| **left > 0) {
            *left -= 1;
        } else {
            maxima.push(queue, stamp, wait);
        }
    }
}
