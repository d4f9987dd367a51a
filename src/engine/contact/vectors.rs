//! The fold against recorded vectors: a folder named by `QUEUEPULSE_VECTORS` with single lives and
//! logs, and the figures that they must give. Partition and windows are played by the simplest code
//! that can be right: contacts in a list, posts summed one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Contact, Inserted, Scratch};
use crate::decode::{Limits, decode, parse_instant};
use crate::engine::facts::{ContactState, Count, Fact, Post};
use crate::engine::names::{ClientNo, Names, RowNo};
use crate::engine::settings::StateSettings;
use crate::engine::timeline::{Timeline, Waiting};
use crate::event::{ContactEvent, ContactKind, Event, FlowOut, Millis, Span, Zones};

const PERCENTILES: [(u64, &str); 4] = [(50, "p50"), (90, "p90"), (95, "p95"), (99, "p99")];

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

/// A contact held, or settled.
struct Held {
    contact: Contact,
    arrived: Millis,
    settles: Millis,
    settled: bool,
}

/// One partition: which facts count, in order of arrival.
struct Partition {
    names: Names,
    stream: Millis,
    contacts: Vec<Held>,
    by_key: HashMap<(String, String), usize>,
    scratch: Scratch,
    timeline: Timeline,
}

impl Partition {
    fn new(settings: Arc<StateSettings>) -> Self {
        Self {
            names: Names::new(settings),
            stream: Millis::MIN,
            contacts: Vec::new(),
            by_key: HashMap::new(),
            scratch: Scratch::default(),
            timeline: Timeline::default(),
        }
    }

    fn apply(&mut self, event: &Event<'_>) {
        match event {
            Event::Contact(event) => self.apply_contact(event),
            Event::Agent(event) => self.pass(event.time),
            Event::Queue(_) => {}
        }
    }

    fn pass(&mut self, time: Millis) {
        self.stream = self.stream.max(time);
        for held in &mut self.contacts {
            held.settled |= held.settles <= self.stream;
        }
    }

    fn apply_contact(&mut self, event: &ContactEvent<'_>) {
        self.pass(event.time);
        if let ContactKind::Rated | ContactKind::Complained | ContactKind::Resolved = event.kind {
            return;
        }
        let retain = self.names.settings().retain;
        let key = (event.client_id.to_string(), event.contact_id.to_string());
        let known = self.by_key.get(&key).copied().filter(|&known| {
            let held = &self.contacts[known];
            !held.settled || held.settles + retain > self.stream
        });
        if known.is_some_and(|known| self.contacts[known].settled) {
            return;
        }
        let index = known.unwrap_or_else(|| {
            let mut contact = Contact::default();
            contact.begin(ClientNo(self.names.clients.number(&event.client_id)));
            self.contacts.push(Held {
                contact,
                arrived: Millis::MIN,
                settles: Millis::MAX,
                settled: false,
            });
            self.contacts.len() - 1
        });
        if known.is_none() {
            if event.time < self.stream - retain {
                self.contacts.pop();
                return;
            }
            self.by_key.insert(key, index);
        }
        let held = &mut self.contacts[index];
        if held.contact.insert(event, &mut self.names) != Inserted::Duplicate {
            held.arrived = self.stream;
        }
        let timeline = &mut self.timeline;
        held.contact
            .fold(&mut self.names, &mut self.scratch, timeline);
        let settle_after = self.names.settings().settle_after;
        held.settles = timeline.end.max(held.arrived) + settle_after + timeline.settle_later;
    }

    /// Every post up to `now`, and who waits then.
    fn posts(&mut self, now: Millis) -> (Vec<Post>, Vec<Waiting>) {
        let (mut posts, mut waiting) = (Vec::new(), Vec::new());
        for held in &self.contacts {
            let timeline = &mut self.timeline;
            held.contact
                .fold(&mut self.names, &mut self.scratch, timeline);
            posts.extend(timeline.posts.iter().filter(|post| post.stamp <= now));
            waiting.extend(
                timeline
                    .waiting
                    .filter(|waiting| waiting.entry <= now && now < waiting.until),
            );
        }
        (posts, waiting)
    }

    fn row(&self, row: RowNo) -> String {
        let info = self.names.row_info(row);
        let queue = info
            .queue
            .map_or("", |queue| self.names.queues.text(queue.0));
        let client = self.names.clients.text(info.client.0);
        let channel = self.names.channels.text(info.channel.0);
        format!("{client}/{queue}/{channel}")
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

/// The figures of one row and window.
#[derive(Default)]
struct Sums {
    counts: BTreeMap<&'static str, i64>,
    waits: Vec<i64>,
    handles: Vec<i64>,
    longest: Option<i64>,
    passed: i64,
}

impl Sums {
    fn add(&mut self, key: &'static str, amount: i64) {
        *self.counts.entry(key).or_default() += amount;
    }

    fn get(&self, key: &str) -> i64 {
        self.counts.get(key).copied().unwrap_or(0)
    }

    fn exit(&mut self, wait: Span) {
        self.longest = self.longest.max(Some(wait.0));
    }

    fn count(&mut self, count: Count, ask: &Question, rungs: &[Span]) {
        let within = |wait: Span| i64::from(wait <= ask.threshold);
        match count {
            Count::Offered => self.add("offered", 1),
            Count::Answered { wait } => {
                self.add("answered", 1);
                self.add("answered_within_threshold", within(wait));
                self.add("answered_wait", wait.0);
                self.waits.push(wait.0);
                self.exit(wait);
            }
            Count::Abandoned { wait } => {
                let short = ask.short_abandon > Span::ZERO && wait <= ask.short_abandon;
                self.add("abandoned", 1);
                self.add("abandoned_within_threshold", within(wait));
                self.add("short_abandoned", i64::from(short));
                self.add("abandoned_wait", wait.0);
                self.exit(wait);
            }
            Count::FlowedOut { how, wait } => {
                self.add(how.name(), 1);
                self.add("flowed_out", 1);
                if let Some(wait) = wait {
                    self.exit(wait);
                }
            }
            Count::Callback { wait } => {
                self.add("callbacks_requested", 1);
                self.add("callbacks_within", within(wait));
                self.exit(wait);
            }
            Count::Passed { rung } => {
                self.passed += i64::from(rungs[usize::from(rung)] == ask.threshold);
            }
            Count::AlertFailed => self.add("alert_failed", 1),
            Count::Transferred => self.add("transferred", 1),
            Count::Handled { talk, hold } => {
                self.add("handled", 1);
                self.add("talk", talk.0);
                self.add("hold", hold.0);
                self.handles.push(talk.0 + hold.0);
            }
            Count::AfterContact { acw } => self.add("after_contact", acw.0),
            Count::Rated | Count::Complained | Count::Resolved => {}
        }
    }

    /// Numerator and denominator of the variant.
    fn service_level(&self, ask: &Question) -> (i64, i64) {
        let [ans, ans_t] = ["answered", "answered_within_threshold"].map(|key| self.get(key));
        let abd = self.get("abandoned");
        let [abd_t, abd_s] =
            ["abandoned_within_threshold", "short_abandoned"].map(|key| self.get(key));
        let [flow, cb, cb_t] =
            ["flowed_out", "callbacks_requested", "callbacks_within"].map(|key| self.get(key));
        match ask.variant.as_str() {
            "sl1" => (ans_t, ans + abd),
            "sl2" => (ans_t, ans + abd - abd_t),
            "sl3" => (ans_t + abd_t, ans + abd),
            "sl4" => (ans_t, ans),
            "sl5" => (ans_t, ans + abd - abd_s),
            "sl6" => (ans_t + abd_s, ans + abd),
            "sl7" => (ans_t, ans + abd + flow),
            "sl8" => (ans_t + abd_t + cb_t, ans + abd + flow + cb),
            "sl9" => (ans_t, ans_t + self.passed),
            other => panic!("variant {other}"),
        }
    }

    fn figures(&mut self, ask: &Question) -> BTreeMap<String, Value> {
        let mut out = BTreeMap::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        for key in [
            "offered",
            "answered",
            "answered_within_threshold",
            "abandoned",
            "abandoned_within_threshold",
            "short_abandoned",
            "callbacks_requested",
            "alert_failed",
            "transferred",
            "handled",
        ] {
            put(key, json!(self.get(key)));
        }
        for how in FlowOut::ALL {
            put(
                &format!("flowed_out/{}", how.name()),
                json!(self.get(how.name())),
            );
        }
        for key in [
            "answered_wait",
            "abandoned_wait",
            "talk",
            "hold",
            "after_contact",
        ] {
            put(&format!("{key}_seconds"), seconds(self.get(key)));
        }
        let (met, all) = self.service_level(ask);
        put("service_level_met", json!(met));
        put("service_level_missed", json!(all - met));
        let longest = self.longest.map_or(Value::Null, seconds);
        put("wait_seconds_max", longest);
        self.waits.sort_unstable();
        self.handles.sort_unstable();
        for (percent, name) in PERCENTILES {
            put(
                &format!("wait_seconds_{name}"),
                nearest(&self.waits, percent),
            );
            put(
                &format!("handle_seconds_{name}"),
                nearest(&self.handles, percent),
            );
        }
        out
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a test")]
fn seconds(millis: i64) -> Value {
    json!(millis as f64 / 1000.0)
}

fn nearest(sorted: &[i64], percent: u64) -> Value {
    let rank = (sorted.len() as u64 * percent).div_ceil(100);
    match rank.checked_sub(1) {
        Some(index) => seconds(sorted[usize::try_from(index).expect("an index")]),
        None => Value::Null,
    }
}

/// The *now* figures of one row.
fn now_figures(
    posts: &[&Post],
    waiting: &[Waiting],
    rungs: &[Span],
    ask: &Question,
    now: Millis,
) -> BTreeMap<String, Value> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for post in posts {
        let key = match post.fact {
            Fact::State(_, ContactState::Waiting) => "waiting",
            Fact::State(_, ContactState::Alerting) => "alerting",
            Fact::State(_, ContactState::Connected) => "connected",
            Fact::State(_, ContactState::Held) => "held",
            Fact::State(_, ContactState::Acw) => "acw",
            Fact::WaitingPast(_, rung) if rungs[usize::from(rung)] == ask.threshold => "past",
            _ => continue,
        };
        *sums.entry(key).or_default() += i64::from(post.sign);
    }
    let get = |key: &str| sums.get(key).copied().unwrap_or(0);
    let mut out = BTreeMap::new();
    for state in ["waiting", "alerting", "connected", "held", "acw"] {
        out.insert(format!("contacts_by_state/{state}"), json!(get(state)));
    }
    let all_waiting = get("waiting") + get("alerting");
    assert_eq!(usize::try_from(all_waiting), Ok(waiting.len()));
    out.insert("waiting".to_owned(), json!(all_waiting));
    out.insert("waiting_past_threshold".to_owned(), json!(get("past")));
    let longest = waiting.iter().map(|waiting| (now - waiting.entry).0).max();
    out.insert(
        "longest_wait_seconds".to_owned(),
        longest.map_or(Value::Null, seconds),
    );
    out
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
