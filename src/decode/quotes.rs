//! Where the quotes of a record stand, and whether it is plain, found together: sixty-four bytes at a
//! time are turned into a number with a bit for each.

use wide::u8x16;

/// So many bytes make one number of bits.
const BLOCK: usize = 64;
/// So many are compared at once.
const LANE: usize = 16;

/// The places of a record's quotes, in order.
#[derive(Debug)]
pub(super) struct Quotes<'a> {
    /// What was not looked at yet.
    ahead: &'a [u8],
    /// Where the block looked at begins.
    begin: usize,
    /// The quotes of that block that were not told yet.
    bits: u64,
    /// The bytes looked at had no escape and no control character.
    plain: bool,
}

impl<'a> Quotes<'a> {
    /// Of these bytes.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self {
            ahead: bytes,
            begin: 0usize.wrapping_sub(BLOCK),
            bits: 0,
            plain: true,
        }
    }

    /// Looks at the rest. Whether no byte is an escape or a control character.
    pub(super) fn are_all_plain(&mut self) -> bool {
        while !self.ahead.is_empty() {
            self.look();
        }
        self.plain
    }

    /// Looks on until there is a quote.
    #[inline(never)]
    fn look_on(&mut self) -> Option<()> {
        while self.bits == 0 {
            if self.ahead.is_empty() {
                return None;
            }
            self.look();
        }
        Some(())
    }

    /// Looks at the next block.
    fn look(&mut self) {
        let (block, ahead) = match self.ahead.split_first_chunk() {
            Some((block, ahead)) => (*block, ahead),
            None => (filled_up(self.ahead), &[][..]),
        };
        let (bits, plain) = of_block(&block);
        self.ahead = ahead;
        self.begin = self.begin.wrapping_add(BLOCK);
        self.bits = bits;
        self.plain &= plain;
    }
}

impl Iterator for Quotes<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            self.look_on()?;
        }
        let place = self.begin.wrapping_add(self.bits.trailing_zeros() as usize);
        self.bits &= self.bits.wrapping_sub(1);
        Some(place)
    }
}

/// The last bytes of a record with spaces behind them.
fn filled_up(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    let copied = bytes.len().min(BLOCK);
    block[..copied].copy_from_slice(&bytes[..copied]);
    block
}

/// A bit for each quote, and whether the block is plain.
fn of_block(block: &[u8; BLOCK]) -> (u64, bool) {
    let (lanes, _) = block.as_chunks::<LANE>();
    let lanes = lanes.iter().zip((0..).step_by(LANE));
    let (bits, odd) = lanes.fold((0, 0), |(bits, odd), (&lane, place)| {
        let (quotes, odds) = of_lane(lane);
        (bits | quotes << place, odd | odds)
    });
    (bits, odd == 0)
}

/// A bit for each quote, and one for each escape or control character.
fn of_lane(lane: [u8; LANE]) -> (u64, u64) {
    let bytes = u8x16::new(lane);
    let are = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
    let are_controls = bytes.min(u8x16::splat(0x1F)).simd_eq(bytes);
    let odd = are(b'\\') | are_controls;
    (
        u64::from(are(b'"').to_bitmask()),
        u64::from(odd.to_bitmask()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_found_wherever_they_stand_and_nothing_else_is() {
        for length in 0..200 {
            for place in 0..length {
                let mut bytes = vec![b'!'; length];
                bytes[place] = b'"';
                bytes[length - 1] = b'"';
                let mut expected = vec![place, length - 1];
                expected.dedup();
                let mut quotes = Quotes::of(&bytes);
                let found: Vec<usize> = quotes.by_ref().collect();
                assert_eq!((found, quotes.are_all_plain()), (expected, true));
            }
        }
    }

    #[test]
    fn every_byte_is_what_it_is_in_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..2 * BLOCK + 3 {
                let mut bytes = [b'a'; 2 * BLOCK + 3];
                bytes[place] = byte;
                let mut quotes = Quotes::of(&bytes);
                let found = quotes.next();
                assert_eq!(found, (byte == b'"').then_some(place), "{byte}");
                let plain = byte != b'\\' && byte >= 0x20;
                assert_eq!(quotes.are_all_plain(), plain, "{byte} at {place}");
            }
        }
    }
}
