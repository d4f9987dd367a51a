//! Ticks: one `now` for all workers, every 250 ms.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::AppError;
use crate::event::Millis;
use crate::ingest::kafka::Order;
use crate::ingest::progress::Progress;
use crate::ingest::stop::Stop;

/// How often *now* figures are published.
const EVERY: i64 = 250;
/// Ticks in a minute, which is also how long the group waits for a poll.
const STUCK: u32 = 240;

/// One instant at which every worker publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Grows by one.
    pub number: u64,
    /// The instant of the *now* figures: a whole quarter of a second.
    pub now: Millis,
    /// The end of every window: the last whole second.
    pub to: Millis,
}

impl Tick {
    /// The tick before all others.
    const FIRST: Self = Self {
        number: 0,
        now: Millis::MIN,
        to: Millis::MIN,
    };

    /// Its instant, or the end of all time where no clock has been read yet: then nothing is taken
    /// for ahead of the clock.
    pub fn clock(self) -> Millis {
        if self == Self::FIRST {
            Millis::MAX
        } else {
            self.now
        }
    }

    /// The tick at `clock` after this one. Time stands still while the clock is behind: windows do
    /// not move backwards.
    fn next(self, clock: Millis) -> Self {
        let whole = |step: i64| Millis(clock.0 - clock.0.rem_euclid(step));
        Self {
            number: self.number + 1,
            now: whole(EVERY).max(self.now),
            to: whole(1000).max(self.to),
        }
    }
}

/// The latest tick. Written by the ticker, read by the workers.
#[derive(Debug)]
pub struct Ticks(ArcSwap<Tick>);

impl Default for Ticks {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(Tick::FIRST))
    }
}

impl Ticks {
    /// The latest tick.
    pub fn latest(&self) -> Tick {
        **self.0.load()
    }

    /// The next tick is at this time of the clock.
    pub fn advance(&self, clock: Millis) {
        self.0.store(Arc::new(self.latest().next(clock)));
    }

    /// Ticks until told to stop. Wakes workers that have nothing to do; one whose inbox is full
    /// looks by itself after each batch.
    ///
    /// # Errors
    /// The poll thread is stuck: it has not gone round for [`STUCK`] ticks.
    pub fn run(
        &self,
        workers: &[SyncSender<Order>],
        progress: &Progress,
        stop: &Stop,
        clock: fn() -> Millis,
    ) -> Result<(), AppError> {
        let mut rounds = Rounds::default();
        while !stop.is_raised() {
            self.advance(clock());
            if rounds.is_stuck(progress.last_poll()) {
                return Err(AppError::Stuck);
            }
            for worker in workers {
                let _full = worker.try_send(Order::Wake);
            }
            let to_next = EVERY - clock().0.rem_euclid(EVERY);
            stop.wait(Duration::from_millis(to_next.unsigned_abs()));
        }
        Ok(())
    }
}

/// Counts ticks since the poll thread last went round. Ticks and not time, so that a process that was
/// stopped as a whole is not taken for a stuck one.
#[derive(Debug, Default)]
struct Rounds {
    last: Option<Millis>,
    ticks: u32,
}

impl Rounds {
    /// At a tick: whether the loop that was last seen `polled` is stuck. One that has not begun is not.
    fn is_stuck(&mut self, polled: Option<Millis>) -> bool {
        let stands = polled == self.last;
        self.ticks = if stands { self.ticks + 1 } else { 0 };
        self.last = polled;
        polled.is_some() && self.ticks > STUCK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_loop_that_stands_still_for_a_minute_of_ticks_is_stuck() {
        let mut rounds = Rounds::default();
        let mut ticks = |count: u32, polled: Option<i64>| {
            let stuck = (0..count).map(|_| rounds.is_stuck(polled.map(Millis)));
            stuck.filter(|stuck| *stuck).count()
        };
        assert_eq!(ticks(1000, None), 0, "it has not begun");
        assert_eq!(
            ticks(1 + STUCK, Some(5000)),
            0,
            "it waits, as when the group changes"
        );
        assert_eq!(ticks(1, Some(5001)), 0, "it has gone round");
        // A process that was stopped has no ticks; the first after it finds the loop where it stood.
        assert_eq!(ticks(1, Some(5001)), 0);
        assert_eq!(ticks(STUCK - 1, Some(5001)), 0);
        assert_eq!(ticks(3, Some(5001)), 3, "nor does it any more");
        assert_eq!(ticks(1, Some(5002)), 0);
    }

    #[test]
    fn windows_end_at_whole_seconds_and_never_move_back() {
        let ticks = Ticks::default();
        let seen = [10_240, 10_251, 10_999, 11_000, 10_100, 12_400].map(|clock| {
            ticks.advance(Millis(clock));
            let Tick { number, now, to } = ticks.latest();
            (number, now.0, to.0)
        });
        assert_eq!(
            seen,
            [
                (1, 10_000, 10_000),
                (2, 10_250, 10_000),
                (3, 10_750, 10_000),
                (4, 11_000, 11_000),
                (5, 11_000, 11_000),
                (6, 12_250, 12_000),
            ]
        );
    }
}
