//! What every type of event needs.

use super::*;

#[test]
fn each_contact_type_with_what_it_needs() {
    let ok = |more: &str| {
        let record = format!(r#"{{"id":"e","time":{TIME},"contact_id":"c",{more}}}"#);
        run(record.as_bytes()).map(|event| match event {
            Event::Contact(event) => event.kind,
            other => panic!("{other:?}"),
        })
    };
    let dequeued = |outcome| ContactKind::Dequeued {
        outcome,
        queued_at: None,
    };
    let ended = ContactKind::Ended {
        by: None,
        talk: None,
        hold: None,
    };
    let unanswered = r#""type":"contact.dequeued""#;
    for (fields, expected) in [
        (r#""type":"contact.created""#, Ok(ContactKind::Created)),
        (
            r#""type":"contact.queued","queue_id":"q""#,
            Ok(ContactKind::Queued),
        ),
        (r#""type":"contact.queued""#, Err(Discard::MissingField)),
        (
            r#""type":"contact.alerting","agent_id":"a""#,
            Ok(ContactKind::Alerting),
        ),
        (r#""type":"contact.alerting""#, Err(Discard::MissingField)),
        (
            r#""type":"contact.alert_failed","agent_id":"a""#,
            Ok(ContactKind::AlertFailed),
        ),
        (
            r#""type":"contact.alert_failed""#,
            Err(Discard::MissingField),
        ),
        (
            r#""type":"contact.answered""#,
            Ok(ContactKind::Answered { queued_at: None }),
        ),
        (
            &format!(r#"{unanswered},"outcome":"abandoned""#),
            Ok(dequeued(Outcome::Abandoned)),
        ),
        (
            &format!(r#"{unanswered},"outcome":"callback""#),
            Ok(dequeued(Outcome::Callback)),
        ),
        (
            &format!(r#"{unanswered},"outcome":"exit_key""#),
            Ok(dequeued(Outcome::FlowedOut(FlowOut::ExitKey))),
        ),
        (
            &format!(r#"{unanswered},"outcome":"lost""#),
            Err(Discard::UnknownValue),
        ),
        (unanswered, Err(Discard::MissingField)),
        (r#""type":"contact.held""#, Ok(ContactKind::Held)),
        (r#""type":"contact.resumed""#, Ok(ContactKind::Resumed)),
        (
            r#""type":"contact.transferred","kind":"blind","to":"queue""#,
            Ok(ContactKind::Transferred { attended: false }),
        ),
        (
            r#""type":"contact.transferred","kind":"warm""#,
            Err(Discard::UnknownValue),
        ),
        (
            r#""type":"contact.transferred""#,
            Err(Discard::MissingField),
        ),
        (r#""type":"contact.ended""#, Ok(ended)),
        (
            r#""type":"contact.ended","by":"nobody""#,
            Err(Discard::UnknownValue),
        ),
        (
            r#""type":"contact.wrapped_up""#,
            Ok(ContactKind::WrappedUp { acw: None }),
        ),
        (r#""type":"contact.responded""#, Ok(ContactKind::Responded)),
        (r#""type":"contact.resolved""#, Ok(ContactKind::Resolved)),
        (
            r#""type":"contact.dialled","result":"human""#,
            Ok(ContactKind::Dialled),
        ),
        (
            r#""type":"contact.callback_scheduled","due":1"#,
            Ok(ContactKind::CallbackScheduled),
        ),
        (
            r#""type":"contact.callback_attempted""#,
            Ok(ContactKind::CallbackAttempted),
        ),
        (r#""type":"contact.rated","csat":5"#, Ok(ContactKind::Rated)),
        (
            r#""type":"contact.complained""#,
            Ok(ContactKind::Complained),
        ),
        (r#""type":"contact.closed""#, Ok(ContactKind::Closed)),
    ] {
        assert_eq!(ok(fields), expected, "{fields}");
    }
}

fn agent(more: &str) -> Result<AgentKind<'static>, Discard> {
    let record = format!(r#"{{"id":"e","time":{TIME},"agent_id":"a",{more}}}"#);
    match run(record.leak().as_bytes()) {
        Ok(Event::Agent(event)) => Ok(event.kind),
        Ok(other) => panic!("{other:?}"),
        Err(reason) => Err(reason),
    }
}

#[test]
fn agents_states() {
    assert_eq!(
        agent(r#""type":"agent.logged_in""#),
        Ok(AgentKind::LoggedIn)
    );
    assert_eq!(
        agent(r#""type":"agent.logged_out""#),
        Ok(AgentKind::LoggedOut)
    );
    let state = AgentKind::State {
        state: Presence::Aux,
        reason: Some("lunch".into()),
    };
    assert_eq!(
        agent(r#""type":"agent.state","state":"aux","reason":"lunch""#),
        Ok(state)
    );
    for (fields, reason) in [
        (r#""type":"agent.state""#, Discard::MissingField),
        (
            r#""type":"agent.state","state":"asleep""#,
            Discard::UnknownValue,
        ),
        (r#""type":"agent.promoted""#, Discard::UnknownType),
        (r#""type":"agent.queues""#, Discard::MissingField),
        (r#""type":"agent.queues","queues":{}"#, Discard::WrongType),
        (r#""type":"agent.queues","queues":[1]"#, Discard::WrongType),
        (
            r#""type":"agent.queues","queues":[{"channel":"chat"}]"#,
            Discard::MissingField,
        ),
        (
            r#""type":"agent.queues","queues":[{"queue_id":""}]"#,
            Discard::EmptyId,
        ),
        (
            r#""type":"agent.queues","queues":[{"queue_id":"q","queue_id":"r"}]"#,
            Discard::DuplicateField,
        ),
        (r#""type":"agent.capacity""#, Discard::MissingField),
        (
            r#""type":"agent.capacity","slots":{"voice":-1}"#,
            Discard::OutOfRange,
        ),
        (
            r#""type":"agent.capacity","slots":{"voice":"1"}"#,
            Discard::WrongType,
        ),
        (
            r#""type":"agent.capacity","slots":{"voice":1,"voice":2}"#,
            Discard::DuplicateField,
        ),
        (
            r#""type":"agent.capacity","slots":{"voice":1},"shared":1"#,
            Discard::WrongType,
        ),
        (
            r#""type":"agent.contact","state":"held""#,
            Discard::MissingField,
        ),
        (
            r#""type":"agent.contact","contact_id":"c""#,
            Discard::MissingField,
        ),
        (
            r#""type":"agent.contact","contact_id":"c","state":"lost""#,
            Discard::UnknownValue,
        ),
        (
            r#""type":"agent.snapshot","contacts":[{"contact_id":"c"}]"#,
            Discard::MissingField,
        ),
    ] {
        assert_eq!(agent(fields).unwrap_err(), reason, "{fields}");
    }
}

#[test]
fn agents_lists_and_contacts() {
    let fields = r#""type":"agent.queues","queues":[{"queue_id":"q"},{"client_id":"x","queue_id":"r","channel":"chat","skill":3}]"#;
    let Ok(AgentKind::Queues(queues)) = agent(fields) else {
        panic!("refused");
    };
    assert_eq!(queues.len(), 2);
    assert_eq!(queues[1].client_id.as_deref(), Some("x"));
    assert_eq!(queues[1].channel.as_deref(), Some("chat"));
    let Ok(AgentKind::Capacity(capacity)) =
        agent(r#""type":"agent.capacity","slots":{"voice":1,"chat":3.0},"shared":true"#)
    else {
        panic!("refused");
    };
    assert!(capacity.shared);
    assert_eq!(capacity.slots, [("voice".into(), 1), ("chat".into(), 3)]);
    let for_ms = |state: &str| {
        let fields =
            format!(r#""type":"agent.contact","contact_id":"c","state":"{state}","for_ms":5000"#);
        match agent(&fields) {
            Ok(AgentKind::Contact(contact)) => contact.for_ms,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(for_ms("acw"), Some(Span(5000)));
    assert_eq!(for_ms("connected"), None);
}

#[test]
fn a_snapshot_says_nothing_of_what_it_lacks() {
    let Ok(AgentKind::Snapshot(snapshot)) = agent(r#""type":"agent.snapshot""#) else {
        panic!("refused");
    };
    assert!(snapshot.presence.is_none() && snapshot.contacts.is_none());
    assert!(snapshot.queues.is_none() && snapshot.capacity.is_none());
    let fields = r#""type":"agent.snapshot","presence":"available","queues":[],"slots":{},"contacts":[{"contact_id":"c","channel":"chat","state":"held","since":"2026-01-05T09:00:12.400Z"}]"#;
    let Ok(AgentKind::Snapshot(snapshot)) = agent(fields) else {
        panic!("refused");
    };
    let contacts = snapshot.contacts.expect("contacts");
    assert_eq!(contacts[0].state, ActivityState::Held);
    assert_eq!(contacts[0].since, Some(Millis(TIME)));
    assert_eq!(snapshot.queues, Some(Vec::new()));
}

#[test]
fn queues_and_sources() {
    let queue = |more: &str| {
        let record = format!(r#"{{"id":"e","time":{TIME},{more}}}"#);
        match run(record.leak().as_bytes()) {
            Ok(Event::Queue(event)) => Ok(event.kind),
            Ok(other) => panic!("{other:?}"),
            Err(reason) => Err(reason),
        }
    };
    let Ok(QueueKind::Configured(configured)) = queue(
        r#""type":"queue.configured","queue_id":"q","targets":{"service_level":0.9,"threshold_ms":30000,"later":1},"short_abandon_ms":5000,"service_level_variant":"sl5","group":"retail""#,
    ) else {
        panic!("refused");
    };
    assert_eq!(configured.target, Some(0.9));
    assert_eq!(configured.threshold, Some(Span::seconds(30)));
    assert_eq!(configured.short_abandon, Some(Span::seconds(5)));
    assert_eq!(configured.variant.as_deref(), Some("sl5"));
    assert_eq!(configured.group.as_deref(), Some("retail"));
    let gap = r#""type":"source.gap","source":"pbx","from":1767603600000,"to":1767603660000"#;
    assert!(matches!(queue(gap), Ok(QueueKind::SourceGap { .. })));
    let forecast = r#""type":"queue.forecast","queue_id":"q","interval_start":1767603600000,"interval_ms":1800000,"offered":41.5,"aht_ms":180000,"agents":7"#;
    assert!(matches!(queue(forecast), Ok(QueueKind::Forecast { .. })));
    for (fields, reason) in [
        (r#""type":"queue.removed""#, Discard::MissingField),
        (
            r#""type":"queue.renamed","queue_id":"q""#,
            Discard::UnknownType,
        ),
        (
            r#""type":"queue.configured","queue_id":"q","targets":[]"#,
            Discard::WrongType,
        ),
        (
            r#""type":"queue.configured","queue_id":"q","targets":{"service_level":80}"#,
            Discard::OutOfRange,
        ),
        (
            r#""type":"queue.forecast","queue_id":"q""#,
            Discard::MissingField,
        ),
        (
            r#""type":"source.gap","source":"pbx","from":1,"to":2"#,
            Discard::TimeRange,
        ),
    ] {
        assert_eq!(queue(fields).unwrap_err(), reason, "{fields}");
    }
}
