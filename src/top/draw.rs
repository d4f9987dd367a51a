//! Cells of a terminal: a line of where and how old, the sum, a line for each queue, what keys do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span as Part;
use ratatui::widgets::Widget;

use super::figures::{Figures, Level, Queue, Window, clock, percent, tenths, trend, whole};
use super::state::{Condition, Look, Top};
use crate::event::{Millis, shown};

/// The state at an instant.
#[derive(Debug)]
pub struct Board<'a> {
    top: &'a Top,
    rows: Vec<(&'a Queue, Option<f64>)>,
    condition: Condition,
}

/// One column of the queues.
struct Column {
    head: &'static str,
    /// The heading where there is room.
    long: &'static str,
    width: u16,
    /// It is left out where a terminal is narrower.
    least: u16,
    right: bool,
    text: fn(&Queue, Option<f64>) -> String,
    is_bad: fn(&Queue) -> bool,
}

const fn figure(
    heads: (&'static str, &'static str),
    (width, least): (u16, u16),
    text: fn(&Queue, Option<f64>) -> String,
    is_bad: fn(&Queue) -> bool,
) -> Column {
    Column {
        head: heads.0,
        long: heads.1,
        width,
        least,
        right: true,
        text,
        is_bad,
    }
}

/// What is right of the name.
const COLUMNS: [Column; 12] = [
    Column {
        right: false,
        ..figure(("SL", "Service level"), (8, 0), level_of, |_| false)
    },
    Column {
        right: false,
        ..figure(
            ("of", "of"),
            (6, 96),
            |queue, _| percent(Some(queue.settings.target)),
            |_| false,
        )
    },
    figure(
        ("Wait", "Waiting"),
        (6, 0),
        |queue, _| whole(Some(queue.figures.now.waiting)),
        |queue| queue.figures.now.waiting_past_threshold > 0,
    ),
    figure(
        ("Oldest", "Oldest"),
        (8, 0),
        |queue, _| clock(queue.figures.now.longest_wait_seconds),
        Queue::is_late,
    ),
    figure(
        ("Expect", "Expected"),
        (8, 110),
        |queue, _| clock(queue.figures.now.expected_wait_seconds),
        |_| false,
    ),
    figure(
        ("Avail", "Available"),
        (6, 44),
        |queue, _| whole(queue.figures.now.agents_available),
        |queue| {
            let now = &queue.figures.now;
            now.waiting_past_threshold > 0 && now.agents_available == Some(0)
        },
    ),
    figure(
        ("On cont", "On contact"),
        (7, 60),
        |queue, _| whole(queue.figures.now.agents_on_contact),
        |_| false,
    ),
    figure(
        ("ACW", "ACW"),
        (4, 66),
        |queue, _| whole(queue.figures.now.agents_acw),
        |_| false,
    ),
    figure(
        ("Aux", "Aux"),
        (4, 70),
        |queue, _| whole(queue.figures.now.aux()),
        |_| false,
    ),
    figure(
        ("Aband", "Abandoned"),
        (6, 56),
        |queue, _| percent(queue.figures.over(|window| window.abandonment)),
        |queue| queue.figures.loses_many(),
    ),
    Column {
        right: false,
        ..figure(
            ("Group", "Group"),
            (14, 130),
            |queue, _| shown(queue.settings.group.as_deref().unwrap_or_default()),
            |_| false,
        )
    },
    Column {
        right: false,
        ..figure(
            ("Aux by reason", "Aux by reason"),
            (24, 150),
            reasons_of,
            |_| false,
        )
    },
];

/// The columns that a terminal has room for.
struct Columns {
    /// How wide the name is.
    name: u16,
    /// Where each other column begins, and how wide it is.
    figures: Vec<(u16, u16, &'static Column)>,
}

impl Columns {
    fn of(width: u16) -> Self {
        let shown = COLUMNS.iter().filter(|column| column.least <= width);
        let wide = |column: &Column| {
            let head = u16::try_from(column.long.len()).unwrap_or_default();
            let least = if width >= ROOMY { head } else { 0 };
            column.width.max(least)
        };
        let shown: Vec<(u16, &Column)> = shown.map(|column| (wide(column), column)).collect();
        let taken: u16 = shown.iter().map(|(wide, _)| wide + 1).sum();
        let name = width.saturating_sub(taken + MARK).max(8);
        let mut x = MARK + name + 1;
        let placed = shown.into_iter().map(|(wide, column)| {
            let at = x;
            x += wide + 1;
            (at, wide, column)
        });
        Self {
            name,
            figures: placed.collect(),
        }
    }
}

/// From this width on headings are written out.
const ROOMY: u16 = 130;
/// The mark and the blank after it.
const MARK: u16 = 2;

fn level_of(queue: &Queue, before: Option<f64>) -> String {
    let now = queue.service_level();
    format!("{} {}", percent(now), trend(now, before))
}

fn reasons_of(queue: &Queue, _: Option<f64>) -> String {
    let reasons = queue.figures.now.reasons();
    let reasons: Vec<String> = reasons
        .map(|(reason, count)| format!("{} {count}", shown(reason)))
        .collect();
    reasons.join(", ")
}

impl<'a> Board<'a> {
    pub(super) fn new(top: &'a Top, now: Millis) -> Self {
        Self {
            rows: top.rows(),
            condition: top.condition(now),
            top,
        }
    }

    /// All of it as text, each line without what is blank at its end, without colours and without what
    /// keys do.
    pub fn text(&self, width: u16) -> String {
        let rows = u16::try_from(self.rows.len()).unwrap_or(u16::MAX - 50);
        let area = Rect::new(0, 0, width.max(20), rows + 20);
        let mut buffer = Buffer::empty(area);
        let used = self.lines(area, &mut buffer, false);
        let mut text = String::new();
        for y in 0..used {
            let mut line = String::new();
            let mut x = 0;
            while x < area.width {
                let Some(cell) = buffer.cell((x, y)) else {
                    break;
                };
                line.push_str(cell.symbol());
                let wide = Part::raw(cell.symbol()).width().max(1);
                x = x.saturating_add(u16::try_from(wide).unwrap_or(1));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Draws; how many lines it took.
    fn lines(&self, area: Rect, buffer: &mut Buffer, keys: bool) -> u16 {
        let mut pen = Pen { buffer, area, y: 0 };
        self.heading(&mut pen);
        self.trouble(&mut pen);
        self.totals(&mut pen);
        let columns = Columns::of(area.width);
        Self::heads(&mut pen, &columns);
        let below = if keys { 2 } else { 1 };
        let room = usize::from(area.height.saturating_sub(pen.y + below));
        let last = self.rows.len().saturating_sub(room.max(1));
        let first = if keys { self.top.first.min(last) } else { 0 };
        for (queue, before) in self.rows.iter().skip(first).take(room) {
            self.queue(&mut pen, &columns, (queue, *before));
        }
        if keys {
            pen.y = area.height.saturating_sub(below).max(pen.y);
        }
        self.note(&mut pen, (first, room));
        if keys {
            self.keys(&mut pen);
        }
        pen.y
    }

    /// The window that is shown, and its key.
    fn window(&self) -> Option<(&str, &Window)> {
        let (queue, _) = self.rows.first()?;
        queue.figures.window()
    }

    fn heading(&self, pen: &mut Pen<'_>) {
        let snapshot = self.top.snapshot();
        let over = self
            .window()
            .map(|(key, _)| format!("  over {}", shown(key)));
        let url = shown(&self.top.options.url);
        let left = format!("queuepulse  {url}{}", over.unwrap_or_default());
        let at = snapshot.and_then(|snapshot| snapshot.at.get(11..19));
        let at = at.map_or_else(String::new, |at| format!("  {} UTC", shown(at)));
        let (state, style) = match &self.condition {
            Condition::Live(text) => (text.clone(), Style::new()),
            Condition::Slow(text) => (text.clone(), self.bold(Color::Yellow)),
            Condition::Connecting => ("connecting …".to_owned(), Style::new()),
            Condition::Bad { brief, .. } => (format!("⚠ {brief}"), self.bold(Color::Red)),
        };
        let right = format!("{state}{at}");
        let wide = u16::try_from(Part::raw(&right).width()).unwrap_or(u16::MAX);
        let room = pen.area.width.saturating_sub(wide + 1);
        pen.put(0, room, &left, Style::new().add_modifier(Modifier::BOLD));
        pen.put(
            room.saturating_add(1).min(pen.area.width),
            wide,
            &right,
            style,
        );
        pen.y += 1;
    }

    /// What is wrong, so that it cannot be overlooked.
    fn trouble(&self, pen: &mut Pen<'_>) {
        let Condition::Bad { text, .. } = &self.condition else {
            return;
        };
        let style = self.bold(Color::Red).add_modifier(Modifier::REVERSED);
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        for line in wrapped(&words, " ", pen.area.width.saturating_sub(4)) {
            let width = pen.area.width;
            pen.put(0, width, &" ".repeat(usize::from(width)), style);
            pen.put(0, width, &format!(" ⚠ {line}"), style);
            pen.y += 1;
        }
    }

    fn totals(&self, pen: &mut Pen<'_>) {
        if self.top.snapshot().is_none() {
            return;
        }
        let sum = self.top.sum(&self.rows);
        let items = totals(&sum);
        for line in wrapped(&items, "   ", pen.area.width) {
            let width = pen.area.width;
            pen.put(0, width, &line, self.plain());
            pen.y += 1;
        }
    }

    fn heads(pen: &mut Pen<'_>, columns: &Columns) {
        let style = Style::new().add_modifier(Modifier::UNDERLINED);
        let width = pen.area.width;
        pen.put(0, width, &" ".repeat(usize::from(width)), style);
        pen.put(MARK, columns.name, "Queue", style);
        for &(x, wide, column) in &columns.figures {
            let head = if width >= ROOMY {
                column.long
            } else {
                column.head
            };
            pen.figure((x, wide, column.right), head, style);
        }
        pen.y += 1;
    }

    fn queue(&self, pen: &mut Pen<'_>, columns: &Columns, (queue, before): (&Queue, Option<f64>)) {
        let level = queue.level();
        let style = self.of(level);
        let name = columns.name;
        pen.put(0, MARK, level.mark(), style);
        let [client, _, channel] = queue.key().map(shown);
        let called = shown(queue.name());
        let end = pen.put(
            MARK,
            name,
            &called,
            self.plain().add_modifier(Modifier::BOLD),
        );
        let left = (MARK + name).saturating_sub(end);
        let about = format!(" {client} · {channel}");
        pen.put(end, left, &about, Style::new().add_modifier(Modifier::DIM));
        for (place, &(x, wide, column)) in columns.figures.iter().enumerate() {
            let text = (column.text)(queue, before);
            let bad = (column.is_bad)(queue);
            let style = match (place, bad) {
                (0, _) => style,
                (_, true) => self.bold(Color::Red),
                _ => self.plain(),
            };
            let text = if bad { format!("!{text}") } else { text };
            pen.figure((x, wide, column.right), &text, style);
        }
        pen.y += 1;
    }

    fn note(&self, pen: &mut Pen<'_>, (first, room): (usize, usize)) {
        let Some(snapshot) = self.top.snapshot() else {
            return;
        };
        let (shown, all) = (self.rows.len(), snapshot.queues.len());
        let mut parts = vec![format!("{shown} of {all} queues")];
        if shown > room {
            let last = (first + room).min(shown);
            parts.push(format!("{} to {last} of these", first + 1));
        }
        let levels = Top::levels(&self.rows).into_iter();
        parts.extend(levels.map(|(level, n)| format!("{} {n} {}", level.mark(), level.name())));
        if self.window().is_some_and(|(_, window)| !window.complete) {
            parts.push("not complete: reaches back further than what was read".to_owned());
        }
        let width = pen.area.width;
        pen.put(0, width, &parts.join("  "), self.plain());
        pen.y += 1;
    }

    fn keys(&self, pen: &mut Pen<'_>) {
        let find = shown(&self.top.options.wanted.find);
        let text = if self.top.typing {
            format!("find: {find}▏  Enter keep  Esc drop")
        } else {
            let find = if find.is_empty() {
                "/ find".to_owned()
            } else {
                format!("/ find: {find}")
            };
            let sort = self.top.sort.name();
            format!("q quit  {find}  s sort: {sort}  ↑↓ PgUp PgDn scroll")
        };
        let width = pen.area.width;
        pen.put(0, width, &text, Style::new().add_modifier(Modifier::DIM));
        pen.y += 1;
    }

    /// What is old must not look like what is live.
    fn is_old(&self) -> bool {
        matches!(self.condition, Condition::Bad { .. })
    }

    fn plain(&self) -> Style {
        if self.is_old() {
            Style::new().add_modifier(Modifier::DIM)
        } else {
            Style::new()
        }
    }

    fn bold(&self, color: Color) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        match self.top.options.look {
            Look::Colours => style.fg(color),
            Look::Plain => style,
        }
    }

    fn of(&self, level: Level) -> Style {
        if self.is_old() {
            return self.plain();
        }
        match level {
            Level::Critical => self.bold(Color::Red),
            Level::Warning => self.bold(Color::Yellow),
            Level::Watch => self.bold(Color::Magenta),
            Level::Good => match self.top.options.look {
                Look::Colours => Style::new().fg(Color::Cyan),
                Look::Plain => Style::new(),
            },
            Level::Idle => Style::new().add_modifier(Modifier::DIM),
        }
    }
}

impl Widget for &Board<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        self.lines(area, buffer, true);
    }
}

fn totals(sum: &Figures) -> Vec<String> {
    let now = &sum.now;
    let item = |head: &str, text: String| format!("{head} {text}");
    let mut items = vec![
        item("Service level", percent(sum.service_level())),
        item("Waiting", whole(Some(now.waiting))),
        item("Past threshold", whole(Some(now.waiting_past_threshold))),
        item("Oldest wait", clock(now.longest_wait_seconds)),
        item(
            "Offered",
            whole(sum.window().map(|(_, window)| window.offered)),
        ),
        item("Abandoned", tenths(sum.over(|window| window.abandonment))),
        item("ASA", clock(sum.over(|window| window.answer_speed))),
    ];
    if now.agents_online.is_some() {
        items.extend([
            item("Agents online", whole(now.agents_online)),
            item("Available", whole(now.agents_available)),
            item("On contact", whole(now.agents_on_contact)),
            item("ACW", whole(now.agents_acw)),
            item("Aux", whole(now.aux())),
            item("Occupancy", tenths(sum.over(|window| window.occupancy))),
        ]);
    }
    items
}

/// Items in lines of a width.
fn wrapped(items: &[String], between: &str, width: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line)
                if Part::raw(&*line).width() + between.len() + Part::raw(item).width()
                    <= usize::from(width) =>
            {
                line.push_str(between);
                line.push_str(item);
            }
            _ => lines.push(item.clone()),
        }
    }
    lines
}

/// Writes lines from the top.
struct Pen<'b> {
    buffer: &'b mut Buffer,
    area: Rect,
    y: u16,
}

impl Pen<'_> {
    /// Writes a text from `x` on, `width` cells at most; where it ends. What does not fit ends with
    /// a mark.
    fn put(&mut self, x: u16, width: u16, text: &str, style: Style) -> u16 {
        let width = width.min(self.area.width.saturating_sub(x));
        if self.y >= self.area.height || width == 0 {
            return x;
        }
        let (left, y) = (self.area.x + x, self.area.y + self.y);
        let fits = Part::raw(text).width() <= usize::from(width);
        let room = if fits { width } else { width - 1 };
        let (end, _) = self
            .buffer
            .set_stringn(left, y, text, usize::from(room), style);
        let end = if fits {
            end
        } else {
            self.buffer.set_stringn(end, y, "…", 1, style).0
        };
        end - self.area.x
    }

    /// Writes a figure in its column.
    fn figure(&mut self, (x, width, right): (u16, u16, bool), text: &str, style: Style) {
        let wide = u16::try_from(Part::raw(text).width()).unwrap_or(u16::MAX);
        let x = if right {
            x + width.saturating_sub(wide)
        } else {
            x
        };
        self.put(x, width.min(wide.max(1)), text, style);
    }
}
