//! The JSON of a snapshot: a pure function of the merged figures.
//!
//! Every key is always there. Counts are integers, 0 when none; ratios and seconds are decimal and
//! unrounded; `null` stands for a ratio or average of nothing, a maximum or percentile of nothing,
//! nobody waiting, and a figure whose source is absent.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::event::{FlowOut, Millis};
use crate::kpi::{
    ExpectedWait, PRESENCE_ACTIVITY, Staff, WORK_STATES, abandon_time_average,
    answer_speed_average, concurrency_average, expected_wait, expected_wait_window,
    handle_time_average, occupancy, occupancy_connect, seconds, slot_load,
};

use super::{ChangedRows, ContactWindow, Merged, Row, RowName, RowWindow, Staffing, rfc3339};

/// The percentiles that are shown, with their keys.
const WAIT_PERCENTILES: [(u64, &str); 4] = [
    (50, "wait_seconds_p50"),
    (90, "wait_seconds_p90"),
    (95, "wait_seconds_p95"),
    (99, "wait_seconds_p99"),
];
const HANDLE_PERCENTILES: [(u64, &str); 4] = [
    (50, "handle_seconds_p50"),
    (90, "handle_seconds_p90"),
    (95, "handle_seconds_p95"),
    (99, "handle_seconds_p99"),
];
/// States of contacts, contact side, in the order of [`super::ContactNow::by_state`].
pub const CONTACT_STATES: [&str; 5] = ["waiting", "alerting", "connected", "held", "acw"];

/// A snapshot of everything, as `/api/v1/snapshot` and `replay` write it.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The figures.
    pub merged: &'a Merged,
    /// Age of the data in seconds; none in a replay.
    pub data_age_seconds: Option<f64>,
    /// Seconds since the last event; none where that is not known, and in a replay.
    pub source_silence_seconds: Option<f64>,
}

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer, Part::All)
    }
}

/// The same with one window only, as the stream sends it.
#[derive(Clone, Copy, Debug)]
pub struct OneWindow<'a> {
    /// Everything.
    pub snapshot: Snapshot<'a>,
    /// The key of the window.
    pub window: &'a str,
    /// Without percentiles and without agents' time in state, which a list of queues does not show.
    pub brief: bool,
}

/// The *now* figures alone, of the rows that have changed since the windows moved.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    /// Everything.
    pub snapshot: Snapshot<'a>,
    /// Which rows; they must have been told of this tick.
    pub rows: &'a ChangedRows,
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.snapshot.write(serializer, Part::Changed(self.rows))
    }
}

/// Which part of the rows and their windows is written.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    All,
    /// No window, and these rows only.
    Changed(&'a ChangedRows),
    /// This window only; of it, if brief, what a list of queues shows.
    One {
        key: &'a str,
        brief: bool,
    },
}

impl Part<'_> {
    fn has(self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Changed(_) => false,
            Self::One { key: only, .. } => only == key,
        }
    }

    const fn is_now_alone(self) -> bool {
        matches!(self, Self::Changed(_))
    }

    fn has_row(self, row: &Row) -> bool {
        match self {
            Self::Changed(rows) => rows.has(row),
            Self::All | Self::One { .. } => true,
        }
    }

    fn is_brief(self) -> bool {
        matches!(self, Self::One { brief: true, .. })
    }
}

impl Serialize for OneWindow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part = Part::One {
            key: self.window,
            brief: self.brief,
        };
        self.snapshot.write(serializer, part)
    }
}

impl Snapshot<'_> {
    fn write<S: Serializer>(&self, serializer: S, part: Part<'_>) -> Result<S::Ok, S::Error> {
        let merged = self.merged;
        let rows = |list| Rows { list, merged, part };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &rfc3339(merged.now))?;
        map.serialize_entry("data_age_seconds", &self.data_age_seconds)?;
        map.serialize_entry("source_silence_seconds", &self.source_silence_seconds)?;
        map.serialize_entry("queues", &rows(&merged.queues))?;
        map.serialize_entry("clients", &rows(&merged.clients))?;
        map.serialize_entry("groups", &rows(&merged.groups))?;
        map.serialize_entry("channels", &rows(&merged.channels))?;
        map.serialize_entry("total", &row_part(&merged.total, merged, part))?;
        map.end()
    }
}

/// One row: its names, `now` and `windows`; only one of these where a key is given.
pub fn row_figures<'a>(
    row: &'a Row,
    merged: &'a Merged,
    only: Option<&'a str>,
) -> impl Serialize + 'a {
    let part = only.map_or(Part::All, |key| Part::One { key, brief: false });
    row_part(row, merged, part)
}

fn row_part<'a>(row: &'a Row, merged: &'a Merged, part: Part<'a>) -> RowJson<'a> {
    RowJson { row, merged, part }
}

struct Rows<'a> {
    list: &'a [Row],
    merged: &'a Merged,
    part: Part<'a>,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for row in self.list.iter().filter(|row| self.part.has_row(row)) {
            seq.serialize_element(&row_part(row, self.merged, self.part))?;
        }
        seq.end()
    }
}

struct RowJson<'a> {
    row: &'a Row,
    merged: &'a Merged,
    part: Part<'a>,
}

impl Serialize for RowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &*self.row.name {
            RowName::Queue(key) => {
                map.serialize_entry("client_id", &key.client)?;
                map.serialize_entry("queue_id", &key.queue)?;
                map.serialize_entry("channel", &key.channel)?;
                if !self.part.is_now_alone() {
                    map.serialize_entry("settings", &Settings(self.row))?;
                }
            }
            RowName::Client(client) => map.serialize_entry("client_id", client)?,
            RowName::Group(group) => map.serialize_entry("group", group)?,
            RowName::Channel(channel) => map.serialize_entry("channel", channel)?,
            RowName::Total => {}
        }
        map.serialize_entry("now", &Now(self))?;
        if !self.part.is_now_alone() {
            map.serialize_entry("windows", &Windows(self))?;
        }
        map.end()
    }
}

/// How a queue is shown.
struct Settings<'a>(&'a Row);

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some((_, view)) = &self.0.queue {
            map.serialize_entry("display_name", &view.display_name)?;
            map.serialize_entry("group", &view.group)?;
            map.serialize_entry("hours", &view.hours)?;
            map.serialize_entry("service_level_variant", view.variant.name())?;
            map.serialize_entry("service_level_target_ratio", &view.target)?;
            map.serialize_entry("threshold_seconds", &seconds(view.threshold.0))?;
            map.serialize_entry("short_abandon_seconds", &seconds(view.short_abandon.0))?;
        }
        map.end()
    }
}

struct Now<'a>(&'a RowJson<'a>);

impl Serialize for Now<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (row, merged) = (self.0.row, self.0.merged);
        let contacts = &row.contacts;
        let longest = contacts.longest_wait(merged.now);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("waiting", &contacts.waiting)?;
        map.serialize_entry("waiting_past_threshold", &contacts.waiting_past)?;
        map.serialize_entry("longest_wait_seconds", &longest.map(|wait| seconds(wait.0)))?;
        map.serialize_entry("expected_wait_seconds", &expected_wait_of(row, merged))?;
        map.serialize_entry("service_level_ratio", &contacts.level.ratio())?;
        let states = CONTACT_STATES.into_iter().zip(contacts.by_state);
        map.serialize_entry("contacts_by_state", &Labels(states))?;
        agents_now(&mut map, &row.agents)?;
        map.end()
    }
}

/// The expected wait of one more arrival at a row.
pub fn expected_wait_of(row: &Row, merged: &Merged) -> Option<f64> {
    let window = row.windows.get(expected_wait_window(&merged.specs)?)?;
    let staff = row.agents.staff()?;
    expected_wait(&ExpectedWait {
        handle_time: handle_time_average(&window.contacts.counts)?,
        waiting: row.contacts.waiting,
        available: staff.available(),
        online: staff.online,
    })
}

fn agents_now<M: SerializeMap>(map: &mut M, agents: &Staffing) -> Result<(), M::Error> {
    let known = |figure: fn(&Staff) -> i64| agents.staff().map(figure);
    map.serialize_entry("agents_online", &agents.staff.online)?;
    map.serialize_entry("agents_available", &known(Staff::available))?;
    map.serialize_entry("agents_alerting", &known(Staff::alerting))?;
    map.serialize_entry("agents_on_contact", &known(Staff::on_contact))?;
    map.serialize_entry("agents_acw", &known(Staff::acw))?;
    map.serialize_entry("agents_not_responding", &known(Staff::not_responding))?;
    map.serialize_entry("agents_on_contact_here", &known(|staff| staff.here))?;
    map.serialize_entry("agents_on_contact_elsewhere", &known(Staff::elsewhere))?;
    let aux = agents
        .aux
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count));
    map.serialize_entry("agents_aux", &Labels(aux))?;
    let work = agents.staff().map(|staff| Labels(work_labels(staff)));
    map.serialize_entry("agent_contacts", &work)
}

fn work_labels(staff: &Staff) -> impl Iterator<Item = (&'static str, i64)> + Clone {
    WORK_STATES
        .map(|(_, name)| name)
        .into_iter()
        .zip(staff.work)
}

struct Windows<'a>(&'a RowJson<'a>);

impl Serialize for Windows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let merged = self.0.merged;
        for (spec, window) in merged.specs.iter().zip(self.0.row.windows.iter()) {
            let (to, brief) = (merged.to, self.0.part.is_brief());
            if self.0.part.has(&spec.key) {
                map.serialize_entry(&spec.key, &WindowJson { window, to, brief })?;
            }
        }
        map.end()
    }
}

struct WindowJson<'a> {
    window: &'a RowWindow,
    to: Millis,
    brief: bool,
}

impl Serialize for WindowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let window = self.window;
        let from = (window.from > Millis::MIN).then(|| rfc3339(window.from));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from", &from)?;
        map.serialize_entry("to", &rfc3339(self.to))?;
        map.serialize_entry("complete", &window.complete)?;
        contact_counts(&mut map, &window.contacts)?;
        contact_averages(&mut map, &window.contacts)?;
        if self.brief {
            let occupancy = window.agents.staff().and_then(occupancy);
            map.serialize_entry("occupancy_ratio", &occupancy)?;
        } else {
            percentiles(&mut map, &window.contacts)?;
            agents_in_window(&mut map, &window.agents)?;
        }
        map.end()
    }
}

pub(super) fn contact_counts<M: SerializeMap>(
    map: &mut M,
    contacts: &ContactWindow,
) -> Result<(), M::Error> {
    let counts = &contacts.counts;
    map.serialize_entry("offered", &counts.offered)?;
    map.serialize_entry("answered", &counts.answered)?;
    map.serialize_entry("answered_within_threshold", &counts.answered_within)?;
    map.serialize_entry("abandoned", &counts.abandoned)?;
    map.serialize_entry("abandoned_within_threshold", &counts.abandoned_within)?;
    map.serialize_entry("short_abandoned", &counts.short_abandoned)?;
    let ways = FlowOut::ALL.map(FlowOut::name).into_iter();
    map.serialize_entry("flowed_out", &Labels(ways.zip(counts.flowed_out)))?;
    map.serialize_entry("callbacks_requested", &counts.callbacks)?;
    map.serialize_entry("alert_failed", &counts.alert_failed)?;
    map.serialize_entry("transferred", &counts.transferred)?;
    map.serialize_entry("handled", &counts.handled)?;
    map.serialize_entry("rated", &counts.rated)?;
    map.serialize_entry("complained", &counts.complained)?;
    map.serialize_entry("resolved", &counts.resolved)
}

pub(super) fn contact_averages<M: SerializeMap>(
    map: &mut M,
    contacts: &ContactWindow,
) -> Result<(), M::Error> {
    let (counts, level) = (&contacts.counts, &contacts.level);
    let exists = level.exists();
    map.serialize_entry("service_level_ratio", &level.ratio())?;
    map.serialize_entry("service_level_met", &exists.then_some(level.met))?;
    map.serialize_entry("service_level_missed", &exists.then(|| level.missed()))?;
    map.serialize_entry("answered_wait_seconds", &seconds(counts.answered_wait))?;
    map.serialize_entry(
        "answer_speed_average_seconds",
        &answer_speed_average(counts),
    )?;
    map.serialize_entry("abandoned_wait_seconds", &seconds(counts.abandoned_wait))?;
    map.serialize_entry(
        "abandon_time_average_seconds",
        &abandon_time_average(counts),
    )?;
    map.serialize_entry("talk_seconds", &seconds(counts.talk))?;
    map.serialize_entry("hold_seconds", &seconds(counts.hold))?;
    map.serialize_entry("after_contact_seconds", &seconds(counts.after_contact))?;
    map.serialize_entry("handle_time_average_seconds", &handle_time_average(counts))?;
    map.serialize_entry("abandonment_ratio", &contacts.abandonment.ratio())
}

fn percentiles<M: SerializeMap>(map: &mut M, contacts: &ContactWindow) -> Result<(), M::Error> {
    for (percentile, key) in WAIT_PERCENTILES {
        map.serialize_entry(key, &contacts.wait.at(percentile))?;
    }
    map.serialize_entry("wait_seconds_max", &contacts.wait_max.map(seconds))?;
    for (percentile, key) in HANDLE_PERCENTILES {
        map.serialize_entry(key, &contacts.handle.at(percentile))?;
    }
    Ok(())
}

fn agents_in_window<M: SerializeMap>(map: &mut M, agents: &Staffing) -> Result<(), M::Error> {
    let staff = agents.staff();
    let known = |figure: fn(&Staff) -> i64| staff.map(|staff| seconds(figure(staff)));
    map.serialize_entry("agents_online_seconds", &seconds(agents.staff.online))?;
    map.serialize_entry("agents_available_seconds", &known(Staff::available))?;
    map.serialize_entry("agents_alerting_seconds", &known(Staff::alerting))?;
    map.serialize_entry("agents_on_contact_seconds", &known(Staff::on_contact))?;
    map.serialize_entry("agents_on_contact_here_seconds", &known(|staff| staff.here))?;
    map.serialize_entry(
        "agents_on_contact_elsewhere_seconds",
        &known(Staff::elsewhere),
    )?;
    map.serialize_entry("agents_acw_seconds", &known(Staff::acw))?;
    map.serialize_entry(
        "agents_not_responding_seconds",
        &known(Staff::not_responding),
    )?;
    map.serialize_entry("agents_busy_seconds", &known(|staff| staff.busy))?;
    map.serialize_entry("busy_contacts_seconds", &known(|staff| staff.busy_contacts))?;
    map.serialize_entry("slots_used_seconds", &known(|staff| staff.slots_used))?;
    map.serialize_entry("slots_usable_seconds", &known(|staff| staff.slots_usable))?;
    map.serialize_entry("connect_busy_seconds", &known(|staff| staff.connect_busy))?;
    map.serialize_entry("connect_idle_seconds", &known(|staff| staff.connect_idle))?;
    let aux = agents
        .aux
        .iter()
        .map(|(reason, time)| (reason.as_str(), seconds(*time)));
    map.serialize_entry("agents_aux_seconds", &Labels(aux))?;
    map.serialize_entry("agents_seconds", &staff.map(|staff| Labels(cells(staff))))?;
    let work =
        staff.map(|staff| Labels(work_labels(staff).map(|(state, time)| (state, seconds(time)))));
    map.serialize_entry("agent_contacts_seconds", &work)?;
    map.serialize_entry("occupancy_ratio", &staff.and_then(occupancy))?;
    map.serialize_entry(
        "occupancy_connect_ratio",
        &staff.and_then(occupancy_connect),
    )?;
    map.serialize_entry("slot_load_ratio", &staff.and_then(slot_load))?;
    map.serialize_entry("concurrency_average", &staff.and_then(concurrency_average))
}

/// Seconds by `presence/activity`, zeros left out, in order of the names.
fn cells(staff: &Staff) -> impl Iterator<Item = (&'static str, f64)> + Clone {
    let mut cells: Vec<(&'static str, f64)> = PRESENCE_ACTIVITY
        .iter()
        .zip(staff.cells)
        .filter(|(_, time)| *time != 0)
        .map(|(&(.., name), time)| (name, seconds(time)))
        .collect();
    cells.sort_unstable_by_key(|&(name, _)| name);
    cells.into_iter()
}

/// A figure with a label of its own: an object {label: number}.
struct Labels<I>(I);

impl<'a, I, V> Serialize for Labels<I>
where
    I: Iterator<Item = (&'a str, V)> + Clone,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}
