//! Giving a partition away: what it added is taken off the tables again.
//!
//! Costs one pass over the log of the partition that leaves, where building the tables anew costs one
//! over the logs of all that stay (measured: benches/README.md). What cannot be told apart any more is
//! left to the next view: a window whose lower edge lies before that log begins, or in a day that the
//! base has closed, is built anew then; and largest waits that the partition may have set are read
//! again from the logs that stay.

use super::sums::Sums;
use super::tables::Tables;
use super::tails::{Reset, Tail};
use super::view::PartitionView;
use crate::event::Millis;

impl Tables {
    /// Takes a partition's figures off; its posts must have been absorbed. False, and nothing has
    /// changed, if the tables must be rebuilt instead: distributions since ever hold more than a
    /// partition can tell.
    pub fn lose(&mut self, leaving: &PartitionView<'_>) -> bool {
        if self.tails.iter().any(Tail::is_empty_for_ever) {
            return false;
        }
        if !self.maps.knows(leaving.number as usize, leaving.names) {
            return true;
        }
        self.apply_gathered();
        self.unfold.unfold(&self.maps, &mut self.totals);
        let (own, gauges) = self.own(leaving);
        self.forget_untellable(leaving);
        self.take_windows_off(leaving, &own);
        self.totals.subtract(&own);
        for (gauge, own) in self.gauges.iter_mut().zip(gauges) {
            *gauge -= own;
        }
        self.take_maxima_off(leaving);
        self.maps.drop_partition(leaving.number as usize);
        true
    }

    /// What the partition has added to totals and gauges.
    fn own(&mut self, leaving: &PartitionView<'_>) -> (Sums, Vec<i64>) {
        let totals = std::mem::take(&mut self.totals);
        let gauges = std::mem::take(&mut self.gauges);
        let gathering = std::mem::replace(&mut self.gathering, false);
        self.fit();
        self.add_partition(leaving);
        self.unfold.unfold(&self.maps, &mut self.totals);
        self.gathering = gathering;
        let own = (
            std::mem::replace(&mut self.totals, totals),
            std::mem::replace(&mut self.gauges, gauges),
        );
        self.fit();
        own
    }

    /// Forgets the tails of which the partition cannot tell its part.
    fn forget_untellable(&mut self, leaving: &PartitionView<'_>) {
        let mut latest = vec![Millis::MIN; self.zones.len()];
        for (zone, midnight) in leaving.log().base().days() {
            let latest = &mut latest[usize::from(zone.0)];
            *latest = midnight.max(*latest);
        }
        let floor = leaving.log().floor();
        for tail in self.tails.iter_mut().filter(|tail| tail.is_built()) {
            let closed = tail.from.iter().zip(&latest).any(|(from, day)| day > from);
            let beyond = tail.from.iter().any(|from| *from < floor);
            if beyond && (!tail.is_day() || closed) {
                tail.forget();
            }
        }
    }

    /// Takes the partition's part off tails and distributions: all that it added, less what lies
    /// after each window's lower edge.
    fn take_windows_off(&mut self, leaving: &PartitionView<'_>, own: &Sums) {
        let built = (0..).zip(&self.tails).filter(|(_, tail)| tail.is_built());
        let edges: Vec<Reset> = built
            .map(|(window, tail)| Reset {
                window,
                from: tail.from.iter().copied().map(Some).collect(),
            })
            .collect();
        if edges.is_empty() {
            return;
        }
        let each = |tables: &mut Self, reset: &Reset, edge: Millis, after: &Sums| {
            let begins = |zone: u16| reset.from[usize::from(zone)] == Some(edge);
            let tail = &mut tables.tails[reset.window].sums;
            tail.take_off(own, after, &tables.maps, begins);
        };
        self.at_each_edge(&edges, std::slice::from_ref(leaving), -1, each);
        self.take_days_off(&edges, leaving, -1);
    }

    /// Takes the partition's exits off the largest waits. Of those that have left the log only the
    /// queues are known.
    fn take_maxima_off(&mut self, leaving: &PartitionView<'_>) {
        let partition = leaving.number as usize;
        let log = leaving.log();
        log.for_each(Millis::MIN, Millis::MAX, |post| {
            let change = self.change(partition, &post).filter(|_| post.sign > 0);
            if let Some(change) = change
                && let Some(wait) = change.what.wait()
            {
                self.maxima.take(change.queue as usize, change.stamp, wait);
            }
        });
        let Self { maps, maxima, .. } = self;
        let left = log.base().rows();
        for queue in left.filter_map(|(row, _)| maps.queue(partition, row)) {
            maxima.forget_up_to(queue, log.floor());
        }
    }
}
