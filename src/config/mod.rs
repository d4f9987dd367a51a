//! Configuration: raw to checked, once. Nothing behind this border checks a value again.
//!
//! Four layers, each laid over the one before: `config/queuepulse.toml`, which documents every key
//! and is compiled in; the file given; the environment (`QUEUEPULSE__SECTION__KEY`); what the
//! command line says. Everything that is wrong is listed at once, with its key, its value and what
//! would be right. A key that does not exist is wrong too.

mod kafka;
mod section;
mod span;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use config::{Environment, File, FileFormat, ValueKind};
use jiff::tz::TimeZone;
use rapidhash::v3::rapidhash_v3;
use tracing_subscriber::filter::LevelFilter;

pub use kafka::{KafkaConfig, Properties};
pub use section::Fault;
pub use span::{format_span, parse_span};

use crate::engine::settings::{Pattern, RUNGS_MAX, StateSettings};
use crate::event::Span;
use crate::kpi::{QueueView, Variant};
use crate::windows::frame::{WindowKind, WindowSpec};
use section::{Faults, Section};
use view::Rule;

/// Every key with its default, documented.
pub const DEFAULTS: &str = include_str!("../../config/queuepulse.toml");

/// Everything that can be configured, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where events come from.
    pub kafka: KafkaConfig,
    /// Where figures go.
    pub http: HttpConfig,
    /// Worker threads; 0 stands for one for each core.
    pub workers: usize,
    /// What counting depends on.
    pub state: Arc<StateSettings>,
    /// The windows that are kept, in the order in which they are shown.
    pub windows: Vec<WindowSpec>,
    /// How queues are shown that no rule matches.
    pub view: QueueView,
    /// How some queues are shown; the first that matches holds.
    pub queues: Vec<(Pattern, QueueView)>,
    /// What /metrics shows.
    pub export: ExportConfig,
    /// Several instances.
    pub cluster: ClusterConfig,
    /// Logs.
    pub log: LogConfig,
}

/// Where /metrics, the API and the page are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
}

/// What /metrics shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportConfig {
    /// Keys of the windows shown.
    pub windows: Vec<String>,
    /// Families beside those shown by default, by whole name; `*` stands for all.
    pub families: Vec<String>,
    /// Counters that depend on a threshold show every rung, not the queue's T alone.
    pub all_rungs: bool,
    /// Every row, not only those that are this instance's to export.
    pub all: bool,
}

/// What several instances need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Rows are published, and read when other instances have partitions.
    pub enabled: bool,
    /// A centre that nobody has published for this long is stale.
    pub stale_after: Span,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How a line looks.
    pub format: LogFormat,
    /// A level, or a filter such as `info,rdkafka=warn`.
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Plain,
    /// One JSON object a line.
    Json,
}

/// What the command line lays over everything, for all queues.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Service threshold T.
    pub threshold: Option<Span>,
    /// Short-abandon threshold S.
    pub short_abandon: Option<Span>,
    /// The service level's formula.
    pub variant: Option<Variant>,
    /// The engine's own zone, and every queue's.
    pub zone: Option<TimeZone>,
    /// The windows that are kept.
    pub windows: Option<Vec<WindowSpec>>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration file {path} is not TOML: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why, without the line itself.
        reason: String,
    },
    /// The environment cannot be read.
    #[error("the environment cannot be used: {0}")]
    Environment(String),
    /// Some keys or values are wrong.
    #[error("the configuration is wrong:{}", list(.0))]
    Faults(Vec<Fault>),
}

fn list(faults: &[Fault]) -> String {
    let lines = faults.iter().map(|fault| format!("\n  {fault}"));
    lines.collect()
}

impl Config {
    /// Loads the layers: the defaults, a file, the environment (names and values), overrides.
    ///
    /// # Errors
    /// What cannot be read, or everything that is wrong.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let text = file.map(read).transpose()?;
        let layer = text.as_ref().map(|(path, text)| (&**path, &**text));
        Self::from_layers(layer, environment, overrides)
    }

    /// The compiled-in defaults.
    ///
    /// # Errors
    /// Never, as a test shows.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::from_layers(None, [], &Overrides::default())
    }

    /// As [`Self::load`], with the file's name and text.
    ///
    /// # Errors
    /// What is no TOML, or everything that is wrong.
    pub fn from_layers(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let merged = merge(file, environment)?;
        let faults = Faults::default();
        let mut root = Section::new(String::new(), merged, &faults);
        let config = check(&mut root, overrides);
        root.finish();
        let faults = faults.into_list();
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Faults(faults))
        }
    }

    /// How a queue is shown, as far as the file says.
    pub fn view_for(&self, client: &str, queue: &str, channel: &str) -> QueueView {
        self.queues
            .iter()
            .find(|(pattern, _)| pattern.matches(client, queue, channel))
            .map_or_else(|| self.view.clone(), |(_, view)| view.clone())
    }

    /// A number that is the same for two configurations only if they count alike: of the `[state]`
    /// block with the rungs of each channel, and of `kafka.max_record_bytes`, for a larger record is
    /// not counted. The same in every build and on every machine. It stands in every snapshot of
    /// state.
    pub fn state_hash(&self) -> u64 {
        let mut text = state::canonical(&self.state);
        let _ = writeln!(text, "record {}", self.kafka.max_record_bytes);
        rapidhash_v3(text.as_bytes())
    }
}

fn read(path: &Path) -> Result<(String, String), ConfigError> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(reason) => Err(ConfigError::Unreadable { path: name, reason }),
    }
}

/// Lists that the environment can give, separated by commas.
const LISTS: [&str; 4] = [
    "windows.sliding",
    "export.windows",
    "export.families",
    "state.extra_rungs",
];

fn merge(
    file: Option<(&str, &str)>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<config::Map<String, config::Value>, ConfigError> {
    let mut variables = Environment::with_prefix("QUEUEPULSE")
        .prefix_separator("__")
        .separator("__")
        .list_separator(",")
        .try_parsing(true)
        .source(Some(environment.into_iter().collect()));
    for key in LISTS {
        variables = variables.with_list_parse_key(key);
    }
    let mut layers =
        config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some((path, text)) = file {
        // Parsed alone first, so that the error can name the file.
        let layer = File::from_str(text, FileFormat::Toml);
        let alone = config::Config::builder().add_source(layer.clone()).build();
        alone.map_err(|error| syntax(path, &error))?;
        layers = layers.add_source(layer);
    }
    let merged = layers
        .add_source(variables)
        .build()
        .map_err(|error| ConfigError::Environment(error.to_string()))?;
    match merged.cache.kind {
        ValueKind::Table(table) => Ok(table),
        _ => Ok(config::Map::new()),
    }
}

/// The parser's message quotes the line, which may hold a secret: only its first and last line are
/// kept, where and why.
fn syntax(path: &str, error: &config::ConfigError) -> ConfigError {
    let text = error.to_string();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let reason = match lines.as_slice() {
        [first, .., last] => format!("{first}: {last}"),
        [only] => (*only).to_owned(),
        [] => String::new(),
    };
    ConfigError::Syntax {
        path: path.to_owned(),
        reason,
    }
}

fn check(root: &mut Section<'_>, overrides: &Overrides) -> Config {
    let kafka = kafka::kafka(root);
    let http = http(root);
    let (zone, workers) = engine(root);
    let windows = windows(root);
    let export = export(root, &windows);
    let cluster = cluster(root);
    kafka.check_topics(cluster.enabled, root.faults());
    let log = log(root);
    let mut rules = rules(root);
    let windows = overrides.windows.clone().unwrap_or(windows);
    let zone = overrides.zone.clone().unwrap_or(zone);
    let (mut state, extra) = state::state(root, zone.clone());
    state.list_agents = agents(root);
    if overrides.zone.is_some() {
        state.zones = crate::event::Zones::new(vec![zone]);
        state.zone_by_queue.clear();
    }
    for rule in &mut rules {
        override_view(&mut rule.view, overrides);
    }
    check_rules(root, &rules);
    for (channel, count) in state::rungs(&mut state, &extra, &rules) {
        let right = format!(
            "a channel has at most {RUNGS_MAX} rungs: use fewer different thresholds, \
             short_abandons, sl11 ranges or extra_rungs"
        );
        let key = format!("rungs of channel {channel:?}");
        root.faults().push(key, Some(count.to_string()), right);
    }
    state.log_keep = Span(longest(&windows).0 + state.ahead_most().0);
    let view = rules.remove(0).view;
    Config {
        kafka,
        http,
        workers,
        state: Arc::new(state),
        windows,
        view,
        queues: rules
            .into_iter()
            .map(|rule| (rule.pattern, rule.view))
            .collect(),
        export,
        cluster,
        log,
    }
}

/// `[view]` as a rule for all queues, then the rules for some.
fn rules(root: &mut Section<'_>) -> Vec<Rule> {
    let mut section = root.section("view");
    let base = view::view(&mut section, &QueueView::default());
    section.finish();
    let mut rules = vec![Rule {
        path: "view".to_owned(),
        pattern: Pattern::default(),
        view: base.clone(),
    }];
    rules.extend(view::rules(root, &base));
    rules
}

fn override_view(view: &mut QueueView, overrides: &Overrides) {
    view.threshold = overrides.threshold.unwrap_or(view.threshold);
    view.short_abandon = overrides.short_abandon.unwrap_or(view.short_abandon);
    view.variant = overrides.variant.unwrap_or(view.variant);
}

fn check_rules(root: &Section<'_>, rules: &[Rule]) {
    // What a rule does not name is that of [view]; a wrong one of either says nothing.
    let wrong = |path: &str| {
        let keys = ["threshold", "short_abandon"].map(|key| format!("{path}.{key}"));
        keys.iter().any(|key| root.faults().about(key))
    };
    for rule in rules {
        let (short, threshold) = (rule.view.short_abandon, rule.view.threshold);
        if short > threshold && !wrong("view") && !wrong(&rule.path) {
            root.faults().push(
                format!("{}.short_abandon", rule.path),
                Some(format!("{:?}", format_span(short))),
                format!("give at most the threshold, {:?}", format_span(threshold)),
            );
        }
    }
}

fn http(root: &mut Section<'_>) -> HttpConfig {
    let mut section = root.section("http");
    let right = "give an address and a port such as \"127.0.0.1:8090\"";
    let listen = section.parsed("listen", |text| text.parse().ok(), right);
    section.finish();
    HttpConfig {
        listen: listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 8090).into()),
    }
}

fn engine(root: &mut Section<'_>) -> (TimeZone, usize) {
    let mut section = root.section("engine");
    let zone = section.parsed("zone", state::zone, state::ZONE);
    let workers = section.integer("workers", 0, 256);
    section.finish();
    let workers = workers.and_then(|workers| usize::try_from(workers).ok());
    (zone.unwrap_or(TimeZone::UTC), workers.unwrap_or_default())
}

fn windows(root: &mut Section<'_>) -> Vec<WindowSpec> {
    let mut section = root.section("windows");
    let mut windows: Vec<WindowSpec> = Vec::new();
    let mut twice = BTreeSet::new();
    for (key, span) in section.spans("sliding").unwrap_or_default() {
        let kind = WindowKind::Sliding(span);
        if !windows.iter().any(|known| known.kind == kind) {
            windows.push(WindowSpec { key, kind });
        } else if twice.insert(span) {
            let key = section.key("sliding");
            section.faults().push(
                key,
                Some(format!("{:?}", format_span(span))),
                "name each window once",
            );
        }
    }
    let lengths = [("15m", Span::minutes(15)), ("30m", Span::minutes(30))];
    if let Some(length) = section.choice("interval", &lengths) {
        windows.push(WindowSpec {
            key: "interval".to_owned(),
            kind: WindowKind::Interval(length),
        });
    }
    if section.flag("today") == Some(true) {
        windows.push(WindowSpec {
            key: "today".to_owned(),
            kind: WindowKind::Today,
        });
    }
    section.finish();
    windows
}

fn export(root: &mut Section<'_>, windows: &[WindowSpec]) -> ExportConfig {
    let keys: Vec<&str> = windows.iter().map(|window| &*window.key).collect();
    let right = format!("give windows that are kept: {}", keys.join(", "));
    // Which windows there are is not known while something is wrong with them.
    let unknown = root.faults().about("windows");
    let mut section = root.section("export");
    let known = |text: &str| (unknown || keys.contains(&text)).then(|| text.to_owned());
    let windows = section.list("windows", known, &right);
    let named = |text: &str| {
        let prefixed = text
            .strip_prefix("queuepulse_")
            .is_some_and(|rest| !rest.is_empty());
        (prefixed || text == "*").then(|| text.to_owned())
    };
    let right = "give names of metrics such as \"queuepulse_talk_seconds_total\", or \"*\"";
    let families = section.list("families", named, right);
    let all_rungs = section.flag("all_rungs");
    let all = section.choice("rows", &[("own", false), ("all", true)]);
    section.finish();
    ExportConfig {
        windows: windows.unwrap_or_default(),
        families: families.unwrap_or_default(),
        all_rungs: all_rungs.unwrap_or_default(),
        all: all.unwrap_or_default(),
    }
}

/// Whether agents are listed.
fn agents(root: &mut Section<'_>) -> bool {
    let mut section = root.section("agents");
    let list = section.flag("list");
    section.finish();
    list.unwrap_or_default()
}

fn cluster(root: &mut Section<'_>) -> ClusterConfig {
    let mut section = root.section("cluster");
    let enabled = section.flag("enabled");
    let stale_after = section.positive_span("stale_after");
    section.finish();
    ClusterConfig {
        enabled: enabled.unwrap_or_default(),
        stale_after: stale_after.unwrap_or_default(),
    }
}

fn log(root: &mut Section<'_>) -> LogConfig {
    let mut section = root.section("log");
    let formats = [("plain", LogFormat::Plain), ("json", LogFormat::Json)];
    let format = section.choice("format", &formats);
    // A mistyped level would pass as the name of a module, and nothing be logged.
    let level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let named = |part: &str| part.contains(['=', '[']) || level(part);
    let filter = |text: &str| {
        let valid = tracing_subscriber::EnvFilter::try_new(text).is_ok();
        (valid && text.split(',').all(|part| named(part.trim()))).then(|| text.to_owned())
    };
    let right = "give \"error\", \"warn\", \"info\", \"debug\", \"trace\" or a filter such as \
                 \"info,rdkafka=warn\"";
    let level = section.parsed("level", filter, right);
    section.finish();
    LogConfig {
        format: format.unwrap_or_default(),
        level: level.unwrap_or_else(|| "info".to_owned()),
    }
}

/// The longest window that is read from the log. The day comes from the log's base.
fn longest(windows: &[WindowSpec]) -> Span {
    let lengths = windows.iter().map(|window| match window.kind {
        WindowKind::Sliding(length) | WindowKind::Interval(length) => length,
        WindowKind::Today | WindowKind::All => Span::ZERO,
    });
    lengths.max().unwrap_or_default()
}
