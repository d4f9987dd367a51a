//! What the numbers of each partition mean in the worker's tables.
//!
//! A partition has numbers of its own, in order of first appearance; tables use the registry's. The
//! registry is asked once per number, then the answer is kept. Sets of agents are unfolded here
//! into the rows that they count in: a row each for their queues, clients, groups and channels, and
//! the total (`docs/kpi.md`, "agents by state").

mod learn;

use std::sync::Arc;

use rapidhash::RapidHashMap;

use super::numbering::{AgentRowNo, ClientId, Numbering, ReasonId};
use crate::engine::base::LevelBase;
use crate::engine::columns::{agent, work_cell};
use crate::engine::facts::{Count, Fact, WorkState};
use crate::engine::names::{Interner, Names, ReasonNo, RowNo, SetNo, Token};
use crate::event::Span;

/// "None yet", or "no queue".
const NONE: u32 = u32::MAX;

/// A fact in the worker's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hit<'a> {
    /// Moves nothing: a contact without a queue, contact side.
    Nothing,
    Count {
        queue: usize,
        zone: u16,
        rungs: &'a [Span],
        count: Count,
    },
    PassCounted {
        queue: usize,
        rung: u8,
    },
    /// Time in state: (columns and weights) in every row; with a cell of aux for each row, or none.
    Level {
        list: u32,
        rows: &'a [AgentRowNo],
        cells: &'a [(u8, i64)],
        aux: &'a [u32],
    },
    /// On contact here, in rows and, as a member, in rows.
    Here {
        lists: (u32, u32),
        rows: &'a [AgentRowNo],
        members: &'a [AgentRowNo],
    },
}

/// Whose time in state a base holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum LevelKey {
    Work(RowNo),
    Here(SetNo, SetNo),
    Set(SetNo),
}

#[derive(Debug)]
struct RowMap {
    queue: u32,
    zone: u16,
    channel: u32,
    /// The queue's group, or [`NONE`].
    group: u32,
    rungs: Arc<[Span]>,
    /// The list of rows in which a contact at an agent counts.
    work: u32,
}

#[derive(Debug)]
struct ProfileMap {
    cells: Vec<(u8, i64)>,
    reason: Option<ReasonNo>,
}

/// The numbers of one partition.
#[derive(Debug, Default)]
struct PartitionMap {
    /// The dictionary that they are of.
    of: Option<Token>,
    clients: Vec<Option<ClientId>>,
    rows: Vec<RowMap>,
    sets: Vec<u32>,
    profiles: Vec<ProfileMap>,
    here: RapidHashMap<(SetNo, SetNo), (u32, u32)>,
    /// By set and reason: cells of aux, in the order of the set's rows.
    aux: RapidHashMap<(SetNo, ReasonNo), Box<[u32]>>,
}

/// All numbers of one worker.
pub(super) struct Maps {
    numbering: Arc<dyn Numbering>,
    partitions: Vec<PartitionMap>,
    groups: Interner,
    channels: Interner,
    /// By queue: its row of agents' figures, once it was asked for.
    queue_rows: Vec<Option<AgentRowNo>>,
    /// The other rows of a list, by what [`Maps::others`] writes of its parts.
    others: RapidHashMap<Box<[u32]>, Box<[AgentRowNo]>>,
    lists: Vec<Arc<[AgentRowNo]>>,
    list_numbers: RapidHashMap<Arc<[AgentRowNo]>, u32>,
    aux_numbers: RapidHashMap<(AgentRowNo, ReasonId), u32>,
    /// By cell of aux.
    pub aux_keys: Vec<(AgentRowNo, ReasonId)>,
    /// By queue: number of its zone.
    pub queue_zones: Vec<u16>,
    /// By row of agents' figures: number of its zone.
    pub agent_zones: Vec<u16>,
}

impl std::fmt::Debug for Maps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maps")
            .field("queues", &self.queue_zones.len())
            .field("agent_rows", &self.agent_zones.len())
            .finish_non_exhaustive()
    }
}

impl Maps {
    pub(super) fn new(numbering: Arc<dyn Numbering>) -> Self {
        Self {
            numbering,
            partitions: Vec::new(),
            groups: Interner::default(),
            channels: Interner::default(),
            queue_rows: Vec::new(),
            others: RapidHashMap::default(),
            lists: Vec::new(),
            list_numbers: RapidHashMap::default(),
            aux_numbers: RapidHashMap::default(),
            aux_keys: Vec::new(),
            queue_zones: Vec::new(),
            agent_zones: Vec::new(),
        }
    }

    /// Forgets the partitions' numbers and what sets unfold to; rows of tables stay what they are.
    pub(super) fn forget(&mut self) {
        self.partitions.clear();
        self.lists.clear();
        self.list_numbers.clear();
    }

    /// Forgets the numbers of every partition but these.
    pub(super) fn keep<'a>(&mut self, partitions: impl Iterator<Item = (usize, &'a Names)>) {
        let mut all = std::mem::take(&mut self.partitions);
        for (partition, names) in partitions {
            self.admit(partition, names);
            if let Some(known) = all.get_mut(partition)
                && known.of.as_ref() == Some(names.token())
            {
                self.partitions[partition] = std::mem::take(known);
            }
        }
    }

    /// Whether anything of a partition was ever asked for.
    pub(super) fn knows(&self, partition: usize, names: &Names) -> bool {
        let known = self.partitions.get(partition);
        known.is_some_and(|known| known.of.as_ref() == Some(names.token()))
    }

    /// Forgets the numbers of one partition.
    pub(super) fn drop_partition(&mut self, partition: usize) {
        if let Some(known) = self.partitions.get_mut(partition) {
            *known = PartitionMap::default();
        }
    }

    pub(super) fn group_epoch(&self) -> u64 {
        self.numbering.group_epoch()
    }

    pub(super) fn client(&self, client: &str) -> ClientId {
        self.numbering.client(client)
    }

    #[inline]
    fn admit(&mut self, partition: usize, names: &Names) {
        if self.partitions.len() <= partition {
            self.partitions
                .resize_with(partition + 1, PartitionMap::default);
        }
        let map = &mut self.partitions[partition];
        if map.of.is_none() {
            map.of = Some(names.token().remembered());
        }
    }

    /// Asks for the numbers that a fact of a partition needs.
    #[inline]
    pub(super) fn prepare(&mut self, partition: usize, names: &Names, fact: Fact) {
        self.admit(partition, names);
        let map = &self.partitions[partition];
        match fact {
            Fact::Count(row, _)
            | Fact::PassCounted(row, _)
            | Fact::State(row, _)
            | Fact::WaitingPast(row, _) => {
                if map.rows.len() <= row.index() {
                    self.learn_rows(partition, names, row);
                }
            }
            Fact::Work(row, _) => {
                if map.rows.get(row.index()).is_none_or(|row| row.work == NONE) {
                    self.learn_work(partition, names, row);
                }
            }
            Fact::Staff(set, profile) => {
                if map.sets.get(set.index()).is_none_or(|&list| list == NONE) {
                    self.learn_set(partition, names, set);
                }
                self.learn_profile(partition, names, set, profile);
            }
            Fact::Here { serves, here } => {
                if !map.here.contains_key(&(serves, here)) {
                    self.learn_here(partition, names, (serves, here));
                }
            }
        }
    }

    /// A fact in the worker's numbers; it must be prepared.
    #[inline]
    pub(super) fn hit(&self, partition: usize, fact: Fact) -> Hit<'_> {
        let map = &self.partitions[partition];
        match fact {
            Fact::Count(row, count) => {
                let row = &map.rows[row.index()];
                if row.queue == NONE {
                    return Hit::Nothing;
                }
                Hit::Count {
                    queue: row.queue as usize,
                    zone: row.zone,
                    rungs: &row.rungs,
                    count,
                }
            }
            Fact::PassCounted(row, rung) => match self.queue(partition, row) {
                Some(queue) => Hit::PassCounted { queue, rung },
                None => Hit::Nothing,
            },
            Fact::Work(row, state) => {
                let list = map.rows[row.index()].work;
                Hit::Level {
                    list,
                    rows: self.list(list),
                    cells: work_cells(state),
                    aux: &[],
                }
            }
            Fact::Staff(set, profile) => {
                let profile = &map.profiles[profile.index()];
                let reason = profile.reason;
                let list = map.sets[set.index()];
                Hit::Level {
                    list,
                    rows: self.list(list),
                    cells: &profile.cells,
                    aux: reason
                        .and_then(|reason| map.aux.get(&(set, reason)))
                        .map_or(&[], |aux| aux),
                }
            }
            Fact::Here { serves, here } => {
                let (rows, members) = map.here[&(serves, here)];
                Hit::Here {
                    lists: (rows, members),
                    rows: self.list(rows),
                    members: self.list(members),
                }
            }
            Fact::State(..) | Fact::WaitingPast(..) => Hit::Nothing,
        }
    }

    /// The queue of a partition's row, if it has one; the row must be prepared.
    #[inline]
    pub(super) fn queue(&self, partition: usize, row: RowNo) -> Option<usize> {
        let queue = self.partitions[partition].rows[row.index()].queue;
        (queue != NONE).then_some(queue as usize)
    }

    /// Asks for the numbers that a key of a base needs.
    pub(super) fn prepare_key(
        &mut self,
        partition: usize,
        names: &Names,
        key: LevelKey,
        level: &LevelBase,
    ) {
        match key {
            LevelKey::Work(row) => {
                self.prepare(partition, names, Fact::Work(row, WorkState::Alerting));
            }
            LevelKey::Here(serves, here) => {
                self.prepare(partition, names, Fact::Here { serves, here });
            }
            LevelKey::Set(set) => {
                self.admit(partition, names);
                let list = self.partitions[partition].sets.get(set.index());
                if list.is_none_or(|&list| list == NONE) {
                    self.learn_set(partition, names, set);
                }
            }
        }
        for &(reason, ..) in level.ever().flat_map(|levels| &levels.aux) {
            let reason = self.reason(names, reason);
            for row in self.key_rows(partition, key).0.to_vec() {
                self.aux_cell(row, reason);
            }
        }
    }

    /// The rows that a key of a base counts in, and those where it does as a member. It must be
    /// prepared.
    pub(super) fn key_rows(
        &self,
        partition: usize,
        key: LevelKey,
    ) -> (&[AgentRowNo], &[AgentRowNo]) {
        let map = &self.partitions[partition];
        match key {
            LevelKey::Work(row) => (self.list(map.rows[row.index()].work), &[]),
            LevelKey::Set(set) => (self.list(map.sets[set.index()]), &[]),
            LevelKey::Here(serves, here) => {
                let (rows, members) = map.here[&(serves, here)];
                (self.list(rows), self.list(members))
            }
        }
    }

    /// The number of a cell of aux, new if it was never seen.
    fn aux_cell(&mut self, row: AgentRowNo, reason: ReasonId) -> u32 {
        *self.aux_numbers.entry((row, reason)).or_insert_with(|| {
            self.aux_keys.push((row, reason));
            u32::try_from(self.aux_keys.len() - 1).unwrap_or(NONE)
        })
    }

    /// The number of a cell of aux that was seen before.
    pub(super) fn known_aux_cell(&self, row: AgentRowNo, reason: ReasonId) -> Option<usize> {
        let cell = self.aux_numbers.get(&(row, reason))?;
        usize::try_from(*cell).ok()
    }

    pub(super) fn reason(&self, names: &Names, reason: ReasonNo) -> ReasonId {
        self.numbering.reason(names.reasons.text(reason.0))
    }

    pub(super) fn list(&self, number: u32) -> &[AgentRowNo] {
        &self.lists[number as usize]
    }
}

/// One column each, weight 1, in the order of the states.
const WORK_CELLS: [[(u8, i64); 1]; 4] = {
    #[expect(clippy::cast_possible_truncation, reason = "a row has fewer columns")]
    const FIRST: u8 = agent::WORK as u8;
    [
        [(FIRST, 1)],
        [(FIRST + 1, 1)],
        [(FIRST + 2, 1)],
        [(FIRST + 3, 1)],
    ]
};

fn work_cells(state: WorkState) -> &'static [(u8, i64)] {
    &WORK_CELLS[work_cell(state) - agent::WORK]
}
