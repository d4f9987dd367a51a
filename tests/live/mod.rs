//! What readers see of an engine that is set up by hand: nothing is wrong with it, and no other is
//! there.

use std::sync::Arc;

use queuepulse::event::{Millis, Span};
use queuepulse::live::{Condition, Coverage, Frames, LiveParts, Registry, Standing};
use queuepulse::windows::frame::WindowSpec;

/// 2026-01-05T09:00:00Z: what its clock says.
pub const NOW: Millis = Millis(1_767_603_600_000);

/// It alone, with figures of 300 ms ago.
pub fn healthy() -> Condition {
    Condition {
        data_age: Some(Span(300)),
        ..Condition::default()
    }
}

/// An engine of these windows that publishes these frames.
pub fn alone(registry: &Arc<Registry>, frames: &Arc<Frames>, specs: &[WindowSpec]) -> LiveParts {
    LiveParts {
        registry: Arc::clone(registry),
        frames: Arc::clone(frames),
        specs: specs.into(),
        coverage: Box::new(|| Coverage::Nothing),
        condition: Box::new(|_| healthy()),
        clock: || NOW,
        session_timeout: Span::seconds(10),
        history: Box::new(|_, _| None),
        standing: Box::new(|| Standing::Alone),
        centre: Arc::default(),
        stale_after: Span::seconds(30),
    }
}
