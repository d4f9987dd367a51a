//! The frames that workers publish, and which of them belong together.
//!
//! Each worker has one slot: it swaps in a frame at every tick and keeps the one before beside it.
//! A reader takes the latest tick that every worker has published: frames of two ticks are never
//! mixed, so one response shows one instant. Writers never wait: a frame still held by a reader is
//! left to it, and the worker takes a fresh one.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::windows::frame::Frame;

/// How many frames a publisher keeps: the current one, the one before, a spare.
const KEPT: usize = 3;

/// The last two frames of one worker.
#[derive(Debug)]
struct Pair {
    current: Arc<Frame>,
    before: Option<Arc<Frame>>,
}

/// The slots of all workers.
#[derive(Debug)]
pub struct Frames {
    /// One writer each (its worker), any number of readers.
    slots: Box<[Arc<ArcSwapOption<Pair>>]>,
}

impl Frames {
    /// Slots for so many workers, at least one.
    pub fn new(workers: usize) -> Self {
        Self {
            slots: (0..workers.max(1)).map(|_| Arc::default()).collect(),
        }
    }

    /// The writing end of a worker's slot; each slot has one writer.
    pub fn publisher(&self, worker: usize) -> Publisher {
        Publisher {
            slot: Arc::clone(&self.slots[worker % self.slots.len()]),
            kept: Vec::with_capacity(KEPT),
        }
    }

    /// The tick of [`Self::latest`], without taking the frames.
    pub fn tick(&self) -> Option<u64> {
        self.slots
            .iter()
            .map(|slot| slot.load().as_ref().map(|pair| pair.current.tick))
            .min()
            .flatten()
    }

    /// The frames of the latest tick that every worker has published; none while there is no such
    /// tick. A worker more than one tick behind leaves readers with what they had.
    pub fn latest(&self) -> Option<Vec<Arc<Frame>>> {
        let pairs: Vec<Arc<Pair>> = self
            .slots
            .iter()
            .map(|slot| slot.load_full())
            .collect::<Option<_>>()?;
        let tick = pairs.iter().map(|pair| pair.current.tick).min()?;
        pairs
            .iter()
            .map(|pair| {
                let before = pair.before.iter();
                std::iter::once(&pair.current)
                    .chain(before)
                    .find(|frame| frame.tick == tick)
                    .cloned()
            })
            .collect()
    }
}

/// The writing end of one worker's slot.
#[derive(Debug)]
pub struct Publisher {
    slot: Arc<ArcSwapOption<Pair>>,
    kept: Vec<Arc<Frame>>,
}

impl Publisher {
    /// A frame to write into: one that no reader holds any more, its buffers as they were, else a
    /// new one.
    pub fn spare(&mut self) -> Frame {
        if self.kept.len() < KEPT {
            return Frame::default();
        }
        Arc::try_unwrap(self.kept.remove(0)).unwrap_or_default()
    }

    /// Swaps a frame in. Ticks must grow.
    pub fn publish(&mut self, frame: Frame) {
        let frame = Arc::new(frame);
        let before = self.kept.last().cloned();
        self.kept.push(Arc::clone(&frame));
        self.slot.store(Some(Arc::new(Pair {
            current: frame,
            before,
        })));
    }
}
