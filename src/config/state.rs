//! The `[state]` section: what counting depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::section::{Section, text_of};
use super::span::{format_span, parse_span};
use super::view::{Rule, pattern};
use crate::engine::settings::{AfterContact, Pattern, RUNGS_MAX, StateSettings, ZoneNo};
use crate::event::{Span, Zones};

/// What a zone's name looks like.
pub(super) const ZONE: &str = "give an IANA time zone such as \"Europe/Berlin\" or \"UTC\"";

/// The zone of a name in the database that is compiled in.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// Takes the section. Rungs and `log_keep` are still those of the defaults; see [`rungs`].
pub(super) fn state(root: &mut Section<'_>, own_zone: TimeZone) -> (StateSettings, Vec<Span>) {
    let mut section = root.section("state");
    let mut state = StateSettings::default();
    for (place, key) in [
        (&mut state.late_after, "late_after"),
        (&mut state.settle_after, "settle_after"),
        (&mut state.retain, "retain"),
        (&mut state.max_ahead, "max_ahead"),
        (&mut state.agent_ttl, "agent_ttl"),
        (&mut state.acw_max, "acw_max"),
    ] {
        if let Some(span) = section.positive_span(key) {
            *place = span;
        }
    }
    if let Some(most) = section.integer("max_queues", 1, 1_000_000) {
        state.max_queues = usize::try_from(most).unwrap_or_default();
    }
    let id_key = |text: &str| {
        (text.len() == 16)
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
    };
    if let Some(key) = section.parsed("id_key", id_key, "give 16 hexadecimal digits") {
        state.id_key = key;
    }
    let extra = section.spans("extra_rungs").unwrap_or_default();
    ghosts(&mut section, &mut state);
    zones(&mut section, &mut state, own_zone);
    after_contact(&mut section, &mut state);
    section.finish();
    (state, extra.into_iter().map(|(_, rung)| rung).collect())
}

fn ghosts(section: &mut Section<'_>, state: &mut StateSettings) {
    let mut ghosts = section.section("ghost_after");
    if let Some(other) = ghosts.positive_span("other") {
        state.ghost_after_other = other;
    }
    for (channel, value) in ghosts.rest() {
        let span = text_of(&value)
            .and_then(|text| parse_span(&text))
            .filter(|&span| span > Span::ZERO);
        match span {
            Some(span) => {
                state.ghost_after.insert(channel, span);
            }
            None => ghosts.faults().push(
                ghosts.key(&channel),
                text_of(&value).map(|text| format!("{text:?}")),
                "give a duration such as \"4h\", more than 0",
            ),
        }
    }
}

fn zones(section: &mut Section<'_>, state: &mut StateSettings, own_zone: TimeZone) {
    let mut zones = vec![own_zone];
    for mut rule in section.rules("zone") {
        let pattern = pattern(&mut rule);
        if let Some(zone) = needed(&mut rule, "zone", zone, ZONE) {
            let number = zones.iter().position(|known| *known == zone);
            let number = number.unwrap_or_else(|| {
                zones.push(zone);
                zones.len() - 1
            });
            let number = ZoneNo(u16::try_from(number).unwrap_or_default());
            state.zone_by_queue.push((pattern, number));
        }
        rule.finish();
    }
    state.zones = Zones::new(zones);
}

fn after_contact(section: &mut Section<'_>, state: &mut StateSettings) {
    let parse = |text: &str| match text {
        "none" => Some(AfterContact::None),
        "events" => Some(AfterContact::Events),
        _ => parse_span(text).map(AfterContact::Timer),
    };
    for mut rule in section.rules("after_contact") {
        let pattern = pattern(&mut rule);
        let right = "give \"none\", \"events\" or a duration such as \"30s\"";
        if let Some(kind) = needed(&mut rule, "rule", parse, right) {
            state.after_contact.push((pattern, kind));
        }
        rule.finish();
    }
}

/// A key that a rule cannot do without.
fn needed<T>(
    rule: &mut Section<'_>,
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    right: &str,
) -> Option<T> {
    let is_there = rule.has(name);
    let value = rule.parsed(name, parse, right);
    if !is_there {
        rule.faults()
            .push(rule.key(name), None, format!("is missing: {right}"));
    }
    value
}

/// Derives the rungs of every channel: the extra ones, and every T, S and sl11 range that a rule
/// names for it. A rule without `channel`, or with a `*` in it, names them for every channel that it
/// covers, also those that nobody names.
pub(super) fn rungs(
    state: &mut StateSettings,
    extra: &[Span],
    rules: &[Rule],
) -> Vec<(String, usize)> {
    let named: BTreeSet<&str> = rules
        .iter()
        .filter_map(|rule| rule.pattern.channel.as_deref())
        .filter(|channel| !channel.contains('*'))
        .collect();
    let of = |channel: Option<&str>| -> Arc<[Span]> {
        let covering = rules.iter().filter(|rule| covers(&rule.pattern, channel));
        let rungs: BTreeSet<Span> = covering
            .flat_map(Rule::rungs)
            .chain(extra.iter().copied())
            .collect();
        rungs.into_iter().collect()
    };
    state.rungs_other = of(None);
    state.rungs = named
        .into_iter()
        .map(|channel| (channel.to_owned(), of(Some(channel))))
        .collect::<BTreeMap<_, _>>();
    let too_many = |(channel, rungs): (&str, &Arc<[Span]>)| {
        (rungs.len() > RUNGS_MAX).then(|| (channel.to_owned(), rungs.len()))
    };
    let channels = state.rungs.iter().map(|(name, rungs)| (&**name, rungs));
    std::iter::once(("other", &state.rungs_other))
        .chain(channels)
        .filter_map(too_many)
        .collect()
}

/// Whether a pattern covers queues of a channel; `None` stands for one that no rule names.
fn covers(pattern: &Pattern, channel: Option<&str>) -> bool {
    match (&pattern.channel, channel) {
        (None, _) => true,
        (Some(glob), None) => glob.contains('*'),
        (Some(glob), Some(channel)) => {
            let only_channel = Pattern {
                channel: Some(glob.clone()),
                ..Pattern::default()
            };
            only_channel.matches("", "", channel)
        }
    }
}

/// A text that is the same for two sets of settings only if they count alike.
pub(super) fn canonical(state: &StateSettings) -> String {
    let mut text = String::new();
    let spans = |spans: &[Span]| {
        spans
            .iter()
            .map(|&span| format_span(span))
            .collect::<Vec<_>>()
    };
    let pattern = |pattern: &Pattern| {
        let part = |part: &Option<String>| format!("{:?}", part.as_deref().unwrap_or("*"));
        [&pattern.client, &pattern.queue, &pattern.channel]
            .map(part)
            .join(" ")
    };
    let numbers = [
        state.late_after,
        state.settle_after,
        state.retain,
        state.max_ahead,
        state.agent_ttl,
        state.acw_max,
        state.ghost_after_other,
        state.log_keep,
    ];
    let _ = writeln!(text, "{:?} {:016x}", spans(&numbers), state.id_key);
    let _ = writeln!(text, "queues {}", state.max_queues);
    for (channel, span) in &state.ghost_after {
        let _ = writeln!(text, "ghost {channel:?} {}", format_span(*span));
    }
    let _ = writeln!(text, "rungs {:?}", spans(&state.rungs_other));
    for (channel, rungs) in &state.rungs {
        let _ = writeln!(text, "rungs {channel:?} {:?}", spans(rungs));
    }
    for number in 0..state.zones.len() {
        let name = state.zones.get(number).iana_name();
        let _ = writeln!(text, "zone {number} {name:?}");
    }
    for (rule, zone) in &state.zone_by_queue {
        let _ = writeln!(text, "zone of {} {}", pattern(rule), zone.0);
    }
    for (rule, kind) in &state.after_contact {
        let _ = writeln!(text, "after contact of {} {kind:?}", pattern(rule));
    }
    text
}
