//! Seeded chance.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of chances that depends on its seed alone.
#[derive(Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A fraction in 0..1.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        ((u64::from(self.0.next_u32()) * limit as u64) >> 32) as usize
    }

    /// Milliseconds between two bounds.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(1) as usize) as i64
    }

    /// Milliseconds, exponential with this mean: gaps between arrivals, patience.
    pub(super) fn exponential(&mut self, mean: f64) -> i64 {
        (-(1.0 - self.fraction()).ln() * mean) as i64 + 1
    }

    /// Milliseconds with this mean and a hump (Erlang of order 2): how long people talk.
    pub(super) fn humped(&mut self, mean: f64) -> i64 {
        let product = (1.0 - self.fraction()) * (1.0 - self.fraction());
        (-product.ln() * mean / 2.0) as i64 + 1
    }
}
