//! Merged figures of 10,000 queues to the text of /metrics, against the `prometheus` crate's encoder
//! over the same samples.

mod support;

use std::collections::BTreeMap;

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};
use queuepulse::live::{Merged, Share};
use queuepulse::telemetry::{ExportOptions, Exposition};
use support::engine::{Engine, warm};

const PARTITIONS: usize = 16;
const WARM_UP: i64 = 6;

fn main() {
    divan::main();
}

fn options() -> ExportOptions {
    let windows = ["5m", "30m", "today"].map(str::to_owned).to_vec();
    ExportOptions {
        windows,
        ..ExportOptions::default()
    }
}

fn figures() -> (Engine, Merged) {
    let (engine, _, _) = warm(PARTITIONS, WARM_UP);
    let merged = engine.merge();
    (engine, merged)
}

fn samples(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// What serves /metrics.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn ours(bencher: Bencher<'_, '_>) {
    let (engine, merged) = figures();
    let mut exposition = Exposition::new(options());
    let text = exposition.write(&merged, &engine.registry, &Share::All);
    let (count, bytes) = (samples(text).count(), text.len());
    bencher
        .counter(ItemsCount::new(count))
        .counter(BytesCount::new(bytes))
        .bench_local(|| {
            exposition
                .write(&merged, &engine.registry, &Share::All)
                .len()
        });
}

/// The `prometheus` crate: gauges that hold the same samples already, gathered and encoded.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn prometheus_crate(bencher: Bencher<'_, '_>) {
    let (engine, merged) = figures();
    let mut exposition = Exposition::new(options());
    let registry = Registry::new();
    let count = fill(
        &registry,
        exposition.write(&merged, &engine.registry, &Share::All),
    );
    let mut text = Vec::new();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        text.clear();
        let _ = TextEncoder::new().encode(&registry.gather(), &mut text);
        text.len()
    });
}

/// Puts every sample of a text into gauges of the crate; returns how many there are.
fn fill(registry: &Registry, text: &str) -> usize {
    let mut gauges: BTreeMap<String, GaugeVec> = BTreeMap::new();
    let mut count = 0;
    for line in samples(text) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let (name, labels) = series
            .trim_end_matches('}')
            .split_once('{')
            .unwrap_or((series, ""));
        let labels: Vec<(&str, &str)> = labels
            .split_terminator("\",")
            .filter_map(|label| label.trim_end_matches('"').split_once("=\""))
            .collect();
        let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
        let gauge = gauges.entry(format!("{name}{names:?}")).or_insert_with(|| {
            let unique = format!("{name}_{}", names.len());
            let gauge = GaugeVec::new(Opts::new(unique, "the same sample"), &names);
            let gauge = gauge.unwrap_or_else(|fault| unreachable!("{fault}"));
            let _ = registry.register(Box::new(gauge.clone()));
            gauge
        });
        let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        gauge
            .with_label_values(&values)
            .set(value.parse().unwrap_or(0.0));
        count += 1;
    }
    count
}
