//! Instants as events write them: RFC 3339 with an offset.
//!
//! Written by hand because it must not allocate, must tell a missing offset from nonsense, and must
//! take leap seconds. Fields of fixed width are read by position.

use crate::event::{Discard, Millis};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Reads `2026-01-05T09:00:12.400Z` or any other RFC 3339 time with an offset.
///
/// Digits beyond the millisecond are cut. `t`, `z`, a space for the `T` and a comma for the point
/// are taken too. Second 60, a leap second, is the first second of the next minute; `24:00:00` is
/// midnight at the day's end.
///
/// # Errors
/// [`Discard::AmbiguousTime`] without an offset, [`Discard::WrongType`] if it is no time at all.
pub fn parse_instant(text: &str) -> Result<Millis, Discard> {
    let bytes = text.as_bytes();
    let (clock, rest) = bytes.split_at_checked(19).ok_or(Discard::WrongType)?;
    let local = local_millis(clock).ok_or(Discard::WrongType)?;
    let (fraction, zone) = fraction_millis(rest)?;
    if zone.is_empty() {
        return Err(Discard::AmbiguousTime);
    }
    let offset = offset_millis(zone).ok_or(Discard::WrongType)?;
    Ok(Millis(local + fraction - offset))
}

/// `YYYY-MM-DDTHH:MM:SS` as milliseconds of the same reading in UTC.
fn local_millis(clock: &[u8]) -> Option<i64> {
    let separators = [(4, b"--"), (7, b"--"), (13, b"::"), (16, b"::")];
    let well_formed = separators
        .iter()
        .all(|&(place, allowed)| clock.get(place).is_some_and(|byte| allowed.contains(byte)))
        && clock.get(10).is_some_and(|byte| b"Tt ".contains(byte));
    if !well_formed {
        return None;
    }
    let year = digits(clock.get(0..4)?)?;
    let month = digits(clock.get(5..7)?)?;
    let day = digits(clock.get(8..10)?)?;
    let hour = digits(clock.get(11..13)?)?;
    let minute = digits(clock.get(14..16)?)?;
    let second = digits(clock.get(17..19)?)?;
    let end_of_day = hour == 24 && minute == 0 && second == 0;
    let in_range = (1..=days_in_month(year, month)?).contains(&day)
        && (hour < 24 || end_of_day)
        && minute < 60
        && second <= 60;
    in_range.then(|| {
        days_since_epoch(year, month, day) * DAY + (hour * 3600 + minute * 60 + second) * 1000
    })
}

/// Milliseconds of `.123456`, and what follows.
fn fraction_millis(rest: &[u8]) -> Result<(i64, &[u8]), Discard> {
    let Some((b'.' | b',', digits_on)) = rest.split_first() else {
        return Ok((0, rest));
    };
    let count = digits_on
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if count == 0 {
        return Err(Discard::WrongType);
    }
    let (fraction, zone) = digits_on.split_at(count);
    let millis = (0..3).fold(0, |value, place| {
        value * 10 + fraction.get(place).map_or(0, |byte| i64::from(byte - b'0'))
    });
    Ok((millis, zone))
}

/// `Z` or `±HH:MM` in milliseconds east of UTC.
fn offset_millis(zone: &[u8]) -> Option<i64> {
    if matches!(zone, b"Z" | b"z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if rest.len() != 5 || rest.get(2) != Some(&b':') {
        return None;
    }
    let hours = digits(rest.get(0..2)?)?;
    let minutes = digits(rest.get(3..5)?)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap
/// day is the last of its year and months have a regular length: (153 m + 2) / 5 days before month
/// m. An era is 400 years, 146,097 days; 719,468 of them lie before 1970.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
