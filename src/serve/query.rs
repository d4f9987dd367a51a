//! What may stand after the `?`.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;

use crate::event::Span;
use crate::kpi::seconds;
use crate::live::{Live, Merged, QueueEntry, QueueKey};

use super::refusal::{Refusal, brief};

/// `?threshold=`, `?window=` and `?brief=`, each at most once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    threshold: Option<String>,
    window: Option<String>,
    brief: Option<bool>,
}

/// A queue by its name, with what else may stand there. In the query a name may hold anything; in a path
/// ".." is a way up for whoever asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedQueue {
    client: String,
    queue: String,
    channel: String,
    threshold: Option<String>,
    window: Option<String>,
}

impl AskedQueue {
    /// The queue, and what is asked of it.
    pub(super) fn of(
        query: Result<Query<Self>, QueryRejection>,
    ) -> Result<(QueueKey, Asked), Refusal> {
        let Ok(Query(asked)) = query else {
            return Err(Refusal::bad(
                "the query must hold client, queue and channel, and may hold threshold and window, each once",
            ));
        };
        let key = QueueKey {
            client: asked.client,
            queue: asked.queue,
            channel: asked.channel,
        };
        let others = Asked {
            threshold: asked.threshold,
            window: asked.window,
            brief: None,
        };
        Ok((key, others))
    }
}

/// A query as axum reads it.
pub(super) type AskedQuery = Result<Query<Asked>, QueryRejection>;

impl Asked {
    /// The query, if there is nothing in it that we do not know.
    pub(super) fn of(query: AskedQuery) -> Result<Self, Refusal> {
        query.map(|Query(asked)| asked).map_err(|_| {
            Refusal::bad(
                "the query may hold threshold, window and brief (true or false), each at most once",
            )
        })
    }

    /// The threshold asked for.
    pub(super) fn threshold(&self) -> Result<Option<Span>, Refusal> {
        let Some(text) = self.threshold.as_deref() else {
            return Ok(None);
        };
        parse_threshold(text).map(Some).ok_or_else(|| {
            Refusal::bad(format!(
                "threshold \"{}\" is no time; write 20 or 20s or 1500ms",
                brief(text)
            ))
        })
    }

    /// The window asked for, one of those configured.
    pub(super) fn window(&self, live: &Live) -> Result<Option<&str>, Refusal> {
        let Some(asked) = self.window.as_deref() else {
            return Ok(None);
        };
        if live.specs().iter().any(|spec| spec.key == asked) {
            return Ok(Some(asked));
        }
        let keys: Vec<&str> = live.specs().iter().map(|spec| spec.key.as_str()).collect();
        Err(Refusal::bad(format!(
            "window \"{}\" is not configured; there are {}",
            brief(asked),
            keys.join(", ")
        )))
    }

    /// Whether only what a list of queues shows is wanted.
    pub(super) fn brief(&self) -> bool {
        self.brief.unwrap_or(false)
    }

    /// No threshold may be asked for.
    pub(super) fn no_threshold(&self) -> Result<(), Refusal> {
        match self.threshold {
            None => Ok(()),
            Some(_) => Err(Refusal::bad(
                "the stream shows each queue with its own threshold",
            )),
        }
    }
}

/// Seconds, or a number with `s` or `ms`.
fn parse_threshold(text: &str) -> Option<Span> {
    let (number, scale) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1000)
    };
    let number: i64 = number.parse().ok()?;
    let millis = number.checked_mul(scale)?;
    (millis >= 0).then_some(Span(millis))
}

/// A threshold must be a rung of every channel shown.
pub(super) fn check_rungs(threshold: Span, merged: &Merged) -> Result<(), Refusal> {
    let mut entries = merged.queues.iter().filter_map(|row| row.queue.as_ref());
    entries.try_for_each(|(entry, _)| check_rung(threshold, entry))
}

/// A threshold must be a rung of the queue's channel.
pub(super) fn check_rung(threshold: Span, entry: &QueueEntry) -> Result<(), Refusal> {
    if entry.has_rung(threshold) {
        return Ok(());
    }
    let rungs: Vec<String> = entry
        .rungs
        .iter()
        .map(|rung| seconds(rung.0).to_string())
        .collect();
    Err(Refusal::bad(format!(
        "threshold {} s is no rung of channel {}; its rungs are {} s",
        seconds(threshold.0),
        entry.key.channel,
        rungs.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_seconds_unless_they_say_otherwise() {
        for (text, millis) in [
            ("20", Some(20_000)),
            ("20s", Some(20_000)),
            ("1500ms", Some(1500)),
            ("0", Some(0)),
            ("-1", None),
            ("", None),
            ("2m", None),
            ("99999999999999999999", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(parse_threshold(text).map(|span| span.0), millis, "{text}");
        }
    }
}
