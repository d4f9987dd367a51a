//! `/api/v1/stream`: server-sent events, one for each tick.
//!
//! First `hello` with the windows that there are and whether agents are listed; then `figures`, a snapshot with the one window
//! asked for (`?window=`, else the first configured), with `?brief=true` only what a list of queues
//! shows; or, while there are none, `absent` with the reason, once a second. A text of more than
//! `LARGE` bytes comes once a second only, when the windows have moved; at the ticks between, `now` has the *now* figures of the
//! rows in which they changed since the windows moved, or where somebody waits, to be put in the place of those in `figures`. The stream ends when the
//! engine ends. The text of a tick is made once and shared by all listeners of a window.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde_json::json;

use crate::live::{Absent, ChangedRows, Changes, Look, OneWindow, Snapshot};

use super::Served;
use super::query::{Asked, AskedQuery};
use super::refusal::Refusal;

/// How often a listener looks for a new tick: adds this much delay at most.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many looks without figures go by between two `absent`.
const ABSENT_EVERY: u32 = 50;

/// What is larger would take a browser's time and the network's if it came at each tick.
const LARGE: usize = 500_000;

/// What a listener wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    window: String,
    brief: bool,
}

/// A text and the tick that it was made of.
type Text = (u64, Arc<str>);

/// The latest texts, for all listeners.
#[derive(Debug, Default)]
pub(super) struct Events(Mutex<Texts>);

#[derive(Debug, Default)]
struct Texts {
    figures: BTreeMap<Wanted, Text>,
    changes: Option<Text>,
    /// As of the latest tick that was told to anybody who is told changes.
    rows: ChangedRows,
}

impl Texts {
    fn figures(&mut self, look: &Look, wanted: &Wanted) -> Option<Arc<str>> {
        let merged = &look.merged;
        let known = self.figures.get(wanted);
        if let Some((_, text)) = known.filter(|(tick, _)| *tick == merged.tick) {
            return Some(Arc::clone(text));
        }
        let figures = OneWindow {
            snapshot: snapshot(look),
            window: &wanted.window,
            brief: wanted.brief,
        };
        let text: Arc<str> = serde_json::to_string(&figures).ok()?.into();
        let made = (merged.tick, Arc::clone(&text));
        self.figures.insert(wanted.clone(), made);
        Some(text)
    }

    fn changes(&mut self, look: &Look) -> Option<Arc<str>> {
        let tick = look.merged.tick;
        if let Some((_, text)) = self
            .changes
            .as_ref()
            .filter(|(made_at, _)| *made_at == tick)
        {
            return Some(Arc::clone(text));
        }
        let changes = Changes {
            snapshot: snapshot(look),
            rows: &self.rows,
        };
        let text: Arc<str> = serde_json::to_string(&changes).ok()?.into();
        self.changes = Some((tick, Arc::clone(&text)));
        Some(text)
    }
}

fn snapshot(look: &Look) -> Snapshot<'_> {
    Snapshot {
        merged: &look.merged,
        data_age_seconds: look.data_age_seconds(),
        source_silence_seconds: look.source_silence_seconds(),
    }
}

/// What a listener has been told.
#[derive(Default)]
struct Told {
    tick: Option<u64>,
    /// The epoch of the latest figures, if these are large: until the next one changes are told.
    large: Option<u64>,
    looks_absent: u32,
    ending: bool,
}

/// The stream.
pub(super) async fn stream(
    State(served): State<Arc<Served>>,
    query: AskedQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let asked = Asked::of(query)?;
    asked.no_threshold()?;
    let keys: Vec<String> = served
        .live
        .specs()
        .iter()
        .map(|spec| spec.key.clone())
        .collect();
    let window = match asked.window(&served.live)? {
        Some(window) => window.to_owned(),
        None => keys.first().cloned().unwrap_or_default(),
    };
    let hello = json!({
        "windows": keys,
        "window": window,
        "version": env!("CARGO_PKG_VERSION"),
        "lists_agents": served.live.lists_agents(),
    });
    let wanted = Wanted {
        window,
        brief: asked.brief(),
    };
    let events = async_stream::stream! {
        yield Ok(Event::default().event("hello").data(hello.to_string()));
        let mut told = Told::default();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // HTTP cannot close before its last listener has gone
        while !told.ending {
            looks.tick().await;
            if let Some(event) = next(&served, &wanted, &mut told) {
                yield Ok(event);
            }
        }
    };
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// What there is to tell, if anything.
fn next(served: &Served, wanted: &Wanted, told: &mut Told) -> Option<Event> {
    match served.live.look() {
        Ok(look) => {
            told.looks_absent = 0;
            if told.tick == Some(look.merged.tick) {
                return None;
            }
            told.tick = Some(look.merged.tick);
            let texts = &served.events.0;
            let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(epoch) = told.large
                && texts.rows.note(&look.merged) == epoch
            {
                let text = texts.changes(&look)?;
                return Some(Event::default().event("now").data(&*text));
            }
            let text = texts.figures(&look, wanted)?;
            told.large = (text.len() > LARGE).then(|| texts.rows.note(&look.merged));
            Some(Event::default().event("figures").data(&*text))
        }
        Err(absent) => {
            let due = told.looks_absent.is_multiple_of(ABSENT_EVERY);
            told.looks_absent = told.looks_absent.wrapping_add(1);
            told.tick = None;
            told.large = None;
            told.ending = absent == Absent::Ending;
            let reason = json!({ "reason": absent.to_string() });
            due.then(|| Event::default().event("absent").data(reason.to_string()))
        }
    }
}
