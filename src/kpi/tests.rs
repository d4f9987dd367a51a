//! The worked examples of `docs/kpi.md`.

use hdrhistogram::Histogram;

use super::*;
use crate::engine::columns::{agent, contact, flow_out_cell, staff_cell};
use crate::engine::histogram::{Bucket, BucketCount};
use crate::engine::names::Activity;
use crate::event::{FlowOut, Presence, Span};
use crate::windows::frame::{WindowKind, WindowSpec};

fn rungs() -> Vec<Span> {
    [5, 10, 20, 30, 60].map(Span::seconds).to_vec()
}

fn bucket(rungs: &[Span], wait: Span) -> usize {
    rungs.iter().take_while(|&&rung| rung < wait).count()
}

/// A row as the engine would count it.
struct Row(Vec<i64>);

impl Row {
    fn new() -> Self {
        Self(vec![0; contact::WIDTH])
    }

    fn answered(mut self, waits: &[i64]) -> Self {
        self.exits(contact::ANSWERED, waits);
        self
    }

    fn abandoned(mut self, waits: &[i64]) -> Self {
        self.exits(contact::ABANDONED, waits);
        self
    }

    fn callback(mut self, waits: &[i64]) -> Self {
        self.exits(contact::CALLBACK, waits);
        self
    }

    fn flowed_out(mut self, waits: &[i64]) -> Self {
        for &wait in waits {
            self.0[flow_out_cell(FlowOut::Overflow)] += 1;
            self.passes(wait);
        }
        self
    }

    fn waiting(mut self, waits: &[i64]) -> Self {
        for &wait in waits {
            self.passes(wait);
        }
        self
    }

    fn exits(&mut self, first: usize, waits: &[i64]) {
        for &wait in waits {
            self.0[first + bucket(&rungs(), Span::seconds(wait))] += 1;
            self.passes(wait);
        }
    }

    fn passes(&mut self, wait: i64) {
        self.0[contact::OFFERED] += 1;
        for (rung, length) in rungs().into_iter().enumerate() {
            if Span::seconds(wait) > length {
                self.0[contact::PASSED + rung] += 1;
            }
        }
    }
}

fn view(variant: Variant) -> QueueView {
    QueueView {
        variant,
        short_abandon: Span::seconds(5),
        ..QueueView::default()
    }
}

fn percent(row: &Row, view: &QueueView) -> String {
    let counts = Counts::read(&row.0, &rungs(), view);
    let level = service_level(&counts, view).ratio().unwrap();
    format!("{:.2}", level * 100.0)
}

/// The small trace: T = 20, S = 5, now = 300.
fn trace() -> Row {
    Row::new()
        .answered(&[0, 20, 21])
        .abandoned(&[3, 15, 45])
        .flowed_out(&[30])
        .callback(&[12])
        .waiting(&[25, 10])
}

#[test]
fn the_small_trace_gives_the_published_level_in_every_variant() {
    for (variant, expected) in [
        (Variant::Sl1, "33.33"),
        (Variant::Sl2, "50.00"),
        (Variant::Sl3, "66.67"),
        (Variant::Sl4, "66.67"),
        (Variant::Sl5, "40.00"),
        (Variant::Sl8, "62.50"),
        (Variant::Sl9, "33.33"),
    ] {
        assert_eq!(percent(&trace(), &view(variant)), expected, "{variant:?}");
    }
}

#[test]
fn the_switches_of_sl7_choose_what_is_in_the_denominator() {
    let mut seven = view(Variant::Sl7);
    assert_eq!(percent(&trace(), &seven), "28.57"); // 2 / 7
    seven.switches.short_abandons = false;
    assert_eq!(percent(&trace(), &seven), "33.33"); // 2 / 6
    seven.switches.abandons = false;
    assert_eq!(percent(&trace(), &seven), "50.00"); // 2 / 4
}

#[test]
fn the_switches_of_sl9_choose_what_early_abandons_and_callbacks_are() {
    let mut nine = view(Variant::Sl9);
    nine.switches.abandons_within_threshold = AbandonsWithin::Negative;
    assert_eq!(percent(&trace(), &nine), "28.57");
    nine.switches.abandons_within_threshold = AbandonsWithin::Positive;
    assert_eq!(percent(&trace(), &nine), "42.86");
    nine.switches.callbacks_met_within_threshold = true;
    assert_eq!(percent(&trace(), &nine), "50.00"); // 4 / 8
}

#[test]
fn sl10_looks_at_the_queue_as_it_is_now_and_has_nothing_in_windows() {
    let ten = view(Variant::Sl10);
    assert_eq!(service_level_now(2, 1, &ten).ratio(), Some(0.5));
    assert_eq!(service_level_now(0, 0, &ten).ratio(), None);
    let counts = Counts::read(&trace().0, &rungs(), &ten);
    let level = service_level(&counts, &ten);
    assert!(!level.exists());
    assert!(!service_level_now(2, 1, &view(Variant::Sl9)).exists());
}

fn counts_of_published_example() -> Counts {
    Counts {
        answered: 1000,
        abandoned: 60,
        answered_within: 860,
        abandoned_within: 20,
        short_abandoned: 10,
        ..Counts::default()
    }
}

#[test]
fn the_published_example_of_one_thousand_answered() {
    let counts = counts_of_published_example();
    for (variant, expected) in [
        (Variant::Sl3, 0.8302),
        (Variant::Sl4, 0.86),
        (Variant::Sl1, 0.8113),
        (Variant::Sl2, 0.8269),
        (Variant::Sl6, 0.8208),
    ] {
        let level = service_level(&counts, &view(variant)).ratio().unwrap();
        assert!((level - expected).abs() < 5e-5, "{variant:?}: {level}");
    }
}

#[test]
fn the_event_based_example_ignores_or_counts_early_abandons() {
    let counts = Counts {
        answered: 70,
        answered_within: 70,
        abandoned: 10,
        abandoned_within: 10,
        passed: 20,
        ..Counts::default()
    };
    let mut nine = view(Variant::Sl9);
    for (treatment, expected) in [
        (AbandonsWithin::Ignored, 0.777_777),
        (AbandonsWithin::Negative, 0.70),
        (AbandonsWithin::Positive, 0.80),
    ] {
        nine.switches.abandons_within_threshold = treatment;
        let level = service_level(&counts, &nine).ratio().unwrap();
        assert!((level - expected).abs() < 1e-5, "{treatment:?}: {level}");
    }
}

#[test]
fn sl11_has_two_ranges_of_its_own() {
    let counts = Counts {
        answered: 300,
        answered_in_range: 200,
        abandoned: 100,
        abandoned_in_range: 50,
        ..Counts::default()
    };
    let level = service_level(&counts, &view(Variant::Sl11));
    assert_eq!((level.met, level.total), (200, 350));
}

#[test]
fn nothing_counted_gives_no_ratio_in_any_variant() {
    for variant in Variant::ALL {
        let level = service_level(&Counts::default(), &view(variant));
        assert_eq!(level.ratio(), None, "{variant:?}");
    }
}

#[test]
fn a_short_threshold_of_zero_switches_short_abandons_off() {
    let row = Row::new().abandoned(&[0, 0]);
    let mut view = view(Variant::Sl5);
    view.short_abandon = Span::ZERO;
    let counts = Counts::read(&row.0, &rungs(), &view);
    assert_eq!(counts.short_abandoned, 0);
    assert_eq!(counts.abandoned_within, 2);
}

#[test]
fn subtotals_add_numerators_and_denominators() {
    let nine = view(Variant::Sl9);
    let ten = view(Variant::Sl10);
    let counts = Counts::read(&trace().0, &rungs(), &nine);
    let mut sum = service_level(&counts, &nine);
    sum.add(&service_level(&counts, &nine));
    sum.add(&service_level(&counts, &ten));
    assert_eq!((sum.met, sum.total, sum.exists()), (4, 12, true));
}

/// kpis 1.5: one agent, three chat slots, chats 0–600, 100–400, 200–500, idle 600–900.
#[test]
fn one_agent_with_three_chats() {
    let mut row = vec![0; agent::WIDTH];
    row[staff_cell(Presence::Available, Activity::OnContact)] = 600_000;
    row[staff_cell(Presence::Available, Activity::Idle)] = 300_000;
    row[agent::BUSY] = 600_000;
    row[agent::BUSY_CONTACTS] = 1_200_000;
    row[agent::CONNECT_BUSY] = 600_000;
    row[agent::CONNECT_IDLE] = 300_000;
    row[agent::SLOTS_USED] = 1_200_000;
    row[agent::SLOTS_USABLE] = 2_700_000;
    let mut staff = Staff::default();
    staff.add_row(&row);
    assert_eq!(occupancy(&staff), Some(600.0 / 900.0));
    assert_eq!(occupancy_connect(&staff), Some(600.0 / 900.0));
    assert_eq!(concurrency_average(&staff), Some(2.0));
    assert_eq!(slot_load(&staff), Some(1200.0 / 2700.0));
    assert_eq!(staff.online, 900_000);
}

#[test]
fn an_offline_agent_is_on_contact_but_neither_online_nor_alerting() {
    let mut row = vec![0; agent::WIDTH];
    row[staff_cell(Presence::Offline, Activity::OnContact)] = 1;
    row[staff_cell(Presence::Aux, Activity::Alerting)] = 1;
    row[staff_cell(Presence::Offline, Activity::Alerting)] = 1;
    let mut staff = Staff::default();
    staff.add_row(&row);
    assert_eq!(
        (staff.online, staff.on_contact(), staff.alerting()),
        (1, 1, 1)
    );
    let mut presence_only = Staff::default();
    presence_only.add_online(&row);
    assert_eq!((presence_only.online, presence_only.on_contact()), (1, 0));
}

#[test]
fn averages_of_nothing_are_no_figure() {
    let counts = Counts::default();
    assert_eq!(answer_speed_average(&counts), None);
    assert_eq!(abandon_time_average(&counts), None);
    assert_eq!(handle_time_average(&counts), None);
    assert_eq!(abandonment(&counts, &view(Variant::Sl9)).ratio(), None);
    assert_eq!(occupancy(&Staff::default()), None);
    let nothing = Percentiles::of(std::iter::empty(), &mut Vec::new());
    assert_eq!(nothing, Percentiles::default());
    assert_eq!(Distribution::default().percentiles().at(50), None);
}

#[test]
fn abandonment_can_be_of_offered() {
    let counts = Counts {
        offered: 10,
        answered: 3,
        abandoned: 1,
        ..Counts::default()
    };
    let mut view = view(Variant::Sl9);
    assert_eq!(abandonment(&counts, &view).ratio(), Some(0.25));
    view.switches.abandonment_of_offered = true;
    assert_eq!(abandonment(&counts, &view).ratio(), Some(0.1));
}

#[test]
fn expected_wait_is_absent_when_nobody_is_online_and_never_negative() {
    let mut of = ExpectedWait {
        handle_time: 240.0,
        waiting: 6,
        available: 1,
        online: 12,
    };
    assert_eq!(expected_wait(&of), Some(120.0));
    of.available = 9;
    assert_eq!(expected_wait(&of), Some(0.0));
    of.online = 0;
    assert_eq!(expected_wait(&of), None);
}

#[test]
fn expected_wait_takes_the_longest_sliding_window_of_at_most_half_an_hour() {
    let spec = |kind| WindowSpec {
        key: String::new(),
        kind,
    };
    let windows = [
        spec(WindowKind::Sliding(Span::minutes(5))),
        spec(WindowKind::Sliding(Span::minutes(30))),
        spec(WindowKind::Sliding(Span::minutes(60))),
        spec(WindowKind::Today),
    ];
    assert_eq!(expected_wait_window(&windows), Some(1));
    assert_eq!(expected_wait_window(&windows[2..]), None);
}

#[test]
fn nearest_rank_is_within_one_percent_of_the_exact_value() {
    let histogram = Histogram::<u64>::new_with_bounds(1, 1 << 32, 2).unwrap();
    let values: Vec<u32> = (0..500_u32).map(|n| n * n * 37 + n).collect();
    let mut buckets = Vec::new();
    for &value in &values {
        BucketCount::push(&mut buckets, Bucket::of(Span(i64::from(value))), 1);
    }
    let parts = [&buckets[200..], &buckets[..200], &[]];
    let merged = Percentiles::of(parts.into_iter(), &mut Vec::new());
    let mut many = Distribution::default();
    many.add(&buckets[..1]);
    many.clear();
    let mut others = Distribution::default();
    others.add(parts[0]);
    many.add(parts[1]);
    many.add_all(&others);
    assert_eq!(many.percentiles(), merged);
    for percentile in [50, 90, 95, 99] {
        let rank = (values.len() * percentile).div_ceil(100);
        let exact = f64::from(values[rank - 1]) / 1000.0;
        let found = merged.at(percentile as u64).unwrap();
        assert!(
            (found - exact).abs() <= exact * 0.005,
            "{percentile}: {found} {exact}"
        );
    }
    assert_eq!(merged.at_most(Some(0.5)).at(50), Some(0.5));
    for one in &buckets {
        let lowest = one.bucket.lowest();
        let one = Percentiles::of(std::iter::once(std::slice::from_ref(one)), &mut Vec::new());
        let middle = one.at(50).unwrap();
        assert_eq!(
            format!("{:.0}", middle * 1000.0),
            histogram.median_equivalent(u64::from(lowest)).to_string()
        );
    }
}
