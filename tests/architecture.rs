//! Who may use whom: the borders that ARCHITECTURE.md describes, read off the `crate::` paths in
//! `src/`. Test modules may use what they like.

#![expect(clippy::unwrap_used, reason = "a test's helpers may end the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the modules that it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("decode", &["event"]),
    ("engine", &["event"]),
    ("windows", &["engine", "event"]),
    ("kpi", &["windows", "engine", "event"]),
    ("insight", &["kpi", "event"]),
    ("live", &["windows", "kpi", "engine", "event"]),
    ("simulate", &["event"]),
    ("config", &["decode", "engine", "windows", "kpi", "event"]),
    (
        "ingest",
        &[
            "recovery", "topics", "engine", "windows", "decode", "live", "kpi", "event",
        ],
    ),
    ("topics", &[]),
    ("admin", &["topics"]),
    ("recovery", INPUT),
    ("cluster", INPUT),
    ("telemetry", &["live", "kpi", "event"]),
    ("top", &["live", "event"]),
    ("serve", &["live", "kpi", "insight", "telemetry", "event"]),
];

const INPUT: &[&str] = &[
    "admin", "topics", "engine", "windows", "decode", "live", "kpi", "event",
];

/// The composition root and the command line, which may use everything.
const ROOT: &[&str] = &["app", "cli", "main", "lib", "shutdown"];

/// Modules without input, output, threads or clocks: figures come from events alone.
const PURE: &[&str] = &[
    "event", "decode", "engine", "windows", "kpi", "insight", "topics",
];

/// What a pure module does not touch.
const IMPURE: &[&str] = &[
    "tokio::",
    "rdkafka::",
    "axum::",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "rand_chacha::",
];

/// A source file, the module that it belongs to, and its text without comments.
struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    assert!(paths.len() > 20, "src/ was not found");
    let all: Vec<Source> = paths.into_iter().map(|path| read(&root, path)).collect();
    let tests: BTreeSet<PathBuf> = all.iter().flat_map(Source::test_modules).collect();
    all.into_iter()
        .filter(|source| {
            !source
                .path
                .ancestors()
                .any(|path| tests.contains(&path.with_extension("")))
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            paths.push(path);
        }
    }
}

fn read(root: &Path, path: PathBuf) -> Source {
    let inner = path.strip_prefix(root).unwrap().with_extension("");
    let module = inner.iter().next().unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(&path).unwrap();
    let text = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    Source {
        module,
        text: text.collect::<Vec<_>>().join("\n"),
        path,
    }
}

impl Source {
    /// The modules that the file declares for tests only, as paths without their ending.
    fn test_modules(&self) -> Vec<PathBuf> {
        let own = self.path.with_extension("");
        let folder = if own.ends_with("mod") || own.ends_with("lib") {
            own.parent().unwrap()
        } else {
            &own
        };
        let declared = self.text.split("#[cfg(test)]\n").skip(1);
        declared
            .filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';'))
            .map(|(name, _)| folder.join(name))
            .collect()
    }

    /// The modules of this crate that the file names.
    fn uses(&self) -> BTreeSet<&str> {
        let end = |rest: &str| {
            rest.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_')
                .unwrap_or(rest.len())
        };
        let production = self
            .text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or("");
        production
            .split("crate::")
            .skip(1)
            .map(|rest| &rest[..end(rest)])
            .filter(|name| *name != self.module)
            .collect()
    }
}

#[test]
fn modules_use_only_what_they_may() {
    let mut faults = Vec::new();
    for source in sources() {
        if ROOT.contains(&source.module.as_str()) {
            continue;
        }
        let rule = MAY_USE.iter().find(|(module, _)| *module == source.module);
        let Some((_, allowed)) = rule else {
            faults.push(format!(
                "{}: a module without a rule",
                source.path.display()
            ));
            continue;
        };
        for used in source.uses() {
            let fault = match used {
                "" => "names several modules in one `use crate::{…}`".to_owned(),
                used if !allowed.contains(&used) => format!("may not use {used}"),
                _ => continue,
            };
            faults.push(format!("{}: {fault}", source.path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pure_modules_touch_no_input_output_or_clock() {
    let mut faults = Vec::new();
    for source in sources() {
        if !PURE.contains(&source.module.as_str()) {
            continue;
        }
        for impure in IMPURE
            .iter()
            .filter(|impure| source.text.contains(**impure))
        {
            faults.push(format!("{}: {impure}", source.path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_rule_lets_two_modules_use_each_other() {
    let may = |from: &str, to: &str| {
        MAY_USE
            .iter()
            .any(|(module, allowed)| *module == from && allowed.contains(&to))
    };
    for (module, allowed) in MAY_USE {
        for used in *allowed {
            assert!(!may(used, module), "{module} and {used}");
        }
    }
}
