//! The columns of the queues: what they say, and which of them a terminal has room for.

use ratatui::text::Span as Part;

use super::figures::{Queue, clock, percent, trend, whole};
use crate::event::shown;

/// One column of the queues.
pub(super) struct Column {
    pub(super) head: &'static str,
    /// The heading where there is room.
    pub(super) long: &'static str,
    width: u16,
    /// It is left out where a terminal is narrower.
    least: u16,
    pub(super) right: bool,
    pub(super) text: fn(&Queue, Option<f64>) -> String,
    pub(super) is_bad: fn(&Queue) -> bool,
}

/// What the queues of an answer need, whichever of them are shown: nothing moves while one scrolls or finds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Widths {
    /// The longest name with its client and channel.
    name: u16,
    /// The longest group.
    group: u16,
}

impl Widths {
    pub(super) fn of(queues: &[Queue]) -> Self {
        let group = |queue: &Queue| wide(&group_of(queue, None));
        let name = |queue: &Queue| wide(&shown(queue.name())) + wide(&about(queue));
        Self {
            name: queues.iter().map(name).max().unwrap_or_default().min(NAMES),
            group: queues.iter().map(group).max().unwrap_or_default(),
        }
    }
}

/// A longer name may be shortened.
const NAMES: u16 = 60;

/// How many cells a text takes.
fn wide(text: &str) -> u16 {
    u16::try_from(Part::raw(text).width()).unwrap_or(u16::MAX / 4)
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
const COLUMNS: [Column; 10] = [
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
];

/// More of a queue, where names need not be shortened for it.
static GROUP: Column = Column {
    right: false,
    ..figure(("Group", "Group"), (14, 0), group_of, |_| false)
};
static REASONS: Column = Column {
    right: false,
    ..figure(
        ("Aux by reason", "Aux by reason"),
        (24, 0),
        reasons_of,
        |_| false,
    )
};

/// The columns that a terminal has room for.
pub(super) struct Columns {
    /// How wide the name is.
    pub(super) name: u16,
    /// Headings are written out.
    pub(super) long: bool,
    /// Where each other column begins, and how wide it is.
    pub(super) figures: Vec<(u16, u16, &'static Column)>,
}

impl Columns {
    /// Figures first, then names, aux by reason, groups, headings written out; what is left widens the
    /// reasons, then the names.
    pub(super) fn of(width: u16, widths: Widths) -> Self {
        let figures: Vec<&Column> = COLUMNS
            .iter()
            .filter(|column| column.least <= width)
            .collect();
        let taken: u16 = figures.iter().map(|column| column.width + 1).sum();
        let mut spare = width.saturating_sub(MARK + widths.name + taken);
        let mut take = |needed: u16| {
            let fits = needed <= spare;
            spare -= if fits { needed } else { 0 };
            fits
        };
        let reasons = take(REASONS.width + 1);
        let group = widths.group.clamp(wide(GROUP.head), GROUP.width);
        let groups = widths.group > 0 && take(group + 1);
        let long = take(figures.iter().map(|column| column.written_out()).sum());
        let more = |column: &Column| if long { column.written_out() } else { 0 };
        let figures = figures.into_iter();
        let figures = figures.map(|column| (column.width + more(column), column));
        let mut chosen: Vec<(u16, &'static Column)> = figures.collect();
        chosen.extend(groups.then_some((group, &GROUP)));
        chosen.extend(reasons.then_some((REASONS.width + spare.min(REASONS.width), &REASONS)));
        Self::placed(width, long, chosen)
    }

    fn placed(width: u16, long: bool, chosen: Vec<(u16, &'static Column)>) -> Self {
        let taken: u16 = chosen.iter().map(|(wide, _)| wide + 1).sum();
        let name = width.saturating_sub(taken + MARK).max(8);
        let mut x = MARK + name + 1;
        let figures = chosen.into_iter().map(|(wide, column)| {
            let at = x;
            x += wide + 1;
            (at, wide, column)
        });
        Self {
            name,
            long,
            figures: figures.collect(),
        }
    }
}

impl Column {
    /// How much wider it is with its heading written out.
    fn written_out(&self) -> u16 {
        wide(self.long).saturating_sub(self.width)
    }
}

/// The mark and the blank after it.
pub(super) const MARK: u16 = 2;

fn level_of(queue: &Queue, before: Option<f64>) -> String {
    let now = queue.service_level();
    format!("{} {}", percent(now), trend(now, before))
}

fn group_of(queue: &Queue, _: Option<f64>) -> String {
    shown(queue.settings.group.as_deref().unwrap_or_default())
}

/// Whose a queue is, after its name.
pub(super) fn about(queue: &Queue) -> String {
    let [client, _, channel] = queue.key().map(shown);
    format!(" {client} · {channel}")
}

fn reasons_of(queue: &Queue, _: Option<f64>) -> String {
    let reasons = queue.figures.now.reasons();
    let reasons: Vec<String> = reasons
        .map(|(reason, count)| format!("{} {count}", shown(reason)))
        .collect();
    reasons.join(", ")
}
