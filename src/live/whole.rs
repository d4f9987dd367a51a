//! What is shown while others have partitions too: the whole centre, made of everyone's rows.
//!
//! The latest instant that all have published whole is shown, never a mixture of instants. Until
//! there is a later one it stands, and its age grows. When it is as old as `stale_after`, nothing in
//! it is complete any more: no row is, since every queue's contacts lie in all partitions. Then it is
//! not exported either, since Prometheus would take it for now.

use std::sync::{Arc, PoisonError};

use crate::event::{Millis, Span};

use super::live::{Absent, Live, Look};
use super::{Condition, Coverage, MergeOptions, Merged, Share, Whole, merge_after};

/// What is to be shown.
struct Shown {
    tick: u64,
    to: Millis,
    known_to: Millis,
    coverage: Coverage,
    share: Share,
    whole: Option<Arc<Whole>>,
}

impl Live {
    /// The whole centre, with another T for all queues if one is asked for.
    pub(super) fn look_at_all(
        &self,
        share: Share,
        unready: Option<String>,
        threshold: Option<Span>,
    ) -> Result<Look, Absent> {
        let mut condition = self.held()?;
        if let Some(reason) = unready {
            return Err(Absent::Unready(reason));
        }
        let mut latest = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.parts.clock)();
        let Some(mut shown) = self.to_be_shown(latest.as_deref(), share) else {
            let why = condition.unready.take();
            return Err(Absent::Unready(why.unwrap_or_else(|| self.nothing_whole())));
        };
        let stale = now - shown.to > self.parts.stale_after;
        if stale {
            shown.coverage = Coverage::Nothing;
        }
        let kept = latest.as_ref().filter(|kept| {
            threshold.is_none() && kept.tick == shown.tick && *kept.coverage() == shown.coverage
        });
        let merged = if let Some(kept) = kept {
            Arc::clone(kept)
        } else {
            let before = latest.as_deref();
            let fresh = self.merge_all(before, &shown, threshold);
            let fresh = Arc::new(fresh.ok_or(Absent::NoFrame)?);
            if threshold.is_none() {
                *latest = Some(Arc::clone(&fresh));
            }
            fresh
        };
        drop(latest);
        self.tell_age(&mut condition, now - shown.known_to, stale);
        Ok(Look {
            merged,
            condition,
            share: shown.share,
            stale,
            silence: None,
        })
    }

    /// The latest whole, or what was shown before if that is later.
    fn to_be_shown(&self, before: Option<&Merged>, now: Share) -> Option<Shown> {
        let whole = self.parts.centre.whole();
        let later = |whole: &Arc<Whole>| before.is_none_or(|before| before.to <= whole.to);
        match (whole.filter(later), before) {
            (Some(whole), _) => Some(Shown {
                tick: whole.to.0.unsigned_abs(),
                to: whole.to,
                known_to: whole.known_to.unwrap_or(whole.to).min(whole.to),
                coverage: self.coverage_since(whole.since),
                share: both(&whole.own, now),
                whole: Some(whole),
            }),
            (None, Some(before)) => Some(Shown {
                tick: before.tick,
                to: before.to,
                known_to: before.to,
                coverage: before.coverage().clone(),
                share: now,
                whole: None,
            }),
            (None, None) => None,
        }
    }

    fn merge_all(
        &self,
        before: Option<&Merged>,
        shown: &Shown,
        threshold: Option<Span>,
    ) -> Option<Merged> {
        let frames = match (&shown.whole, before) {
            (Some(whole), _) => whole.frames.clone(),
            (None, Some(before)) => before.frames.clone(),
            (None, None) => return None,
        };
        let options = MergeOptions {
            specs: &self.parts.specs,
            coverage: &shown.coverage,
            threshold,
        };
        let before = before.filter(|_| threshold.is_none());
        Some(merge_after(before, frames, &self.parts.registry, &options))
    }

    fn coverage_since(&self, since: [Millis; 2]) -> Coverage {
        match (self.parts.coverage)() {
            Coverage::Live(mut reading) => {
                [reading.contacts_since, reading.agents_since] = since;
                Coverage::Live(reading)
            }
            other => other,
        }
    }

    fn tell_age(&self, condition: &mut Condition, age: Span, stale: bool) {
        condition.data_age = Some(age.max(Span::ZERO));
        condition.unready = stale.then(|| self.nothing_whole());
    }

    fn nothing_whole(&self) -> String {
        let missing = &self.parts.centre.instances().missing;
        if missing.is_empty() {
            "the instances have not published the whole centre".to_owned()
        } else {
            format!("no instance has published {}", missing.join(", "))
        }
    }
}

/// What was a process's own at the instant shown and is so now.
fn both(then: &[bool], now: Share) -> Share {
    match now {
        Share::All => Share::All,
        Share::Of(now) => {
            let now = now.into_iter().chain(std::iter::repeat(false));
            Share::Of(
                then.iter()
                    .zip(now)
                    .map(|(then, now)| *then && now)
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests;
