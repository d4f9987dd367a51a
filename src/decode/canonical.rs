//! From the table of a record to the event that its type names.
//!
//! A field that the type does not read is not looked at. Needed and missing (or `null`) is a bad
//! record; so is a needed or optional field of the wrong type. Whole numbers may be written `5.0` or
//! `1e3`. Negative durations pass: the fold makes them 0 and counts them.

use super::fields::{Entry, Key, Table, Value};
use super::instant::parse_instant;
use crate::event::{
    ActivityState, AgentContact, AgentEvent, AgentKind, AgentSnapshot, Capacity, ContactEvent,
    ContactKind, Direction, Discard, EndedBy, Event, FlowOut, Membership, Millis, Outcome,
    Presence, QueueConfigured, QueueEvent, QueueKind, SnapshotContact, Span, Text,
};

/// The client of events that name none.
const DEFAULT_CLIENT: &str = "default";
/// A stated duration, or a wait since a stated queue entry, is refused beyond a year: no contact
/// lasts as long, and sums of hundreds of millions of them still fit.
const LONGEST: Span = Span::hours(366 * 24);
/// Whole numbers up to here have an exact decimal form as a float: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Builds the event of a record.
pub(super) fn event<'a>(
    record: &mut impl Table<'a>,
    whole_seconds: bool,
) -> Result<Event<'a>, Discard> {
    let kind = needed(record.text(Key::Type)?)?;
    let mut reader = Reader {
        fields: record,
        whole_seconds,
    };
    if let Some(name) = kind.strip_prefix("contact.") {
        reader.contact(name).map(Event::Contact)
    } else if let Some(name) = kind.strip_prefix("agent.") {
        reader.agent(name).map(Event::Agent)
    } else {
        reader.queue(&kind).map(Event::Queue)
    }
}

fn needed<T>(value: Option<T>) -> Result<T, Discard> {
    value.ok_or(Discard::MissingField)
}

/// Values of each kind, taken from a table.
trait Take<'a>: Table<'a> {
    fn text(&mut self, key: Key) -> Result<Option<Text<'a>>, Discard> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Discard::WrongType),
        }
    }

    /// Text that names something, so it cannot be empty.
    fn id(&mut self, key: Key) -> Result<Option<Text<'a>>, Discard> {
        match self.text(key)? {
            Some(text) if text.is_empty() => Err(Discard::EmptyId),
            text => Ok(text),
        }
    }

    /// The text of a channel; one of no characters is none that we could name.
    fn channel(&mut self) -> Result<Option<Text<'a>>, Discard> {
        match self.text(Key::Channel)? {
            Some(text) if text.is_empty() => Err(Discard::UnknownValue),
            text => Ok(text),
        }
    }

    /// Text of a closed list.
    fn choice<T>(
        &mut self,
        key: Key,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Discard> {
        self.text(key)?
            .map(|text| parse(&text).ok_or(Discard::UnknownValue))
            .transpose()
    }

    fn flag(&mut self, key: Key) -> Result<Option<bool>, Discard> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Discard::WrongType),
        }
    }

    fn span(&mut self, key: Key) -> Result<Option<Span>, Discard> {
        self.take(key)
            .map(|value| match Span(whole(&value)?) {
                span if is_too_long(span) => Err(Discard::OutOfRange),
                span => Ok(span),
            })
            .transpose()
    }

    fn number(&mut self, key: Key) -> Result<Option<f64>, Discard> {
        self.take(key).map(|value| decimal(&value)).transpose()
    }

    fn instant(&mut self, key: Key, whole_seconds: bool) -> Result<Option<Millis>, Discard> {
        let instant = match self.take(key) {
            None => return Ok(None),
            Some(Value::Text(text)) => parse_instant(&text)?,
            Some(Value::Huge) => return Err(Discard::TimeRange),
            Some(value) => Millis(whole(&value)?),
        };
        if !(Millis::EARLIEST..=Millis::LATEST).contains(&instant) {
            return Err(Discard::TimeRange);
        }
        let cut = if whole_seconds {
            instant.0.rem_euclid(1000)
        } else {
            0
        };
        Ok(Some(instant - Span(cut)))
    }
}

impl<'a, T: Table<'a>> Take<'a> for T {}

fn is_too_long(span: Span) -> bool {
    !(-LONGEST.0..=LONGEST.0).contains(&span.0)
}

/// A whole number, also one written as a float.
fn whole(value: &Value<'_>) -> Result<i64, Discard> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Huge => Err(Discard::OutOfRange),
        Value::Float(number) if number.fract() != 0.0 => Err(Discard::Number),
        Value::Float(number) if number.abs() > EXACT => Err(Discard::OutOfRange),
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        Value::Float(number) => Ok(*number as i64),
        _ => Err(Discard::WrongType),
    }
}

/// A number of 0 or more.
fn decimal(value: &Value<'_>) -> Result<f64, Discard> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a forecast or a ratio, not a count"
    )]
    let number = match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Huge => return Err(Discard::OutOfRange),
        _ => return Err(Discard::WrongType),
    };
    if number < 0.0 {
        return Err(Discard::OutOfRange);
    }
    Ok(number)
}

/// Takes the fields of one record.
struct Reader<'r, T> {
    fields: &'r mut T,
    whole_seconds: bool,
}

impl<'a, T: Table<'a>> Reader<'_, T> {
    fn instant(&mut self, key: Key) -> Result<Option<Millis>, Discard> {
        self.fields.instant(key, self.whole_seconds)
    }

    /// `id`, `time` and `client_id`, which all events have.
    fn envelope(&mut self) -> Result<(Text<'a>, Millis, Text<'a>), Discard> {
        let id = needed(self.fields.id(Key::Id)?)?;
        let time = needed(self.instant(Key::Time)?)?;
        let client = self.fields.id(Key::ClientId)?;
        Ok((id, time, client.unwrap_or(DEFAULT_CLIENT.into())))
    }

    fn contact(&mut self, name: &str) -> Result<ContactEvent<'a>, Discard> {
        let kind = self.contact_kind(name)?;
        let (id, time, client_id) = self.envelope()?;
        let contact_id = needed(self.fields.id(Key::ContactId)?)?;
        let queue_id = self.fields.id(Key::QueueId)?;
        let agent_id = self.fields.id(Key::AgentId)?;
        let complete = match kind {
            ContactKind::Queued => queue_id.is_some(),
            ContactKind::Alerting | ContactKind::AlertFailed => agent_id.is_some(),
            ContactKind::Answered { queued_at } | ContactKind::Dequeued { queued_at, .. }
                if queued_at.is_some_and(|entry| is_too_long(time - entry)) =>
            {
                return Err(Discard::TimeRange);
            }
            _ => true,
        };
        if !complete {
            return Err(Discard::MissingField);
        }
        Ok(ContactEvent {
            id,
            time,
            client_id,
            campaign_id: self.fields.text(Key::CampaignId)?,
            contact_id,
            queue_id,
            channel: self.fields.channel()?,
            direction: self.fields.choice(Key::Direction, direction)?,
            visit: self.visit()?,
            agent_id,
            kind,
        })
    }

    fn contact_kind(&mut self, name: &str) -> Result<ContactKind, Discard> {
        Ok(match name {
            "created" => ContactKind::Created,
            "queued" => ContactKind::Queued,
            "alerting" => ContactKind::Alerting,
            "alert_failed" => ContactKind::AlertFailed,
            "answered" => ContactKind::Answered {
                queued_at: self.instant(Key::QueuedAt)?,
            },
            "dequeued" => ContactKind::Dequeued {
                outcome: needed(self.fields.choice(Key::Outcome, outcome)?)?,
                queued_at: self.instant(Key::QueuedAt)?,
            },
            "held" => ContactKind::Held,
            "resumed" => ContactKind::Resumed,
            "transferred" => ContactKind::Transferred {
                attended: needed(self.fields.choice(Key::Kind, attended)?)?,
            },
            "ended" => ContactKind::Ended {
                by: self.fields.choice(Key::By, ended_by)?,
                talk: self.fields.span(Key::TalkMs)?,
                hold: self.fields.span(Key::HoldMs)?,
            },
            "wrapped_up" => ContactKind::WrappedUp {
                acw: self.fields.span(Key::AcwMs)?,
            },
            "responded" => ContactKind::Responded,
            "resolved" => ContactKind::Resolved,
            "dialled" => ContactKind::Dialled,
            "callback_scheduled" => ContactKind::CallbackScheduled,
            "callback_attempted" => ContactKind::CallbackAttempted,
            "rated" => ContactKind::Rated,
            "complained" => ContactKind::Complained,
            "closed" => ContactKind::Closed,
            _ => return Err(Discard::UnknownType),
        })
    }

    fn visit(&mut self) -> Result<Option<u32>, Discard> {
        let visit = self
            .fields
            .take(Key::Visit)
            .map(|value| whole(&value))
            .transpose()?;
        visit
            .map(|number| match u32::try_from(number) {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(Discard::OutOfRange),
            })
            .transpose()
    }

    fn agent(&mut self, name: &str) -> Result<AgentEvent<'a>, Discard> {
        let kind = self.agent_kind(name)?;
        let (id, time, client_id) = self.envelope()?;
        Ok(AgentEvent {
            id,
            time,
            client_id,
            agent_id: needed(self.fields.id(Key::AgentId)?)?,
            kind,
        })
    }

    fn agent_kind(&mut self, name: &str) -> Result<AgentKind<'a>, Discard> {
        Ok(match name {
            "logged_in" => AgentKind::LoggedIn,
            "logged_out" => AgentKind::LoggedOut,
            "state" => AgentKind::State {
                state: needed(self.fields.choice(Key::State, presence)?)?,
                reason: self.fields.text(Key::Reason)?,
            },
            "queues" => AgentKind::Queues(needed(self.memberships()?)?),
            "capacity" => AgentKind::Capacity(needed(self.capacity()?)?),
            "contact" => AgentKind::Contact(self.agent_contact()?),
            "snapshot" => AgentKind::Snapshot(AgentSnapshot {
                presence: self.fields.choice(Key::Presence, presence)?,
                reason: self.fields.text(Key::Reason)?,
                queues: self.memberships()?,
                capacity: self.capacity()?,
                contacts: self.snapshot_contacts()?,
            }),
            _ => return Err(Discard::UnknownType),
        })
    }

    fn entries(&mut self, key: Key) -> Result<Option<Vec<Entry<'a>>>, Discard> {
        match self.fields.take(key) {
            None => Ok(None),
            Some(Value::List(entries)) => Ok(Some(entries)),
            Some(Value::Nested(wrong)) => Err(wrong),
            Some(_) => Err(Discard::WrongType),
        }
    }

    fn pairs(&mut self, key: Key) -> Result<Option<Vec<(Text<'a>, Value<'a>)>>, Discard> {
        match self.fields.take(key) {
            None => Ok(None),
            Some(Value::Pairs(pairs)) => Ok(Some(pairs)),
            Some(Value::Nested(wrong)) => Err(wrong),
            Some(_) => Err(Discard::WrongType),
        }
    }

    fn memberships(&mut self) -> Result<Option<Vec<Membership<'a>>>, Discard> {
        let Some(entries) = self.entries(Key::Queues)? else {
            return Ok(None);
        };
        let membership = |mut entry: Entry<'a>| {
            Ok(Membership {
                client_id: entry.id(Key::ClientId)?,
                queue_id: needed(entry.id(Key::QueueId)?)?,
                channel: entry.channel()?,
            })
        };
        entries
            .into_iter()
            .map(membership)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn capacity(&mut self) -> Result<Option<Capacity<'a>>, Discard> {
        let Some(pairs) = self.pairs(Key::Slots)? else {
            return Ok(None);
        };
        let slots = pairs.into_iter().map(|(channel, max)| {
            let max = u32::try_from(whole(&max)?).map_err(|_| Discard::OutOfRange)?;
            if channel.is_empty() {
                return Err(Discard::UnknownValue);
            }
            Ok((channel, max))
        });
        Ok(Some(Capacity {
            slots: slots.collect::<Result<_, _>>()?,
            shared: self.fields.flag(Key::Shared)?.unwrap_or(false),
        }))
    }

    fn agent_contact(&mut self) -> Result<AgentContact<'a>, Discard> {
        let state = needed(self.fields.choice(Key::State, activity)?)?;
        Ok(AgentContact {
            contact_id: needed(self.fields.id(Key::ContactId)?)?,
            state,
            queue_id: self.fields.id(Key::QueueId)?,
            channel: self.fields.channel()?,
            direction: self.fields.choice(Key::Direction, direction)?,
            for_ms: match state {
                ActivityState::Acw => self.fields.span(Key::ForMs)?,
                _ => None,
            },
        })
    }

    fn snapshot_contacts(&mut self) -> Result<Option<Vec<SnapshotContact<'a>>>, Discard> {
        let Some(entries) = self.entries(Key::Contacts)? else {
            return Ok(None);
        };
        let whole_seconds = self.whole_seconds;
        let contact = |mut entry: Entry<'a>| {
            Ok(SnapshotContact {
                contact_id: needed(entry.id(Key::ContactId)?)?,
                client_id: entry.id(Key::ClientId)?,
                queue_id: entry.id(Key::QueueId)?,
                channel: entry.channel()?,
                state: needed(entry.choice(Key::State, activity)?)?,
                since: entry.instant(Key::Since, whole_seconds)?,
            })
        };
        entries
            .into_iter()
            .map(contact)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn queue(&mut self, kind: &str) -> Result<QueueEvent<'a>, Discard> {
        let needs_queue = kind != "source.gap";
        let kind = match kind {
            "queue.configured" => QueueKind::Configured(self.configured()?),
            "queue.forecast" => self.forecast()?,
            "queue.removed" => QueueKind::Removed,
            "source.gap" => QueueKind::SourceGap {
                source: needed(self.fields.id(Key::Source)?)?,
                from: needed(self.instant(Key::From)?)?,
                to: needed(self.instant(Key::To)?)?,
            },
            _ => return Err(Discard::UnknownType),
        };
        let (id, time, client_id) = self.envelope()?;
        let queue_id = self.fields.id(Key::QueueId)?;
        if needs_queue && queue_id.is_none() {
            return Err(Discard::MissingField);
        }
        Ok(QueueEvent {
            id,
            time,
            client_id,
            queue_id,
            channel: self.fields.channel()?,
            kind,
        })
    }

    fn configured(&mut self) -> Result<QueueConfigured<'a>, Discard> {
        let mut configured = QueueConfigured {
            short_abandon: self.fields.span(Key::ShortAbandonMs)?,
            variant: self.fields.text(Key::Variant)?,
            hours: self.fields.text(Key::Hours)?,
            group: self.fields.text(Key::Group)?,
            display_name: self.fields.text(Key::DisplayName)?,
            ..QueueConfigured::default()
        };
        for (name, value) in self.pairs(Key::Targets)?.unwrap_or_default() {
            match (&*name, value) {
                (_, Value::Null) => {}
                ("service_level", value) => {
                    let target = decimal(&value)?;
                    if target > 1.0 {
                        return Err(Discard::OutOfRange);
                    }
                    configured.target = Some(target);
                }
                ("threshold_ms", value) => configured.threshold = Some(Span(whole(&value)?)),
                _ => {}
            }
        }
        Ok(configured)
    }

    fn forecast(&mut self) -> Result<QueueKind<'a>, Discard> {
        Ok(QueueKind::Forecast {
            interval_start: needed(self.instant(Key::IntervalStart)?)?,
            interval: needed(self.fields.span(Key::IntervalMs)?)?,
            offered: needed(self.fields.number(Key::Offered)?)?,
            aht: needed(self.fields.span(Key::AhtMs)?)?,
            agents: needed(self.fields.number(Key::Agents)?)?,
        })
    }
}

fn direction(name: &str) -> Option<Direction> {
    Some(match name {
        "inbound" => Direction::Inbound,
        "outbound" => Direction::Outbound,
        "internal" => Direction::Internal,
        "consult" => Direction::Consult,
        "monitor" => Direction::Monitor,
        _ => return None,
    })
}

fn outcome(name: &str) -> Option<Outcome> {
    match name {
        "abandoned" => Some(Outcome::Abandoned),
        "callback" => Some(Outcome::Callback),
        _ => FlowOut::ALL
            .into_iter()
            .find(|how| how.name() == name)
            .map(Outcome::FlowedOut),
    }
}

fn attended(name: &str) -> Option<bool> {
    match name {
        "attended" => Some(true),
        "blind" => Some(false),
        _ => None,
    }
}

fn ended_by(name: &str) -> Option<EndedBy> {
    Some(match name {
        "customer" => EndedBy::Customer,
        "agent" => EndedBy::Agent,
        "system" => EndedBy::System,
        "transfer" => EndedBy::Transfer,
        _ => return None,
    })
}

fn presence(name: &str) -> Option<Presence> {
    Some(match name {
        "available" => Presence::Available,
        "aux" => Presence::Aux,
        "offline" => Presence::Offline,
        _ => return None,
    })
}

fn activity(name: &str) -> Option<ActivityState> {
    Some(match name {
        "alerting" => ActivityState::Alerting,
        "connected" => ActivityState::Connected,
        "held" => ActivityState::Held,
        "acw" => ActivityState::Acw,
        "released" => ActivityState::Released,
        "missed" => ActivityState::Missed,
        "rejected" => ActivityState::Rejected,
        "error" => ActivityState::Error,
        _ => return None,
    })
}
