//! The short way and the fold give the same figures, whatever comes in whatever order.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::lives::events;
use super::{Contact, Inserted, Scratch};
use crate::engine::facts::Post;
use crate::engine::names::{ClientNo, Names};
use crate::engine::settings::{AfterContact, Pattern, StateSettings};
use crate::engine::timeline::Timeline;
use crate::event::{ContactEvent, Millis, Span};

/// What stands of posts made and taken back.
type Net = BTreeMap<String, i64>;

fn add(net: &mut Net, post: &Post, times: i64) {
    let key = format!("{} {:?}", post.stamp.0, post.fact);
    let sum = net.entry(key).or_default();
    *sum += times * i64::from(post.sign);
}

/// One contact as a partition holds it: short way first, deadlines by time.
struct Held {
    names: Names,
    contact: Contact,
    made: Millis,
    stream: Millis,
    net: Net,
    short: usize,
    scratch: Scratch,
}

impl Held {
    fn new(settings: StateSettings) -> Self {
        let mut contact = Contact::default();
        contact.begin(ClientNo(0));
        let mut names = Names::new(Arc::new(settings));
        names.clients.number("acme");
        Self {
            names,
            contact,
            made: Millis::MIN,
            stream: Millis::MIN,
            net: Net::new(),
            short: 0,
            scratch: Scratch::default(),
        }
    }

    fn fold(&mut self) -> Timeline {
        let mut out = Timeline::default();
        self.contact
            .fold(&mut self.names, &mut self.scratch, &mut out);
        out
    }

    fn pass(&mut self, stream: Millis) -> Timeline {
        let mut out = Timeline::default();
        self.stream = self.stream.max(stream);
        self.contact.ahead(
            self.made,
            self.stream,
            &mut self.names,
            &mut self.scratch,
            &mut out,
        );
        for post in &out.posts {
            if post.stamp > self.made && post.stamp <= self.stream {
                add(&mut self.net, post, 1);
            }
        }
        self.made = self.stream;
        out
    }

    fn apply(&mut self, event: &ContactEvent<'_>) {
        if self.stream < event.time {
            self.pass(event.time);
        }
        let mut out = Timeline::default();
        if self
            .contact
            .step(event, self.made, self.stream, &mut self.names, &mut out)
        {
            self.short += 1;
            for post in out.posts.iter().filter(|post| post.stamp <= self.stream) {
                add(&mut self.net, post, 1);
            }
        } else {
            let before = self.fold();
            if self.contact.insert(event, &mut self.names) == Inserted::Duplicate {
                return;
            }
            for post in before.posts.iter().filter(|post| post.stamp <= self.made) {
                add(&mut self.net, post, -1);
            }
            let after = self.fold();
            for post in after.posts.iter().filter(|post| post.stamp <= self.stream) {
                add(&mut self.net, post, 1);
            }
        }
        self.made = self.stream;
    }

    /// What was made is what the fold says by now, and what is still to come agrees.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let mut want = Net::new();
        let folded = self.fold();
        for post in folded.posts.iter().filter(|post| post.stamp <= self.stream) {
            add(&mut want, post, 1);
        }
        want.retain(|_, sum| *sum != 0);
        self.net.retain(|_, sum| *sum != 0);
        prop_assert_eq!(&self.net, &want);
        let ahead = self.pass(self.stream);
        prop_assert_eq!(
            ahead.next_after(self.stream),
            folded.next_after(self.stream)
        );
        prop_assert_eq!(ahead.end, folded.end);
        prop_assert_eq!(ahead.settle_later, folded.settle_later);
        prop_assert_eq!(ahead.waiting, folded.waiting);
        prop_assert_eq!(ahead.odd, folded.odd);
        Ok(())
    }
}

/// Facts that follow each other in ordinary lives, and some that do not.
const ORDINARY: &[&str] = &[
    "created",
    "queued@q1",
    "alerting:agent=a",
    "alert_failed:agent=a",
    "alerting:agent=b",
    "answered:agent=b",
    "held:agent=b",
    "resumed",
    "held",
    "resumed:agent=b",
    "ended:agent=b:by=customer",
    "wrapped_up:agent=b:acw=4",
    "responded",
    "closed",
];
const OTHERS: &[&str] = &[
    "created:channel=chat",
    "queued@q1#1",
    "queued@q2",
    "queued@q2#2",
    "queued@q1:channel=callback",
    "answered@q2:agent=a:queued_at=3",
    "answered#1",
    "dequeued:outcome=abandoned",
    "dequeued#1:outcome=timeout",
    "dequeued@q2:outcome=callback:queued_at=2",
    "ended:by=transfer",
    "ended:agent=b:talk=3:hold=-1",
    "ended:hold=99",
    "blind",
    "attended:agent=b",
    "wrapped_up",
    "wrapped_up:acw=-4",
    "alerting:agent=c",
    "alert_failed:agent=c",
    "responded",
    "dialled:direction=outbound",
    "closed",
];

/// Lives made of an ordinary one with other facts between, gaps of every size, and some disorder.
fn life() -> impl Strategy<Value = Vec<(ContactEvent<'static>, i64)>> {
    let gap = prop_oneof![
        12 => Just(0_i64),
        20 => 1..70_000_i64,
        2 => prop_oneof![Just(5_001), Just(5_000), Just(20_001), Just(65_001)],
        1 => 14_399_000..14_402_000_i64,
    ];
    let fact = prop_oneof![
        30 => Just(None),
        4 => (0..OTHERS.len()).prop_map(Some),
    ];
    let behind = prop_oneof![6 => Just(0_i64), 2 => 1..30_000_i64, 1 => 1..20_000_000_i64];
    let skip = prop_oneof![4 => Just(1_usize), 1 => 2..5_usize];
    let odd_one = prop::bool::weighted(0.1);
    let one = (gap, fact, behind, skip, odd_one);
    (prop::collection::vec(one, 1..16), any::<bool>()).prop_map(|(steps, all_numbered)| {
        let (mut now, mut next, mut out) = (0, 0, Vec::new());
        for (index, (gap, other, behind, skip, odd_one)) in steps.into_iter().enumerate() {
            now += gap;
            let numbered = all_numbered != odd_one;
            let text = if let Some(other) = other {
                OTHERS[other].to_owned()
            } else {
                next += skip;
                numbered_text(ORDINARY[(next - skip) % ORDINARY.len()], numbered)
            };
            let mut event = events(&format!("0 {text}")).remove(0);
            event.time = event.time + Span(now);
            // Now and then an id comes twice.
            event.id = format!("e{}", index - usize::from(index % 7 == 6)).into();
            out.push((event, behind));
        }
        out
    })
}

fn numbered_text(text: &str, numbered: bool) -> String {
    if !numbered || ["created", "responded", "closed"].contains(&text) {
        return text.to_owned();
    }
    let (head, fields) = text.split_once(':').unwrap_or((text, ""));
    let colon = if fields.is_empty() { "" } else { ":" };
    format!("{head}#1{colon}{fields}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_makes_what_the_fold_says(life in life(), events_rule in any::<bool>()) {
        let mut settings = StateSettings::default();
        if events_rule {
            settings.after_contact = vec![(Pattern::default(), AfterContact::Events)];
        }
        let mut held = Held::new(settings);
        for (event, behind) in &life {
            // Other contacts of the partition may be further on in time.
            held.pass(event.time + Span(*behind));
            held.apply(event);
            held.check()?;
        }
        held.pass(Millis(held.stream.0 + 100_000_000));
        held.check()?;
    }
}

#[test]
fn an_ordinary_life_goes_the_short_way_all_along() {
    for numbered in [false, true] {
        let mut held = Held::new(StateSettings::default());
        for (index, text) in ORDINARY.iter().enumerate() {
            let text = numbered_text(text, numbered && !text.starts_with("alert"));
            // Created, queued and ringing at one instant; so are the end and what follows it.
            let time = [0, 0, 0, 7, 7, 9, 10, 11, 12, 13, 20, 20, 20, 20][index];
            let mut event = events(&format!("{time} {text}")).remove(0);
            event.id = format!("e{index}").into();
            held.apply(&event);
        }
        assert_eq!(held.short, ORDINARY.len());
    }
}
