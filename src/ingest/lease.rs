//! Whether this process may show the figures of its partitions.
//!
//! State is right whoever holds it, but what is shown must be fenced: a process that was stopped
//! for longer than its session has lost its partitions, and does not know it yet when it wakes. So
//! the poll loop reports each round, and a pause in which the group may have given the partitions
//! away ends the lease: at once for whoever looks, and for good as soon as the loop goes round
//! again. It is taken anew only when the group has confirmed that this process is its member: by an
//! assignment, or by accepting a commit that was sent after the lease had ended.
//!
//! | | tick in time | tick too late | assignment in time | too late | commit accepted | lost |
//! |---|---|---|---|---|---|---|
//! | held | held | ended | held | ended | held | ended |
//! | ended | ended | ended | held | ended | held, if sent since | ended |
//!
//! Pure: time is an argument.

use std::time::Duration;

use crate::event::{Millis, Span};

/// An instant by two clocks. The steady one does not go on while the machine sleeps, the wall clock
/// can be set: the longer pause of the two is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since some fixed instant.
    pub steady: Duration,
    /// The wall clock.
    pub wall: Millis,
}

impl Moment {
    /// How long ago `earlier` was, never negative.
    fn since(self, earlier: Self) -> Span {
        let steady = self.steady.saturating_sub(earlier.steady).as_millis();
        let steady = i64::try_from(steady).unwrap_or(i64::MAX);
        Span(steady.max((self.wall - earlier.wall).0))
    }
}

/// The lease of one process on all its partitions.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The longest pause after which the group cannot have given the partitions away; none if there
    /// is no group.
    pause: Option<Span>,
    held: bool,
    ticked: Option<Moment>,
    /// How often it has ended.
    ended: u64,
}

impl Lease {
    /// Of a member whose session is this long. The coordinator counts from the last heartbeat, of
    /// which there are five in a session; a tenth more is for what is on its way.
    pub fn of_member(session: Span) -> Self {
        Self {
            pause: Some(Span(session.0 * 7 / 10)),
            held: false,
            ticked: None,
            ended: 0,
        }
    }

    /// Of a process that has its partitions to itself.
    pub fn of_nobody_else() -> Self {
        Self {
            pause: None,
            held: true,
            ticked: None,
            ended: 0,
        }
    }

    /// The poll loop has gone round.
    pub fn tick(&mut self, now: Moment) {
        if self.paused(now) {
            self.end();
        }
        self.ticked = Some(now);
    }

    /// The group gave partitions, and they have been taken up. If that took too long, or the process
    /// was stopped meanwhile, they may be someone else's already.
    pub fn given(&mut self, now: Moment) {
        if self.paused(now) {
            self.end();
        } else {
            self.held = true;
        }
        self.ticked = Some(now);
    }

    /// The group took partitions away without asking.
    pub fn lost(&mut self) {
        self.end();
    }

    /// What a commit that is sent now proves, if it is accepted.
    pub fn proof(&self) -> u64 {
        self.ended
    }

    /// The group accepted a commit.
    pub fn confirmed(&mut self, proof: u64) {
        if proof == self.ended && self.ticked.is_some() {
            self.held = true;
        }
    }

    /// Whether it has not ended; else a commit has to prove that this process is a member.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether figures may be shown to someone who looks now.
    pub fn shows(&self, now: Moment) -> bool {
        self.held && !self.paused(now)
    }

    /// Whether so long a silence of the brokers is longer than the session.
    pub fn outlasts_session(&self, silence: Span) -> bool {
        self.pause.is_some_and(|pause| silence.0 * 7 / 10 > pause.0)
    }

    fn end(&mut self) {
        if self.pause.is_some() {
            self.held = false;
            self.ended += 1;
        }
    }

    fn paused(&self, now: Moment) -> bool {
        match (self.pause, self.ticked) {
            (Some(pause), Some(ticked)) => now.since(ticked) > pause,
            _ => false,
        }
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self::of_nobody_else()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven tenths of this are 7 s.
    const SESSION: Span = Span::seconds(10);

    fn at(seconds: u64) -> Moment {
        Moment {
            steady: Duration::from_secs(seconds),
            wall: Millis(1_767_603_600_000 + i64::try_from(seconds).unwrap() * 1000),
        }
    }

    #[derive(Debug)]
    enum Happens {
        Tick(u64),
        Given(u64),
        Lost,
        /// A commit is sent.
        Commit,
        /// The one that was sent first is accepted.
        Accepted,
    }

    type Row<'a> = (&'a [Happens], Option<(u64, u64)>);

    fn after(events: &[Happens]) -> Lease {
        let mut lease = Lease::of_member(SESSION);
        let mut sent = Vec::new();
        for event in events {
            match event {
                Happens::Tick(seconds) => lease.tick(at(*seconds)),
                Happens::Given(seconds) => lease.given(at(*seconds)),
                Happens::Lost => lease.lost(),
                Happens::Commit => sent.push(lease.proof()),
                Happens::Accepted => lease.confirmed(sent.remove(0)),
            }
        }
        lease
    }

    #[test]
    fn each_row_of_the_table() {
        use Happens::{Accepted, Commit, Given, Lost, Tick};
        // What happens, and from when to when figures are shown afterwards.
        let table: [Row<'_>; 13] = [
            (&[], None),
            (&[Tick(0), Tick(1)], None),
            (&[Tick(0), Given(1)], Some((1, 8))),
            (&[Given(1), Tick(8)], Some((8, 15))),
            // Stopped for 8 s: over as soon as it wakes, however often it polls then.
            (&[Given(1), Tick(9), Tick(10)], None),
            (&[Given(1), Tick(9), Given(10)], Some((10, 17))),
            (&[Given(1), Given(9)], None),
            (&[Given(1), Tick(9), Commit, Accepted], Some((9, 16))),
            // That commit was sent before the pause, and proves nothing.
            (&[Given(1), Commit, Tick(9), Accepted], None),
            (
                &[Given(1), Commit, Tick(9), Commit, Accepted, Accepted],
                Some((9, 16)),
            ),
            (&[Given(1), Lost, Tick(2)], None),
            (&[Given(1), Commit, Lost, Accepted, Tick(2)], None),
            // A commit that comes too late is followed by a tick that sees the pause.
            (
                &[Given(1), Tick(9), Commit, Tick(17), Accepted, Tick(25)],
                None,
            ),
        ];
        for (events, shown) in table {
            let lease = after(events);
            let seen: Vec<u64> = (0..40).filter(|second| lease.shows(at(*second))).collect();
            let last = seen.last().copied();
            assert_eq!(last, shown.map(|(_, last)| last), "{events:?}");
            if let Some((first, last)) = shown {
                assert!((first..=last).all(|second| seen.contains(&second)));
            }
        }
    }

    #[test]
    fn the_longer_pause_of_the_two_clocks_counts() {
        let mut lease = Lease::of_member(SESSION);
        lease.given(at(1));
        let slept = Moment {
            steady: at(2).steady,
            wall: at(20).wall,
        };
        let set_back = Moment {
            steady: at(2).steady,
            wall: Millis(0),
        };
        assert!(!lease.shows(slept) && lease.shows(set_back));
        lease.tick(set_back);
        assert!(lease.is_held());
        lease.tick(slept);
        assert!(!lease.is_held());
    }

    #[test]
    fn without_a_group_there_is_nobody_to_lose_it_to() {
        let mut lease = Lease::of_nobody_else();
        lease.tick(at(1));
        lease.tick(at(100));
        lease.lost();
        assert!(lease.shows(at(1000)));
    }
}
