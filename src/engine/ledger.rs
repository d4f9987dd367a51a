//! What is in force in one partition: every post that was made, as log, gauges and counters, and
//! the outbox from which the worker's tables take it.

mod image;

pub(crate) use image::LedgerImage;

use std::collections::BTreeMap;

use super::columns::gauge;
use super::facts::{ContactState, Fact, Post};
use super::losses::{self, Counter};
use super::names::{Names, RowNo};
use super::panes::Log;
use super::room;
use super::settings::{RUNGS_MAX, StateSettings};
use crate::event::Millis;

/// Posts in force. Part of the partition's state, but for the outbox.
#[derive(Clone, Debug)]
pub struct Ledger {
    log: Log,
    gauges: Vec<i64>,
    passes: Vec<i64>,
    losses: BTreeMap<(RowNo, Counter), i64>,
    outbox: Vec<Post>,
}

impl Ledger {
    /// Nothing in force.
    pub fn new(settings: &StateSettings) -> Self {
        Self {
            log: Log::new(settings),
            gauges: Vec::new(),
            passes: Vec::new(),
            losses: BTreeMap::new(),
            outbox: Vec::new(),
        }
    }

    /// The fact log and its base.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Contact-side *now* figures: rows × [`gauge::WIDTH`].
    pub fn gauges(&self) -> &[i64] {
        &self.gauges
    }

    /// `threshold_passed_total`: rows × [`RUNGS_MAX`].
    pub fn passes_counted(&self) -> &[i64] {
        &self.passes
    }

    /// What refolds took from counters since ever.
    pub fn losses(&self) -> impl Iterator<Item = (RowNo, Counter, i64)> + '_ {
        self.losses
            .iter()
            .map(|(&(row, counter), &amount)| (row, counter, amount))
    }

    /// Every post since the outbox was last cleared, in order.
    pub fn outbox(&self) -> &[Post] {
        &self.outbox
    }

    /// Empties the outbox, keeping its memory.
    pub fn clear_outbox(&mut self) {
        self.outbox.clear();
    }

    /// Lets stream time pass: facts too old for the log go to its base.
    pub fn advance(&mut self, stream: Millis, names: &Names) {
        self.log.advance(stream, names);
    }

    /// Puts the changes of one event into force. What counters lose by them is kept apart, since a
    /// counter never falls.
    pub fn change(&mut self, changes: &[Post], names: &Names) {
        losses::net(changes, names, |row, counter, amount| {
            *self.losses.entry((row, counter)).or_default() += amount;
        });
        for post in changes {
            self.make(post, names);
        }
    }

    /// Puts one post into force.
    pub fn make(&mut self, post: &Post, names: &Names) {
        let sign = i64::from(post.sign);
        match post.fact {
            Fact::State(row, state) => {
                *cell(&mut self.gauges, row, gauge::WIDTH, column(state)) += sign;
            }
            Fact::WaitingPast(row, rung) => {
                let column = gauge::WAITING_PAST + usize::from(rung);
                *cell(&mut self.gauges, row, gauge::WIDTH, column) += sign;
            }
            Fact::PassCounted(row, rung) => {
                *cell(&mut self.passes, row, RUNGS_MAX, usize::from(rung)) += sign;
            }
            Fact::Count(..) | Fact::Staff(..) | Fact::Here { .. } | Fact::Work(..) => {
                self.log.append(post, names);
            }
        }
        self.outbox.push(*post);
    }
}

/// One integer of a table that grows with its rows.
fn cell(table: &mut Vec<i64>, row: RowNo, width: usize, column: usize) -> &mut i64 {
    let end = (row.index() + 1) * width;
    if table.len() < end {
        room::resize(table, end, 0);
    }
    &mut table[row.index() * width + column]
}

/// The gauge column of a state.
fn column(state: ContactState) -> usize {
    match state {
        ContactState::Waiting => gauge::WAITING,
        ContactState::Alerting => gauge::ALERTING,
        ContactState::Connected => gauge::CONNECTED,
        ContactState::Held => gauge::HELD,
        ContactState::Acw => gauge::ACW,
    }
}
