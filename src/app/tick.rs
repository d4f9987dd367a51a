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
    /// The poll thread is stuck: it has not gone round for [`STUCK`] ticks. Counted in ticks, so that
    /// a process that was stopped as a whole is not taken for one.
    pub fn run(
        &self,
        workers: &[SyncSender<Order>],
        progress: &Progress,
        stop: &Stop,
        clock: fn() -> Millis,
    ) -> Result<(), AppError> {
        let mut last_round = (None, 0);
        while !stop.is_raised() {
            self.advance(clock());
            let polled = progress.last_poll();
            let ticks = if last_round.0 == polled {
                last_round.1 + 1
            } else {
                0
            };
            last_round = (polled, ticks);
            if polled.is_some() && ticks > STUCK {
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

#[cfg(test)]
mod tests {
    use super::*;

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
