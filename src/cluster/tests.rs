//! Codec, inbox and rule. `tests/cluster.rs` has the property that matters most: rows of split
//! partitions make one engine's figures.

use std::sync::Arc;

use proptest::prelude::*;

use super::cells::{Cell, decode, difference, encode, restore};
use super::name::Place;
use super::*;
use crate::event::{Family, Millis, Span};
use crate::live::{Registry, fixture};
use crate::windows::frame::{Frame, Part};
use crate::windows::numbering::Numbering;

const T: Millis = fixture::NOW;
const SHAPE: u64 = 99;

fn cells() -> impl Strategy<Value = Vec<Cell>> {
    let value = prop_oneof![-3..300_i64, any::<i64>()];
    let cell = ((0..9_u8, 0..200_u32), value);
    proptest::collection::btree_map(
        (0..9_u8, prop_oneof![0..200_u32, any::<u32>()]),
        any::<i64>(),
        0..60,
    )
    .prop_flat_map(move |far| {
        proptest::collection::btree_map(cell.0.clone(), cell.1.clone(), 0..60).prop_map(
            move |near| {
                let mut all = far.clone();
                all.extend(near);
                let cell = |((section, index), value)| Cell {
                    section,
                    index,
                    value,
                };
                all.into_iter()
                    .map(cell)
                    .filter(|cell| cell.value != 0)
                    .collect()
            },
        )
    })
}

pub(super) fn beat(to: i64, claims: &[(Family, i32, i64)]) -> Beat {
    Beat {
        to: Millis(to),
        shape: SHAPE,
        rows: 0,
        check: 0,
        claims: claims
            .iter()
            .map(|&(family, partition, since)| Claim {
                family,
                partition,
                since: Millis(since),
            })
            .collect(),
        partitions: [2, 1],
        known_to: None,
        since: [Millis::MIN; 2],
    }
}

proptest! {
    #[test]
    fn cells_come_back(cells in cells()) {
        let mut bytes = Vec::new();
        encode(&cells, &mut bytes);
        let mut back = Vec::new();
        prop_assert_eq!(decode(&bytes, &mut back), Some(()));
        prop_assert_eq!(back, cells);
    }

    #[test]
    fn a_row_is_its_whole_and_what_it_differs_by(row in cells(), whole in cells()) {
        let (mut differs, mut back) = (Vec::new(), Vec::new());
        difference(&row, &whole, &mut differs);
        restore(&whole, &differs, &mut back);
        prop_assert_eq!(back, row);
    }

    #[test]
    fn bad_bytes_give_nothing_and_take_no_memory(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut cells = Vec::new();
        let _ = decode(&bytes, &mut cells);
        prop_assert!(cells.len() * 2 <= bytes.len());
        let _ = Key::decode(&bytes);
        let _ = Beat::decode(&bytes);
        let registry = Arc::new(fixture::registry());
        let mut inbox = Inbox::new("g", SHAPE, 3, Arc::clone(&registry));
        for what in [What::Beat, What::Whole(RowKey(bytes.clone().into())), What::Difference(RowKey(bytes.clone().into()))] {
            let key = Key { group: "g".into(), instance: "i".into(), run: 1, what };
            inbox.take(&key.encode(), Some(&bytes));
            inbox.take(&bytes, Some(&bytes));
            inbox.together();
        }
    }

    #[test]
    fn a_damaged_row_spoils_its_row_only(
        place in any::<prop::sample::Index>(),
        bit in 0..8_u32,
        which in any::<prop::sample::Index>(),
    ) {
        let registry = Arc::new(fixture::registry());
        let mut records = sent(&mut outbox("a"), &registry, T);
        let rows = records.len() - 1;
        let value = records[which.index(rows)].1.as_mut().unwrap();
        let at = place.index(value.len());
        value[at] ^= 1 << bit;
        let mut inbox = Inbox::new("g", SHAPE, 3, registry);
        for (key, value) in &records {
            inbox.take(key, value.as_deref());
        }
        prop_assert!(inbox.together().is_none(), "the check finds it");
    }
}

fn outbox(instance: &str) -> Outbox {
    Outbox::new("g", instance, 1, SHAPE)
}

type Records = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What an instance that owns everything sends of the fixture's frames.
fn sent(outbox: &mut Outbox, registry: &Registry, to: Millis) -> Records {
    let mut frames: Vec<Arc<Frame>> = fixture::frames(registry, 1);
    for frame in &mut frames {
        Arc::make_mut(frame).to = to;
        Arc::make_mut(frame).now = to;
    }
    Arc::make_mut(&mut frames[0]).parts = vec![part(Family::Contact, 0), part(Family::Contact, 1)];
    Arc::make_mut(&mut frames[1]).parts = vec![part(Family::Agent, 0)];
    let status = Status {
        partitions: [2, 1],
        ..Status::default()
    };
    let mut records = Vec::new();
    outbox.send(&frames, registry, &status, &mut |record| {
        records.push((record.key.to_vec(), record.value.map(<[u8]>::to_vec)));
    });
    records
}

fn part(family: Family, partition: i32) -> Part {
    Part {
        family,
        partition,
        since: Millis(5),
    }
}

#[test]
fn what_has_not_changed_is_not_sent_until_it_is_due() {
    let registry = fixture::registry();
    let mut outbox = outbox("a");
    assert!(sent(&mut outbox, &registry, T).len() > 5);
    let again = sent(&mut outbox, &registry, T + Span::seconds(1));
    // waits count from the origin, time in state does not grow in the fixture
    assert_eq!(again.len(), 1, "the beat alone");
    let due = sent(&mut outbox, &registry, T + Span(REFRESH));
    assert_eq!(due.len(), outbox.rows() + 1);
    outbox.forget();
    let anew = sent(&mut outbox, &registry, T + Span(REFRESH + 1000));
    assert_eq!(anew.len(), due.len());
}

#[test]
fn the_figures_come_out_in_other_numbers() {
    let sender = fixture::registry();
    let records = sent(&mut outbox("a"), &sender, T);
    let reader = Arc::new(Registry::new(
        Arc::default(),
        Box::new(|_, _, _| crate::kpi::QueueView::default()),
    ));
    reader.queue("initech", "other", "voice");
    reader.client("globex");
    let mut inbox = Inbox::new("g", SHAPE, 3, Arc::clone(&reader));
    let told: Vec<Told> = records
        .iter()
        .map(|(key, value)| inbox.take(key, value.as_deref()))
        .collect();
    assert_eq!(told.last(), Some(&Told::Beat));
    let together = inbox.together().unwrap();
    let offered = |frames: &[Arc<Frame>], registry: &Registry| -> i64 {
        let sales = registry.queue("acme", "sales", "voice");
        let rows = frames
            .iter()
            .map(|frame| frame.windows[1].contact_of(sales));
        let first = rows.flat_map(|row| row.iter().filter(|&(column, _)| column == 0));
        first.map(|(_, offered)| offered).sum()
    };
    assert_eq!(together.owners, ["a", "a"]);
    assert_eq!(offered(&together.frames, &reader), 7);
    assert!(inbox.together().is_none(), "shown once");
}

#[test]
fn records_of_others_and_of_other_settings_are_left_out() {
    let registry = Arc::new(fixture::registry());
    let records = sent(&mut outbox("a"), &registry, T);
    let told = |group: &str, shape: u64| -> Vec<Told> {
        let mut inbox = Inbox::new(group, shape, 3, Arc::clone(&registry));
        let told = records
            .iter()
            .map(|(key, value)| inbox.take(key, value.as_deref()));
        told.collect()
    };
    assert!(told("h", SHAPE).iter().all(|told| *told == Told::NotOurs));
    assert_eq!(told("g", SHAPE + 1).last(), Some(&Told::Unreadable));
}

#[test]
fn rows_of_an_earlier_run_are_forgotten() {
    let registry = Arc::new(fixture::registry());
    let mut inbox = Inbox::new("g", SHAPE, 3, Arc::clone(&registry));
    let before = sent(&mut outbox("a"), &registry, T);
    let mut restarted = Outbox::new("g", "a", 2, SHAPE);
    let after = sent(&mut restarted, &registry, T + Span::seconds(9));
    for (key, value) in before.iter().chain(&after) {
        inbox.take(key, value.as_deref());
    }
    assert_eq!(
        inbox.take(&before[0].0, before[0].1.as_deref()),
        Told::NotOurs
    );
    assert_eq!(
        inbox.together().map(|together| together.to),
        Some(T + Span::seconds(9))
    );
    assert_eq!(inbox.seen().len(), 1);
}

#[test]
fn a_reader_that_begins_in_between_has_the_whole_once_every_row_was_due() {
    let registry = Arc::new(fixture::registry());
    let mut outbox = outbox("a");
    sent(&mut outbox, &registry, T);
    let mut inbox = Inbox::new("g", SHAPE, 3, Arc::clone(&registry));
    let mut whole_after = None;
    for second in 1..=70 {
        for (key, value) in sent(&mut outbox, &registry, T + Span::seconds(second)) {
            inbox.take(&key, value.as_deref());
        }
        if inbox.together().is_some() && whole_after.is_none() {
            whole_after = Some(second);
        }
    }
    assert!(
        whole_after.is_some_and(|second| second > 1 && second <= 60),
        "{whole_after:?}"
    );
}

/// What it sends once everybody has left aux.
fn sent_without_aux(outbox: &mut Outbox, registry: &Registry, to: Millis) -> Records {
    let mut frames = fixture::frames(registry, 2);
    for frame in &mut frames {
        let frame = Arc::make_mut(frame);
        frame.to = to;
        frame.aux.clear();
        frame.windows = frame
            .windows
            .iter()
            .map(|window| {
                let mut window = (**window).clone();
                window.aux.clear();
                Arc::new(window)
            })
            .collect();
    }
    Arc::make_mut(&mut frames[0]).parts = vec![
        part(Family::Contact, 0),
        part(Family::Contact, 1),
        part(Family::Agent, 0),
    ];
    let status = Status {
        partitions: [2, 1],
        ..Status::default()
    };
    let mut records = Vec::new();
    outbox.send(&frames, registry, &status, &mut |record| {
        records.push((record.key.to_vec(), record.value.map(<[u8]>::to_vec)));
    });
    records
}

#[test]
fn rows_that_are_gone_are_taken_back() {
    let registry = Arc::new(fixture::registry());
    let mut outbox = outbox("a");
    let mut inbox = Inbox::new("g", SHAPE, 3, Arc::clone(&registry));
    let mut records = sent(&mut outbox, &registry, T);
    let rows = outbox.rows();
    records.extend(sent_without_aux(
        &mut outbox,
        &registry,
        T + Span::seconds(1),
    ));
    assert!(outbox.rows() < rows);
    for (key, value) in &records {
        inbox.take(key, value.as_deref());
    }
    let together = inbox.together().unwrap();
    assert_eq!(together.to, T + Span::seconds(1));
    assert!(together.frames.iter().all(|frame| frame.aux.is_empty()));
}

#[test]
fn rows_that_went_while_nothing_arrived_are_gone_too() {
    // Before an outage, during it, and after it: (taken back meanwhile, by a record that was lost).
    for taken_back in [false, true] {
        let registry = Arc::new(fixture::registry());
        let mut outbox = outbox("a");
        let mut inbox = Inbox::new("g", SHAPE, 3, Arc::clone(&registry));
        let mut arrived = sent(&mut outbox, &registry, T);
        if taken_back {
            let _lost = sent_without_aux(&mut outbox, &registry, T + Span::seconds(1));
        }
        outbox.forget();
        let after = T + Span::seconds(20);
        arrived.extend(sent_without_aux(&mut outbox, &registry, after));
        for (key, value) in &arrived {
            inbox.take(key, value.as_deref());
        }
        let together = inbox.together().expect("the check holds");
        assert_eq!(together.to, after);
        assert!(together.frames.iter().all(|frame| frame.aux.is_empty()));
    }
}

#[test]
fn a_key_names_its_row() {
    let (sender, reader) = (fixture::registry(), fixture::registry());
    let client = sender.client("acme");
    let total = sender.agent_row(&crate::windows::numbering::AgentRow::Total([client].into()));
    let reason = sender.reason("lunch");
    reader.client("a client that the sender does not know");
    for place in [
        Place::Queue(crate::windows::numbering::QueueNo(2)),
        Place::Agents(total),
        Place::Aux(total, reason),
        Place::Feed(client),
    ] {
        let key = place.key(&sender).unwrap();
        let there = Place::of(&key, &reader).unwrap();
        assert_eq!(there.key(&reader), Some(key));
    }
}

#[test]
fn a_beat_comes_back() {
    let mut sent = beat(T.0, &[(Family::Contact, 3, 77), (Family::Agent, 0, -1)]);
    sent.known_to = Some(T);
    assert_eq!(Beat::decode(&sent.encode()), Some(sent.clone()));
    let mut longer = sent.encode();
    longer.push(1);
    assert_eq!(
        Beat::decode(&longer),
        Some(sent),
        "what a later version says more is left out"
    );
}
