//! What the terminal shows: the latest answer, what of it was chosen, and how old it is.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::columns::Widths;
use super::draw::Board;
use super::figures::{Figures, Level, Queue, Snapshot};
use crate::event::{Millis, Span, shown};

/// Positions stay this long, so that nobody reads a row that has just become another.
const SORT_EVERY: Span = Span::seconds(10);
/// Trends look this far back.
const BEFORE: Span = Span::seconds(60);
/// Nothing heard for this long: the connection is lost.
const SILENT_AFTER: Span = Span::seconds(5);
/// Figures of this age are late, and of the second slow, in seconds.
const LATE: f64 = 15.0;
const SLOW: f64 = 5.0;
/// No event for so many seconds is said beside the age; for so many more loudly.
const QUIET: f64 = 10.0;
const DUMB: f64 = 60.0;

/// What came of asking.
#[derive(Clone, Debug)]
pub enum Got {
    /// Figures.
    Figures(Box<Snapshot>),
    /// The instance has none at present, and says why.
    Absent(String),
    /// It does not answer so: it will not do so later either.
    Refused(String),
    /// It cannot be reached.
    Lost(String),
}

/// Which queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of this client.
    pub client: Option<String>,
    /// Of this group.
    pub group: Option<String>,
    /// Of this channel.
    pub channel: Option<String>,
    /// With this id.
    pub queue: Option<String>,
    /// Whose client, id, channel, name or group contains this.
    pub find: String,
}

impl Wanted {
    fn has(&self, queue: &Queue) -> bool {
        let is = |wanted: &Option<String>, name: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == name
        };
        let group = queue.settings.group.as_deref();
        let [client, id, channel] = queue.key();
        let find = self.find.trim().to_lowercase();
        let parts = [client, id, channel, queue.name(), group.unwrap_or_default()];
        is(&self.client, Some(client))
            && is(&self.group, group)
            && is(&self.channel, Some(channel))
            && is(&self.queue, Some(id))
            && (find.is_empty() || parts.iter().any(|part| part.to_lowercase().contains(&find)))
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Those in need first, as on the page.
    #[default]
    Need,
    /// By name.
    Name,
    /// Most waiting first.
    Waiting,
    /// Longest wait first.
    Oldest,
}

impl Sort {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Need => "need",
            Self::Name => "name",
            Self::Waiting => "waiting",
            Self::Oldest => "oldest wait",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Need => Self::Name,
            Self::Name => Self::Waiting,
            Self::Waiting => Self::Oldest,
            Self::Oldest => Self::Need,
        }
    }

    fn order(self, rows: &mut [&Queue]) {
        let waiting = |queue: &Queue| queue.figures.now.waiting;
        let oldest = |queue: &Queue| queue.figures.now.longest_wait_seconds.unwrap_or(-1.0);
        rows.sort_by(|one, other| one.by_need(other));
        match self {
            Self::Need => {}
            Self::Name => rows.sort_by_key(|queue| (queue.name().to_lowercase(), queue.key())),
            Self::Waiting => rows.sort_by_key(|queue| -waiting(queue)),
            Self::Oldest => rows.sort_by(|one, other| oldest(other).total_cmp(&oldest(one))),
        }
    }
}

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Colours beside the shapes.
    Colours,
    /// Shapes, bold and dim alone.
    Plain,
}

/// What it is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The instance, as it was named.
    pub url: String,
    /// Which queues.
    pub wanted: Wanted,
    /// How it looks.
    pub look: Look,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    GoOn,
    /// It ends.
    Quit,
}

/// How the figures are, in the page's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// As they should be.
    Live(String),
    /// They lag a little.
    Slow(String),
    /// Nobody asked yet.
    Connecting,
    /// Old, or none: what is shown must not be taken for now.
    Bad {
        /// In a word or two.
        brief: &'static str,
        /// In a sentence.
        text: String,
    },
}

/// The name of a queue as it stands in maps.
type Key = [String; 3];

fn key_of(queue: &Queue) -> Key {
    queue.key().map(str::to_owned)
}

/// Why the last question has no figures for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// What was answered instead.
    Refused(String),
    /// Why there was no answer.
    Lost(String),
}

/// What is shown of the latest answer. Made when it came or when something else was chosen: the screen is
/// drawn ten times a second.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// Of each queue, in order: its place in the answer, its service level of a minute ago.
    rows: Vec<(usize, Option<f64>)>,
    /// The sum of these.
    pub(super) sum: Figures,
    /// How many there are of each level.
    pub(super) levels: Vec<(Level, usize)>,
    /// What all queues of the answer need.
    pub(super) widths: Widths,
}

/// The whole state.
#[derive(Clone, Debug)]
pub struct Top {
    pub(super) options: Options,
    pub(super) sort: Sort,
    /// The text that is being typed.
    pub(super) typing: bool,
    /// The first row on the screen.
    pub(super) first: usize,
    snapshot: Option<Snapshot>,
    /// The rows that are shown, in order.
    order: Vec<Key>,
    pub(super) shown: Shown,
    sorted_at: Millis,
    /// Service levels of a minute ago, and those that will be.
    before: BTreeMap<Key, f64>,
    marked: BTreeMap<Key, f64>,
    marked_at: Millis,
    begun: Millis,
    /// When an answer last came.
    heard: Option<Millis>,
    /// When figures last came.
    figured: Option<Millis>,
    /// Why there are no figures.
    absent: Option<String>,
    /// Why the last question was not answered.
    fault: Option<Fault>,
}

impl Top {
    /// Before the first answer.
    pub fn new(options: Options, now: Millis) -> Self {
        Self {
            options,
            sort: Sort::default(),
            typing: false,
            first: 0,
            snapshot: None,
            order: Vec::new(),
            shown: Shown::default(),
            sorted_at: Millis::MIN,
            before: BTreeMap::new(),
            marked: BTreeMap::new(),
            marked_at: Millis::MIN,
            begun: now,
            heard: None,
            figured: None,
            absent: None,
            fault: None,
        }
    }

    /// Takes what came of asking.
    pub fn take(&mut self, got: Got, now: Millis) {
        match got {
            Got::Figures(snapshot) => {
                self.hear(now);
                self.figured = Some(now);
                self.snapshot = Some(*snapshot);
                self.remember(now);
                self.arrange(now);
            }
            Got::Absent(reason) => {
                self.hear(now);
                self.absent = Some(reason);
            }
            Got::Refused(told) => self.fault = Some(Fault::Refused(told)),
            Got::Lost(reason) => self.fault = Some(Fault::Lost(reason)),
        }
    }

    fn hear(&mut self, now: Millis) {
        self.heard = Some(now);
        self.absent = None;
        self.fault = None;
    }

    /// Keeps the service levels of a minute ago for the trends.
    fn remember(&mut self, now: Millis) {
        if self.marked_at != Millis::MIN && now - self.marked_at < BEFORE {
            return;
        }
        let queues = self.snapshot.iter().flat_map(|snapshot| &snapshot.queues);
        let levels = queues.filter_map(|queue| Some((key_of(queue), queue.service_level()?)));
        self.before = std::mem::replace(&mut self.marked, levels.collect());
        self.marked_at = now;
    }

    /// New figures in the old order; a new order when it is due, or when there are other rows.
    fn arrange(&mut self, now: Millis) {
        let Some(snapshot) = &self.snapshot else {
            return;
        };
        let wanted = &self.options.wanted;
        let mut rows: Vec<&Queue> = snapshot.queues.iter().collect();
        rows.retain(|queue| wanted.has(queue));
        let due = self.sorted_at == Millis::MIN || now - self.sorted_at >= SORT_EVERY;
        let kept = || {
            let mut known: Vec<_> = self.order.iter().collect();
            known.sort_unstable();
            rows.iter().all(|queue| {
                let is = |other: &&Key| queue.key().cmp(&other.each_ref().map(String::as_str));
                known.binary_search_by(|other| is(other).reverse()).is_ok()
            })
        };
        if due || rows.len() != self.order.len() || !kept() {
            self.sort.order(&mut rows);
            self.order = rows.into_iter().map(key_of).collect();
            self.sorted_at = now;
        }
        self.shown = self.show(snapshot);
    }

    fn show(&self, snapshot: &Snapshot) -> Shown {
        let queues = snapshot.queues.iter().enumerate();
        let places: BTreeMap<[&str; 3], usize> =
            queues.map(|(place, queue)| (queue.key(), place)).collect();
        let place_of = |key: &Key| places.get(&key.each_ref().map(String::as_str)).copied();
        let rows = self.order.iter();
        let rows = rows.filter_map(|key| Some((place_of(key)?, self.before.get(key).copied())));
        let rows: Vec<_> = rows.collect();
        let queues = rows.iter();
        let queues: Vec<&Queue> = queues
            .filter_map(|(place, _)| snapshot.queues.get(*place))
            .collect();
        Shown {
            sum: self.sum(snapshot, &queues),
            levels: levels(&queues),
            widths: Widths::of(&snapshot.queues),
            rows,
        }
    }

    /// What a key does.
    pub fn key(&mut self, key: KeyEvent, now: Millis) -> Next {
        if key.kind == KeyEventKind::Release {
            return Next::GoOn;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => return Next::Quit,
            code if self.typing => self.type_key(code, control),
            KeyCode::Char('q') | KeyCode::Esc => return Next::Quit,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            code => {
                self.scroll(code);
                return Next::GoOn;
            }
        }
        self.first = 0;
        self.sorted_at = Millis::MIN;
        self.arrange(now);
        Next::GoOn
    }

    /// A key while a text is typed: Enter keeps it, Escape drops it; Ctrl-U empties it, Ctrl-W takes the
    /// last word.
    fn type_key(&mut self, code: KeyCode, control: bool) {
        let find = &mut self.options.wanted.find;
        match code {
            KeyCode::Char('u') if control => find.clear(),
            KeyCode::Char('w') if control => {
                let word = |character: char| !character.is_whitespace();
                find.truncate(find.trim_end().trim_end_matches(word).len());
            }
            KeyCode::Char(_) if control => {}
            KeyCode::Char(character) => find.push(character),
            KeyCode::Backspace => {
                find.pop();
            }
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                find.clear();
                self.typing = false;
            }
            _ => {}
        }
    }

    fn scroll(&mut self, code: KeyCode) {
        const PAGE: usize = 10;
        self.first = match code {
            KeyCode::Up | KeyCode::Char('k') => self.first.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.first + 1,
            KeyCode::PageUp => self.first.saturating_sub(PAGE),
            KeyCode::PageDown | KeyCode::Char(' ') => self.first + PAGE,
            KeyCode::Home => 0,
            KeyCode::End => usize::MAX,
            _ => return,
        }
        .min(self.order.len().saturating_sub(1));
    }

    /// It at an instant, ready to be drawn.
    pub fn board(&self, now: Millis) -> Board<'_> {
        Board::new(self, now)
    }

    /// The queues that are shown, in order, each with its service level of a minute ago.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Queue, Option<f64>)> {
        let queues = self.snapshot.as_ref().map(|snapshot| &snapshot.queues);
        let rows = self.shown.rows.iter();
        rows.filter_map(move |(place, before)| Some((queues?.get(*place)?, *before)))
    }

    /// How many queues are shown.
    pub(super) fn count(&self) -> usize {
        self.shown.rows.len()
    }

    fn sum(&self, snapshot: &Snapshot, rows: &[&Queue]) -> Figures {
        let wanted = &self.options.wanted;
        let filters = [&wanted.group, &wanted.channel, &wanted.client];
        let narrowed = wanted.queue.is_some() || !wanted.find.trim().is_empty();
        snapshot.sum_of(filters.map(Option::as_deref), narrowed, rows)
    }

    /// The latest answer.
    pub(super) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// What is wrong where no figures came.
    fn unanswered(&self) -> Condition {
        let url = shown(&self.options.url);
        let old = self.heard.map_or_else(String::new, |heard| {
            format!(" What you see is of {}.", time_of(heard))
        });
        let (brief, text) = match (&self.fault, self.heard) {
            (Some(Fault::Refused(told)), _) => {
                ("refused", format!("{url} answers: {}.{old}", shown(told)))
            }
            (fault, heard) => {
                let why = match fault {
                    Some(Fault::Lost(reason)) => shown(reason),
                    _ => "no answer".to_owned(),
                };
                let text = match heard {
                    None => format!("Cannot reach {url}: {why}. Trying again."),
                    Some(heard) => format!(
                        "Connection lost since {}: {why}. What you see is old; trying again.",
                        time_of(heard)
                    ),
                };
                ("no connection", text)
            }
        };
        Condition::Bad { brief, text }
    }

    /// How the connection and the figures are.
    pub(super) fn condition(&self, now: Millis) -> Condition {
        let last = self.heard.unwrap_or(self.begun);
        if now - last > SILENT_AFTER || (self.heard.is_none() && self.fault.is_some()) {
            return self.unanswered();
        }
        let late = |text| Condition::Bad {
            brief: "not live",
            text,
        };
        if let Some(reason) = &self.absent {
            let since = self.figured.map_or_else(
                || "yet".to_owned(),
                |figured| format!("since {}", time_of(figured)),
            );
            return late(format!("No figures {since}: {}.", shown(bare(reason))));
        }
        let Some(snapshot) = &self.snapshot else {
            return Condition::Connecting;
        };
        let silence = self.silence(now).filter(|silence| *silence > QUIET);
        let event = silence.map(|silence| format!(", last event {} ago", rough(silence)));
        let event = event.unwrap_or_default();
        match snapshot.data_age_seconds.map(|age| age + self.passed(now)) {
            Some(age) if age > LATE => late(format!(
                "Figures are {age:.0} s old: the engine is behind its events."
            )),
            Some(age) if age > SLOW => Condition::Slow(format!("live, {age:.1} s{event}")),
            Some(age) => Condition::Live(format!("live, {age:.1} s{event}")),
            None => Condition::Live(format!("live{event}")),
        }
    }

    /// Seconds since figures last came: what they say of ages has grown by these.
    fn passed(&self, now: Millis) -> f64 {
        let since = self.figured.map_or(0, |figured| (now - figured).0);
        Duration::from_millis(since.max(0).cast_unsigned()).as_secs_f64()
    }

    /// Seconds since the last event, where that is known.
    fn silence(&self, now: Millis) -> Option<f64> {
        let told = self.snapshot.as_ref()?.source_silence_seconds?;
        // An answer may hold anything: a thousand years are as good as more.
        Some(told.clamp(0.0, 3e10) + self.passed(now))
    }

    /// That no event has come for long, and since when.
    pub(super) fn quiet(&self, now: Millis) -> Option<String> {
        let silence = self.silence(now).filter(|silence| *silence > DUMB)?;
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let last = now - Span((silence * 1000.0) as i64);
        let (day, today) = (crate::live::rfc3339(last), crate::live::rfc3339(now));
        let date = day.get(..10).filter(|date| today.get(..10) != Some(*date));
        let date = date.map_or_else(String::new, |date| format!("{date} "));
        Some(format!(
            "No event has come since {date}{}: figures are still computed, but nobody reports.",
            time_of(last)
        ))
    }

    /// Why no queue is shown; nothing while some are.
    pub(super) fn emptiness(&self) -> Option<String> {
        let snapshot = self.snapshot.as_ref()?;
        if self.count() > 0 {
            return None;
        }
        let wanted = &self.options.wanted;
        let find = wanted.find.trim();
        let chosen = [
            ("client", wanted.client.as_deref()),
            ("group", wanted.group.as_deref()),
            ("channel", wanted.channel.as_deref()),
            ("queue", wanted.queue.as_deref()),
            ("find", (!find.is_empty()).then_some(find)),
        ];
        let chosen = chosen.into_iter();
        let chosen = chosen.filter_map(|(what, name)| Some(format!("{what} \"{}\"", shown(name?))));
        let chosen: Vec<String> = chosen.collect();
        Some(if chosen.is_empty() || snapshot.queues.is_empty() {
            "There are no queues yet.".to_owned()
        } else {
            format!("No queue matches {}.", chosen.join(", "))
        })
    }
}

fn levels(queues: &[&Queue]) -> Vec<(Level, usize)> {
    let of = |level| queues.iter().filter(|queue| queue.level() == level).count();
    let counted = Level::ALL.map(|level| (level, of(level)));
    counted.into_iter().filter(|(_, n)| *n > 0).collect()
}

/// A reason of the instance without the words that stand before it here.
fn bare(reason: &str) -> &str {
    let told = ["no figures yet: ", "no figures: "];
    let mut bare = told.iter().filter_map(|words| reason.strip_prefix(words));
    bare.next().unwrap_or(reason)
}

/// Seconds, minutes or hours, as many as are whole.
fn rough(seconds: f64) -> String {
    let (unit, name) = match seconds {
        ..120.0 => (1.0, "s"),
        ..7200.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    format!("{:.0} {name}", (seconds / unit).floor())
}

/// The time of day, UTC.
fn time_of(at: Millis) -> String {
    let text = crate::live::rfc3339(at);
    let time = text.get(11..19).unwrap_or_default();
    format!("{time} UTC")
}
