//! A small centre built by hand: two clients, three queues, two workers. For tests only.

use std::sync::Arc;

use crate::engine::histogram::{Bucket, BucketCount};
use crate::engine::names::Activity;
use crate::engine::settings::StateSettings;
use crate::event::{FlowOut, Millis, Presence, Span};
use crate::kpi::{QueueView, Variant};
use crate::windows::columns::{agent, contact, flow_out_cell, gauge, staff_cell};
use crate::windows::frame::{Frame, WindowFrame, WindowKind, WindowSpec};
use crate::windows::numbering::{AgentRow, AgentRowNo, Numbering, QueueNo};

use super::{Coverage, MergeOptions, Merged, QueueKey, Registry, merge};

/// 2026-01-05T09:00:00Z.
pub(crate) const NOW: Millis = Millis(1_767_603_600_000);

/// `5m`, `30m` and `today`.
pub(crate) fn specs() -> Arc<[WindowSpec]> {
    let spec = |key: &str, kind| WindowSpec {
        key: key.to_owned(),
        kind,
    };
    [
        spec("5m", WindowKind::Sliding(Span::minutes(5))),
        spec("30m", WindowKind::Sliding(Span::minutes(30))),
        spec("today", WindowKind::Today),
    ]
    .into()
}

/// Acme's sales (voice, sl9) and support (chat, sl10), and Globex's help (voice, sl4). Acme's
/// queues are in group `retail`.
pub(crate) fn registry() -> Registry {
    registry_of(&[
        ("globex", "help", "voice"),
        ("acme", "support", "chat"),
        ("acme", "sales", "voice"),
    ])
}

/// The same with these queues alone.
pub(crate) fn registry_of(queues: &[(&str, &str, &str)]) -> Registry {
    let views = |client: &str, queue: &str, _: &str| QueueView {
        variant: match queue {
            "support" => Variant::Sl10,
            "help" => Variant::Sl4,
            _ => Variant::Sl9,
        },
        group: (client == "acme").then(|| "retail".to_owned()),
        display_name: (queue == "sales").then(|| "Sales \"EU\"".to_owned()),
        ..QueueView::default()
    };
    let registry = Registry::new(Arc::new(StateSettings::default()), Box::new(views));
    for (client, queue, channel) in queues {
        registry.add_queue(&QueueKey::new(client, queue, channel));
    }
    registry
}

/// Writes one frame.
pub(crate) struct FrameBuilder<'a> {
    registry: &'a Registry,
    pub(crate) frame: Frame,
}

impl<'a> FrameBuilder<'a> {
    pub(crate) fn new(registry: &'a Registry, tick: u64) -> Self {
        let window = |from: Millis| WindowFrame {
            from: vec![from],
            wait: vec![None; 3],
            handle: vec![None; 3],
            wait_max: vec![-1; 3],
            ..WindowFrame::default()
        };
        Self {
            registry,
            frame: Frame {
                tick,
                now: NOW,
                to: NOW,
                gauges: vec![0; 3 * gauge::WIDTH],
                oldest: vec![Millis::MAX; 3],
                totals: vec![0; 3 * contact::WIDTH],
                windows: [Span::minutes(5), Span::minutes(30), Span::hours(9)]
                    .map(|length| Arc::new(window(NOW - length)))
                    .into(),
                ..Frame::default()
            },
        }
    }

    /// `count` visits answered after `wait`, in every window and the totals.
    pub(crate) fn answered(mut self, queue: u32, wait: Span, count: i64) -> Self {
        let bucket = self.bucket(wait);
        self.everywhere(queue, contact::OFFERED, count);
        self.everywhere(queue, contact::ANSWERED + bucket, count);
        self.everywhere(queue, contact::ANSWERED_WAIT, wait.0 * count);
        self.everywhere(queue, contact::HANDLED, count);
        self.everywhere(queue, contact::TALK, 60_000 * count);
        for rung in 0..bucket {
            self.everywhere(queue, contact::PASSED + rung, count);
        }
        for window in self.frame.windows.iter_mut().map(Arc::make_mut) {
            let at = QueueNo(queue).index();
            let mut buckets = Vec::new();
            BucketCount::push(&mut buckets, Bucket::of(wait), count);
            window.wait[at] = Some(buckets.into());
            window.wait_max[at] = window.wait_max[at].max(wait.0);
        }
        self
    }

    pub(crate) fn abandoned(mut self, queue: u32, wait: Span, count: i64) -> Self {
        let bucket = self.bucket(wait);
        self.everywhere(queue, contact::OFFERED, count);
        self.everywhere(queue, contact::ABANDONED + bucket, count);
        self.everywhere(queue, contact::ABANDONED_WAIT, wait.0 * count);
        for rung in 0..bucket {
            self.everywhere(queue, contact::PASSED + rung, count);
        }
        self
    }

    pub(crate) fn overflowed(mut self, queue: u32, count: i64) -> Self {
        self.everywhere(queue, contact::OFFERED, count);
        self.everywhere(queue, flow_out_cell(FlowOut::Overflow), count);
        self
    }

    /// One contact waiting since `age` before now.
    pub(crate) fn waiting(mut self, queue: u32, age: Span) -> Self {
        let at = QueueNo(queue).index();
        let bucket = self.bucket(age);
        self.frame.gauges[at * gauge::WIDTH + gauge::WAITING] += 1;
        for rung in 0..bucket {
            self.frame.gauges[at * gauge::WIDTH + gauge::WAITING_PAST + rung] += 1;
        }
        self.frame.oldest[at] = self.frame.oldest[at].min(NOW - age);
        self
    }

    /// One agent of a row in a profile: one now, and a minute of it in each window.
    pub(crate) fn agent(mut self, row: &AgentRow, presence: Presence, activity: Activity) -> Self {
        let row = self.registry.agent_row(row);
        let cell = staff_cell(presence, activity);
        self.level(row, cell, 1);
        if activity == Activity::OnContact {
            for column in [
                agent::BUSY,
                agent::BUSY_CONTACTS,
                agent::HERE,
                agent::HERE_MEMBER,
            ] {
                self.level(row, column, 1);
            }
        }
        self
    }

    /// One agent of a row in aux.
    pub(crate) fn aux(mut self, row: &AgentRow, reason: &str) -> Self {
        let number = self.registry.agent_row(row);
        let reason = self.registry.reason(reason);
        self.frame.aux.push((number, reason, 1));
        self.frame.aux.sort_unstable();
        for window in self.frame.windows.iter_mut().map(Arc::make_mut) {
            window.aux.push((number, reason, 60_000));
            window.aux.sort_unstable();
        }
        self.agent(row, Presence::Aux, Activity::Idle)
    }

    /// The client has a contact feed.
    pub(crate) fn feed(mut self, client: &str) -> Self {
        let client = self.registry.client(client).index();
        if self.frame.feeds.len() <= client {
            self.frame.feeds.resize(client + 1, false);
        }
        self.frame.feeds[client] = true;
        self
    }

    pub(crate) fn done(self) -> Arc<Frame> {
        Arc::new(self.frame)
    }

    fn level(&mut self, row: AgentRowNo, column: usize, count: i64) {
        let at = row.index() * agent::WIDTH + column;
        grow(&mut self.frame.levels, at);
        self.frame.levels[at] += count;
        for window in self.frame.windows.iter_mut().map(Arc::make_mut) {
            let mut columns = [0; agent::WIDTH];
            window.agent_of(row).add_to(&mut columns);
            columns[column] += count * 60_000;
            window.agent.put(row.index(), &columns);
        }
    }

    fn bucket(&self, wait: Span) -> usize {
        let rungs = self.registry.settings().rungs("voice");
        rungs.iter().take_while(|&&rung| rung < wait).count()
    }

    fn everywhere(&mut self, queue: u32, column: usize, amount: i64) {
        let at = QueueNo(queue).index() * contact::WIDTH + column;
        self.frame.totals[at] += amount;
        for window in self.frame.windows.iter_mut().map(Arc::make_mut) {
            add_to_window(window, queue, column, amount);
        }
    }
}

/// Adds to a contact column of a window.
pub(crate) fn add_to_window(window: &mut WindowFrame, queue: u32, column: usize, amount: i64) {
    let mut columns = [0; contact::WIDTH];
    let queue = QueueNo(queue);
    window.contact_of(queue).add_to(&mut columns);
    columns[column] += amount;
    window.contact.put(queue.index(), &columns);
}

fn grow(table: &mut Vec<i64>, at: usize) {
    let rows = at / agent::WIDTH + 1;
    if table.len() < rows * agent::WIDTH {
        table.resize(rows * agent::WIDTH, 0);
    }
}

/// Queue numbers of [`registry`].
pub(crate) const HELP: u32 = 0;
pub(crate) const SUPPORT: u32 = 1;
pub(crate) const SALES: u32 = 2;

/// The frames of two workers: Acme with a contact feed, Globex without.
pub(crate) fn frames(registry: &Registry, tick: u64) -> Vec<Arc<Frame>> {
    let acme = registry.client("acme");
    let globex = registry.client("globex");
    let total = AgentRow::Total([acme].into());
    let sales = AgentRow::Queue(QueueNo(SALES));
    let first = FrameBuilder::new(registry, tick)
        .answered(SALES, Span::seconds(12), 3)
        .abandoned(SALES, Span::seconds(45), 1)
        .overflowed(SALES, 2)
        .waiting(SALES, Span::seconds(25))
        .waiting(SUPPORT, Span::seconds(4))
        .agent(&sales, Presence::Available, Activity::OnContact)
        .agent(&sales, Presence::Available, Activity::Idle)
        .aux(&sales, "lunch")
        .agent(
            &AgentRow::Client(acme),
            Presence::Available,
            Activity::OnContact,
        )
        .agent(&AgentRow::Client(acme), Presence::Available, Activity::Idle)
        .aux(&AgentRow::Client(acme), "lunch")
        .agent(&total, Presence::Available, Activity::OnContact)
        .agent(&total, Presence::Available, Activity::Idle)
        .aux(&total, "lunch")
        .feed("acme")
        .done();
    let help = AgentRow::Queue(QueueNo(HELP));
    let second = FrameBuilder::new(registry, tick)
        .answered(SALES, Span::seconds(35), 1)
        .answered(HELP, Span::seconds(2), 1)
        .waiting(SALES, Span::seconds(70))
        .agent(&help, Presence::Available, Activity::Idle)
        .agent(
            &AgentRow::Client(globex),
            Presence::Available,
            Activity::Idle,
        )
        .agent(
            &AgentRow::Total([globex].into()),
            Presence::Available,
            Activity::Idle,
        )
        .done();
    vec![first, second]
}

/// Everything read since ever.
pub(crate) fn coverage() -> Coverage {
    Coverage::Recorded {
        earliest: Some(NOW - Span::hours(24)),
    }
}

/// The merged figures of [`frames`].
pub(crate) fn merged(registry: &Registry) -> Merged {
    merged_of(frames(registry, 7), registry)
}

/// The merged figures of frames, everything read since ever.
pub(crate) fn merged_of(frames: Vec<Arc<Frame>>, registry: &Registry) -> Merged {
    merge(
        frames,
        registry,
        &MergeOptions {
            specs: &specs(),
            coverage: &coverage(),
            threshold: None,
        },
    )
}
