//! The `[view]` section and the `[[queue]]` rules: how queues are shown.

use super::section::Section;
use crate::engine::settings::Pattern;
use crate::event::Span;
use crate::kpi::{AbandonsWithin, QueueView, Variant};

/// A rule, with the key by which faults name it.
#[derive(Debug)]
pub(super) struct Rule {
    /// `view`, `queue[0]`, …
    pub(super) path: String,
    /// Which queues.
    pub(super) pattern: Pattern,
    /// How they are shown.
    pub(super) view: QueueView,
}

impl Rule {
    /// The rungs that the rule names.
    pub(super) fn rungs(&self) -> impl Iterator<Item = Span> {
        let switches = &self.view.switches;
        [
            self.view.threshold,
            self.view.short_abandon,
            switches.range_answered,
            switches.range_abandoned,
        ]
        .into_iter()
        .filter(|&rung| rung > Span::ZERO)
    }
}

/// Takes the pattern of a rule.
pub(super) fn pattern(section: &mut Section<'_>) -> Pattern {
    Pattern {
        client: section.name("client"),
        queue: section.name("queue"),
        channel: section.name("channel"),
    }
}

/// Takes the keys of `[view]` or of a rule; what is not named is as in `base`.
pub(super) fn view(section: &mut Section<'_>, base: &QueueView) -> QueueView {
    let mut view = base.clone();
    set(&mut view.threshold, section.positive_span("threshold"));
    set(&mut view.short_abandon, section.span("short_abandon"));
    set(&mut view.variant, variant(section));
    set(&mut view.target, section.ratio("target"));
    let of_offered = section.flag("abandonment_of_offered");
    set(&mut view.switches.abandonment_of_offered, of_offered);
    for (text, key) in [
        (&mut view.group, "group"),
        (&mut view.display_name, "display_name"),
        (&mut view.hours, "hours"),
    ] {
        if let Some(given) = section.text(key) {
            *text = Some(given).filter(|given| !given.is_empty());
        }
    }
    switches(section, &mut view);
    view
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn variant(section: &mut Section<'_>) -> Option<Variant> {
    // sl12 needs the deferred channels' deadlines and is not computed yet.
    let known = |name: &str| Variant::parse(name).filter(|&variant| variant != Variant::Sl12);
    let right = "give one of \"sl1\" to \"sl11\"";
    section.parsed("service_level_variant", known, right)
}

fn switches(section: &mut Section<'_>, view: &mut QueueView) {
    let switches = &mut view.switches;
    let mut sl7 = section.section("sl7");
    set(&mut switches.abandons, sl7.flag("abandons"));
    set(&mut switches.short_abandons, sl7.flag("short_abandons"));
    sl7.finish();
    let mut sl9 = section.section("sl9");
    let within = sl9.choice(
        "abandons_within_threshold",
        &[
            ("ignored", AbandonsWithin::Ignored),
            ("negative", AbandonsWithin::Negative),
            ("positive", AbandonsWithin::Positive),
        ],
    );
    set(&mut switches.abandons_within_threshold, within);
    let callbacks = sl9.choice(
        "callbacks",
        &[("ignored", false), ("met_within_threshold", true)],
    );
    set(&mut switches.callbacks_met_within_threshold, callbacks);
    sl9.finish();
    let mut sl11 = section.section("sl11");
    let answered = sl11.positive_span("answered_within");
    set(&mut switches.range_answered, answered);
    let abandoned = sl11.positive_span("abandoned_within");
    set(&mut switches.range_abandoned, abandoned);
    sl11.finish();
}

/// Takes the rules of `[[queue]]`.
pub(super) fn rules(root: &mut Section<'_>, base: &QueueView) -> Vec<Rule> {
    let take = |mut section: Section<'_>| {
        let rule = Rule {
            path: section.key("threshold").replace(".threshold", ""),
            pattern: pattern(&mut section),
            view: view(&mut section, base),
        };
        section.finish();
        rule
    };
    root.rules("queue").into_iter().map(take).collect()
}
