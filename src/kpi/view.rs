//! View settings of a queue: what is shown and how, never what is counted.

use crate::event::Span;

/// A way of computing service level; see `docs/kpi.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "docs/kpi.md has the formula and source of each"
)]
pub enum Variant {
    Sl1,
    Sl2,
    Sl3,
    Sl4,
    Sl5,
    Sl6,
    Sl7,
    Sl8,
    #[default]
    Sl9,
    Sl10,
    Sl11,
    Sl12,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 12] = [
        Self::Sl1,
        Self::Sl2,
        Self::Sl3,
        Self::Sl4,
        Self::Sl5,
        Self::Sl6,
        Self::Sl7,
        Self::Sl8,
        Self::Sl9,
        Self::Sl10,
        Self::Sl11,
        Self::Sl12,
    ];

    /// `sl1` … `sl12`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sl1 => "sl1",
            Self::Sl2 => "sl2",
            Self::Sl3 => "sl3",
            Self::Sl4 => "sl4",
            Self::Sl5 => "sl5",
            Self::Sl6 => "sl6",
            Self::Sl7 => "sl7",
            Self::Sl8 => "sl8",
            Self::Sl9 => "sl9",
            Self::Sl10 => "sl10",
            Self::Sl11 => "sl11",
            Self::Sl12 => "sl12",
        }
    }

    /// The variant of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }
}

/// What `sl9` makes of abandons within T.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AbandonsWithin {
    /// They count nowhere.
    #[default]
    Ignored,
    /// They count as missed, short ones excepted.
    Negative,
    /// They count as met, short ones excepted.
    Positive,
}

/// The switches of the variants that have any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
pub struct SwitchSettings {
    /// `sl7`: abandons are in the denominator.
    pub abandons: bool,
    /// `sl7`: short abandons are in the denominator.
    pub short_abandons: bool,
    /// `sl9`: what becomes of abandons within T.
    pub abandons_within_threshold: AbandonsWithin,
    /// `sl9`: callback requests within T are met.
    pub callbacks_met_within_threshold: bool,
    /// `sl11`: answered within this is in range.
    pub range_answered: Span,
    /// `sl11`: abandoned within this is left out of the denominator.
    pub range_abandoned: Span,
    /// Abandonment is of offered, not of answered + abandoned.
    pub abandonment_of_offered: bool,
}

impl Default for SwitchSettings {
    fn default() -> Self {
        Self {
            abandons: true,
            short_abandons: true,
            abandons_within_threshold: AbandonsWithin::Ignored,
            callbacks_met_within_threshold: false,
            range_answered: Span::seconds(20),
            range_abandoned: Span::seconds(20),
            abandonment_of_offered: false,
        }
    }
}

/// How one queue is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueView {
    /// Service threshold T; one of the channel's rungs.
    pub threshold: Span,
    /// Short-abandon threshold S; 0 (off) or one of the channel's rungs, at most T.
    pub short_abandon: Span,
    /// The service level's formula.
    pub variant: Variant,
    /// Its switches.
    pub switches: SwitchSettings,
    /// Target service level, 0..=1.
    pub target: f64,
    /// Business unit.
    pub group: Option<String>,
    /// What people call the queue.
    pub display_name: Option<String>,
    /// Opening hours, as given.
    pub hours: Option<String>,
}

impl Default for QueueView {
    fn default() -> Self {
        Self {
            threshold: Span::seconds(20),
            short_abandon: Span::ZERO,
            variant: Variant::Sl9,
            switches: SwitchSettings::default(),
            target: 0.8,
            group: None,
            display_name: None,
            hours: None,
        }
    }
}
