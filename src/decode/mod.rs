//! A record's bytes to an event, in place: text stays in the record unless it carries escapes.
//!
//! Two steps. [`fields`] reads the one JSON object of a record into a table of the keys that we
//! know, whatever their type; everything else is skipped and never kept, since customers' numbers,
//! names and addresses may pass by. [`canonical`] then takes from the table what the event's type
//! needs. So a field that a type does not use cannot spoil the event, and the order of keys does not
//! matter. [`scan`] does the first step in a third of the time for the plain records that nearly all
//! are, and leaves the others, and everything that is wrong, to `fields`.
//!
//! Rejected: derived serde structs (they accept a top-level array by position, cannot borrow text
//! with escapes, and their error texts repeat the customer's data); parsing into a generic JSON
//! value (it allocates for every key). The parser's own error texts never leave this module: they
//! become one [`Discard`] each.
//!
//! Cost: no allocation for contact events and ordinary agent events without escapes. Lists (queues,
//! slots, contacts) allocate; so does the parser, once a record, where it skips a nested value.
//!
//! Decided once: text under a key that we do not know need not be UTF-8; text under one that we know
//! must be.

mod canonical;
mod fields;
mod instant;
mod quotes;
mod scan;
#[cfg(test)]
mod tests;

use crate::event::{Discard, Event};

pub use instant::parse_instant;

/// What a reader of records demands of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Larger records are refused.
    pub max_bytes: usize,
    /// Milliseconds of every instant are cut, to reconcile with reports of whole seconds.
    pub whole_seconds: bool,
}

impl Default for Limits {
    /// 64 kB a record, instants to the millisecond.
    fn default() -> Self {
        Self {
            max_bytes: 64 * 1024,
            whole_seconds: false,
        }
    }
}

/// Decodes one canonical event.
///
/// # Errors
/// The one reason why the record is not an event. No text of the record is in it.
pub fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Event<'a>, Discard> {
    if bytes.len() > limits.max_bytes {
        return Err(Discard::TooLarge);
    }
    scanned(bytes, limits).map_or_else(|| decode_by_parser(bytes, limits), Ok)
}

/// The event of a record that [`scan`] knows whole.
fn scanned<'a>(bytes: &'a [u8], limits: &Limits) -> Option<Event<'a>> {
    let mut places = scan::Places::of(bytes)?;
    canonical::event(&mut places, limits.whole_seconds).ok()
}

/// Decodes one canonical event by the JSON parser alone, which decides what [`decode`] must answer.
/// Public so that the two can be held against each other.
///
/// # Errors
/// As [`decode`].
pub fn decode_by_parser<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Event<'a>, Discard> {
    if bytes.len() > limits.max_bytes {
        return Err(Discard::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = bytes.trim_ascii_start();
    match text.first() {
        None => return Err(Discard::Empty),
        Some(b'{') if text.get(1) != Some(&0) => {}
        Some(_) => return Err(fields::not_an_object(text)),
    }
    let mut record = fields::Record::new();
    fields::read(text, &mut record)?;
    if record.twice() {
        return Err(Discard::DuplicateField);
    }
    canonical::event(&mut record, limits.whole_seconds)
}
