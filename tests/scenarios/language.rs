//! The language of the scenario files; `README.md` beside this file describes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::oracle::{AfterContact, Kind, Pattern, Row, Settings, Shown, Window, duration};

/// One scenario: what happened, and what must come out.
#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    pub settings: Settings,
    pub partitions: Vec<Vec<Value>>,
    pub max_disorder: i64,
    pub expectations: Vec<Expectation>,
}

/// Figures of one row at one instant.
#[derive(Debug)]
pub struct Expectation {
    /// The line as written.
    pub line: String,
    pub at: i64,
    /// `None`: the figures of now.
    pub window: Option<Window>,
    pub row: RowName,
    pub figures: Vec<(String, Wanted)>,
}

#[derive(Debug)]
pub enum RowName {
    Total,
    Queue(Row),
    /// The list in a snapshot, the field that names the row, its name.
    Other(&'static str, &'static str, String),
}

#[derive(Debug)]
pub enum Wanted {
    None,
    Text(String),
    /// The number, and how far off it may be.
    Number(f64, f64),
    Flag(bool),
}

/// The scenarios of one file.
pub fn parse(text: &str) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    let mut reader: Option<Reader> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("scenario ") {
            scenarios.extend(reader.take().map(Reader::finish));
            reader = Some(Reader::new(name));
            continue;
        }
        let reader = reader
            .as_mut()
            .unwrap_or_else(|| panic!("line {}: no scenario yet", number + 1));
        reader.line(line);
    }
    scenarios.extend(reader.map(Reader::finish));
    scenarios
}

struct Reader {
    name: String,
    settings: Settings,
    shown_by_queue: Vec<(Pattern, String)>,
    date: String,
    partition: usize,
    partitions: BTreeMap<usize, Vec<Value>>,
    events: usize,
    max_disorder: i64,
    expectations: Vec<Expectation>,
}

impl Reader {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            settings: Settings::default(),
            shown_by_queue: Vec::new(),
            date: "2026-01-05".to_owned(),
            partition: 1,
            partitions: BTreeMap::new(),
            events: 0,
            max_disorder: 0,
            expectations: Vec::new(),
        }
    }

    fn finish(mut self) -> Scenario {
        for (pattern, text) in &self.shown_by_queue {
            let mut shown = self.settings.shown.clone();
            for part in text.split(',') {
                let words: Vec<&str> = part.split_whitespace().collect();
                match words.as_slice() {
                    ["zone", zone] => {
                        self.settings
                            .zone_by_queue
                            .push((pattern.clone(), (*zone).to_owned()));
                    }
                    ["group", group] => shown.group = Some((*group).to_owned()),
                    words => assert!(
                        setting_shown(&mut shown, words),
                        "{}: not a setting: {part}",
                        self.name
                    ),
                }
            }
            self.settings.shown_by_queue.push((pattern.clone(), shown));
        }
        Scenario {
            name: self.name,
            settings: self.settings,
            partitions: self.partitions.into_values().collect(),
            max_disorder: self.max_disorder,
            expectations: self.expectations,
        }
    }

    fn line(&mut self, line: &str) {
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some(rest) = line.strip_prefix("at ") {
            self.expectation(line, rest);
        } else if first.starts_with(|character: char| character.is_ascii_digit()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            self.event(&words);
        } else if let Some((queue, settings)) = line
            .strip_prefix("queue ")
            .and_then(|rest| rest.split_once(':'))
        {
            let row = row(queue);
            let pattern = Pattern {
                client: Some(row.client),
                queue: Some(row.queue),
                channel: Some(row.channel),
            };
            self.shown_by_queue.push((pattern, settings.to_owned()));
        } else {
            line.split(';').for_each(|part| self.setting(part));
        }
    }

    fn setting(&mut self, part: &str) {
        let words: Vec<&str> = part.split_whitespace().collect();
        let settings = &mut self.settings;
        match words.as_slice() {
            ["date", date] => (*date).clone_into(&mut self.date),
            ["zone", zone] => (*zone).clone_into(&mut settings.zone),
            ["after-contact", rule @ ..] => {
                let rule = match rule {
                    ["none"] => AfterContact::None,
                    ["events"] => AfterContact::Events,
                    ["timer", length] => AfterContact::Timer(duration(length)),
                    _ => panic!("{}: not a rule: {part}", self.name),
                };
                settings.after_contact.push((Pattern::default(), rule));
            }
            ["ghost-after", channel, length] => {
                settings
                    .ghost_after
                    .insert((*channel).to_owned(), duration(length));
            }
            ["settle-after", length] => settings.settle_after = duration(length),
            ["retain", length] => settings.retain = duration(length),
            ["acw-max", length] => settings.acw_max = duration(length),
            ["agent-ttl", length] => settings.agent_ttl = duration(length),
            ["max-disorder", length] => self.max_disorder = duration(length),
            ["partition", number] => self.partition = number.parse().expect("a number"),
            words => {
                assert!(
                    setting_shown(&mut settings.shown, words),
                    "{}: not a setting: {part}",
                    self.name
                );
            }
        }
    }

    /// Milliseconds of a time of day in the scenario's zone, or of an RFC 3339 time.
    fn time(&self, text: &str) -> i64 {
        if text.contains('T') {
            return text
                .parse::<jiff::Timestamp>()
                .expect("a time")
                .as_millisecond();
        }
        let full = if text.matches(':').count() == 1 {
            format!("{text}:00")
        } else {
            text.to_owned()
        };
        let local: jiff::civil::DateTime = format!("{}T{full}", self.date)
            .parse()
            .unwrap_or_else(|_| panic!("{}: not a time: {text}", self.name));
        let zone = jiff::tz::TimeZone::get(&self.settings.zone).expect("a known zone");
        zone.to_timestamp(local).expect("in range").as_millisecond()
    }

    fn event(&mut self, words: &[&str]) {
        self.events += 1;
        let mut event = Map::new();
        event.insert("id".to_owned(), json!(format!("e{:04}", self.events)));
        event.insert("time".to_owned(), json!(self.time(words[0])));
        match &words[1..] {
            ["agent", agent, rest @ ..] => {
                event.insert("agent_id".to_owned(), json!(agent));
                self.agent_event(&mut event, rest);
            }
            [contact, kind, rest @ ..] => {
                event.insert("contact_id".to_owned(), json!(contact));
                event.insert("type".to_owned(), json!(format!("contact.{kind}")));
                self.contact_event(&mut event, kind, rest);
            }
            _ => panic!("{}: not an event: {words:?}", self.name),
        }
        self.partitions
            .entry(self.partition)
            .or_default()
            .push(event.into());
    }

    fn contact_event(&self, event: &mut Map<String, Value>, kind: &str, rest: &[&str]) {
        let plain: &[&str] = match kind {
            "queued" => &["queue_id"],
            "dequeued" => &["outcome"],
            "transferred" => &["kind", "agent_id"],
            "dialled" => &["result"],
            _ => &["agent_id"],
        };
        let mut plain = plain.iter();
        for word in rest {
            if let Some((field, value)) = word.split_once('=') {
                self.field(event, field, value);
                continue;
            }
            let field = plain
                .next()
                .unwrap_or_else(|| panic!("{}: what is {word}?", self.name));
            event.insert((*field).to_owned(), json!(word));
        }
    }

    fn field(&self, event: &mut Map<String, Value>, field: &str, value: &str) {
        let field = match field {
            "queue" => "queue_id",
            "client" => "client_id",
            "agent" => "agent_id",
            other => other,
        };
        let value = match field {
            "queued_at" | "since" => json!(self.time(value)),
            "visit" | "talk_ms" | "hold_ms" | "acw_ms" | "for_ms" | "csat" => {
                json!(value.parse::<i64>().expect("a number"))
            }
            _ => json!(value),
        };
        event.insert(field.to_owned(), value);
    }

    fn agent_event(&self, event: &mut Map<String, Value>, words: &[&str]) {
        let kind = words[0];
        event.insert(
            "type".to_owned(),
            json!(format!(
                "agent.{}",
                if kind == "slots" { "capacity" } else { kind }
            )),
        );
        let (fields, plain): (Vec<&str>, Vec<&str>) =
            words[1..].iter().partition(|word| word.contains('='));
        match (kind, plain.as_slice()) {
            ("state", [state, reason @ ..]) => {
                event.insert("state".to_owned(), json!(state));
                event.extend(
                    reason
                        .first()
                        .map(|reason| ("reason".to_owned(), json!(reason))),
                );
            }
            ("queues", queues) => {
                event.insert(
                    "queues".to_owned(),
                    queues.iter().map(|queue| membership(queue)).collect(),
                );
            }
            ("slots", shared) => {
                let slots = fields
                    .iter()
                    .map(|field| field.split_once('=').expect("channel=slots"));
                let slots: Map<String, Value> = slots.map(slot).collect();
                event.insert("slots".to_owned(), slots.into());
                event.extend((*shared == ["shared"]).then(|| ("shared".to_owned(), json!(true))));
                return;
            }
            ("contact", [contact, state]) => {
                event.insert("contact_id".to_owned(), json!(contact));
                event.insert("state".to_owned(), json!(state));
            }
            ("logged_in" | "logged_out" | "snapshot", []) => {}
            _ => panic!("{}: not an agent's event: {words:?}", self.name),
        }
        for field in fields {
            let (field, value) = field.split_once('=').expect("name=value");
            match (kind, field) {
                ("snapshot", "queues") => {
                    let queues = value
                        .split(',')
                        .filter(|queue| *queue != "none")
                        .map(membership)
                        .collect();
                    event.insert(field.to_owned(), queues);
                }
                ("snapshot", "slots") => {
                    let slots = value
                        .split(',')
                        .map(|slots| slot(slots.split_once(':').expect("channel:slots")));
                    event.insert(field.to_owned(), Value::Object(slots.collect()));
                }
                ("snapshot", "contacts") => {
                    let contacts = value.split(',').filter(|contact| *contact != "none");
                    event.insert(
                        field.to_owned(),
                        contacts.map(|contact| self.listed(contact)).collect(),
                    );
                }
                _ => self.field(event, field, value),
            }
        }
    }

    /// `c1|connected|sales/voice|09:00:10`, from the end less and less.
    fn listed(&self, text: &str) -> Value {
        let parts: Vec<&str> = text.split('|').collect();
        let mut contact = json!({"contact_id": parts[0], "state": parts[1]});
        if let Some(queue) = parts.get(2) {
            let row = row(queue);
            contact["queue_id"] = json!(row.queue);
            contact["channel"] = json!(row.channel);
            if queue.matches('/').count() == 2 {
                contact["client_id"] = json!(row.client);
            }
        }
        if let Some(since) = parts.get(3) {
            contact["since"] = json!(self.time(since));
        }
        contact
    }

    fn expectation(&mut self, line: &str, rest: &str) {
        let (head, figures) =
            split_head(rest).unwrap_or_else(|| panic!("{}: no figures: {line}", self.name));
        let words: Vec<&str> = head.split_whitespace().collect();
        let (window, row_words) = match &words[1..] {
            ["now", row @ ..] => (None, row),
            ["window", "interval", length, row @ ..] => {
                (Some(Window::parse(&format!("interval {length}"))), row)
            }
            ["window", window, row @ ..] => (Some(Window::parse(window)), row),
            _ => panic!("{}: neither now nor window: {line}", self.name),
        };
        let row = match row_words {
            ["total"] => RowName::Total,
            ["queue", queue] => RowName::Queue(row(queue)),
            ["client", client] => RowName::Other("clients", "client_id", (*client).to_owned()),
            ["channel", channel] => RowName::Other("channels", "channel", (*channel).to_owned()),
            ["group", group] => RowName::Other("groups", "group", (*group).to_owned()),
            _ => panic!("{}: not a row: {line}", self.name),
        };
        let figures = figures.split(',').map(|figure| {
            let (name, value) = figure
                .trim()
                .rsplit_once(' ')
                .unwrap_or_else(|| panic!("{}: {line}", self.name));
            (name.to_owned(), wanted(value))
        });
        let figures = figures.collect();
        let at = self.time(words[0]);
        self.expectations.push(Expectation {
            line: line.to_owned(),
            at,
            window,
            row,
            figures,
        });
    }
}

/// Splits at the `:` that a space follows.
fn split_head(text: &str) -> Option<(&str, &str)> {
    text.split_once(": ")
}

/// `sales`, `sales/chat` or `acme/sales/chat`.
fn row(text: &str) -> Row {
    let parts: Vec<&str> = text.trim().split('/').collect();
    let (client, queue, channel) = match parts.as_slice() {
        [queue] => ("default", *queue, "voice"),
        [queue, channel] => ("default", *queue, *channel),
        [client, queue, channel] => (*client, *queue, *channel),
        _ => panic!("not a queue: {text}"),
    };
    Row {
        client: client.to_owned(),
        queue: queue.to_owned(),
        channel: channel.to_owned(),
    }
}

fn membership(text: &str) -> Value {
    let row = row(text);
    match text.matches('/').count() {
        0 => json!({"queue_id": row.queue}),
        1 => json!({"queue_id": row.queue, "channel": row.channel}),
        _ => json!({"client_id": row.client, "queue_id": row.queue, "channel": row.channel}),
    }
}

fn slot((channel, slots): (&str, &str)) -> (String, Value) {
    (
        channel.to_owned(),
        json!(slots.parse::<i64>().expect("a number")),
    )
}

fn setting_shown(shown: &mut Shown, words: &[&str]) -> bool {
    match words {
        ["threshold", length] => shown.threshold = duration(length),
        ["short", length] => shown.short_abandon = duration(length),
        ["variant", variant] => (*variant).clone_into(&mut shown.variant),
        ["sl7", "abandons", "off"] => shown.abandons = false,
        ["sl7", "short-abandons", "off"] => shown.short_abandons = false,
        ["sl9", "abandons", what @ ("negative" | "positive")] => {
            (*what).clone_into(&mut shown.abandons_within_threshold);
        }
        ["sl9", "callbacks", "met"] => shown.callbacks_met = true,
        ["sl11", "answered", first, "abandoned", second] => {
            shown.ranges = (duration(first), duration(second));
        }
        ["abandonment", "of", "offered"] => shown.abandonment_of_offered = true,
        _ => return false,
    }
    true
}

fn wanted(value: &str) -> Wanted {
    if value == "none" {
        return Wanted::None;
    }
    if let Ok(flag) = value.parse() {
        return Wanted::Flag(flag);
    }
    let (digits, unit) = value
        .strip_suffix('%')
        .map_or((value, 1.0), |digits| (digits, 100.0));
    let Ok(number) = digits.parse::<f64>() else {
        return Wanted::Text(value.to_owned());
    };
    let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
    let rounding = if unit > 1.0 {
        0.5 * 10f64.powi(-i32::try_from(places).expect("few"))
    } else {
        1e-9
    };
    Wanted::Number(number / unit, rounding / unit)
}

impl Expectation {
    /// What is wrong with a snapshot, if anything.
    pub fn faults(&self, snapshot: &Value) -> Vec<String> {
        let row = match &self.row {
            RowName::Total => Some(&snapshot["total"]),
            RowName::Queue(row) => find(snapshot, "queues", |found| {
                found["client_id"] == *row.client
                    && found["queue_id"] == *row.queue
                    && found["channel"] == *row.channel
            }),
            RowName::Other(list, field, name) => {
                find(snapshot, list, |found| found[*field] == **name)
            }
        };
        let Some(row) = row else {
            return vec![format!("{}: no such row", self.line)];
        };
        let block = self
            .window
            .as_ref()
            .map_or(&row["now"], |window| &row["windows"][&window.key]);
        let figures = self.figures.iter().filter_map(|(name, wanted)| {
            let found = block.pointer(&format!("/{}", name.replace('.', "/")));
            (!wanted.is(found))
                .then(|| format!("{}: {name} is {}", self.line, found.unwrap_or(&Value::Null)))
        });
        figures.collect()
    }
}

fn find<'a>(snapshot: &'a Value, list: &str, is: impl Fn(&Value) -> bool) -> Option<&'a Value> {
    snapshot[list]
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| is(row))
}

impl Wanted {
    fn is(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::None, found) => found.is_none_or(Value::is_null),
            (Self::Number(number, within), found) => {
                // A label that is not there counts as 0.
                let found = found.map_or(Some(0.0), Value::as_f64);
                found.is_some_and(|found| (found - number).abs() <= *within)
            }
            (Self::Text(text), Some(found)) => found == text.as_str(),
            (Self::Flag(flag), Some(found)) => found == *flag,
            (Self::Text(_) | Self::Flag(_), None) => false,
        }
    }
}

/// Every instant and window that a scenario asks for, each once.
pub fn asked(scenario: &Scenario) -> (Vec<i64>, Vec<Window>) {
    let mut instants: Vec<i64> = scenario
        .expectations
        .iter()
        .map(|expectation| expectation.at)
        .collect();
    instants.sort_unstable();
    instants.dedup();
    let mut windows: Vec<Window> = Vec::new();
    for window in scenario
        .expectations
        .iter()
        .filter_map(|expectation| expectation.window.clone())
    {
        if !windows.iter().any(|known| known.key == window.key) {
            windows.push(window);
        }
    }
    if !windows
        .iter()
        .any(|window| matches!(window.kind, Kind::All))
    {
        windows.push(Window::parse("all"));
    }
    (instants, windows)
}
