//! The base of a partition's log: what its older facts add up to, sparse, per key.
//!
//! A key is a row (contact figures, and contacts at agents), a set (agents who serve it) or a pair
//! of sets (agents on contact here). Each has a day part per zone that it is shown in, and its
//! totals before that day (the first zone's); so a fact is added once, and both together are the
//! totals since ever. A day part names its midnight and begins anew when the first fact of a later
//! day leaves the log; a fact of an earlier day goes to the totals before it. A reader whose day
//! begins at another midnight takes the day part for nothing: its day then comes from the log. A
//! row's day part also has its largest wait and its durations by bucket. A maximum is not lowered
//! by what is taken back after it has left the log; that is counted.

mod image;

use std::ops::AddAssign;

use rapidhash::RapidHashMap;
use serde::{Deserialize, Serialize};

use crate::event::{Millis, Span, Zones};

use super::cells::{count_cells, exit_wait, profile_cells};
use super::columns::{self, agent, work_cell};
use super::facts::{Count, Fact, Post};
use super::histogram::{Bucket, BucketCount};
use super::names::{Names, ProfileNo, ReasonNo, RowInfo, RowNo, SetNo};
use super::room;
use super::settings::ZoneNo;

/// Amounts by column, those left out that were never added to: at most 128 columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sparse<T = i64> {
    /// A bit for each column; the first 64, and the others.
    present: [u64; 2],
    values: Vec<T>,
}

impl<T: Copy + for<'t> AddAssign<&'t T>> Sparse<T> {
    /// Adds to a column.
    pub fn add(&mut self, column: usize, amount: T) {
        let (before, bit) = (self.before(column), 1_u64 << (column % 64));
        let half = &mut self.present[column / 64];
        if *half & bit == 0 {
            *half |= bit;
            self.values.reserve_exact(1);
            self.values.insert(before, amount);
        } else {
            self.values[before] += &amount;
        }
    }

    fn add_all(&mut self, other: &Self) {
        for (column, amount) in other.iter() {
            self.add(column, amount);
        }
    }

    /// How many columns before this one are present.
    fn before(&self, column: usize) -> usize {
        let [first, second] = self.present;
        let below = |half: u64| (half & ((1 << (column % 64)) - 1)).count_ones();
        let count = if column < 64 {
            below(first)
        } else {
            first.count_ones() + below(second)
        };
        count as usize
    }

    /// Every column that was ever added to, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (usize, T)> + '_ {
        let [first, second] = self.present.map(u128::from);
        columns::of_mask(first | second << 64).zip(self.values.iter().copied())
    }
}

/// Time in state: at x it is n·x + c. The c may pass 2^64 (see `windows`' sums).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InState {
    /// How many are in it.
    pub n: i64,
    /// The rest, modulo 2^64.
    pub c: i64,
}

impl InState {
    fn entered(weight: i64, stamp: Millis) -> Self {
        Self {
            n: weight,
            c: weight.wrapping_mul(stamp.0).wrapping_neg(),
        }
    }
}

impl AddAssign<&Self> for InState {
    fn add_assign(&mut self, other: &Self) {
        self.n += other.n;
        self.c = self.c.wrapping_add(other.c);
    }
}

/// Time in state of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// By agent column.
    pub columns: Sparse<InState>,
    /// By aux reason.
    pub aux: Vec<(ReasonNo, InState)>,
}

impl AddAssign<&Self> for Levels {
    fn add_assign(&mut self, other: &Self) {
        self.columns.add_all(&other.columns);
        for (reason, amount) in &other.aux {
            *self.aux_of(*reason) += amount;
        }
    }
}

impl Levels {
    fn aux_of(&mut self, reason: ReasonNo) -> &mut InState {
        let known = self.aux.iter().position(|entry| entry.0 == reason);
        let place = known.unwrap_or_else(|| {
            self.aux.push((reason, InState::default()));
            self.aux.len() - 1
        });
        &mut self.aux[place].1
    }
}

/// What one local day holds of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Day<T> {
    /// Whose midnight.
    pub zone: ZoneNo,
    /// The day begins after this instant; [`Millis::MIN`] before the first.
    pub midnight: Millis,
    /// Its sums.
    pub part: T,
}

impl<T> Day<T> {
    fn when(&self) -> (ZoneNo, Millis) {
        (self.zone, self.midnight)
    }
}

impl<T: Default> Day<T> {
    fn new(zone: ZoneNo) -> Self {
        Self {
            zone,
            midnight: Millis::MIN,
            part: T::default(),
        }
    }

    /// Begins anew if the day after `midnight` is a later one; what the day before held is handed
    /// to `keep`.
    fn turn(&mut self, midnight: Millis, keep: impl FnOnce(&T)) {
        if midnight > self.midnight {
            keep(&self.part);
            self.midnight = midnight;
            self.part = T::default();
        }
    }
}

/// Contact figures of one day of a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowDay {
    /// By contact column.
    pub columns: Sparse,
    /// The largest wait in ms, −1 when there was none.
    pub wait_max: i64,
    /// Waits of answered visits, sorted.
    pub wait: Vec<BucketCount>,
    /// Talk + hold of handled legs, sorted.
    pub handle: Vec<BucketCount>,
}

impl Default for RowDay {
    fn default() -> Self {
        Self {
            columns: Sparse::default(),
            wait_max: -1,
            wait: Vec::new(),
            handle: Vec::new(),
        }
    }
}

/// Contact figures of a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowBase {
    /// Before the day, by contact column.
    pub before: Sparse,
    /// The day, in the row's own zone.
    pub day: Day<RowDay>,
}

impl RowBase {
    /// Since ever: columns and amounts, to be added up.
    pub fn ever(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        self.before.iter().chain(self.day.part.columns.iter())
    }
}

/// Time in state of a key, and its day for each zone that it is shown in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevelBase<T = Levels> {
    /// Before the first of `days`.
    pub before: T,
    /// One for each zone, the engine's own first.
    pub days: Vec<Day<T>>,
}

impl<T: Default> LevelBase<T> {
    fn new(rows: impl Iterator<Item = ZoneNo>) -> Self {
        let mut zones = vec![ZoneNo(0)];
        zones.extend(rows);
        zones[1..].sort_unstable();
        zones.dedup();
        if zones.len() > 1 && zones[1] == ZoneNo(0) {
            zones.remove(1);
        }
        Self {
            before: T::default(),
            days: zones.into_iter().map(Day::new).collect(),
        }
    }

    /// Since ever: two parts, to be added up.
    pub fn ever(&self) -> impl Iterator<Item = &T> + '_ {
        std::iter::once(&self.before).chain(self.days.first().map(|day| &day.part))
    }
}

impl LevelBase<InState> {
    fn levels(&self) -> LevelBase {
        let days = self.days.iter().map(|day| Day {
            zone: day.zone,
            midnight: day.midnight,
            part: here(day.part),
        });
        LevelBase {
            before: here(self.before),
            days: days.collect(),
        }
    }
}

/// Of agents on contact here, that one column.
fn here(in_state: InState) -> Levels {
    let mut levels = Levels::default();
    levels.columns.add(agent::HERE, in_state);
    levels
}

/// Remembers each zone's day, for stamps mostly fall into the same one.
#[derive(Clone, Debug, Default)]
struct Calendar(Vec<(Millis, Millis)>);

impl Calendar {
    /// The beginning of the day that a stamp belongs to.
    fn midnight(&mut self, zones: &Zones, zone: ZoneNo, stamp: Millis) -> Millis {
        let zone = usize::from(zone.0);
        if self.0.len() <= zone {
            self.0.resize(zone + 1, (Millis::MAX, Millis::MIN));
        }
        let day = &mut self.0[zone];
        if stamp <= day.0 || stamp > day.1 {
            let midnight = zones.day_before(zone, stamp);
            *day = (midnight, zones.day_after(zone, midnight).max(stamp));
        }
        day.0
    }
}

/// Sums of the facts that have left a partition's log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Base {
    rows: Vec<Option<Box<RowBase>>>,
    work: Vec<Option<Box<LevelBase>>>,
    sets: Vec<Option<Box<LevelBase>>>,
    here: Vec<((SetNo, SetNo), LevelBase<InState>)>,
    #[serde(skip)]
    here_places: RapidHashMap<(SetNo, SetNo), usize>,
    #[serde(skip)]
    calendar: Calendar,
    #[serde(skip)]
    exits: Vec<(RowNo, Millis, Span, i32)>,
    not_lowered: u64,
}

impl Base {
    /// Adds posts that leave the log: those of a whole pane, or a late one.
    pub fn add(&mut self, posts: &[Post], names: &Names) {
        for post in posts {
            match post.fact {
                Fact::Count(row, count) => self.add_count(row, count, post, names),
                Fact::Staff(set, profile) => self.add_staff(set, profile, post, names),
                Fact::Here { serves, here } => self.add_here((serves, here), post, names),
                Fact::Work(row, state) => {
                    let level = level(&mut self.work, row.index(), || {
                        LevelBase::new(std::iter::once(names.row_info(row).zone))
                    });
                    let column = work_cell(state);
                    enter(level, &mut self.calendar, post, names, |sums, weight| {
                        sums.columns
                            .add(column, InState::entered(weight, post.stamp));
                    });
                }
                Fact::State(..) | Fact::WaitingPast(..) | Fact::PassCounted(..) => {}
            }
        }
        self.raise_maxima(names);
    }

    fn add_count(&mut self, row: RowNo, count: Count, post: &Post, names: &Names) {
        let sign = i64::from(post.sign);
        let info = names.row_info(row);
        if let Some(wait) = exit_wait(count) {
            self.exits
                .push((row, post.stamp, wait, i32::from(post.sign)));
        }
        let midnight = self
            .calendar
            .midnight(&names.settings().zones, info.zone, post.stamp);
        let RowBase { before, day } = row_base(&mut self.rows, row, info);
        day.turn(midnight, |part| before.add_all(&part.columns));
        if midnight < day.midnight {
            return count_cells(count, &info.rungs, |column, amount| {
                before.add(column, sign * amount);
            });
        }
        let day = &mut day.part;
        count_cells(count, &info.rungs, |column, amount| {
            day.columns.add(column, sign * amount);
        });
        match count {
            Count::Answered { wait } => {
                BucketCount::add(&mut day.wait, Bucket::of(wait), post.sign);
            }
            Count::Handled { talk, hold } => {
                let handle = Span(talk.0 + hold.0);
                BucketCount::add(&mut day.handle, Bucket::of(handle), post.sign);
            }
            _ => {}
        }
    }

    fn add_staff(&mut self, set: SetNo, profile: ProfileNo, post: &Post, names: &Names) {
        let level = level(&mut self.sets, set.index(), || {
            let rows = names.set_info(set).rows.iter();
            LevelBase::new(rows.map(|&row| names.row_info(row).zone))
        });
        let profile = names.profile_info(profile);
        enter(level, &mut self.calendar, post, names, |sums, weight| {
            profile_cells(profile, |column, amount| {
                let entered = InState::entered(weight * amount, post.stamp);
                sums.columns.add(column, entered);
            });
            if let Some(reason) = profile.reason {
                *sums.aux_of(reason) += &InState::entered(weight, post.stamp);
            }
        });
    }

    fn add_here(&mut self, key: (SetNo, SetNo), post: &Post, names: &Names) {
        let here = &mut self.here;
        let place = *self.here_places.entry(key).or_insert_with(|| {
            let rows = names.set_info(key.1).rows.iter();
            let zones = rows.map(|&row| names.row_info(row).zone);
            room::reserve(here, 1);
            here.push((key, LevelBase::new(zones)));
            here.len() - 1
        });
        let level = &mut here[place].1;
        enter(level, &mut self.calendar, post, names, |sums, weight| {
            *sums += &InState::entered(weight, post.stamp);
        });
    }

    /// Raises largest waits by the exits just added. What is taken back lies in the same pane as
    /// what it takes back, so a pane is netted first.
    fn raise_maxima(&mut self, names: &Names) {
        let mut exits = std::mem::take(&mut self.exits);
        if exits.iter().any(|exit| exit.3 < 0) {
            exits.sort_unstable();
        }
        for same in exits.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
            let (row, stamp, wait, _) = same[0];
            let info = names.row_info(row);
            let midnight = self
                .calendar
                .midnight(&names.settings().zones, info.zone, stamp);
            let day = &mut row_base(&mut self.rows, row, info).day;
            if midnight != day.midnight {
                continue;
            }
            let day = &mut day.part;
            let net: i32 = same.iter().map(|exit| exit.3).sum();
            if net > 0 {
                day.wait_max = day.wait_max.max(wait.0);
            } else if net < 0 && wait.0 >= day.wait_max {
                self.not_lowered += 1;
            }
        }
        exits.clear();
        self.exits = exits;
    }

    /// Contact figures by row.
    pub fn rows(&self) -> impl Iterator<Item = (RowNo, &RowBase)> + '_ {
        present(&self.rows).map(|(number, base)| (RowNo(number), base))
    }

    /// Contacts at agents, by row.
    pub fn work(&self) -> impl Iterator<Item = (RowNo, &LevelBase)> + '_ {
        present(&self.work).map(|(number, base)| (RowNo(number), base))
    }

    /// Agents, by the set that they serve.
    pub fn sets(&self) -> impl Iterator<Item = (SetNo, &LevelBase)> + '_ {
        present(&self.sets).map(|(number, base)| (SetNo(number), base))
    }

    /// Agents on contact, by what they serve and where their contacts are; column
    /// [`agent::HERE`] alone.
    pub fn here(&self) -> impl Iterator<Item = (SetNo, SetNo, LevelBase)> + '_ {
        let all = self.here.iter();
        all.map(|((serves, here), base)| (*serves, *here, base.levels()))
    }

    /// The zone and midnight of every day, of contact figures and of time in state.
    pub fn days(&self) -> impl Iterator<Item = (ZoneNo, Millis)> + '_ {
        let rows = self.rows().map(|(_, row)| row.day.when());
        let levels = self.work.iter().chain(&self.sets).flatten();
        let levels = levels.flat_map(|level| level.days.iter().map(Day::when));
        let here = self.here.iter();
        let here = here.flat_map(|(_, level)| level.days.iter().map(Day::when));
        rows.chain(levels).chain(here)
    }

    /// How often a largest wait was taken back after it had left the log.
    pub const fn not_lowered(&self) -> u64 {
        self.not_lowered
    }
}

fn present<T>(list: &[Option<Box<T>>]) -> impl Iterator<Item = (u32, &T)> + '_ {
    (0..)
        .zip(list)
        .filter_map(|(number, entry)| entry.as_deref().map(|entry| (number, entry)))
}

/// Calls `add` with the sums that the post belongs to: those of its day in each zone, or those
/// before the day.
fn enter<T>(
    level: &mut LevelBase<T>,
    calendar: &mut Calendar,
    post: &Post,
    names: &Names,
    add: impl Fn(&mut T, i64),
) where
    T: Default + for<'t> AddAssign<&'t T>,
{
    let weight = i64::from(post.sign);
    let LevelBase { before, days } = level;
    for (place, day) in days.iter_mut().enumerate() {
        let midnight = calendar.midnight(&names.settings().zones, day.zone, post.stamp);
        day.turn(midnight, |part| {
            if place == 0 {
                *before += part;
            }
        });
        if midnight == day.midnight {
            add(&mut day.part, weight);
        } else if place == 0 {
            add(before, weight);
        }
    }
}

fn row_base<'a>(
    rows: &'a mut Vec<Option<Box<RowBase>>>,
    row: RowNo,
    info: &RowInfo,
) -> &'a mut RowBase {
    if rows.len() <= row.index() {
        rows.resize_with(row.index() + 1, || None);
    }
    rows[row.index()].get_or_insert_with(|| {
        Box::new(RowBase {
            before: Sparse::default(),
            day: Day::new(info.zone),
        })
    })
}

fn level(
    levels: &mut Vec<Option<Box<LevelBase>>>,
    index: usize,
    new: impl FnOnce() -> LevelBase,
) -> &mut LevelBase {
    if levels.len() <= index {
        levels.resize_with(index + 1, || None);
    }
    levels[index].get_or_insert_with(|| Box::new(new()))
}
