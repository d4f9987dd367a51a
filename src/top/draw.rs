//! Cells of a terminal: a line of where and how old, the sum, a line for each queue, what keys do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span as Part;
use ratatui::widgets::Widget;

use super::columns::{Columns, MARK, about};
use super::figures::{Figures, Level, Queue, Window, clock, percent, tenths, whole};
use super::state::{Condition, Look, Top};
use crate::event::{Millis, shown};

/// The state at an instant.
#[derive(Debug)]
pub struct Board<'a> {
    top: &'a Top,
    condition: Condition,
    /// That no event has come for long.
    quiet: Option<String>,
}

impl<'a> Board<'a> {
    pub(super) fn new(top: &'a Top, now: Millis) -> Self {
        Self {
            condition: top.condition(now),
            quiet: top.quiet(now),
            top,
        }
    }

    /// All of it as text, each line without what is blank at its end, without colours and without what
    /// keys do.
    pub fn text(&self, width: u16) -> String {
        let rows = u16::try_from(self.top.count()).unwrap_or(u16::MAX - 50);
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
        let columns = Columns::of(area.width, self.top.shown.widths);
        Self::heads(&mut pen, &columns);
        if let Some(text) = self.top.emptiness() {
            pen.put(
                0,
                area.width,
                &text,
                self.plain().add_modifier(Modifier::BOLD),
            );
            pen.y += 1;
        }
        let below = if keys { 2 } else { 1 };
        let room = usize::from(area.height.saturating_sub(pen.y + below));
        let last = self.top.count().saturating_sub(room.max(1));
        let first = if keys { self.top.first.min(last) } else { 0 };
        for row in self.top.rows().skip(first).take(room) {
            self.queue(&mut pen, &columns, row);
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
        let (queue, _) = self.top.rows().next()?;
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
        let (mark, text, color) = match (&self.condition, &self.quiet) {
            (Condition::Bad { text, .. }, _) => ("⚠", text, Color::Red),
            (_, Some(text)) => ("◇", text, Color::Yellow),
            (_, None) => return,
        };
        let style = self.bold(color).add_modifier(Modifier::REVERSED);
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        for line in wrapped(&words, " ", pen.area.width.saturating_sub(4)) {
            let width = pen.area.width;
            pen.put(0, width, &" ".repeat(usize::from(width)), style);
            pen.put(0, width, &format!(" {mark} {line}"), style);
            pen.y += 1;
        }
    }

    fn totals(&self, pen: &mut Pen<'_>) {
        if self.top.snapshot().is_none() {
            return;
        }
        let items = totals(&self.top.shown.sum);
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
            let head = if columns.long {
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
        let called = shown(queue.name());
        let end = pen.put(
            MARK,
            name,
            &called,
            self.plain().add_modifier(Modifier::BOLD),
        );
        let left = (MARK + name).saturating_sub(end);
        pen.put(
            end,
            left,
            &about(queue),
            Style::new().add_modifier(Modifier::DIM),
        );
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
        let (shown, all) = (self.top.count(), snapshot.queues.len());
        let mut parts = vec![format!("{shown} of {all} queues")];
        if shown > room {
            let last = (first + room).min(shown);
            parts.push(format!("{} to {last} of these", first + 1));
        }
        let levels = self.top.shown.levels.iter();
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
            Level::Few | Level::Idle => Style::new().add_modifier(Modifier::DIM),
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
    if now.agents_online.is_none() {
        items.push("Agents – (counted for a whole client, group or channel only)".to_owned());
    } else {
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
