//! The fold against recorded vectors: a folder named by `QUEUEPULSE_VECTORS` with single lives and
//! logs, and the figures that they must give. Partition and windows are played by the simplest code
//! that can be right: contacts in a list, posts summed one by one.

mod figures;
mod partition;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::decode::{Limits, decode, parse_instant};
use crate::engine::facts::{Fact, Post};
use crate::engine::settings::StateSettings;
use crate::engine::timeline::Waiting;
use crate::event::{Event, Millis, Span, Zones};
use figures::{Sums, now_figures};
use partition::Partition;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("QUEUEPULSE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: QUEUEPULSE_VECTORS names no folder of vectors");
    }
    folder
}

fn read_json(path: &Path) -> Value {
    let bytes = std::fs::read(path).expect("a file of the vectors");
    let mut text = Vec::new();
    if path.extension().is_some_and(|end| end == "gz") {
        let mut plain = flate2::read::GzDecoder::new(&bytes[..]);
        plain.read_to_end(&mut text).expect("gzip");
    } else {
        text = bytes;
    }
    serde_json::from_slice(&text).expect("JSON")
}

fn instant(value: &Value) -> Millis {
    parse_instant(value.as_str().expect("an instant")).expect("an instant")
}

fn span(text: &str) -> Span {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: i64 = number.parse().expect("a number");
    match unit {
        "s" => Span::seconds(number),
        _ => Span::minutes(number),
    }
}

/// What a question asks for.
struct Question {
    threshold: Span,
    short_abandon: Span,
    variant: String,
    windows: Vec<String>,
    zones: Zones,
}

impl Question {
    fn new(run: &Value) -> Self {
        let zone = run["zone"].as_str().unwrap_or("UTC");
        let windows = match &run["window"] {
            Value::Array(windows) => windows.clone(),
            window => vec![window.clone()],
        };
        let texts = windows.iter().filter_map(Value::as_str);
        Self {
            threshold: span(run["threshold"].as_str().expect("threshold")),
            short_abandon: span(run["short_abandon"].as_str().expect("short_abandon")),
            variant: run["service_level_variant"]
                .as_str()
                .expect("variant")
                .to_owned(),
            windows: texts.map(str::to_owned).collect(),
            zones: Zones::new(vec![jiff::tz::TimeZone::get(zone).expect("a zone")]),
        }
    }

    fn settings(&self) -> Arc<StateSettings> {
        let mut rungs: BTreeSet<Span> = [5, 10, 20, 30, 60].map(Span::seconds).into();
        rungs.extend([self.threshold, self.short_abandon]);
        rungs.remove(&Span::ZERO);
        let rungs_other = rungs.into_iter().collect();
        Arc::new(StateSettings {
            rungs_other,
            ..StateSettings::default()
        })
    }

    fn from(&self, window: &str, to: Millis) -> Millis {
        match window {
            "all" => Millis::MIN,
            "today" => self.zones.day_before(0, to),
            sliding => to - span(sliding),
        }
    }
}

/// Compares what a row shows with what it must show; figures that we do not work out are left.
fn differences(place: &str, want: &Value, got: &BTreeMap<String, Value>, out: &mut Vec<String>) {
    for (key, got) in got {
        let pointer = format!("/{key}");
        let Some(want) = want.pointer(&pointer) else {
            continue;
        };
        let tolerance = if key.contains("seconds_p") {
            0.01
        } else {
            1e-9
        };
        let same = match (want.as_f64(), got.as_f64()) {
            (Some(want), Some(got)) => (want - got).abs() <= tolerance * want.abs().max(1.0),
            _ => want == got,
        };
        if !same {
            out.push(format!("{place} {key}: want {want}, got {got}"));
        }
    }
}

/// Compares one snapshot with what the partitions' contacts give at its instant.
fn judge(partitions: &mut [Partition], ask: &Question, now: Millis, want: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut posts: BTreeMap<String, Vec<Post>> = BTreeMap::new();
    let mut waiting: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
    for partition in partitions.iter_mut() {
        let (made, waits) = partition.posts(now);
        for post in made {
            let (Fact::Count(row, _) | Fact::State(row, _) | Fact::WaitingPast(row, _)) = post.fact
            else {
                continue;
            };
            posts.entry(partition.row(row)).or_default().push(post);
        }
        for wait in waits {
            waiting
                .entry(partition.row(wait.row))
                .or_default()
                .push(wait);
        }
    }
    let settings = ask.settings();
    let rungs = &settings.rungs_other;
    for name in posts.keys() {
        let parts: Vec<&str> = name.split('/').collect();
        let rows = want["queues"].as_array().into_iter().flatten();
        let known = rows
            .into_iter()
            .any(|row| [&row["client_id"], &row["queue_id"], &row["channel"]] == *parts);
        if !known && !want["queues"].as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("{name} is no row"));
        }
    }
    let mut row = |place: &str, want: &Value, mine: &[&Post], waiting: &[Waiting]| {
        let now_row = now_figures(mine, waiting, rungs, ask, now);
        differences(&format!("{place} now"), &want["now"], &now_row, &mut wrong);
        for window in &ask.windows {
            let from = ask.from(window, now);
            let mut sums = Sums::default();
            for post in mine {
                if let Fact::Count(_, count) = post.fact
                    && post.stamp > from
                {
                    sums.count(count, ask, rungs);
                }
            }
            let place = format!("{place} {window}");
            differences(
                &place,
                &want["windows"][window],
                &sums.figures(ask),
                &mut wrong,
            );
        }
    };
    for queue in want["queues"].as_array().into_iter().flatten() {
        let part = |key: &str| queue[key].as_str().expect("a row's name");
        let name = [part("client_id"), part("queue_id"), part("channel")].join("/");
        let mine: Vec<&Post> = posts.get(&name).into_iter().flatten().collect();
        let waits = waiting.get(&name).cloned().unwrap_or_default();
        row(&name, queue, &mine, &waits);
    }
    let all: Vec<&Post> = posts.values().flatten().collect();
    let waits: Vec<Waiting> = waiting.values().flatten().copied().collect();
    row("total", &want["total"], &all, &waits);
    wrong
}

#[test]
fn single_lives_give_the_figures_worked_out_by_hand() {
    let Some(folder) = folder() else { return };
    let lives = read_json(&folder.join("contact-lives.json"));
    let mut wrong = Vec::new();
    for life in lives.as_array().expect("a list") {
        let ask = Question::new(life);
        let mut partition = Partition::new(ask.settings());
        for event in life["events"].as_array().expect("events") {
            let bytes = event.to_string();
            partition.apply(&decode(bytes.as_bytes(), &Limits::default()).expect("an event"));
        }
        let want =
            json!({"queues": [], "total": {"windows": {"all": unfold(&life["expect_of_total"])}}});
        let found = judge(&mut [partition], &ask, instant(&life["at"]), &want);
        wrong.extend(found.iter().map(|text| format!("{}: {text}", life["life"])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `a/b` becomes key b of object a.
fn unfold(flat: &Value) -> Value {
    let mut out = json!({});
    for (key, value) in flat.as_object().expect("an object") {
        match key.split_once('/') {
            Some((outer, inner)) => out[outer][inner] = value.clone(),
            None => out[key] = value.clone(),
        }
    }
    out
}

#[test]
fn logs_give_the_figures_of_the_independent_calculator() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    let mut logs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the vectors")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("contacts-"))
        })
        .collect();
    logs.sort();
    assert!(!logs.is_empty());
    for log in logs {
        for run in ["run-1", "run-2"] {
            let found = judge_run(&log, run);
            let name = log.file_name().unwrap_or_default().to_string_lossy();
            wrong.extend(found.into_iter().map(|text| format!("{name} {run} {text}")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differ",
        wrong.join("\n"),
        wrong.len()
    );
}

fn judge_run(log: &Path, run: &str) -> Vec<String> {
    let arguments = read_json(&log.join(format!("{run}.json")));
    let expected = read_json(&log.join(format!("{run}.expected.json.gz")));
    let ask = Question::new(&arguments);
    let buffered = arguments["max_disorder"] != "0s";
    let files = arguments["files"].as_array().expect("files");
    let logs: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(log.join(file.as_str().expect("a name"))).expect("a log"))
        .collect();
    let mut partitions = Vec::new();
    let mut events = Vec::new();
    for bytes in &logs {
        let lines = bytes.split(|&byte| byte == b'\n');
        let mut list: Vec<Event<'_>> = lines
            .filter_map(|line| decode(line, &Limits::default()).ok())
            .collect();
        if buffered {
            list.sort_by_key(time_of);
        }
        events.push(list.into_iter().peekable());
        partitions.push(Partition::new(ask.settings()));
    }
    let mut wrong = Vec::new();
    for want in expected.as_array().expect("snapshots") {
        let now = instant(&want["at"]);
        for (partition, events) in partitions.iter_mut().zip(&mut events) {
            while let Some(event) = events.next_if(|event| !buffered || time_of(event) <= now) {
                partition.apply(&event);
            }
        }
        let found = judge(&mut partitions, &ask, now, want);
        let at = want["at"].as_str().unwrap_or_default();
        wrong.extend(found.into_iter().map(|text| format!("{at} {text}")));
    }
    wrong
}

fn time_of(event: &Event<'_>) -> Millis {
    match event {
        Event::Contact(event) => event.time,
        Event::Agent(event) => event.time,
        Event::Queue(event) => event.time,
    }
}
