//! The scenario files, through the engine and through the oracle: both must give what is written,
//! and the same snapshot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

mod engine;
#[path = "scenarios/language.rs"]
mod language;
mod oracle;

use std::path::Path;

use oracle::compare::differences;

use language::{Scenario, asked, parse};
use serde_json::Value;

fn scenarios() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "scn"));
    files.sort();
    assert!(!files.is_empty());
    files
        .iter()
        .flat_map(|file| parse(&std::fs::read_to_string(file).unwrap()))
        .collect()
}

fn faults(scenario: &Scenario, snapshots: &[Value], instants: &[i64]) -> Vec<String> {
    assert!(
        !scenario.expectations.is_empty(),
        "{}: expects nothing",
        scenario.name
    );
    let of = |expectation: &language::Expectation| {
        let at = instants
            .iter()
            .position(|at| *at == expectation.at)
            .unwrap();
        expectation.faults(&snapshots[at])
    };
    let faults = scenario.expectations.iter().flat_map(of);
    faults
        .map(|fault| format!("{}\n    {fault}", scenario.name))
        .collect()
}

#[test]
fn scenarios_through_the_oracle() {
    let mut all = Vec::new();
    for scenario in scenarios() {
        let (instants, windows) = asked(&scenario);
        let snapshots = oracle::snapshots(
            &scenario.partitions,
            &scenario.settings,
            &instants,
            &windows,
            scenario.max_disorder,
        );
        all.extend(faults(&scenario, &snapshots, &instants));
    }
    assert!(all.is_empty(), "{} faults\n{}", all.len(), all.join("\n"));
}

#[test]
fn scenarios_through_the_engine() {
    let mut all = Vec::new();
    for scenario in scenarios() {
        let (instants, windows) = asked(&scenario);
        let (parts, settings) = (&scenario.partitions, &scenario.settings);
        let late = scenario.max_disorder;
        let snapshots = engine::replayed(parts, settings, &instants, &windows, late);
        all.extend(faults(&scenario, &snapshots, &instants));
        let expected = oracle::snapshots(parts, settings, &instants, &windows, late);
        for (want, have) in expected.iter().zip(&snapshots) {
            let here = differences(want, have, 1e-6);
            all.extend(here.iter().map(|fault| {
                format!(
                    "{}\n    oracle and engine differ at {}{fault}",
                    scenario.name, want["at"]
                )
            }));
        }
    }
    assert!(
        all.is_empty(),
        "{} faults\n{}",
        all.len(),
        all[..all.len().min(60)].join("\n")
    );
}
