//! The `[kafka]` section, and the properties that librdkafka gets.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::section::{Faults, Section, text_of};
use crate::event::Span;

/// How to reach Kafka, and what to read there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// Brokers to begin with, separated by commas.
    pub brokers: String,
    /// The consumer group.
    pub group: String,
    /// A name of this instance that stays the same over restarts; empty for the host's.
    pub instance: String,
    /// Contact events.
    pub contact_topic: String,
    /// Agent events.
    pub agent_topic: String,
    /// What queues are; `None` if there is no such topic.
    pub queue_topic: Option<String>,
    /// Where snapshots are kept; `None` if they are not.
    pub snapshot_topic: Option<String>,
    /// The snapshot topic may be created, and given more partitions.
    pub create_topics: bool,
    /// Where instances publish their rows; `None` for a name made from the group's.
    pub rows_topic: Option<String>,
    /// A member that is not heard of for this long loses its partitions.
    pub session_timeout: Span,
    /// Larger records are refused.
    pub max_record_bytes: usize,
    /// Properties handed through.
    pub properties: Properties,
}

/// Properties for librdkafka. Values may be secrets: they are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl fmt::Debug for Properties {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// Says that the instance has no name, whatever its host's is.
pub const NO_INSTANCE: &str = "none";

/// Properties that have a key of their own.
const HAVE_KEYS: [(&str, &str); 5] = [
    ("bootstrap.servers", "kafka.brokers"),
    ("metadata.broker.list", "kafka.brokers"),
    ("group.id", "kafka.group"),
    ("group.instance.id", "kafka.instance"),
    ("session.timeout.ms", "kafka.session_timeout"),
];

/// Properties that the engine depends on, or that load code or print secrets.
const REFUSED: [&str; 13] = [
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "debug",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "isolation.level",
    "offset.store.method",
    "opaque",
    "plugin.library.paths",
    "ssl.engine.location",
];

/// What a topic may be called.
const TOPIC: &str =
    "give 1 to 249 letters (a to z), digits, \".\", \"_\" and \"-\", and not \".\" or \"..\" alone";

fn is_topic(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=249).contains(&name.len()) && ![".", ".."].contains(&name) && name.bytes().all(allowed)
}

impl KafkaConfig {
    /// Where instances publish their rows.
    pub fn rows_topic(&self) -> String {
        let made = || format!("{}-rows", self.group);
        self.rows_topic.clone().unwrap_or_else(made)
    }

    /// Every topic needs a name that Kafka takes, and that no other has: rows or snapshots among events
    /// would be read as such. That of the rows only if there are `rows`.
    pub(super) fn check_topics(&self, rows: bool, faults: &Faults) {
        let mut named = vec![
            ("kafka.contact_topic", Some(&self.contact_topic)),
            ("kafka.agent_topic", Some(&self.agent_topic)),
            ("kafka.queue_topic", self.queue_topic.as_ref()),
            ("kafka.snapshot_topic", self.snapshot_topic.as_ref()),
        ];
        if rows {
            named.push(("kafka.rows_topic", self.rows_topic.as_ref()));
        }
        let mut taken = BTreeMap::new();
        for (key, name) in named {
            let Some(name) = name.filter(|_| !faults.about(key)) else {
                continue;
            };
            let advice = match taken.entry(name) {
                _ if !is_topic(name) => TOPIC.to_owned(),
                Entry::Occupied(other) => format!("give another topic than {}", other.get()),
                Entry::Vacant(place) => {
                    place.insert(key);
                    continue;
                }
            };
            faults.push(key.to_owned(), Some(format!("{name:?}")), advice);
        }
        let own = rows && self.rows_topic.is_none() && !faults.about("kafka.group");
        if own && !is_topic(&self.rows_topic()) {
            faults.push(
                "kafka.group".to_owned(),
                Some(format!("{:?}", self.group)),
                format!(
                    "the rows topic is named after it, with \"-rows\": {TOPIC}; or name that topic in \
                     kafka.rows_topic"
                ),
            );
        }
    }

    /// The properties that are laid over the engine's own: those handed through, and those that have
    /// a key. Five heartbeats fit into a session.
    pub fn all_properties(&self) -> BTreeMap<String, String> {
        let session = self.session_timeout.0;
        let mut all = self.properties.0.clone();
        all.insert("session.timeout.ms".to_owned(), session.to_string());
        all.insert(
            "heartbeat.interval.ms".to_owned(),
            (session / 5).max(1).to_string(),
        );
        if !self.instance.is_empty() && self.instance != NO_INSTANCE {
            all.insert("group.instance.id".to_owned(), self.instance.clone());
        }
        all
    }
}

/// Takes the section.
pub(super) fn kafka(root: &mut Section<'_>) -> KafkaConfig {
    let mut section = root.section("kafka");
    let optional = |text: Option<String>| text.filter(|text| !text.is_empty());
    let topic = |name: Option<String>| name.unwrap_or_default();
    let max_record_bytes = section.integer("max_record_bytes", 256, 16 * 1024 * 1024);
    let config = KafkaConfig {
        brokers: topic(section.name("brokers")),
        group: topic(section.name("group")),
        instance: section.text("instance").unwrap_or_default(),
        contact_topic: topic(section.name("contact_topic")),
        agent_topic: topic(section.name("agent_topic")),
        queue_topic: optional(section.text("queue_topic")),
        snapshot_topic: optional(section.text("snapshot_topic")),
        create_topics: section.flag("create_topics").unwrap_or_default(),
        rows_topic: optional(section.text("rows_topic")),
        session_timeout: section.positive_span("session_timeout").unwrap_or_default(),
        max_record_bytes: max_record_bytes
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or_default(),
        properties: properties(&mut section),
    };
    section.finish();
    config
}

/// What librdkafka has against a property. Its own words may hold the value, so they are not used.
fn refusal(key: &str, value: &str) -> Option<&'static str> {
    let tried = ClientConfig::new().set(key, value).create_native_config();
    match tried.err()? {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..) => {
            Some("this build of librdkafka has no such property")
        }
        _ => Some("librdkafka refuses the value, or this build lacks the feature"),
    }
}

fn properties(section: &mut Section<'_>) -> Properties {
    let mut inner = section.section("properties");
    let mut properties = BTreeMap::new();
    for (given, value) in inner.rest() {
        let key = given.replace('_', ".");
        let fault = |right: String| inner.faults().push(inner.key(&given), None, right);
        let own = HAVE_KEYS.iter().find(|(property, _)| *property == key);
        if let Some((_, own)) = own {
            fault(format!("set {own} instead"));
        } else if REFUSED.contains(&&*key) || key.rsplit('.').next() == Some("cb") {
            fault("leave it out: the engine decides this itself".to_owned());
        } else if key == "ssl.endpoint.identification.algorithm"
            && text_of(&value).as_deref() == Some("none")
        {
            fault("give \"https\": the broker's name must be checked".to_owned());
        } else if let Some(text) = text_of(&value) {
            match refusal(&key, &text) {
                Some(right) => fault(right.to_owned()),
                None => drop(properties.insert(key, text)),
            }
        } else {
            fault("give a text, a number, true or false".to_owned());
        }
    }
    Properties(properties)
}
