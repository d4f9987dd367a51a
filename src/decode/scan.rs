//! Accept or punt: the quick way for the records that nearly all are.
//!
//! It takes one flat object of texts, whole numbers of 0 or more, `true`, `false` and `null`, in UTF-8,
//! without a backslash or a control character anywhere, and nothing else. Sixteen bytes at a time are
//! looked at once, for that and for where quotes stand: a text then ends at the next quote, the only
//! space is a space, and one pass from quote to quote finds the known keys and where their values lie. Whatever it does not know (escapes, lines, signs,
//! fractions, lists, objects, a known key twice, anything that is no JSON) it hands back, and so does [`super::decode`] when the fields make
//! no event: [`super::fields`] then reads the record from its beginning, decides, and names the
//! reason. So only an event can come of this file, and it can be wrong in one way: an event that
//! `fields` would refuse or read otherwise. `tests/decode.rs` looks for that.
//!
//! Values are kept as the places where they lie, and read when the event's type asks for them.
//!
//! Rejected: remembering the shapes of records (a cache of them was slower, and wrong for shapes that
//! differ in a value's type); a list of keys in the order in which they usually come (the same).

use std::borrow::Cow;

use super::fields::{Key, Table, Value, head};
use super::quotes::Quotes;

/// Whole numbers of so many digits fit 64 bits.
const DIGITS: usize = 18;

/// The values of a record, by key.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a str,
    /// From, to. A text begins at its quote. No value lies at 0, so (0, 0) is none.
    places: [(u32, u32); Key::COUNT],
}

impl<'a> Places<'a> {
    /// Scans a record. `None`: not for this file to decide.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        u32::try_from(bytes.len()).ok()?;
        let mut places = Self {
            text: std::str::from_utf8(bytes).ok()?,
            places: [(0, 0); Key::COUNT],
        };
        let mut scanner = Scanner {
            bytes,
            place: 0,
            quotes: Quotes::of(bytes),
        };
        scanner.expect(b'{')?;
        loop {
            let (name, head) = scanner.name()?;
            scanner.expect(b':')?;
            let value = scanner.value()?;
            if let Some(key) = Key::find(name, head) {
                places.set(key, value)?;
            }
            match scanner.token()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        (scanner.is_at_end() && scanner.quotes.are_all_plain()).then_some(places)
    }

    /// Notes where a value lies; `None` if there was one.
    fn set(&mut self, key: Key, value: (u32, u32)) -> Option<()> {
        let place = self.places.get_mut(key as usize)?;
        let is_first = place.1 == 0;
        *place = value;
        is_first.then_some(())
    }
}

impl<'a> Table<'a> for Places<'a> {
    fn take(&mut self, key: Key) -> Option<Value<'a>> {
        let &(from, to) = self.places.get(key as usize)?;
        if to == 0 {
            return None;
        }
        let (from, to) = (from as usize, to as usize);
        match self.text.as_bytes().get(from)? {
            b'"' => Some(Value::Text(Cow::Borrowed(self.text.get(from + 1..to - 1)?))),
            b't' => Some(Value::Bool(true)),
            b'f' => Some(Value::Bool(false)),
            b'n' => None,
            _ => {
                let digits = self.text.as_bytes().get(from..to)?.iter();
                Some(Value::Int(digits.fold(0_i64, |number, digit| {
                    let digit = i64::from(digit.wrapping_sub(b'0'));
                    number.wrapping_mul(10).wrapping_add(digit)
                })))
            }
        }
    }
}

/// A place in a record.
struct Scanner<'a> {
    bytes: &'a [u8],
    place: usize,
    /// The quotes that lie ahead.
    quotes: Quotes<'a>,
}

impl<'a> Scanner<'a> {
    fn skip_space(&mut self) {
        while self.bytes.get(self.place) == Some(&b' ') {
            self.place += 1;
        }
    }

    /// The next byte that is no space, stepped over.
    fn token(&mut self) -> Option<u8> {
        self.skip_space();
        let byte = *self.bytes.get(self.place)?;
        self.place += 1;
        Some(byte)
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.token()? == wanted).then_some(())
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.place == self.bytes.len()
    }

    /// Steps over a key; its name, and the eight bytes from its beginning on.
    fn name(&mut self) -> Option<(&'a [u8], u64)> {
        self.expect(b'"')?;
        let from = self.place;
        self.end_text()?;
        let name = self.bytes.get(from..self.place - 1)?;
        let eight = self.bytes.get(from..)?.first_chunk();
        let head = eight.map_or_else(|| head(name), |eight| u64::from_le_bytes(*eight));
        Some((name, head))
    }

    /// Steps over a value; where it lies.
    #[expect(clippy::cast_possible_truncation, reason = "checked for the record")]
    fn value(&mut self) -> Option<(u32, u32)> {
        let first = self.token()?;
        let from = self.place - 1;
        match first {
            b'"' => self.end_text()?,
            b'0' => self.end_number(from)?,
            b'1'..=b'9' => {
                while self.bytes.get(self.place).is_some_and(u8::is_ascii_digit) {
                    self.place += 1;
                }
                self.end_number(from)?;
            }
            b't' => self.end_word(b"rue")?,
            b'f' => self.end_word(b"alse")?,
            b'n' => self.end_word(b"ull")?,
            _ => return None,
        }
        Some((from as u32, self.place as u32))
    }

    fn end_number(&self, from: usize) -> Option<()> {
        let goes_on = matches!(
            self.bytes.get(self.place)?,
            b'0'..=b'9' | b'.' | b'e' | b'E'
        );
        (!goes_on && self.place - from <= DIGITS).then_some(())
    }

    fn end_word(&mut self, rest: &[u8]) -> Option<()> {
        let end = self.place + rest.len();
        let is_it = self.bytes.get(self.place..end)? == rest;
        self.place = end;
        is_it.then_some(())
    }

    /// Steps over the rest of a text, whose first quote is the next one, and its closing quote.
    #[inline]
    fn end_text(&mut self) -> Option<()> {
        self.quotes.next()?;
        self.place = self.quotes.next()? + 1;
        Some(())
    }
}
