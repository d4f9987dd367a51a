//! Trying again what could not be read in time, for so long and no longer. Pure: the clock and the
//! pause are the caller's.

use std::time::Duration;

/// How long is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// One attempt.
    pub(super) attempt: Duration,
    /// Between two.
    pub(super) pause: Duration,
    /// All of them.
    pub(super) all: Duration,
}

/// One attempt. Times are since the beginning of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// It must end by then.
    pub(super) deadline: Duration,
    /// None came before it.
    pub(super) first: bool,
    /// None comes after it.
    pub(super) last: bool,
}

impl Patience {
    /// Makes attempts at what is left until nothing is, or the time is over, or `pause` says that it
    /// is to end; an attempt gives back what it could not do.
    pub(super) fn persist<T>(
        &self,
        mut left: Vec<T>,
        clock: impl Fn() -> Duration,
        mut pause: impl FnMut(Duration) -> bool,
        mut attempt: impl FnMut(Vec<T>, Attempt) -> Vec<T>,
    ) {
        let mut first = true;
        while !left.is_empty() {
            let deadline = (clock() + self.attempt).min(self.all);
            // a pause alone must not use up what is left of the time
            let last = deadline + self.pause >= self.all;
            left = attempt(
                left,
                Attempt {
                    deadline,
                    first,
                    last,
                },
            );
            first = false;
            if last || (!left.is_empty() && pause(self.pause)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const PATIENCE: Patience = Patience {
        attempt: Duration::from_secs(5),
        pause: Duration::from_millis(500),
        all: Duration::from_secs(15),
    };

    /// Partitions that are read only once a broker, slow at first, has become faster; when attempts
    /// began, and what was never read.
    fn reading(partitions: &[u32], quick_from: u64, stop_at: u64) -> (Vec<Duration>, Vec<u32>) {
        let now = Cell::new(Duration::ZERO);
        let (mut begun, mut unread) = (Vec::new(), Vec::new());
        let pause = |length| {
            now.set(now.get() + length);
            now.get() >= Duration::from_secs(stop_at)
        };
        PATIENCE.persist(
            partitions.to_vec(),
            || now.get(),
            pause,
            |left, attempt| {
                begun.push(now.get());
                assert!(attempt.deadline <= PATIENCE.all);
                assert_eq!(attempt.first, begun.len() == 1);
                // the first is always read, the others once the broker is quick
                let slow = now.get() < Duration::from_secs(quick_from);
                now.set(if slow {
                    attempt.deadline
                } else {
                    now.get() + Duration::from_millis(40)
                });
                unread = left;
                unread.retain(|&partition| slow && partition > 0);
                unread.clone()
            },
        );
        assert!(now.get() <= PATIENCE.all);
        (begun, unread)
    }

    /// Quick from, told to end at (seconds): attempts begun at (milliseconds), unread.
    type Row = ((u64, u64), (&'static [u64], &'static [u32]));

    #[test]
    fn a_slow_broker_is_asked_again_and_only_for_what_is_left_for_a_bounded_time() {
        let at = |times: &[u64]| -> Vec<Duration> {
            times.iter().copied().map(Duration::from_millis).collect()
        };
        let table: [Row; 5] = [
            ((0, 99), (&[0], &[])),
            ((5, 99), (&[0, 5500], &[])),
            ((11, 99), (&[0, 5500, 11_000], &[])),
            ((60, 99), (&[0, 5500, 11_000], &[1, 2])),
            ((60, 5), (&[0], &[1, 2])),
        ];
        for ((quick_from, stop_at), (begun, unread)) in table {
            let found = reading(&[0, 1, 2], quick_from, stop_at);
            assert_eq!(found, (at(begun), unread.to_vec()), "{quick_from}");
        }
        assert_eq!(reading(&[], 0, 99), (Vec::new(), Vec::new()));
    }
}
