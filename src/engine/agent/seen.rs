//! One agent at an instant, for the list of who is where.

use super::state::State;
use super::{Agent, Checkpoint, Workspace};
use crate::engine::facts::WorkState;
use crate::engine::names::{Activity, Names, ReasonNo, RowNo, SetNo};
use crate::event::{Millis, Presence};

/// What is told of an agent, in the partition's numbers. It agrees with the [`Fact::Staff`] that is
/// in force of him.
///
/// [`Fact::Staff`]: crate::engine::facts::Fact::Staff
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The rows that he serves, and the clients that he counts for.
    pub serves: SetNo,
    /// Declared.
    pub presence: Presence,
    /// With presence aux: why.
    pub reason: Option<ReasonNo>,
    /// By precedence.
    pub activity: Activity,
    /// Since when presence, reason and activity are these; `None` if that was not noted yet.
    pub since: Option<Millis>,
    state: &'a State,
}

impl Seen<'_> {
    /// Row and state of each contact at him.
    pub fn contacts(&self) -> impl Iterator<Item = (RowNo, WorkState)> + '_ {
        let turns = self.state.turns.iter();
        turns.map(|turn| (turn.row, turn.state))
    }
}

/// Scratch memory of [`Agent::seen`].
#[derive(Clone, Debug, Default)]
pub struct Sight(Checkpoint);

impl Agent {
    /// How he stands at an instant that is not before any fact applied; none if he is offline and
    /// without a contact that keeps him busy. Changes nothing of him, and costs the same however many
    /// facts are held.
    pub fn seen<'s>(
        &self,
        at: Millis,
        sight: &'s mut Sight,
        work: &mut Workspace,
        names: &mut Names,
    ) -> Option<Seen<'s>> {
        let Sight(checkpoint) = sight;
        checkpoint.copy_from(&self.tip);
        let state = &mut checkpoint.state;
        state.pass_until(at, names.settings());
        let serves = state.serves(names, &mut work.set);
        let activity = state.activity()?;
        Some(Seen {
            serves,
            presence: state.presence,
            reason: (state.presence == Presence::Aux).then_some(state.reason),
            activity,
            since: state.since(),
            state,
        })
    }
}
