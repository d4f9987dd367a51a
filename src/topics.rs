//! What each of Kafka's topics must be, and the commands that make it so. The one place: the engine
//! creates topics with these settings, says the commands with them where it may not, and a test holds
//! `deploy/kafka/topics.sh` to them. Pure.

/// Settings of a topic that differ from the broker's.
pub type Settings = &'static [(&'static str, &'static str)];

/// Of contact and agent events. Two days: `today` of every zone can be read back. The broker's clock:
/// a sender with a wrong one cannot carry a partition into the future.
pub const EVENTS: Settings = &[
    ("message.timestamp.type", "LogAppendTime"),
    ("retention.ms", "172800000"),
];
/// Of queue events: the last word for each queue.
pub const QUEUES: Settings = &[
    ("cleanup.policy", "compact"),
    ("message.timestamp.type", "LogAppendTime"),
];
/// Of snapshots. Small segments, since only what is not being written to is compacted; deleted after
/// a week, so that a group that is gone leaves nothing behind.
pub const SNAPSHOTS: Settings = &[
    ("cleanup.policy", "compact,delete"),
    ("max.message.bytes", "1048588"),
    ("min.cleanable.dirty.ratio", "0.1"),
    ("retention.ms", "604800000"),
    ("segment.bytes", "16777216"),
];
/// Of live rows. They are sent whole every minute, so ten minutes are plenty; small segments as above.
pub const ROWS: Settings = &[
    ("cleanup.policy", "compact,delete"),
    ("min.cleanable.dirty.ratio", "0.1"),
    ("retention.ms", "600000"),
    ("segment.bytes", "16777216"),
    ("segment.ms", "120000"),
];

/// Partitions of a topic of events where nobody has said how many.
pub const PARTITIONS: i32 = 6;

/// The command that creates a topic, with as many copies as the broker is set to keep.
pub fn create_command(brokers: &str, topic: &str, partitions: i32, settings: Settings) -> String {
    let settings = settings.iter();
    let settings: Vec<String> = settings
        .map(|(key, value)| format!("--config {key}={value}"))
        .collect();
    format!(
        "kafka-topics.sh --bootstrap-server {brokers} --create --if-not-exists --topic {topic} \
         --partitions {partitions} {}",
        settings.join(" ")
    )
}

/// The command that gives a topic so many partitions.
pub fn grow_command(brokers: &str, topic: &str, partitions: i32) -> String {
    format!(
        "kafka-topics.sh --bootstrap-server {brokers} --alter --topic {topic} --partitions {partitions}"
    )
}

/// The command that sets these of a topic's settings.
pub fn alter_command(brokers: &str, topic: &str, settings: &[(&str, &str)]) -> String {
    let set = settings.iter().map(|(key, value)| {
        let list = value.contains(',');
        let value = if list {
            format!("[{value}]")
        } else {
            (*value).to_owned()
        };
        format!("{key}={value}")
    });
    let set: Vec<String> = set.collect();
    format!(
        "kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics --entity-name {topic} \
         --add-config {}",
        set.join(",")
    )
}

/// Those of the wanted settings that a topic falls short of, `has` being what a setting of it is. It may
/// keep more than is wanted, take larger records, and clean up oftener.
pub fn lacks(
    wanted: Settings,
    has: impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, &'static str)> {
    let lacks = |key: &str, wanted: &str| has(key).is_some_and(|has| !does(key, &has, wanted));
    let wanted = wanted.iter().copied();
    wanted.filter(|(key, wanted)| lacks(key, wanted)).collect()
}

/// Whether a setting does for what is wanted of it.
fn does(key: &str, has: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let (Some(has_number), Some(wanted_number)) = (number(has), number(wanted)) else {
        // Without `delete` a group that is gone leaves something behind, no more.
        let compacts = |policy: &str| policy.split(',').any(|part| part.trim() == "compact");
        return has == wanted || (compacts(has) && compacts(wanted));
    };
    match key {
        // -1: for ever
        "retention.ms" => has_number < 0.0 || has_number >= wanted_number,
        "max.message.bytes" => has_number >= wanted_number,
        _ => has_number <= wanted_number,
    }
}

#[cfg(test)]
mod tests;
