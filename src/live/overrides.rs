//! What `queue.configured` says: view settings that override the file's.
//!
//! A record stands for its key (client, queue), as in the compacted topic: it replaces the one
//! before it whole, the latest `time` wins, and a field that it lacks is the file's. A record that
//! names a channel says nothing of the queue's other channels.

use crate::event::{Millis, QueueConfigured, Span};
use crate::kpi::{QueueView, Variant, rung_index};

/// The latest that was said of one (client, queue).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Override {
    pub(super) time: Millis,
    pub(super) channel: Option<String>,
    /// `None`: the queue was removed.
    pub(super) settings: Option<Settings>,
}

/// The fields of a `queue.configured`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    target: Option<f64>,
    threshold: Option<Span>,
    short_abandon: Option<Span>,
    variant: Option<String>,
    hours: Option<String>,
    group: Option<String>,
    display_name: Option<String>,
}

/// A setting of a `queue.configured` that was refused; the file's value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadSetting {
    /// The threshold is none of the channel's rungs.
    Threshold,
    /// The short-abandon threshold is none of the channel's rungs, or above the threshold.
    ShortAbandon,
    /// The variant is unknown.
    Variant,
    /// The target is not in 0..=1.
    Target,
}

impl BadSetting {
    /// The label value.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::ShortAbandon => "short_abandon",
            Self::Variant => "variant",
            Self::Target => "target",
        }
    }
}

impl Settings {
    pub(super) fn of(record: &QueueConfigured<'_>) -> Self {
        let own = |text: &Option<crate::event::Text<'_>>| text.as_deref().map(str::to_owned);
        Self {
            target: record.target,
            threshold: record.threshold,
            short_abandon: record.short_abandon,
            variant: own(&record.variant),
            hours: own(&record.hours),
            group: own(&record.group),
            display_name: own(&record.display_name),
        }
    }

    /// The file's view with these settings over it. What is refused is told to `refused`.
    pub(super) fn over(
        &self,
        mut view: QueueView,
        rungs: &[Span],
        refused: &mut dyn FnMut(BadSetting),
    ) -> QueueView {
        match self.threshold {
            Some(threshold) if is_rung(rungs, threshold) => view.threshold = threshold,
            Some(_) => refused(BadSetting::Threshold),
            None => {}
        }
        match self.short_abandon {
            Some(short) if short == Span::ZERO || is_rung(rungs, short) => {
                view.short_abandon = short;
            }
            Some(_) => refused(BadSetting::ShortAbandon),
            None => {}
        }
        if view.short_abandon > view.threshold {
            if self.short_abandon.is_some() {
                refused(BadSetting::ShortAbandon);
            }
            view.short_abandon = view.threshold;
        }
        match self.variant.as_deref().map(Variant::parse) {
            Some(Some(variant)) => view.variant = variant,
            Some(None) => refused(BadSetting::Variant),
            None => {}
        }
        match self.target {
            Some(target) if (0.0..=1.0).contains(&target) => view.target = target,
            Some(_) => refused(BadSetting::Target),
            None => {}
        }
        replace(&mut view.hours, self.hours.as_ref());
        replace(&mut view.group, self.group.as_ref());
        replace(&mut view.display_name, self.display_name.as_ref());
        view
    }
}

fn replace(field: &mut Option<String>, value: Option<&String>) {
    if let Some(value) = value {
        *field = Some(value.clone());
    }
}

/// Whether a limit is a rung.
pub(super) fn is_rung(rungs: &[Span], limit: Span) -> bool {
    rung_index(rungs, limit).is_some_and(|rung| rungs[rung] == limit)
}
