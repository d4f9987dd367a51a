//! The view of an instant: tables and partitions → frame. It changes what is cached, never what is
//! counted.
//!
//! *Now* figures are of everything applied, and of the deadlines due by now that no event has
//! executed yet. Windows end at `to`: facts after it are taken off, due deadlines up to it are put
//! on, the rows are written, and both are undone.

use std::sync::Arc;

use super::columns::{agent, contact, gauge};
use super::distribution::Kind;
use super::frame::{Frame, WindowFrame, WindowKind};
use super::numbering::QueueNo;
use super::sums::{LEVELS, Sums};
use super::tables::{Tables, gauge_cell};
use super::tails::Tail;
use crate::engine::facts::{Fact, Post};
use crate::engine::ledger::Ledger;
use crate::engine::names::{Names, RowNo};
use crate::engine::panes::Log;
use crate::engine::partition::Partition;
use crate::event::Millis;

/// What a view reads of one partition. Its outbox must have been absorbed.
#[derive(Clone, Copy, Debug)]
pub struct PartitionView<'a> {
    /// The number under which its posts are absorbed.
    pub number: u32,
    /// Its dictionary.
    pub names: &'a Names,
    /// What is in force.
    pub ledger: &'a Ledger,
    /// What depends on the instant.
    pub at: &'a Instant,
}

/// What the view of an instant needs of a partition beside what is in force.
#[derive(Clone, Debug, Default)]
pub struct Instant {
    /// By row: entry of the visit that has waited longest, [`Millis::MAX`] for none. May be shorter
    /// than the rows.
    pub oldest: Vec<Millis>,
    /// Posts due by now that no event has executed yet.
    pub due: Vec<Post>,
}

impl Instant {
    /// Reads a partition at `now`, reusing memory.
    pub fn read(&mut self, partition: &mut Partition, now: Millis) {
        self.due.clear();
        partition.due(now, &mut self.due);
        self.oldest.clear();
        let rows = u32::try_from(partition.names().rows().len()).unwrap_or(u32::MAX);
        let oldest = (0..rows).map(|row| partition.oldest(RowNo(row), now));
        self.oldest
            .extend(oldest.map(|entry| entry.unwrap_or(Millis::MAX)));
    }
}

impl<'a> PartitionView<'a> {
    /// The view of a partition that was read at an instant.
    pub fn of(number: u32, partition: &'a Partition, at: &'a Instant) -> Self {
        Self {
            number,
            names: partition.names(),
            ledger: partition.ledger(),
            at,
        }
    }

    pub(super) fn log(&self) -> &'a Log {
        self.ledger.log()
    }

    /// Due posts with a stamp up to `to`.
    fn due(&self, to: Millis) -> impl Iterator<Item = &'a Post> + use<'a> {
        self.at.due.iter().filter(move |post| post.stamp <= to)
    }
}

impl Tables {
    /// Writes the figures of an instant: *now* figures at `now`, windows up to `to`, which is not
    /// after `now`. Reuses the frame's memory; `tick` is the caller's.
    pub fn view(
        &mut self,
        now: Millis,
        to: Millis,
        partitions: &[PartitionView<'_>],
        frame: &mut Frame,
    ) {
        frame.windows.clear();
        self.view_now(now, partitions, frame);
        self.move_to(to, partitions);
        self.adjust(to, partitions, 1);
        self.write_windows(to, partitions);
        self.adjust(to, partitions, -1);
        self.shown_to = to;
        frame.to = to;
        frame.windows.clone_from(&self.shown);
    }

    /// Writes the *now* figures alone; windows stand still as the latest [`Self::view`] left them.
    pub fn view_now(&mut self, now: Millis, partitions: &[PartitionView<'_>], frame: &mut Frame) {
        if self.maps.group_epoch() != self.group_epoch {
            self.rebuild(partitions);
        }
        self.prepare_rows(partitions);
        self.unfold.unfold(&self.maps, &mut self.totals);
        frame.now = now;
        frame.to = self.shown_to;
        frame.windows.clone_from(&self.shown);
        self.drop_old_blocks();
        frame.totals.clone_from(&self.totals.contact);
        frame.gauges.clone_from(&self.gauges);
        self.write_waiting(partitions, frame);
        self.write_losses(partitions, frame);
        self.write_feeds(now, partitions, frame);
        self.add_due(now, partitions, 1);
        self.write_levels(frame);
        self.add_due(now, partitions, -1);
    }

    /// Distributions of windows that no frame shows any more are not kept until the next ones are
    /// written.
    fn drop_old_blocks(&mut self) {
        for window in self.spare.iter_mut().filter_map(Arc::get_mut) {
            window.wait.clear();
            window.handle.clear();
        }
    }

    /// Asks for the numbers of all rows and due posts.
    fn prepare_rows(&mut self, partitions: &[PartitionView<'_>]) {
        for view in partitions {
            let rows = view.names.rows().len().checked_sub(1);
            if let Some(row) = rows.and_then(|row| u32::try_from(row).ok()) {
                let fact = Fact::PassCounted(RowNo(row), 0);
                self.maps.prepare(view.number as usize, view.names, fact);
            }
            for post in &view.at.due {
                self.maps
                    .prepare(view.number as usize, view.names, post.fact);
            }
        }
        self.fit();
    }

    fn write_waiting(&self, partitions: &[PartitionView<'_>], frame: &mut Frame) {
        frame.oldest.clear();
        frame
            .oldest
            .resize(self.maps.queue_zones.len(), Millis::MAX);
        for view in partitions {
            let partition = view.number as usize;
            for (row, &entry) in (0..).zip(&view.at.oldest) {
                if entry == Millis::MAX {
                    continue;
                }
                if let Some(queue) = self.maps.queue(partition, RowNo(row)) {
                    let oldest = &mut frame.oldest[queue];
                    *oldest = entry.min(*oldest);
                }
            }
            for post in view.due(frame.now) {
                if let Some((row, column)) = gauge_cell(post.fact)
                    && let Some(queue) = self.maps.queue(partition, row)
                {
                    frame.gauges[queue * gauge::WIDTH + column] += i64::from(post.sign);
                }
            }
        }
    }

    fn write_losses(&self, partitions: &[PartitionView<'_>], frame: &mut Frame) {
        frame.losses.clear();
        for view in partitions {
            for (row, counter, amount) in view.ledger.losses() {
                if let Some(queue) = self.maps.queue(view.number as usize, row) {
                    let queue = QueueNo(u32::try_from(queue).unwrap_or(u32::MAX));
                    frame.losses.push((queue, counter, amount));
                }
            }
        }
        frame.losses.sort_unstable();
        frame.losses.dedup_by(|next, sum| {
            let same = (next.0, next.1) == (sum.0, sum.1);
            if same {
                sum.2 += next.2;
            }
            same
        });
    }

    fn write_feeds(&self, now: Millis, partitions: &[PartitionView<'_>], frame: &mut Frame) {
        frame.feeds.clear();
        for view in partitions {
            let clients = view.names.clients.texts().iter().zip(view.names.feeds());
            for (client, _) in clients.filter(|(_, since)| **since <= now) {
                let client = self.maps.client(client).index();
                if frame.feeds.len() <= client {
                    frame.feeds.resize(client + 1, false);
                }
                frame.feeds[client] = true;
            }
        }
    }

    /// Puts due posts with a stamp up to `to` on the totals, and on the tails that have passed them.
    fn add_due(&mut self, to: Millis, partitions: &[PartitionView<'_>], times: i64) {
        let Self {
            maps,
            totals,
            tails,
            ..
        } = self;
        for view in partitions {
            for post in view.due(to) {
                if matches!(post.fact, Fact::PassCounted(..)) {
                    continue;
                }
                let hit = maps.hit(view.number as usize, post.fact);
                let (stamp, sign) = (post.stamp, times * i64::from(post.sign));
                totals.add(&hit, stamp, sign, &maps.agent_zones, |_| true);
                for tail in tails.iter_mut().filter(|tail| stamp <= tail.latest) {
                    let Tail { sums, from, .. } = tail;
                    let passes = |zone: u16| stamp <= from[usize::from(zone)];
                    sums.add(&hit, stamp, sign, &maps.agent_zones, passes);
                }
            }
        }
    }

    /// Takes the facts after `to` off the totals, and puts due posts on; or, `times` −1, undoes it.
    fn adjust(&mut self, to: Millis, partitions: &[PartitionView<'_>], times: i64) {
        self.add_due(to, partitions, times);
        let Self { maps, totals, .. } = self;
        for view in partitions {
            view.log().for_each(to, Millis::MAX, |post| {
                let hit = maps.hit(view.number as usize, post.fact);
                let sign = -times * i64::from(post.sign);
                totals.add(&hit, post.stamp, sign, &maps.agent_zones, |_| true);
            });
        }
        for view in partitions {
            for post in view.due(to) {
                let Some(change) = self.change(view.number as usize, post) else {
                    continue;
                };
                if let Some((kind, bucket)) = change.what.bucket() {
                    let mask = self.mask(change.zone, change.stamp);
                    let times = i32::from(post.sign) * i32::try_from(times).unwrap_or_default();
                    self.spread
                        .add(change.queue as usize, kind, bucket, mask, times);
                }
            }
        }
    }

    fn write_levels(&self, frame: &mut Frame) {
        frame.levels.clear();
        for row in self.totals.agent.chunks_exact(LEVELS) {
            frame.levels.extend_from_slice(&row[..agent::WIDTH]);
        }
        let cells = self.maps.aux_keys.iter().zip(&self.totals.aux);
        frame.aux.clear();
        frame.aux.extend(
            cells
                .filter(|(_, [n, _])| *n != 0)
                .map(|(&(row, reason), [n, _])| (row, reason, *n)),
        );
        frame.aux.sort_unstable();
    }

    fn write_windows(&mut self, to: Millis, partitions: &[PartitionView<'_>]) {
        self.spread.refresh();
        self.spare.resize_with(self.tails.len(), Arc::default);
        let mut spare = std::mem::take(&mut self.spare);
        for (window, shared) in spare.iter_mut().enumerate() {
            if Arc::get_mut(shared).is_none() {
                *shared = Arc::default();
            }
            if let Some(frame) = Arc::get_mut(shared) {
                self.write_window(window, to, partitions, frame);
            }
        }
        self.spare = std::mem::replace(&mut self.shown, spare);
    }

    fn write_window(
        &self,
        window: usize,
        to: Millis,
        partitions: &[PartitionView<'_>],
        frame: &mut WindowFrame,
    ) {
        let tail = &self.tails[window];
        frame.from.clone_from(&tail.from);
        frame.contact.clear();
        frame.contact.reserve(self.maps.queue_zones.len());
        let totals = self.totals.contact.chunks_exact(contact::WIDTH);
        let mut tails = tail.sums.contact.chunks_exact(contact::WIDTH);
        for (queue, total) in totals.enumerate() {
            let mut columns = [0; contact::WIDTH];
            columns.copy_from_slice(total);
            for (column, tail) in columns.iter_mut().zip(tails.next().unwrap_or_default()) {
                *column -= tail;
            }
            frame.contact.put(queue, &columns);
        }
        self.write_time_in_state(tail, to, frame);
        for (own, kind) in [
            (&mut frame.wait, Kind::Wait),
            (&mut frame.handle, Kind::Handle),
        ] {
            own.clear();
            own.extend(self.spread.blocks(window, kind).cloned());
        }
        frame.wait_max.clear();
        let zones = self.maps.queue_zones.iter().enumerate();
        let largest =
            zones.map(|(queue, &zone)| self.maxima.largest(queue, tail.from[usize::from(zone)]));
        frame.wait_max.extend(largest);
        for view in partitions {
            for post in view.due(to) {
                let change = self.change(view.number as usize, post);
                let Some(change) = change.filter(|change| {
                    change.sign > 0 && change.stamp > tail.from[usize::from(change.zone)]
                }) else {
                    continue;
                };
                let largest = &mut frame.wait_max[change.queue as usize];
                *largest = change.what.wait().unwrap_or(-1).max(*largest);
            }
        }
    }

    fn write_time_in_state(&self, tail: &Tail, to: Millis, frame: &mut WindowFrame) {
        let none = Sums::default();
        let sums = if tail.is_empty_for_ever() {
            &none
        } else {
            &tail.sums
        };
        let zeros = [0; LEVELS];
        let tails = sums.agent.chunks_exact(LEVELS);
        let tails = tails.chain(std::iter::repeat(&zeros[..]));
        let totals = self.totals.agent.chunks_exact(LEVELS);
        frame.agent.clear();
        frame.agent.reserve(self.maps.agent_zones.len());
        let rows = totals.zip(tails).zip(&self.maps.agent_zones);
        for (row, ((total, before), &zone)) in rows.enumerate() {
            let from = tail.from[usize::from(zone)];
            let columns: [i64; agent::WIDTH] = std::array::from_fn(|column| {
                let c = agent::WIDTH + column;
                let before = value_at(before[column], before[c], from);
                value_at(total[column], total[c], to).wrapping_sub(before)
            });
            frame.agent.put(row, &columns);
        }
        frame.aux.clear();
        let before = sums.aux.iter().chain(std::iter::repeat(&[0; 2]));
        let cells = self.maps.aux_keys.iter().zip(&self.totals.aux).zip(before);
        frame
            .aux
            .extend(cells.filter_map(|((&(row, reason), total), before)| {
                let from = tail.from[usize::from(self.maps.agent_zones[row.index()])];
                let before = value_at(before[0], before[1], from);
                let value = value_at(total[0], total[1], to).wrapping_sub(before);
                (value != 0).then_some((row, reason, value))
            }));
        frame.aux.sort_unstable();
        if self.rates {
            self.write_rates(tail, frame);
        }
    }

    /// How fast time in state grows: where a window's lower edge moves, by who is there now less who
    /// was there then.
    fn write_rates(&self, tail: &Tail, frame: &mut WindowFrame) {
        let moves = matches!(tail.kind, WindowKind::Sliding(_));
        let (agents, aux): (&[i64], &[[i64; 2]]) = if moves {
            (&tail.sums.agent, &tail.sums.aux)
        } else {
            (&[], &[])
        };
        let zeros = [0; LEVELS];
        let before = agents.chunks_exact(LEVELS);
        let before = before.chain(std::iter::repeat(&zeros[..]));
        frame.agent_rates.clear();
        frame.agent_rates.reserve(self.maps.agent_zones.len());
        let totals = self.totals.agent.chunks_exact(LEVELS);
        for (row, (total, before)) in totals.zip(before).enumerate() {
            let rates: [i64; agent::WIDTH] =
                std::array::from_fn(|column| total[column] - before[column]);
            frame.agent_rates.put(row, &rates);
        }
        let before = aux.iter().chain(std::iter::repeat(&[0; 2]));
        let cells = self.maps.aux_keys.iter().zip(&self.totals.aux).zip(before);
        frame.aux_rates.clear();
        let rates = cells.map(|((&(row, reason), total), before)| {
            let rate = total[0] - before[0];
            (row, reason, rate)
        });
        frame
            .aux_rates
            .extend(rates.filter(|(.., rate)| *rate != 0));
        frame.aux_rates.sort_unstable();
    }
}

/// Time in state at an instant: n·x + c, modulo 2^64 (see [`Sums`]).
fn value_at(n: i64, c: i64, at: Millis) -> i64 {
    n.wrapping_mul(at.0).wrapping_add(c)
}
