//! Time in state from the partitions' bases into tables.

use std::borrow::Cow;

use super::columns::agent;
use super::maps::{LevelKey, Maps};
use super::numbering::AgentRowNo;
use super::sums::{LEVELS, Sums};
use super::tables::Tables;
use super::view::PartitionView;
use crate::engine::base::{InState, LevelBase, Levels};
use crate::engine::names::Names;

/// A key of a partition's base.
#[derive(Clone, Copy, Debug)]
pub(super) struct BaseKey<'a> {
    pub partition: usize,
    pub names: &'a Names,
    pub key: LevelKey,
}

impl Tables {
    /// Calls `each` with every key of a partition's base.
    pub(super) fn for_each_base_level(
        &mut self,
        view: &PartitionView<'_>,
        mut each: impl FnMut(&mut Self, BaseKey<'_>, &LevelBase),
    ) {
        let base = view.log().base();
        let works = base.work();
        let works = works.map(|(row, level)| (LevelKey::Work(row), Cow::Borrowed(level)));
        let here = base.here();
        let here =
            here.map(|(serves, here, level)| (LevelKey::Here(serves, here), Cow::Owned(level)));
        let sets = base.sets();
        let sets = sets.map(|(set, level)| (LevelKey::Set(set), Cow::Borrowed(level)));
        for (key, level) in works.chain(here).chain(sets) {
            let key = BaseKey {
                partition: view.number as usize,
                names: view.names,
                key,
            };
            self.maps
                .prepare_key(key.partition, key.names, key.key, &level);
            self.fit();
            each(self, key, &level);
        }
    }
}

/// Adds the levels of a key `sign` times to its rows whose zone `passes`. There must be room.
pub(super) fn add_levels(
    maps: &Maps,
    sums: &mut Sums,
    key: BaseKey<'_>,
    levels: &Levels,
    sign: i64,
    passes: impl Fn(u16) -> bool,
) {
    let (rows, members) = maps.key_rows(key.partition, key.key);
    let passing = |row: &&AgentRowNo| passes(maps.agent_zones[row.index()]);
    for (column, InState { n, c }) in levels.columns.iter() {
        let mut add = |row: &AgentRowNo, column: usize| {
            let columns = &mut sums.agent[row.index() * LEVELS..][..LEVELS];
            columns[column] = columns[column].wrapping_add(sign * n);
            let sum = &mut columns[agent::WIDTH + column];
            *sum = sum.wrapping_add(sign.wrapping_mul(c));
        };
        for row in rows.iter().filter(passing) {
            add(row, column);
        }
        for row in members.iter().filter(passing) {
            add(row, column - agent::HERE + agent::HERE_MEMBER);
        }
    }
    for &(reason, InState { n, c }) in &levels.aux {
        let reason = maps.reason(key.names, reason);
        for row in rows.iter().filter(passing) {
            if let Some(cell) = maps.known_aux_cell(*row, reason) {
                sums.aux[cell][0] += sign * n;
                sums.aux[cell][1] = sums.aux[cell][1].wrapping_add(sign.wrapping_mul(c));
            }
        }
    }
}
