//! Agents' figures: by queue, and counted once by client and in all.

use crate::kpi::WORK_STATES;
use crate::kpi::{Staff, concurrency_average, occupancy, occupancy_connect, seconds, slot_load};
use crate::live::{Row, RowWindow, Staffing};
use crate::telemetry::exposition::{Samples, Value};

use super::{Family, Kind, Source, queue_labels};

/// One figure of agents, at a row of any kind.
struct Figure {
    key: &'static str,
    unit: &'static str,
    label: Option<&'static str>,
    by_default: bool,
    help: &'static str,
    formula: &'static str,
}

/// Declares figures, each with writers for queue, client and all rows.
macro_rules! figures {
    ($name:ident, $each:ident, $part:ident, [$(
        ($key:literal, $unit:literal, $label:expr, $default:literal, $help:literal, $formula:literal, $write:expr)
    ),* $(,)?]) => {
        fn $name(out: &mut Vec<Family>) {
            $($each(
                out,
                &Figure {
                    key: $key,
                    unit: $unit,
                    label: $label,
                    by_default: $default,
                    help: $help,
                    formula: $formula,
                },
                $part!($write),
            );)*
        }
    };
}

macro_rules! of_row {
    ($write:expr) => {
        |row: &Row, _: &crate::live::Merged, out: &mut Samples<'_>| ($write)(&row.agents, out)
    };
}

macro_rules! of_window {
    ($write:expr) => {
        |window: &RowWindow, out: &mut Samples<'_>| ($write)(&window.agents, out)
    };
}

figures!(
    now,
    now_families,
    of_row,
    [
        (
            "agents_online",
            "agents",
            None,
            true,
            "Agents online: presence is not offline",
            "available + aux",
            |agents: &Staffing, out: &mut Samples<'_>| out.count(agents.staff.online)
        ),
        (
            "agents_available",
            "agents",
            None,
            true,
            "Agents available, with no contact at all and responding",
            "presence available, activity idle",
            |agents, out| count(agents, out, Staff::available)
        ),
        (
            "agents_alerting",
            "agents",
            None,
            true,
            "Agents at whom a contact is ringing",
            "activity alerting, online",
            |agents, out| count(agents, out, Staff::alerting)
        ),
        (
            "agents_on_contact",
            "agents",
            None,
            true,
            "Agents with a contact connected or held, of any queue",
            "activity on_contact",
            |agents, out| count(agents, out, Staff::on_contact)
        ),
        (
            "agents_acw",
            "agents",
            None,
            true,
            "Agents in after-contact work (ACW) only",
            "activity acw",
            |agents, out| count(agents, out, Staff::acw)
        ),
        (
            "agents_not_responding",
            "agents",
            None,
            true,
            "Agents who let a contact ring and are not routable",
            "activity not_responding, online",
            |agents, out| count(agents, out, Staff::not_responding)
        ),
        (
            "agents_aux",
            "agents",
            Some("reason"),
            true,
            "Agents in aux, by reason",
            "presence aux",
            |agents: &Staffing, out: &mut Samples<'_>| out.by_reason(&agents.aux)
        ),
        (
            "agents_on_contact_here",
            "agents",
            None,
            false,
            "Agents on contact with a contact of the row, members or not",
            "activity on_contact",
            |agents, out| count(agents, out, |staff| staff.here)
        ),
        (
            "agents_on_contact_elsewhere",
            "agents",
            None,
            false,
            "Members on contact who hold no contact of the row",
            "agents_on_contact less members among agents_on_contact_here",
            |agents, out| count(agents, out, Staff::elsewhere)
        ),
        (
            "agent_contacts",
            "contacts",
            Some("state"),
            false,
            "Contacts of the row at agents, by state",
            "agent side",
            |agents: &Staffing, out: &mut Samples<'_>| by_state(agents, out, Value::Count)
        ),
    ]
);

figures!(
    windows,
    window_families,
    of_window,
    [
        (
            "agents_online_seconds",
            "seconds",
            None,
            false,
            "Time of agents online",
            "pro-rated",
            |agents: &Staffing, out: &mut Samples<'_>| out.seconds(agents.staff.online)
        ),
        (
            "agents_available_seconds",
            "seconds",
            None,
            true,
            "Time of agents available",
            "pro-rated",
            |agents, out| time(agents, out, Staff::available)
        ),
        (
            "agents_alerting_seconds",
            "seconds",
            None,
            false,
            "Time of agents at whom a contact was ringing",
            "pro-rated",
            |agents, out| time(agents, out, Staff::alerting)
        ),
        (
            "agents_on_contact_seconds",
            "seconds",
            None,
            false,
            "Time of agents on contact",
            "pro-rated",
            |agents, out| time(agents, out, Staff::on_contact)
        ),
        (
            "agents_on_contact_here_seconds",
            "seconds",
            None,
            false,
            "Time of agents on contact with a contact of the row, members or not",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.here)
        ),
        (
            "agents_on_contact_elsewhere_seconds",
            "seconds",
            None,
            false,
            "Time of members on contact who held no contact of the row",
            "agents_on_contact_seconds less members in agents_on_contact_here_seconds",
            |agents, out| time(agents, out, Staff::elsewhere)
        ),
        (
            "agents_acw_seconds",
            "seconds",
            None,
            false,
            "Time of agents in after-contact work (ACW) only",
            "pro-rated",
            |agents, out| time(agents, out, Staff::acw)
        ),
        (
            "agents_not_responding_seconds",
            "seconds",
            None,
            false,
            "Time of agents not responding",
            "pro-rated",
            |agents, out| time(agents, out, Staff::not_responding)
        ),
        (
            "agents_aux_seconds",
            "seconds",
            Some("reason"),
            false,
            "Time of agents in aux, by reason",
            "pro-rated",
            |agents: &Staffing, out: &mut Samples<'_>| out.seconds_by_reason(&agents.aux)
        ),
        (
            "agents_busy_seconds",
            "seconds",
            None,
            true,
            "Time of agents with at least one contact connected, held or in ACW",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.busy)
        ),
        (
            "busy_contacts_seconds",
            "seconds",
            None,
            false,
            "Contact-seconds connected, held or in ACW of the row's members",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.busy_contacts)
        ),
        (
            "slots_used_seconds",
            "seconds",
            None,
            false,
            "Slots used while presence is available",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.slots_used)
        ),
        (
            "slots_usable_seconds",
            "seconds",
            None,
            false,
            "Slots usable while presence is available",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.slots_usable)
        ),
        (
            "connect_busy_seconds",
            "seconds",
            None,
            false,
            "Busy time while presence is available",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.connect_busy)
        ),
        (
            "connect_idle_seconds",
            "seconds",
            None,
            false,
            "Time without any contact while presence is available",
            "pro-rated",
            |agents, out| time(agents, out, |staff| staff.connect_idle)
        ),
        (
            "agent_contacts_seconds",
            "seconds",
            Some("state"),
            false,
            "Contact-seconds of the row at agents, by state",
            "pro-rated",
            |agents: &Staffing, out: &mut Samples<'_>| by_state(agents, out, Value::Seconds)
        ),
        (
            "occupancy_ratio",
            "ratio",
            None,
            true,
            "Occupancy",
            "agents_busy_seconds / (agents_busy_seconds + agents_available_seconds)",
            |agents: &Staffing, out: &mut Samples<'_>| out
                .figure(agents.staff().and_then(occupancy))
        ),
        (
            "occupancy_connect_ratio",
            "ratio",
            None,
            false,
            "Occupancy as Amazon Connect defines it",
            "connect_busy_seconds / (connect_busy_seconds + connect_idle_seconds)",
            |agents: &Staffing, out: &mut Samples<'_>| out
                .figure(agents.staff().and_then(occupancy_connect))
        ),
        (
            "slot_load_ratio",
            "ratio",
            None,
            false,
            "Slot load, not clamped",
            "slots_used_seconds / slots_usable_seconds",
            |agents: &Staffing, out: &mut Samples<'_>| out
                .figure(agents.staff().and_then(slot_load))
        ),
        (
            "concurrency_average",
            "contacts",
            None,
            false,
            "Average contacts of a busy agent",
            "busy_contacts_seconds / agents_busy_seconds",
            |agents: &Staffing, out: &mut Samples<'_>| out
                .figure(agents.staff().and_then(concurrency_average))
        ),
    ]
);

pub(super) fn families() -> Vec<Family> {
    let mut all = Vec::new();
    now(&mut all);
    windows(&mut all);
    all.push(mismatch());
    all
}

/// What both sides know, compared.
fn mismatch() -> Family {
    Family {
        name: "queuepulse_client_agent_contact_mismatch".to_owned(),
        kind: Kind::Gauge,
        unit: "contacts",
        labels: vec!["client"],
        help: "Contacts connected or held by the contact events less those by the agent events."
            .to_owned(),
        formula: "contacts_by_state less agent_contacts, connected and held; absent without a contact feed",
        by_default: true,
        source: Source::ClientNow(|row, _, out| {
            if let Some(staff) = row.agents.staff() {
                let by_contacts = row.contacts.by_state[2] + row.contacts.by_state[3];
                out.count(by_contacts - staff.work[1] - staff.work[2]);
            }
        }),
    }
}

fn count(agents: &Staffing, out: &mut Samples<'_>, figure: fn(&Staff) -> i64) {
    if let Some(staff) = agents.staff() {
        out.count(figure(staff));
    }
}

fn time(agents: &Staffing, out: &mut Samples<'_>, figure: fn(&Staff) -> i64) {
    out.figure(agents.staff().map(|staff| seconds(figure(staff))));
}

fn by_state(agents: &Staffing, out: &mut Samples<'_>, value: fn(i64) -> Value) {
    if let Some(staff) = agents.staff() {
        for ((_, state), amount) in WORK_STATES.into_iter().zip(staff.work) {
            out.put(&[("state", state)], value(amount));
        }
    }
}

type WriteNow = fn(&Row, &crate::live::Merged, &mut Samples<'_>);
type WriteWindow = fn(&RowWindow, &mut Samples<'_>);

fn now_families(out: &mut Vec<Family>, figure: &Figure, write: WriteNow) {
    let labels = figure.label.as_slice();
    out.push(family(figure, "", queue_labels(labels), Source::Now(write)));
    let client = [&["client"], labels].concat();
    out.push(family(figure, "client_", client, Source::ClientNow(write)));
    out.push(family(
        figure,
        "all_",
        labels.to_vec(),
        Source::AllNow(write),
    ));
}

fn window_families(out: &mut Vec<Family>, figure: &Figure, write: WriteWindow) {
    let labels = [&["window"], figure.label.as_slice()].concat();
    let queue = queue_labels(&labels);
    out.push(family(figure, "window_", queue, Source::Window(write)));
    let client = [&["client"], labels.as_slice()].concat();
    out.push(family(
        figure,
        "client_window_",
        client,
        Source::ClientWindow(write),
    ));
    out.push(family(
        figure,
        "all_window_",
        labels,
        Source::AllWindow(write),
    ));
}

fn family(figure: &Figure, scope: &str, labels: Vec<&'static str>, source: Source) -> Family {
    let whose = match scope {
        "" => ", of the queue's members",
        "window_" => ", of the queue's members, over the window",
        "client_" => ", of the client, each agent once",
        "client_window_" => ", of the client, each agent once, over the window",
        "all_" => ", of all agents, each once",
        _ => ", of all agents, each once, over the window",
    };
    Family {
        name: format!("queuepulse_{scope}{}", figure.key),
        kind: Kind::Gauge,
        unit: figure.unit,
        labels,
        help: format!("{}{whose}.", figure.help),
        formula: figure.formula,
        by_default: figure.by_default,
        source,
    }
}
