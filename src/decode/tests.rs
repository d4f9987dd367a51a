//! The corpus of bad input.

#![allow(clippy::too_many_lines, reason = "tables of cases")]

mod events;

use super::{Limits, decode, parse_instant};
use crate::event::{
    ActivityState, AgentKind, ContactEvent, ContactKind, Discard, Event, FlowOut, Millis, Outcome,
    Presence, QueueKind, Span,
};

const TIME: i64 = 1_767_603_612_400;

fn run(bytes: &[u8]) -> Result<Event<'_>, Discard> {
    decode(bytes, &Limits::default())
}

/// A `contact.answered` with more fields.
fn answered(more: &str) -> String {
    format!(
        r#"{{"id":"e","type":"contact.answered","time":{TIME},"contact_id":"c"{}{more}}}"#,
        if more.is_empty() { "" } else { "," }
    )
}

fn contact(record: &str) -> ContactEvent<'_> {
    match run(record.as_bytes()) {
        Ok(Event::Contact(event)) => event,
        other => panic!("{record}: {other:?}"),
    }
}

fn assert_refused(cases: &[(&str, &[u8], Discard)]) {
    for (what, record, reason) in cases {
        assert_eq!(run(record).unwrap_err(), *reason, "{what}");
    }
}

#[test]
fn records_that_are_no_json_object() {
    assert_refused(&[
        ("1 zero bytes", b"", Discard::Empty),
        ("1 white space", b" \r\n\t", Discard::Empty),
        ("3 truncated", br#"{"id":"e","type":"#, Discard::JsonEof),
        ("3 truncated text", br#"{"id":"e"#, Discard::JsonEof),
        (
            "4 bytes after the object",
            br#"{"id":"e"} x"#,
            Discard::JsonSyntax,
        ),
        (
            "5 two objects",
            br#"{"id":"e"}{"id":"f"}"#,
            Discard::JsonSyntax,
        ),
        (
            "5 two lines",
            b"{\"id\":\"e\"}\n{\"id\":\"f\"}",
            Discard::JsonSyntax,
        ),
        ("6 null", b"null", Discard::NotObject),
        ("6 a number", b"17", Discard::NotObject),
        ("6 text", br#""contact.queued""#, Discard::NotObject),
        ("7 an array", br#"["a","q",1]"#, Discard::NotObject),
        ("7 half an array", br#"["a","q""#, Discard::JsonEof),
        ("9 UTF-16 with a mark", b"\xFF\xFE{\0}\0", Discard::Encoding),
        (
            "9 UTF-16, big end first",
            b"\xFE\xFF\0{\0}",
            Discard::Encoding,
        ),
        ("9 UTF-16 without a mark", b"{\0\"\0", Discard::Encoding),
        ("9 the same, big end first", b"\0{\0\"", Discard::Encoding),
        ("21 gzip", b"\x1f\x8b\x08\x00\x00", Discard::JsonSyntax),
        (
            "21 schema-registry framing",
            b"\x00\x00\x00\x00\x07abc",
            Discard::JsonSyntax,
        ),
        ("21 XML", b"<event/>", Discard::JsonSyntax),
    ]);
}

#[test]
fn text_that_is_none() {
    assert_refused(&[
        (
            "10 bad UTF-8 in a used field",
            b"{\"contact_id\":\"\xff\"}",
            Discard::Encoding,
        ),
        ("10 bad UTF-8 in a key", b"{\"\xff\":1}", Discard::Encoding),
        (
            "12 a lone surrogate",
            br#"{"contact_id":"\ud800"}"#,
            Discard::Encoding,
        ),
        (
            "12 with more behind it",
            br#"{"contact_id":"\ud800,12"}"#,
            Discard::Encoding,
        ),
        (
            "12 with digits before it",
            br#"{"contact_id":"a:12\ud800"}"#,
            Discard::Encoding,
        ),
        (
            "13 a raw control character",
            b"{\"contact_id\":\"a\x01\"}",
            Discard::JsonSyntax,
        ),
    ]);
}

#[test]
fn text_that_is_taken() {
    let bad_utf8_unused = [
        answered(r#""ani":""#).trim_end_matches('}').as_bytes(),
        b"\xff\"}",
    ]
    .concat();
    run(&bad_utf8_unused).expect("11 bad UTF-8 in an unused field");
    run(answered(r#""ani":"\ud800""#).as_bytes()).expect("12 unused lone surrogate");
    run(format!("\u{feff}{}", answered("")).as_bytes()).expect("8 byte order mark");
    let odd = answered(r#""queue_id":"a\u0000\u202eb""#);
    assert_eq!(
        contact(&odd).queue_id.as_deref(),
        Some("a\0\u{202e}b"),
        "14"
    );
    let escaped = answered(r#""queue_id":"k\u00fcche \"1\"""#);
    assert_eq!(
        contact(&escaped).queue_id.as_deref(),
        Some("küche \"1\""),
        "15"
    );
    let key_escaped = answered(r#""\u0071ueue_id":"q""#);
    assert_eq!(contact(&key_escaped).queue_id.as_deref(), Some("q"));
}

#[test]
fn unknown_fields_of_any_shape_are_skipped() {
    let deep = format!(r#""x":{}1{}"#, "[".repeat(10_000), "]".repeat(10_000));
    let long = format!(r#""x":"{}""#, "a".repeat(60_000));
    for (what, more) in [
        ("16 an unknown key twice", r#""x":1,"x":2"#),
        ("18 deep nesting", &*deep),
        ("19 long text", &*long),
        (
            "26 a number of 40 digits",
            r#""x":1234567890123456789012345678901234567890"#,
        ),
        ("32 nested", r#""customer":{"type":"x","names":[{"id":1}]}"#),
        (
            "a key of another type of event",
            r#""from":"+15551230000","targets":7,"queues":{}"#,
        ),
        (
            "a list where another type has one",
            r#""contacts":[1,{"state":5},[]],"slots":{"a":[1]}"#,
        ),
    ] {
        assert!(run(answered(more).as_bytes()).is_ok(), "{what}");
    }
}

#[test]
fn size_is_capped() {
    let record = answered(&format!(r#""x":"{}""#, "a".repeat(70_000)));
    assert_eq!(run(record.as_bytes()).unwrap_err(), Discard::TooLarge, "20");
}

#[test]
fn fields_that_are_wrong() {
    for (what, more, reason) in [
        (
            "16 a known key twice",
            r#""id":"f""#,
            Discard::DuplicateField,
        ),
        (
            "16 also if the first was null",
            r#""visit":null,"visit":1"#,
            Discard::DuplicateField,
        ),
        ("22 NaN", r#""queued_at":NaN"#, Discard::Number),
        (
            "22 -Infinity",
            r#""queued_at": -Infinity,"x":1"#,
            Discard::Number,
        ),
        ("22 1e400", r#""queued_at":1e400"#, Discard::Number),
        ("23 a number as text", r#""visit":"5""#, Discard::WrongType),
        ("23 NaN as text", r#""visit":"NaN""#, Discard::WrongType),
        ("24 a fraction", r#""visit":1.5"#, Discard::Number),
        ("25 a leading zero", r#""visit":01"#, Discard::JsonSyntax),
        ("25 a plus", r#""visit":+1"#, Discard::JsonSyntax),
        ("25 hexadecimal", r#""visit":0x1"#, Discard::JsonSyntax),
        (
            "26 more than 32 bits",
            r#""visit":4294967296"#,
            Discard::OutOfRange,
        ),
        (
            "26 more than 64 bits",
            r#""visit":18446744073709551615"#,
            Discard::OutOfRange,
        ),
        (
            "26 more than 64 bits, signed",
            r#""visit":-9223372036854775809"#,
            Discard::OutOfRange,
        ),
        ("visits count from 1", r#""visit":0"#, Discard::OutOfRange),
        (
            "30 a flag for text",
            r#""queue_id":true"#,
            Discard::WrongType,
        ),
        (
            "30 an object for text",
            r#""queue_id":{"a":1}"#,
            Discard::WrongType,
        ),
        (
            "30 an array for text",
            r#""queue_id":["q"]"#,
            Discard::WrongType,
        ),
        (
            "30 a number for text",
            r#""agent_id":7"#,
            Discard::WrongType,
        ),
        ("34 an empty queue", r#""queue_id":"""#, Discard::EmptyId),
        ("34 an empty agent", r#""agent_id":"""#, Discard::EmptyId),
        ("34 an empty client", r#""client_id":"""#, Discard::EmptyId),
        (
            "a direction that we do not know",
            r#""direction":"sideways""#,
            Discard::UnknownValue,
        ),
    ] {
        assert_eq!(
            run(answered(more).as_bytes()).unwrap_err(),
            reason,
            "{what}"
        );
    }
}

#[test]
fn the_envelope_is_needed() {
    let record = |id: &str, kind: &str, time: &str, contact: &str| {
        format!(r#"{{"id":{id},"type":{kind},"time":{time},"contact_id":{contact}}}"#)
    };
    let (kind, time) = (r#""contact.closed""#, "1767603612400");
    for (what, record, reason) in [
        (
            "17 keys are case-sensitive",
            r#"{"Type":"contact.closed"}"#.to_owned(),
            Discard::MissingField,
        ),
        (
            "29 null where needed",
            record("null", kind, time, r#""c""#),
            Discard::MissingField,
        ),
        (
            "30 a type that is no text",
            record(r#""e""#, "5", time, r#""c""#),
            Discard::WrongType,
        ),
        (
            "31 an unknown type",
            record(r#""e""#, r#""contact.sent""#, time, r#""c""#),
            Discard::UnknownType,
        ),
        (
            "31 of no family",
            record(r#""e""#, r#""sent""#, "null", "null"),
            Discard::UnknownType,
        ),
        (
            "31 of another source",
            record(r#""e""#, r#""source.up""#, time, "1"),
            Discard::UnknownType,
        ),
        (
            "33 no contact",
            record(r#""e""#, kind, time, "null"),
            Discard::MissingField,
        ),
        (
            "33 no time",
            record(r#""e""#, kind, "null", r#""c""#),
            Discard::MissingField,
        ),
        (
            "34 an empty id",
            record(r#""""#, kind, time, r#""c""#),
            Discard::EmptyId,
        ),
        (
            "34 an empty contact",
            record(r#""e""#, kind, time, r#""""#),
            Discard::EmptyId,
        ),
        (
            "36 seconds",
            record(r#""e""#, kind, "1767603612", r#""c""#),
            Discard::TimeRange,
        ),
        (
            "36 microseconds",
            record(r#""e""#, kind, "1767603612400000", r#""c""#),
            Discard::TimeRange,
        ),
        (
            "37 zero",
            record(r#""e""#, kind, "0", r#""c""#),
            Discard::TimeRange,
        ),
        (
            "37 negative",
            record(r#""e""#, kind, "-5", r#""c""#),
            Discard::TimeRange,
        ),
        (
            "37 beyond 64 bits",
            record(r#""e""#, kind, "99999999999999999999", r#""c""#),
            Discard::OutOfRange,
        ),
        (
            "37 1970",
            record(r#""e""#, kind, r#""1970-01-01T00:00:00Z""#, r#""c""#),
            Discard::TimeRange,
        ),
        (
            "37 the year 9999",
            record(r#""e""#, kind, r#""9999-01-01T00:00:00Z""#, r#""c""#),
            Discard::TimeRange,
        ),
        (
            "40 no zone",
            record(r#""e""#, kind, r#""2026-01-05T09:00:00""#, r#""c""#),
            Discard::AmbiguousTime,
        ),
        (
            "no time at all",
            record(r#""e""#, kind, r#""yesterday""#, r#""c""#),
            Discard::WrongType,
        ),
        (
            "a flag for a time",
            record(r#""e""#, kind, "true", r#""c""#),
            Discard::WrongType,
        ),
    ] {
        assert_eq!(run(record.as_bytes()).unwrap_err(), reason, "{what}");
    }
}

#[test]
fn an_unknown_type_is_one_whatever_its_fields_are() {
    let record = br#"{"type":"weather.changed","time":"wet","contact_id":{},"state":[1]}"#;
    assert_eq!(run(record).unwrap_err(), Discard::UnknownType);
}

#[test]
fn numbers_that_are_taken() {
    let visit = |more: &str| contact(&answered(more)).visit;
    assert_eq!(visit(r#""visit":5.0"#), Some(5), "24");
    assert_eq!(visit(r#""visit":1e3"#), Some(1000), "24");
    assert_eq!(visit(r#""visit":null"#), None, "29");
    let ended = r#"{"id":"e","type":"contact.ended","time":1.7676036124e12,"contact_id":"c","talk_ms":-7,"hold_ms":-0}"#;
    let event = contact(ended);
    assert_eq!(event.time, Millis(TIME));
    let kind = ContactKind::Ended {
        by: None,
        talk: Some(Span(-7)),
        hold: Some(Span(0)),
    };
    assert_eq!(
        event.kind, kind,
        "25, and 27: the fold counts negative durations"
    );
}

#[test]
fn instants_in_every_form() {
    for (text, expected) in [
        ("2026-01-05T09:00:12.400Z", Ok(TIME)),
        ("2026-01-05T09:00:12.4Z", Ok(TIME)),
        ("2026-01-05T09:00:12,400999z", Ok(TIME)),
        ("2026-01-05t09:00:12.400999999999Z", Ok(TIME)),
        ("2026-01-05 10:30:12.400+01:30", Ok(TIME)),
        ("2026-01-04T23:00:12.400-10:00", Ok(TIME)),
        ("2026-01-05T09:00:12.400-00:00", Ok(TIME)),
        ("1970-01-01T00:00:00Z", Ok(0)),
        ("1969-12-31T23:59:59.999Z", Ok(-1)),
        ("2000-02-29T00:00:00Z", Ok(951_782_400_000)),
        ("2016-12-31T23:59:60Z", Ok(1_483_228_800_000)),
        ("2016-12-31T24:00:00Z", Ok(1_483_228_800_000)),
        ("2026-01-05T09:00:12.400", Err(Discard::AmbiguousTime)),
        ("2026-01-05T09:00:12", Err(Discard::AmbiguousTime)),
        ("2026-01-05", Err(Discard::WrongType)),
        ("2026-02-29T00:00:00Z", Err(Discard::WrongType)),
        ("1900-02-29T00:00:00Z", Err(Discard::WrongType)),
        ("2026-13-01T00:00:00Z", Err(Discard::WrongType)),
        ("2026-00-01T00:00:00Z", Err(Discard::WrongType)),
        ("2026-01-05T24:00:01Z", Err(Discard::WrongType)),
        ("2026-01-05T09:60:00Z", Err(Discard::WrongType)),
        ("2026-01-05T09:00:61Z", Err(Discard::WrongType)),
        ("2026-01-05T09:00:12.Z", Err(Discard::WrongType)),
        ("2026-01-05T09:00:12+25:00", Err(Discard::WrongType)),
        ("2026-01-05T09:00:12+0100", Err(Discard::WrongType)),
        ("2026-01-05T09:00:12Z ", Err(Discard::WrongType)),
        ("٢٠٢٦-01-05T09:00:12Z", Err(Discard::WrongType)),
        ("1767603612400", Err(Discard::WrongType)),
    ] {
        assert_eq!(parse_instant(text), expected.map(Millis), "{text}");
    }
}

#[test]
fn whole_seconds_cut_every_instant() {
    let limits = Limits {
        whole_seconds: true,
        ..Limits::default()
    };
    let record = answered(r#""queued_at":"2026-01-05T09:00:00.999Z""#);
    let Ok(Event::Contact(event)) = decode(record.as_bytes(), &limits) else {
        panic!("refused");
    };
    assert_eq!(event.time, Millis(1_767_603_612_000));
    let queued_at = Some(Millis(1_767_603_600_000));
    assert_eq!(event.kind, ContactKind::Answered { queued_at });
}
