//! Random histories of the small world: their steps, and tables held against the plain sum after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use queuepulse::engine::columns::{agent, contact, gauge};
use queuepulse::engine::facts::{Fact, Post};
use queuepulse::engine::histogram::Bucket;
use queuepulse::engine::settings::StateSettings;
use queuepulse::event::{Millis, Span};
use queuepulse::windows::frame::{Frame, WindowKind, WindowSpec};
use queuepulse::windows::numbering::{AgentRowNo, Numbering, QueueNo};
use queuepulse::windows::tables::Tables;
use queuepulse::windows::view::Instant;

use crate::naive::{self, Duration, Told};
use crate::world::{Partition, Registry, settings};

const PARTITIONS: usize = 3;
const WORKERS: usize = 2;

/// One step of a random history.
#[derive(Clone, Debug)]
pub enum Step {
    /// Stream time of a partition moves on.
    Pass { partition: usize, millis: i64 },
    /// A fact, `age` behind stream time.
    Make {
        partition: usize,
        age: i64,
        kind: u8,
        who: u16,
        value: i64,
        plus: bool,
    },
    /// An earlier post is taken back.
    TakeBack { partition: usize, which: usize },
    /// A deadline.
    Due {
        partition: usize,
        ahead: i64,
        kind: u8,
        who: u16,
        value: i64,
    },
    /// A view, so far after or before the latest stream time.
    View { after: i64, whole: bool, early: i64 },
    /// A worker takes or loses a partition.
    Move { partition: usize },
    /// So much was gathered that it is applied before a view.
    Gathered,
    /// A queue changes its group.
    Regroup { queue: u32, group: u8 },
}

pub fn step() -> impl Strategy<Value = Step> {
    let partition = 0..PARTITIONS;
    let millis = prop_oneof![
        4 => 0..3000_i64,
        3 => 0..120_000_i64,
        2 => 0..1_500_000_i64,
        1 => 0..30_000_000_i64,
    ];
    let age = prop_oneof![
        5 => 0..5000_i64,
        3 => 0..1_300_000_i64,
        1 => 0..90_000_000_i64,
    ];
    let whole_seconds = any::<bool>();
    let drawn = (any::<u8>(), any::<u16>(), 0..200_000_i64);
    prop_oneof![
        8 => (partition.clone(), millis.clone())
            .prop_map(|(partition, millis)| Step::Pass { partition, millis }),
        30 => (partition.clone(), age, drawn.clone(), prop::bool::weighted(0.8)).prop_map(
            |(partition, age, (kind, who, value), plus)| {
                Step::Make { partition, age, kind, who, value, plus }
            }
        ),
        6 => (partition.clone(), any::<usize>())
            .prop_map(|(partition, which)| Step::TakeBack { partition, which }),
        4 => (partition.clone(), millis, drawn).prop_map(
            |(partition, ahead, (kind, who, value))| {
                Step::Due { partition, ahead: ahead + 1, kind, who, value }
            }
        ),
        10 => (-200_000..400_000_i64, whole_seconds, 0..2000_i64)
            .prop_map(|(after, whole, early)| Step::View { after, whole, early }),
        2 => Just(Step::Gathered),
        2 => partition.prop_map(|partition| Step::Move { partition }),
        1 => (0..6_u32, 0..3_u8).prop_map(|(queue, group)| Step::Regroup { queue, group }),
    ]
}

pub struct World {
    settings: Arc<StateSettings>,
    registry: Arc<Registry>,
    partitions: Vec<Partition>,
    owner: Vec<usize>,
    workers: Vec<(Tables, Frame)>,
    windows: Vec<WindowSpec>,
    /// Distributions since ever are exact until tables are rebuilt.
    rebuilt: bool,
}

impl World {
    pub fn new(start: Millis, windows: Vec<WindowSpec>) -> Self {
        let settings = settings();
        let registry = Arc::new(Registry::default());
        let worker = |_| {
            let numbering: Arc<dyn Numbering> = registry.clone();
            (
                Tables::new(numbering, &settings, &windows),
                Frame::default(),
            )
        };
        Self {
            workers: (0..WORKERS).map(worker).collect(),
            partitions: (0..PARTITIONS)
                .map(|number| Partition::new(number as u32, &settings, start))
                .collect(),
            owner: (0..PARTITIONS).map(|number| number % WORKERS).collect(),
            windows,
            settings,
            registry,
            rebuilt: false,
        }
    }

    fn absorb(&mut self) {
        for (partition, &owner) in self.partitions.iter_mut().zip(&self.owner) {
            let tables = &mut self.workers[owner].0;
            tables.absorb(
                partition.number,
                &partition.names,
                partition.ledger.outbox(),
            );
            partition.ledger.clear_outbox();
        }
    }

    pub fn run(&mut self, step: &Step) {
        match *step {
            Step::Pass { partition, millis } => {
                let partition = &mut self.partitions[partition];
                partition.pass(Millis(partition.stream.0 + millis));
            }
            Step::Make {
                partition,
                age,
                kind,
                who,
                value,
                plus,
            } => {
                let partition = &mut self.partitions[partition];
                let fact = partition.fact(kind, who, value);
                let plus = plus || matches!(fact, Fact::Count(..));
                let stamp = Millis(partition.stream.0 - age);
                partition.make(Post {
                    stamp,
                    fact,
                    sign: if plus { 1 } else { -1 },
                });
            }
            Step::TakeBack { partition, which } => {
                let partition = &mut self.partitions[partition];
                if let Some(which) = which.checked_rem(partition.made.len()) {
                    let (post, _) = partition.made[which];
                    let back = Post { sign: -1, ..post };
                    let taken = partition.made.iter().any(|(other, _)| *other == back);
                    if post.sign > 0 && !taken {
                        partition.make(back);
                    }
                }
            }
            Step::Due {
                partition,
                ahead,
                kind,
                who,
                value,
            } => {
                let partition = &mut self.partitions[partition];
                let fact = partition.fact(kind, who, value);
                let stamp = Millis(partition.stream.0 + ahead);
                partition.due.push(Post {
                    stamp,
                    fact,
                    sign: 1,
                });
            }
            Step::View {
                after,
                whole,
                early,
            } => {
                let latest = self
                    .partitions
                    .iter()
                    .map(|partition| partition.stream.0)
                    .max();
                let now = latest.expect("partitions") + after;
                let to = if whole {
                    now.div_euclid(1000) * 1000
                } else {
                    now - early
                };
                self.check(Millis(now), Millis(to));
            }
            Step::Move { partition } => {
                self.absorb();
                let (from, nothing) = (self.owner[partition], Instant::default());
                let to = (from + 1) % WORKERS;
                self.owner[partition] = to;
                let leaving = self.partitions[partition].view(&nothing);
                if !self.workers[from].0.lose(&leaving) {
                    self.rebuild(from);
                }
                self.rebuild(to);
            }
            Step::Gathered => {
                self.absorb();
                for (tables, _) in &mut self.workers {
                    tables.apply_gathered();
                }
            }
            Step::Regroup { queue, group } => {
                self.absorb();
                let mut inner = self.registry.inner.lock().expect("lock");
                inner.groups.insert(queue, format!("group{group}"));
                inner.epoch += 1;
                self.rebuilt = true;
            }
        }
    }

    fn rebuild(&mut self, worker: usize) {
        self.rebuilt = true;
        let nothing = Instant::default();
        let own = self.partitions.iter().zip(&self.owner);
        let views: Vec<_> = own
            .filter(|(_, owner)| **owner == worker)
            .map(|(partition, _)| partition.view(&nothing))
            .collect();
        self.workers[worker].0.rebuild(&views);
    }

    fn check(&mut self, now: Millis, to: Millis) {
        self.absorb();
        let instants: Vec<Instant> = self
            .partitions
            .iter()
            .map(|partition| {
                let due = partition.due.iter().copied();
                Instant {
                    due: due.filter(|post| post.stamp <= now).collect(),
                    oldest: Vec::new(),
                }
            })
            .collect();
        for (worker, (tables, frame)) in self.workers.iter_mut().enumerate() {
            let own = self.partitions.iter().zip(&self.owner).zip(&instants);
            let views: Vec<_> = own
                .filter(|((_, owner), _)| **owner == worker)
                .map(|((partition, _), at)| partition.view(at))
                .collect();
            tables.view(now, to, &views, frame);
        }
        let mut told = Vec::new();
        let mut due = Vec::new();
        for (partition, at) in self.partitions.iter().zip(&instants) {
            let names = &partition.names;
            told.extend(partition.made.iter().map(|&(post, too_late)| Told {
                names,
                post,
                too_late,
            }));
            due.extend(at.due.iter().map(|&post| Told {
                names,
                post,
                too_late: false,
            }));
        }
        self.check_now(&told, &due);
        let in_window: Vec<Told<'_>> = told
            .iter()
            .filter(|told| !matches!(told.post.fact, Fact::PassCounted(..)))
            .chain(
                due.iter()
                    .filter(|told| !matches!(told.post.fact, Fact::PassCounted(..))),
            )
            .copied()
            .filter(|told| told.post.stamp <= to)
            .collect();
        for window in 0..self.windows.len() {
            self.check_from(window, to);
            self.check_contact(window, &in_window);
            self.check_agents(window, to, &in_window);
            if !(self.rebuilt && self.windows[window].kind == WindowKind::All) {
                self.check_durations(window, &in_window);
            }
        }
    }

    fn queues(&self) -> impl Iterator<Item = QueueNo> {
        (0..u32::try_from(self.registry.queues()).expect("small")).map(QueueNo)
    }

    fn check_now(&self, told: &[Told<'_>], due: &[Told<'_>]) {
        let numbering = self.registry.as_ref();
        for queue in self.queues() {
            let mut totals = vec![0; contact::WIDTH];
            for told in told {
                if let Some((at, columns)) = naive::contact_columns(told, numbering)
                    && at == queue
                {
                    for (&column, amount) in &columns {
                        totals[column] += amount;
                    }
                }
            }
            let mut gauges = vec![0; gauge::WIDTH];
            for told in told.iter().chain(due) {
                if let Some((at, column)) = naive::gauge_column(told, numbering)
                    && at == queue
                {
                    gauges[column] += i64::from(told.post.sign);
                }
            }
            let sum = |read: fn(&Frame, QueueNo) -> &[i64]| {
                add(self
                    .workers
                    .iter()
                    .map(|(_, frame)| read(frame, queue).to_vec()))
            };
            assert_eq!(sum(Frame::totals_of), totals, "totals of {queue:?}");
            assert_eq!(sum(Frame::gauges_of), gauges, "gauges of {queue:?}");
        }
        let mut levels = BTreeMap::new();
        for told in told.iter().chain(due) {
            for (row, column, weight) in naive::agent_cells(told, numbering) {
                let row = numbering.agent_row(&row);
                *levels.entry((row, column)).or_insert(0) += weight * i64::from(told.post.sign);
            }
        }
        let mut shown = BTreeMap::new();
        for (_, frame) in &self.workers {
            for row in self.rows() {
                put_row(&mut shown, row, frame.levels_of(row));
            }
            assert!(frame.aux.is_sorted());
            for &(row, reason, amount) in &frame.aux {
                let column = Err(self.registry.reason_of(reason));
                *shown.entry((row, column)).or_insert(0) += amount;
            }
        }
        assert_same(shown, levels, "levels");
    }

    fn rows(&self) -> impl Iterator<Item = AgentRowNo> {
        (0..u32::try_from(self.registry.agent_rows()).expect("small")).map(AgentRowNo)
    }

    fn begins(&self, window: usize, zone: usize) -> Millis {
        let from = self.workers[0].1.windows[window].from[zone];
        assert_eq!(from, self.workers[1].1.windows[window].from[zone]);
        from
    }

    fn check_from(&self, window: usize, to: Millis) {
        for zone in 0..self.settings.zones.len() {
            let expected = match self.windows[window].kind {
                WindowKind::Sliding(length) => to - length,
                WindowKind::Interval(length) => {
                    self.settings.zones.interval_before(zone, to, length)
                }
                WindowKind::Today => self.settings.zones.day_before(zone, to),
                WindowKind::All => Millis::MIN,
            };
            assert_eq!(self.begins(window, zone), expected);
        }
    }

    fn zone_of(told: &Told<'_>) -> usize {
        match told.post.fact {
            Fact::Count(row, _) => usize::from(told.names.row_info(row).zone.0),
            _ => 0,
        }
    }

    fn check_contact(&self, window: usize, told: &[Told<'_>]) {
        for queue in self.queues() {
            let mut columns = vec![0; contact::WIDTH];
            for told in told {
                if told.post.stamp <= self.begins(window, Self::zone_of(told)) {
                    continue;
                }
                if let Some((at, moved)) = naive::contact_columns(told, self.registry.as_ref())
                    && at == queue
                {
                    for (&column, amount) in &moved {
                        columns[column] += amount;
                    }
                }
            }
            let frames = self.workers.iter().map(|(_, frame)| &frame.windows[window]);
            let mut shown = vec![0; contact::WIDTH];
            frames.for_each(|frame| frame.contact_of(queue).add_to(&mut shown));
            shown[contact::PASS_COUNTED..contact::ALERT_FAILED].fill(0);
            assert_eq!(shown, columns, "{} of {queue:?}", self.windows[window].key);
        }
    }

    fn zones_of_queues(&self) -> BTreeMap<QueueNo, usize> {
        let mut zones = BTreeMap::new();
        for partition in &self.partitions {
            for info in partition.names.rows() {
                let Some(queue) = info.queue else { continue };
                let queue = self.registry.queue(
                    partition.names.clients.text(info.client.0),
                    partition.names.queues.text(queue.0),
                    partition.names.channels.text(info.channel.0),
                );
                zones.insert(queue, usize::from(info.zone.0));
            }
        }
        zones
    }

    fn check_agents(&self, window: usize, to: Millis, told: &[Told<'_>]) {
        use queuepulse::windows::numbering::AgentRow;
        let zones = self.zones_of_queues();
        let mut times = BTreeMap::new();
        for told in told {
            for (row, column, weight) in naive::agent_cells(told, self.registry.as_ref()) {
                let zone = match row {
                    AgentRow::Queue(queue) => zones[&queue],
                    _ => 0,
                };
                let from = self.begins(window, zone);
                let time = naive::time_in(told.post.stamp, from, to);
                let row = self.registry.agent_row(&row);
                *times.entry((row, column)).or_insert(0) +=
                    weight * i64::from(told.post.sign) * time;
            }
        }
        let mut shown = BTreeMap::new();
        for (_, frame) in &self.workers {
            for row in self.rows() {
                let mut columns = [0; agent::WIDTH];
                frame.windows[window].agent_of(row).add_to(&mut columns);
                put_row(&mut shown, row, &columns);
            }
            assert!(frame.windows[window].aux.is_sorted());
            for &(row, reason, amount) in &frame.windows[window].aux {
                let column = Err(self.registry.reason_of(reason));
                *shown.entry((row, column)).or_insert(0) += amount;
            }
        }
        assert_same(shown, times, &self.windows[window].key);
    }

    fn check_durations(&self, window: usize, told: &[Told<'_>]) {
        let mut waits: BTreeMap<(QueueNo, Bucket), i64> = BTreeMap::new();
        let mut handles: BTreeMap<(QueueNo, Bucket), i64> = BTreeMap::new();
        let mut exits: BTreeMap<(QueueNo, Millis, i64), i64> = BTreeMap::new();
        for told in told {
            let Some(queue) = naive::count_queue(told, self.registry.as_ref()) else {
                continue;
            };
            if told.post.stamp <= self.begins(window, Self::zone_of(told)) {
                continue;
            }
            let sign = i64::from(told.post.sign);
            match naive::duration(&told.post) {
                Some(Duration::Wait(wait)) => {
                    *waits.entry((queue, Bucket::of(Span(wait)))).or_default() += sign;
                }
                Some(Duration::Handle(handle)) => {
                    *handles
                        .entry((queue, Bucket::of(Span(handle))))
                        .or_default() += sign;
                }
                None => {}
            }
            if let Some(wait) = naive::exit_wait(&told.post)
                && !told.too_late
            {
                *exits.entry((queue, told.post.stamp, wait)).or_default() += sign;
            }
        }
        let mut largest = BTreeMap::new();
        for (&(queue, _, wait), _) in exits.iter().filter(|(_, count)| **count > 0) {
            let known = largest.entry(queue).or_insert(-1);
            *known = wait.max(*known);
        }
        let mut shown = [BTreeMap::new(), BTreeMap::new()];
        let mut shown_largest = BTreeMap::new();
        for (_, frame) in &self.workers {
            let frame = &frame.windows[window];
            for (shown, blocks) in shown.iter_mut().zip([&frame.wait, &frame.handle]) {
                for (queue, block) in (0..).map(QueueNo).zip(blocks) {
                    for counted in block.iter().flat_map(|block| block.iter()) {
                        *shown.entry((queue, counted.bucket)).or_default() += counted.count();
                    }
                }
            }
            for (queue, &wait) in (0..).map(QueueNo).zip(&frame.wait_max) {
                let known = shown_largest.entry(queue).or_insert(-1);
                *known = wait.max(*known);
            }
        }
        let key = &self.windows[window].key;
        let [shown_waits, shown_handles] = shown;
        waits.retain(|_, count| *count != 0);
        handles.retain(|_, count| *count != 0);
        assert_eq!(shown_waits, waits, "waits of {key}");
        assert_eq!(shown_handles, handles, "handle times of {key}");
        let taken_back = told.iter().any(|told| told.too_late);
        if self.windows[window].kind != WindowKind::All || !taken_back {
            shown_largest.retain(|_, wait| *wait >= 0);
            assert_eq!(shown_largest, largest, "largest waits of {key}");
        }
    }
}

type Cells = BTreeMap<(AgentRowNo, Result<usize, String>), i64>;

fn put_row(cells: &mut Cells, row: AgentRowNo, columns: &[i64]) {
    assert_eq!(columns.len(), agent::WIDTH);
    for (column, amount) in columns.iter().enumerate() {
        *cells.entry((row, Ok(column))).or_insert(0) += amount;
    }
}

fn assert_same(mut shown: Cells, mut expected: Cells, what: &str) {
    shown.retain(|_, amount| *amount != 0);
    expected.retain(|_, amount| *amount != 0);
    assert_eq!(shown, expected, "{what}");
}

fn add(rows: impl Iterator<Item = Vec<i64>>) -> Vec<i64> {
    rows.reduce(|mut sum, row| {
        sum.iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value);
        sum
    })
    .unwrap_or_default()
}
