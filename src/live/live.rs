//! What HTTP sees of the engine: the merged figures of the latest tick, or why there are none.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Millis, Span};
use crate::windows::frame::WindowSpec;
use crate::windows::history::Columns;
use crate::windows::numbering::Numbering;

use super::{
    Centre, Condition, Coverage, Frames, MergeOptions, Merged, QueueKey, Registry, Share,
    merge_after,
};

/// Contact columns of a queue between neighbouring edges, from the workers' logs; none when they do
/// not answer.
pub type History = Box<dyn Fn(&QueueKey, &[Millis]) -> Option<Vec<Columns>> + Send + Sync>;

/// What [`Live`] is made of.
pub struct LiveParts {
    /// Queues, their settings and names.
    pub registry: Arc<Registry>,
    /// What the workers publish.
    pub frames: Arc<Frames>,
    /// The windows, in the order of the frames'.
    pub specs: Arc<[WindowSpec]>,
    /// From when on figures are whole.
    pub coverage: Box<dyn Fn() -> Coverage + Send + Sync>,
    /// The condition at an instant.
    pub condition: Box<dyn Fn(Millis) -> Condition + Send + Sync>,
    /// The wall clock.
    pub clock: fn() -> Millis,
    /// A poll loop that has not gone round for this long may have lost its partitions: nothing is
    /// shown.
    pub session_timeout: Span,
    /// Past minutes of a queue.
    pub history: History,
    /// How this process stands to the others of its group.
    pub standing: Box<dyn Fn() -> Standing + Send + Sync>,
    /// What all instances have published.
    pub centre: Arc<Centre>,
    /// A centre that is as old as this is marked as such.
    pub stale_after: Span,
}

/// How this process stands to the others of its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has every partition: its own frames are the whole centre.
    Alone,
    /// Others have partitions: the centre is what all have published.
    Among {
        /// What it exports: by contact partition, those that it has now.
        share: Share,
        /// Why it cannot show even that.
        unready: Option<String>,
    },
}

/// The engine as readers see it. Any number of them, none waits for a writer.
pub struct Live {
    pub(super) parts: LiveParts,
    /// The merge of the latest tick: the first reader makes it, under this lock, and all share it.
    pub(super) merged: Mutex<Option<Arc<Merged>>>,
}

impl fmt::Debug for LiveParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveParts")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("registry", &self.parts.registry)
            .finish_non_exhaustive()
    }
}

/// What a reader is shown.
#[derive(Clone, Debug)]
pub struct Look {
    /// The figures of one instant.
    pub merged: Arc<Merged>,
    /// The engine's condition at the moment of looking.
    pub condition: Condition,
    /// What of it is this process's to export.
    pub share: Share,
    /// It is too old to stand for now: said where it is shown, and not exported.
    pub stale: bool,
    /// How long no topic has sent an event; none before the first one, and of figures that others
    /// have a part in, since their topics' silence is not known here.
    pub silence: Option<Span>,
}

impl Look {
    /// `data_age_seconds`.
    pub fn data_age_seconds(&self) -> Option<f64> {
        self.condition
            .data_age
            .map(|age| crate::kpi::seconds(age.0))
    }

    /// `source_silence_seconds`.
    pub fn source_silence_seconds(&self) -> Option<f64> {
        self.silence.map(|silence| crate::kpi::seconds(silence.0))
    }
}

/// Why nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// Reading has not come far enough, or cannot go on.
    #[error("no figures yet: {0}")]
    Unready(String),
    /// The process was asked to end.
    #[error("no figures: the engine is ending")]
    Ending,
    /// The lease on the partitions may have ended.
    #[error("no figures: the poll loop has not gone round for {} s", .0.0 / 1000)]
    Stalled(Span),
    /// The lease on the partitions has ended and is not confirmed anew.
    #[error(
        "no figures: the group has not confirmed that the partitions are still this instance's"
    )]
    LeaseEnded,
    /// No tick is complete.
    #[error("no figures yet: no worker has published")]
    NoFrame,
}

/// Why there is no past of a queue by the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHistory {
    /// It is worked out from the log of facts, which each instance has of its partitions alone. Rows
    /// do not carry it: it would be sixty rows more for each queue, for a detail seldom looked at.
    #[error(
        "several instances share the partitions: each knows a part of a queue's minutes, and rows \
         carry windows only"
    )]
    Shared,
    /// A worker was too busy.
    #[error("the workers did not answer in time")]
    NoAnswer,
}

impl Live {
    /// The engine made of these parts.
    pub fn new(parts: LiveParts) -> Self {
        Self {
            parts,
            merged: Mutex::new(None),
        }
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.parts.registry
    }

    /// How many queues there are.
    pub fn queues(&self) -> usize {
        self.parts.registry.queues()
    }

    /// The windows.
    pub fn specs(&self) -> &Arc<[WindowSpec]> {
        &self.parts.specs
    }

    /// The number of the latest complete tick; changes when there is something new to see.
    pub fn tick(&self) -> Option<u64> {
        self.parts.frames.tick()
    }

    /// The condition now.
    pub fn condition(&self) -> Condition {
        (self.parts.condition)((self.parts.clock)())
    }

    /// The figures of the latest tick.
    ///
    /// # Errors
    /// Why nothing is shown.
    pub fn look(&self) -> Result<Look, Absent> {
        if let Standing::Among { share, unready } = (self.parts.standing)() {
            return self.look_at_all(share, unready, None);
        }
        let condition = self.allowed()?;
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        let tick = self.parts.frames.tick();
        let latest = merged.as_ref().filter(|latest| Some(latest.tick) == tick);
        let look = match latest {
            Some(latest) => Arc::clone(latest),
            None => match self.merge(merged.as_deref(), None) {
                Some(fresh) => {
                    let fresh = Arc::new(fresh);
                    *merged = Some(Arc::clone(&fresh));
                    fresh
                }
                // the workers are between two ticks: the one before is shown
                None => merged.clone().ok_or(Absent::NoFrame)?,
            },
        };
        shown(look, condition)
    }

    /// The figures of the latest tick with another T for all queues. Not shared, made for this
    /// reader alone.
    ///
    /// # Errors
    /// Why nothing is shown.
    pub fn look_at_threshold(&self, threshold: Span) -> Result<Look, Absent> {
        if let Standing::Among { share, unready } = (self.parts.standing)() {
            return self.look_at_all(share, unready, Some(threshold));
        }
        let condition = self.allowed()?;
        let merged = self.merge(None, Some(threshold)).ok_or(Absent::NoFrame)?;
        shown(Arc::new(merged), condition)
    }

    /// Contact columns of a queue between neighbouring edges. Waits for the workers.
    ///
    /// # Errors
    /// Why there are none.
    pub fn history(&self, queue: &QueueKey, edges: &[Millis]) -> Result<Vec<Columns>, NoHistory> {
        if (self.parts.standing)() != Standing::Alone {
            return Err(NoHistory::Shared);
        }
        (self.parts.history)(queue, edges).ok_or(NoHistory::NoAnswer)
    }

    fn allowed(&self) -> Result<Condition, Absent> {
        let condition = self.held()?;
        match &condition.unready {
            Some(reason) => Err(Absent::Unready(reason.clone())),
            None => Ok(condition),
        }
    }

    /// The condition, if the process may show anything.
    pub(super) fn held(&self) -> Result<Condition, Absent> {
        let condition = self.condition();
        if condition.ending {
            return Err(Absent::Ending);
        }
        match condition.poll_age {
            Some(age) if age > self.parts.session_timeout => Err(Absent::Stalled(age)),
            // Without a broker there never was a lease: then that is what to mend.
            _ if condition.lease_ended => Err(condition
                .unready
                .map_or(Absent::LeaseEnded, Absent::Unready)),
            _ => Ok(condition),
        }
    }

    fn merge(&self, before: Option<&Merged>, threshold: Option<Span>) -> Option<Merged> {
        let frames = self.parts.frames.latest()?;
        let options = MergeOptions {
            specs: &self.parts.specs,
            coverage: &(self.parts.coverage)(),
            threshold,
        };
        Some(merge_after(before, frames, &self.parts.registry, &options))
    }
}

/// What was merged, if it holds nothing that was taken away since.
fn shown(merged: Arc<Merged>, condition: Condition) -> Result<Look, Absent> {
    if merged.tick < condition.shown_from {
        return Err(Absent::NoFrame);
    }
    let silence = condition.silence.iter().map(|(_, silence)| *silence).min();
    Ok(Look {
        merged,
        condition,
        share: Share::All,
        stale: false,
        silence,
    })
}
