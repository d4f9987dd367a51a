//! The exposition is valid, bounded and what it was; the documentation is fresh.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Kind, catalogue};
use super::*;
use crate::event::{Discard, Span};
use crate::live::fixture::{self, HELP, SALES};
use crate::live::{Condition, Lag, Merged, Registry, Share};
use crate::windows::losses::Counter;
use crate::windows::numbering::QueueNo;

fn options() -> ExportOptions {
    ExportOptions {
        windows: ["5m", "30m", "today"].map(str::to_owned).to_vec(),
        ..ExportOptions::default()
    }
}

fn write(options: ExportOptions, registry: &Registry, merged: &Merged) -> String {
    Exposition::new(options)
        .write(merged, registry, &Share::All)
        .to_owned()
}

fn everything() -> ExportOptions {
    ExportOptions {
        families: vec!["*".to_owned()],
        all_rungs: true,
        ..options()
    }
}

/// Compares with a file under tests/golden, or writes it when `QUEUEPULSE_BLESS` is set.
fn assert_golden(path: &str, text: &str) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    if option_env!("QUEUEPULSE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "{path} is stale; run the tests with QUEUEPULSE_BLESS=1 set when they are built"
    );
}

/// Samples by family.
fn samples(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut by_family: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        by_family.entry(name).or_default().push(line);
    }
    by_family
}

#[test]
fn the_exposition_is_what_it_was() {
    let registry = fixture::registry();
    let merged = fixture::merged(&registry);
    assert_golden(
        "tests/golden/exposition.prom",
        &write(options(), &registry, &merged),
    );
}

#[test]
fn a_text_depends_on_none_that_was_written_before() {
    let all = fixture::registry();
    let one = fixture::registry_of(&[("globex", "help", "voice")]);
    let help = fixture::FrameBuilder::new(&one, 8).answered(HELP, Span::seconds(2), 1);
    let of_one = fixture::merged_of(vec![help.done()], &one);
    let of_all = fixture::merged(&all);
    let mut exposition = Exposition::new(everything());
    for (merged, registry) in [(&of_all, &all), (&of_one, &one), (&of_all, &all)] {
        let text = exposition.write(merged, registry, &Share::All);
        assert_eq!(text, write(everything(), registry, merged));
    }
}

#[test]
fn every_sample_is_in_one_share_as_it_is_in_all() {
    let registry = fixture::registry();
    let merged = fixture::merged(&registry);
    let mut exposition = Exposition::new(everything());
    let mut sorted = |shares: &[Share]| {
        let texts = shares
            .iter()
            .map(|share| exposition.write(&merged, &registry, share).to_owned());
        let texts: Vec<String> = texts.collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        let samples = lines.filter(|line| !line.starts_with('#'));
        let mut samples: Vec<String> = samples.map(str::to_owned).collect();
        samples.sort_unstable();
        samples
    };
    let all = sorted(&[Share::All]);
    let shares = [vec![true, false, false], vec![false, true, true]].map(Share::Of);
    assert!(sorted(&shares[..1]).len() < all.len());
    assert!(sorted(&shares[1..]).len() < all.len());
    assert_eq!(sorted(&shares), all);
}

#[test]
fn the_documentation_is_fresh() {
    assert_golden("docs/metrics.md", &metrics_doc());
}

#[test]
fn every_sample_is_in_the_catalogue_with_its_labels_in_order() {
    let registry = fixture::registry();
    let text = write(everything(), &registry, &fixture::merged(&registry));
    let families: BTreeMap<&str, &catalogue::Family> = catalogue()
        .iter()
        .map(|family| (family.name.as_str(), family))
        .collect();
    for (name, lines) in samples(&text) {
        let family = families[name];
        for line in lines {
            let labels: Vec<&str> = line
                .match_indices("=\"")
                .map(|(at, _)| line[..at].rsplit(['{', ',']).next().unwrap())
                .collect();
            assert_eq!(labels, family.labels, "{line}");
        }
    }
}

#[test]
fn families_and_samples_are_unique_and_families_sorted() {
    let registry = fixture::registry();
    let text = write(everything(), &registry, &fixture::merged(&registry));
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert!(names.is_sorted());
    let series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    assert_eq!(series.iter().collect::<BTreeSet<_>>().len(), series.len());
}

#[test]
fn names_follow_the_conventions() {
    for family in catalogue() {
        let counter = family.kind == Kind::Counter;
        assert_eq!(family.name.ends_with("_total"), counter, "{}", family.name);
        assert!(family.name.starts_with("queuepulse_"), "{}", family.name);
        assert!(family.help.ends_with('.') && !family.help.contains(['\n', '\\']));
        if family.unit == "ratio" {
            assert!(family.name.ends_with("_ratio"), "{}", family.name);
        }
    }
}

#[test]
fn a_queue_has_at_most_eighty_samples_by_default_however_much_there_is_to_tell() {
    let registry = fixture::registry();
    let mut frames = fixture::frames(&registry, 1);
    let sales = crate::windows::numbering::AgentRow::Queue(QueueNo(SALES));
    let mut busy = fixture::FrameBuilder::new(&registry, 1);
    for reason in 0..20 {
        busy = busy.aux(&sales, &format!("reason {reason}"));
    }
    frames.push(busy.done());
    registry.apply(&short_abandon_of_sales(), &mut |_| {});
    let merged = fixture::merged_of(frames, &registry);
    let text = write(options(), &registry, &merged);
    let of_sales = text.lines().filter(|line| line.contains("queue=\"sales\""));
    let count = of_sales.count();
    assert!((60..=80).contains(&count), "{count}");
    assert!(text.contains("reason=\"__other__\"} 16"), "{text}");
}

fn short_abandon_of_sales() -> crate::event::QueueEvent<'static> {
    crate::event::QueueEvent {
        id: "1".into(),
        time: fixture::NOW,
        client_id: "acme".into(),
        queue_id: Some("sales".into()),
        channel: None,
        kind: crate::event::QueueKind::Configured(crate::event::QueueConfigured {
            short_abandon: Some(Span::seconds(5)),
            ..Default::default()
        }),
    }
}

#[test]
fn what_corrections_took_is_added_back_to_the_counter_and_shown_apart() {
    let registry = fixture::registry();
    let mut lossy = fixture::FrameBuilder::new(&registry, 1);
    lossy.frame.losses = vec![
        (QueueNo(SALES), Counter::Offered, 2),
        (QueueNo(SALES), Counter::AnsweredWithin(2), 1),
        (QueueNo(SALES), Counter::Talk, 1500),
    ];
    let mut frames = fixture::frames(&registry, 1);
    frames.push(lossy.done());
    let merged = fixture::merged_of(frames, &registry);
    let text = write(options(), &registry, &merged);
    let row = "client=\"acme\",queue=\"sales\",channel=\"voice\"";
    for line in [
        format!("queuepulse_offered_total{{{row}}} 9"),
        "queuepulse_corrections_total{figure=\"offered\"} 2".to_owned(),
        "queuepulse_corrections_total{figure=\"answered_within_threshold\"} 1".to_owned(),
        "queuepulse_corrections_total{figure=\"talk_seconds\"} 1.5".to_owned(),
        format!("queuepulse_talk_seconds_total{{{row}}} 241.5"),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

#[test]
fn no_figure_is_no_sample() {
    let registry = fixture::registry();
    let text = write(options(), &registry, &fixture::merged(&registry));
    let by_family = samples(&text);
    let with = |name: &str, queue: &str| {
        by_family
            .get(name)
            .is_some_and(|lines| lines.iter().any(|line| line.contains(queue)))
    };
    assert!(with("queuepulse_longest_wait_seconds", "sales"));
    assert!(!with("queuepulse_longest_wait_seconds", "help"));
    assert!(with("queuepulse_agents_online", "help"));
    assert!(!with("queuepulse_agents_available", "help"));
    assert!(!with("queuepulse_window_service_level_met", "support"));
    assert!(!text.contains("corrections"));
    assert!(!text.contains("NaN"));
}

#[test]
fn label_values_are_cleaned_bounded_and_unique() {
    assert_eq!(label_value("plain \"quoted\""), "plain \"quoted\"");
    assert_eq!(label_value(""), "__unknown__");
    assert_eq!(label_value("Büro"), "Büro");
    let bidi = label_value("a\u{202e}b\nc").into_owned();
    assert!(bidi.starts_with("abc~"), "{bidi}");
    let long = |last: &str| label_value(&("é".repeat(200) + last)).into_owned();
    assert!(long("x").len() <= 128);
    assert_ne!(long("x"), long("y"));
}

#[test]
fn label_values_are_escaped() {
    let mut out = String::new();
    labels::push_label(&mut out, "queue", r#"a\b"c"#);
    assert_eq!(out, r#"queue="a\\b\"c""#);
}

#[test]
fn the_engines_own_metrics_are_all_in_the_catalogue() {
    let metrics = EngineMetrics::new().unwrap();
    metrics.discarded(Discard::JsonEof, 3);
    metrics.records("contact-events", 5);
    let condition = Condition {
        data_age: Some(Span(1500)),
        broker_silence: Some(Span::seconds(70)),
        partitions: vec![
            ("contact-events".to_owned(), 1),
            ("agent-events".to_owned(), 0),
        ],
        silence: vec![("contact-events".to_owned(), Span::seconds(2))],
        ahead: vec![("contact-events".to_owned(), Span::seconds(7200))],
        lags: vec![Lag {
            topic: "contact-events".to_owned(),
            partition: 0,
            records: 7,
        }],
        ..Condition::default()
    };
    let text = metrics.text(&condition, 3, Some(32_997_376)).unwrap();
    for line in [
        "queuepulse_discarded_total{reason=\"json_eof\"} 3",
        "queuepulse_discarded_total{reason=\"too_late\"} 0",
        "queuepulse_data_age_seconds 1.5",
        "queuepulse_stream_ahead_seconds{topic=\"contact-events\"} 7200",
        "queuepulse_lag_records{partition=\"0\",topic=\"contact-events\"} 7",
        "queuepulse_partitions{topic=\"contact-events\"} 1",
        "queuepulse_partitions{topic=\"agent-events\"} 0",
        "queuepulse_broker_silence_seconds 70",
        "queuepulse_resident_memory_bytes 32997376\n",
        "queuepulse_catching_up 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let known: BTreeSet<&str> = catalogue()
        .iter()
        .map(|family| family.name.as_str())
        .collect();
    for name in samples(&text).keys() {
        assert!(known.contains(name), "{name}");
    }
    let absent = metrics.text(&Condition::default(), 3, None).unwrap();
    assert!(!absent.contains("queuepulse_data_age_seconds "));
}
