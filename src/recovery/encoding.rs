//! The state of a partition as bytes, and back.
//!
//! Bytes are `postcard`'s, of the image that the engine makes of its state: integers of variable
//! length, no names of fields, so about as small as the state itself (compression is the
//! envelope's). Two partitions that applied the same records have the same bytes. Views change
//! nothing of them.
//!
//! The layout is that of the engine's own structs. Whoever changes one of these raises [`FORMAT`]; a
//! test holds the bytes of a known log. (Rejected: a layout of its own with versions per field. A
//! snapshot of another format is not used, and the log is read instead.)

use std::sync::Arc;

use crate::engine::image::Fault;
use crate::engine::partition::{Partition, PartitionImage};
use crate::engine::settings::StateSettings;

/// Version of the layout. A snapshot of another one is not used.
pub const FORMAT: u16 = 5;

/// Why bytes are not the state of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They are no image at all.
    #[error("the bytes are not those of a state")]
    Malformed,
    /// There is something after it.
    #[error("{0} bytes follow the state")]
    TooLong(usize),
    /// It is one that cannot be.
    #[error(transparent)]
    Impossible(#[from] Fault),
}

/// Appends the state of a partition.
pub fn encode(partition: &Partition, out: &mut Vec<u8>) {
    let written = postcard::to_extend(&partition.image(), std::mem::take(out));
    // Growing memory does not fail, and the image has no type that postcard lacks.
    *out = written.unwrap_or_default();
}

/// The partition whose state was encoded with the same settings (`Config::state_hash`). Any bytes
/// may be given: what comes back can go on, and takes memory in proportion to them.
///
/// # Errors
/// Why there is none.
pub fn decode(bytes: &[u8], settings: Arc<StateSettings>) -> Result<Partition, DecodeError> {
    let (image, rest) = postcard::take_from_bytes::<PartitionImage<'_>>(bytes)
        .map_err(|_| DecodeError::Malformed)?;
    if !rest.is_empty() {
        return Err(DecodeError::TooLong(rest.len()));
    }
    Ok(Partition::restore(image, settings)?)
}
