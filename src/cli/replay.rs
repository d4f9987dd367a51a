//! `queuepulse replay`.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use super::{Failure, output};
use crate::config::{Config, Overrides, parse_span};
use crate::decode::{Limits, parse_instant};
use crate::event::{Correction, Discard, Millis, Span};
use crate::ingest::replay::lines::Lines;
use crate::ingest::replay::{ReplayOptions, Report, replay as run_replay};
use crate::kpi::Variant;
use crate::live::Share;
use crate::live::{Snapshot, table};
use crate::telemetry::{ExportOptions, Exposition};
use crate::windows::frame::{WindowKind, WindowSpec};

/// The most windows of one replay.
const WINDOWS_MAX: usize = 16;

/// What to replay and how
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// NDJSON files, plain or gzip, each one partition; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Instant to evaluate (RFC 3339 with an offset), several times; default: the last event's time
    #[arg(long, value_name = "RFC3339", value_parser = instant)]
    at: Vec<Millis>,
    /// Window to show: a duration such as 90s, 30m or 1h30m, `today`, or `all`; several times
    #[arg(long, value_name = "DUR|today|all", value_parser = window)]
    window: Vec<WindowSpec>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// What the files hold
    #[arg(long, value_enum, default_value_t = Dialect::Canonical)]
    dialect: Dialect,
    /// The service level's formula for all queues, sl1 to sl11
    #[arg(long, value_name = "VARIANT", value_parser = variant)]
    service_level_variant: Option<Variant>,
    /// Service threshold T for all queues
    #[arg(long, value_name = "DUR", value_parser = positive_span)]
    threshold: Option<Span>,
    /// Short-abandon threshold S for all queues; 0s switches it off
    #[arg(long, value_name = "DUR", value_parser = span)]
    short_abandon: Option<Span>,
    /// Time zone of all queues and of the totals (IANA name)
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<TimeZone>,
    /// Configuration file, for what has no flag
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How far a file may be out of order
    #[arg(long, value_name = "DUR", default_value = "60s", value_parser = span)]
    max_disorder: Span,
    /// Cut the milliseconds of every time, to reconcile with reports of whole seconds
    #[arg(long)]
    truncate_seconds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// An array of snapshots, one for each instant
    Json,
    /// Text exposition of one instant
    Prometheus,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Dialect {
    /// queuepulse's own events: docs/events.md
    Canonical,
}

/// Runs the command.
pub(super) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let Dialect::Canonical = args.dialect;
    check(args)?;
    let config = Config::load(
        args.config.as_deref(),
        super::environment(),
        &overrides(args),
    )?;
    let read = Arc::new(AtomicU64::new(0));
    let limits = Limits {
        max_bytes: config.kafka.max_record_bytes,
        whole_seconds: args.truncate_seconds,
    };
    let inputs = open(&args.files, limits.max_bytes, &read)?;
    let export = export(&config, args);
    let options = options(args, config, limits);
    let bar = progress_bar(&args.files);
    let report = run_replay(inputs, options, &mut |records| {
        bar.set_position(read.load(Ordering::Relaxed));
        bar.set_message(format!("{records} events"));
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| Failure::Broken(format!("cannot read on: {error}")))?;
    if report.accepted == 0 {
        return Err(Failure::NoEvent(discarded(&report)));
    }
    for note in notes(&report) {
        output::note(&note);
    }
    write(&report, args.format, export)
}

fn check(args: &ReplayArgs) -> Result<(), Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    if let (Some(short), Some(threshold)) = (args.short_abandon, args.threshold)
        && short > threshold
    {
        return usage("--short-abandon: give at most the --threshold");
    }
    if args.window.len() > WINDOWS_MAX {
        return usage("--window: give at most 16 windows");
    }
    let mut keys = HashSet::new();
    if !args.window.iter().all(|window| keys.insert(&window.key)) {
        return usage("--window: name each window once");
    }
    if args.files.iter().filter(|file| is_stdin(file)).count() > 1 {
        return usage("standard input (-) can only be read once");
    }
    if args.format == Format::Prometheus && args.at.len() > 1 {
        return usage("--format prometheus: give one --at, an exposition shows one instant");
    }
    Ok(())
}

fn overrides(args: &ReplayArgs) -> Overrides {
    Overrides {
        threshold: args.threshold,
        short_abandon: args.short_abandon,
        variant: args.service_level_variant,
        zone: args.zone.clone(),
        windows: (!args.window.is_empty()).then(|| args.window.clone()),
    }
}

fn options(args: &ReplayArgs, config: Config, limits: Limits) -> ReplayOptions {
    ReplayOptions {
        settings: Arc::clone(&config.state),
        windows: config.windows.clone().into(),
        views: Box::new(move |client, queue, channel| config.view_for(client, queue, channel)),
        instants: args.at.clone(),
        max_disorder: args.max_disorder,
        limits,
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn open(files: &[PathBuf], longest: usize, read: &Arc<AtomicU64>) -> Result<Vec<Lines>, Failure> {
    let open = |file: &PathBuf| {
        Lines::open(file, longest, Arc::clone(read))
            .map_err(|error| Failure::NoInput(format!("cannot open {}: {error}", file.display())))
    };
    files.iter().map(open).collect()
}

/// A bar on a terminal, nothing elsewhere. Its length is that of the files, if all are files.
fn progress_bar(files: &[PathBuf]) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes = files.iter().map(|file| std::fs::metadata(file).ok());
    let total = sizes
        .map(|meta| meta.map(|meta| meta.len()))
        .sum::<Option<u64>>();
    let (bar, form) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {msg}"),
    };
    match ProgressStyle::with_template(form) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn write(report: &Report, format: Format, export: ExportOptions) -> Result<(), Failure> {
    let text = match format {
        Format::Table => {
            let zone = report.registry.settings().zones.get(0);
            let tables = report.snapshots.iter().map(|merged| table(merged, zone));
            tables.collect::<Vec<String>>().join("\n")
        }
        Format::Json => {
            let snapshots: Vec<Snapshot<'_>> = report
                .snapshots
                .iter()
                .map(|merged| Snapshot {
                    merged,
                    data_age_seconds: None,
                    source_silence_seconds: None,
                })
                .collect();
            let json = serde_json::to_string(&snapshots);
            json.map_err(|error| Failure::Broken(format!("cannot write JSON: {error}")))? + "\n"
        }
        Format::Prometheus => exposition(report, export),
    };
    output::print(&text)
}

/// The exposition of the last instant.
fn exposition(report: &Report, export: ExportOptions) -> String {
    let mut exposition = Exposition::new(export);
    let last = report.snapshots.last();
    last.map_or_else(String::new, |merged| {
        exposition
            .write(merged, &report.registry, &Share::All)
            .to_owned()
    })
}

/// What the exposition shows: the windows asked for, else those of the configuration.
fn export(config: &Config, args: &ReplayArgs) -> ExportOptions {
    let asked = args.window.iter().map(|window| window.key.clone());
    ExportOptions {
        windows: if args.window.is_empty() {
            config.export.windows.clone()
        } else {
            asked.collect()
        },
        families: config.export.families.clone(),
        all_rungs: config.export.all_rungs,
    }
}

/// What a person should know about the events.
fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if report.missing > 0 {
        notes.push(format!(
            "events that came too late for an instant: {}; its figures lack them, give a larger \
             --max-disorder",
            report.missing
        ));
    }
    if report.discarded.iter().any(|&count| count > 0) {
        notes.push(format!("not counted: {}", discarded(report)));
    }
    let irregular = named(Correction::ALL.map(Correction::reason), report.irregular);
    if !irregular.is_empty() {
        notes.push(format!("irregular: {irregular}"));
    }
    if report.bad_settings > 0 {
        notes.push(format!(
            "{} settings of queue.configured were refused",
            report.bad_settings
        ));
    }
    notes
}

fn discarded(report: &Report) -> String {
    let reasons = named(Discard::ALL.map(Discard::reason), report.discarded);
    if reasons.is_empty() {
        "the input is empty".to_owned()
    } else {
        reasons
    }
}

/// `name count` of every count that is not 0.
fn named<const N: usize>(names: [&str; N], counts: [u64; N]) -> String {
    let parts: Vec<String> = names
        .iter()
        .zip(counts)
        .filter(|&(_, count)| count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    parts.join(", ")
}

fn instant(text: &str) -> Result<Millis, String> {
    match parse_instant(text) {
        Ok(instant) => Ok(instant),
        Err(Discard::AmbiguousTime) => Err("give an offset too, such as Z or +02:00".to_owned()),
        Err(_) => Err("give an RFC 3339 time such as 2026-01-05T09:00:00Z".to_owned()),
    }
}

fn span(text: &str) -> Result<Span, String> {
    let right = "give a duration such as 90s, 30m or 1h30m";
    parse_span(text).ok_or_else(|| right.to_owned())
}

fn positive_span(text: &str) -> Result<Span, String> {
    match span(text)? {
        Span::ZERO => Err("give a duration of more than 0".to_owned()),
        span => Ok(span),
    }
}

fn window(text: &str) -> Result<WindowSpec, String> {
    let kind = match text {
        "today" => WindowKind::Today,
        "all" => WindowKind::All,
        _ => WindowKind::Sliding(positive_span(text)?),
    };
    Ok(WindowSpec {
        key: text.to_owned(),
        kind,
    })
}

fn variant(text: &str) -> Result<Variant, String> {
    Variant::parse(text)
        .filter(|&variant| variant != Variant::Sl12)
        .ok_or_else(|| "give one of sl1 to sl11".to_owned())
}

fn zone(text: &str) -> Result<TimeZone, String> {
    let right = "give an IANA time zone such as Europe/Berlin or UTC";
    TimeZone::get(text).map_err(|_| right.to_owned())
}
