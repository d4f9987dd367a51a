//! The table of known keys of one record, filled by a serde visitor written by hand.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::event::{Discard, Text};

macro_rules! keys {
    ($($key:ident = $name:literal),* $(,)?) => {
        /// A key that some event type reads. Those that the entries of `queues` and `contacts`
        /// read stand first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Key { $($key),* }

        impl Key {
            fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$key),)*
                    _ => None,
                }
            }

            /// How many there are.
            pub(super) const COUNT: usize = [$(Self::$key),*].len();

            const NAMES: [&str; Self::COUNT] = [$($name),*];

            /// The key that a name begins like, if any: a few comparisons of numbers.
            fn guess(print: u64) -> Option<Self> {
                $(if print == const { fingerprint(head($name.as_bytes()), $name.len()) } {
                    return Some(Self::$key);
                })*
                None
            }
        }
    };
}

keys! {
    ContactId = "contact_id",
    ClientId = "client_id",
    QueueId = "queue_id",
    Channel = "channel",
    State = "state",
    Since = "since",
    Id = "id",
    Type = "type",
    Time = "time",
    CampaignId = "campaign_id",
    Direction = "direction",
    AgentId = "agent_id",
    Visit = "visit",
    QueuedAt = "queued_at",
    Outcome = "outcome",
    Kind = "kind",
    By = "by",
    TalkMs = "talk_ms",
    HoldMs = "hold_ms",
    AcwMs = "acw_ms",
    Reason = "reason",
    Queues = "queues",
    Slots = "slots",
    Shared = "shared",
    ForMs = "for_ms",
    Presence = "presence",
    Contacts = "contacts",
    Targets = "targets",
    ShortAbandonMs = "short_abandon_ms",
    Variant = "service_level_variant",
    Hours = "hours",
    Group = "group",
    DisplayName = "display_name",
    IntervalStart = "interval_start",
    IntervalMs = "interval_ms",
    Offered = "offered",
    AhtMs = "aht_ms",
    Agents = "agents",
    Source = "source",
    From = "from",
    To = "to",
}

impl Key {
    /// The key of this name, found quickly. `head` is the eight bytes from its beginning on, of which
    /// those that lie behind its end do not matter.
    pub(super) fn find(name: &[u8], head: u64) -> Option<Self> {
        let key = Self::guess(fingerprint(head, name.len()))?;
        let wanted = Self::NAMES.get(key as usize)?.as_bytes();
        let is_it = name.len() == wanted.len() && name.get(8..) == wanted.get(8..);
        is_it.then_some(key)
    }
}

/// A number that tells names apart, and nearly always from others: two of the same length with the
/// same fingerprint have the same first eight bytes.
const fn fingerprint(head: u64, length: usize) -> u64 {
    let beyond = 8_usize.saturating_sub(length);
    // Nothing is known of no bytes.
    let bytes = if beyond < 8 { head << (8 * beyond) } else { 0 };
    bytes ^ length as u64
}

/// The first eight bytes of a name, filled up with zeros.
pub(super) const fn head(name: &[u8]) -> u64 {
    let mut head = 0;
    let mut place = 0;
    while place < 8 && place < name.len() {
        head |= (name[place] as u64) << (8 * place);
        place += 1;
    }
    head
}

/// How many keys an entry of a list reads.
const ENTRY_KEYS: usize = 6;

/// The table of a record.
pub(super) type Record<'a> = Fields<'a, { Key::COUNT }>;
/// The table of an entry of `queues` or `contacts`.
pub(super) type Entry<'a> = Fields<'a, ENTRY_KEYS>;

/// What stands under a key.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Text(Text<'a>),
    Int(i64),
    Float(f64),
    /// A whole number beyond 64 bits.
    Huge,
    Bool(bool),
    /// The entries of a list of objects.
    List(Vec<Entry<'a>>),
    /// Names and values of an object.
    Pairs(Vec<(Text<'a>, Value<'a>)>),
    /// A list or an object, skipped because its key has none, or wrong inside.
    Nested(Discard),
}

/// Where values are taken from, each once.
pub(super) trait Table<'a> {
    /// Takes what stands under a key; `null` is as good as absent.
    fn take(&mut self, key: Key) -> Option<Value<'a>>;
}

/// Values by key; the keys from `N` on are skipped.
#[derive(Debug)]
pub(super) struct Fields<'a, const N: usize> {
    values: [Option<Value<'a>>; N],
    twice: bool,
}

impl<const N: usize> Fields<'_, N> {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self {
            values: [const { None }; N],
            twice: false,
        }
    }

    /// Whether a known key stood twice.
    pub(super) fn twice(&self) -> bool {
        self.twice
    }
}

impl<'a, const N: usize> Table<'a> for Fields<'a, N> {
    fn take(&mut self, key: Key) -> Option<Value<'a>> {
        let value = self.values.get_mut(key as usize)?.take()?;
        (!matches!(value, Value::Null)).then_some(value)
    }
}

/// Reads the object of a record into an empty table. The table is filled in place: it is a kilobyte,
/// and handing it up through the parser's results would copy it several times.
pub(super) fn read<'a>(bytes: &'a [u8], record: &mut Record<'a>) -> Result<(), Discard> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    FieldsSeed(record)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| reason(bytes, &error))
}

/// Why bytes that do not begin with an object are no record.
pub(super) fn not_an_object(bytes: &[u8]) -> Discard {
    let wide = [b"\xFF\xFE", b"\xFE\xFF", b"{\0", b"\0{"];
    if wide.iter().any(|mark| bytes.starts_with(*mark)) {
        return Discard::Encoding;
    }
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => Discard::NotObject,
        Err(error) if error.is_eof() => Discard::JsonEof,
        Err(_) => Discard::JsonSyntax,
    }
}

/// Maps the parser's error. It tells only a category and a place, so the bytes are read once more
/// without looking into text and numbers: if that succeeds, one of them was wrong.
fn reason(bytes: &[u8], error: &serde_json::Error) -> Discard {
    if error.is_eof() {
        return Discard::JsonEof;
    }
    let value = value_before(bytes, error);
    let well_formed = serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    if well_formed && is_number(value) || is_no_number(value) {
        Discard::Number
    } else if well_formed {
        Discard::Encoding
    } else {
        Discard::JsonSyntax
    }
}

/// The beginning of the value in which the parser stopped.
fn value_before<'a>(bytes: &'a [u8], error: &serde_json::Error) -> &'a [u8] {
    let line_start = bytes
        .split_inclusive(|&byte| byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let stop = (line_start + error.column()).min(bytes.len());
    let (before, _) = bytes.split_at(stop);
    before
        .iter()
        .rposition(|byte| b":,[".contains(byte))
        .and_then(|mark| before.get(mark + 1..))
        .unwrap_or_default()
        .trim_ascii_start()
}

fn is_number(value: &[u8]) -> bool {
    !value.is_empty()
        && value
            .iter()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))
}

/// Whether these are the words that some writers use for no number, which are not JSON.
fn is_no_number(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    value
        .first()
        .is_some_and(|&first| first == b'N' || first == b'I')
}

struct FieldsSeed<'r, 'de>(&'r mut Record<'de>);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        read_fields(&mut map, self.0)
    }
}

fn read_fields<'de, A: MapAccess<'de>, const N: usize>(
    map: &mut A,
    fields: &mut Fields<'de, N>,
) -> Result<(), A::Error> {
    while let Some(key) = map.next_key_seed(KeySeed)? {
        let slot = key.and_then(|key| Some((key, fields.values.get_mut(key as usize)?)));
        let Some((key, slot)) = slot else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        let value = map.next_value_seed(ValueSeed(Shape::of(key)))?;
        fields.twice |= slot.is_some();
        *slot = Some(value);
    }
    Ok(())
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<Key>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<Key>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Key::parse(name))
    }
}

/// What may be nested under a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar,
    List,
    Pairs,
}

impl Shape {
    const fn of(key: Key) -> Self {
        match key {
            Key::Queues | Key::Contacts => Self::List,
            Key::Slots | Key::Targets => Self::Pairs,
            _ => Self::Scalar,
        }
    }
}

struct ValueSeed(Shape);

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Value::Huge, Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        if self.0 != Shape::List {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Nested(Discard::WrongType));
        }
        let mut entries = Vec::new();
        let mut wrong = None;
        while let Some(entry) = list.next_element_seed(EntrySeed)? {
            match entry {
                Some(entry) if entry.twice => wrong = wrong.or(Some(Discard::DuplicateField)),
                Some(entry) => entries.push(entry),
                None => wrong = wrong.or(Some(Discard::WrongType)),
            }
        }
        Ok(wrong.map_or(Value::List(entries), Value::Nested))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if self.0 != Shape::Pairs {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Nested(Discard::WrongType));
        }
        let mut pairs: Vec<(Text<'de>, Value<'de>)> = Vec::new();
        let mut twice = false;
        while let Some(Value::Text(name)) = map.next_key_seed(SCALAR)? {
            twice |= pairs.iter().any(|(known, _)| *known == name);
            pairs.push((name, map.next_value_seed(SCALAR)?));
        }
        Ok(if twice {
            Value::Nested(Discard::DuplicateField)
        } else {
            Value::Pairs(pairs)
        })
    }
}

const SCALAR: ValueSeed = ValueSeed(Shape::Scalar);

/// An entry of a list: its fields, or `None` if it is no object.
struct EntrySeed;

impl<'de> DeserializeSeed<'de> for EntrySeed {
    type Value = Option<Entry<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed {
    type Value = Option<Entry<'de>>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entry = Fields::new();
        read_fields(&mut map, &mut entry)?;
        Ok(Some(entry))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
