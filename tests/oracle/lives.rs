//! Which facts a partition keeps of each contact, and what stands alone.

use std::collections::BTreeMap;

use super::contacts::{Contact, Fact, distinct, fold};
use super::record::Record;
use super::{MINUTE, Row, Settings};

/// One life of a contact in a partition: its facts, and when the last one arrived.
#[derive(Clone, Debug)]
struct Life {
    facts: Vec<Fact>,
    arrived: i64,
}

impl Life {
    fn add(&mut self, fact: Fact, stream: i64) {
        let same = |known: &Fact| known.id == fact.id || known.identity() == fact.identity();
        let before = self.facts.iter().any(same).then(|| distinct(&self.facts));
        self.facts.push(fact);
        if before.is_none_or(|before| distinct(&self.facts) != before) {
            self.arrived = stream;
        }
    }

    fn settled_at(&self, client: &str, settings: &Settings) -> i64 {
        let contact = fold(client, &self.facts, settings);
        let end = contact.over.or(contact.sweep).expect("one of both");
        let longer = if contact.lacks_wrap_up {
            settings.acw_max
        } else {
            0
        };
        end.max(self.arrived) + settings.settle_after + longer
    }
}

type Lives = BTreeMap<(String, String), Vec<Life>>;

/// The lives of every contact, and whether one came back within half an hour after its print's time
/// was over: the engine drops prints by half hours.
fn lives(applied: &[&Record], settings: &Settings) -> (Lives, bool) {
    let mut doubtful = false;
    let mut lives = Lives::new();
    let mut stream = i64::MIN;
    for record in applied {
        stream = stream.max(record.time);
        if !record.is_contact() || ALONE.contains(&record.kind.as_str()) {
            continue;
        }
        let client = record.client();
        let key = (client.clone(), record.text("contact_id").expect("checked"));
        let fact = Fact::of(record);
        let mine = lives.entry(key).or_default();
        match mine.last_mut() {
            // Nothing is settled sooner than this; so most facts need no fold of those before.
            Some(life) if stream < life.arrived + settings.settle_after => life.add(fact, stream),
            Some(life) => {
                let settled = life.settled_at(&client, settings);
                if stream < settled {
                    life.add(fact, stream);
                    continue;
                }
                doubtful |= (settled + settings.retain..settled + settings.retain + 30 * MINUTE)
                    .contains(&stream);
                if stream <= settled + settings.retain {
                    continue; // a late duplicate
                }
                if fact.time >= stream - settings.retain {
                    mine.push(Life {
                        facts: vec![fact],
                        arrived: stream,
                    });
                }
            }
            None if fact.time >= stream - settings.retain => {
                mine.push(Life {
                    facts: vec![fact],
                    arrived: stream,
                });
            }
            None => {}
        }
    }
    (lives, doubtful)
}

/// Every contact that a partition has counted, folded.
pub fn contacts(applied: &[&Record], settings: &Settings) -> Vec<Contact> {
    let (lives, _) = lives(applied, settings);
    let folded = |(key, lives): (&(String, String), &Vec<Life>)| -> Vec<Contact> {
        lives
            .iter()
            .map(|life| fold(&key.0, &life.facts, settings))
            .collect()
    };
    lives.iter().flat_map(folded).collect()
}

/// What stands alone: it may come hours later by its nature.
const ALONE: [&str; 3] = ["contact.rated", "contact.complained", "contact.resolved"];

/// A rating, a complaint or a resolution, counted at the queue that it names.
#[derive(Clone, Debug)]
pub struct Alone {
    pub row: Row,
    pub at: i64,
    /// `rated`, `complained` or `resolved`.
    pub kind: &'static str,
}

/// What stands alone in a partition, none older than `retain`, each id once within it; and whether an id came again within
/// half an hour after that: the engine drops prints by half hours.
pub fn alone(applied: &[&Record], settings: &Settings) -> (Vec<Alone>, bool) {
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    let (mut out, mut doubtful) = (Vec::new(), false);
    let mut stream = i64::MIN;
    for record in applied {
        stream = stream.max(record.time);
        let Some(kind) = ALONE.iter().find(|kind| **kind == record.kind) else {
            continue;
        };
        if record.time < stream - settings.retain {
            continue; // too late to tell whether it counted before
        }
        let id = record.text("id").expect("checked");
        if let Some(arrived) = counted.get(&id) {
            let over = arrived + settings.retain;
            doubtful |= (over..over + 30 * MINUTE).contains(&stream);
            if stream <= over {
                continue; // a duplicate
            }
        }
        counted.insert(id, stream);
        if let Some(queue) = record.text("queue_id") {
            out.push(Alone {
                row: Row {
                    client: record.client(),
                    queue,
                    channel: record.text("channel").unwrap_or_else(|| "voice".to_owned()),
                },
                at: record.time,
                kind: &kind["contact.".len()..],
            });
        }
    }
    (out, doubtful)
}

/// Whether the documents leave open what these records come to.
pub fn in_doubt(applied: &[&Record], settings: &Settings) -> bool {
    let mut contacts = contacts(applied, settings).into_iter();
    lives(applied, settings).1
        || alone(applied, settings).1
        || contacts.any(|contact| contact.doubtful)
}
