//! The scan against the parser: whatever the bytes, `decode` answers what the JSON parser alone would.
//!
//! Real events are disturbed, byte by byte and token by token, one to three times each. The seed is
//! fixed; `QUEUEPULSE_MUTANTS` makes the run longer and `QUEUEPULSE_SEED` another one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

use std::ops::Range;

use queuepulse::decode::{Limits, decode, decode_by_parser};
use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, Scale, Simulation};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Mutants of a test run.
const MUTANTS: usize = 200_000;

/// Records that the simulation does not write.
const MORE: &[&str] = &[
    r#"{"id":"e1","type":"contact.queued","time":1767603600000,"client_id":"acme","queue_id":"billing","channel":"voice","direction":"inbound","contact_id":"c1","visit":1}"#,
    r#"{ "type" : "contact.answered" , "id" : "e2" , "time" : "2026-01-05T09:00:12.400Z" , "contact_id" : "c1", "agent_id": "a1", "queued_at":1767603600000 , "ani":"+15550101" } "#,
    r#"{"id":"e3","type":"contact.dequeued","time":"2026-01-05T10:00:12,4+01:00","contact_id":"ключ-é-日本","outcome":"no_agents","from":null,"to":false,"group":0}"#,
    r#"{"id":"e4","type":"agent.state","time":1767603700000,"agent_id":"a1","state":"aux","reason":"","shared":true,"agents":10,"hours":"x"}"#,
    r#"{"id":"e5","type":"agent.contact","time":1767603700000,"agent_id":"a1","contact_id":"c1","state":"acw","for_ms":5000,"queue_id":"q","channel":"chat"}"#,
    r#"{"id":"e6","type":"queue.forecast","time":1767603700000,"queue_id":"q","interval_start":"2026-01-05T09:00:00Z","interval_ms":900000,"offered":12,"aht_ms":180000,"agents":7}"#,
    r#"{"id":"e7","type":"source.gap","time":1767603700000,"source":"acd","from":1767603600000,"to":1767603700000}"#,
    r#"{"id":"e8","type":"contact.ended","time":1767603700000,"contact_id":"c1","by":"agent","talk_ms":999999999999999999,"hold_ms":0,"note":"a\/b","more":[1,{"id":2}]}"#,
];

/// What stands in place of a token, or beside it.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\n",
    "\t",
    "\u{b}",
    "\u{feff}",
    "null",
    "nul",
    "true",
    "false",
    "True",
    "0",
    "-0",
    "00",
    "01",
    "1",
    "-1",
    "1.0",
    "1.5",
    "1e3",
    "1E999",
    "1.",
    ".5",
    "+1",
    "0x10",
    "NaN",
    "Infinity",
    "9007199254740993",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1767603612400",
    "100000000",
    "\"\"",
    "\"id\"",
    "\"\\u0069d\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\x\"",
    "\"type\"",
    "\"time\"",
    "\"interval\"",
    "\"interval_st\"",
    "\"intervam_start\"",
    "\"intervals\"",
    "\"visit\"",
    "\"visi\"",
    "\"contact_id\"",
    "\"contact_iD\"",
    "\"queued_at\"",
    "\"5\"",
    "\"contact.\"",
    "\"contact\"",
    "\"agent.contact\"",
    "\"contact.closed\"",
    "\"contact.ended\"",
    "\"agent.snapshot\"",
    "\"queue.configured\"",
    "\"queue.removed\"",
    "\"2026-01-05T09:00:12Z\"",
    "\"2026-01-05T09:00:12\"",
    "\"1970-01-05T09:00:12Z\"",
    "\"é\"",
    "[]",
    "{}",
    "[{\"queue_id\":\"q\"}]",
    "{\"voice\":1}",
    "/**/",
    "//",
    "\u{2028}",
];

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % limit.max(1) as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Some thousand events of a small centre's morning, of every type that the simulation knows.
fn events() -> Vec<Vec<u8>> {
    let simulation = Simulation::new(&Options {
        seed: 7,
        from: Millis(1_767_603_600_000),
        time_of_day: Some(Span::hours(10)),
        scale: Scale::DEMO,
        faults: Faults::default(),
    });
    let more = MORE.iter().map(|record| record.as_bytes().to_vec());
    simulation
        .take(4000)
        .map(|event| event.json)
        .chain(more)
        .collect()
}

/// Where the tokens of a record lie, as far as it has any.
fn tokens(record: &[u8]) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut from = 0;
    while let Some(&first) = record.get(from) {
        let rest = &record[from + 1..];
        let more = match first {
            b'"' => rest
                .iter()
                .position(|&byte| byte == b'"')
                .map(|end| end + 1),
            b'a'..=b'z' | b'0'..=b'9' => rest.iter().position(|byte| !byte.is_ascii_alphanumeric()),
            _ => Some(0),
        };
        let to = from + 1 + more.unwrap_or(rest.len());
        tokens.push(from..to);
        from = to;
    }
    tokens
}

/// Puts bytes in place of a range, changes one, takes some away, or brings some twice.
fn disturb(record: &mut Vec<u8>, events: &[Vec<u8>], dice: &mut Dice) {
    let place = dice.below(record.len());
    let tokens = tokens(record);
    let token = tokens
        .get(dice.below(tokens.len()))
        .cloned()
        .unwrap_or(0..0);
    let other = &events[dice.below(events.len())];
    match dice.below(16) {
        0 if place < record.len() => record[place] = u8::try_from(dice.below(256)).unwrap(),
        1 if place < record.len() => record[place] ^= 1 << dice.below(8),
        2 => record.insert(
            place,
            dice.pick(&[b"\"", b"\\", b"0", b" ", b"}", b"\x01", b"\xff"])[0],
        ),
        3 => drop(record.drain(place..(place + 1 + dice.below(3)).min(record.len()))),
        4 => record.truncate(place),
        5 => drop(record.drain(token)),
        6 | 7 => drop(record.splice(token, dice.pick(TOKENS).bytes())),
        8 => drop(record.splice(token.start..token.start, dice.pick(TOKENS).bytes())),
        9..14 => {
            // One that begins alike, so that the record is often still JSON.
            let like = |range: &Range<usize>| other.get(range.start) == record.get(token.start);
            let others: Vec<_> = self::tokens(other).into_iter().filter(like).collect();
            let new = others
                .get(dice.below(others.len()))
                .cloned()
                .unwrap_or(0..0);
            drop(record.splice(token, other[new].iter().copied()));
        }
        14 => {
            // A whole field of another record, so that keys stand twice and types mix.
            let field = other.split(|&byte| byte == b',').nth(1 + dice.below(8));
            let field = field.unwrap_or(b"\"x\":1").iter().copied().chain([b',']);
            let at = record.len().min(1);
            drop(record.splice(at..at, field.collect::<Vec<_>>()));
        }
        _ => {
            let again: Vec<u8> = record[token.clone()].to_vec();
            drop(record.splice(token.end..token.end, again));
        }
    }
}

#[test]
fn disturbed_records_are_read_as_the_parser_reads_them() {
    let seed = number("QUEUEPULSE_SEED").unwrap_or(1);
    let mutants =
        number("QUEUEPULSE_MUTANTS").map_or(MUTANTS, |count| usize::try_from(count).unwrap());
    let events = events();
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let mut taken = 0;
    for mutant in 0..mutants {
        let mut record = events[dice.below(events.len())].clone();
        for _ in 0..=dice.below(3) {
            disturb(&mut record, &events, &mut dice);
        }
        let limits = Limits {
            whole_seconds: mutant % 4 == 0,
            ..Limits::default()
        };
        let answer = decode(&record, &limits);
        taken += usize::from(answer.is_ok());
        let text = String::from_utf8_lossy(&record);
        assert_eq!(
            answer,
            decode_by_parser(&record, &limits),
            "seed {seed}: {text}"
        );
    }
    let share = taken * 100 / mutants.max(1);
    assert!(
        (10..90).contains(&share),
        "{share} % of the mutants are events: a test of nothing"
    );
}

#[test]
fn records_in_order_are_read_as_the_parser_reads_them() {
    for record in events() {
        let limits = Limits::default();
        let text = String::from_utf8_lossy(&record);
        assert_eq!(
            decode(&record, &limits),
            decode_by_parser(&record, &limits),
            "{text}"
        );
    }
}
