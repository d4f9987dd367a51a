//! What is kept from one merge to the next never shows.

use std::borrow::Cow;

use super::*;
use crate::event::{QueueConfigured, QueueEvent, QueueKind};
use crate::live::plan::CHANNELS_FEW;
use crate::live::{QueueKey, Snapshot, fixture};
use crate::windows::numbering::Numbering;

fn json(merged: &Merged) -> serde_json::Value {
    serde_json::to_value(Snapshot {
        merged,
        data_age_seconds: None,
        source_silence_seconds: None,
    })
    .unwrap()
}

fn after(before: Option<&Merged>, frames: &[Arc<Frame>], registry: &Registry) -> Merged {
    let options = MergeOptions {
        specs: &fixture::specs(),
        coverage: &fixture::coverage(),
        threshold: None,
    };
    merge_after(before, frames.to_vec(), registry, &options)
}

fn said(registry: &Registry, kind: QueueKind<'static>) {
    let event = QueueEvent {
        id: Cow::Borrowed("q"),
        time: fixture::NOW,
        client_id: Cow::Borrowed("acme"),
        queue_id: Some(Cow::Borrowed("sales")),
        channel: None,
        kind,
    };
    registry.apply(&event, &mut |_| {});
}

/// Merges frames after `before`, checks them against a merge of their own, and tells whether the
/// windows were kept.
fn kept(before: &Merged, frames: &[Arc<Frame>], registry: &Registry) -> (Merged, bool) {
    let merged = after(Some(before), frames, registry);
    let fresh = after(None, frames, registry);
    assert_eq!(json(&merged), json(&fresh));
    let same = |old: &Row, new: &Row| Arc::ptr_eq(&old.windows, &new.windows);
    let kept = same(&before.total, &merged.total);
    (merged, kept)
}

#[test]
fn between_two_seconds_only_now_figures_are_added_up() {
    let registry = fixture::registry();
    let mut frames = fixture::frames(&registry, 7);
    let before = after(None, &frames, &registry);
    let first = Arc::make_mut(&mut frames[0]);
    first.gauges[gauge::WAITING] += 5;
    first.now = first.now + Span(250);
    let (merged, windows_kept) = kept(&before, &frames, &registry);
    assert!(windows_kept);
    let more = merged.total.contacts.waiting - before.total.contacts.waiting;
    assert_eq!(more, 5);
    // a window that has moved
    let first = Arc::make_mut(&mut frames[0]);
    let window = Arc::make_mut(&mut first.windows[0]);
    fixture::add_to_window(window, 0, contact::OFFERED, 1);
    let (merged, windows_kept) = kept(&merged, &frames, &registry);
    assert!(!windows_kept);
    assert!(Arc::ptr_eq(&merged.plan, &before.plan));
}

#[test]
fn what_is_said_of_a_queue_is_in_force_with_the_next_tick() {
    let registry = fixture::registry();
    let frames = fixture::frames(&registry, 7);
    let mut before = after(None, &frames, &registry);
    let settings = QueueConfigured {
        threshold: Some(Span::seconds(60)),
        group: Some("wholesale".into()),
        ..QueueConfigured::default()
    };
    let gap = QueueKind::SourceGap {
        source: Cow::Borrowed("acd"),
        from: fixture::NOW - Span::minutes(2),
        to: fixture::NOW,
    };
    for kind in [QueueKind::Configured(settings), gap, QueueKind::Removed] {
        said(&registry, kind);
        let (merged, windows_kept) = kept(&before, &frames, &registry);
        assert!(!windows_kept);
        assert_ne!(json(&before), json(&merged));
        before = merged;
    }
}

#[test]
fn a_queue_that_comes_is_shown_with_the_next_tick() {
    let registry = fixture::registry();
    let frames = fixture::frames(&registry, 7);
    let before = after(None, &frames, &registry);
    registry.queue("initech", "new", "voice");
    let (merged, _) = kept(&before, &frames, &registry);
    assert_eq!(merged.queues.len(), before.queues.len() + 1);
    let names: Vec<&RowName> = merged.clients.iter().map(|row| &*row.name).collect();
    assert!(names.contains(&&RowName::Client("initech".to_owned())));
}

#[test]
fn a_contact_feed_that_comes_makes_agents_known() {
    let registry = fixture::registry();
    let mut frames = fixture::frames(&registry, 7);
    for frame in &mut frames {
        Arc::make_mut(frame).feeds.clear();
    }
    let before = after(None, &frames, &registry);
    assert!(!before.total.agents.known);
    Arc::make_mut(&mut frames[0]).feeds = vec![true];
    let (merged, windows_kept) = kept(&before, &frames, &registry);
    assert!(!windows_kept && merged.total.agents.known);
}

#[test]
fn percentiles_are_the_same_however_many_channels_there_are() {
    let registry = fixture::registry();
    let few = fixture::merged(&registry);
    for channel in 0..=CHANNELS_FEW {
        registry.add_queue(&QueueKey::new("zeta", "q", &format!("c{channel}")));
    }
    let many = fixture::merged(&registry);
    assert!(many.channels.len() > CHANNELS_FEW);
    let percentiles = |row: &Row| -> Vec<_> {
        let windows = row.windows.iter();
        windows
            .map(|window| (window.contacts.wait, window.contacts.handle))
            .collect()
    };
    let voice = |merged: &Merged| {
        let is_voice = |row: &&Row| *row.name == RowName::Channel("voice".to_owned());
        merged.channels.iter().find(is_voice).map(percentiles)
    };
    assert!(percentiles(&few.total)[0].0.at(50).is_some());
    assert_eq!(percentiles(&few.total), percentiles(&many.total));
    assert!(voice(&few).is_some());
    assert_eq!(voice(&few), voice(&many));
}
