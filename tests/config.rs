//! Every file of `tests/config` is named by its mistake and ends with the faults that must be found,
//! all of them and in this order, as lines beginning with `#!`.

#![allow(clippy::expect_used, reason = "a test's helper may fail loudly")]

use std::path::{Path, PathBuf};

use queuepulse::config::{Config, ConfigError, Overrides};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of fixtures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_fixture_gives_its_faults() {
    for file in fixtures() {
        let text = std::fs::read_to_string(&file).expect("a fixture");
        let expected: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#! "))
            .collect();
        let found = match Config::load(Some(&file), [], &Overrides::default()) {
            Ok(_) => Vec::new(),
            Err(ConfigError::Faults(faults)) => faults.iter().map(ToString::to_string).collect(),
            Err(other) => panic!("{}: {other}", file.display()),
        };
        assert_eq!(found, expected, "{}", file.display());
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Some(Path::new("no/such.toml")), [], &Overrides::default());
    let text = error.expect_err("no file").to_string();
    assert!(
        text.starts_with("cannot read the configuration file no/such.toml"),
        "{text}"
    );
}
