//! Largest waits: per queue one stack of decreasing maxima serves all windows.
//!
//! An entry stands as long as no later exit waited at least as long; so the largest wait since an
//! instant is the first entry after it. When an entry that stands is taken back, what it hid is not
//! known any more: the queue is marked, and the next view reads the log between the entry before it
//! and the one taken back, for that is all that it hid alone.

use crate::event::Millis;

/// The stacks of all queues of a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Maxima {
    /// By queue: (stamp, wait), stamps ascending, waits descending.
    stacks: Vec<Vec<(Millis, i64)>>,
    marked: Vec<bool>,
    /// What the marked queues need to be read again: stamps in (from, to].
    range: Option<(Millis, Millis)>,
    all_marked: bool,
}

impl Maxima {
    pub(super) fn fit(&mut self, queues: usize) {
        self.stacks.resize_with(queues, Vec::new);
        self.marked.resize(queues, false);
    }

    /// Everything is to be read again.
    pub(super) fn mark_all(&mut self) {
        self.all_marked = true;
    }

    pub(super) fn is_marked(&self, queue: usize) -> bool {
        self.all_marked || self.marked[queue]
    }

    /// An exit after this wait.
    pub(super) fn push(&mut self, queue: usize, stamp: Millis, wait: i64) {
        let stack = &mut self.stacks[queue];
        let later = stack.partition_point(|entry| entry.0 < stamp);
        if stack.get(later).is_some_and(|entry| entry.1 >= wait) {
            return;
        }
        let end = later + usize::from(stack.get(later).is_some_and(|entry| entry.0 == stamp));
        let begin = stack[..later].partition_point(|entry| entry.1 > wait);
        stack.splice(begin..end, [(stamp, wait)]);
    }

    /// Takes an exit back.
    pub(super) fn take(&mut self, queue: usize, stamp: Millis, wait: i64) {
        let stack = &mut self.stacks[queue];
        if let Ok(place) = stack.binary_search(&(stamp, wait)) {
            let before = place.checked_sub(1).map(|before| stack[before].0);
            stack.remove(place);
            self.mark(queue, before, stamp);
        }
    }

    /// Takes every exit after `to` back.
    pub(super) fn forget_after(&mut self, to: Millis) {
        for queue in 0..self.stacks.len() {
            let stack = &mut self.stacks[queue];
            let kept = stack.partition_point(|entry| entry.0 <= to);
            if kept < stack.len() {
                stack.truncate(kept);
                let before = stack.last().map(|entry| entry.0);
                self.mark(queue, before, to);
            }
        }
    }

    /// Takes every exit of a queue up to `to` back.
    pub(super) fn forget_up_to(&mut self, queue: usize, to: Millis) {
        let stack = &mut self.stacks[queue];
        stack.drain(..stack.partition_point(|entry| entry.0 <= to));
        self.mark(queue, None, to);
    }

    /// A queue is to be read again after the entry `before`, up to `to`.
    fn mark(&mut self, queue: usize, before: Option<Millis>, to: Millis) {
        self.marked[queue] = true;
        let range = self.range.unwrap_or((Millis::MAX, Millis::MIN));
        let from = before.unwrap_or(Millis::MIN);
        self.range = Some((range.0.min(from), range.1.max(to)));
    }

    /// The stamps (from, to] of which marked queues need to be read again, if any.
    pub(super) fn to_read(&self) -> Option<(Millis, Millis)> {
        if self.all_marked {
            return Some((Millis::MIN, Millis::MAX));
        }
        self.range
    }

    /// Nothing is to be read any more.
    pub(super) fn unmark(&mut self) {
        self.marked.fill(false);
        self.range = None;
        self.all_marked = false;
    }

    pub(super) fn clear(&mut self) {
        self.stacks.iter_mut().for_each(Vec::clear);
    }

    /// Drops what no window can see any more.
    pub(super) fn prune(&mut self, from: Millis) {
        for stack in &mut self.stacks {
            if stack.first().is_some_and(|entry| entry.0 <= from) {
                stack.drain(..stack.partition_point(|entry| entry.0 <= from));
            }
        }
    }

    /// The largest wait of exits after `from`, −1 when there was none.
    pub(super) fn largest(&self, queue: usize, from: Millis) -> i64 {
        let stack = &self.stacks[queue];
        stack
            .get(stack.partition_point(|entry| entry.0 <= from))
            .map_or(-1, |entry| entry.1)
    }
}
