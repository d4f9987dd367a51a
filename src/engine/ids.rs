//! Ids are known by a 64-bit hash with a fixed algorithm and the deployment's key, so two engines
//! with one key agree and nobody outside can make ids collide.

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// Hashes ids. Cheap to copy by reference; one a partition.
#[derive(Clone, Debug)]
pub struct IdHasher(RapidSecrets);

impl IdHasher {
    /// With the deployment's key.
    pub fn new(key: u64) -> Self {
        Self(RapidSecrets::seed(key))
    }

    /// The hash of an id; never 0, which stands for "no id".
    pub fn of(&self, id: &str) -> u64 {
        rapidhash_v3_seeded(id.as_bytes(), &self.0).max(1)
    }

    /// The hash of an id of a client: the same contact id of two clients are two contacts.
    pub fn of_client(&self, client: u64, id: &str) -> u64 {
        (self.of(id) ^ client.rotate_left(32))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .max(1)
    }
}
