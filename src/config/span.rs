//! Durations as people write them: `90s`, `1h30m`.

use std::fmt::Write as _;

use crate::event::Span;

/// Milliseconds of a unit.
fn unit(name: &str) -> Option<i64> {
    Some(match name {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    })
}

/// Reads numbers with units `d`, `h`, `m`, `s`, `ms`, largest unit first: `20s`, `1h30m`, `0s`.
/// `None` for anything else, and for more than 100 years.
pub fn parse_span(text: &str) -> Option<Span> {
    let mut rest = text;
    let mut total = 0_i64;
    let mut smallest = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (name, after) = tail.split_at(letters);
        let size = unit(name).filter(|&size| size < smallest)?;
        total = number
            .parse::<i64>()
            .ok()?
            .checked_mul(size)?
            .checked_add(total)?;
        (smallest, rest) = (size, after);
    }
    (smallest < i64::MAX && total <= 36_525 * 86_400_000).then_some(Span(total))
}

/// Writes a span the way [`parse_span`] reads it.
pub fn format_span(span: Span) -> String {
    let mut rest = span.0.max(0);
    let mut text = String::new();
    for name in ["d", "h", "m", "s", "ms"] {
        let size = unit(name).unwrap_or(1);
        if rest >= size {
            let _ = write!(text, "{}{name}", rest / size);
            rest %= size;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{format_span, parse_span};

    #[test]
    fn durations_are_read_and_written() {
        for (text, millis, written) in [
            ("0s", 0, "0s"),
            ("500ms", 500, "500ms"),
            ("20s", 20_000, "20s"),
            ("90s", 90_000, "1m30s"),
            ("30m", 1_800_000, "30m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("5163s", 5_163_000, "1h26m3s"),
            ("30d", 2_592_000_000, "30d"),
        ] {
            let span = parse_span(text).expect(text);
            assert_eq!(span.0, millis, "{text}");
            assert_eq!(format_span(span), written);
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in [
            "",
            "20",
            "s",
            "20 s",
            "-5s",
            "1.5h",
            "30m1h",
            "1h1h",
            "5x",
            "9999999d",
            "4 hours",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
