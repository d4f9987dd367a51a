//! The few numbers that are read from librdkafka's statistics.

use std::collections::HashMap;

use serde::Deserialize;

/// Statistics of one client, as librdkafka writes them; what is not named here is skipped.
#[derive(Debug, Default, Deserialize)]
pub struct Statistics {
    #[serde(default)]
    brokers: HashMap<String, Broker>,
    #[serde(default)]
    topics: HashMap<String, Topic>,
}

#[derive(Debug, Deserialize)]
struct Broker {
    nodeid: i32,
    state: String,
    /// Microseconds since something was last received; negative before that.
    #[serde(default)]
    rxidle: i64,
}

#[derive(Debug, Deserialize)]
struct Topic {
    #[serde(default)]
    partitions: HashMap<String, Partition>,
}

#[derive(Debug, Deserialize)]
struct Partition {
    #[serde(default = "none")]
    leader: i32,
    #[serde(default = "unknown")]
    hi_offset: i64,
    #[serde(default = "unknown")]
    ls_offset: i64,
    #[serde(default = "unknown")]
    eof_offset: i64,
}

const fn none() -> i32 {
    -1
}

const fn unknown() -> i64 {
    -1001
}

/// How one partition's log stood when the statistics were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The offset after the last record that may be read.
    pub end: i64,
    /// Fetching has come to the end at this offset; negative if it never has.
    pub end_fetched: i64,
    /// The leader is connected and has answered within the last 2 s, so that `end` is no old news.
    pub fresh: bool,
}

/// Microseconds after which a leader that is fetched from all the time counts as silent.
const SILENT: i64 = 2_000_000;

impl Statistics {
    /// Reads them; `None` if they are not what we know.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Whether at least one broker is connected.
    pub fn connected(&self) -> bool {
        self.brokers.values().any(Broker::up)
    }

    /// How a partition's log stands, if that is known.
    pub fn tail(&self, topic: &str, partition: i32) -> Option<Tail> {
        let partitions = &self.topics.get(topic)?.partitions;
        let partition = partitions.get(partition.to_string().as_str())?;
        let end = if partition.ls_offset >= 0 {
            partition.ls_offset
        } else {
            partition.hi_offset
        };
        let leader = self
            .brokers
            .values()
            .find(|broker| broker.nodeid == partition.leader);
        (end >= 0).then(|| Tail {
            end,
            end_fetched: partition.eof_offset,
            fresh: leader.is_some_and(|leader| leader.up() && leader.rxidle < SILENT),
        })
    }
}

impl Broker {
    fn up(&self) -> bool {
        self.state == "UP" && self.nodeid >= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_fresh_while_its_leader_answers() {
        let json = |rxidle: i64, state: &str| {
            format!(
                r#"{{"name":"x","brokers":{{"h:1/1":{{"nodeid":1,"state":"{state}","rxidle":{rxidle}}}}},
                "topics":{{"t":{{"topic":"t","partitions":{{"0":{{"leader":1,"hi_offset":7,"ls_offset":5,
                "eof_offset":5,"lo_offset":0}},"-1":{{"leader":-1}}}}}}}}}}"#
            )
        };
        let tail = |rxidle, state| {
            Statistics::parse(json(rxidle, state).as_bytes()).and_then(|read| read.tail("t", 0))
        };
        let (end, end_fetched) = (5, 5);
        let expected = |fresh| {
            Some(Tail {
                end,
                end_fetched,
                fresh,
            })
        };
        assert_eq!(tail(100, "UP"), expected(true));
        assert_eq!(tail(5_000_000, "UP"), expected(false));
        assert_eq!(tail(100, "CONNECT"), expected(false));
        let read = Statistics::parse(json(100, "UP").as_bytes()).unwrap();
        assert_eq!(read.tail("t", 1), None);
        assert_eq!(read.tail("other", 0), None);
        assert!(read.connected());
        assert!(Statistics::parse(b"nothing").is_none());
    }
}
