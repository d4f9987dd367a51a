//! Takes the keys of a section one by one, and notes everything that is wrong with them.
//!
//! Rejected: deserializing into structs that deny unknown fields. It stops at the first fault, and
//! we want to list all of them at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use config::{Value, ValueKind};

use super::span::parse_span;
use crate::event::Span;

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key, with its sections: `state.retain`, `queue[0].threshold`.
    pub key: String,
    /// What stands there; `None` where it may be a secret or nothing stands there.
    pub value: Option<String>,
    /// What would be right.
    pub right: String,
    /// Whether it came from the environment.
    pub from_environment: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.key)?;
        if let Some(value) = &self.value {
            write!(out, " = {value}")?;
        }
        if self.from_environment {
            write!(out, " (from the environment)")?;
        }
        write!(out, ": {}", self.right)
    }
}

/// Every fault found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(super) fn push(&self, key: String, value: Option<String>, right: impl Into<String>) {
        self.0.borrow_mut().push(Fault {
            key,
            value,
            right: right.into(),
            from_environment: false,
        });
    }

    /// Whether something is wrong with a key, or with one within it.
    pub(super) fn about(&self, key: &str) -> bool {
        let within = |fault: &Fault| {
            let rest = fault.key.strip_prefix(key);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.0.borrow().iter().any(within)
    }

    pub(super) fn into_list(self) -> Vec<Fault> {
        self.0.into_inner()
    }
}

/// What a duration looks like.
const DURATION: &str = "give a duration such as \"20s\", \"30m\" or \"1h30m\"";

/// A section whose keys are being taken.
#[derive(Debug)]
pub(super) struct Section<'f> {
    path: String,
    values: BTreeMap<String, Value>,
    known: Vec<&'static str>,
    faults: &'f Faults,
}

impl<'f> Section<'f> {
    pub(super) fn new(
        path: String,
        values: config::Map<String, Value>,
        faults: &'f Faults,
    ) -> Self {
        Self {
            path,
            values: values.into_iter().collect(),
            known: Vec::new(),
            faults,
        }
    }

    /// The full name of a key.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// Every fault found so far.
    pub(super) const fn faults(&self) -> &'f Faults {
        self.faults
    }

    /// Whether a key is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.values.remove(name)
    }

    fn wrong(&self, name: &str, value: &Value, right: impl Into<String>) {
        self.faults.0.borrow_mut().push(Fault {
            key: self.key(name),
            value: Some(shown(value)),
            right: right.into(),
            from_environment: value.origin() == Some("the environment"),
        });
    }

    /// Text that a parser understands.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        right: &str,
    ) -> Option<T> {
        let value = self.take(name)?;
        let parsed = text_of(&value).and_then(|text| parse(&text));
        if parsed.is_none() {
            self.wrong(name, &value, right);
        }
        parsed
    }

    /// Any text, also none.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.parsed(name, |text| Some(text.to_owned()), "give a text")
    }

    /// Text with at least one character.
    pub(super) fn name(&mut self, name: &'static str) -> Option<String> {
        let full = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        self.parsed(name, full, "give a text that is not empty")
    }

    /// A duration, also none at all.
    pub(super) fn span(&mut self, name: &'static str) -> Option<Span> {
        self.parsed(name, parse_span, DURATION)
    }

    /// A duration of 1 ms or more.
    pub(super) fn positive_span(&mut self, name: &'static str) -> Option<Span> {
        let positive = |text: &str| parse_span(text).filter(|&span| span > Span::ZERO);
        self.parsed(name, positive, &format!("{DURATION}, more than 0"))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let words: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        let right = format!("give one of {}", words.join(", "));
        let find = |text: &str| {
            choices
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, choice)| *choice)
        };
        self.parsed(name, find, &right)
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?;
        if let ValueKind::Boolean(flag) = value.kind {
            return Some(flag);
        }
        self.wrong(name, &value, "give true or false");
        None
    }

    /// A whole number of a range.
    pub(super) fn integer(&mut self, name: &'static str, min: i64, max: i64) -> Option<i64> {
        let value = self.take(name)?;
        if let ValueKind::I64(number) = value.kind
            && (min..=max).contains(&number)
        {
            return Some(number);
        }
        let right = format!("give a whole number from {min} to {max}");
        self.wrong(name, &value, right);
        None
    }

    /// A number from 0 to 1.
    pub(super) fn ratio(&mut self, name: &'static str) -> Option<f64> {
        let value = self.take(name)?;
        let number = match value.kind {
            ValueKind::Float(number) => number,
            ValueKind::I64(0) => 0.0,
            ValueKind::I64(1) => 1.0,
            _ => f64::NAN,
        };
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        self.wrong(name, &value, "give a number from 0 to 1, such as 0.8");
        None
    }

    /// A list, each text of it understood by a parser; a single text is a list of one.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        right: &str,
    ) -> Option<Vec<T>> {
        let value = self.take(name)?;
        let entries = match &value.kind {
            ValueKind::Array(entries) => entries.clone(),
            ValueKind::Table(_) | ValueKind::Nil => {
                self.wrong(name, &value, format!("give a list: {right}"));
                return None;
            }
            _ => vec![value],
        };
        let mut list = Vec::new();
        for entry in &entries {
            match text_of(entry).and_then(|text| parse(text.trim())) {
                Some(parsed) => list.push(parsed),
                None => self.wrong(name, entry, right),
            }
        }
        Some(list)
    }

    /// A list of durations of 1 ms or more, each with the text that was given.
    pub(super) fn spans(&mut self, name: &'static str) -> Option<Vec<(String, Span)>> {
        let parse = |text: &str| {
            parse_span(text)
                .filter(|&span| span > Span::ZERO)
                .map(|span| (text.to_owned(), span))
        };
        self.list(name, parse, &format!("{DURATION}, more than 0"))
    }

    /// A section within this one; empty if it is not there.
    pub(super) fn section(&mut self, name: &'static str) -> Self {
        let path = self.key(name);
        let values = match self.take(name) {
            None => config::Map::new(),
            Some(value) => self.table(name, value),
        };
        Self::new(path, values, self.faults)
    }

    /// The rules of a list of sections.
    pub(super) fn rules(&mut self, name: &'static str) -> Vec<Self> {
        let Some(value) = self.take(name) else {
            return Vec::new();
        };
        let ValueKind::Array(entries) = value.kind else {
            let right = format!("give a list of rules: [[{}]]", self.key(name));
            self.wrong(name, &value, right);
            return Vec::new();
        };
        let rules = entries.into_iter().enumerate().map(|(index, entry)| {
            let values = self.table(name, entry);
            Self::new(format!("{}[{index}]", self.key(name)), values, self.faults)
        });
        rules.collect()
    }

    /// Every key that is left, whatever it is called.
    pub(super) fn rest(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.values).into_iter().collect()
    }

    fn table(&self, name: &str, value: Value) -> config::Map<String, Value> {
        if let ValueKind::Table(table) = value.kind {
            return table;
        }
        self.wrong(
            name,
            &value,
            format!("give a section: [{}]", self.key(name)),
        );
        config::Map::new()
    }

    /// Notes every key that nobody took.
    pub(super) fn finish(self) {
        for (name, value) in &self.values {
            let near = self
                .known
                .iter()
                .map(|known| (distance(name, known), known))
                .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
                .min();
            let right = near.map_or_else(
                || format!("there is no such key; there are {}", self.known.join(", ")),
                |(_, known)| format!("there is no such key; did you mean {known}?"),
            );
            if is_secret(name) {
                self.faults.push(self.key(name), None, right);
            } else {
                self.wrong(name, value, right);
            }
        }
    }
}

/// Whether a key sounds as if its value were nobody's business.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token", "credential", "passphrase"]
        .iter()
        .any(|word| name.contains(word))
}

/// The text of a single value, however it was written.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Array(_) | ValueKind::Table(_) | ValueKind::Nil => None,
        _ => value.clone().into_string().ok(),
    }
}

/// A value as it is shown in a fault.
fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(_) => "[…]".to_owned(),
        ValueKind::Table(_) => "{…}".to_owned(),
        _ => text_of(value).unwrap_or_default(),
    }
}

/// How many letters one must insert, delete or replace to come from one word to the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (place, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
