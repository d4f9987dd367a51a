//! Largest waits: per queue one stack of decreasing maxima serves all windows.
//!
//! An entry stands as long as no later exit waited at least as long; so the largest wait since an
//! instant is the first entry after it. When an entry that stands is taken back, what it hid is not
//! known any more: the queue is marked, and the next view rebuilds it from the log.

use crate::event::Millis;

/// The stacks of all queues of a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Maxima {
    /// By queue: (stamp, wait), stamps ascending, waits descending.
    stacks: Vec<Vec<(Millis, i64)>>,
    marked: Vec<bool>,
    any_marked: bool,
}

impl Maxima {
    pub(super) fn fit(&mut self, queues: usize) {
        self.stacks.resize_with(queues, Vec::new);
        self.marked.resize(queues, false);
    }

    pub(super) fn mark_all(&mut self) {
        self.marked.fill(true);
        self.any_marked = true;
    }

    pub(super) fn any_marked(&self) -> bool {
        self.any_marked
    }

    pub(super) fn is_marked(&self, queue: usize) -> bool {
        self.marked[queue]
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
            stack.remove(place);
            self.marked[queue] = true;
            self.any_marked = true;
        }
    }

    /// Empties the marked stacks, but for entries up to `floor`: those have left the log.
    pub(super) fn begin_rebuild(&mut self, floor: Millis) {
        for (stack, _) in self.stacks.iter_mut().zip(&self.marked).filter(|s| *s.1) {
            stack.truncate(stack.partition_point(|entry| entry.0 <= floor));
        }
    }

    pub(super) fn end_rebuild(&mut self) {
        self.marked.fill(false);
        self.any_marked = false;
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
