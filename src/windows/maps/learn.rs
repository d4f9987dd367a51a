//! Learning what a partition's numbers mean: its rows, what its sets of agents unfold to, the cells of
//! its profiles. Each is asked for once.

use std::sync::Arc;

use super::{Maps, NONE, ProfileMap, RowMap};
use crate::engine::cells::profile_cells;
use crate::engine::names::{ClientNo, Interner, Names, ProfileNo, RowNo, SetNo};
use crate::event::Presence;
use crate::windows::numbering::{AgentRow, AgentRowNo, ClientId, QueueNo};

/// Rows of agents' figures by what they stand for; each sorted, and without doubles.
#[derive(Debug, Default)]
struct Parts {
    queues: Vec<(QueueNo, u16)>,
    clients: Vec<ClientId>,
    groups: Vec<u32>,
    channels: Vec<u32>,
}

impl Parts {
    fn sort(&mut self) {
        sort(&mut self.queues);
        sort(&mut self.clients);
        sort(&mut self.groups);
        sort(&mut self.channels);
    }

    fn shared_with(mut self, other: &Self) -> Self {
        let Self {
            queues,
            clients,
            groups,
            channels,
        } = &mut self;
        queues.retain(|queue| other.queues.binary_search(queue).is_ok());
        clients.retain(|client| other.clients.binary_search(client).is_ok());
        groups.retain(|group| other.groups.binary_search(group).is_ok());
        channels.retain(|channel| other.channels.binary_search(channel).is_ok());
        self
    }
}

fn sort<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

impl Maps {
    pub(super) fn learn_rows(&mut self, partition: usize, names: &Names, up_to: RowNo) {
        let known = self.partitions[partition].rows.len();
        for number in known..=up_to.index() {
            let info = &names.rows()[number];
            let channel = names.channels.text(info.channel.0);
            let queue = info.queue.map(|queue| {
                let client = names.clients.text(info.client.0);
                let queue = names.queues.text(queue.0);
                self.numbering.queue(client, queue, channel)
            });
            if let Some(queue) = queue {
                put(&mut self.queue_zones, queue.index(), info.zone.0, 0);
            }
            let group = queue.and_then(|queue| self.numbering.group(queue));
            self.partitions[partition].rows.push(RowMap {
                queue: queue.map_or(NONE, |queue| queue.0),
                zone: info.zone.0,
                channel: self.channels.number(channel),
                group: group.map_or(NONE, |group| self.groups.number(&group)),
                rungs: Arc::clone(&info.rungs),
                work: NONE,
            });
        }
    }

    pub(super) fn learn_work(&mut self, partition: usize, names: &Names, row: RowNo) {
        self.learn_rows(partition, names, row);
        let client = names.row_info(row).client;
        let parts = self.parts(partition, names, &[row], &[client]);
        let list = self.unfold(&parts, &parts.clients);
        self.partitions[partition].rows[row.index()].work = list;
    }

    pub(super) fn learn_set(&mut self, partition: usize, names: &Names, set: SetNo) {
        let parts = self.set_parts(partition, names, set);
        let list = self.unfold(&parts, &parts.clients);
        let sets = &mut self.partitions[partition].sets;
        if sets.len() <= set.index() {
            sets.resize(set.index() + 1, NONE);
        }
        sets[set.index()] = list;
    }

    pub(super) fn learn_profile(
        &mut self,
        partition: usize,
        names: &Names,
        set: SetNo,
        profile: ProfileNo,
    ) {
        let map = &mut self.partitions[partition];
        for number in map.profiles.len()..=profile.index() {
            let number = ProfileNo(u32::try_from(number).unwrap_or(NONE));
            let profile = names.profile_info(number);
            let mut cells = Vec::new();
            profile_cells(profile, |column, weight| {
                cells.push((u8::try_from(column).unwrap_or(u8::MAX), weight));
            });
            let aux = profile.presence == Presence::Aux;
            map.profiles.push(ProfileMap {
                cells,
                reason: profile.reason.filter(|_| aux),
            });
        }
        let Some(reason) = map.profiles[profile.index()].reason else {
            return;
        };
        if map.aux.contains_key(&(set, reason)) {
            return;
        }
        let reason_id = self.numbering.reason(names.reasons.text(reason.0));
        let rows = self.list(self.partitions[partition].sets[set.index()]);
        let cells = Vec::from(rows)
            .into_iter()
            .map(|row| self.aux_cell(row, reason_id))
            .collect();
        self.partitions[partition].aux.insert((set, reason), cells);
    }

    pub(super) fn learn_here(&mut self, partition: usize, names: &Names, key: (SetNo, SetNo)) {
        let serves = self.set_parts(partition, names, key.0);
        let here = self.set_parts(partition, names, key.1);
        let rows = self.unfold(&here, &here.clients);
        let members = self.unfold(&here.shared_with(&serves), &serves.clients);
        self.partitions[partition].here.insert(key, (rows, members));
    }

    fn set_parts(&mut self, partition: usize, names: &Names, set: SetNo) -> Parts {
        let info = names.set_info(set);
        self.parts(partition, names, &info.rows, &info.clients)
    }

    fn parts(
        &mut self,
        partition: usize,
        names: &Names,
        rows: &[RowNo],
        clients: &[ClientNo],
    ) -> Parts {
        let mut parts = Parts::default();
        for &client in clients {
            parts.clients.push(self.client_of(partition, names, client));
        }
        for &row in rows {
            self.learn_rows(partition, names, row);
            let row = &self.partitions[partition].rows[row.index()];
            parts.channels.push(row.channel);
            if row.queue != NONE {
                parts.queues.push((QueueNo(row.queue), row.zone));
            }
            if row.group != NONE {
                parts.groups.push(row.group);
            }
        }
        parts.sort();
        parts
    }

    fn client_of(&mut self, partition: usize, names: &Names, client: ClientNo) -> ClientId {
        let known = &mut self.partitions[partition].clients;
        reach(known, client.index(), None);
        *known[client.index()]
            .get_or_insert_with(|| self.numbering.client(names.clients.text(client.0)))
    }

    /// The number of the list of rows of these parts; what spans clients is kept apart by `key`.
    fn unfold(&mut self, parts: &Parts, key: &[ClientId]) -> u32 {
        let mut rows = Vec::from(self.others(parts, key));
        for &(queue, zone) in &parts.queues {
            rows.push(self.queue_row(queue, zone));
        }
        rows.sort_unstable();
        if let Some(&list) = self.list_numbers.get(&*rows) {
            return list;
        }
        let list = u32::try_from(self.lists.len()).unwrap_or(NONE);
        let rows: Arc<[AgentRowNo]> = rows.into();
        self.lists.push(Arc::clone(&rows));
        self.list_numbers.insert(rows, list);
        list
    }

    fn queue_row(&mut self, queue: QueueNo, zone: u16) -> AgentRowNo {
        reach(&mut self.queue_rows, queue.index(), None);
        if let Some(row) = self.queue_rows[queue.index()] {
            return row;
        }
        let row = self.agent_row(&AgentRow::Queue(queue), zone);
        self.queue_rows[queue.index()] = Some(row);
        row
    }

    /// The rows of these parts beside those of queues. Few combinations come again and again, so the
    /// registry is asked once for each.
    fn others(&mut self, parts: &Parts, key: &[ClientId]) -> &[AgentRowNo] {
        let Parts {
            clients,
            groups,
            channels,
            ..
        } = parts;
        let lengths = [clients.len(), groups.len(), channels.len()];
        let numbers = lengths.map(|length| u32::try_from(length).unwrap_or(NONE));
        let clients_and_key = clients.iter().chain(key).map(|client| client.0);
        let written: Box<[u32]> = numbers
            .into_iter()
            .chain(groups.iter().chain(channels).copied())
            .chain(clients_and_key)
            .collect();
        if !self.others.contains_key(&written) {
            let mut asked = Vec::new();
            asked.extend(clients.iter().copied().map(AgentRow::Client));
            let text = |texts: &Interner, number: &u32| texts.text(*number).to_owned();
            let group = |group| AgentRow::Group(text(&self.groups, group), key.into());
            asked.extend(groups.iter().map(group));
            let channel = |channel| AgentRow::Channel(text(&self.channels, channel), key.into());
            asked.extend(channels.iter().map(channel));
            asked.push(AgentRow::Total(key.into()));
            let rows = asked.iter().map(|row| self.agent_row(row, 0)).collect();
            self.others.insert(written.clone(), rows);
        }
        self.others.get(&written).map_or(&[], |rows| rows)
    }

    fn agent_row(&mut self, row: &AgentRow, zone: u16) -> AgentRowNo {
        let number = self.numbering.agent_row(row);
        put(&mut self.agent_zones, number.index(), zone, 0);
        number
    }
}

/// Puts a value at its place, and `none` before it where nothing is.
fn put<T: Clone>(list: &mut Vec<T>, index: usize, value: T, none: T) {
    reach(list, index, none);
    list[index] = value;
}

/// Makes a list long enough for a place.
fn reach<T: Clone>(list: &mut Vec<T>, index: usize, none: T) {
    if list.len() <= index {
        list.resize(index + 1, none);
    }
}
