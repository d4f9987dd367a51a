//! Counters and what refolds took from them.
//!
//! A refold is netted per counter: a gain goes to the counter, a loss to
//! `queuepulse_corrections_total{figure}`; total = counter − losses. A change of stamp alone moves
//! neither.

/// One counter of a queue on /metrics. The rung is that of the label `threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "each is the counter of that name in the metric catalogue"
)]
pub enum Counter {
    Offered,
    Answered,
    AnsweredWithin(u8),
    Abandoned,
    AbandonedWithin(u8),
    AbandonedAtOnce,
    CallbacksRequested,
    FlowedOut(u8),
    ThresholdPassed(u8),
    AlertFailed,
    Transferred,
    Handled,
    AnsweredWait,
    AbandonedWait,
    Talk,
    Hold,
    AfterContact,
    Rated,
    Complained,
    Resolved,
}

impl Counter {
    /// The value of the label `figure`.
    pub const fn figure(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::AnsweredWithin(_) => "answered_within_threshold",
            Self::Abandoned => "abandoned",
            Self::AbandonedWithin(_) => "abandoned_within_threshold",
            Self::AbandonedAtOnce => "abandoned_at_once",
            Self::CallbacksRequested => "callbacks_requested",
            Self::FlowedOut(_) => "flowed_out",
            Self::ThresholdPassed(_) => "threshold_passed",
            Self::AlertFailed => "alert_failed",
            Self::Transferred => "transferred",
            Self::Handled => "handled",
            Self::AnsweredWait => "answered_wait_seconds",
            Self::AbandonedWait => "abandoned_wait_seconds",
            Self::Talk => "talk_seconds",
            Self::Hold => "hold_seconds",
            Self::AfterContact => "after_contact_seconds",
            Self::Rated => "rated",
            Self::Complained => "complained",
            Self::Resolved => "resolved",
        }
    }
}
