//! The text exposition, written straight from merged figures into one reused buffer.
//!
//! A pure function of the figures and the catalogue: families in order of their names, rows by
//! client, queue, channel, windows as configured. No figure, no sample. Labels of rows and
//! windows are escaped once a text, those of rows in their order, since each family goes through them.
//! (Rejected: a collector of the `prometheus` crate, 17 × the cost and 8 allocations a sample.)

use std::ops::Range;
use std::sync::Arc;

use crate::event::Span;
use crate::kpi::seconds;
use crate::live::{Counters, Merged, Registry, Row, RowName, RowWindow, Share};

use super::catalogue::{Family, Source, catalogue, corrected};
use super::labels::push_label;

/// The most aux reasons of one row; what is beyond goes to [`OTHERS`].
const REASONS_MAX: usize = 6;
const OTHERS: &str = "__other__";

/// What is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Keys of the windows.
    pub windows: Vec<String>,
    /// Families beside those of the catalogue's default, by whole name; `*` stands for all.
    pub families: Vec<String>,
    /// Counters that depend on a threshold show every rung, not the queue's T alone.
    pub all_rungs: bool,
}

/// A value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count.
    Count(i64),
    /// Milliseconds, shown as seconds.
    Seconds(i64),
    /// Anything else.
    Decimal(f64),
}

/// Writes expositions; holds the buffers.
#[derive(Debug)]
pub struct Exposition {
    options: ExportOptions,
    families: Vec<&'static Family>,
    text: String,
    queues: Labels,
    clients: Labels,
    /// The windows that are exported: their place among all, and their label.
    windows: Vec<(usize, String)>,
    counters: Counters,
    /// Whether what is of all is to be written.
    all: bool,
}

impl Exposition {
    /// An exposition with these options.
    pub fn new(options: ExportOptions) -> Self {
        let families = catalogue()
            .iter()
            .filter(|family| !matches!(family.source, Source::Engine))
            .filter(|family| {
                let asked = |name: &String| name == "*" || *name == family.name;
                family.by_default || options.families.iter().any(asked)
            })
            .collect();
        Self {
            options,
            families,
            text: String::new(),
            queues: Labels::default(),
            clients: Labels::default(),
            windows: Vec::new(),
            counters: Counters::default(),
            all: true,
        }
    }

    /// The text of every family that has a sample, of the rows of a share.
    pub fn write(&mut self, merged: &Merged, registry: &Registry, share: &Share) -> &str {
        self.text.clear();
        self.queues.fill(&merged.queues, share);
        self.clients.fill(&merged.clients, share);
        self.choose_windows(merged);
        self.all = share.has(&RowName::Total);
        self.counters.fill(merged);
        let mut text = std::mem::take(&mut self.text);
        for family in &self.families {
            self.family(&mut text, family, merged, registry);
        }
        self.text = text;
        &self.text
    }

    fn choose_windows(&mut self, merged: &Merged) {
        self.windows.clear();
        for (place, spec) in merged.specs.iter().enumerate() {
            if self.options.windows.contains(&spec.key) {
                let mut label = String::new();
                push_label(&mut label, "window", &spec.key);
                self.windows.push((place, label));
            }
        }
    }

    fn family(&self, text: &mut String, family: &Family, merged: &Merged, registry: &Registry) {
        let before = text.len();
        header(text, family);
        let after_header = text.len();
        let mut out = Samples {
            text,
            registry,
            name: &family.name,
            row_labels: "",
            window_label: "",
            all_rungs: self.options.all_rungs,
        };
        match family.source {
            Source::Counter(write) => {
                let rows = self.counters.rows(merged);
                self.queues
                    .each(rows, &mut out, |row, out| write(&row, out));
            }
            Source::Corrections if self.all => {
                for (figure, lost) in corrected(self.counters.rows(merged)) {
                    out.put(&[("figure", figure)], lost);
                }
            }
            Source::Now(write) => self.queues.each(&merged.queues, &mut out, |row, out| {
                write(row, merged, out);
            }),
            Source::Window(write) => self.queues.each(&merged.queues, &mut out, |row, out| {
                self.each_window(row, out, write);
            }),
            Source::ClientNow(write) => self.clients.each(&merged.clients, &mut out, |row, out| {
                write(row, merged, out);
            }),
            Source::ClientWindow(write) => {
                self.clients.each(&merged.clients, &mut out, |row, out| {
                    self.each_window(row, out, write);
                });
            }
            Source::AllNow(write) if self.all => write(&merged.total, merged, &mut out),
            Source::AllWindow(write) if self.all => {
                self.each_window(&merged.total, &mut out, write);
            }
            Source::Corrections | Source::AllNow(_) | Source::AllWindow(_) | Source::Engine => {}
        }
        if text.len() == after_header {
            text.truncate(before);
        }
    }

    fn each_window<'o>(
        &'o self,
        row: &Row,
        out: &mut Samples<'o>,
        write: fn(&RowWindow, &mut Samples<'_>),
    ) {
        for (place, label) in &self.windows {
            if let Some(window) = row.windows.get(*place) {
                out.window_label = label;
                write(window, out);
            }
        }
        out.window_label = "";
    }
}

/// The labels of the rows of one kind, one after the other in the order of the rows; none of a row
/// that is not to be written.
#[derive(Debug, Default)]
struct Labels {
    text: String,
    rows: Vec<Option<Range<usize>>>,
}

impl Labels {
    fn fill(&mut self, rows: &[Row], share: &Share) {
        self.text.clear();
        self.rows.clear();
        for row in rows {
            let begin = self.text.len();
            let chosen = share.has(&row.name);
            if chosen {
                push_row_labels(&mut self.text, &row.name);
            }
            self.rows.push(chosen.then_some(begin..self.text.len()));
        }
    }

    /// Writes every row that is to be written, given in the order in which labels were filled.
    fn each<'o, T>(
        &'o self,
        rows: impl IntoIterator<Item = T>,
        out: &mut Samples<'o>,
        write: impl Fn(T, &mut Samples<'o>),
    ) {
        for (row, labels) in rows.into_iter().zip(&self.rows) {
            if let Some(labels) = labels {
                out.row_labels = &self.text[labels.clone()];
                write(row, out);
            }
        }
    }
}

fn push_row_labels(labels: &mut String, name: &RowName) {
    match name {
        RowName::Queue(key) => {
            push_label(labels, "client", &key.client);
            labels.push(',');
            push_label(labels, "queue", &key.queue);
            labels.push(',');
            push_label(labels, "channel", &key.channel);
        }
        RowName::Client(client) => push_label(labels, "client", client),
        RowName::Group(_) | RowName::Channel(_) | RowName::Total => {}
    }
}

/// `# HELP` and `# TYPE`. Help texts are ours and hold nothing to escape.
fn header(text: &mut String, family: &Family) {
    for part in ["# HELP ", &family.name, " ", &family.help, "\n"] {
        text.push_str(part);
    }
    for part in ["# TYPE ", &family.name, " ", family.kind.name(), "\n"] {
        text.push_str(part);
    }
}

/// Appends samples of one family at one row (and window).
#[derive(Debug)]
pub struct Samples<'a> {
    text: &'a mut String,
    registry: &'a Registry,
    name: &'a str,
    row_labels: &'a str,
    window_label: &'a str,
    all_rungs: bool,
}

impl Samples<'_> {
    /// Whether counters that depend on a threshold show every rung.
    pub fn all_rungs(&self) -> bool {
        self.all_rungs
    }

    /// A count.
    pub fn count(&mut self, count: i64) {
        self.put(&[], Value::Count(count));
    }

    /// A count, if there is one.
    pub fn count_if(&mut self, exists: bool, count: i64) {
        if exists {
            self.count(count);
        }
    }

    /// A time, as seconds.
    pub fn seconds(&mut self, millis: i64) {
        self.put(&[], Value::Seconds(millis));
    }

    /// A figure; no figure, no sample.
    pub fn figure(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.put(&[], Value::Decimal(value));
        }
    }

    /// Counts by aux reason.
    pub fn by_reason(&mut self, counts: &[(Arc<String>, i64)]) {
        for (reason, count) in limited(counts) {
            self.put(&[("reason", reason)], Value::Count(count));
        }
    }

    /// Milliseconds by aux reason.
    pub fn seconds_by_reason(&mut self, times: &[(Arc<String>, i64)]) {
        for (reason, millis) in limited(times) {
            self.put(&[("reason", reason)], Value::Seconds(millis));
        }
    }

    /// A sample with the label `threshold`, in seconds, before others.
    pub fn put_threshold(&mut self, threshold: Span, more: &[(&str, &str)], value: Value) {
        let mut text = String::new();
        push_number(&mut text, Value::Seconds(threshold.0));
        let mut labels = vec![("threshold", text.as_str())];
        labels.extend(more);
        self.put(&labels, value);
    }

    /// `queue_info`.
    pub fn info(&mut self, row: &Row) {
        if let Some((entry, view)) = &row.queue {
            let zones = &self.registry.settings().zones;
            let zone = zones.get(usize::from(entry.zone.0)).iana_name();
            let labels = [
                (
                    "display_name",
                    view.display_name.as_deref().unwrap_or(&entry.key.queue),
                ),
                ("group", view.group.as_deref().unwrap_or("none")),
                ("zone", zone.unwrap_or("unknown")),
                ("variant", view.variant.name()),
            ];
            self.put(&labels, Value::Count(1));
        }
    }

    /// A sample with labels of its own.
    pub fn put(&mut self, labels: &[(&str, &str)], value: Value) {
        self.text.push_str(self.name);
        let mut before = '{';
        for written in [self.row_labels, self.window_label] {
            if !written.is_empty() {
                self.text.push(before);
                self.text.push_str(written);
                before = ',';
            }
        }
        for (name, text) in labels {
            self.text.push(before);
            push_label(self.text, name, text);
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        self.text.push(' ');
        push_number(self.text, value);
        self.text.push('\n');
    }
}

/// The reasons shown: all, or the largest and the sum of the others.
fn limited(amounts: &[(Arc<String>, i64)]) -> Vec<(&str, i64)> {
    let mut all: Vec<(&str, i64)> = amounts
        .iter()
        .map(|(reason, amount)| (reason.as_str(), *amount))
        .collect();
    if all.len() > REASONS_MAX {
        // A reason that is called like the sum of the others is one of them.
        all.sort_by_key(|&(reason, amount)| (reason == OTHERS, std::cmp::Reverse(amount), reason));
        let rest = all.split_off(REASONS_MAX - 1);
        all.sort_unstable();
        all.push((OTHERS, rest.iter().map(|(_, amount)| amount).sum()));
    }
    all
}

fn push_number(text: &mut String, value: Value) {
    match value {
        Value::Count(count) => text.push_str(itoa::Buffer::new().format(count)),
        Value::Seconds(millis) if millis % 1000 == 0 => {
            text.push_str(itoa::Buffer::new().format(millis / 1000));
        }
        Value::Seconds(millis) => text.push_str(zmij::Buffer::new().format(seconds(millis))),
        Value::Decimal(value) => text.push_str(zmij::Buffer::new().format(value)),
    }
}
