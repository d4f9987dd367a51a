//! A snapshot as a table for people: one line a row, one block a window.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::event::{Millis, shown};
use crate::kpi::{answer_speed_average, handle_time_average, occupancy, seconds};

use super::instant::rfc3339_in;
use super::{Merged, Row, RowName, RowWindow};

/// What stands for "no figure".
const NOTHING: &str = "-";

/// The header of a window's block.
const WINDOW_HEADER: [&str; 13] = [
    "row",
    "offered",
    "answered",
    "abandoned",
    "SL %",
    "met",
    "missed",
    "aband %",
    "ASA s",
    "AHT s",
    "wait p95",
    "wait max",
    "occup %",
];
/// The header of the block of *now* figures.
const NOW_HEADER: [&str; 7] = [
    "row",
    "waiting",
    "past T",
    "longest s",
    "online",
    "available",
    "on contact",
];

/// The figures of a snapshot as text; its instants are those of a zone's clocks.
pub fn table(merged: &Merged, zone: &TimeZone) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = writeln!(out, "at {}", rfc3339_in(merged.now, zone));
    block(&mut out, "now", &NOW_HEADER, merged, |row| {
        now_cells(row, merged.now)
    });
    for (place, spec) in merged.specs.iter().enumerate() {
        let Some(total) = merged.total.windows.get(place) else {
            continue;
        };
        let title = title(&spec.key, total, merged.to, zone);
        block(&mut out, &title, &WINDOW_HEADER, merged, |row| {
            row.windows.get(place).map(window_cells).unwrap_or_default()
        });
    }
    out
}

fn title(key: &str, window: &RowWindow, to: Millis, zone: &TimeZone) -> String {
    let from = if window.from > Millis::MIN {
        rfc3339_in(window.from, zone)
    } else {
        "the beginning".to_owned()
    };
    let note = if window.complete {
        ""
    } else {
        ", not complete"
    };
    format!("{key}: after {from} up to {}{note}", rfc3339_in(to, zone))
}

fn name(row: &Row) -> String {
    match &*row.name {
        RowName::Queue(key) => format!(
            "{}/{}/{}",
            shown(&key.client),
            shown(&key.queue),
            shown(&key.channel)
        ),
        RowName::Client(client) => format!("client {}", shown(client)),
        RowName::Group(group) => format!("group {}", shown(group)),
        RowName::Channel(channel) => format!("channel {}", shown(channel)),
        RowName::Total => "total".to_owned(),
    }
}

/// One block: the first column to the left, numbers to the right, as wide as they need.
fn block(
    out: &mut String,
    title: &str,
    header: &[&str],
    merged: &Merged,
    cells: impl Fn(&Row) -> Vec<String>,
) {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(ToString::to_string).collect()];
    let total = std::iter::once(&merged.total);
    for row in merged.queues.iter().chain(total) {
        let mut line = vec![name(row)];
        line.extend(cells(row));
        lines.push(line);
    }
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let width =
                |line: &Vec<String>| line.get(column).map_or(0, |cell| cell.chars().count());
            lines.iter().map(width).max().unwrap_or(0)
        })
        .collect();
    let _ = writeln!(out, "\n{title}");
    for line in &lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let _ = if column == 0 {
                write!(out, "  {cell:<width$}")
            } else {
                write!(out, "  {cell:>width$}")
            };
        }
        out.push('\n');
    }
}

fn now_cells(row: &Row, now: Millis) -> Vec<String> {
    let staff = row.agents.staff();
    vec![
        row.contacts.waiting.to_string(),
        row.contacts.waiting_past.to_string(),
        decimal(row.contacts.longest_wait(now).map(|wait| seconds(wait.0))),
        row.agents.staff.online.to_string(),
        whole(staff.map(crate::kpi::Staff::available)),
        whole(staff.map(crate::kpi::Staff::on_contact)),
    ]
}

fn window_cells(window: &RowWindow) -> Vec<String> {
    let contacts = &window.contacts;
    let (counts, level) = (&contacts.counts, &contacts.level);
    let exists = level.exists();
    vec![
        counts.offered.to_string(),
        counts.answered.to_string(),
        counts.abandoned.to_string(),
        percent(level.ratio()),
        whole(exists.then_some(level.met)),
        whole(exists.then(|| level.missed())),
        percent(contacts.abandonment.ratio()),
        decimal(answer_speed_average(counts)),
        decimal(handle_time_average(counts)),
        decimal(contacts.wait.at(95)),
        decimal(contacts.wait_max.map(seconds)),
        percent(window.agents.staff().and_then(occupancy)),
    ]
}

fn whole(value: Option<i64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

fn decimal(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.1}"))
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(
        || NOTHING.to_owned(),
        |ratio| format!("{:.2}", ratio * 100.0),
    )
}
