//! What an agent contributes at an instant, and the posts of a change.

use crate::engine::facts::{Fact, Post, WorkState};
use crate::engine::names::{Activity, ChannelNo, Names, Profile, RowNo, SetInfo, SetNo};
use crate::event::{Millis, Presence};

use super::state::State;

/// The facts that hold of an agent at an instant.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    staff: Option<(SetNo, Profile)>,
    here: Option<(SetNo, SetNo)>,
    /// Row and state of each contact at him, sorted.
    work: Vec<(RowNo, WorkState)>,
    /// Scratch for looking sets up.
    set: SetInfo,
}

impl Level {
    /// Reads it off a state.
    pub(super) fn read(&mut self, state: &mut State, names: &mut Names) {
        let serves = state.serves(names, &mut self.set);
        self.read_work(state);
        let activity = state.activity();
        self.staff = activity.map(|activity| (serves, self.profile(state, activity, names)));
        self.here = (activity == Some(Activity::OnContact)).then(|| (serves, self.here_set(names)));
    }

    fn read_work(&mut self, state: &State) {
        self.work.clear();
        self.work
            .extend(state.turns.iter().map(|turn| (turn.row, turn.state)));
        self.work.sort_unstable();
    }

    /// Gives the profile of a state, and the set of rows where he is on contact, their numbers;
    /// what he serves has one.
    pub(super) fn name(&mut self, state: &State, names: &mut Names) {
        self.read_work(state);
        let Some(activity) = state.activity() else {
            return;
        };
        let profile = self.profile(state, activity, names);
        names.profile(profile);
        if activity == Activity::OnContact {
            self.here_set(names);
        }
    }

    /// Posts what changed between this and the next.
    pub(super) fn post_change(
        &self,
        next: &Self,
        stamp: Millis,
        names: &mut Names,
        out: &mut Vec<Post>,
    ) {
        if self.staff != next.staff {
            let mut fact = |(set, profile)| Fact::Staff(set, names.profile(profile));
            let (old, new) = (self.staff.map(&mut fact), next.staff.map(&mut fact));
            swap(old, new, stamp, out);
        }
        if self.here != next.here {
            let fact = |(serves, here)| Fact::Here { serves, here };
            swap(self.here.map(fact), next.here.map(fact), stamp, out);
        }
        let (mut old, mut new) = (self.work.iter().peekable(), next.work.iter().peekable());
        loop {
            let (sign, work) = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) if a == b => {
                    old.next();
                    new.next();
                    continue;
                }
                (Some(a), Some(b)) if a > b => (1, new.next()),
                (Some(_), _) => (-1, old.next()),
                (None, _) => (1, new.next()),
            };
            let Some(&(row, state)) = work else {
                return;
            };
            out.push(Post {
                stamp,
                fact: Fact::Work(row, state),
                sign,
            });
        }
    }

    fn profile(&self, state: &State, activity: Activity, names: &Names) -> Profile {
        let busy = |(_, state): &&(RowNo, WorkState)| *state != WorkState::Alerting;
        let available = state.presence == Presence::Available;
        Profile {
            presence: state.presence,
            reason: (state.presence == Presence::Aux).then_some(state.reason),
            activity,
            busy_contacts: small(self.work.iter().filter(busy).count()),
            used: if available { small(self.work.len()) } else { 0 },
            usable: if available {
                self.usable(state, names)
            } else {
                0
            },
        }
    }

    /// Usable slots: of all channels being worked, the largest when idle; the sum when shared.
    fn usable(&self, state: &State, names: &Names) -> u16 {
        let worked = |channel: ChannelNo| {
            let mut rows = self.work.iter().map(|(row, _)| *row);
            rows.any(|row| names.row_info(row).channel == channel)
        };
        let slots = state.slots().by_channel.iter();
        let usable: u64 = if state.slots().shared {
            slots.map(|(_, slots)| u64::from(*slots)).sum()
        } else if self.work.is_empty() {
            slots.map(|(_, slots)| u64::from(*slots)).max().unwrap_or(0)
        } else {
            slots
                .filter(|(channel, _)| worked(*channel))
                .map(|(_, slots)| u64::from(*slots))
                .sum()
        };
        u16::try_from(usable).unwrap_or(u16::MAX)
    }

    /// The rows of his connected and held contacts.
    fn here_set(&mut self, names: &mut Names) -> SetNo {
        let on_contact = |state: WorkState| matches!(state, WorkState::Connected | WorkState::Held);
        let mut rows = self.work.iter().filter(|(_, state)| on_contact(*state));
        if let (Some(&(row, _)), None) = (rows.next(), rows.next()) {
            return names.set_of_row(row);
        }
        let rows = self.work.iter().filter(|(_, state)| on_contact(*state));
        self.set.rows.clear();
        self.set.clients.clear();
        self.set.rows.extend(rows.map(|(row, _)| *row));
        self.set.rows.dedup();
        let clients = self.set.rows.iter().map(|row| names.row_info(*row).client);
        self.set.clients.extend(clients);
        self.set.clients.sort_unstable();
        self.set.clients.dedup();
        names.set(&self.set)
    }
}

fn swap(old: Option<Fact>, new: Option<Fact>, stamp: Millis, out: &mut Vec<Post>) {
    let signed = [(old, -1), (new, 1)].into_iter();
    out.extend(signed.filter_map(|(fact, sign)| fact.map(|fact| Post { stamp, fact, sign })));
}

fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
